"""Edge lines of a sheet, measured at full resolution.

Across each side some hundreds of profiles run from the bed inwards. On each, the bed is left where
log light first departs from the bed's surface; the cut is the steepest place close behind. A line
is then fitted robustly, because edges bow, curl, fray and are stuck over.
"""

from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.dark_lines import darkest_line
from digitizer.film.light import Floats, linear_light, log_tone
from digitizer.model.raster import Pixels

__all__ = ["NO_SIDE", "BedSurface", "Side", "derivative", "first_peak", "measure_side"]

Vector = NDArray[np.float64]
_PROFILES = 256
_ENDS = 0.045
"""Part of a side at each end that is left out: corners are rounded, clipped or torn."""
_SHARP_PX = 4.3
"""Widest rise of a cut edge in pixels, 2.5 for an ideal one."""
_SHARP_MM = 0.7
"""Narrowest penumbra of a collimator: a focus of 0.3 mm or more, seen through blades that stand
nearer to the focus than to the film, casts a wider one. Edges of blurred scans are below."""
_BEHIND_MM = 1.6
"""How far behind the first departure the cut may lie: lifted film shades the bed before it."""
_GLARE_MM = 12.0
"""How far about a bright film its glare may hide a dark bed: the scanner's optics scatter some
thousandths of its light over millimetres, and the bed is darker than that. Drawn glare of 0.1 to
2 % that falls off with a deviation of 3 mm was seen as far as 9."""
_WELL_SEEN = 0.7
"""Agreeing share of a side from which on a cut within glare is believed more than its outer end: on
drawn films the cut had 0.99 and more, the end of the glare 0.36 to 0.57 in noise."""
_FAINT = 0.1
"""Part of the light a little further in below which a line's own step may be the end of glare."""
_GLARE_PLACES = 64
_STEP_PX, _STEP = 3, 0.6
"""Part of what the light rises before a cut that lies within so many pixels of where the bed is
left: glare rises all the way, a film's black rim is as dark from its own cut on."""
_LINE_PX = 2.2
"""Narrowest rise of a step in pixels, 2.5 for an ideal one: what is narrower comes and goes, as
noise does, and the dark line between film and bed that are alike."""
_LINE_MM = 2.0
"""How far to either side that line and what lies beside it are looked at."""
_NOISY = 0.1
"""Departure of log light that is still the bed's from which on noise hides its shade."""
_LINE_PARTS = 12
"""Parts of a side whose means tell that line: a tenth of noise on each pixel, a percent on each."""
_CLIMB_PX = 4
"""Pixels by which a blurred cut is steepest earlier in log light than in light, at most."""
_CLEAR_PEAK = 0.5
"""Part of the steepest place from which on an earlier one is the cut."""


@dataclass(frozen=True, slots=True, eq=False)
class BedSurface:
    """Log light of the bed at any place of a scan.

    ``terms`` are those of :class:`digitizer.film.bed.Bed`, over a scan of ``rows`` and ``columns``;
    ``top`` is the pixel value of light 1; ``density`` and ``encoded`` as for
    :func:`digitizer.film.light.linear_light`.
    """

    terms: Floats
    tolerance: float
    rows: int
    columns: int
    top: float
    density: bool
    encoded: bool = False

    def at(self, points: Vector) -> Vector:
        """Return log light at points (..., 2) in pixels from the outer corner."""
        x = points[..., 0] / self.columns * 2 - 1
        y = points[..., 1] / self.rows * 2 - 1
        a, b, c, d, e, f = self.terms.astype(np.float64)
        return cast(Vector, a + b * x + c * y + d * x * x + e * x * y + f * y * y)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of a sheet as measured.

    Attributes
    ----------
    seen : bool
        Whether bed shows beyond a cut edge.
    soft : bool
        Whether there is a straight line, but as wide as a penumbra: the border of a field.
    point, direction : ndarray, (2,)
        The line, in pixels from the outer corner.
    weight : float
        Inverse variance of its slope, relative: cube of the length times agreeing share.
    support : float
        Agreeing share of the profiles in the frame, 0 to 1.
    length : float
        Agreeing length, in pixels.
    width : float
        Rise of the edge, in pixels.
    bow : float
        Root mean square departure of the smoothed edge from the line, in pixels.
    rough : bool
        Bed lies beyond, but no line could be fitted: ``point`` is known to some pixels only.
    glare : float
        Pixels within which the bed beyond it is hidden by the film's glare; 0 where it is not.
    """

    seen: bool
    soft: bool
    point: Vector
    direction: Vector
    weight: float
    support: float
    length: float
    width: float
    bow: float
    rough: bool = False
    glare: float = 0.0


NO_SIDE = Side(False, False, np.zeros(2), np.array([1.0, 0.0]), 0.0, 0.0, 0.0, 0.0, 0.0)
"""A side beyond the frame."""


def measure_side(
    full: Pixels,
    bed: BedSurface,
    start: Vector,
    end: Vector,
    *,
    reach: float,
    pitch: float,
    within_glare: bool = False,
) -> Side:
    """Measure one side, outside to the left of the way from ``start`` to ``end``.

    Parameters
    ----------
    full : ndarray of uint8 or uint16, (rows, columns)
        Light, at full resolution.
    bed : BedSurface
    start, end : ndarray, (2,)
        Where the side is supposed, corners in clockwise order on the screen.
    reach : float
        How far off it may be, in pixels.
    pitch : float
        Pixels per millimetre, an estimate where the scan tells none.
    within_glare : bool
        Whether the line is looked for farther in where a film's glare may hide a dark bed.
    """
    length, near = float(np.linalg.norm(end - start)), max(5.0, 1.2 * pitch)
    first = _fit(full, bed, start, end, reach, pitch, average=3)
    if within_glare and (not first.seen or _lies_in_glare(full, bed, first, length, pitch)):
        deep = _GLARE_MM * pitch
        within = _fit(full, bed, start, end, reach, pitch, average=3, glare=deep)
        if within.seen:
            within = _fit(full, bed, *_ends(within, length), near, pitch, average=7, glare=deep)
        if within.seen and within.support > max(first.support * first.seen, _WELL_SEEN):
            return within
    if not (first.seen or first.soft):
        return first
    side = _fit(full, bed, *_ends(first, length), near, pitch, average=7)
    if not side.seen or side.width >= _LINE_PX or bed.tolerance < _NOISY:
        return side
    return _on_dark_line(full, side, length, pitch)


def _ends(side: Side, length: float) -> tuple[Vector, Vector]:
    half = side.direction * length / 2
    return side.point - half, side.point + half


def _lies_in_glare(full: Pixels, bed: BedSurface, side: Side, length: float, pitch: float) -> bool:
    """Tell whether far more light than at a line's own step is a little further in.

    The glare of a bright film about it on a dark bed seems to end in a line, in log light.
    """
    inward = np.array([-side.direction[1], side.direction[0]])
    at = np.linspace(_ENDS - 0.5, 0.5 - _ENDS, _GLARE_PLACES) * length
    offsets = np.arange(-4, np.ceil(_GLARE_MM * pitch) + 5)
    points = side.point + at[:, None, None] * side.direction + offsets[:, None] * inward
    value, inside = _sampled(full, points, side.direction, 3)
    whole = inside.all(axis=1)
    if not whole.any():
        return False
    light = linear_light(
        value[whole] / np.float32(bed.top), density=bed.density, encoded=bed.encoded
    )
    level = np.median(light, axis=0)
    step, rise = float(level[8] - level[0]), float(level[8:].max() - level[0])
    return rise > 0 and step < _FAINT * rise


def _on_dark_line(full: Pixels, side: Side, length: float, pitch: float) -> Side:
    """Lay a side on the dark line along it; as it is where most of it shows none."""
    outward = np.array([side.direction[1], -side.direction[0]])
    reach = np.ceil(_LINE_MM * pitch)
    offsets = np.arange(-reach, reach + 1)
    each = max(8, round(length / _LINE_PARTS))
    at = np.linspace(_ENDS - 0.5, 0.5 - _ENDS, _LINE_PARTS * each) * length
    points = side.point + at[:, None, None] * side.direction + offsets[:, None] * outward
    value, inside = _sampled(full, points, side.direction, 1)
    where: list[tuple[float, float]] = []
    for part in np.split(np.arange(len(at)), _LINE_PARTS):
        if not inside[part].all():
            continue
        level = np.asarray(value[part].mean(axis=0), np.float32)
        noise = float(np.median(value[part].std(axis=0))) / np.sqrt(each)
        line = darkest_line(level, pitch, noise)
        if line is not None:
            where.append((float(at[part].mean()), line[0] - float(reach)))
    if 2 * len(where) < _LINE_PARTS:
        return side
    places, offset = np.array(where).T
    slope, intercept, agree = _robust_line(places, offset, pitch)
    if 2 * int(agree.sum()) < _LINE_PARTS:
        return side
    turned = side.direction + slope * outward
    turned /= np.linalg.norm(turned)
    return replace(side, point=side.point + intercept * outward, direction=turned)


def _fit(
    full: Pixels,
    bed: BedSurface,
    start: Vector,
    end: Vector,
    reach: float,
    pitch: float,
    *,
    average: int,
    glare: float = 0.0,
) -> Side:
    length = float(np.linalg.norm(end - start))
    direction = (end - start) / max(length, 1e-9)
    nothing = replace(NO_SIDE, point=(start + end) / 2, direction=direction)
    if length < 24:
        return nothing
    outward = np.array([direction[1], -direction[0]])
    where = np.linspace(_ENDS, 1 - _ENDS, _PROFILES)
    behind = _BEHIND_MM * pitch
    offsets = np.arange(np.ceil(reach + glare) + 6, -np.ceil(reach + glare + behind) - 6, -1.0)
    points = (start + np.outer(where, end - start))[:, None] + offsets[None, :, None] * outward
    value, inside = _sampled(full, points, direction, average)
    found = _cuts(value, inside, bed.at(points), bed, round(max(behind, 5.0)), round(glare))
    at = where * length
    expected = _in_frame(points, full.shape, offsets, found)
    if found.good.sum() < max(12, 0.12 * expected):
        return nothing
    offset = np.interp(found.index, np.arange(offsets.size), offsets)
    slope, intercept, agree = _robust_line(at[found.good], offset[found.good], pitch)
    if agree.sum() < max(10, 0.3 * expected):
        return nothing
    turned = direction + slope * outward
    turned /= np.linalg.norm(turned)
    middle = start + direction * (length / 2) + (intercept + slope * length / 2) * outward
    width = float(np.median(found.width[found.good][agree]))
    used = at[found.good][agree]
    span = float(np.ptp(used))
    residual = offset[found.good][agree] - (slope * used + intercept)
    support = float(agree.sum()) / max(1.0, expected)
    sharp = width < max(_SHARP_PX, _SHARP_MM * pitch)
    return Side(
        seen=sharp and span > 0.12 * length,
        soft=not sharp and span > 0.3 * length,
        point=middle,
        direction=turned,
        weight=span**3 * min(1.0, support),
        support=min(1.0, support),
        length=float(agree.sum()) / _PROFILES * length,
        width=width,
        bow=_bow(residual),
        glare=glare,
    )


def _sampled(
    full: Pixels, points: Vector, direction: Vector, average: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return values at points (n, m, 2), averaged along the side, and which lie in the frame."""
    rows, columns = full.shape[:2]
    # They lie on an even grid: its corners are its extremes.
    ends = points[[0, 0, -1, -1], [0, -1, 0, -1]]
    low = np.maximum(np.floor(ends.min(axis=0)).astype(int) - average - 2, 0)
    high = np.ceil(ends.max(axis=0)).astype(int) + average + 2
    part = full[low[1] : high[1], low[0] : high[0]]
    x, y = (np.ascontiguousarray(points[..., axis]) for axis in (0, 1))
    inside = (x > 0.5) & (x < columns - 0.5) & (y > 0.5) & (y < rows - 0.5)
    if part.size == 0:
        return np.zeros(points.shape[:2], np.float32), np.zeros_like(inside)
    total = np.zeros(points.shape[:2], np.float32)
    for step in range(average):
        shift = (step - (average - 1) / 2) * direction - low - 0.5
        total += cv2.remap(
            part,
            (x + shift[0]).astype(np.float32),
            (y + shift[1]).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return total / np.float32(average), inside


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts:
    """On each profile: whether a cut was found, where (index of the offset), and its width."""

    good: NDArray[np.bool_]
    index: Vector
    width: Vector


def _cuts(
    value: Floats,
    inside: NDArray[np.bool_],
    level: Vector,
    bed: BedSurface,
    behind: int,
    glare: int = 0,
) -> _Cuts:
    """Find on each profile, from outside inwards, where the bed ends.

    With ``glare``, that many pixels further in too, where glare alone lies before it.
    """
    count, steps = value.shape
    light = value / np.float32(bed.top)
    tone = log_tone(light, density=bed.density)
    away = np.abs(cv2.blur(tone, (5, 1)) - level) > max(1.25 * bed.tolerance, 0.07)
    on_bed = inside & ~away
    index = np.arange(steps)
    first_inside = np.argmax(inside, axis=1)
    # The bed must show for some pixels, and be left for good: dust does not end it.
    run = 4
    shown = np.cumsum(on_bed, axis=1)
    left = away & np.roll(away, -1, axis=1) & np.roll(away, -2, axis=1) & np.roll(away, -3, axis=1)
    left &= inside & (shown >= run) & (index < steps - run)
    departure = np.argmax(left, axis=1)
    good = left.any(axis=1) & (departure >= first_inside + run)
    steep = np.abs(derivative(linear_light(light, density=bed.density, encoded=bed.encoded)))
    window = np.abs(index - (departure + (behind + glare - 3) / 2)[:, None]) <= (
        (behind + glare + 3) / 2
    )
    # Out of glare a dark bed's cut is the steepest in log light; in light, what is bright on film.
    # Where it runs is told by light alone.
    telling = np.abs(derivative(tone)) if glare else steep
    peak = np.clip(first_peak(np.where(window & inside, telling, -1.0)), 4, steps - 5)
    peak = _uphill(steep, peak) if glare else peak
    lines = np.arange(count)
    before, here, after = (steep[lines, peak + shift] for shift in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0)
    # Width in log light: a penumbra is a ramp of density, which falls off fast in light.
    height = np.abs(tone[lines, peak + 4] - tone[lines, peak - 4])
    reach = np.clip(peak[:, None] + np.arange(-2, 3), 0, steps - 1)
    rise = np.abs(derivative(tone))[lines[:, None], reach].max(axis=1)
    width = height / np.maximum(rise, 1e-6)
    good &= here > 0
    if glare:
        good &= _only_glare_before(tone, level, departure, peak, behind)
    return _Cuts(good, peak + np.clip(shift, -0.5, 0.5), width.astype(np.float64))


def _only_glare_before(
    tone: Floats,
    level: Vector,
    departure: NDArray[np.int_],
    peak: NDArray[np.int_],
    behind: int,
) -> NDArray[np.bool_]:
    """Tell on which profiles it grows lighter from a dark bed to the cut, and not by a step."""
    above = cv2.blur(tone, (5, 1)) - level
    lines, last = np.arange(len(peak)), above.shape[1] - 1
    step = above[lines, np.minimum(departure + _STEP_PX, last)]
    before = above[lines, np.maximum(peak - _STEP_PX, 0)]
    within = above[lines, np.minimum(peak + _STEP_PX, last)]
    # As near as this behind it the cut is taken where there is no glare too.
    return np.asarray((within > before) & ((step < _STEP * before) | (peak < departure + behind)))


def _uphill(steep: Floats, place: NDArray[np.int_]) -> NDArray[np.int_]:
    """Return the local peak, on each profile, some pixels around a place at most."""
    lines, last = np.arange(len(place)), steep.shape[1] - 5
    for _ in range(_CLIMB_PX):
        around = np.stack([steep[lines, place + shift] for shift in (-1, 0, 1)])
        place = np.clip(place + np.argmax(around, axis=0) - 1, 4, last)
    return place


def first_peak(steep: Floats) -> NDArray[np.int_]:
    """Return the first clear peak on each profile: a penumbra behind the cut may be steeper."""
    most = steep.max(axis=1, keepdims=True)
    before = np.concatenate([steep[:, :1], steep[:, :-1]], axis=1)
    after = np.concatenate([steep[:, 1:], steep[:, -1:]], axis=1)
    peaks = (steep >= before) & (steep >= after) & (steep >= _CLEAR_PEAK * most)
    return np.asarray(np.argmax(peaks, axis=1), dtype=np.int_)


def derivative(value: Floats) -> Floats:
    """Return the derivative along the second axis, by a Gaussian of one pixel."""
    at = np.arange(-4, 5, dtype=np.float32)
    kernel = -at * np.exp(-(at**2) / 2)
    kernel /= np.sum(-at * kernel)
    smooth = cv2.filter2D(value, cv2.CV_32F, kernel[None, :], borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, dtype=np.float32)


def _in_frame(points: Vector, shape: tuple[int, ...], offsets: Vector, found: _Cuts) -> float:
    """Return how many profiles have room for bed outside the cut, within the frame."""
    typical = float(np.median(found.index[found.good])) if found.good.any() else offsets.size / 2
    column = int(np.clip(typical - 6, 0, offsets.size - 1))
    place = points[:, column]
    rows, columns = shape[:2]
    room = (place > 1).all(axis=1) & (place[:, 0] < columns - 1) & (place[:, 1] < rows - 1)
    return float(room.sum())


def _robust_line(
    at: Vector, offset: Vector, pitch: float
) -> tuple[float, float, NDArray[np.bool_]]:
    """Fit ``offset = slope * at + intercept`` to the largest group that agrees on one line.

    A start by consensus over pairs of points (RANSAC, Fischler and Bolles 1981, with a fixed and
    complete choice of thinned pairs), then trimmed least squares. Edges bow by tenths of a
    millimetre, so points within half a millimetre belong to the line.
    """
    thin = np.unique(np.linspace(0, len(at) - 1, 48).round().astype(int))
    i, j = np.triu_indices(len(thin), 1)
    i, j = thin[i], thin[j]
    far = at[j] - at[i] > 0.15 * np.ptp(at)
    i, j = i[far], j[far]
    slopes = (offset[j] - offset[i]) / (at[j] - at[i])
    starts = offset[i] - slopes * at[i]
    close = max(1.0, 0.35 * pitch)
    near = np.abs(offset[None, :] - starts[:, None] - slopes[:, None] * at[None, :]) < close
    best = int(np.argmax(near.sum(axis=1)))
    slope, intercept, agree = float(slopes[best]), float(starts[best]), near[best]
    for _ in range(4):
        if agree.sum() < 8:
            break
        slope, intercept = (float(value) for value in np.polyfit(at[agree], offset[agree], 1))
        residual = np.abs(offset - (slope * at + intercept))
        spread = 1.4826 * float(np.median(residual[agree]))
        agree = residual < np.clip(3 * spread, 0.8, max(1.5, 0.8 * pitch))
    return slope, intercept, agree


def _bow(residual: Vector) -> float:
    """Return the departure of an edge from its line without the noise of single profiles."""
    length = len(residual) // 8 * 8
    if length < 32:
        return 0.0
    return float(np.sqrt(np.mean(np.median(residual[:length].reshape(-1, 8), axis=1) ** 2)))
