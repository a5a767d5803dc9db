"""Corners, turn and mirror set by a person: taken where they can be those of a sheet.

What this never does: mend what a person has drawn. What is no rectangle within the scan is refused
in words.
"""

from collections.abc import Sequence
from math import hypot

import numpy as np
from numpy.typing import NDArray

from digitizer.errors import UsageError
from digitizer.film.geometry import corners_array, make_geometry, orient, scale_of
from digitizer.film.rectangle import listed
from digitizer.model.film import Geometry
from digitizer.model.units import Corners, Dpi, Point, Size, SizeMm

__all__ = ["as_laid", "as_scanned", "by_hand", "moved_px", "turned_by"]

_BEYOND = 0.05
"""Part of a side of the scan by which a corner may lie outside (contract §4: slightly)."""
_SQUARE_DEG = 3.0
"""A sheet's corners are square; hands and pixels are off by less."""
_LEAST_PART = 0.03
"""Part of the scan's short side; no film is smaller, and a slip of the mouse is."""
_LEAST_MM = 15.0
"""The smallest dental films measure 22 x 35 mm."""
_SEEN_PX = 2.0


def as_scanned(geometry: Geometry) -> Corners:
    """Return a sheet's corners top-left, top-right, bottom-right, bottom-left as scanned."""
    return _corners(listed(corners_array(geometry.corners)))


def as_laid(geometry: Geometry) -> SizeMm | None:
    """Return a sheet's size as it lies on the scan, not as it is viewed."""
    size = geometry.size_mm
    if size is None or geometry.turn_deg not in (90, 270):
        return size
    return SizeMm(size.height, size.width)


def turned_by(corners: Corners, degrees: float, dpi: Dpi | None) -> Corners:
    """Return a rectangle turned about its middle, counter-clockwise, in square millimetres."""
    scale = scale_of(dpi)
    box = corners_array(corners) * scale
    middle, angle = box.mean(axis=0), np.deg2rad(degrees)
    # y runs down: counter-clockwise on the screen.
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return _corners(((box - middle) @ turn.T + middle) / scale)


def by_hand(
    corners: Sequence[tuple[float, float]],
    turn_deg: int,
    mirrored: bool,
    frame: Size,
    dpi: Dpi | None,
) -> Geometry:
    """Return the geometry that a person has set.

    Parameters
    ----------
    corners : sequence of four (float, float)
        Pixels of the scan from its outer corner, in any order.
    turn_deg : int
        0, 90, 180 or 270: how far the film lies turned counter-clockwise.
    mirrored : bool
        Whether it lies on its wrong side.
    frame : Size
        Of the scan.
    dpi : Dpi or None
        Of the scan.

    Raises
    ------
    UsageError
        No rectangle, too small, or outside of the scan.
    """
    if turn_deg not in (0, 90, 180, 270):
        raise UsageError("A film is turned by 0, 90, 180 or 270 degrees.")
    box = np.array(corners, dtype=np.float64)
    if box.shape != (4, 2) or not np.isfinite(box).all():
        raise UsageError("A film has four corners.")
    width, height = frame.columns, frame.rows
    room = _BEYOND * np.array([width, height])
    if (box < -room).any() or (box > np.array([width, height]) + room).any():
        raise UsageError("A corner lies outside of the scan.", remedy="Move it back into it.")
    box = listed(box)
    scale = scale_of(dpi)
    sides = np.roll(box, -1, axis=0) * scale - box * scale
    lengths = np.hypot(*sides.T)
    least = _LEAST_PART * min(width * scale[0], height * scale[1])
    if lengths.min() < (least if dpi is None else max(least, _LEAST_MM)):
        raise UsageError("This is too small for a film.", remedy="Draw the corners further apart.")
    unit = sides / lengths[:, None]
    square = np.abs([float(unit[n] @ unit[(n + 1) % 4]) for n in range(4)])
    if square.max() > np.sin(np.deg2rad(_SQUARE_DEG)):
        raise UsageError(
            "These four corners are no rectangle.", remedy="Move them until the sides are square."
        )
    flat = make_geometry(box, _edges_seen(box, frame), dpi, skew_known=True)
    return orient(flat, turn_deg, mirrored)


def _edges_seen(box: NDArray[np.float64], frame: Size) -> int:
    """Count the sides that run within the scan, not along or beyond its border."""
    seen = 0
    for n in range(4):
        ends = np.stack([box[n], box[(n + 1) % 4]])
        x, y = ends.T
        beyond = (
            (x < _SEEN_PX).all()
            or (y < _SEEN_PX).all()
            or (x > frame.columns - _SEEN_PX).all()
            or (y > frame.rows - _SEEN_PX).all()
        )
        seen += not beyond
    return seen


def _corners(box: NDArray[np.float64]) -> Corners:
    return Corners(*(Point(float(x), float(y)) for x, y in box))


def moved_px(one: Corners, other: Corners) -> float:
    """Return by how many pixels two listings of corners differ at most."""
    return max(hypot(a.x - b.x, a.y - b.y) for a, b in zip(one, other, strict=True))
