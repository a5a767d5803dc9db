"""The migration page and the work list: counts, filters, trying again, writing out."""

import csv
import io
import re
from dataclasses import replace

import pytest
from console_site import Browser, Console, fill
from ledger_records import batch, happened, jacket, scan, sheet
from waiting import wait_until

from digitizer.model.overview import Filter
from digitizer.model.reasons import CODES, Code
from digitizer.model.records import Scan
from digitizer.model.states import State

EVIL = '=cmd|"<script>alert(1)</script>.tif'


def test_the_page_shows_what_the_ledger_holds(console: Console, lea: Browser) -> None:
    """Counts by state, the oldest, the reasons, the batch."""
    fill(console, received=3, quarantined=2, verified=5)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", lea.get("/migration").text))
    assert "5 of 10 verified · 50.0 %" in text
    assert "3 received oldest 16 min" in text
    assert "2 cannot be used as they are oldest 16 min" in text
    assert CODES[Code.TRUNCATED_FILE].text in text
    assert re.search(r"monday 10 5 3 2 0", text)


def test_figures_read_again_are_those_of_now(console: Console, lea: Browser) -> None:
    """What a page asks for on every change."""
    fill(console, received=1)
    assert "1</b><span>received" in lea.get("/migration/figures").text
    with console.site.services.ledger.transaction() as tx:
        tx.add(scan("more", source="more.tif", position=9), happened("more"))
    assert "2</b><span>received" in lea.get("/migration/figures").text


def test_the_list_is_paged_by_key(console: Console, lea: Browser) -> None:
    """The longest in their state first; each row once."""
    fill(console, quarantined=120)
    seen: list[str] = []
    path = "/work?state=quarantined"
    while path:
        text = lea.get(path).text
        seen += re.findall(r">(\d{4}\.tif)", text)
        more = re.search(r'href="(/work\?[^"]*after=[^"]*)"', text)
        path = more[1].replace("&amp;", "&") if more else ""
    assert seen == [f"{number:04}.tif" for number in range(120)]


def test_what_is_chosen_is_tried_again(console: Console, lea: Browser) -> None:
    """Those, no others; it is in the audit trail with the name of who did it."""
    fill(console, quarantined=3)
    done = lea.post(
        "/work/retry",
        which="chosen",
        chosen=["quarantined0000", "quarantined0002"],
        query="state=quarantined",
    )
    assert done.headers["location"] == "/work?state=quarantined"
    assert "2 of 2 set going." in lea.get("/work").text
    assert "2 of 2 set going." not in lea.get("/work").text
    assert "retried" in console.events("quarantined0000")
    assert "retried" not in console.events("quarantined0001")


def test_all_that_the_filter_shows_are_tried_again(console: Console, lea: Browser) -> None:
    """In a job with a page of its own when there are many; others are left alone."""
    fill(console, quarantined=250, waiting=1)
    done = lea.post("/work/retry", which="all", query="state=quarantined&code=truncated_file")
    job = done.headers["location"]
    assert job.startswith("/jobs/")
    wait_until(lambda: "Done." in lea.get(job).text, 30)
    assert "250 of 250 looked at, 250 set going. Done." in lea.get(job).text
    counts = {one.state: one.count for one in console.site.overview.by_state()}
    assert counts == {State.RECEIVED: 250, State.WAITING: 1}
    assert lea.get(f"{job}/progress").status_code == 286


def test_what_is_not_held_cannot_be_tried_again(console: Console, lea: Browser) -> None:
    """Nor can everything at once."""
    fill(console, verified=1)
    for query in ("state=verified", "", "state=nonsense"):
        assert lea.post("/work/retry", which="all", query=query).status_code == 409


@pytest.mark.parametrize(
    "query", ["state=nonsense", "code=nonsense", "kind=x", "batch=none", "after=x", "box=none"]
)
def test_a_nonsensical_filter_is_told(console: Console, lea: Browser, query: str) -> None:
    """In a sentence, not a traceback."""
    fill(console, received=1)
    assert lea.get(f"/work?{query}").status_code in (200, 404, 409)


def test_markup_in_names_is_shown_as_text(console: Console, lea: Browser) -> None:
    """File names, boxes and jackets come from anybody."""
    with console.site.services.ledger.transaction() as tx:
        tx.add(batch(name="<b>batch</b>"), happened("b1"))
        tx.add(jacket(name="<i>jacket", box="<img src=x>"), happened("j1"))
        tx.add(scan(source=EVIL, state=State.WAITING), happened("s1"))
    for path in ("/migration", "/work", "/work?state=waiting"):
        text = lea.get(path).text
        assert "<script>alert" not in text
        assert "<b>batch" not in text
        assert "<img src=x" not in text
        assert "<i>jacket" not in text
    assert "&lt;script&gt;alert(1)" in lea.get("/work").text


def test_the_list_is_written_out_whole_and_safely(console: Console, lea: Browser) -> None:
    """All rows of the filter; no cell is a formula; the audit trail tells who did."""
    fill(console, quarantined=60)
    with console.site.services.ledger.transaction() as tx:
        tx.add(scan(source=EVIL, position=99, state=State.QUARANTINED), happened("s1"))
    answer = lea.get("/work.csv?state=quarantined")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 61
    assert rows[0]["reasons"] == "truncated_file"
    assert f"'{EVIL}" in [row["source"] for row in rows]
    assert "list_written_out" in console.events("user:lea")


def test_standings_follow_scans_and_sheets(console: Console) -> None:
    """A scan counts until it has sheets, and again while it is held."""
    site = console.site
    with site.services.ledger.transaction() as tx:
        tx.add(batch(), happened("b1"))
        tx.add(jacket(), happened("j1"))
        tx.add(scan(), happened("s1"))
    assert _standing(console) == {"s1": State.RECEIVED}
    with site.services.ledger.transaction() as tx:
        tx.add(sheet(state=State.PREPARED), happened("h1"))
    assert _standing(console) == {"h1": State.PREPARED}
    with site.services.ledger.transaction() as tx:
        tx.save(replace(tx.get(Scan, "s1"), state=State.WAITING), happened("s1"))
    assert _standing(console) == {"h1": State.PREPARED, "s1": State.WAITING}
    with site.services.ledger.transaction() as tx:
        tx.save(replace(tx.get(Scan, "s1"), state=State.RECEIVED), happened("s1"))
    assert _standing(console) == {"h1": State.PREPARED}


def _standing(console: Console) -> dict[str, State]:
    return {row.subject: row.state for row in console.site.overview.oldest_first(Filter())}
