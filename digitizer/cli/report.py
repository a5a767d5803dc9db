"""The command that prints a report."""

from pathlib import Path

import click

from digitizer.cli.base import Session, Verb, login, pass_session
from digitizer.errors import UsageError
from digitizer.pipeline.older.sources import source_named

__all__ = ["COMMANDS"]


@click.command(cls=Verb)
@click.option("--batch", help="The batch to report on.")
@click.option("--box", help="The box to report on, through all batches.")
@click.option("--source", help="The older archive to report on.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The PDF.",
)
@click.option("--as", "user", help="Who asks; your login name by default.")
@pass_session
def report(
    session: Session,
    batch: str | None,
    box: str | None,
    source: str | None,
    output: Path,
    user: str | None,
) -> int:
    """Write a report to print and sign: what was done, what differs, what may be released."""
    if sum(one is not None for one in (batch, box, source)) != 1:
        raise UsageError(
            "Name a batch, a box or an older archive.",
            remedy="Give --batch NAME, --box NAME or --source NAME.",
        )
    # Imported here: what lays paper out is slow to load, and no other command needs it.
    from digitizer.pipeline.older.printed import printed_source
    from digitizer.pipeline.printed import printed_report

    by = user or login()
    if source is not None:
        older = source_named(session.services, source)
        output.write_bytes(printed_source(session.services, older, by=by))
    else:
        output.write_bytes(printed_report(session.services, by=by, batch=batch, box=box))
    print(f"Written to {output}; it names patients.")
    return 0


COMMANDS: tuple[click.Command, ...] = (report,)
