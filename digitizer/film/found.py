"""What a search for sheets works on, and what it finds: a page prepared, and sheets as measured."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.edges import Side
from digitizer.film.light import Floats
from digitizer.model.raster import Pixels

__all__ = ["OVERHANG", "FoundSheet", "Page"]

OVERHANG = 0.01
"""Part of a sheet's diagonal by which what lies inside it may stick out as measured."""
_CORNER_SUPPORT = 0.4
"""Agreeing share of a side from which on it may make a corner with the next."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Page:
    """One page prepared for searching.

    Attributes
    ----------
    full : ndarray of uint8 or uint16, (rows, columns)
        Bright for light.
    light, tone : ndarray of float32
        Light and its smoothed logarithm on a reduced grid of square pixels.
    reduction : ndarray, (2,)
        Pixels of that grid per pixel of the scan, in x and y.
    top, density, encoded
        As for :class:`digitizer.film.edges.BedSurface`.
    pitch : float
        Pixels of the scan per millimetre, an estimate where it tells no resolution.
    scale : ndarray, (2,)
        Millimetres per pixel in x and y, or ones.
    """

    full: Pixels
    light: Floats
    tone: Floats
    reduction: Points
    top: float
    density: bool
    encoded: bool
    pitch: float
    scale: Points

    @property
    def frame(self) -> Points:
        """Corners of the frame, (4, 2)."""
        rows, columns = self.full.shape[:2]
        return np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class FoundSheet:
    """One sheet as supposed and measured.

    Attributes
    ----------
    corners : ndarray, (4, 2)
        Top-left, top-right, bottom-right, bottom-left as scanned, in pixels of the scan.
    sides : tuple of Side
        Top, right, bottom, left.
    believed : float
        Part of the sides inside the frame that are cut edges.
    edge : float
        Their length as measured, in pixels of the reduced grid.
    beside : float
        Part of the piece's rim that lies well outside the sheet: another may hang on to it.
    """

    corners: Points
    sides: tuple[Side, ...]
    believed: float
    edge: float
    beside: float

    @property
    def seen(self) -> int:
        """Number of sides inside the frame."""
        return sum(side.seen or side.rough for side in self.sides)

    @property
    def has_corner(self) -> bool:
        """Whether two measured sides meet: bones and tubes show parallel lines alone."""
        clear = [side.seen and side.support > _CORNER_SUPPORT for side in self.sides]
        return any(here and clear[n - 1] for n, here in enumerate(clear))

    @property
    def area(self) -> float:
        """Area in pixels of the scan."""
        return float(cv2.contourArea(self.corners.astype(np.float32)))

    def holds(self, other: "FoundSheet") -> bool:
        """Tell whether another, smaller sheet lies inside this one."""
        return self.area > other.area and self._holds(other.corners)

    def holds_lines(self, other: "FoundSheet") -> bool:
        """Tell whether the lines measured of another sheet lie in this one, wherever it ends."""
        return self._holds(np.array([side.point for side in other.sides if side.seen]))

    def _holds(self, points: Points) -> bool:
        rim = self.corners.astype(np.float32)
        room = -OVERHANG * float(np.linalg.norm(np.ptp(self.corners, axis=0)))
        return all(cv2.pointPolygonTest(rim, (float(x), float(y)), True) > room for x, y in points)
