"""Several processes at once, killed at any moment, forked, and short of disk."""

import multiprocessing
import os
import random
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hand_clock import HandClock
from ledger_records import batch, execute_plainly, happened, jacket, scan
from small_disk import fill, mounted

from digitizer.errors import BadWorld, DiskFull, StaleRecord
from digitizer.ledger import SqlLedger
from digitizer.model.records import Batch, Scan, Stage

SPAWN = multiprocessing.get_context("spawn")


def _raise_sizes(url: str, times: int) -> None:
    """Count a scan's size up by compare-and-set, again and again for a lost race."""
    ledger = SqlLedger(url, HandClock(), reserve=0)
    done = 0
    while done < times:
        try:
            with ledger.transaction() as tx:
                now = tx.get(Scan, "s1")
                tx.save(replace(now, size=now.size + 1), happened("s1", "counted"))
        except StaleRecord:
            continue
        done += 1


def test_no_change_of_several_processes_is_lost(filled: SqlLedger, database: str) -> None:
    """Three processes count to 40 each: 120 changes, versions and events."""
    writers = [SPAWN.Process(target=_raise_sizes, args=(database, 40)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    with filled.reading() as view:
        record = view.get(Scan, "s1")
        events = view.events("s1")
    assert (record.size, record.version, len(events)) == (121, 120, 121)
    assert filled.verify_chain("s1")


def _change_for_ever(url: str, ready: "multiprocessing.synchronize.Event") -> None:
    ledger = SqlLedger(url, HandClock(), reserve=0)
    for number in range(1_000_000):
        with ledger.transaction() as tx:
            now = tx.get(Scan, "s1")
            tx.save(replace(now, size=now.size + 1), happened("s1", "counted"))
            tx.schedule(Stage.READ, f"s{number}")
            tx.uid(f"purpose {now.size}")
        if number == 5:
            ready.set()


def test_killed_again_and_again_the_ledger_stays_whole(filled: SqlLedger, database: str) -> None:
    """Kill -9 in mid-transaction, five times: version, size, events and UIDs still agree."""
    dice = random.Random(7)
    for _ in range(5):
        ready = SPAWN.Event()
        writer = SPAWN.Process(target=_change_for_ever, args=(database, ready))
        writer.start()
        assert ready.wait(60)
        writer.join(dice.random() / 20)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(30)
    with filled.transaction() as tx:
        record = tx.get(Scan, "s1")
        events = tx.events("s1")
        assert record.size == record.version + 1 == len(events)
        assert [one.sequence for one in events] == list(range(len(events)))
        uids = [tx.uid(f"purpose {size}") for size in range(1, record.size)]
    assert record.version >= 30
    assert len(set(uids)) == record.version
    assert filled.verify_chain("s1")


def _read_in_child(ledger: SqlLedger, answer: "multiprocessing.queues.Queue[int]") -> None:
    with ledger.transaction() as tx:
        now = tx.get(Scan, "s1")
        tx.save(replace(now, size=now.size + 1), happened("s1"))
    answer.put(now.size)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_ledger_survives_a_fork(filled: SqlLedger) -> None:
    """Parent and children each use connections of their own, in turn and to the end."""
    fork = multiprocessing.get_context("fork")
    answer = fork.Queue()
    for expected in (1, 2, 3):
        with filled.reading() as view:
            assert view.get(Scan, "s1").size == expected
        child = fork.Process(target=_read_in_child, args=(filled, answer))
        child.start()
        assert answer.get(timeout=60) == expected
        child.join(60)
        assert child.exitcode == 0
    assert filled.verify_chain("s1")


def test_a_lost_connection_is_a_bad_world_and_no_more(ledger: SqlLedger, database: str) -> None:
    """When the server drops everybody, the work in hand waits; the next goes on by itself."""
    if database.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    drop = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def cut_off() -> None:
        with ledger.transaction() as tx:
            tx.add(batch(), happened("b1"))
            execute_plainly(database, drop)
            tx.add(jacket(), happened("j1"))

    with pytest.raises(BadWorld) as told:
        cut_off()
    assert told.value.code == "ledger_busy"
    with ledger.transaction() as tx:
        assert tx.batches() == ()
        tx.add(batch(), happened("b1"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "small", megabytes=2) as place:
        yield place


def test_on_a_full_disk_the_reserve_lets_the_ledger_write_once_more(small_disk: Path) -> None:
    """DiskFull is told, nothing half is kept, and what happened can still be written down."""
    ledger = SqlLedger(f"sqlite:///{small_disk}/ledger.sqlite", HandClock(), reserve=128 << 10)
    ledger.migrate()
    reserve = small_disk / "ledger.sqlite.reserve"
    assert reserve.stat().st_size == 128 << 10
    with ledger.transaction() as tx:
        tx.add(batch(), happened("b1"))
        tx.add(jacket(), happened("j1"))
    fill(small_disk)

    def add_many() -> None:
        with ledger.transaction() as tx:
            for number in range(2000):
                tx.add(scan(f"s{number}"), happened(f"s{number}"))

    with pytest.raises(DiskFull):
        add_many()
    assert not reserve.exists()
    with ledger.transaction() as tx:
        assert tx.scans() == ()
        tx.save(replace(tx.get(Batch, "b1"), closed=True), happened("b1", "held", why="disk_full"))
    assert ledger.verify_chain("b1")
    ledger.close()
