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
_ACROSS = 0.9
"""Part of the best row's correlation down to which rows belong to the strip."""
_INNER = 0.6
"""Part of a step's length and width that is measured: its borders are blurred and cast flare."""

_STANDS_OUT = 0.03
"""Difference of log light by which a step stands out from the bed beside it."""
_EVEN = 0.2
"""Change within steps as a part of that between them: 0.4 on a ramp, by how it is taken."""
_NO_STEP = 0.02
"""Log light by which the tone may fall where steps should rise: beyond the scanner's range."""
_LEAST_PIXELS = 30
_OUTLIER = 5.0
"""Robust standard deviations from which a pixel is dust."""
_FLATTEST = 0.05
"""Standard deviation of log light below which a stretch is no staircase."""

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
    begin, step, low, high = _refined(turned, stairs, best, max(fine.shape) / max(coarse.shape))
    if not _is_staircase(turned, stairs.size, begin, step, (round(low), round(high))):
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
    flat = varied < (_FLATTEST * length) ** 2
    return np.where(flat, 0.0, likeness), np.where(flat, 1.0, within)


def _refined(
    tone: Floats, stairs: Vector, rough: _Fit, scale: float
) -> tuple[float, float, float, float]:
    """Return begin, step, first and last row of the strip on a finer picture.

    The borders are where the tone within the steps is most even, whatever the response.
    """
    row = int(np.clip(rough.band * scale, 0, tone.shape[0] - 1))
    half = max(1, round(0.2 * rough.step * scale))
    profile = tone[max(0, row - half) : row + half + 1].mean(axis=0).astype(np.float64)
    total, square = (np.concatenate([[0.0], np.cumsum(one)]) for one in (profile, profile**2))
    begin, step = rough.begin * scale, rough.step * scale
    for reach in (0.6, 0.12):
        begins = begin + step * np.linspace(-reach, reach, 41)
        steps = step + step * reach / stairs.size * np.linspace(-2, 2, 41)
        trial = begins[:, None, None] + steps[:, None] * np.arange(stairs.size + 1)
        bounds = np.clip(np.rint(trial), 0, profile.size).astype(int)
        sums, squares = np.diff(total[bounds], axis=-1), np.diff(square[bounds], axis=-1)
        counts = np.maximum(np.diff(bounds, axis=-1), 1)
        uneven = (squares - sums**2 / counts).sum(axis=-1) / counts.sum(axis=-1)
        one, other = np.unravel_index(int(np.argmin(uneven)), uneven.shape)
        begin, step = float(begins[one]), float(steps[other])
    bounds = np.clip(np.rint(begin + step * np.arange(stairs.size + 1)), 0, profile.size)
    strip = tone[:, int(bounds[0]) : int(bounds[-1])].astype(np.float64)
    means = np.diff(total[bounds.astype(int)]) / np.maximum(np.diff(bounds), 1)
    own = np.repeat(means, np.diff(bounds).astype(int))
    own -= own.mean()
    shown = strip - strip.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(shown, axis=1) * np.linalg.norm(own)
    alike = (shown @ own) / np.maximum(lengths, 1e-9) > _ACROSS
    low, high = row, row
    while low > 0 and alike[low - 1]:
        low -= 1
    while high + 1 < alike.size and alike[high + 1]:
        high += 1
    if rough.likeness > 0:
        # Light rose with density: the strip lies the other way round.
        begin, step = begin + step * stairs.size, -step
    begin += step * _shift(tone, stairs, begin, step, (low, high + 1))
    begin, step = _sharpened(tone, stairs.size, begin, step, (low, high + 1))
    return begin, step, float(low), float(high + 1)


def _sharpened(
    tone: Floats, count: int, begin: float, step: float, rows: tuple[int, int]
) -> tuple[float, float]:
    """Return begin and step from the borders themselves: where the tone passes half its way."""
    profile = _inner_rows(tone, rows).mean(axis=0).astype(np.float64)
    cells = [_cell(profile, begin + step * number, step) for number in range(count)]
    means = [float(profile[cell].mean()) if len(cell) else np.nan for cell in cells]
    numbers, places, heights = [], [], []
    for number, (one, other) in enumerate(pairwise(means), start=1):
        first, last = sorted((begin + (number - 0.45) * step, begin + (number + 0.45) * step))
        at = np.arange(max(0, round(first)), min(profile.size, round(last)))
        if at.size < 3 or not abs(other - one) > _FLATTEST:
            continue
        part = (profile[at] - one) / (other - one)
        part = part if step > 0 else part[::-1]
        passed = int(np.argmax(part > 0.5))
        if passed == 0 or part[passed] <= 0.5:
            continue
        along = passed - 1 + (0.5 - part[passed - 1]) / (part[passed] - part[passed - 1])
        places.append(at[0] + 0.5 + along if step > 0 else at[-1] + 0.5 - along)
        numbers.append(number)
        heights.append(abs(other - one))
    if len(places) < count // 2:
        return begin, step
    border, found, weight = np.array(numbers), np.array(places), np.array(heights)
    miss = np.abs(np.polyval(np.polyfit(border, found, 1, w=weight), border) - found)
    kept = miss <= max(3 * 1.4826 * float(np.median(miss)), 0.1)
    length, start = np.polyfit(border[kept], found[kept], 1, w=weight[kept])
    return float(start), float(length)


def _inner_rows(tone: Floats, rows: tuple[int, int]) -> Floats:
    """Return the rows of the strip without its rims."""
    low, high = rows
    rim = (high - low) // 5
    return tone[low + rim : max(high - rim, low + rim + 1)]


def _shift(tone: Floats, stairs: Vector, begin: float, step: float, rows: tuple[int, int]) -> int:
    """Return by how many steps the staircase must be moved so that the strip ends where it ends.

    A bed may look like one more step. But a step stands out from what lies above and below it,
    and the bed does not; where that leaves a doubt, the densities decide.
    """
    low, high = rows
    width = high - low
    inner = _inner_rows(tone, rows).mean(axis=0)
    around = [
        tone[max(0, low - width // 2) : max(0, low - width // 6)],
        tone[high + width // 6 : high + width // 2],
    ]
    beside = np.concatenate([one for one in around if len(one)] or [tone[:0]])
    shifts = range(-2, 3)
    scores: dict[int, tuple[int, float]] = {}
    for shift in shifts:
        cells = [
            _cell(inner, begin + step * (number + shift), step)
            for number in range(-1, stairs.size + 1)
        ]
        if any(len(cell) == 0 for cell in cells[1:-1]):
            continue
        means = [float(inner[cell].mean()) for cell in cells[1:-1]]
        likeness = -float(np.corrcoef(means, stairs)[0, 1])
        odd = 0
        if len(beside):
            bed = beside.mean(axis=0)
            stands = [
                len(cell) > 0 and abs(float((inner[cell] - bed[cell]).mean())) > _STANDS_OUT
                for cell in cells
            ]
            odd = stands[0] + stands[-1] + sum(not one for one in stands[1:-1])
        scores[shift] = (odd, -likeness)
    return min(scores, key=lambda shift: scores[shift])


def _is_staircase(
    tone: Floats, count: int, begin: float, step: float, rows: tuple[int, int]
) -> bool:
    """Tell steps from a ramp, where the tone changes within each step as from one to the next."""
    profile = _inner_rows(tone, rows).mean(axis=0)
    cells = [_cell(profile, begin + step * number, step) for number in range(count)]
    if any(len(cell) == 0 for cell in cells):
        return False
    means = np.array([float(profile[cell].mean()) for cell in cells])
    thirds = [max(1, len(cell) // 3) for cell in cells]
    within = np.array(
        [
            abs(float(profile[cell[-n:]].mean() - profile[cell[:n]].mean()))
            for cell, n in zip(cells, thirds, strict=True)
        ]
    )
    rises = np.diff(means) * np.sign(means[-1] - means[0])
    typical = float(np.median(np.abs(rises)))
    if rises.min() < -max(_EVEN * typical, _NO_STEP):
        return False
    return bool(np.median(within[1:-1]) < _EVEN * typical)


def _cell(profile: Floats, begin: float, step: float) -> NDArray[np.int_]:
    """Return the columns of the inner part of one step; none where it leaves the picture."""
    rim = (1 - _INNER) / 2
    first, last = sorted((begin + rim * step, begin + (1 - rim) * step))
    if first < -0.5 or last > len(profile) + 0.5:
        return np.zeros(0, int)
    return np.arange(max(0, round(first)), max(round(last), round(first) + 1))


def _corners(begin: float, length: float, low: float, high: float, *, upright: bool) -> Vector:
    """Return the strip's corners on the straight picture: along its first side, then back."""
    box = np.array([[begin, low], [begin + length, low], [begin + length, high], [begin, high]])
    return box if upright else box[:, ::-1]


def _part(corners: Vector, number: int, count: int) -> Vector:
    """Return the inner part of one step as four corners."""
    rim = (1 - _INNER) / 2
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
