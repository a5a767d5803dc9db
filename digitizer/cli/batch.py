"""Commands for batches: ingest, watch, status, batch, retry, export, verify, replay."""

import csv
import io
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from digitizer import wiring
from digitizer.cli.base import (
    FINISHED_WITH_HOLDS,
    Root,
    Session,
    Verb,
    json_option,
    note,
    pass_session,
    print_json,
    progress_bars,
)
from digitizer.cli.words import batch_words, replay_words, status_words
from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.records import Batch
from digitizer.model.states import WAY, State
from digitizer.pipeline import ingest as intake
from digitizer.pipeline import report, review
from digitizer.pipeline.budget import standing
from digitizer.pipeline.deliver import read_again
from digitizer.pipeline.older.again import read_again as read_older_again
from digitizer.pipeline.older.reconcile import source_json
from digitizer.pipeline.older.sources import source_named
from digitizer.pipeline.orders import orders_in
from digitizer.pipeline.replay import replay as replay_batch
from digitizer.pipeline.rollers import worn_scanners
from digitizer.pipeline.services import Services
from digitizer.pipeline.spreadsheet import safe_cell
from digitizer.scan.walk import FoundFile, walk
from digitizer.service.lock import DataFolderLock
from digitizer.service.runtime import Runtime
from digitizer.service.watching import watch_batch

__all__ = ["BATCH_COMMANDS", "wait_for", "workplace"]

_HELD = frozenset({State.REVIEW.value, State.WAITING.value, State.QUARANTINED.value})


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
    return _code(document, wait=wait, expected=expected)


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
    root = str(path.resolve())
    if name is None:
        name = path.resolve().name or "batch"
        with services.ledger.reading() as view:
            there = view.batch_named(name)
        if there is not None and there.root != root:
            name = f"{name}-{intake.identifier(root)[:6]}"
    return intake.open_batch(services, name, root, box=box, expected=expected)


def _take_all(services: Services, batch: Batch, path: Path, box: str | None, scanner: str) -> None:
    """Claim every file in feeding order; close each jacket when the next one begins."""
    files: list[FoundFile] = list(walk(path))
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
    return FINISHED_WITH_HOLDS if films & _HELD or short or not document["settled"] else 0


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


@click.command(cls=Verb)
@json_option
@pass_session
def status(session: Session, as_json: bool) -> int:
    """Show where everything is."""
    with session.services.ledger.reading() as view:
        orders = orders_in(view)
        batches = [
            {
                "batch": batch.name,
                "closed": batch.closed,
                "mode": orders.mode(batch.id).value,
                **_counts(view.counts(batch.id)),
            }
            for batch in view.batches()
        ]
        urgent = [
            {"box": one.box, "jacket": one.name, "batch_id": one.batch_id}
            for one in view.urgent_jackets()
        ]
        may_start = view.may_start()
        tasks = view.tasks()
        total = _counts(view.counts())
        worn = [one for one in worn_scanners(view) if one.needs_cleaning]
        older = [source_json(view, source) for source in view.old_sources()]
    budget = standing(session.services)
    owner = DataFolderLock(session.settings.data_dir).owner()
    document = {
        "running": str(owner) if owner else None,
        "mode": orders.mode().value,
        "order": orders.json(),
        "urgent_jackets": urgent,
        "counts": total,
        "expected_wrong": budget["expected_wrong"],
        "budget": budget,
        "due": len(tasks),
        "may_start": may_start,
        "waiting": [
            {"stage": task.stage.value, "id": task.subject, "reason": task.reason.text}
            for task in tasks
            if task.reason is not None
        ][:100],
        "batches": batches,
        "older_archives": older,
        "clean_rollers": [{"scanner": one.scanner, "columns": one.columns} for one in worn],
    }
    if as_json:
        print_json(document)
    else:
        print(status_words(document))
    return 0


def _counts(counts: dict[str, dict[State, int]]) -> dict[str, dict[str, int]]:
    return {kind: {state.value: n for state, n in of.items()} for kind, of in counts.items()}


batch = Root(name="batch", help="List batches, or show one.")


@batch.command(name="list")
@json_option
@pass_session
def batch_list(session: Session, as_json: bool) -> int:
    """List all batches."""
    with session.services.ledger.reading() as view:
        orders = orders_in(view)
        rows: list[dict[str, Any]] = [
            {
                "batch": one.name,
                "mode": orders.mode(one.id).value,
                "root": one.root,
                "created_at": one.created_at.isoformat(),
                "closed": one.closed,
                "counts": _counts(view.counts(one.id)),
            }
            for one in view.batches()
        ]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            scans = sum(row["counts"]["scans"].values())
            mode = "" if row["mode"] == "running" else f", {row['mode']}"
            print(f"{row['batch']}: {scans} scans, {'closed' if row['closed'] else 'open'}{mode}")
    return 0


@batch.command(name="show")
@click.argument("name")
@json_option
@pass_session
def batch_show(session: Session, name: str, as_json: bool) -> int:
    """Show one batch."""
    document = _document(session, name)
    if as_json:
        print_json(document)
    else:
        print(batch_words(document))
    return 0


def _document(session: Session, name: str) -> dict[str, Any]:
    document = report.batch_json(session.services.ledger, name)
    if document is None:
        raise UnknownRecord(
            f"There is no batch {name}.", remedy="`digitizer batch list` shows the names."
        )
    return document


@click.command(cls=Verb)
@click.option("--state", type=click.Choice(sorted(_HELD)), help="Only what is held in this state.")
@click.option("--batch", "name", help="Only this batch.")
@click.argument("ids", nargs=-1)
@pass_session
def retry(session: Session, state: str | None, name: str | None, ids: tuple[str, ...]) -> int:
    """Go on with what is held: by id, by state, by batch, or all that waits or is quarantined."""
    services = session.services
    chosen = ids or tuple(_held_ids(services, state, name))
    started = review.retry(services, chosen)
    print(f"{started} of {len(chosen)} set going.")
    return 0


def _held_ids(services: Services, state: str | None, name: str | None) -> Iterator[str]:
    wanted = {state} if state else {State.WAITING.value, State.QUARANTINED.value}
    with services.ledger.reading() as view:
        if name is not None and view.batch_named(name) is None:
            raise UnknownRecord(f"There is no batch {name}.")
        batches = [one for one in view.batches() if name in (None, one.name)]
        for one in batches:
            for scan in view.scans(batch_id=one.id):
                if scan.state.value in wanted:
                    yield scan.id
            for sheet in view.sheets(batch_id=one.id):
                if sheet.state.value in wanted:
                    yield sheet.id


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
        checked, differing = read_older_again(services, source, share=sample, draw=draw)
    return _told(checked, differing, as_json=as_json)


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


@click.command(cls=Verb)
@click.argument("name", metavar="BATCH")
@click.option("--csv", "as_csv", is_flag=True, help="One row a film.")
@json_option
@pass_session
def export(session: Session, name: str, as_csv: bool, as_json: bool) -> int:
    """Write a batch out as CSV (the default) or JSON."""
    if as_csv and as_json:
        raise UsageError("Choose --csv or --json, not both.")
    document = _document(session, name)
    if as_json:
        print_json(document)
        return 0
    sys.stdout.write(_csv(document))
    return 0


_COLUMNS = [
    "batch",
    "box",
    "jacket",
    "source",
    "kind",
    "scan_state",
    "film",
    "page",
    "film_state",
    "reasons",
    "patient_id",
    "issuer",
    "accession_number",
    "decided_by",
    "posterior",
    "study_instance_uid",
    "sop_instance_uids",
]


def _csv(document: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for scan in document["scans"]:
        head = [document["batch"], scan["box"], scan["jacket"], scan["source"], scan["kind"]]
        for film in scan["films"] or [None]:
            told = film or scan
            row = [*head, scan["state"]]
            row += [film["id"], film["page"], film["state"]] if film else ["", "", ""]
            row.append(" ".join(one["code"] for one in told["reasons"]))
            row += [
                (film or {}).get(key)
                for key in (
                    "patient_id", "issuer", "accession_number", "decided_by", "posterior",
                    "study_instance_uid",
                )
            ]  # fmt: skip
            row.append(" ".join(told["sop_instance_uids"]))
            writer.writerow([safe_cell(cell) for cell in row])
    return out.getvalue()


BATCH_COMMANDS: tuple[click.Command, ...] = (
    ingest,
    watch,
    status,
    batch,
    retry,
    verify,
    replay,
    export,
)
