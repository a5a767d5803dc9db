"""Printed reports: any text is shown as it stands, in type that is embedded, on numbered pages."""

from datetime import UTC, datetime

import pypdfium2 as pdfium
import pytest

from digitizer.pipeline.paper import Paper

NOON = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)


def text_of(content: bytes) -> list[str]:
    document = pdfium.PdfDocument(content)
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return pages


@pytest.fixture(scope="module")
def printed() -> bytes:
    """Return a report of every kind of part, longer than a page."""
    paper = Paper("Batch <b>monday</b>", made_at=NOON, by="léa")
    paper.heading("Where the films are")
    paper.text('<img src="file:///etc/hostname"/> & <font size="400">huge</font>')
    paper.bars([0, 3, 12], ["08", "09", "10"], "Films verified by the hour")
    rows = [(f"J-{n}", "ÅSTRÖM, Žofia Ἀλέξανδρος Ёлкина", n) for n in range(80)]
    paper.table(("Jacket", "Patient", "Films"), rows, widths=(1, 3, 1), numbers=(2,))
    paper.table(("Source",), [("bad\x00\x1b\ud800\u202efdp.tif " + "x" * 100_000,)])
    paper.signature("May be released: 3 films.", ("Migration lead", "Records"))
    return paper.pdf()


def test_pages_are_numbered_and_signed(printed: bytes) -> None:
    """Every page tells its number, who printed it, and the head of a table that goes on."""
    pages = text_of(printed)
    assert len(pages) >= 3
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "by léa" in page
    assert all("Patient" in page for page in pages[:2])
    assert "Migration lead" in pages[-1]
    assert "May be released: 3 films." in pages[-1]


def test_hostile_text_is_shown_as_it_stands(printed: bytes) -> None:
    """Markup is text; what cannot be printed is marked; no cell outgrows a page."""
    whole = " ".join(" ".join(text_of(printed)).split())
    assert "Batch <b>monday</b>" in whole
    assert '<img src="file:///etc/hostname"/> & <font size="400">huge</font>' in whole
    assert "ÅSTRÖM, Žofia Ἀλέξανδρος Ёлкина" in whole
    assert "\u202e" not in whole
    assert whole.count("x" * 40) < 20


def test_the_type_face_is_embedded(printed: bytes) -> None:
    """It prints the same on every machine."""
    assert printed.count(b"/FontFile2") >= 2
    assert b"DejaVuSans" in printed
