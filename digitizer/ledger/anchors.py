"""One hash a day over all events, chained from day to day: what a chain cannot tell of itself.

The chain of a subject shows a changed event and a gap, but not that its last events, or all of
them, were taken away. The anchor of the day does, once it is kept where nobody can change it.
"""

import hashlib
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, insert, select

from digitizer.errors import UsageError
from digitizer.ledger import tables

__all__ = ["make_anchor", "verify_anchor"]

_SETTLED = timedelta(hours=1)
"""A transaction that began before midnight has ended by then."""


def make_anchor(connection: Connection, day: date, now: datetime) -> str:
    """Return the anchor of a day, making it the first time.

    Raises
    ------
    UsageError
        The day has not been over for an hour.
    """
    table = tables.anchor
    kept = connection.execute(select(table.c.hash).where(table.c.day == day)).scalar_one_or_none()
    if kept is not None:
        return str(kept)
    if now < _midnight(day + timedelta(days=1)) + _SETTLED:
        raise UsageError(f"The day {day} is not over.", remedy="Anchor it tomorrow.")
    before = connection.execute(
        select(table.c.hash).where(table.c.day < day).order_by(table.c.day.desc()).limit(1)
    ).scalar_one_or_none()
    previous = before or ""
    count, value = _digest(connection, day, previous)
    connection.execute(insert(table).values(day=day, events=count, previous=previous, hash=value))
    return value


def verify_anchor(connection: Connection, day: date) -> bool:
    """Tell whether the events of a day still hash to its anchor; False without one."""
    table = tables.anchor
    kept = connection.execute(select(table).where(table.c.day == day)).one_or_none()
    return kept is not None and _digest(connection, day, kept.previous) == (kept.events, kept.hash)


def _digest(connection: Connection, day: date, previous: str) -> tuple[int, str]:
    row = tables.event
    digest, count = hashlib.sha256(f"{day}:{previous}\n".encode()), 0
    query = (
        select(row.c.subject, row.c.sequence, row.c.hash)
        .where(row.c.at >= day.isoformat(), row.c.at < (day + timedelta(days=1)).isoformat())
        .order_by(row.c.subject, row.c.sequence)
    )
    for one in connection.execute(query.execution_options(yield_per=10_000)):
        digest.update(f"{one.subject}:{one.sequence}:{one.hash}\n".encode())
        count += 1
    return count, digest.hexdigest()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
