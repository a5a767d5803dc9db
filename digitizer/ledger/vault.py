"""The vault: blobs in folders, addressed by sha256, never changed once they are there."""

import errno
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from digitizer.errors import DiskFull, UnknownRecord

__all__ = ["FolderVault"]

_CHUNK = 1 << 20
_ADDRESS = re.compile(r"[0-9a-f]{64}")


class FolderVault:
    """Implements :class:`digitizer.ports.Vault` in a folder.

    A blob is written beside its place, flushed to the disk, renamed, and its folder flushed: it is
    there whole or not at all, also after a power cut.

    Parameters
    ----------
    root : Path
    reserve : int
        Bytes kept aside in a file that is given up when the disk is full, so that the ledger can
        still write down what happened.
    """

    def __init__(self, root: Path, reserve: int = 16 << 20) -> None:
        self._root = root
        self._reserve = reserve
        root.mkdir(parents=True, exist_ok=True)
        self._keep_reserve()

    def put(self, content: bytes | BinaryIO) -> tuple[str, int]:
        """Keep the bytes; return their sha256 and size.

        Raises
        ------
        DiskFull
            There is no room; nothing is kept.
        """
        stream = io.BytesIO(content) if isinstance(content, bytes) else content
        with self._full_disk_told():
            return self._put(stream)

    def _put(self, stream: BinaryIO) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(prefix=".new-", dir=self._root)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            sha256 = digest.hexdigest()
            target = self._place(sha256)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.chmod(0o444)
                temporary.rename(target)
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
        if not _ADDRESS.fullmatch(sha256):
            raise UnknownRecord("This is no address of the vault.")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _keep_reserve(self) -> None:
        """Keep the reserve aside, while there is plenty of room beside it."""
        reserve = self._root / ".reserve"
        status = os.statvfs(self._root)
        if reserve.exists() or status.f_bavail * status.f_frsize < 8 * self._reserve:
            return
        with reserve.open("wb") as out:
            os.posix_fallocate(out.fileno(), 0, self._reserve)

    @contextmanager
    def _full_disk_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            (self._root / ".reserve").unlink(missing_ok=True)
            raise DiskFull("The disk of the vault is full.") from error


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
