"""The report of a batch or a box: what may be released, and what not and why."""

from dataclasses import replace
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from jackets import Site, an_exam, somebody
from ledger_records import happened

from digitizer.cli import run_command
from digitizer.model.identity import JacketRecord
from digitizer.model.records import Scan, Sheet
from digitizer.model.states import WAY, State
from digitizer.pipeline.budget import report_wrong
from digitizer.pipeline.printed import printed_report
from digitizer.pipeline.reckoning import reckon_box

JANE = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
FULL = [*JANE, "DATE 03/12/1978 ACC R78-01234"]
HOSTILE = '<img src="/etc/hostname">&J2'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a box: one jacket done, one with films missing and held, one never scanned."""
    listed = [JacketRecord(jacket=name, box="BOX-1", expected_films=2) for name in ("J1", "J9")]
    listed.append(JacketRecord(jacket=HOSTILE, box="BOX-1", expected_films=3))
    site = Site.at(
        tmp_path / "data",
        [somebody("4711822", "OKONKWÖ^JANE", "1931-04-02")],
        [an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", 3)],
        listed,
    )
    verify(site, *site.jacket("J1", JANE, FULL, FULL), "J1-label")
    site.jacket(HOSTILE, JANE, FULL, ["R"])
    return site


def verify(site: Site, *films: str) -> None:
    """Take films along the rest of the way, from wherever they are."""
    with site.services.ledger.transaction() as tx:
        for film in films:
            one = tx.get(Sheet, film)
            if one.state is State.REVIEW:
                one = tx.save(replace(one, state=State.APPROVED, reasons=()), happened(film))
            for state in WAY[WAY.index(one.state) + 1 :]:
                one = tx.save(replace(one, state=state), happened(film))


def words(content: bytes) -> str:
    document = pdfium.PdfDocument(content)
    told = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return " ".join(told.split())


def keeps(site: Site) -> dict[str, tuple[str, ...]]:
    return {one.name: one.keeps for one in reckon_box(site.services, "BOX-1").jackets}


def test_a_jacket_is_released_only_when_all_of_it_is_verified(site: Site) -> None:
    """A film missing, one held, a label still on its way, a jacket never scanned: each keeps it."""
    found = keeps(site)
    assert found["J1"] == ()
    assert found["J9"] == ("on the list, never scanned",)
    assert found[HOSTILE][0] == "1 film missing"
    assert any("held" in one for one in found[HOSTILE])
    with site.services.ledger.transaction() as tx:
        late = replace(
            tx.get(Scan, "scan-J1-f2"), id="late", source="late.tif", state=State.RECEIVED
        )
        tx.add(replace(late, position=99, version=0), happened("late"))
    assert keeps(site)["J1"] == ("1 not verified yet",)
    report_wrong(site.services, "J1-f1", user="ann", reason_text="another Jane")
    assert keeps(site)["J1"][-1] == "1 found to be filed wrongly"


def test_the_report_says_what_differs_and_who_decided(site: Site, tmp_path: Path) -> None:
    """By batch from the command line, by box from the use-case; who printed it is written down."""
    out = tmp_path / "report.pdf"
    data = str(tmp_path / "data")
    assert (
        run_command(
            ["report", "--data-dir", data, "--batch", "monday", "-o", str(out), "--as", "lea"]
        )
        == 0
    )
    batch = words(out.read_bytes())
    assert "May be released: 1 of 2 jackets, 2 films." in batch
    # Broken into lines, wherever it may be.
    assert f"BOX-1/{HOSTILE}".replace(" ", "") in batch.replace(" ", "")
    assert "with no hand" in batch
    assert "Wrong filings to expect" in batch
    assert "OKONKWÖ, JANE GEN:4711822" in batch
    assert "by lea" in batch
    box = words(printed_report(site.services, by="rob", box="BOX-1"))
    assert "May be released: 1 of 3 jackets, 2 films." in box
    assert "never scanned" in box
    with site.services.ledger.reading() as view:
        printed = [(e.name, e.actor) for of in ("b1", "box:BOX-1") for e in view.events(of)]
    assert ("report_printed", "lea") in printed
    assert ("report_printed", "rob") in printed
    for wrong in (
        ["--batch", "none"],
        ["--box", "none"],
        [],
        ["--batch", "monday", "--box", "BOX-1"],
    ):
        assert (
            run_command(["report", "--data-dir", data, *wrong, "-o", str(tmp_path / "x.pdf")]) == 2
        )
    assert not (tmp_path / "x.pdf").exists()
