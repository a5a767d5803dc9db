"""Queries: in feeding order, by their keys, and counted."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ledger_records import batch, happened, jacket, scan, sheet

from digitizer.ledger import SqlLedger
from digitizer.ledger.likeness import band_keys, distance_of
from digitizer.model.film import SheetKind
from digitizer.model.older import OldHeader, OldStudy, Source, SourceKind
from digitizer.model.records import Scan, Sheet, Stage
from digitizer.model.states import State


@pytest.fixture
def library(ledger: SqlLedger) -> SqlLedger:
    """Return a ledger with two scans fed in an order that is not that of their ids."""
    with ledger.transaction() as tx:
        tx.add(batch(), happened("b1"))
        tx.add(batch("b2", "tuesday"), happened("b2"))
        tx.add(jacket(position=1), happened("j1"))
        tx.add(jacket("j2", "J-2", position=0), happened("j2"))
        tx.add(scan("s1", position=1), happened("s1"))
        tx.add(scan("s2", position=0, sha256=None), happened("s2"))
        tx.add(scan("s3", position=2, duplicate_of="s1", jacket_id="j2"), happened("s3"))
        tx.add(sheet("h1", index=1), happened("h1"))
        tx.add(sheet("h2", index=0), happened("h2"))
        tx.add(sheet("h3", scan_id="s2", kind=SheetKind.LABEL), happened("h3"))
    return ledger


def test_lists_are_in_feeding_order(library: SqlLedger) -> None:
    """Jackets and scans by position, sheets by their scan's position and their index."""
    with library.reading() as view:
        assert [one.id for one in view.batches()] == ["b1", "b2"]
        assert [one.id for one in view.jackets("b1")] == ["j2", "j1"]
        assert [one.id for one in view.scans(batch_id="b1")] == ["s2", "s1", "s3"]
        assert [one.id for one in view.scans(jacket_id="j1")] == ["s2", "s1"]
        assert [one.id for one in view.sheets(batch_id="b1")] == ["h3", "h2", "h1"]
        assert [one.id for one in view.sheets(jacket_id="j1", limit=2)] == ["h3", "h2"]
        assert [one.id for one in view.sheets(scan_id="s1")] == ["h2", "h1"]
        assert view.sheets(state=State.REVIEW) == ()


def test_scans_are_found_by_source_and_by_hash(library: SqlLedger) -> None:
    """The first scan of a hash is not itself a duplicate."""
    with library.reading() as view:
        found = view.scan_of_source("b1", "s2.tif")
        assert found is not None
        assert found.id == "s2"
        assert view.scan_of_source("b2", "s2.tif") is None
        first = view.first_scan_of_hash("a" * 64)
        assert first is not None
        assert first.id == "s1"
        assert view.first_scan_of_hash("b" * 64) is None


def test_batches_are_found_by_name(library: SqlLedger) -> None:
    """By the whole name only."""
    with library.reading() as view:
        assert view.batch_named("tuesday") == batch("b2", "tuesday")
        assert view.batch_named("tues%") is None


def test_counts_are_of_scans_and_of_films(library: SqlLedger) -> None:
    """Labels are no films; a batch counts its own alone."""
    with library.transaction() as tx:
        tx.save(replace(tx.get(Scan, "s1"), state=State.PREPARED), happened("s1"))
    with library.reading() as view:
        assert view.counts("b1") == {
            "scans": {State.RECEIVED: 2, State.PREPARED: 1},
            "films": {State.RECEIVED: 2},
        }
        assert view.counts("b2") == {"scans": {}, "films": {}}


def test_a_read_scan_counts_as_its_least_advanced_sheet(library: SqlLedger) -> None:
    """Before it is read a scan counts as what it is itself, whatever its sheets are."""
    with library.transaction() as tx:
        for state in (State.PREPARED, State.READ):
            tx.save(replace(tx.get(Scan, "s1"), state=state), happened("s1"))
        tx.save(replace(tx.get(Sheet, "h1"), state=State.PREPARED), happened("h1"))
    with library.reading() as view:
        assert view.counts("b1")["scans"] == {State.RECEIVED: 3}
    with library.transaction() as tx:
        tx.save(replace(tx.get(Sheet, "h2"), state=State.REVIEW), happened("h2"))
    with library.reading() as view:
        assert view.counts("b1")["scans"] == {State.RECEIVED: 2, State.REVIEW: 1}


def test_positions_follow_the_last(library: SqlLedger) -> None:
    """In a batch without scans the first position is 0."""
    with library.reading() as view:
        last = max(scan.position for scan in view.scans(batch_id="b1"))
        assert view.next_position(Scan, "b1") == last + 1
        assert view.next_position(Scan, "b2") == 0


def flipped(fingerprint: str, bits: int, seed: int) -> str:
    """Return a fingerprint that differs from another in so many bits."""
    value = int(fingerprint, 16)
    for place in random.Random(seed).sample(range(264), bits):
        value ^= 1 << place
    return f"{value:066x}"


@pytest.mark.parametrize("distance", [0, 12, 16, 17, 24, 33, 34, 50, 51, 60])
def test_like_pictures_are_found_exactly(library: SqlLedger, distance: int) -> None:
    """All whose hash differs in at most so many bits, and no other; also beyond the bands."""
    mine = f"{random.Random(1).getrandbits(264):066x}"
    near = flipped(mine, distance, 2)
    far = flipped(mine, distance + 1, 3)
    with library.transaction() as tx:
        for name, value in (("n1", mine), ("n2", near), ("n3", far), ("n4", "")):
            tx.add(sheet(name, fingerprint=value), happened(name))
    with library.reading() as view:
        found = view.sheets_with_fingerprint_near(mine, distance)
    assert [one.id for one in found] == ["n1", "n2"]


def test_a_changed_fingerprint_is_found_where_it_is_now(library: SqlLedger) -> None:
    """The old bands of a sheet do not find it any more."""
    old, new = "ab" * 32, "cd" * 32
    with library.transaction() as tx:
        tx.save(replace(tx.get(Sheet, "h1"), fingerprint=old), happened("h1"))
        tx.save(replace(tx.get(Sheet, "h1"), fingerprint=new), happened("h1"))
    with library.reading() as view:
        assert view.sheets_with_fingerprint_near(old, 12) == ()
        assert [one.id for one in view.sheets_with_fingerprint_near(new, 12)] == ["h1"]


def test_bands_keep_their_places() -> None:
    """Equal bits at another place make another key, so a shifted picture is not like."""
    assert band_keys("00010001") == [1, (1 << 16) | 1]
    assert distance_of("ff", "fe") == 1
    assert distance_of("ff", "ff00") > 16


def test_what_is_due_is_counted_by_stage(library: SqlLedger) -> None:
    """Without reading the tasks themselves."""
    with library.transaction() as tx:
        for stage, subject in ((Stage.WRAP, "h1"), (Stage.WRAP, "h2"), (Stage.READ, "s1")):
            tx.schedule(stage, subject)
    with library.reading() as view:
        assert view.task_counts() == {Stage.READ: 1, Stage.WRAP: 2}
        assert view.pending_commitments() == 0


def test_no_study_named_is_no_study_found(ledger: SqlLedger) -> None:
    """Without UIDs all are found; with none of them, none."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    source = Source(id="o1", name="old", kind=SourceKind.FOLDER, place="/old", added_at=now)
    studies = [
        OldStudy(
            id=f"t{n}",
            source_id="o1",
            study_instance_uid=f"1.{n}",
            header=OldHeader(),
            changed_at=now,
        )
        for n in range(3)
    ]
    with ledger.transaction() as tx:
        tx.add(source, happened("o1"))
        for one in studies:
            tx.add(one, happened(one.id))
    with ledger.reading() as view:
        assert view.old_studies(source_id="o1") == tuple(studies)
        assert view.old_studies(source_id="o1", uids=("1.1", "1.9")) == (studies[1],)
        assert view.old_studies(source_id="o1", uids=()) == ()
