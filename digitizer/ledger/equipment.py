"""What archives were asked and what was read back from them, and how much scanners brought."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from digitizer.ledger import tables
from digitizer.ledger.codec import decode
from digitizer.model.overview import ArchiveTally, ScannerTally
from digitizer.model.records import Commitment, CommitmentState, Verification

__all__ = ["archive_tallies", "scanner_tallies"]

_WORDS = {
    CommitmentState.PENDING: "pending",
    CommitmentState.SUCCESS: "promised",
    CommitmentState.FAILED: "refused",
    CommitmentState.LATE: "late",
}


def archive_tallies(connection: Connection) -> tuple[ArchiveTally, ...]:
    """Count commitments and read-backs by archive, in the order of their names."""
    found: dict[str, ArchiveTally] = {}
    asked = tables.commitment
    query = select(asked.c.archive, asked.c.state, func.count(), func.min(asked.c.serial))
    for archive, state, count, first in _rows(connection, query, asked.c.archive, asked.c.state):
        tally = found.setdefault(archive, ArchiveTally(archive=archive))
        values: dict[str, Any] = {_WORDS[CommitmentState(state)]: count}
        if state == CommitmentState.PENDING.value:
            body = select(asked.c.body).where(asked.c.serial == first)
            oldest = decode(Commitment, connection.execute(body).scalars().first() or "")
            values["oldest_pending"] = oldest.requested_at
        found[archive] = replace(tally, **values)
    looked = tables.verification
    query = select(looked.c.archive, looked.c.agrees, func.count(), func.max(looked.c.serial))
    for archive, agrees, count, last in _rows(connection, query, looked.c.archive, looked.c.agrees):
        tally = found.setdefault(archive, ArchiveTally(archive=archive))
        body = select(looked.c.body).where(looked.c.serial == last)
        at = decode(Verification, connection.execute(body).scalars().first() or "").at
        before = tally.last_read_back
        found[archive] = replace(
            tally,
            **{"agreed" if agrees else "differed": count},
            last_read_back=at if before is None else max(at, before),
        )
    return tuple(found[name] for name in sorted(found))


def _rows(connection: Connection, query: Any, *groups: Any) -> list[Any]:
    return list(connection.execute(query.group_by(*groups)))


def scanner_tallies(connection: Connection, since: datetime) -> tuple[ScannerTally, ...]:
    """Count the scans of each scanner since then.

    Scans are numbered as they come: the first one since then is looked up by its event, the rest
    are counted by their numbers.
    """
    event, scan = tables.event.c, tables.scan
    at = since.astimezone(UTC).isoformat(timespec="microseconds")
    first = connection.execute(
        select(scan.c.serial)
        .join(tables.event, event.subject == scan.c.id)
        .where(event.name == "received", event.at >= at)
        .order_by(event.at)
        .limit(1)
    ).scalar_one_or_none()
    if first is None:
        return ()
    query = select(scan.c.scanner, func.count()).where(scan.c.serial >= first)
    rows = connection.execute(query.group_by(scan.c.scanner).order_by(scan.c.scanner))
    return tuple(ScannerTally(scanner=name, scans=int(count)) for name, count in rows)
