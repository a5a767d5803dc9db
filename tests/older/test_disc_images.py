"""Images of discs that are raw, cut off or garbled: read where that can be, else told damaged."""

import io
from pathlib import Path

import pytest
from old_instances import an_instance
from pycdlib import PyCdlib

from digitizer.errors import BadScan
from digitizer.older.files import FolderSource

LARGEST = 1 << 30
CONTENTS = {f"IM{number}": an_instance(number=number) for number in (1, 2, 3)}


def an_image(contents: dict[str, bytes] = CONTENTS) -> bytes:
    """Return an image of a disc."""
    image = PyCdlib()
    image.new()
    for name, content in contents.items():
        image.add_fp(io.BytesIO(content), len(content), f"/{name}.;1")
    out = io.BytesIO()
    image.write_fp(out)
    image.close()
    return out.getvalue()


def raw(image: bytes, mode: int) -> bytes:
    """Return an image as raw sectors with sync, header and check sums."""
    sync = b"\0" + b"\xff" * 10 + b"\0"
    head = sync + b"\0\2\0" + bytes([mode]) + b"\0" * (8 if mode == 2 else 0)
    sectors = (image[at : at + 2048].ljust(2048, b"\0") for at in range(0, len(image), 2048))
    return b"".join((head + sector).ljust(2352, b"\xaa") for sector in sectors)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_raw_sectors_are_read(tmp_path: Path, mode: int) -> None:
    """As burning programs leave them beside a CUE: every file in it, byte for byte."""
    (tmp_path / "D.BIN").write_bytes(raw(an_image(), mode))
    source = FolderSource(tmp_path, LARGEST)
    places = list(source.files(""))
    assert [f"D.BIN//{name}" for name in CONTENTS] == places
    assert list(CONTENTS.values()) == [source.read(place) for place in places]


def test_what_the_image_ends_before_is_cut_off(tmp_path: Path) -> None:
    """A file of which nothing is there is not empty: it is missing."""
    (tmp_path / "D.ISO").write_bytes(an_image()[:-4096])
    source = FolderSource(tmp_path, LARGEST)
    with pytest.raises(BadScan) as told:
        source.read("D.ISO//IM3")
    assert told.value.code == "truncated_file"


def test_an_image_without_files_is_a_file(tmp_path: Path) -> None:
    """Nothing seen in it is not nothing in it: it has a row."""
    (tmp_path / "D.BIN").write_bytes(an_image({}))
    source = FolderSource(tmp_path, LARGEST)
    assert list(source.files("")) == ["D.BIN"]
    assert source.is_image("D.BIN")


def test_images_are_told_by_content_and_by_name(tmp_path: Path) -> None:
    """Whatever else they are; other files of a disc are none."""
    image = an_image()
    files = {
        "A.BIN": image,
        "B.BIN": raw(image, 1),
        "C.IMG": b"",
        "D.BIN": raw(b"\0" * 50_000, 1),
        "E.PDF": b"%PDF-1.4",
        "F.BIN": b"\0" * 40_000,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    source = FolderSource(tmp_path, LARGEST)
    assert list(filter(source.is_image, files)) == ["A.BIN", "B.BIN", "C.IMG", "D.BIN"]
