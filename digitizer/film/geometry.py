"""Corners, skew, turn and mirror: the definitions of contract §4, and nothing else."""

from dataclasses import replace
from math import atan2, degrees

import numpy as np
from numpy.typing import NDArray

from digitizer.model.film import Geometry
from digitizer.model.units import MM_PER_INCH, Corners, Dpi, Point, SizeMm

__all__ = ["corners_array", "make_geometry", "orient", "scale_of", "size_of"]


def corners_array(corners: Corners) -> NDArray[np.float64]:
    """Return corners as an array of shape (4, 2): x, y from the outer corner."""
    return np.array(corners, dtype=np.float64)


def scale_of(dpi: Dpi | None) -> NDArray[np.float64]:
    """Return millimetres per pixel in x and y, or an isotropic scale where none is known."""
    if dpi is None:
        return np.ones(2)
    return np.array([MM_PER_INCH / dpi.x, MM_PER_INCH / dpi.y])


def theta_of(corners: Corners, dpi: Dpi | None = None) -> float:
    """Return the angle of the film's up direction in degrees, counter-clockwise (contract §4)."""
    tl, tr, br, bl = corners_array(corners) * scale_of(dpi)
    up = (tl + tr) / 2 - (bl + br) / 2
    return degrees(atan2(-up[0], -up[1]))


def is_mirrored(corners: Corners) -> bool:
    """Tell whether the corners run counter-clockwise on the screen (y down)."""
    x, y = corners_array(corners).T
    area = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    return bool(area < 0)


def size_of(corners: Corners, dpi: Dpi | None) -> SizeMm | None:
    """Return width and height as viewed, in millimetres."""
    if dpi is None:
        return None
    tl, tr, br, bl = corners_array(corners) * scale_of(dpi)
    width = (np.linalg.norm(tr - tl) + np.linalg.norm(br - bl)) / 2
    height = (np.linalg.norm(bl - tl) + np.linalg.norm(br - tr)) / 2
    return SizeMm(float(width), float(height))


def make_geometry(
    corners: NDArray[np.float64], edges_seen: int, dpi: Dpi | None, *, skew_known: bool
) -> Geometry:
    """Return the geometry of a sheet as scanned: no turn, no mirror yet.

    ``corners`` has shape (4, 2), listed top-left, top-right, bottom-right, bottom-left as scanned.
    """
    listed = Corners(*(Point(float(x), float(y)) for x, y in corners))
    return Geometry(
        corners=listed,
        edges_seen=edges_seen,
        skew_deg=theta_of(listed, dpi) if skew_known else None,
        size_mm=size_of(listed, dpi),
    )


def orient(geometry: Geometry, turn_deg: int, mirrored: bool) -> Geometry:
    """Relist the corners of a sheet as it should be viewed.

    Parameters
    ----------
    geometry : Geometry
        As scanned (``turn_deg`` None).
    turn_deg : int
        0, 90, 180 or 270: how far the film as scanned is turned counter-clockwise.
    mirrored : bool
        Whether it shows its wrong side.

    Returns
    -------
    Geometry
        With turn and mirror told; ``skew_deg`` and ``size_mm`` follow from the corners.
    """
    tl, tr, br, bl = geometry.corners
    # Turned counter-clockwise by 90 degrees, the film's top is at the left of the scan.
    order = {
        0: (tl, tr, br, bl),
        90: (bl, tl, tr, br),
        180: (br, bl, tl, tr),
        270: (tr, br, bl, tl),
    }[turn_deg]
    listed = Corners(*order)
    if mirrored:
        # Seen from its other side, left and right change places.
        listed = Corners(order[1], order[0], order[3], order[2])
    size = geometry.size_mm
    if size is not None and turn_deg in (90, 270):
        size = SizeMm(size.height, size.width)
    return replace(
        geometry,
        corners=listed,
        skew_deg=geometry.skew_deg,
        turn_deg=turn_deg,
        mirrored=mirrored,
        size_mm=size,
    )
