"""Time, scans, readers, the vault and the queue."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from digitizer.model.raster import Pixels, Raster
from digitizer.model.reading import Reading
from digitizer.model.records import Stage

__all__ = ["Clock", "ScanDecoder", "SheetReader", "Vault", "Waker"]


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the present time, aware, in UTC."""
        ...

    def pause(self, seconds: float) -> None:
        """Let some time pass."""
        ...


class ScanDecoder(Protocol):
    """Turns the bytes of a scan into pixels without changing one."""

    def pages(self, path: Path) -> int:
        """Count the pages; raises :class:`~digitizer.errors.BadScan`."""
        ...

    def decode(self, path: Path, page: int = 0) -> Raster:
        """Decode one page as stored; raises :class:`~digitizer.errors.BadScan`."""
        ...


class SheetReader(Protocol):
    """Finds and reads text and barcodes, with every engine there is, as independent witnesses."""

    @property
    def versions(self) -> dict[str, str]:
        """Engine names and versions, kept with the evidence."""
        ...

    def read_label(self, picture: Pixels) -> Reading:
        """Read a label or document: shape (rows, columns) or (rows, columns, 3), uint8/uint16.

        Boxes are in pixels of ``picture``.
        """
        ...

    def read_film(self, picture: Pixels, dpi: float | None = None) -> Reading:
        """Read a film's ID block and markers in any of eight orientations.

        ``picture`` is the deskewed sheet at full resolution, grey, (rows, columns); ``dpi`` its
        resolution where the scan tells it. Boxes are in pixels of ``picture``; each line tells its
        own turn and mirror.
        """
        ...


class Vault(Protocol):
    """Store of original scans, crops and captures, addressed by sha256."""

    def put(self, content: bytes | BinaryIO) -> tuple[str, int]:
        """Keep the bytes (fsync, rename, folder fsync); return sha256 and size.

        Raises :class:`~digitizer.errors.DiskFull`.
        """
        ...

    def path(self, sha256: str) -> Path:
        """Return a readable local path; raises :class:`~digitizer.errors.UnknownRecord`."""
        ...

    def has(self, sha256: str) -> bool:
        """Tell whether the blob is there."""
        ...


class Waker(Protocol):
    """Wakes whoever does the next stage; a lost, early or doubled call is harmless."""

    def wake(self, tasks: Iterable[tuple[Stage, str]]) -> None:
        """Announce due work."""
        ...
