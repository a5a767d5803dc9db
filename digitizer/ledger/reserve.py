"""Room kept aside on a disk, given up when it is full, taken again when there is room."""

import os
from pathlib import Path

__all__ = ["Reserve"]

_PLENTY = 8
"""The reserve is taken only where it leaves several times its size free."""


class Reserve:
    """A file that only takes up room.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    size : int
        Bytes; 0 keeps nothing aside.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    def take(self) -> bool:
        """Take the room if it is not taken and there is plenty; tell whether it is held now.

        Never raises for lack of room: without a reserve the work goes on as well.
        """
        if self._size == 0:
            return False
        if self._path.exists():
            return True
        status = os.statvfs(self._path.parent)
        if status.f_bavail * status.f_frsize < _PLENTY * self._size:
            return False
        try:
            with self._path.open("wb") as out:
                os.posix_fallocate(out.fileno(), 0, self._size)
        except OSError:
            self.give_up()
            return False
        return True

    def give_up(self) -> None:
        """Make room."""
        if self._size:
            self._path.unlink(missing_ok=True)
