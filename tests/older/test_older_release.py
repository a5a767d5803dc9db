"""Whether a disc or an old PACS may be released: only when nothing of it is left unseen."""

import gc
import io
from pathlib import Path
from typing import Any

import pydicom
import pytest
from old_instances import an_instance
from old_town import OldSite
from pydicom.fileset import FileSet

from digitizer import dicom
from digitizer.model.older import Keep, OldInstance, Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.pipeline.older import lists, reconcile
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.older.sources import add_source
from digitizer.pipeline.older.stock import stock

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
    # pydicom's file set leaves its temporary folder to be cleaned up with it.
    pytest.mark.filterwarnings("ignore:.*finalize:pytest.PytestUnraisableExceptionWarning"),
]


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


def rows(site: OldSite, source: Source, name: str) -> list[OldInstance]:
    return list(lists.listed(site.services, source, name))


def test_an_image_that_cannot_be_opened_is_not_released(site: OldSite, tmp_path: Path) -> None:
    """By its content or its name: what it holds is not known, and it is kept."""
    garbled = b"\0" * 0x8001 + b"CD001" + b"\1" * 5000
    files = {"A.BIN": garbled, "B.ISO": b"no image at all", "INDEX.HTM": b"<html>"}
    source = looked_through(site, tmp_path / "disc", files)
    assert told(site, source)["refused"] == {"corrupt_file": 2, "no_instance": 1}
    assert [row.place for row in rows(site, source, "refused") if row.pack][:2] == [
        "A.BIN", "B.ISO"]  # fmt: skip
    assert "May not be released: files that are damaged, and only here: 2" in site.report(source)


def a_disc(folder: Path) -> bytes:
    """Write a disc of eight instances with its own list; return the list."""
    files = FileSet()
    for number in range(1, 9):
        files.add(pydicom.dcmread(io.BytesIO(an_instance(study="dd", number=number))))
    files.write(folder)
    del files
    # Now, while what its temporary folder says of that is not minded.
    gc.collect()
    return (folder / "DICOMDIR").read_bytes()


@pytest.mark.parametrize("share", [0.99, 0.3, 0.12])
def test_a_list_that_ends_too_early_is_damaged(site: OldSite, tmp_path: Path, share: float) -> None:
    """Of what it named the rest is not known; what it still names is compared."""
    disc = tmp_path / "disc"
    content = a_disc(disc)
    for path in sorted(disc.rglob("*"))[1:]:
        if path.is_file():
            path.unlink()
    source = looked_through(site, disc, {"DICOMDIR": content[: int(len(content) * share)]})
    assert told(site, source)["refused"] == {"truncated_file": 1}
    left = len(dicom.listed_files(content[: int(len(content) * share)], "DICOMDIR"))
    assert told(site, source)["missing"] == left
    assert "files that are damaged, and only here: 1" in site.report(source)


def test_a_list_is_whole_with_noughts_behind_it(site: OldSite, tmp_path: Path) -> None:
    """Copied by sectors; nothing is wrong with it."""
    disc = tmp_path / "disc"
    content = a_disc(disc)
    source = looked_through(site, disc, {"DICOMDIR": content + b"\0" * 1000})
    assert told(site, source)["refused"] == {"no_instance": 1}
    assert told(site, source)["missing"] == 0


def test_what_a_disc_holds_beside_its_pictures_is_kept(site: OldSite, tmp_path: Path) -> None:
    """Reports and pictures for a patient's eyes: not brought over, and nothing of it is lost."""
    files = {"REPORT.PDF": b"%PDF-1.4 report", "PIC.JPG": b"\xff\xd8\xff\xe0" + b"\1" * 300}
    source = looked_through(site, tmp_path / "disc", files)
    kept = {
        row.place: original(site.services, source, row) for row in rows(site, source, "refused")
    }
    assert files == kept
    assert all(row.pack for row in rows(site, source, "refused"))
    report = site.report(source)
    assert "no DICOM instances, and are not brought over: 2" in report
    assert "it is kept in the vault" in report


def test_what_stays_at_its_place_is_not_said_to_be_kept(site: OldSite, tmp_path: Path) -> None:
    """A storage folder is left as it is, its other files as well."""
    source = looked_through(site, tmp_path / "disc", {"A.TXT": b"text"}, Keep.PLACE)
    assert [row.pack for row in rows(site, source, "refused")] == [""]
    assert "it is kept in the vault" not in site.report(source)


def test_links_are_told_and_not_followed(site: OldSite, tmp_path: Path) -> None:
    """One that leads out of a source may lead to pictures: it is not released over it."""
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "disc"
    elsewhere.mkdir()
    (elsewhere / "1").write_bytes(an_instance(number=1))
    (folder / "sub").mkdir(parents=True)
    (folder / "volume2").symlink_to(elsewhere)
    (folder / "one").symlink_to(elsewhere / "1")
    (folder / "nowhere").symlink_to("gone")
    (folder / "within").symlink_to("sub/2.TXT")
    (folder / "round").symlink_to("round")
    source = looked_through(site, folder, {"sub/2.TXT": b"text"})
    found = {row.place: (row.code, row.note) for row in rows(site, source, "found")}
    outside = {place for place, (code, _) in found.items() if code is Code.LINK_OUTSIDE}
    assert outside == {"volume2", "one", "nowhere", "round"}
    assert found["within"] == (
        Code.NO_INSTANCE,
        "A link to sub/2.TXT, which is looked at there.",
    )
    assert found.keys() == {*outside, "within", "sub/2.TXT"}
    assert "links that lead out of it: 4" in site.report(source)


def test_a_source_named_by_a_link_is_looked_through(site: OldSite, tmp_path: Path) -> None:
    """Who names a link means what it leads to."""
    (tmp_path / "real").write_bytes(b"text")
    (tmp_path / "link").symlink_to("real")
    source = looked_through(site, tmp_path / "link", {})
    assert told(site, source)["refused"] == {"no_instance": 1}


def test_a_link_that_a_row_names_is_not_passed_over(site: OldSite, tmp_path: Path) -> None:
    """The index file says that it is somebody's picture."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "real.png").write_bytes(b"\x89PNG")
    (folder / "link.png").symlink_to("real.png")
    (folder / "index.csv").write_text("file,patient_id\nlink.png,4711822\n")
    (folder / "fields.toml").write_text('[columns]\nfile = "file"\npatient_id = "patient_id"\n')
    source = add_source(
        site.services, "export", SourceKind.PICTURES, str(folder), user="ann",
        options={"index": "index.csv", "mapping": "fields.toml"},
    )  # fmt: skip
    stock(site.services, source.id)
    assert told(site, source)["refused"]["corrupt_file"] == 1
