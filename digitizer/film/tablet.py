"""Finding the steps of a step tablet in its scan.

What this decides: where a strip of equal steps lies, at any place, turn and small tilt, and which
end of it is the light one. What it never does: guess steps that do not show; where no strip bears
out the certified densities, there is no calibration. What it may get wrong: a tablet whose steps
are of unequal width.

A strip of steps seen along itself is a staircase. Every stretch of every band across the picture is
laid beside the staircase of the certified densities. Half of the strip resembles all of it, for a
ramp is like its half; so of the stretches that are even within each step, the longest is the strip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.density import UnfitSteps
from digitizer.film.light import Floats, grey, log_tone
from digitizer.film.stairs import FLATTEST, INNER, is_staircase, laid_exactly
from digitizer.model.raster import Raster

__all__ = ["Step", "Strip", "find_steps"]

_SMALL = 480
"""Longest side of the picture on which the strip is looked for."""
_FINE = 1600
"""The same for its exact place."""
_BANDS = 72
_LEAST_STEP = 3.0
"""Pixels of the small picture that a step must have along the strip."""
_RESEMBLES = 0.93
"""Correlation from which on a strip may be the tablet: responses bend, so that it is not 1."""
_MOST_UNEVEN = 0.02
"""Part of the variance within the steps up to which a stretch is a staircase."""
_NEARLY = 1.06
"""Ratio of two lengths that are one: their exact place is found later."""

_LEAST_PIXELS = 30
_OUTLIER = 5.0
"""Robust standard deviations from which a pixel is dust."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """Mean and standard deviation of the pixel values inside one step, as stored in the file."""

    value: float
    spread: float


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """The tablet as found.

    Attributes
    ----------
    steps : tuple of Step
        In the order of the densities given.
    length_px : float
        From the outer end of the first step to that of the last, in pixels of the scan.
    corners : ndarray, (4, 2)
        Of the strip, in pixels of the scan from the outer corner.
    """

    steps: tuple[Step, ...]
    length_px: float
    corners: Vector


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Where a staircase lies along one band: its correlation, begin and step, and its tone.

    ``uneven`` is the part of the variance that is within the steps.
    """

    likeness: float
    uneven: float
    begin: float
    step: float
    band: float
    upright: bool
    tone: int


def find_steps(raster: Raster, densities: Sequence[float]) -> Strip:
    """Find the strip whose steps have these densities, in this order from either end.

    Parameters
    ----------
    raster : Raster
        Scan of the tablet with square pixels, alone or on a bed.
    densities : sequence of float
        Certified optical densities along the tablet.

    Raises
    ------
    UnfitSteps
        No such strip shows.
    """
    picture = grey(raster)
    stairs = np.asarray(densities, dtype=np.float64)
    angle = _tilt(picture)
    coarse, _ = _straight(picture, angle, _SMALL)
    fits = [
        fit
        for number, tone in enumerate(_tones(coarse))
        for upright in (True, False)
        if (fit := _best_fit(tone if upright else tone.T, stairs, upright=upright, number=number))
    ]
    if not fits:
        raise UnfitSteps(f"No strip of {stairs.size} steps with these densities shows.")
    longest = max(fit.step for fit in fits)
    best = max(
        (fit for fit in fits if fit.step > longest / _NEARLY), key=lambda fit: abs(fit.likeness)
    )
    fine, matrix = _straight(picture, angle, _FINE)
    tone = _tones(fine)[best.tone]
    turned = tone if best.upright else tone.T
    scale = max(fine.shape) / max(coarse.shape)
    place = (best.begin * scale, best.step * scale, best.band * scale)
    begin, step, low, high = laid_exactly(turned, stairs, *place, rising=best.likeness > 0)
    if not is_staircase(turned, stairs.size, begin, step, (low, high)):
        raise UnfitSteps("What looks like the tablet has no even steps: it is another picture.")
    box = _corners(begin, step * stairs.size, low, high, upright=best.upright)
    corners = box @ matrix[:, :2].T + matrix[:, 2]
    steps = [_measured(raster, _part(corners, n, stairs.size)) for n in range(stairs.size)]
    length = float(np.linalg.norm(corners[1] - corners[0]))
    return Strip(tuple(steps), length, corners)


def _tilt(picture: NDArray[np.generic]) -> float:
    """Return the tilt of the picture's straight borders in radians, within 45 degrees, y down."""
    scale = min(1.0, _FINE / max(picture.shape))
    small = cv2.resize(
        np.asarray(picture, dtype=np.float32), None, fx=scale, fy=scale,
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    soft = cv2.GaussianBlur(_tones(np.asarray(small, dtype=np.float32))[0], (0, 0), 1.5)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, *way, ksize=3) for way in ((1, 0), (0, 1)))
    strength = np.hypot(across, down).astype(np.float64)
    strong = strength > np.quantile(strength, 0.9)
    # Borders along and across count alike: four times the angle is the same for both.
    turn = 4 * np.arctan2(down[strong], across[strong])
    weight = strength[strong]
    return float(np.arctan2((weight * np.sin(turn)).sum(), (weight * np.cos(turn)).sum()) / 4)


def _straight(
    picture: NDArray[np.generic], angle: float, longest: int
) -> tuple[Floats, NDArray[np.float64]]:
    """Return the reduced picture turned straight, and the way from its pixels to the scan's.

    The matrix (2, 3) maps outer-corner coordinates to outer-corner coordinates.
    """
    rows, columns = picture.shape
    scale = min(1.0, longest / max(rows, columns))
    small = cv2.resize(
        np.asarray(picture, dtype=np.float32), None, fx=scale, fy=scale,
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    right = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-right[1], right[0]])
    middle = np.array([small.shape[1], small.shape[0]]) / 2
    wide = abs(small.shape[1] * right[0]) + abs(small.shape[0] * right[1])
    high = abs(small.shape[1] * right[1]) + abs(small.shape[0] * right[0])
    size = (round(wide), round(high))
    origin = middle - right * size[0] / 2 - down * size[1] / 2
    turn = np.column_stack([right, down, origin + 0.5 * (right + down) - 0.5])
    straight = cv2.warpAffine(
        small, turn, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    back = np.array([columns / small.shape[1], rows / small.shape[0]])[:, None]
    return np.asarray(straight, dtype=np.float32), np.column_stack([right, down, origin]) * back


def _tones(picture: Floats) -> tuple[Floats, Floats]:
    """Return the picture for scanners linear in light, and for those linear in density."""
    light = picture / np.float32(max(float(picture.max()), 1.0))
    return log_tone(light, density=False), log_tone(light, density=True)


def _best_fit(tone: Floats, stairs: Vector, *, upright: bool, number: int) -> _Fit | None:
    """Lay the staircase along every band of rows, at every place and length; return the best fit.

    None where nothing resembles it.
    """
    rows, columns = tone.shape
    edges = np.unique(np.linspace(0, rows, _BANDS + 1).round().astype(int))
    profiles = np.stack([tone[a:b].mean(axis=0) for a, b in pairwise(edges)]).astype(np.float64)
    before = np.zeros((len(profiles), 1))
    total = np.concatenate([before, np.cumsum(profiles, axis=1)], axis=1)
    square = np.concatenate([before, np.cumsum(profiles**2, axis=1)], axis=1)
    longest = columns / stairs.size
    if longest < _LEAST_STEP:
        return None
    fits: list[_Fit] = []
    for step in np.geomspace(_LEAST_STEP, longest, max(2, round(np.log(longest / 3) / 0.008))):
        begins = np.arange(0, columns - step * stairs.size + 1e-6)
        bounds = np.rint(begins[:, None] + step * np.arange(stairs.size + 1)).astype(int)
        likeness, uneven = _compared(total, square, np.minimum(bounds, columns), stairs)
        score = np.abs(likeness) - uneven
        band, place = np.unravel_index(int(np.argmax(score)), score.shape)
        if abs(likeness[band, place]) < _RESEMBLES:
            continue
        fits.append(
            _Fit(
                likeness=float(likeness[band, place]),
                uneven=float(uneven[band, place]),
                begin=float(begins[place]),
                step=float(step),
                band=float(edges[band] + edges[band + 1]) / 2,
                upright=upright,
                tone=number,
            )
        )
    # A staircase half a step out of place has 3 / steps**2 of its variance within its steps.
    least = min((fit.uneven for fit in fits), default=1.0)
    limit = min(max(1.8 / stairs.size**2, 2 * least), _MOST_UNEVEN)
    even = [fit for fit in fits if fit.uneven < limit]
    if not even:
        return None
    last = max(fit.step for fit in even)
    return min((fit for fit in even if fit.step > last / _NEARLY), key=lambda fit: fit.uneven)


def _compared(
    total: Vector, square: Vector, bounds: NDArray[np.int_], stairs: Vector
) -> tuple[Vector, Vector]:
    """Compare every profile (b, n) with every staircase (s, steps + 1).

    Returns the correlation with the staircase, and the part of the variance within the steps; 0
    and 1 where a stretch is flat.
    """
    counts = np.diff(bounds, axis=1).astype(np.float64)
    length = counts.sum(axis=1)
    sums = np.diff(total[:, bounds], axis=2)
    x, xx = counts @ stairs, counts @ stairs**2
    y = sums.sum(axis=2)
    yy = square[:, bounds[:, -1]] - square[:, bounds[:, 0]]
    varied = length * yy - y**2
    shared = length * (sums @ stairs) - x * y
    likeness = shared / np.sqrt(np.maximum((length * xx - x**2) * varied, 1e-12))
    within = length * (yy - (sums**2 / counts).sum(axis=2)) / np.maximum(varied, 1e-12)
    flat = varied < (FLATTEST * length) ** 2
    return np.where(flat, 0.0, likeness), np.where(flat, 1.0, within)


def _corners(begin: float, length: float, low: float, high: float, *, upright: bool) -> Vector:
    """Return the strip's corners on the straight picture: along its first side, then back."""
    box = np.array([[begin, low], [begin + length, low], [begin + length, high], [begin, high]])
    return box if upright else box[:, ::-1]


def _part(corners: Vector, number: int, count: int) -> Vector:
    """Return the inner part of one step as four corners."""
    rim = (1 - INNER) / 2
    along, across = corners[1] - corners[0], corners[3] - corners[0]
    first, last = (number + rim) / count, (number + 1 - rim) / count
    return np.array(
        [
            corners[0] + first * along + rim * across,
            corners[0] + last * along + rim * across,
            corners[0] + last * along + (1 - rim) * across,
            corners[0] + first * along + (1 - rim) * across,
        ]
    )


def _measured(raster: Raster, part: Vector) -> Step:
    """Return mean and standard deviation of the stored values inside four corners."""
    picture = raster.pixels if raster.pixels.ndim == 2 else grey(raster)
    low = np.clip(np.floor(part.min(axis=0)), 0, np.array(picture.shape[::-1]) - 1).astype(int)
    high = np.ceil(part.max(axis=0)).astype(int) + 1
    piece = picture[low[1] : high[1], low[0] : high[0]].astype(np.float64)
    mask = np.zeros(piece.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.rint(part - low - 0.5).astype(np.int32), 1)
    values = piece[mask > 0]
    if values.size < _LEAST_PIXELS:
        raise UnfitSteps(f"A step has {values.size} pixels only: scan at a higher resolution.")
    away = np.abs(values - np.median(values))
    values = values[away <= max(_OUTLIER * 1.4826 * float(np.median(away)), 2.0)]
    return Step(float(values.mean()), float(values.std()))
