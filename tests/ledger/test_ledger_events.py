"""Events and anchors: what was written can be shown to be what was written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hand_clock import HandClock
from ledger_records import execute_plainly, happened
from sqlalchemy.exc import DBAPIError

from digitizer.errors import UsageError
from digitizer.ledger import SqlLedger
from digitizer.model.records import Event

DAY = 86_400


def tell(ledger: SqlLedger, *subjects: str) -> None:
    for subject in subjects:
        with ledger.transaction() as tx:
            tx.record(happened(subject, "looked", reason="check"))


def test_an_event_tells_when_and_by_whom(ledger: SqlLedger, clock: HandClock) -> None:
    """The time is the clock's unless the event has one of its own; it is kept in UTC."""
    paris = datetime(2029, 5, 6, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    with ledger.transaction() as tx:
        tx.record(Event(subject="f", name="looked", actor="mary", payload={"b": [1], "a": None}))
        tx.record(Event(subject="f", name="scanned", actor="system", at=paris))
    with ledger.reading() as view:
        first, second = view.events("f")
    assert (first.at, first.actor, first.payload) == (clock.at, "mary", {"b": [1], "a": None})
    assert second.at == paris
    assert second.at.tzinfo is UTC
    assert (first.sequence, second.sequence) == (0, 1)
    assert first.hash != second.hash


def test_chains_of_subjects_are_apart(ledger: SqlLedger) -> None:
    """Each subject counts from 0; a subject nobody spoke of has an empty, valid chain."""
    tell(ledger, "a", "b", "a")
    with ledger.reading() as view:
        assert [one.sequence for one in view.events("a")] == [0, 1]
        assert [one.sequence for one in view.events("b")] == [0]
    assert ledger.verify_chain("nobody")
    assert ledger.subjects() == ("a", "b")
    assert ledger.subjects("a") == ("b",)


def test_an_anchor_is_made_of_a_day_that_is_over(ledger: SqlLedger, clock: HandClock) -> None:
    """Not before, because events may still come."""
    tell(ledger, "a")
    with pytest.raises(UsageError):
        ledger.anchor(clock.at.date())
    clock.forward(DAY)
    assert len(ledger.anchor(clock.at.date() - timedelta(days=1))) == 64


def test_an_anchor_shows_what_a_chain_cannot(
    ledger: SqlLedger, clock: HandClock, database: str
) -> None:
    """The last event of a chain taken away leaves a valid chain, but not a valid anchor."""
    day = clock.at.date()
    tell(ledger, "a", "a", "b")
    clock.forward(DAY)
    ledger.anchor(day)
    assert ledger.verify_anchor(day)
    drop = "DROP TRIGGER event_no_delete"
    if database.startswith("postgresql"):
        drop = "DROP TRIGGER event_no_change ON event"
    execute_plainly(database, drop, "DELETE FROM event WHERE subject = 'a' AND sequence = 1")
    assert ledger.verify_chain("a")
    assert not ledger.verify_anchor(day)


def test_anchors_are_kept_and_chained(ledger: SqlLedger, clock: HandClock) -> None:
    """Asked again an anchor is the same; the same events on another day have another."""
    days = []
    for _ in range(2):
        days.append(clock.at.date())
        tell(ledger, "a")
        clock.forward(DAY)
    first = ledger.anchor(days[0])
    second = ledger.anchor(days[1])
    assert first != second
    assert (ledger.anchor(days[0]), ledger.anchor(days[1])) == (first, second)
    assert all(ledger.verify_anchor(day) for day in days)
    assert not ledger.verify_anchor(clock.at.date())


@pytest.mark.parametrize("statement", ["UPDATE anchor SET hash = ''", "DELETE FROM anchor"])
def test_the_database_refuses_to_change_anchors(
    ledger: SqlLedger, clock: HandClock, database: str, statement: str
) -> None:
    """An anchor that could be made anew would prove nothing."""
    day = clock.at.date()
    clock.forward(DAY)
    ledger.anchor(day)
    with pytest.raises(DBAPIError, match="never changed or deleted"):
        execute_plainly(database, statement)
