"""Images of discs (ISO 9660, Joliet, Rock Ridge, UDF), read without mounting them."""

import weakref
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from pathlib import Path

from pycdlib import PyCdlib

from digitizer.errors import BadScan
from digitizer.older.raw_sectors import SECTOR, STARTS, SYNC, RawSectors

__all__ = ["DiscImage", "is_image", "is_named_image"]

_MAGICS = (b"CD001", b"BEA01")
"""What the first descriptor of a volume is called (ECMA-119 8.1, ECMA-167 2/9.1)."""
_AT, _FIRST = 0x8001, 16
"""Where it is called so, and in which sector."""
_SUFFIXES = (".iso", ".img", ".nrg", ".cdr", ".toast")


def is_image(path: Path) -> bool:
    """Tell whether a file is an image of a disc, also one of raw sectors: by its content."""
    try:
        with path.open("rb") as file:
            return _raw_start(file) is not None or _is_volume(file, _AT)
    except OSError:
        return False


def is_named_image(place: str) -> bool:
    """Tell whether a file is called as images of discs are."""
    return place.lower().endswith(_SUFFIXES)


def _raw_start(file: BufferedReader) -> int | None:
    """Return where the data begin in each sector of a raw image; None where it is none."""
    if file.read(len(SYNC)) != SYNC:
        return None
    starts = [start for start in STARTS if _is_volume(file, _FIRST * SECTOR + start + 1)]
    return starts[0] if starts else STARTS[0]


def _is_volume(file: BufferedReader, at: int) -> bool:
    file.seek(at)
    return file.read(5) in _MAGICS


def _stream(path: Path) -> BufferedReader:
    file = path.open("rb")
    start = _raw_start(file)
    if start is None:
        file.seek(0)
        return file
    file.close()
    return BufferedReader(RawSectors(path, start))


class DiscImage:
    """One image, open until it is closed.

    Raises
    ------
    BadScan
        The image is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._disc = PyCdlib()
        try:
            stream = _stream(path)
        except OSError as error:
            raise BadScan("corrupt_file", "The image of the disc cannot be read.") from error
        try:
            self._disc.open_fp(stream)
        except Exception as error:
            stream.close()
            # pycdlib raises nearly anything over hostile bytes.
            raise BadScan("corrupt_file", "The image of the disc cannot be read.") from error
        # Closed with us at the latest: a disc that is out of sight is not held on to.
        self.close = weakref.finalize(self, _close, self._disc, stream)
        self._by = self._tree()

    def _tree(self) -> str:
        """Return the tree with the longest names that the image has."""
        if self._disc.has_udf():
            return "udf_path"
        if self._disc.has_rock_ridge():
            return "rr_path"
        return "joliet_path" if self._disc.has_joliet() else "iso_path"

    def files(self) -> Iterator[str]:
        """Yield the places of all files, in the order of their parts."""
        found = []
        try:
            for folder, _, names in self._disc.walk(**{self._by: "/"}):
                inside = folder.strip("/")
                found += [f"{inside}/{name}" if inside else name for name in names]
        except Exception as error:
            # pycdlib raises nearly anything over hostile bytes.
            raise BadScan("corrupt_file", "The image of the disc cannot be read.") from error
        places = map(_plain, found) if self._by == "iso_path" else found
        yield from sorted(places, key=lambda place: tuple(place.split("/")))

    def read(self, place: str, largest: int) -> bytes:
        """Return a file's bytes; raises :class:`~digitizer.errors.BadScan`."""
        try:
            path = self._path(place)
            size = self._disc.get_record(**{self._by: path}).get_data_length()
            out = BytesIO()
            if size <= largest:
                self._disc.get_file_from_iso_fp(out, **{self._by: path})
        except Exception as error:
            # pycdlib raises nearly anything over hostile bytes.
            raise BadScan("corrupt_file", "The file cannot be read from the image.") from error
        if size > largest:
            raise BadScan("too_large", "The file is larger than allowed.")
        if size and not out.tell():
            raise BadScan("truncated_file", "The image of the disc ends before this file.")
        return out.getvalue()

    def _path(self, place: str) -> str:
        """Return the image's own path: plain ISO 9660 names end in their version."""
        if self._by != "iso_path":
            return f"/{place}"
        folder, _, name = f"/{place}".rpartition("/")
        return f"{folder}/{name};1" if "." in name else f"{folder}/{name}.;1"

    def has(self, place: str) -> bool:
        """Tell whether there is such a file, in whatever capitals."""
        return place.upper() in {one.upper() for one in self.files()}


def _close(disc: PyCdlib, stream: BufferedReader) -> None:
    disc.close()
    stream.close()


def _plain(place: str) -> str:
    """Return a place without the version and the empty extension of ISO 9660."""
    folder, slash, name = place.rpartition("/")
    return f"{folder}{slash}{name.partition(';')[0].rstrip('.')}"
