"""Raw images of discs: sectors of 2352 bytes with their headers and check sums (ECMA-130 14)."""

import io
from pathlib import Path

__all__ = ["SECTOR", "STARTS", "SYNC", "RawSectors"]

SECTOR, _DATA = 2352, 2048
SYNC = b"\0" + b"\xff" * 10 + b"\0"
"""What each sector begins with."""
STARTS = (16, 24)
"""Where the data of a sector begin: in mode 1, and in mode 2 as CD-ROM XA form 1 has it."""


class RawSectors(io.RawIOBase):
    """The data of a raw image as one stream, as if it had been copied without headers.

    Parameters
    ----------
    path : Path
    start : int
        Where the data begin in each sector.
    """

    mode = "rb"
    """Readers of images look whether a stream was opened for bytes."""

    def __init__(self, path: Path, start: int) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._start = start
        self._at = 0
        self._size = path.stat().st_size // SECTOR * _DATA

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place among the data."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read what is left of the sector at hand, as much as fits."""
        sector, inside = divmod(self._at, _DATA)
        some = min(_DATA - inside, len(buffer), self._size - self._at)
        if some <= 0:
            return 0
        self._file.seek(sector * SECTOR + self._start + inside)
        read = self._file.readinto(memoryview(buffer)[:some])
        self._at += read
        return read

    def close(self) -> None:
        """Close the image."""
        self._file.close()
        super().close()
