"""The vault: blobs in folders, addressed by sha256, never changed once they are there.

A blob is written beside its place, flushed to the disk, renamed, and its folders flushed: it is
there whole or not at all, also after a power cut.
"""

import errno
import fcntl
import hashlib
import io
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from digitizer.errors import DiskFull, UnknownRecord
from digitizer.ledger.reserve import Reserve

__all__ = ["FolderVault"]

_CHUNK = 1 << 20
_ADDRESS = re.compile(r"[0-9a-f]{64}")
_NEW = ".new-"
_STALE_S = 3600.0
"""A temporary file this old that nobody holds was left by a process that was killed."""


class FolderVault:
    """Implements :class:`digitizer.ports.Vault` in a folder.

    Parameters
    ----------
    root : Path
        Made where it is missing.
    reserve : int
        Bytes kept aside in a file that is given up when the disk is full, so that the ledger can
        still write down what happened; taken again by the next blob that finds room.

    Raises
    ------
    DiskFull
        The folder cannot be made for lack of room.
    """

    def __init__(self, root: Path, reserve: int = 64 << 20) -> None:
        self._root = root
        self._reserve = Reserve(root / ".reserve", reserve)
        with self._full_disk_told():
            root.mkdir(parents=True, exist_ok=True)
        self._reserve.take()
        self._sweep()

    def put(self, content: bytes | BinaryIO) -> tuple[str, int]:
        """Keep the bytes; return their sha256 and size.

        Bytes that are there already are not written again; a blob of the wrong size is replaced.

        Raises
        ------
        DiskFull
            There is no room; nothing is kept.
        """
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        with self._full_disk_told():
            kept = self._put(stream)
        self._reserve.take()
        return kept

    def _put(self, stream: BinaryIO) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(prefix=_NEW, dir=self._root)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                fcntl.flock(out.fileno(), fcntl.LOCK_EX)
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
                sha256 = digest.hexdigest()
                target = self._place(sha256)
                if not _holds(target, size):
                    out.flush()
                    os.fchmod(out.fileno(), 0o444)
                    os.fsync(out.fileno())
                    target.parent.mkdir(parents=True, exist_ok=True)
                    temporary.rename(target)
            # Also for a blob that was there: who put it may not have come to this.
            for folder in (target.parent, target.parent.parent, self._root):
                _flush_folder(folder)
            return sha256, size
        finally:
            temporary.unlink(missing_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where a blob lies.

        Raises
        ------
        UnknownRecord
            It is not there, or this is no address.
        """
        target = self._place(sha256)
        if not target.is_file():
            raise UnknownRecord(f"The vault holds no blob {sha256[:12]}.")
        return target

    def has(self, sha256: str) -> bool:
        """Tell whether a blob is there."""
        return bool(_ADDRESS.fullmatch(sha256)) and self._place(sha256).is_file()

    def verify(self, sha256: str) -> bool:
        """Tell whether a blob is there and still has its hash."""
        if not self.has(sha256):
            return False
        with self._place(sha256).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256

    def _place(self, sha256: str) -> Path:
        # Sixty-four hex digits name no folder but ours.
        if not _ADDRESS.fullmatch(sha256):
            raise UnknownRecord("This is no address of the vault.")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _sweep(self) -> None:
        """Remove what killed processes left half written; what is being written is locked."""
        oldest = time.time() - _STALE_S
        for left in self._root.glob(f"{_NEW}*"):
            try:
                with left.open("rb") as stream:
                    if left.stat().st_mtime < oldest:
                        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                        left.unlink()
            except (FileNotFoundError, BlockingIOError):
                continue  # renamed, swept by another, or in use

    @contextmanager
    def _full_disk_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._reserve.give_up()
            raise DiskFull("The disk of the vault is full.") from error


def _holds(target: Path, size: int) -> bool:
    try:
        return target.stat().st_size == size
    except FileNotFoundError:
        return False


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
