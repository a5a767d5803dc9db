"""Whether a disc or an old PACS may be released: only when nothing of it is left unseen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
from old_town import OldSite, an_index

from digitizer.model.older import Keep, OldInstance, Source, SourceKind
from digitizer.pipeline.older import reconcile
from digitizer.pipeline.older.printed import printed_source
from digitizer.pipeline.older.sources import add_source
from digitizer.pipeline.older.stock import stock

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[OldSite]:
    with OldSite.at(tmp_path) as made:
        an_index(made.services)
        yield made


def looked_through(
    site: OldSite, folder: Path, files: dict[str, bytes], keep: Keep = Keep.VAULT
) -> Source:
    """Look through a disc of some files; nothing is sent."""
    for place, content in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    source = add_source(
        site.services, folder.name, SourceKind.FOLDER, str(folder), user="ann", keep=keep
    )
    stock(site.services, source.id)
    with site.services.ledger.reading() as view:
        return view.get(Source, source.id)


def told(site: OldSite, source: Source) -> dict[str, Any]:
    with site.services.ledger.reading() as view:
        return reconcile.source_json(view, source)


def printed(site: OldSite, source: Source) -> str:
    """Return the report as text."""
    pages = pdfium.PdfDocument(printed_source(site.services, source, by="kay"))
    return " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pages).split())


def rows(site: OldSite, source: Source, name: str) -> list[OldInstance]:
    return list(reconcile.listed(site.services, source, name))


def test_an_image_that_cannot_be_opened_is_not_released(site: OldSite, tmp_path: Path) -> None:
    """By its content or its name: what it holds is not known, and it is kept."""
    garbled = b"\0" * 0x8001 + b"CD001" + b"\1" * 5000
    files = {"A.BIN": garbled, "B.ISO": b"no image at all", "INDEX.HTM": b"<html>"}
    source = looked_through(site, tmp_path / "disc", files)
    assert told(site, source)["refused"] == {"corrupt_file": 2, "no_instance": 1}
    assert [row.place for row in rows(site, source, "refused") if row.pack][:2] == [
        "A.BIN", "B.ISO"]  # fmt: skip
    assert "May not be released: files that are damaged, and only here: 2" in printed(site, source)
