"""Counts by batch and box, paged by key, on both databases."""

from ledger_records import batch, happened, jacket, scan

from digitizer.ledger import SqlLedger, SqlOverview
from digitizer.model.overview import Tally
from digitizer.model.states import State


def test_batches_and_boxes_are_named_page_by_page_and_counted(ledger: SqlLedger) -> None:
    """The newest batch first, boxes by name; the box that jackets came into last is told."""
    with ledger.transaction() as tx:
        for number, name in enumerate(("monday", "tuesday", "wednesday")):
            tx.add(batch(f"b{number}", name), happened(f"b{number}"))
            for box in ("B", "A") if number else ("", "C"):
                own = jacket(f"j{number}{box}", f"J-{number}{box}", batch_id=f"b{number}", box=box)
                tx.add(own, happened(own.id))
                one = scan(f"s{own.id}", batch_id=f"b{number}", jacket_id=own.id, sha256=own.id)
                tx.add(one, happened(one.id))
    overview = SqlOverview(ledger)
    assert overview.batch_names(limit=2) == ("wednesday", "tuesday")
    assert overview.batch_names(after="tuesday", limit=2) == ("monday",)
    assert overview.box_names(limit=2) == ("", "A")
    assert overview.box_names(after="A", limit=9) == ("B", "C")
    assert overview.box_names(after="", limit=1) == ("A",)
    assert overview.latest_boxes(2) == ("A", "B")
    assert overview.by_batch(["tuesday"]) == (
        Tally(group="tuesday", state=State.RECEIVED, count=2, oldest=None),
    )
    assert overview.by_box(["A", ""]) == tuple(
        Tally(group=box, state=State.RECEIVED, count=count, oldest=None)
        for box, count in (("", 1), ("A", 2))
    )
    assert overview.by_box([]) == overview.by_batch([]) == ()
