"""Borders that lie on the film: printed masks and the edges of collimated fields.

They are not the sheet's edge, but they run along with it, and tell its skew where no edge shows.
"""

from collections.abc import Sequence
from math import atan2, pi

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.edges import BedSurface, Side, derivative, first_peak
from digitizer.film.light import linear_light, log_tone
from digitizer.film.rectangle import common_angle
from digitizer.model.raster import Pixels

__all__ = ["border_angle", "is_border", "is_machined"]

_STRAIGHT_MM = 0.036
"""Bow below which a line was drawn by a machine: cut sheets bow by tenths of a millimetre. On 240
drawn films at 100 dpi printed masks measured 0.015 to 0.033 on most, sheets with square corners
0.041 and more."""
_ALL_STRAIGHT_MM = 0.05
"""The same where fewer than four sides show: the one that bows most."""
_STRAIGHT_SOFT_MM = 0.07
"""The same for an unsharp line, whose place is not known better."""
_SQUARE = 0.75
"""Part of the corners that must be square."""
_CORNER_MM = 0.9
"""Inside a square corner of a mask there is picture; a sheet's corner is rounded."""
_ROUND_MM = (0.9, 4.0)
"""How far in from a corner, along its bisector, rounded film begins: 0.41 of a radius of 4 to 9 mm.
On 34 drawn sheets and masks that were taken for borders masks began at 0 to 0.3."""
_SHARP_PX = 4.3
"""Widest rise of a cut edge in pixels, 2.5 for an ideal one."""
_WIDEST = 0.1
"""Part of the frame that a mask's border takes at most."""
_AGREE_RAD = 0.15 * pi / 180
_FED_RAD = 1.0 * pi / 180
"""How far askew a sheet is fed whose edges all lie beyond the frame."""


def is_border(
    full: Pixels,
    bed: BedSurface,
    sides: Sequence[Side],
    corners: NDArray[np.float64],
    pitch: float,
    *,
    printed: bool,
    unsharp: bool,
) -> bool:
    """Tell a border on the film from a bed beside it: dead straight lines, square corners.

    Parameters
    ----------
    full : ndarray, (rows, columns)
        Light at full resolution.
    bed : BedSurface
        What was taken for the bed.
    sides : sequence of Side
        Top, right, bottom, left.
    corners : ndarray, (4, 2)
        Top-left, top-right, bottom-right, bottom-left as scanned.
    pitch : float
        Pixels per millimetre.
    printed : bool
        A mask is narrow; what a collimator covered may be wide.
    unsharp : bool
        Whether a line is as wide as a penumbra, and so known less well.
    """
    seen = [side for side in sides if side.seen]
    if not seen or (printed and _widest(full, corners, sides) > _WIDEST):
        return False
    # One side may be spoilt: by anatomy that is as dark as a mask, by what lies on the film.
    bows = np.array([side.bow for side in seen]) / pitch
    straight = float(np.median(bows)) <= (_STRAIGHT_SOFT_MM if unsharp else _STRAIGHT_MM)
    if not straight and (len(seen) == 4 or float(bows.max()) > _ALL_STRAIGHT_MM):
        return False
    pairs = [number for number in range(4) if sides[number].seen and sides[number - 1].seen]
    square = sum(
        _is_square(full, bed, corners, one, pitch) and not _is_round(full, bed, corners, one, pitch)
        for one in pairs
    )
    return square >= _SQUARE * len(pairs)


def is_machined(sides: Sequence[Side], pitch: float) -> bool:
    """Tell whether each side that is seen is as straight as a machine draws it."""
    return all(side.bow <= _STRAIGHT_MM * pitch for side in sides if side.seen)


def _widest(full: Pixels, corners: NDArray[np.float64], sides: Sequence[Side]) -> float:
    """Return the width of the widest strip beyond a seen side, as a part of the frame."""
    rows, columns = full.shape[:2]
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    gaps = (middles[0, 1], columns - middles[1, 0], rows - middles[2, 1], middles[3, 0])
    seen = [float(gap) for gap, side in zip(gaps, sides, strict=True) if side.seen]
    return max(seen) / float(max(rows, columns))


def _is_square(
    full: Pixels, bed: BedSurface, corners: NDArray[np.float64], number: int, pitch: float
) -> bool:
    """Tell whether there is picture right inside a corner."""
    place = corners[number] + _inward(corners, number) * _CORNER_MM * pitch
    x, y = (int(value) for value in place)
    patch = full[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].astype(np.float32)
    if patch.size == 0:
        return False
    light = np.array([[patch.mean() / bed.top]], dtype=np.float32)
    inside = float(log_tone(light, density=bed.density)[0, 0])
    return bool(abs(inside - float(bed.at(place))) > 1.25 * bed.tolerance)


def _is_round(
    full: Pixels, bed: BedSurface, corners: NDArray[np.float64], number: int, pitch: float
) -> bool:
    """Tell whether a sharp edge crosses a corner's bisector where rounded film begins.

    In light, not in its logarithm: beside a clear border a black bed is not black for some pixels.
    """
    low, high = (round(mm * pitch) for mm in (-_CORNER_MM, 1.25 * _ROUND_MM[1]))
    away = np.arange(low - 4, high + 5, dtype=np.float64)
    inward = _inward(corners, number) / np.sqrt(2)
    x, y = (corners[number] + np.outer(away, inward) - 0.5).T.astype(np.float32)
    light = cv2.remap(full, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = linear_light(
        light.astype(np.float32) / np.float32(bed.top), density=bed.density, encoded=bed.encoded
    )
    steep = np.abs(derivative(light))[:, 4:-4]
    at = int(first_peak(steep)[0])
    height = abs(float(light[0, at + 8] - light[0, at]))
    sharp = height < _SHARP_PX * float(steep[0, at])
    return sharp and _ROUND_MM[0] < away[at + 4] / pitch < _ROUND_MM[1]


def _inward(corners: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Return the way from a corner that goes in from both of its sides by one."""
    corner, ahead, behind = corners[number], corners[(number + 1) % 4], corners[number - 1]
    along = (ahead - corner) / np.linalg.norm(ahead - corner)
    down: NDArray[np.float64] = along + (behind - corner) / np.linalg.norm(behind - corner)
    return down


def border_angle(sides: Sequence[Side], scale: NDArray[np.float64]) -> float | None:
    """Return the direction that straight borders agree on, in radians, y down; else None.

    Lines along and across must agree within 0.15 degrees (modulo 90): parallel ones may be a
    bone, a tube or a table top. A collimator stands within a degree or two of the cassette, and a
    sheet whose edges do not show was fed straight: what lies further askew tells nothing of it.
    """
    numbered = [side for side in sides if side.weight > 0]
    angles = [_modulo(side, scale) for side in numbered]
    best: list[Side] = []
    for angle in angles:
        near = [
            side
            for side, other in zip(numbered, angles, strict=True)
            if abs((other - angle + pi / 4) % (pi / 2) - pi / 4) < _AGREE_RAD
        ]
        if len(near) > len(best):
            best = near
    flat = [abs(side.direction[0]) > abs(side.direction[1]) for side in best]
    if len(best) < 0.6 * len(numbered) or all(flat) or not any(flat):
        return None
    common = common_angle(best, scale)
    return common if abs(common) < _FED_RAD else None


def _modulo(side: Side, scale: NDArray[np.float64]) -> float:
    dx, dy = side.direction * scale
    return (atan2(dy, dx) + pi / 4) % (pi / 2) - pi / 4
