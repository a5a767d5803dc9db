"""A day at the console, in real browsers on a running `digitizer serve`: the sample room comes in.

A clerk feeds it, a reviewer decides all that is asked by keyboard alone, a lead watches it end and
writes it out. The truth of the room is known to the reviewer, as the films would be on a light box;
what was written out is held against it.
"""

import csv
import json
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from browsers import OFFICE, hear, keep, running_chromium, signs_in
from orthanc_server import free_port
from playwright.sync_api import Page, expect
from site_commands import Site
from waiting import wait_until

ROOM = Path(__file__).parents[2] / "samples" / "room"
FIRST, OWN = "a first passphrase", "one of my very own"
JACKETS = ("F76-0001", "C79-0002", "D82-0003")


@dataclass(frozen=True)
class Truth:
    """What lies in the room, by source."""

    scans: dict[str, dict[str, Any]]

    @classmethod
    def read(cls) -> "Truth":
        """Read it."""
        document = json.loads((ROOM / "truth.json").read_text())
        return cls({one["source"]: one for one in document["scans"]})

    def film(self, source: str) -> dict[str, Any] | None:
        """Return the film, or the first of several, of a scan."""
        films = self.scans[source]["films"]
        return films[0] if films else None

    def owner(self, jacket: str) -> str:
        """Return whose jacket it is, by the number on its label."""
        labels = [one["label"] for name, one in self.scans.items() if f"/{jacket}/" in name]
        return str(next(one["patient_id"] for one in labels if one))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return a running server that knows the room's index and three people."""
    site = Site(
        tmp_path / "data",
        DIGITIZER_PIPELINE__JACKET_QUIET_S="3",
        DIGITIZER_PIPELINE__UNDO_WINDOW_S="0",
        DIGITIZER_CONSOLE__PORT=str(free_port()),
        DIGITIZER_LISTENER__PORT=str(free_port()),
    )
    site.here.import_index(ROOM)
    for name, role in (("rec", "records"), ("ann", "reviewer"), ("lea", "lead")):
        added = site.here.run("users", "add", name, "--role", role, "--password-stdin", stdin=FIRST)
        assert added.returncode == 0, added.stderr
    process = site.start("serve")
    try:
        yield site
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture
def open_page(site: Site) -> Iterator[Callable[[str], Page]]:
    """Sign somebody in for the first time; fail at the end when a page complained."""
    address = f"http://127.0.0.1:{site.settings['DIGITIZER_CONSOLE__PORT']}"
    complaints: list[str] = []
    with running_chromium() as chromium:

        def sign_in(name: str) -> Page:
            context = chromium.new_context(viewport=OFFICE, base_url=address)  # type: ignore[arg-type]
            page = context.new_page()
            page.set_default_timeout(30_000)
            wait_until(lambda: answers(address), 60)
            hear(page, complaints)
            signs_in(page, "/sign-in", name, FIRST)
            # Whoever gave the first password must not know the second.
            expect(page.locator('[name="old"]')).to_be_focused()
            for text in (FIRST, OWN, OWN):
                page.keyboard.type(text)
                page.keyboard.press("Tab")
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return page

        yield sign_in
    assert complaints == []


def answers(address: str) -> bool:
    """Tell whether the server is there already."""
    try:
        with urlopen(f"{address}/healthz", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_day_at_the_console(site: Site, open_page: Callable[[str], Page], tmp_path: Path) -> None:
    """Nothing is lost, nobody's film goes to anybody else, and the last figure shows by itself."""
    truth = Truth.read()
    lead = open_page("lea")
    lead.goto("/migration")
    feeds(open_page("rec"), truth)
    wait_until(lambda: site.here.json("batch", "show", "monday")["settled"], 180)
    decided = decides(open_page("ann"), truth)
    expect(lead.locator(".live-words")).to_have_text("Live")
    wait_until(lambda: under_way(lead) == 0 and verified(lead) >= len(decided), 120)
    keep(lead, "day-end")
    with lead.expect_download() as report:
        lead.get_by_role("button", name="Report of monday").click()
        lead.get_by_role("link", name="Download").click()
    assert report.value.suggested_filename == "digitizer-monday.pdf"
    lead.goto("/work")
    with lead.expect_download() as download:
        lead.get_by_role("link", name="Write out as CSV").click()
    download.value.save_as(tmp_path / "work.csv")
    with (tmp_path / "work.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    # Every scan of the room is told of, each film of a known patient is filed, none wrongly.
    assert {row["source"] for row in rows} == set(truth.scans)
    films = [row for row in rows if row["kind"] == "film" and truth.film(row["source"])]
    for row in films:
        film = truth.film(row["source"])
        assert film is not None
        if film["in_index"]:
            assert (row["state"], row["patient_id"]) == ("verified", film["patient_id"]), row
        else:
            assert (row["state"], row["patient_id"]) == ("review", ""), row
    assert {row["decided_by"] for row in films} == {"auto", "ann", ""}


def feeds(page: Page, truth: Truth) -> None:
    """Feed jacket after jacket, each by its name, and compare with the list at the end."""
    expect(page.locator('[name="batch"]')).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("monday")
    page.keyboard.press("Tab")
    page.keyboard.type("BOX-001")
    page.keyboard.press("Enter")
    for number, jacket in enumerate(JACKETS):
        if number:
            page.keyboard.press("n")
        expect(page.locator('[name="next_jacket"]')).to_be_focused()
        page.keyboard.type(jacket)
        page.keyboard.press("Enter")
        expect(page.locator("#feed h2")).to_contain_text(jacket)
        expect(page.locator("body[data-ready]")).to_be_attached()
        files = sorted((ROOM / "scans" / "BOX-001" / jacket).iterdir())
        page.locator("#files").set_input_files(files)
        expect(page.locator("#sending")).to_have_text(f"{len(files)} of {len(files)} taken in.")
        expect(page.locator(".count b").first).to_have_text(str(len(files)))
        if jacket == "C79-0002":
            expect(page.locator(".fed .bad").filter(has_text="0006.tif")).to_contain_text(
                "The file is empty."
            )
            keep(page, "day-feed")
    page.get_by_role("button", name="Close the batch").click()
    expect(page.locator("h1")).to_contain_text("closed")
    expect(page.locator("tbody tr")).to_have_count(len(JACKETS))


def decides(page: Page, truth: Truth) -> list[str]:
    """Decide everything by keyboard; return what was filed."""
    filed: list[str] = []
    page.goto("/review")
    while not page.get_by_text("Nothing here for you now").is_visible():
        expect(page.locator("main")).to_contain_text("in review")
        at = page.url
        where = page.locator("section .where, .card p").first.inner_text()
        jacket = next(one for one in JACKETS if one in where)
        if "/review/jackets/" in at:
            keep(page, "day-silent")
            files(page, truth.owner(jacket), "2 films")
        elif page.get_by_role("button", name="Reject this scan").is_visible():
            # Blank, or nothing that is kept: its button has the focus.
            with page.expect_navigation():
                page.keyboard.press("Enter")
        else:
            found = re.search(r"\b\d{4}\.(tif|png|jpg)\b", where)
            assert found is not None, where
            source = f"BOX-001/{jacket}/{found[0]}"
            filed += decides_one(page, truth, source, jacket)
        assert page.url != at or page.get_by_text("Nothing here").is_visible()
    keep(page, "day-reviewed")
    return filed


def decides_one(page: Page, truth: Truth, source: str, jacket: str) -> list[str]:
    """File what is of a known patient; put the rest aside with the reason."""
    film, owner = truth.film(source), truth.owner(jacket)
    if film is not None and film["in_index"]:
        files(page, film["accession_number"], "", day=film["study_date"])
        return [source]
    if film is None and owner in (ROOM / "patients.csv").read_text():
        files(page, owner, "")
        return [source]
    expect(page.locator("body[data-ready]")).to_be_attached()
    page.keyboard.press("h")
    page.keyboard.type("not in the index: ask the front desk")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return []


def files(page: Page, asked: str, said: str, *, day: str = "") -> None:
    """Search, choose what is found first, its exam by its day; look at the whole, and file."""
    expect(page.locator("body[data-ready]")).to_be_attached()
    page.keyboard.press("/")
    page.keyboard.type(asked)
    expect(page.locator("#found [data-choice]")).to_have_count(1)
    page.keyboard.press("Enter")
    if day:
        page.keyboard.press("d")
        page.keyboard.type(day)
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_contain_text(said or asked)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def under_way(page: Page) -> int:
    """Return how many the lead's page, never loaded anew, shows between feeding and archive."""
    return sum(int(text) for text in page.locator(".way li:not(.done) b").all_inner_texts())


def verified(page: Page) -> int:
    """Return how many it shows as verified."""
    return int(page.locator(".way li.done b").inner_text())
