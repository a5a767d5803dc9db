"""Rows: added, changed by compare-and-set, and never half."""

from dataclasses import replace

import pytest
from ledger_records import NOON, batch, happened, jacket, scan, sheet

from digitizer.errors import IllegalTransition, StaleRecord, UnknownRecord
from digitizer.ledger import SqlLedger
from digitizer.model.records import (
    Batch,
    Capture,
    Commitment,
    CommitmentState,
    Delivery,
    Jacket,
    Scan,
    Sheet,
    Verification,
)
from digitizer.model.states import State


def capture(uid: str = "2.25.1") -> Capture:
    return Capture(
        sop_instance_uid=uid,
        sop_class_uid="1.2.840.10008.5.1.4.1.1.7",
        series_instance_uid="2.25.2",
        study_instance_uid="2.25.3",
        sheet_id="h1",
        sha256="c" * 64,
        pixel_sha256="d" * 64,
        transfer_syntax_uid="1.2.840.10008.1.2.4.80",
        size=10,
        made_at=NOON,
    )


def test_every_kind_of_record_comes_back_as_it_was_added(filled: SqlLedger) -> None:
    made = capture()
    delivery = Delivery(id="d", sop_instance_uid="2.25.1", archive="PACS", at=NOON, status=0)
    commitment = Commitment(
        transaction_uid="2.25.9",
        sop_instance_uid="2.25.1",
        sop_class_uid=made.sop_class_uid,
        archive="PACS",
        requested_at=NOON,
    )
    check = Verification(
        id="v", sop_instance_uid="2.25.1", archive="PACS", at=NOON, method="C-GET", agrees=True
    )
    with filled.transaction() as tx:
        for record in (made, delivery, commitment, check):
            tx.add(record, happened("h1"))
    with filled.reading() as view:
        assert view.get(Batch, "b1") == batch()
        assert view.get(Jacket, "j1") == jacket()
        assert view.get(Scan, "s1") == scan()
        assert view.get(Sheet, "h1") == sheet()
        assert view.captures("h1") == (made,)
        assert view.deliveries("2.25.1") == (delivery,)
        assert view.commitments(sop_instance_uid="2.25.1") == (commitment,)
        assert view.verifications("2.25.1") == (check,)


def test_commitments_are_told_pending_from_answered(filled: SqlLedger) -> None:
    one = Commitment(
        transaction_uid="2.25.9",
        sop_instance_uid="2.25.1",
        sop_class_uid="1.2",
        archive="PACS",
        requested_at=NOON,
    )
    with filled.transaction() as tx:
        tx.add(capture(), happened("h1"))
        tx.add(one, happened("h1"))
        tx.add(replace(one, transaction_uid="2.25.10"), happened("h1"))
        tx.save(replace(one, state=CommitmentState.FAILED), happened("h1"))
    with filled.reading() as view:
        pending = view.commitments(pending=True)
        answered = view.commitments(pending=False)
    assert [it.transaction_uid for it in pending] == ["2.25.10"]
    assert [it.transaction_uid for it in answered] == ["2.25.9"]


def test_save_counts_the_version_and_refuses_an_old_one(filled: SqlLedger) -> None:
    with filled.transaction() as tx:
        old = tx.get(Scan, "s1")
        new = tx.save(replace(old, size=2), happened("s1"))
        assert new == replace(old, size=2, version=1)
        assert tx.get(Scan, "s1") == new
    with pytest.raises(StaleRecord), filled.transaction() as tx:
        tx.save(replace(old, size=3), happened("s1"))
    with filled.reading() as view:
        assert view.get(Scan, "s1").size == 2
        assert len(view.events("s1")) == 2


def test_a_stale_save_that_is_survived_writes_nothing(filled: SqlLedger) -> None:
    with filled.transaction() as tx:
        with pytest.raises(StaleRecord):
            tx.save(replace(tx.get(Sheet, "h1"), version=7), happened("h1"))
        with pytest.raises(IllegalTransition):
            tx.save(replace(tx.get(Sheet, "h1"), state=State.STORED), happened("h1"))
    with filled.reading() as view:
        assert view.get(Sheet, "h1") == sheet()
        assert len(view.events("h1")) == 1


def test_only_changes_of_the_table_of_states_are_taken(filled: SqlLedger) -> None:
    with pytest.raises(IllegalTransition), filled.transaction() as tx:
        tx.save(replace(tx.get(Scan, "s1"), state=State.VERIFIED), happened("s1"))
    with pytest.raises(IllegalTransition), filled.transaction() as tx:
        tx.save(replace(tx.get(Sheet, "h1"), state=State.VERIFIED), happened("h1"))
    with filled.transaction() as tx:
        tx.save(replace(tx.get(Scan, "s1"), state=State.PREPARED), happened("s1"))
        tx.save(replace(tx.get(Sheet, "h1"), state=State.PREPARED), happened("h1"))
    with filled.reading() as view:
        assert view.get(Scan, "s1").state is State.PREPARED
        assert view.get(Sheet, "h1").state is State.PREPARED


def test_an_unknown_record_is_named(filled: SqlLedger) -> None:
    with filled.reading() as view, pytest.raises(UnknownRecord, match="no film nobody"):
        view.get(Sheet, "nobody")
    with filled.transaction() as tx, pytest.raises(UnknownRecord):
        tx.save(scan("nobody"), happened("nobody"))


def test_a_record_of_a_missing_parent_is_refused(filled: SqlLedger) -> None:
    with pytest.raises(UnknownRecord), filled.transaction() as tx:
        tx.add(sheet("h2", scan_id="nowhere"), happened("h2"))


@pytest.mark.parametrize(
    "again",
    [
        batch("b2", "monday"),
        jacket("j2", "J-1"),
        scan("s2", source="s1.tif"),
        scan("s1", source="other.tif"),
    ],
    ids=["batch name", "jacket name without box", "source of a batch", "id"],
)
def test_what_must_be_unique_is(filled: SqlLedger, again: Batch | Jacket | Scan) -> None:
    with pytest.raises(StaleRecord), filled.transaction() as tx:
        tx.add(again, happened(again.id))


def test_jackets_of_one_name_may_lie_in_several_boxes(filled: SqlLedger) -> None:
    with filled.transaction() as tx:
        tx.add(jacket("j2", "J-1", box="B", position=1), happened("j2"))
    with filled.reading() as view:
        assert [one.id for one in view.jackets_named("J-1")] == ["j1", "j2"]
        assert [one.id for one in view.jackets_named("J-1", "B")] == ["j2"]
        assert [one.box for one in view.jackets("b1")] == [None, "B"]


def test_a_view_for_reading_cannot_write(filled: SqlLedger) -> None:
    refused = pytest.raises(Exception, match=r"(?i)read.?only")
    with refused, filled.reading() as view:
        view.add(batch("b2", "tuesday"), happened("b2"))
    with filled.reading() as view:
        assert len(view.batches()) == 1


def test_a_view_stays_as_it_was_while_others_write(filled: SqlLedger) -> None:
    with filled.reading() as view:
        assert view.get(Scan, "s1").size == 1
        with filled.transaction() as tx:
            tx.save(replace(tx.get(Scan, "s1"), size=2), happened("s1"))
        assert view.get(Scan, "s1").size == 1
        assert view.counts() == {"scans": {State.RECEIVED: 1}, "films": {State.RECEIVED: 1}}
