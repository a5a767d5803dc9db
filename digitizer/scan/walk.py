"""Listing a delivery: which files are scans, and which jacket and box hold them.

Links are not followed and nothing outside the root is taken; names that scanners, shares and
systems leave behind are passed over. Whoever asks is told of what is not taken and may be a scan.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from natsort import natsorted, ns

from digitizer.errors import UsageError
from digitizer.model.names import as_text

__all__ = ["FoundFile", "walk"]

_SUFFIXES = (".partial", ".part", ".tmp", ".filepart", ".crdownload")
_NAMES = frozenset({"thumbs.db", "desktop.ini", "@eadir", ".ds_store"})
_APPLE_DOUBLE = "._"
"""Before the name of a file on a foreign disk: where macOS keeps what the disk cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """One file of a delivery; ``source`` is its path below the root, with "/".

    The names are text: see :func:`~digitizer.model.names.as_text`.
    """

    path: Path
    source: str
    box: str | None
    jacket: str | None


def _is_ignored(name: str) -> bool:
    """Tell whether a name is hidden, partial, or a system's own."""
    lower = name.lower()
    return lower.startswith((".", "~")) or lower in _NAMES or lower.endswith(_SUFFIXES)


def _is_of_a_system(name: str) -> bool:
    """Tell whether a name is never a scan's."""
    return name.lower() in _NAMES or name.startswith(_APPLE_DOUBLE)


def walk(
    root: Path,
    passed_over: frozenset[str] = frozenset(),
    tell: Callable[[Path], object] = lambda _: None,
) -> Iterator[FoundFile]:
    """List the scans of a folder, or the one file, in feeding order (natural order of names).

    Folders named in ``passed_over`` are not looked into. What vanishes meanwhile is not there.
    ``tell`` hears of what is not taken: hidden, partial, a link or a device.

    A directory that holds scans is a jacket, its parent names the box; files that lie in the root
    itself are a flat folder.

    Raises
    ------
    UsageError
        The root is a link, a device, or cannot be read.
    """
    if root.is_file() and not root.is_symlink():
        yield FoundFile(path=root, source=as_text(root.name), box=None, jacket=None)
        return
    if not root.is_dir():
        raise UsageError(f"{root} is neither a folder nor a file.")
    yield from _below(root, root, passed_over, tell)


def _below(
    root: Path, folder: Path, passed_over: frozenset[str], tell: Callable[[Path], object]
) -> Iterator[FoundFile]:
    try:
        with os.scandir(folder) as listing:
            entries = {one.name: one for one in listing if not _is_of_a_system(one.name)}
    except FileNotFoundError:
        return
    except PermissionError:
        raise UsageError(
            f"The folder {folder} cannot be read.", remedy="Allow reading it, then run again."
        ) from None
    names = natsorted(entries, alg=ns.IGNORECASE)
    folders: list[Path] = []
    for name in names:
        entry, path = entries[name], Path(entries[name].path)
        if _is_ignored(name):
            tell(path)
        elif entry.is_file(follow_symlinks=False):
            yield _found(root, folder, path)
        elif entry.is_dir(follow_symlinks=False):
            folders += [path] if name not in passed_over else []
        else:
            tell(path)
    for inside in folders:
        yield from _below(root, inside, passed_over, tell)


def _found(root: Path, folder: Path, path: Path) -> FoundFile:
    inside = [as_text(part) for part in folder.relative_to(root).parts]
    return FoundFile(
        path=path,
        source=as_text(path.relative_to(root).as_posix()),
        box=inside[-2] if len(inside) >= 2 else None,
        jacket=inside[-1] if inside else None,
    )
