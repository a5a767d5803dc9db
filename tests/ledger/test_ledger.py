"""The ledger on SQLite and PostgreSQL: versions, states, the chain of events, leases."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hand_clock import HandClock
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from digitizer.errors import IllegalTransition, StaleRecord, UnknownRecord
from digitizer.ledger import SqlLedger
from digitizer.model.records import Batch, Event, Jacket, Scan, Stage, Task
from digitizer.model.states import State
from digitizer.ports import Transaction


def an_event(subject: str = "b1", name: str = "tested") -> Event:
    return Event(subject=subject, name=name, actor="system", payload={"é": [1, None]})


def a_batch(clock: HandClock, id: str = "b1") -> Batch:
    return Batch(id=id, name=f"batch {id}", root="scans", created_at=clock.now())


def a_scan(clock: HandClock, state: State = State.RECEIVED) -> Scan:
    return Scan(
        id="s1",
        batch_id="b1",
        jacket_id="j1",
        source="one.tif",
        position=0,
        sha256=None,
        size=1,
        received_at=clock.now(),
        changed_at=clock.now(),
        state=state,
    )


def add_parents(transaction: Transaction, clock: HandClock) -> None:
    """Add the batch and the jacket that a scan must have."""
    transaction.add(a_batch(clock), an_event())
    transaction.add(Jacket(id="j1", batch_id="b1", name="J1"), an_event("j1"))


def schedule(ledger: SqlLedger, subject: str = "s1") -> None:
    with ledger.transaction() as transaction:
        transaction.schedule(Stage.READ, subject)


def unschedule(ledger: SqlLedger, subject: str = "s1") -> None:
    with ledger.transaction() as transaction:
        transaction.unschedule(Stage.READ, subject)


def the_task(ledger: SqlLedger, subject: str = "s1") -> Task | None:
    with ledger.reading() as view:
        return view.task(Stage.READ, subject)


# -- records ---------------------------------------------------------------------------------


def test_an_added_record_comes_back_equal(ledger: SqlLedger, clock: HandClock) -> None:
    """What was added is read back with every field as it was."""
    scan = a_scan(clock)
    with ledger.transaction() as transaction:
        add_parents(transaction, clock)
        transaction.add(scan, an_event("s1"))
    with ledger.reading() as view:
        assert view.get(Scan, "s1") == scan


def test_an_unknown_record_is_told(ledger: SqlLedger) -> None:
    """Asking for an id that nobody added raises UnknownRecord."""
    with ledger.reading() as view, pytest.raises(UnknownRecord):
        view.get(Batch, "nobody")


def test_saving_counts_the_version(ledger: SqlLedger, clock: HandClock) -> None:
    """A saved change is read back, one version on."""
    with ledger.transaction() as transaction:
        transaction.add(a_batch(clock), an_event())
    with ledger.transaction() as transaction:
        saved = transaction.save(replace(a_batch(clock), closed=True), an_event())
    with ledger.reading() as view:
        assert view.get(Batch, "b1") == saved
    assert (saved.closed, saved.version) == (True, 1)


def test_the_second_writer_of_a_version_is_refused(ledger: SqlLedger, clock: HandClock) -> None:
    """Who saves from a version that is no longer the stored one gets StaleRecord."""
    batch = a_batch(clock)
    with ledger.transaction() as transaction:
        transaction.add(batch, an_event())
        transaction.save(replace(batch, closed=True), an_event())
    with pytest.raises(StaleRecord), ledger.transaction() as transaction:
        transaction.save(replace(batch, box="lost update"), an_event())
    with ledger.reading() as view:
        assert view.get(Batch, "b1").box is None


def test_of_writers_at_once_exactly_one_wins(ledger: SqlLedger, clock: HandClock) -> None:
    """Eight threads save the same version together: one succeeds, seven are told."""
    batch = a_batch(clock)
    with ledger.transaction() as transaction:
        transaction.add(batch, an_event())
    together = threading.Barrier(8)

    def write(number: int) -> bool:
        together.wait()
        try:
            with ledger.transaction() as transaction:
                transaction.save(replace(batch, box=str(number)), an_event())
        except StaleRecord:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(write, range(8))) == 1
    assert ledger.verify_chain("b1")


def test_a_second_record_of_one_id_is_refused(ledger: SqlLedger, clock: HandClock) -> None:
    """Adding an id that is there already raises StaleRecord."""
    with ledger.transaction() as transaction:
        transaction.add(a_batch(clock), an_event())
    with pytest.raises(StaleRecord), ledger.transaction() as transaction:
        transaction.add(a_batch(clock), an_event())


def test_an_illegal_change_of_state_is_refused(ledger: SqlLedger, clock: HandClock) -> None:
    """A received scan cannot become verified; nothing of the attempt is written."""
    with ledger.transaction() as transaction:
        add_parents(transaction, clock)
        transaction.add(a_scan(clock), an_event("s1"))
    with pytest.raises(IllegalTransition), ledger.transaction() as transaction:
        transaction.save(a_scan(clock, State.VERIFIED), an_event("s1"))
    with ledger.reading() as view:
        assert view.get(Scan, "s1").state is State.RECEIVED
        assert len(view.events("s1")) == 1


def test_a_failed_transaction_leaves_nothing(ledger: SqlLedger, clock: HandClock) -> None:
    """Record, event and task of a transaction that ends in an error are all gone."""

    def half() -> None:
        with ledger.transaction() as transaction:
            transaction.add(a_batch(clock), an_event())
            transaction.schedule(Stage.READ, "s1")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        half()
    with ledger.reading() as view:
        assert (view.batches(), view.events("b1"), view.tasks()) == ((), (), ())


def test_a_uid_is_minted_once(ledger: SqlLedger) -> None:
    """The same purpose gets the same UID in every transaction, another purpose another."""
    with ledger.transaction() as transaction:
        first = transaction.uid("series of s1")
    with ledger.transaction() as transaction:
        assert transaction.uid("series of s1") == first
        assert transaction.uid("series of s2") != first
    assert first.startswith("2.25.")
    assert len(first) <= 64


# -- events ----------------------------------------------------------------------------------


def test_the_chain_of_untouched_events_is_valid(ledger: SqlLedger) -> None:
    """Events are numbered from 0, in order, and hash to what was written."""
    for name in ("first", "second", "third"):
        with ledger.transaction() as transaction:
            transaction.record(an_event(name=name))
    with ledger.reading() as view:
        told = [(event.sequence, event.name) for event in view.events("b1")]
    assert told == [(0, "first"), (1, "second"), (2, "third")]
    assert ledger.verify_chain("b1")


@pytest.mark.parametrize("statement", ["UPDATE event SET actor = 'me'", "DELETE FROM event"])
def test_the_database_refuses_to_change_events(
    ledger: SqlLedger, database: str, statement: str
) -> None:
    """Neither UPDATE nor DELETE of events gets past the triggers, whoever asks."""
    with ledger.transaction() as transaction:
        transaction.record(an_event())
    engine = create_engine(database, poolclass=NullPool)
    with (
        pytest.raises(DBAPIError, match="never changed or deleted"),
        engine.begin() as connection,
    ):
        connection.exec_driver_sql(statement)
    assert ledger.verify_chain("b1")


def _without_triggers(database: str, statement: str) -> None:
    """Change events as somebody with all rights over the database would."""
    engine = create_engine(database, poolclass=NullPool)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER event_no_update")
            connection.exec_driver_sql("DROP TRIGGER event_no_delete")
        else:
            connection.exec_driver_sql("DROP TRIGGER event_no_change ON event")
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET actor = 'me' WHERE sequence = 0",
        "UPDATE event SET payload = '{}' WHERE sequence = 2",
        "DELETE FROM event WHERE sequence = 1",
    ],
)
def test_a_forged_event_breaks_the_chain(ledger: SqlLedger, database: str, statement: str) -> None:
    """With the triggers out of the way a change or deletion still shows in the hashes."""
    with ledger.transaction() as transaction:
        for name in ("first", "second", "third"):
            transaction.record(an_event(name=name))
    _without_triggers(database, statement)
    assert not ledger.verify_chain("b1")


# -- tasks -----------------------------------------------------------------------------------


def test_a_scheduled_task_is_due(ledger: SqlLedger, clock: HandClock) -> None:
    """A task scheduled for later is due then and not before."""
    with ledger.transaction() as transaction:
        transaction.schedule(Stage.READ, "s1", clock.now() + timedelta(seconds=60))
    assert ledger.due(clock.now()) == ()
    clock.forward(60)
    assert [task.subject for task in ledger.due(clock.now())] == ["s1"]


def test_scheduling_again_keeps_one_task(ledger: SqlLedger, clock: HandClock) -> None:
    """A stage scheduled anew for later stays due when it was due already."""
    schedule(ledger)
    with ledger.transaction() as transaction:
        transaction.schedule(Stage.READ, "s1", clock.now() + timedelta(seconds=60))
    assert len(ledger.due(clock.now())) == 1


def test_scheduling_again_brings_a_late_task_forward(ledger: SqlLedger, clock: HandClock) -> None:
    """A task that waits for later is due at once when it is scheduled for now."""
    with ledger.transaction() as transaction:
        transaction.schedule(Stage.READ, "s1", clock.now() + timedelta(seconds=60))
    schedule(ledger)
    assert len(ledger.due(clock.now())) == 1


def test_a_lease_counts_the_attempt_and_hides_the_task(ledger: SqlLedger, clock: HandClock) -> None:
    """While a lease lives the task is not due for anybody else."""
    schedule(ledger)
    task = ledger.lease(Stage.READ, "s1", "me", 30)
    assert task is not None
    assert (task.attempts, task.lease_owner) == (1, "me")
    assert ledger.due(clock.now()) == ()
    assert ledger.lease(Stage.READ, "s1", "you", 30) is None


def test_no_lease_without_a_due_task(ledger: SqlLedger, clock: HandClock) -> None:
    """A task of later and a task that is not there cannot be leased."""
    with ledger.transaction() as transaction:
        transaction.schedule(Stage.READ, "later", clock.now() + timedelta(seconds=1))
    assert ledger.lease(Stage.READ, "later", "me", 30) is None
    assert ledger.lease(Stage.READ, "nobody", "me", 30) is None


def test_two_leases_never_both_succeed(ledger: SqlLedger) -> None:
    """Eight threads lease each of ten tasks at once: every task has one holder."""
    for number in range(10):
        schedule(ledger, f"s{number}")
    together = threading.Barrier(8)

    def take(owner: int) -> list[str]:
        mine = []
        for number in range(10):
            together.wait()
            if ledger.lease(Stage.READ, f"s{number}", str(owner), 30) is not None:
                mine.append(f"s{number}")
        return mine

    with ThreadPoolExecutor(8) as threads:
        taken = [subject for mine in threads.map(take, range(8)) for subject in mine]
    assert sorted(taken) == [f"s{number}" for number in range(10)]


def test_an_expired_lease_is_taken_over(ledger: SqlLedger, clock: HandClock) -> None:
    """After the lease of one who died, the next takes the task, as the second attempt."""
    schedule(ledger)
    assert ledger.lease(Stage.READ, "s1", "dead", 30) is not None
    clock.forward(30)
    assert len(ledger.due(clock.now())) == 1
    again = ledger.lease(Stage.READ, "s1", "alive", 30)
    assert again is not None
    assert (again.lease_owner, again.attempts) == ("alive", 2)


def test_a_late_release_does_not_free_the_next_lease(ledger: SqlLedger, clock: HandClock) -> None:
    """Who lost the lease meanwhile cannot give back what another holds."""
    schedule(ledger)
    slow = ledger.lease(Stage.READ, "s1", "slow", 30)
    assert slow is not None
    clock.forward(30)
    assert ledger.lease(Stage.READ, "s1", "next", 30) is not None
    ledger.release(slow, due_at=clock.now())
    assert ledger.lease(Stage.READ, "s1", "third", 30) is None


def test_a_released_task_is_due_when_told(ledger: SqlLedger, clock: HandClock) -> None:
    """Release sets the time of the next attempt and says why it waits."""
    schedule(ledger)
    task = ledger.lease(Stage.READ, "s1", "me", 30)
    assert task is not None
    ledger.release(task, due_at=clock.now() + timedelta(seconds=10), why="busy")
    assert ledger.lease(Stage.READ, "s1", "me", 30) is None
    clock.forward(10)
    again = ledger.lease(Stage.READ, "s1", "me", 30)
    assert again is not None
    assert again.attempts == 2
    assert again.reason is not None


def test_an_attempt_need_not_count(ledger: SqlLedger, clock: HandClock) -> None:
    """A release without count leaves the attempts as they were before the lease."""
    schedule(ledger)
    task = ledger.lease(Stage.READ, "s1", "me", 30)
    assert task is not None
    ledger.release(task, due_at=clock.now(), count_attempt=False)
    left = the_task(ledger)
    assert left is not None
    assert left.attempts == 0


def test_release_keeps_a_newer_schedule(ledger: SqlLedger, clock: HandClock) -> None:
    """Scheduled anew while leased, the task is due at once and not at the release's later time."""
    schedule(ledger)
    task = ledger.lease(Stage.READ, "s1", "me", 30)
    assert task is not None
    schedule(ledger)
    ledger.release(task, due_at=clock.now() + timedelta(hours=1))
    assert len(ledger.due(clock.now())) == 1


def test_unschedule_deletes_a_done_task(ledger: SqlLedger) -> None:
    """The task of a stage that is done is gone."""
    schedule(ledger)
    assert ledger.lease(Stage.READ, "s1", "me", 30) is not None
    unschedule(ledger)
    assert the_task(ledger) is None


def test_a_task_scheduled_while_leased_survives_unschedule(
    ledger: SqlLedger, clock: HandClock
) -> None:
    """More work asked for during the stage is due at once when the stage ends."""
    schedule(ledger)
    assert ledger.lease(Stage.READ, "s1", "me", 30) is not None
    schedule(ledger)
    unschedule(ledger)
    left = the_task(ledger)
    assert left is not None
    assert left.lease_owner is None
    assert len(ledger.due(clock.now())) == 1


def test_a_schedule_that_commits_during_unschedule_is_not_lost(
    ledger: SqlLedger, clock: HandClock
) -> None:
    """Unschedule waits for a schedule under way, and then frees the task instead of deleting it."""
    schedule(ledger)
    assert ledger.lease(Stage.READ, "s1", "me", 30) is not None
    begun = threading.Event()

    def end_stage() -> None:
        begun.set()
        unschedule(ledger)

    with ledger.transaction() as transaction:
        transaction.schedule(Stage.READ, "s1")
        ending = threading.Thread(target=end_stage)
        ending.start()
        begun.wait(10)
        # The other transaction needs a moment to arrive at the lock that this one holds.
        ending.join(0.5)
        assert ending.is_alive()
    ending.join(30)
    assert not ending.is_alive()
    assert len(ledger.due(clock.now())) == 1


# -- processes -------------------------------------------------------------------------------


def _migrate(url: str, together: "multiprocessing.synchronize.Barrier") -> None:
    ledger = SqlLedger(url, HandClock())
    together.wait(60)
    ledger.migrate()


def test_processes_may_migrate_at_once(empty_database: str) -> None:
    """Two processes that start together on an empty database both find its tables ready."""
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(2)
    both = [spawn.Process(target=_migrate, args=(empty_database, together)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    with SqlLedger(empty_database, HandClock()).transaction() as transaction:
        assert transaction.batches() == ()


def _write_for_ever(url: str, ready: "multiprocessing.synchronize.Event") -> None:
    clock = HandClock()
    ledger = SqlLedger(url, clock)
    number = 0
    while True:
        with ledger.transaction() as transaction:
            transaction.add(a_batch(clock, f"b{number}"), an_event("all", f"b{number}"))
            transaction.schedule(Stage.READ, f"b{number}")
        number += 1
        if number == 20:
            ready.set()


def test_a_killed_writer_leaves_whole_transactions(database: str, ledger: SqlLedger) -> None:
    """After kill -9 in full run: as many batches as events and tasks, and a valid chain."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    writer = spawn.Process(target=_write_for_ever, args=(database, ready))
    writer.start()
    assert ready.wait(60)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(30)
    with suppress(StaleRecord), ledger.transaction() as transaction:
        # A lock the dead writer held would stop this one.
        transaction.record(an_event("after"))
    with ledger.reading() as view:
        batches, events, tasks = view.batches(), view.events("all"), view.tasks()
    assert len(batches) == len(events) == len(tasks) >= 20
    assert [event.name for event in events] == [batch.id for batch in batches]
    assert ledger.verify_chain("all")
