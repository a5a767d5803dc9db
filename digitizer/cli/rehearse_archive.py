"""A made-up old archive for trying migrations out."""

from pathlib import Path

import click

from digitizer.cli.base import Session, Verb, json_option, note, pass_session, print_json
from digitizer.errors import UsageError
from digitizer.rehearsal.old import make_archive

__all__ = ["COMMANDS"]


@click.command(name="rehearse-archive", cls=Verb)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--studies", type=click.IntRange(1, 100_000), default=2000, help="Number of studies.")
@click.option("--seed", type=int, required=True, help="The same seed makes the same archive.")
@json_option
@pass_session
def rehearse_archive(session: Session, out: Path, studies: int, seed: int, as_json: bool) -> int:
    """Make an old archive with known truth: files of a PACS, discs, an image of one, a folder."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            f"{out} is not empty.", remedy="Give a new folder: nothing is overwritten."
        )
    made = make_archive(out, studies=studies, seed=seed)
    note(f"{len(made.studies)} studies, {len(made.files)} files: {out}")
    if as_json:
        print_json({"out": str(out), "truth": str(out / "truth.json")})
    return 0


COMMANDS: tuple[click.Command, ...] = (rehearse_archive,)
