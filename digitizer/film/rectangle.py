"""From measured sides to the four corners of contract §4."""

from collections.abc import Sequence
from math import atan2, cos, sin

import numpy as np
from numpy.typing import NDArray

from digitizer.film.edges import Side

__all__ = ["clipped", "common_angle", "listed", "rectangle", "rough_rectangle"]

Points = NDArray[np.float64]


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


def rough_rectangle(outline: NDArray[np.int32]) -> Points:
    """Return the rectangle of an outline's four longest straight runs, square to each other.

    What sticks out (tape, a shadow, glare) or bites in (dark film that looks like the bed) changes
    the outline, but not where most of each side runs.

    Parameters
    ----------
    outline : ndarray of int32, (n, 1, 2)
        Pixels of the piece's rim, in order.

    Returns
    -------
    ndarray, (4, 2)
        Top-left, top-right, bottom-right, bottom-left as scanned; centres of pixels.
    """
    points = outline[:, 0, :].astype(np.float64)
    step = max(4, min(24, len(points) // 40))
    along = np.roll(points, -step, axis=0) - np.roll(points, step, axis=0)
    direction = np.arctan2(along[:, 1], along[:, 0])
    angle = _main_angle(direction)
    right = np.array([cos(angle), sin(angle)])
    down = np.array([-right[1], right[0]])
    turn = (direction - angle + np.pi / 4) % (2 * np.pi)
    facing = (turn // (np.pi / 2)).astype(int) % 4
    straight = np.abs(turn % (np.pi / 2) - np.pi / 4) < 0.18
    # OpenCV runs counter-clockwise on the screen: down the left side, then along the bottom.
    limits: list[float] = []
    for runs, normal in ((2, -down), (3, right), (0, down), (1, -right)):
        reach = points @ normal
        here = reach[straight & (facing == runs)]
        limits.append(_mode(here) if here.size >= 8 else float(reach.max()))
    top, far, bottom, near = limits
    return np.array(
        [
            -near * right - top * down,
            far * right - top * down,
            far * right + bottom * down,
            -near * right + bottom * down,
        ]
    )


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


def common_angle(sides: Sequence[Side], scale: Points) -> float:
    """Return the sheet's direction in radians: its sides' angles modulo 90 degrees, weighed.

    ``scale`` holds millimetres per pixel in x and y, or ones. The variance of a fitted slope falls
    with the cube of the length, at equal sampling.
    """
    total = np.zeros(2)
    for side in sides:
        if side.weight > 0:
            dx, dy = side.direction * scale
            angle = 4 * atan2(dy, dx)
            total += side.weight * np.array([cos(angle), sin(angle)])
    return float(atan2(total[1], total[0]) / 4)


def rectangle(sides: Sequence[Side], angle: float, scale: Points, frame: Points) -> Points:
    """Return the corners top-left, top-right, bottom-right, bottom-left as scanned.

    Parameters
    ----------
    sides : sequence of Side
        Top, right, bottom, left. Sides not seen are taken parallel to the others through the
        outermost film in the frame (contract §4).
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
        limit = float((side.point * scale) @ normal) if stops else None
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
