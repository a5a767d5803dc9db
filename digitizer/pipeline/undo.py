"""Taking a decision of one's own back, as long as nothing was made of it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from digitizer.errors import UsageError
from digitizer.model.reading import FieldName
from digitizer.model.reasons import Code, Reason
from digitizer.model.records import Event, Scan, Sheet, Stage
from digitizer.model.states import State
from digitizer.pipeline.amend import correct, mark_misfiled, unmark_misfiled
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.parting import join_again
from digitizer.pipeline.review import release, sheet_or_scan
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["take_back"]

T = TypeVar("T", Scan, Sheet)

_PUT_RIGHT = frozenset(
    {
        "marked_misfiled",
        "unmarked_misfiled",
        "field_corrected",
        "jacket_split",
        "jacket_joined",
    }
)


def take_back(services: Services, id: str, *, user: str) -> Sheet | Scan:
    """Bring a film or scan back to review with the reasons it had there.

    What can be taken back: an acceptance until the film is wrapped, a rejection, a hold, and what
    was put right last on a film in review (a field, its jacket); each only by the person whose it
    is.

    Raises
    ------
    UsageError
        It is wrapped already, or was not decided by this person.
    """
    with services.ledger.transaction() as tx:
        record = sheet_or_scan(tx, id)
        events = tx.events(id)
        if record.state is State.APPROVED and isinstance(record, Sheet):
            return _approval(services, tx, record, events, user)
        if record.state is State.REJECTED and isinstance(record, Sheet):
            return _rejection(services, tx, record, events, user)
        if record.state is State.REJECTED and isinstance(record, Scan):
            return _rejection(services, tx, record, events, user)
    if any(one.code is Code.ON_HOLD for one in record.reasons):
        if _who(events, "put_on_hold") != user:
            raise UsageError("Somebody else put this on hold.", remedy="Ask them to release it.")
        return release(services, id, user=user)
    if record.state is State.REVIEW:
        put_right = _put_right(services, id, events, user)
        if put_right is not None:
            return put_right
    raise UsageError(
        "This cannot be taken back any more.",
        remedy="Once a film is wrapped, only a correction changes whose it is.",
    )


def _put_right(
    services: Services, id: str, events: tuple[Event, ...], user: str
) -> Sheet | Scan | None:
    """Take back what a person put right last on a sheet in review; None where that is nothing."""
    last = next((one for one in reversed(events) if one.name in _PUT_RIGHT), None)
    if last is None or last.actor != user or last.name == "jacket_joined":
        return None
    if last.name == "marked_misfiled":
        return unmark_misfiled(services, id, user=user)
    if last.name == "unmarked_misfiled":
        return mark_misfiled(services, id, user=user)
    if last.name == "field_corrected":
        before = {FieldName(name): value for name, value in last.payload["before"].items()}
        return correct(services, id, user=user, values=before)
    join_again(services, id, user=user)
    with services.ledger.reading() as view:
        return sheet_or_scan(view, id)


def _approval(
    services: Services, tx: Transaction, sheet: Sheet, events: tuple[Event, ...], user: str
) -> Sheet:
    if sheet.decision is None or sheet.decision.decided_by != user:
        raise UsageError("Somebody else decided this.", remedy="Ask them to take it back.")
    reasons = _reasons(events, "held_for")
    settled = {one.code.value for one in reasons}
    tx.unschedule(Stage.WRAP, sheet.id)
    asked = held(
        sheet,
        State.REVIEW,
        reasons,
        services.clock.now(),
        decision=None,
        assigned_to=None,
        confirmed=tuple(code for code in sheet.confirmed if code not in settled),
    )
    # It goes on from where it was read: without a decision there is nothing to wrap.
    asked = replace(asked, resume=State.READ)
    return tx.save(asked, _told(asked, user))


def _rejection(
    services: Services,
    tx: Transaction,
    record: T,
    events: tuple[Event, ...],
    user: str,
) -> T:
    if _who(events, "rejected") != user:
        raise UsageError("Somebody else rejected this.", remedy="Ask them to take it back.")
    now = services.clock.now()
    reasons = _reasons(events, "reasons")
    read = tx.save(moved(record, State.READ, now), event(record.id, "reopened", user))
    asked = held(read, State.REVIEW, reasons, now)
    return tx.save(asked, _told(asked, user))


def _who(events: tuple[Event, ...], name: str) -> str | None:
    """Return who did something last, whatever was looked at since."""
    return next((one.actor for one in reversed(events) if one.name == name), None)


def _told(record: Sheet | Scan, user: str) -> Event:
    return event(record.id, "taken_back", user, reasons=reason_payload(record.reasons))


def _reasons(events: Iterable[Event], key: str) -> tuple[Reason, ...]:
    """Return the reasons it was held for, as they were last told before the person decided."""
    known = {code.value: code for code in Code}
    for one in reversed(tuple(events)):
        told = [
            Reason(known[row["code"]], row["text"])
            for row in one.payload.get(key, ())
            if row["code"] in known
        ]
        if told:
            return tuple(told)
    return (Reason(Code.BELOW_THRESHOLD, "It was decided by a person and taken back."),)
