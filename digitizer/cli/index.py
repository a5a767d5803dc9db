"""Commands that import the indexes: patients, exams, jackets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from digitizer import wiring
from digitizer.cli.base import Root, Session, json_option, note, pass_session, print_json
from digitizer.errors import UsageError
from digitizer.index.csv import read_exams, read_jackets, read_patients
from digitizer.ledger import ImportReport

__all__ = ["COMMANDS"]


def _finish(done: ImportReport, *, dry_run: bool, as_json: bool) -> int:
    for row in done.refused:
        note(f"refused: {row}")
    counts = {
        "added": done.added,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "refused": len(done.refused),
    }
    if as_json:
        refused = [{"line": row.line, "reason": str(row)} for row in done.refused]
        print_json({**counts, "dry_run": dry_run, "refused_rows": refused})
    else:
        words = ", ".join(f"{n} {word}" for word, n in counts.items())
        print(f"{'Would be: ' if dry_run else ''}{words}")
    return 1 if done.refused else 0


def _group(name: str, words: str, run: Callable[[Any, Path, bool], ImportReport]) -> click.Group:
    group = Root(name=name, help=f"The index of {words}.")

    @group.command(
        name="import", help=f"Import {words} from a CSV file; again changes what differs."
    )
    @click.argument("path", metavar="CSV", type=click.Path(path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Say what would change, change nothing.")
    @json_option
    @pass_session
    def import_(session: Session, path: Path, dry_run: bool, as_json: bool) -> int:
        if not path.is_file():
            raise UsageError(f"There is no file {path}.", remedy="Give a CSV file.")
        done = run(wiring.index(session.settings), path, dry_run)
        return _finish(done, dry_run=dry_run, as_json=as_json)

    return group


COMMANDS: tuple[click.Command, ...] = (
    _group(
        "patients",
        "patients",
        lambda index, path, dry: index.import_patients(read_patients(path), dry_run=dry),
    ),
    _group(
        "exams",
        "historical exams",
        lambda index, path, dry: index.import_exams(read_exams(path), dry_run=dry),
    ),
    _group(
        "jackets",
        "jackets",
        lambda index, path, dry: index.import_jackets(read_jackets(path), dry_run=dry),
    ),
)
