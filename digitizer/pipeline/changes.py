"""Small changes of records that every stage makes the same way."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from digitizer.model.older import OldStudy
from digitizer.model.reasons import Reason
from digitizer.model.records import Event, Scan, Sheet
from digitizer.model.states import HOLDS, State

__all__ = ["event", "held", "moved", "reached", "reason_payload"]

T = TypeVar("T", Scan, Sheet, OldStudy)


def event(subject: str, name: str, actor: str = "system", **payload: Any) -> Event:
    """Make an event; its time, sequence and hash are set by the ledger."""
    return Event(subject=subject, name=name, actor=actor, payload=payload)


def reason_payload(reasons: Iterable[Reason]) -> list[dict[str, str]]:
    """Return reasons as the events and the JSON of the contract write them."""
    return [{"code": one.code.value, "text": one.text} for one in reasons]


def moved(record: T, state: State, now: datetime, **more: Any) -> T:
    """Return the record in a state on the way, no longer held for anything."""
    values: Mapping[str, Any] = {"resume": None, "reasons": (), **more}
    return replace(record, state=state, changed_at=now, **values)


def reached(record: Scan | Sheet | OldStudy) -> State | None:
    """Return where a record is on its way; of one in a hold, where it is to resume."""
    return record.resume if record.state in HOLDS else record.state


def held(record: T, state: State, reasons: tuple[Reason, ...], now: datetime, **more: Any) -> T:
    """Return the record in a hold that remembers where to resume."""
    since = record.changed_at if record.state is state else now
    return replace(
        record, state=state, resume=reached(record), reasons=reasons, changed_at=since, **more
    )
