"""The chain of events: each hash covers the event and the hash of the one before it."""

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, insert, select, text

from digitizer.ledger import tables
from digitizer.model.records import Event

__all__ = ["append", "chained", "events_of", "intact"]

_EVENT = tables.event
# Built once: building a statement costs more than running it, and every change appends an event.
_LAST = (
    select(_EVENT.c.sequence, _EVENT.c.hash)
    .where(_EVENT.c.subject == bindparam("subject"))
    .order_by(_EVENT.c.sequence.desc())
    .limit(1)
)
_APPEND = insert(_EVENT)


def chained(
    previous: str, subject: str, sequence: int, at: str, name: str, actor: str, payload: str
) -> str:
    """Return the hash of an event: sha256 of the canonical JSON of all it says, in this order."""
    content = json.dumps([previous, subject, sequence, at, name, actor, payload])
    return hashlib.sha256(content.encode()).hexdigest()


def append(connection: Connection, event: Event, at: datetime) -> None:
    """Append an event to its subject's chain.

    Parameters
    ----------
    connection : Connection
        In a write transaction.
    event : Event
    at : datetime
        Aware; kept in UTC.
    """
    if connection.dialect.name == "postgresql":
        # Who appends to the same chain waits, instead of both failing on one sequence number.
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))"),
            {"subject": event.subject},
        )
    last = connection.execute(_LAST, {"subject": event.subject}).one_or_none()
    sequence, previous = (last.sequence + 1, last.hash) if last else (0, "")
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    payload = json.dumps(event.payload, sort_keys=True, default=str)
    words = (event.subject, sequence, moment, event.name, event.actor, payload)
    connection.execute(
        _APPEND,
        {
            "subject": event.subject,
            "sequence": sequence,
            "at": moment,
            "name": event.name,
            "actor": event.actor,
            "payload": payload,
            "hash": chained(previous, *words),
        },
    )


def events_of(connection: Connection, subject: str) -> tuple[Event, ...]:
    """Return the events of a subject in order."""
    query = select(_EVENT).where(_EVENT.c.subject == subject).order_by(_EVENT.c.sequence)
    return tuple(
        Event(
            subject=row.subject,
            name=row.name,
            actor=row.actor,
            payload=json.loads(row.payload),
            at=datetime.fromisoformat(row.at),
            sequence=row.sequence,
            hash=row.hash,
        )
        for row in connection.execute(query)
    )


def intact(connection: Connection, subject: str) -> bool:
    """Tell whether every event of a subject hashes to what was written, and none is missing."""
    query = select(_EVENT).where(_EVENT.c.subject == subject).order_by(_EVENT.c.sequence)
    previous = ""
    for number, row in enumerate(connection.execute(query)):
        words = (row.subject, number, row.at, row.name, row.actor, row.payload)
        if row.sequence != number or row.hash != chained(previous, *words):
            return False
        previous = row.hash
    return True
