"""Commands that show what would become of an older archive: migrate plan and rows."""

from dataclasses import asdict

import click

from digitizer.cli.base import Session, Verb, json_option, pass_session, print_csv, print_json
from digitizer.cli.older_words import plan_words
from digitizer.errors import UsageError
from digitizer.model.older import SourceKind
from digitizer.pipeline.older.picture_plan import readings_of_rows
from digitizer.pipeline.older.plan import CHANGE_COLUMNS, change_rows, plan_source
from digitizer.pipeline.older.sources import source_named

__all__ = ["MIGRATE_PLAN_COMMANDS"]


@click.command(name="plan", cls=Verb)
@click.argument("name")
@click.option("--every", is_flag=True, help="Look at every instance, not at one of each study.")
@click.option("--csv", "as_csv", is_flag=True, help="Each change of each instance, as CSV.")
@json_option
@pass_session
def plan(session: Session, name: str, every: bool, as_csv: bool, as_json: bool) -> int:
    """Show what would be changed and what the archive refuses, before anything is sent."""
    source = source_named(session.services, name)
    if as_csv:
        print_csv(CHANGE_COLUMNS, change_rows(session.services, source, every=every))
        return 0
    document = plan_source(session.services, source, every=every)
    if as_json:
        print_json(document)
    else:
        print(plan_words(document))
    return 0


@click.command(name="rows", cls=Verb)
@click.argument("name")
@pass_session
def rows(session: Session, name: str) -> int:
    """Write the rows of an index file as JSON lines that `digitizer match` decides on."""
    source = source_named(session.services, name)
    if source.kind is not SourceKind.PICTURES:
        raise UsageError(
            f"{name} has no index file.", remedy="`digitizer migrate plan` plans by its headers."
        )
    for row, header in readings_of_rows(session.services, source):
        line = {"id": f"{row.line}: {row.place}", "header": asdict(header)}
        print_json({**line, "issuer": source.issuer})
    return 0


MIGRATE_PLAN_COMMANDS: tuple[click.Command, ...] = (plan, rows)
