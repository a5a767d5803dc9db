"""Discs with a DICOMDIR, an image of one, and what goes wrong with files."""

import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import cv2
import numpy as np
from pycdlib import PyCdlib
from pydicom import Dataset, dcmread
from pydicom.config import disable_value_validation
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

__all__ = ["damage", "lettered", "write_disc", "write_image"]

File = dict[str, object]
_UNLISTED = "MISC"
"""Folder of a disc for what its list cannot name."""
_PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def write_disc(out: Path, disc: Path, files: Sequence[File]) -> None:
    """Write files onto a disc as PS3.10 lays it out; the truth then has their new paths.

    What no directory record describes (PS3.3 F.5) lies on the disc beside the DICOMDIR.
    """
    placed = _laid_out(disc, [dcmread(out / str(one["path"])) for one in files])
    for one in files:
        path = placed.get(str(one["sop_instance"]))
        content = (out / str(one["path"])).read_bytes()
        if path is None:
            path = disc / _UNLISTED / f"{len(list(disc.rglob('*'))):08d}"
            path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)  # as it was written, whatever the file-set writer makes of it
        one["path"] = path.relative_to(out).as_posix()


def _laid_out(disc: Path, datasets: Sequence[Dataset]) -> dict[str, Path]:
    """Write a file-set; returns where each instance lies that has a record."""
    with warnings.catch_warnings():
        # pydicom leaves the clearing up of its staging folders to chance.
        warnings.simplefilter("ignore", ResourceWarning)
        fileset = FileSet()
        for dataset in datasets:
            with suppress(ValueError, NotImplementedError):
                fileset.add(dataset)
        fileset.write(disc)
        placed = {str(one.SOPInstanceUID): Path(one.path) for one in fileset}
        fileset._stage["t"].cleanup()
        del fileset
    return placed


def write_image(disc: Path, image: Path) -> None:
    """Write a disc as an ISO 9660 image with Joliet names."""
    iso = PyCdlib()
    iso.new(interchange_level=1, joliet=3)
    for path in sorted(disc.rglob("*")):
        inside = path.relative_to(disc)
        name = f"/{inside.as_posix()}"
        if path.is_dir():
            iso.add_directory(name.upper(), joliet_path=name)
        else:
            iso.add_file(str(path), f"{name.upper()};1", joliet_path=name)
    iso.write(str(image))
    iso.close()


def lettered(dataset: Dataset, text: str) -> bytes:
    """Return native 8-bit grey Pixel Data with a text in every frame."""
    rows, columns = dataset.Rows, dataset.Columns
    frames = np.frombuffer(dataset.PixelData, np.uint8).reshape(-1, rows, columns).copy()
    for frame in frames:
        frame[: rows // 4] = 0
        cv2.putText(frame, text, (1, rows // 6), cv2.FONT_HERSHEY_PLAIN, 0.6, 255)
    return frames.tobytes()


def damage(out: Path, files: list[File], rng: Random) -> None:
    """Spoil some files of discs and storage, and add what is none; the truth says which."""
    for place in ("discs", "storage"):
        mine = [one for one in files if one["place"] == place]
        rng.shuffle(mine)
        few = max(1, len(mine) // 60)
        hands = [_cut_off, _bare, _twice, _collide] + ([_take_away] if place == "discs" else [])
        untouched = list(mine)
        for hand in hands:
            fit = [one for one in untouched if one["syntax"] in _PLAIN or hand is not _bare]
            if hand is _take_away:
                # What no list names is not missed.
                fit = [one for one in fit if f"/{_UNLISTED}/" not in str(one["path"])]
            for one in fit[:few]:
                untouched.remove(one)
                files += hand(out, one)
        if mine:
            junk = (out / str(mine[0]["path"])).parent
            for name, content in (("README.TXT", b"Viewer for Windows 95\r\n"),
                                  ("AUTORUN.INF", b"[autorun]\r\nopen=view.exe\r\n"),
                                  ("EMPTY", b"")):  # fmt: skip
                path = junk / name
                path.write_bytes(content)
                files.append(_row(place, path.relative_to(out).as_posix(), "junk"))


def _row(place: str, path: str, fault: str) -> File:
    row = dict.fromkeys(("study", "sop_instance", "sop_class", "syntax", "pixels"), "")
    return {"place": place, "path": path, **row, "fault": fault}


def _cut_off(out: Path, one: File) -> list[File]:
    path = out / str(one["path"])
    content = path.read_bytes()
    path.write_bytes(content[: max(300, len(content) * 2 // 3)])
    one["fault"] = "truncated"
    return []


def _bare(out: Path, one: File) -> list[File]:
    """Write implicit VR without preamble and file meta information, as before 1996."""
    path = out / str(one["path"])
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    with disable_value_validation():
        dataset.save_as(path, implicit_vr=True, little_endian=True)
    content = path.read_bytes()
    start = 0
    if content[128:132] == b"DICM":
        start = 132 + 12 + int.from_bytes(content[140:144], "little")
    path.write_bytes(content[start:])
    one["fault"], one["syntax"] = "no_preamble", str(ImplicitVRLittleEndian)
    return []


def _twice(out: Path, one: File) -> list[File]:
    path = out / str(one["path"])
    copy = path.with_name(f"{path.stem}.2X")
    copy.write_bytes(path.read_bytes())
    return [{**one, "path": copy.relative_to(out).as_posix(), "fault": "duplicate"}]


def _collide(out: Path, one: File) -> list[File]:
    """Add another content under the same SOP Instance UID."""
    path = out / str(one["path"])
    dataset = dcmread(path)
    dataset.ImageComments = "ANOTHER CONTENT UNDER THE SAME UID"
    other = path.with_name(f"{path.stem}.3X")
    with disable_value_validation():
        dataset.save_as(other, enforce_file_format=True)
    return [{**one, "path": other.relative_to(out).as_posix(), "fault": "collision"}]


def _take_away(out: Path, one: File) -> list[File]:
    (out / str(one["path"])).unlink()
    one["fault"] = "missing"
    return []
