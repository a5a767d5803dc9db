"""Commands that look again at what was done: verify and replay."""

import shlex
from collections.abc import Mapping, Sequence

import click

from digitizer.cli.base import Session, Verb, json_option, pass_session, print_json, progress_bars
from digitizer.cli.ingest import workplace
from digitizer.cli.words import replay_words
from digitizer.errors import UnknownRecord, UsageError
from digitizer.pipeline.deliver import read_again
from digitizer.pipeline.older.again import ReadAgain
from digitizer.pipeline.older.again import read_again as read_older_again
from digitizer.pipeline.older.sources import source_named
from digitizer.pipeline.replay import replay as replay_batch

__all__ = ["COMMANDS"]


@click.command(cls=Verb)
@click.option("--batch", "name", help="Only this batch.")
@click.option("--source", help="An older archive instead of films.")
@click.option("--sample", type=click.FloatRange(0, 1), default=1.0, help="Share of its studies.")
@json_option
@pass_session
def verify(
    session: Session, name: str | None, source: str | None, sample: float, as_json: bool
) -> int:
    """Read what is verified back from the archive once more and compare."""
    if source is not None:
        if name is not None:
            raise UsageError("Name a batch or an older archive, not both.")
        return _verify_older(session, source, sample, as_json=as_json)
    with session.services.ledger.reading() as view:
        batch = view.batch_named(name) if name else None
    if name and batch is None:
        raise UnknownRecord(
            f"There is no batch {name}.", remedy="`digitizer batch list` shows the names."
        )
    with workplace(session, run=True) as services:
        found = read_again(services, batch.id if batch else None)
    return _told(len(found), {sop: what for sop, what in found.items() if what}, as_json=as_json)


def _verify_older(session: Session, name: str, sample: float, *, as_json: bool) -> int:
    source = source_named(session.services, name)
    with workplace(session, run=True) as services:
        draw = services.clock.now().isoformat()
        found = read_older_again(services, source, share=sample, draw=draw)
    if as_json:
        print_json(
            {
                "studies": found.studies,
                "of_studies": found.of_studies,
                "checked": found.checked,
                "differing": {uid: list(what) for uid, what in found.differing.items()},
                "not_compared": {uid: list(what) for uid, what in found.unseen.items()},
            }
        )
    else:
        print(_again_words(found, name))
    return 1 if found.differing else 0


def _again_words(found: ReadAgain, name: str) -> str:
    if not found.of_studies:
        return "Nothing of it is verified yet."
    lines = [
        f"{found.studies} of {found.of_studies} verified studies "
        f"({found.studies / found.of_studies:.1%}): {found.checked} instances read back, "
        f"{len(found.differing)} differ."
    ]
    lines += [f"  {uid}: {', '.join(what)}" for uid, what in found.differing.items()]
    if found.unseen:
        lines.append(f"{len(found.unseen)} could not be compared in full:")
        lines += [f"  {uid}: {'; '.join(what)}" for uid, what in found.unseen.items()]
    if found.differing:
        lines.append(
            "Their studies are verified no more and wait in review. When the archive is put right, "
            f"`digitizer migrate retry {shlex.quote(name)} --reason read_back_differs --as USER` "
            "compares them again."
        )
    return "\n".join(lines)


def _told(checked: int, differing: Mapping[str, Sequence[str]], *, as_json: bool) -> int:
    if as_json:
        print_json(
            {"checked": checked, "differing": {sop: list(what) for sop, what in differing.items()}}
        )
    else:
        print(f"{checked} read back, {len(differing)} differ.")
        for sop, what in differing.items():
            print(f"  {sop}: {', '.join(what)}")
    return 1 if differing else 0


@click.command(cls=Verb)
@click.option("--batch", "name", required=True, help="The batch to decide again.")
@click.option("--kept-readings", is_flag=True, help="Do not read the crops again.")
@json_option
@pass_session
def replay(session: Session, name: str, kept_readings: bool, as_json: bool) -> int:
    """Show what today's code, index and rules would decide otherwise; changes nothing."""
    with progress_bars() as progress:
        bar = progress.add_task("reading again", total=None)
        document = replay_batch(
            session.services,
            name,
            read=not kept_readings,
            on_sheet=lambda done, of: progress.update(bar, completed=done, total=of),
        )
    if as_json:
        print_json(document)
    else:
        print(replay_words(document))
    return 0


COMMANDS: tuple[click.Command, ...] = (verify, replay)
