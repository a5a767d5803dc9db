"""Older archives of files: discs, folders, another archive's own storage, images of discs.

Nothing is ever changed, moved or deleted there. Links are told and not followed: what lies outside
of the place that was named is not of this source.
"""

import os
import re
import stat
from collections.abc import Iterator
from heapq import nsmallest
from pathlib import Path, PurePosixPath

from digitizer.errors import BadScan, SourceUnreachable
from digitizer.model.names import as_text
from digitizer.older.iso import DiscImage, is_image, is_named_image

__all__ = ["INSIDE", "FolderSource"]

INSIDE = "//"
"""Between an image of a disc and a place inside of it."""
_ESCAPED = re.compile(r"\\x[89a-f][0-9a-f]")
_UNLISTED = "(folder that may not be read)"
_REMEDY = "Put the disc in, or mount the folder, and it goes on."


class FolderSource:
    """Implements :class:`digitizer.ports.FileSource` for a folder, a file, or an image of a disc.

    Parameters
    ----------
    root : Path
        Folder or single file.
    largest : int
        Bytes from which on a file is not taken.
    names_at_once : int
        Of one folder in memory; one that holds more is listed several times.

    Raises
    ------
    SourceUnreachable
        It is not there.
    """

    def __init__(self, root: Path, largest: int, names_at_once: int = 50_000) -> None:
        self._root = root
        self._names_at_once = names_at_once
        self._largest = largest
        self._image: tuple[str, DiscImage] | None = None
        if not root.exists():
            raise SourceUnreachable(f"There is no {root}.", remedy=_REMEDY)

    def files(self, after: str) -> Iterator[str]:
        """Yield the places of all files, folder by folder in the order of names.

        An image of a disc is a folder of its own: ``DISC.ISO//IMAGES/IM1``.
        """
        behind = tuple(after.split("/")) if after else ()
        if self._root.is_file():
            yield from self._file(self._root.name, behind, self._root)
            return
        yield from self._walk(self._root, (), behind)

    def _walk(self, folder: Path, parts: tuple[str, ...], behind: tuple[str, ...]) -> Iterator[str]:
        depth = len(parts)
        least = behind[depth] if behind[:depth] == parts and len(behind) > depth else ""
        for told, name, is_folder in self._entries(folder, parts, least):
            here = (*parts, told)
            if behind and here < behind[: len(here)]:
                continue
            if is_folder:
                yield from self._walk(folder / name, here, behind)
            else:
                yield from self._file("/".join(here), behind, folder / name)

    def _entries(
        self, folder: Path, parts: tuple[str, ...], least: str
    ) -> Iterator[tuple[str, str, bool]]:
        """Yield what lies in a folder; one inside that may not be listed is an entry itself."""
        try:
            some = _entries(folder, least, [], self._names_at_once)
            while some:
                yield from some
                full = len(some) == self._names_at_once
                some = _entries(folder, least, some[-1:], self._names_at_once) if full else []
        except PermissionError:
            if not parts:
                raise SourceUnreachable(
                    f"{folder} cannot be listed: it may not be read.", remedy=_REMEDY
                ) from None
            yield _UNLISTED, _UNLISTED, False

    def _file(self, place: str, behind: tuple[str, ...], path: Path) -> Iterator[str]:
        image = self._image_at(place, path)
        if image is not None:
            for inner in image.files():
                whole = f"{place}{INSIDE}{inner}"
                if tuple(whole.split("/")) > behind:
                    yield whole
        elif tuple(place.split("/")) > behind:
            yield place

    def _image_at(self, place: str, path: Path) -> DiscImage | None:
        """Return the image of a disc that a file is; one in which nothing is seen is a file."""
        if not self._is_file(path) or not is_image(path):
            return None
        try:
            image = self._opened(place)
            return image if next(image.files(), None) is not None else None
        except BadScan:
            return None

    def is_image(self, place: str) -> bool:
        """Tell whether a file is an image of a disc, by its content or by its name."""
        inside = INSIDE in place
        path = self._path(place.partition(INSIDE)[0])
        if inside or not self._is_file(path):
            return inside and is_named_image(place)
        return is_named_image(place) or is_image(path)

    @staticmethod
    def _is_file(path: Path) -> bool:
        try:
            return stat.S_ISREG(path.lstat().st_mode)
        except OSError:
            return False

    def read(self, place: str) -> bytes:
        """Return a file's bytes.

        Raises
        ------
        BadScan
            It cannot be read: a scratched disc, a file larger than allowed, no permission.
        SourceUnreachable
            The whole source is gone.
        """
        outer, inside, inner = place.partition(INSIDE)
        if inside:
            return self._opened(outer).read(inner, self._largest)
        if place.endswith(_UNLISTED):
            raise BadScan("corrupt_file", "This folder cannot be listed: it may not be read.")
        path = self._path(outer)
        try:
            self._check_link(path)
            return self._read(path)
        except OSError as error:
            if not self._root.exists():
                raise SourceUnreachable(f"There is no {self._root}.", remedy=_REMEDY) from None
            why = error.strerror or type(error).__name__
            raise BadScan("corrupt_file", f"The file cannot be read: {why}.") from None

    def _check_link(self, path: Path) -> None:
        """Refuse a link; say whether what it leads to is looked at at its own place."""
        if not path.is_symlink():
            return
        to, root = Path(os.path.realpath(path)), Path(os.path.realpath(self._root))
        if to.is_relative_to(root) and to.exists():
            inside = as_text(str(to.relative_to(root)))
            raise BadScan("unsupported_format", f"A link to {inside}, which is looked at there.")
        raise BadScan("link_outside", f"A link to {as_text(str(path.readlink()))}, not followed.")

    def _read(self, path: Path) -> bytes:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            told = os.fstat(file.fileno())
            if not stat.S_ISREG(told.st_mode):
                raise BadScan("unsupported_format", "This is no file.")
            if told.st_size > self._largest:
                raise BadScan("too_large", "The file is larger than allowed.")
            return file.read()

    def _path(self, place: str) -> Path:
        if self._root.is_file():
            # Named by a person: a link is followed here.
            return Path(os.path.realpath(self._root))
        parts = PurePosixPath(place).parts
        if place.startswith("/") or ".." in parts:
            raise BadScan("unsupported_format", "The place lies outside of the source.")
        plain = self._root.joinpath(*parts)
        named = self._root.joinpath(*map(_named, parts))
        return plain if named == plain or plain.exists() else named

    def has(self, place: str) -> bool:
        """Tell whether there is such a file; names may differ in capitals, as discs are copied."""
        outer, inside, inner = place.partition(INSIDE)
        if inside:
            try:
                return self._opened(outer).has(inner)
            except BadScan:
                return False
        folder = self._root
        for part in map(_named, PurePosixPath(outer).parts):
            try:
                names = {entry.name for entry in folder.iterdir()}
            except OSError:
                return False
            found = part if part in names else None
            found = found or next((one for one in names if one.upper() == part.upper()), None)
            if found is None or ".." in part:
                return False
            folder = folder / found
        return folder.is_file()

    def _opened(self, place: str) -> DiscImage:
        """Return an image of a disc; the last one stays open."""
        if self._image is None or self._image[0] != place:
            if self._image is not None:
                self._image[1].close()
            self._image = (place, DiscImage(self._path(place)))
        return self._image[1]


def _named(part: str) -> str:
    """Return the name that was told so, as the system knows it."""
    if _ESCAPED.search(part) is None:
        return part
    raw = re.sub(rb"\\x([89a-f][0-9a-f])", lambda found: bytes.fromhex(found[1].decode()),
                 part.encode())  # fmt: skip
    try:
        raw.decode()
    except UnicodeDecodeError:
        return os.fsdecode(raw)
    return part


def _entries(
    folder: Path, least: str, behind: list[tuple[str, str, bool]], most: int
) -> list[tuple[str, str, bool]]:
    """Return names as told and as they are, and whether they are folders, in the order told.

    From ``least`` on, and behind an entry that was returned before, where there is one.
    """
    try:
        with os.scandir(folder) as entries:
            found = (
                (as_text(entry.name), entry.name, entry.is_dir(follow_symlinks=False))
                for entry in entries
            )
            return nsmallest(
                most, (one for one in found if one[0] >= least and (not behind or one > behind[0]))
            )
    except FileNotFoundError as error:
        raise SourceUnreachable(f"There is no {folder}.", remedy=_REMEDY) from error
    except PermissionError:
        raise
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SourceUnreachable(f"{folder} cannot be listed: {why}.", remedy=_REMEDY) from error
