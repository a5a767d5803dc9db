"""Commands that take films in: ingest and watch."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from digitizer import wiring
from digitizer.cli.base import (
    FINISHED_WITH_HOLDS,
    Session,
    Verb,
    json_option,
    note,
    pass_session,
    print_json,
    progress_bars,
)
from digitizer.cli.words import batch_words
from digitizer.errors import MissingService, UsageError
from digitizer.model.names import as_text
from digitizer.model.records import Batch
from digitizer.model.states import HOLDS, WAY, State
from digitizer.pipeline import ingest as intake
from digitizer.pipeline import report
from digitizer.pipeline.orders import orders_in
from digitizer.pipeline.services import Services
from digitizer.queue.broker import broker_trouble
from digitizer.scan.walk import FoundFile, walk
from digitizer.service.lock import DataFolderLock
from digitizer.service.runtime import Runtime
from digitizer.service.watching import watch_batch

__all__ = ["COMMANDS", "workplace"]

_NAMED = 5
"""Names to tell of what is not taken in."""


@click.command(cls=Verb)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--batch", "name", help="Name of the batch; the folder's name by default.")
@click.option("--box", help="Box the jackets belong to, where no folder names it.")
@click.option("--expected", type=click.IntRange(min=0), help="Number of scans expected.")
@click.option("--scanner", default="", help="Serial number of the digitizer the scans are from.")
@click.option("--wait", is_flag=True, help="Return when every scan is settled.")
@click.option(
    "--until",
    type=click.Choice([state.value for state in WAY]),
    default=State.VERIFIED.value,
    help="State that counts as settled.",
)
@click.option("--timeout", type=click.FloatRange(min=0), default=3600.0, help="Seconds to wait.")
@json_option
@pass_session
def ingest(
    session: Session,
    path: Path,
    name: str | None,
    box: str | None,
    expected: int | None,
    scanner: str,
    wait: bool,
    until: str,
    timeout: float,
    as_json: bool,
) -> int:
    """Take in a folder of scans (or one scan)."""
    if not path.exists():
        raise UsageError(f"There is no {path}.", remedy="Give a folder of scans, or one scan.")
    deadline = time.monotonic() + timeout
    with workplace(session, run=wait) as services:
        batch = _open(services, path, name, box, expected)
        _take_all(services, batch, path, box, scanner)
        intake.close_batch(services, batch.id)
        if wait:
            wait_for(services, batch.name, State(until), deadline)
        document = report.batch_json(services.ledger, batch.name, until=State(until))
    assert document is not None, "the batch was just opened"
    if as_json:
        print_json(document)
    else:
        print(batch_words(document))
    if not wait and DataFolderLock(session.settings.data_dir).owner() is None:
        note("Nothing works on it yet: `digitizer serve` does, or `ingest` with --wait.")
    code = _code(document, wait=wait, expected=expected)
    if wait and not document["settled"]:
        _check_broker(session)
    return code


def _check_broker(session: Session) -> None:
    """Raise MissingService where a broker that was set is why nothing goes on."""
    url = session.settings.broker_url
    why = broker_trouble(url) if url else ""
    if why:
        raise MissingService(
            f"The message broker does not answer ({why}).",
            remedy="Start it, or correct DIGITIZER_BROKER_URL; then run the same command again.",
        )


@contextmanager
def workplace(session: Session, *, run: bool) -> Iterator[Services]:
    """Yield services that lead somewhere: our own workers, or those of a running `serve`."""
    owner = DataFolderLock(session.settings.data_dir).owner()
    if run and owner is None:
        settings = session.settings
        settings = replace(settings, pipeline=replace(settings.pipeline, undo_window_s=0.0))
        with Runtime(settings, session.config) as runtime:
            yield runtime.services
        return
    if run and owner is not None:
        note(f"Joining {owner}, which already works on this data folder.")
    yield session.services


def _open(
    services: Services, path: Path, name: str | None, box: str | None, expected: int | None
) -> Batch:
    root = as_text(str(path.resolve()))
    if name is None:
        name = as_text(path.resolve().name) or "batch"
        with services.ledger.reading() as view:
            there = view.batch_named(name)
        if there is not None and there.root != root:
            name = f"{name}-{intake.identifier(root)[:6]}"
    return intake.open_batch(services, name, root, box=box, expected=expected)


def _words_of_left(left: Sequence[Path]) -> str:
    """Say what of a folder is not taken in."""
    names = ", ".join(as_text(one.name) for one in left[:_NAMED])
    more = ", ..." if len(left) > _NAMED else ""
    which = "1 name is" if len(left) == 1 else f"{len(left)} names are"
    return f"{which} hidden, unfinished or a link, and not taken in: {names}{more}."


def _take_all(services: Services, batch: Batch, path: Path, box: str | None, scanner: str) -> None:
    """Claim every file in feeding order; close each jacket when the next one begins."""
    left: list[Path] = []
    files: list[FoundFile] = list(walk(path, tell=left.append))
    if left:
        note(_words_of_left(left))
    previous: str | None = None
    with progress_bars() as progress:
        bar = progress.add_task("taking in", total=len(files))
        for found in files:
            arrival = intake.Arrival(
                path=found.path,
                source=found.source,
                box=found.box or box,
                jacket=found.jacket,
                scanner=scanner,
            )
            scan = intake.take(services, batch, arrival)
            if previous is not None and scan.jacket_id != previous:
                intake.close_jacket(services, previous)
            previous = scan.jacket_id
            progress.advance(bar)


def wait_for(services: Services, name: str, until: State, deadline: float) -> None:
    """Wait until every scan of a batch is settled, or nothing more can happen in time."""
    told = ""
    with progress_bars() as progress:
        bar = progress.add_task(until.value, total=None)
        while True:
            with services.ledger.reading() as view:
                batch = view.batch_named(name)
                assert batch is not None, "the batch was just opened"
                counts = view.counts(batch.id)["scans"]
                ordered = orders_in(view).words(batch.id)
                waits = {
                    state: n for state, n in counts.items() if not report.settled([state], until)
                }
                total = sum(counts.values())
                progress.update(bar, total=total, completed=total - sum(waits.values()))
                if not waits or time.monotonic() >= deadline:
                    return
                hopeless = set(waits) == {State.WAITING} and not _try_left(
                    services, view.tasks(), deadline
                )
            if hopeless:
                return
            if ordered != told:
                note(f"{ordered}." if ordered else "The work goes on.")
                told = ordered
            time.sleep(0.25)


def _try_left(services: Services, tasks: tuple[Any, ...], deadline: float) -> bool:
    left = deadline - time.monotonic()
    now = services.clock.now()
    return any(
        task.lease_until is not None or (task.due_at - now).total_seconds() < left for task in tasks
    )


def _code(document: dict[str, Any], *, wait: bool, expected: int | None) -> int:
    if not wait:
        return 0
    films = {state for kind in document["counts"].values() for state in kind}
    short = expected is not None and expected != len(document["scans"])
    if short:
        note(f"Expected {expected} scans, took in {len(document['scans'])}.")
    return (
        FINISHED_WITH_HOLDS
        if films & {state.value for state in HOLDS} or short or not document["settled"]
        else 0
    )


@click.command(cls=Verb)
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--once", is_flag=True, help="Take what is complete now, then return.")
@pass_session
def watch(session: Session, folder: Path | None, once: bool) -> int:
    """Watch a folder and take in scans as they become complete."""
    settings = session.settings.watch
    if folder is not None:
        settings = replace(settings, folder=folder)
    if settings.folder is None:
        raise UsageError("No folder to watch.", remedy="Name it, or set DIGITIZER_WATCH__FOLDER.")
    watcher = watch_batch(session.services, settings, wiring.decoder(session.settings))
    if once:
        watcher.once()
        waits = watcher.waiting()
        for one in waits:
            note(f"waiting: {one.source}: {one.reason}")
        return FINISHED_WITH_HOLDS if waits else 0
    watcher.run()
    return 0


COMMANDS: tuple[click.Command, ...] = (ingest, watch)
