"""From measured sides to the four corners of contract §4."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from digitizer.film.edges import Side

__all__ = [
    "OTHERWISE_DEG",
    "Rough",
    "agreeing",
    "askew_deg",
    "clipped",
    "common_angle",
    "listed",
    "rectangle",
    "rough_rectangle",
]

Points = NDArray[np.float64]

OTHERWISE_DEG = 1.0
"""The largest error of an angle that may be told at all: sides further apart are not of one cut. Of
498 drawn films one has such a side that is seen on more than its corner; creases of sides folded by
hand lie 1.5 degrees askew (standard deviation), those of corners anyhow."""
_LEAST_RIM = 0.05
"""Part of the frame's short side that must be rim inside the frame: less is the frame itself."""
_LONG_LINE = 0.3
"""Part of a side from which its line is taken although the piece goes on beyond."""
_ON_LINE = 3.0
"""Pixels of the reduced grid within which a rim lies on its side's line."""


@dataclass(frozen=True, slots=True, eq=False)
class Rough:
    """A rectangle laid along a piece's rim.

    ``corners`` (4, 2) are top-left, top-right, bottom-right, bottom-left as scanned, centres of
    pixels; ``shown`` tells for top, right, bottom and left whether that side runs in the frame.
    """

    corners: Points
    shown: tuple[bool, bool, bool, bool]


def listed(box: Points) -> Points:
    """List four corners top-left, top-right, bottom-right, bottom-left as scanned.

    Shape (4, 2), x right and y down. The top side is the one whose outward normal is nearest to up.
    """
    centre = box.mean(axis=0)
    x, y = (box - centre).T
    clockwise = box[np.argsort(np.arctan2(y, x))]
    along = np.roll(clockwise, -1, axis=0) - clockwise
    # Outward normal of a clockwise side is its direction turned to the left: (dy, -dx).
    upward = along[:, 0] / np.maximum(np.linalg.norm(along, axis=1), 1e-9)
    return np.roll(clockwise, -int(np.argmax(upward)), axis=0)


def rough_rectangle(outlines: Sequence[NDArray[np.int32]], shape: tuple[int, int]) -> Rough | None:
    """Return the rectangle of a rim's four longest straight runs, square to each other.

    What sticks out (tape, a shadow, glare) or bites in (dark film that looks like the bed) changes
    the outline, but not where most of each side runs. What runs along the frame is no side: there
    the sheet goes on.

    Parameters
    ----------
    outlines : sequence of ndarray of int32, (n, 1, 2)
        Pixels of the rims of a sheet's pieces, in order, on a grid with the same pitch both ways.
    shape : tuple of int
        Rows and columns of that grid.

    Returns
    -------
    Rough or None
        None where the rim hardly leaves the frame, or encloses nothing.
    """
    rims = [_rim(outline[:, 0, :], shape) for outline in outlines]
    points, free, direction, own = (np.concatenate(part) for part in zip(*rims, strict=True))
    if own.sum() < max(16, _LEAST_RIM * min(shape)):
        return None
    piece = np.repeat(np.arange(len(rims)), [len(rim[0]) for rim in rims])
    angle = _main_angle(direction[own])
    right = np.array([cos(angle), sin(angle)])
    down = np.array([-right[1], right[0]])
    turn = (direction - angle + np.pi / 4) % (2 * np.pi)
    facing = (turn // (np.pi / 2)).astype(int) % 4
    straight = own & (np.abs(turn % (np.pi / 2) - np.pi / 4) < 0.18)
    # OpenCV runs counter-clockwise on the screen: down the left side, then along the bottom.
    limits: list[float] = []
    shown: list[bool] = []
    for runs, normal in ((2, -down), (3, right), (0, down), (1, -right)):
        reach, across = points @ normal, points @ np.array([-normal[1], normal[0]])
        span = float(np.ptp(across))
        here = reach[straight & (facing == runs) & _from_outside(reach, across, piece)]
        limit = _mode(here) if here.size >= 8 else float(reach.max())
        on_line = int((np.abs(here - limit) < _ON_LINE).sum())
        # A piece that goes on beyond the line, up to the frame, has no side there; unless the
        # line is so long that what goes on must be glare or tape.
        beyond = int((~free & (reach > limit + _ON_LINE)).sum())
        shown.append(on_line >= max(8, min(beyond, _LONG_LINE * span)))
        limits.append(limit if shown[-1] else float(reach.max()))
    top, far, bottom, near = limits
    if far + near <= 0 or top + bottom <= 0:
        # Sides that face each other across nothing: what is around a sheet, not a sheet.
        return None
    corners = np.array(
        [
            -near * right - top * down,
            far * right - top * down,
            far * right + bottom * down,
            -near * right + bottom * down,
        ]
    )
    return Rough(corners, (shown[0], shown[1], shown[2], shown[3]))


def _rim(
    outline: NDArray[np.int32], shape: tuple[int, int]
) -> tuple[Points, NDArray[np.bool_], Points, NDArray[np.bool_]]:
    """Return a rim's points, which are off the frame, its directions, and which are its own.

    A direction is the rim's own where nothing of the stretch it is taken from lies on the frame.
    """
    points = outline.astype(np.float64)
    free = _off_frame(outline, shape)
    step = max(4, min(24, len(points) // 40))
    along = np.roll(points, -step, axis=0) - np.roll(points, step, axis=0)
    stretch = np.concatenate([free[-step:], free, free[:step]]).astype(np.float64)
    own = np.convolve(stretch, np.ones(2 * step + 1), "valid") > 2 * step + 0.5
    return points, free, np.arctan2(along[:, 1], along[:, 0]), own


def _from_outside(
    reach: NDArray[np.float64], across: NDArray[np.float64], piece: NDArray[np.int_]
) -> NDArray[np.bool_]:
    """Tell which points of a rim are seen from outside of their piece: not those of a bay."""
    place = np.round(across - across.min()).astype(int)
    place += piece * (int(place.max()) + 1)
    outermost = np.full(place.max() + 1, -np.inf)
    np.maximum.at(outermost, place, reach)
    return np.asarray(reach > outermost[place] - _ON_LINE, dtype=np.bool_)


def _off_frame(points: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which pixels of a rim lie inside the frame, not on it."""
    x, y = points.T
    rows, columns = shape
    return np.asarray((x > 1) & (y > 1) & (x < columns - 2) & (y < rows - 2), dtype=np.bool_)


def _main_angle(direction: NDArray[np.float64]) -> float:
    """Return the direction, modulo 90 degrees and nearest to zero, in which most of a rim runs."""
    turned = (direction + np.pi / 4) % (np.pi / 2) - np.pi / 4
    bins = 180
    counts, _ = np.histogram(turned, bins=bins, range=(-np.pi / 4, np.pi / 4))
    wide = sum(np.roll(counts, shift) for shift in (-2, -1, 0, 1, 2))
    best = (int(np.argmax(wide)) + 0.5) / bins * np.pi / 2 - np.pi / 4
    off = (turned - best + np.pi / 4) % (np.pi / 2) - np.pi / 4
    near = np.abs(off) < 0.035
    return float(best + np.median(off[near])) if near.any() else best


def _mode(reach: NDArray[np.float64]) -> float:
    """Return where most of a side lies: the fullest window three pixels wide."""
    ordered = np.sort(reach)
    ends = np.searchsorted(ordered, ordered + 3.0, side="right")
    first = int(np.argmax(ends - np.arange(ordered.size)))
    return float(np.median(ordered[first : ends[first]]))


def agreeing(sides: Sequence[Side], scale: Points) -> list[Side]:
    """Return the sides that most of a sheet's sides agree with; none where as many disagree.

    A crease, or a cut gone askew, is one side alone; the others are still square to each other.

    Parameters
    ----------
    sides : sequence of Side
    scale : ndarray, (2,)
        Millimetres per pixel in x and y, or ones.
    """
    measured = [side for side in sides if side.weight > 0]
    angles = np.array([_angle(side, scale) for side in measured])
    near = np.abs(askew_deg(angles[:, None] - angles)) <= OTHERWISE_DEG
    if not len(measured):
        return []
    most = max(near, key=lambda row: int(row.sum()))
    others = np.flatnonzero(~most)
    if any(near[one, ~most].sum() >= most.sum() for one in others):
        return []
    return [side for side, agrees in zip(measured, most, strict=True) if agrees]


def _angle(side: Side, scale: Points) -> float:
    """Return a side's direction in radians."""
    dx, dy = side.direction * scale
    return atan2(dy, dx)


def askew_deg(angle: Points) -> Points:
    """Return angles in radians, (n,) or any shape, as degrees modulo a quarter turn, from zero."""
    return np.asarray((np.degrees(angle) + 45) % 90 - 45, dtype=np.float64)


def common_angle(sides: Sequence[Side], scale: Points) -> float:
    """Return the sheet's direction in radians: its sides' angles modulo 90 degrees, weighed.

    Where most sides agree, they alone count. ``scale`` holds millimetres per pixel in x and y, or
    ones. The variance of a fitted slope falls with the cube of the length, at equal sampling.
    """
    total = np.zeros(2)
    for side in agreeing(sides, scale) or sides:
        if side.weight > 0:
            angle = 4 * _angle(side, scale)
            total += side.weight * np.array([cos(angle), sin(angle)])
    return float(atan2(total[1], total[0]) / 4)


def rectangle(sides: Sequence[Side], angle: float, scale: Points, frame: Points) -> Points:
    """Return the corners top-left, top-right, bottom-right, bottom-left as scanned.

    Parameters
    ----------
    sides : sequence of Side
        Top, right, bottom, left. Sides not seen are taken parallel to the others through the
        outermost film in the frame (contract §4); one that lies otherwise than the sheet, a crease
        say, through its outer end, so that no film is cut away.
    angle : float
        Direction of the top side in radians, y down, in scaled units.
    scale : ndarray, (2,)
        Millimetres per pixel in x and y, or ones.
    frame : ndarray, (4, 2)
        Corners of the frame in pixels.

    Returns
    -------
    ndarray, (4, 2)
        A rectangle once scaled; pixels from the outer corner.
    """
    along = np.array([cos(angle), sin(angle)])
    down = np.array([-along[1], along[0]])
    normals = (-down, along, down, -along)
    part = frame * scale
    limits: list[float | None] = []
    for side, normal in zip(sides, normals, strict=True):
        stops = side.seen or side.rough
        limit = float((side.point * scale) @ normal) + _ahead(side, angle, scale) if stops else None
        limits.append(limit)
        if limit is not None:
            part = clipped(part, normal, limit)
    if len(part) == 0:
        part = frame * scale
    top, right, bottom, left = (
        float(np.max(part @ normal)) if limit is None else limit
        for limit, normal in zip(limits, normals, strict=True)
    )
    corners = [
        -left * along - top * down,
        right * along - top * down,
        right * along + bottom * down,
        -left * along + bottom * down,
    ]
    return np.array(corners) / scale


def _ahead(side: Side, angle: float, scale: Points) -> float:
    """Return how far the outer end of a side askew to its sheet lies beyond its middle, scaled."""
    askew = float(askew_deg(np.array(_angle(side, scale) - angle)))
    if not side.seen or abs(askew) <= OTHERWISE_DEG:
        return 0.0
    half = side.length / 2 * float(np.linalg.norm(side.direction * scale))
    return half * abs(sin(radians(askew)))


def clipped(polygon: Points, normal: Points, limit: float) -> Points:
    """Cut a convex polygon down to the half plane ``p @ normal <= limit`` (Sutherland-Hodgman)."""
    kept: list[Points] = []
    for here, following in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        a, b = float(here @ normal) - limit, float(following @ normal) - limit
        if a <= 0:
            kept.append(here)
        if a * b < 0:
            kept.append(here + (following - here) * (a / (a - b)))
    return np.array(kept).reshape(-1, 2)
