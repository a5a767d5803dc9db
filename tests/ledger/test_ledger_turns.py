"""Pauses, draining and urgent jackets, as leases are given by them, on both databases."""

from dataclasses import replace

import pytest
from hand_clock import HandClock
from ledger_records import NOON, batch, happened, jacket, scan, sheet

from digitizer.ledger import SqlLedger
from digitizer.model.records import EVERYTHING, Stage, WorkMode, WorkOrder
from digitizer.model.states import State

POOL = (Stage.PREPARE, Stage.READ, Stage.DECIDE, Stage.WRAP)


@pytest.fixture
def room(filled: SqlLedger) -> SqlLedger:
    """Two batches: in the first a jacket that was begun and one that was not."""
    records = (
        batch("b2", "tuesday"),
        jacket("j2", "J-2", position=1),
        jacket("j3", "J-3", batch_id="b2"),
        scan("s2", state=State.READ, position=1),
        scan("s3", jacket_id="j2", position=2),
        scan("s4", batch_id="b2", jacket_id="j3"),
        sheet("h2", scan_id="s2"),
    )
    with filled.transaction() as tx:
        for record in records:
            tx.add(record, happened(record.id, "added"))
        for stage, subject in (
            (Stage.PREPARE, "s1"),
            (Stage.WRAP, "h2"),
            (Stage.PREPARE, "s3"),
            (Stage.PREPARE, "s4"),
            (Stage.DECIDE, "j3"),
        ):
            tx.schedule(stage, subject)
    return filled


def order(ledger: SqlLedger, id: str, mode: WorkMode) -> None:
    with ledger.transaction() as tx:
        there = next((one for one in tx.orders() if one.id == id), None)
        if there is None:
            made = WorkOrder(id=id, mode=mode, by="lea", at=NOON)
            tx.add(made, happened(id, "ordered"))
        else:
            tx.save(replace(there, mode=mode), happened(id, "ordered"))


def due(ledger: SqlLedger, clock: HandClock) -> set[str]:
    return {task.subject for task in ledger.due(clock.now())}


def test_a_paused_batch_is_not_begun(room: SqlLedger, database: str, clock: HandClock) -> None:
    """Neither a named lease nor a turn nor the reaper begins it, in this process or the next."""
    order(room, "b1", WorkMode.PAUSED)
    again = SqlLedger(database, clock, reserve=0)
    for ledger in (room, again):
        assert due(ledger, clock) == {"s4", "j3"}
        assert ledger.lease(Stage.WRAP, "h2", "me", 30) is None
        assert ledger.lease_in_turn(Stage.WRAP, "h2", POOL, "me", 30) is None
    with again.reading() as view:
        assert view.may_start() == 2
        assert view.may_start(batch_id="b1") == 0
    order(again, "b1", WorkMode.RUNNING)
    again.close()
    assert due(room, clock) == {"s1", "h2", "s3", "s4", "j3"}
    assert room.lease(Stage.WRAP, "h2", "me", 30) is not None


def test_everything_paused_is_stricter_than_a_batch(room: SqlLedger, clock: HandClock) -> None:
    """What holds for all holds for a batch as well, whatever was ordered of it."""
    order(room, "b2", WorkMode.DRAINING)
    order(room, EVERYTHING, WorkMode.PAUSED)
    assert due(room, clock) == set()
    assert room.lease(Stage.DECIDE, "j3", "me", 30) is None
    order(room, EVERYTHING, WorkMode.RUNNING)
    assert due(room, clock) == {"s1", "h2", "s3", "j3"}


def test_draining_finishes_what_was_begun(room: SqlLedger, clock: HandClock) -> None:
    """The other scan of a jacket that was begun is read; a jacket nobody began is left."""
    order(room, EVERYTHING, WorkMode.DRAINING)
    assert due(room, clock) == {"s1", "h2", "j3"}
    assert room.lease(Stage.PREPARE, "s3", "me", 30) is None
    assert room.lease(Stage.PREPARE, "s1", "me", 30) is not None


@pytest.fixture
def crowd(filled: SqlLedger) -> SqlLedger:
    """Twenty scans of an urgent jacket behind twenty of another one."""
    with filled.transaction() as tx:
        tx.add(jacket("j2", "J-2", position=1, urgent=True), happened("j2"))
        for of, first in (("j1", 100), ("j2", 200)):
            for number in range(first, first + 20):
                tx.add(scan(f"s{number}", jacket_id=of, position=number), happened(f"s{number}"))
                tx.schedule(Stage.PREPARE, f"s{number}")
    return filled


def turns(ledger: SqlLedger, named: list[str]) -> str:
    """Spend one call on each scan named; return whose turn it was each time."""
    told = ""
    for subject in named:
        task = ledger.lease_in_turn(Stage.PREPARE, subject, POOL, "me", 30)
        told += "-" if task is None else "u" if task.subject >= "s2" else "b"
    return told


def test_urgent_jackets_take_four_turns_of_five(crowd: SqlLedger, clock: HandClock) -> None:
    """Calls for bulk alone, as they lie in the queue, are spent so; then bulk has them all."""
    assert due(crowd, clock) == {f"s{n}" for n in (*range(100, 120), *range(200, 220))}
    first = [task.subject for task in crowd.due(clock.now(), 20)]
    assert first == [f"s{number}" for number in range(200, 220)]
    assert turns(crowd, [f"s{number}" for number in range(100, 120)]) == "uuuub" * 4
    # The calls that were spent on urgent work are lost; the reaper repeats them.
    left = sorted(due(crowd, clock))
    assert turns(crowd, left) == "u" * 4 + "b" * 12 + "-" * 4
    assert turns(crowd, sorted(due(crowd, clock))) == "b" * 4
    assert due(crowd, clock) == set()


def test_urgency_moves_what_is_due_and_what_comes(crowd: SqlLedger, clock: HandClock) -> None:
    """A jacket that is no longer urgent waits its turn; its next tasks do as well."""
    with crowd.transaction() as tx:
        (one,) = tx.urgent_jackets()
        tx.save(replace(one, urgent=False), happened("j2"))
        tx.hurry("j2", False)
        tx.schedule(Stage.READ, "s200")
        assert tx.urgent_jackets() == ()
    assert turns(crowd, ["s100", "s101", "s102", "s103", "s200"]) == "bbbbu"
    with crowd.transaction() as tx:
        tx.hurry("j2", True)
    assert turns(crowd, ["s104", "s105"]) == "uu"
