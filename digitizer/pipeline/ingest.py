"""Taking scans in: the one claim in which every source ends.

The bytes go to the vault first (fsync, rename), then the row is inserted: an interrupted ingest
leaves at most a blob that nobody names. The source file is never changed, moved or deleted here.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from digitizer.errors import BadWorld
from digitizer.model.film import ScanKind
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Batch, Jacket, JacketState, Scan, Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["Arrival", "close_batch", "close_jacket", "open_batch", "open_batch_of_the_day", "take"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One file that waits to be taken in.

    Attributes
    ----------
    source : str
        Path relative to the delivery, with "/".
    jacket : str or None
        Name of the directory that holds it; None in a flat folder, where labels and separators
        begin new jackets.
    scanner : str
        Serial number of the digitizer, where told.
    """

    path: Path
    source: str
    box: str | None
    jacket: str | None
    scanner: str = ""


def identifier(*parts: str) -> str:
    """Return a short id that is the same for the same parts, so that a repeated take is no new one.

    80 bits: among a billion scans a collision has a chance below 1e-6.
    """
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:20]


def open_batch(
    services: Services, name: str, root: str, *, box: str | None = None, expected: int | None = None
) -> Batch:
    """Open a batch, or go on with the one of that name."""
    with services.ledger.transaction() as tx:
        batch = tx.batch_named(name)
        if batch is not None:
            changed = replace(batch, closed=False, expected=expected or batch.expected)
            return tx.save(changed, event(batch.id, "batch_resumed")) if batch.closed else batch
        batch = Batch(
            id=identifier("batch", name),
            name=name,
            root=root,
            created_at=services.clock.now(),
            box=box,
            expected=expected,
        )
        tx.add(batch, event(batch.id, "batch_opened", batch=name, expected=expected))
        return batch


def open_batch_of_the_day(services: Services, way: str, root: str) -> Batch:
    """Open, or go on with, today's batch of what comes in by itself that way.

    The day is the site's own: by UTC a batch would end in mid-shift west of the Atlantic.
    """
    today = services.clock.now().astimezone().date()
    return open_batch(services, f"{way}-{today.isoformat()}", root)


def take(services: Services, batch: Batch, arrival: Arrival) -> Scan:
    """Claim one file: hash it into the vault, then insert its row and make its first stage due.

    Taking the same file of the same batch again returns the scan that is already there.

    Raises
    ------
    DiskFull
        The vault or the ledger has no room; nothing was claimed.
    """
    sha256, size, unreadable = _keep(services, arrival.path)
    with services.ledger.transaction() as tx:
        source = arrival.source
        there = tx.scan_of_source(batch.id, source)
        if there is not None and there.sha256 == sha256:
            return there
        if there is not None:
            # Another file under an old name is another scan: nothing is ever overwritten.
            source = f"{source}#{(sha256 or 'unreadable')[:12]}"
            again = tx.scan_of_source(batch.id, source)
            if again is not None:
                return again
        jacket = _jacket(services, tx, batch, arrival)
        scan = _row(services, tx, batch, jacket, replace(arrival, source=source), sha256, size)
        if unreadable:
            scan = replace(
                scan,
                state=State.QUARANTINED,
                kind=ScanKind.UNREADABLE,
                reasons=(reason(Code.EMPTY_FILE if size == 0 else Code.CORRUPT_FILE, unreadable),),
            )
        tx.add(scan, event(scan.id, "received", sha256=sha256, size=size, source=scan.source))
        if scan.duplicate_of is not None:
            tx.record(event(scan.duplicate_of, "duplicate_seen", scan=scan.id))
        if scan.state is State.RECEIVED:
            tx.schedule(Stage.PREPARE, scan.id)
    if scan.state is State.RECEIVED:
        services.waker.wake([(Stage.PREPARE, scan.id)])
    return scan


def _keep(services: Services, path: Path) -> tuple[str | None, int, str]:
    """Put the file into the vault; return sha256, size and why it could not be read, if so."""
    try:
        with path.open("rb") as stream:
            if path.stat().st_size == 0:
                return None, 0, "The file is empty."
            sha256, size = services.vault.put(stream)
    except BadWorld:
        raise
    except OSError as error:
        return None, -1, f"The file could not be read: {error.strerror or error}."
    return sha256, size, ""


def _row(
    services: Services,
    tx: Transaction,
    batch: Batch,
    jacket: Jacket,
    arrival: Arrival,
    sha256: str | None,
    size: int,
) -> Scan:
    now = services.clock.now()
    first = tx.first_scan_of_hash(sha256) if sha256 else None
    duplicate = first is not None
    return Scan(
        id=identifier("scan", batch.id, arrival.source),
        batch_id=batch.id,
        jacket_id=jacket.id,
        source=arrival.source,
        position=tx.next_position(Scan, batch.id),
        sha256=sha256,
        size=max(size, 0),
        suffix=arrival.path.suffix.lower(),
        received_at=now,
        changed_at=now,
        state=State.DUPLICATE if duplicate else State.RECEIVED,
        reasons=(reason(Code.DUPLICATE),) if duplicate else (),
        duplicate_of=first.id if first else None,
        kind=first.kind if first else None,
        scanner=arrival.scanner,
    )


def _jacket(services: Services, tx: Transaction, batch: Batch, arrival: Arrival) -> Jacket:
    now = services.clock.now()
    name = arrival.jacket or ""
    for jacket in tx.jackets_named(name, arrival.box):
        if jacket.batch_id == batch.id and jacket.box == arrival.box:
            # A late scan reopens its jacket; what is decided stays decided.
            reopened = replace(jacket, last_scan_at=now, state=JacketState.OPEN)
            return tx.save(reopened, event(jacket.id, "scan_arrived", source=arrival.source))
    jacket = Jacket(
        id=identifier("jacket", batch.id, arrival.box or "", name),
        batch_id=batch.id,
        name=name,
        box=arrival.box,
        position=tx.next_position(Jacket, batch.id),
        last_scan_at=now,
    )
    tx.add(jacket, event(jacket.id, "jacket_opened", jacket=name, box=arrival.box))
    return jacket


def close_jacket(services: Services, jacket_id: str) -> None:
    """Close a jacket: its films are decided once all of them are read."""
    with services.ledger.transaction() as tx:
        jacket = tx.get(Jacket, jacket_id)
        if jacket.state is JacketState.OPEN:
            closed = replace(jacket, state=JacketState.CLOSED)
            tx.save(closed, event(jacket.id, "jacket_closed"))
        tx.schedule(Stage.DECIDE, jacket.id)
    services.waker.wake([(Stage.DECIDE, jacket_id)])


def close_batch(
    services: Services, batch_id: str, *, between: Callable[[], None] = lambda: None
) -> None:
    """Close a batch and with it every jacket that is still open."""
    with services.ledger.transaction() as tx:
        batch = tx.get(Batch, batch_id)
        if not batch.closed:
            tx.save(replace(batch, closed=True), event(batch.id, "batch_closed"))
        jackets = tx.jackets(batch_id)
    for jacket in jackets:
        if jacket.state is JacketState.OPEN:
            close_jacket(services, jacket.id)
            between()
