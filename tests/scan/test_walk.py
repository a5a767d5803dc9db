"""What is listed of a delivery, in which order, and under which names."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from site_commands import Site, SiteInProcess

from digitizer.model.names import as_text
from digitizer.scan.walk import walk


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"plain 1.tif", "plain 1.tif"),
        ("Röntgen\n.tif".encode(), "Röntgen\n.tif"),
        (b"b\xff\xfe.tif", "b\\xff\\xfe.tif"),
    ],
)
def test_every_name_can_be_written_down(name: bytes, text: str) -> None:
    """Bytes that are no UTF-8 are told by their numbers."""
    assert as_text(os.fsdecode(name)) == text


def test_names_of_box_jacket_and_scan_are_text(tmp_path: Path) -> None:
    folder = tmp_path / "in" / os.fsdecode(b"B\xe9") / os.fsdecode(b"J\xe8")
    folder.mkdir(parents=True)
    (folder / os.fsdecode(b"\xff.tif")).write_bytes(b"II*\0")
    (found,) = walk(tmp_path / "in")
    assert (found.box, found.jacket, found.source) == (
        "B\\xe9",
        "J\\xe8",
        "B\\xe9/J\\xe8/\\xff.tif",
    )
    assert found.path.read_bytes() == b"II*\0"


def test_what_is_not_taken_in_is_told(tmp_path: Path) -> None:
    """A hidden scan, one half copied and a link; what systems leave behind is none of a clerk's."""
    jacket = tmp_path / "in" / "J"
    jacket.mkdir(parents=True)
    _, png = cv2.imencode(".png", np.full((40, 30), 90, np.uint8))
    for name in ("1.png", ".2.png", "3.png.part", "._1.png", ".DS_Store", "Thumbs.db"):
        (jacket / name).write_bytes(png.tobytes())
    (jacket / "4.png").symlink_to(jacket / "1.png")
    (tmp_path / "in" / ".box").mkdir()
    left: list[Path] = []
    assert [one.source for one in walk(tmp_path / "in", tell=left.append)] == ["J/1.png"]
    assert {one.name for one in left} == {".box", ".2.png", "3.png.part", "4.png"}
    done = SiteInProcess(tmp_path / "data").run("ingest", str(tmp_path / "in"), "--json")
    assert len(json.loads(done.stdout)["scans"]) == 1
    assert done.stderr.startswith("4 names are hidden, unfinished or a link, and not taken in: ")
    assert "4.png" in done.stderr


def test_a_file_of_any_name_is_taken_in_with_the_others(tmp_path: Path) -> None:
    """And known again when the same folder is taken in again."""
    jacket = tmp_path / "in" / "B" / "J"
    jacket.mkdir(parents=True)
    for name, grey in ((b"1.png", 90), (b"b\xff.png", 140)):
        _, png = cv2.imencode(".png", np.full((40, 30), grey, np.uint8))
        (jacket / os.fsdecode(name)).write_bytes(png.tobytes())
    site = Site(tmp_path / "data")
    for _ in range(2):
        done = site.run("ingest", str(tmp_path / "in"), "--batch", "B", "--json")
        assert done.returncode == 0, done.stderr
        scans = json.loads(done.stdout)["scans"]
        assert [scan["source"] for scan in scans] == ["B/J/1.png", "B/J/b\\xff.png"]
        assert {scan["state"] for scan in scans} == {"received"}


def test_a_file_of_any_name_is_inspected(tmp_path: Path) -> None:
    """The answer is UTF-8, whatever the name."""
    scan = tmp_path / os.fsdecode(b"b\xff.png")
    scan.write_bytes(cv2.imencode(".png", np.full((40, 30), 90, np.uint8))[1].tobytes())
    done = Site(tmp_path / "data").run("inspect", str(scan), "--json")
    assert json.loads(done.stdout)["source"] == "b\\xff.png"
