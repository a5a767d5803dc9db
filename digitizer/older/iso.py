"""Images of discs (ISO 9660, Joliet, Rock Ridge, UDF), read without mounting them."""

import weakref
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from pycdlib import PyCdlib

from digitizer.errors import BadScan

__all__ = ["DiscImage", "is_image"]

_MAGIC, _AT = b"CD001", 0x8001


def is_image(path: Path) -> bool:
    """Tell whether a file is an image of a disc (ECMA-119 8.1): by its content, not its name."""
    try:
        with path.open("rb") as file:
            file.seek(_AT)
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


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
            self._disc.open(str(path))
        except Exception as error:
            # pycdlib raises nearly anything over hostile bytes.
            raise BadScan("corrupt_file", "The image of the disc cannot be read.") from error
        # Closed with us at the latest: a disc that is out of sight is not held on to.
        self.close = weakref.finalize(self, self._disc.close)
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


def _plain(place: str) -> str:
    """Return a place without the version and the empty extension of ISO 9660."""
    folder, slash, name = place.rpartition("/")
    return f"{folder}{slash}{name.partition(';')[0].rstrip('.')}"
