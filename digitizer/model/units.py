"""Pixels and millimetres are different types; row comes first, as DICOM writes it."""

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["MM_PER_INCH", "Corners", "Dpi", "Point", "Size", "SizeMm", "Spacing"]

MM_PER_INCH = 25.4


class Point(NamedTuple):
    """A place in a scan: pixels from the *outer* corner of the first pixel, x right, y down."""

    x: float
    y: float


class Corners(NamedTuple):
    """Four corners of a sheet, listed as the film should be viewed (contract §4)."""

    top_left: Point
    top_right: Point
    bottom_right: Point
    bottom_left: Point


@dataclass(frozen=True, slots=True)
class Size:
    """Size of a pixel grid."""

    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class SizeMm:
    """Size of a sheet in millimetres, as viewed."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distance between pixel centres in millimetres; ``row_mm`` is vertical (PS3.3 10.7.1.3)."""

    row_mm: float
    column_mm: float


class Dpi(NamedTuple):
    """Resolution in pixels an inch, horizontally and vertically."""

    x: float
    y: float

    @property
    def spacing(self) -> Spacing:
        """Pixel pitch in millimetres."""
        return Spacing(row_mm=MM_PER_INCH / self.y, column_mm=MM_PER_INCH / self.x)
