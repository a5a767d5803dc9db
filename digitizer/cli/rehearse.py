"""The rehearsal film room and its score."""

import json
from pathlib import Path
from typing import Any

import click

from digitizer.cli.base import (
    Session,
    Verb,
    json_option,
    note,
    pass_session,
    print_json,
    progress_bars,
)
from digitizer.errors import UsageError
from digitizer.rehearsal import make_room, score

__all__ = ["COMMANDS"]


@click.command(cls=Verb)
@click.argument("out", type=click.Path(path_type=Path), required=False)
@click.argument("report", metavar="[BATCH.json]", type=click.Path(path_type=Path), required=False)
@click.option("--jackets", type=click.IntRange(1, 100_000), help="Number of jackets.")
@click.option("--seed", type=int, help="The same seed makes the same room.")
@click.option("--hazards", is_flag=True, help="Misfiles, duplicates, broken files and the like.")
@click.option("--wear", type=click.FloatRange(0, 1), default=0.5, help="0 like new, 1 terrible.")
@click.option("--dpi", type=click.IntRange(50, 600), default=150, help="Resolution of the scans.")
@click.option("--small", is_flag=True, help="Small sheets only, few in a jacket.")
@click.option("--score", "scored", type=click.Path(path_type=Path), metavar="TRUTH", help="Truth.")
@json_option
@pass_session
def rehearse(
    session: Session,
    out: Path | None,
    report: Path | None,
    jackets: int | None,
    seed: int | None,
    hazards: bool,
    wear: float,
    dpi: int,
    small: bool,
    scored: Path | None,
    as_json: bool,
) -> int:
    """Make a synthetic film room with known truth, or score a batch against one."""
    if scored is not None:
        if out is None or report is not None:
            raise UsageError("Scoring wants two files: --score TRUTH BATCH.json.")
        result = score(_document(scored), _document(out))
        if as_json:
            print_json(result.to_dict())
        else:
            print(result)
        return 0
    if out is None or report is not None or jackets is None or seed is None:
        raise UsageError("Give a folder and --jackets N --seed S.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            f"{out} is not empty.", remedy="Give a new folder: nothing is overwritten."
        )
    with progress_bars() as progress:
        bar = progress.add_task("drawing scans", total=None)
        room = make_room(
            out,
            jackets=jackets,
            seed=seed,
            hazards=hazards,
            wear=wear,
            dpi=dpi,
            small=small,
            on_scan=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    note(f"{room.scans} scans, {room.films} films in {room.jackets} jackets: {room.out}")
    if as_json:
        print_json({"out": str(out), "truth": str(out / "truth.json")})
    return 0


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"{path} cannot be read as JSON.", remedy=str(error)) from None
    if not isinstance(document, dict) or "scans" not in document:
        raise UsageError(f"{path} holds no scans.", remedy="Give a truth.json and a batch's JSON.")
    return document


COMMANDS: tuple[click.Command, ...] = (rehearse,)
