"""Even spacing along one axis: seams that hardly anything crosses, and something between them.

What this decides: how many pictures lie along an axis and where each begins and ends. It is given
how much crosses each line across the axis. What it never does: believe in a spacing of which a seam
is crossed, or that repeats nothing.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Axis", "fit_axis"]

Profile = NDArray[np.float32]

_MOST = 9
"""Pictures along an axis; 42-on-1 has seven."""
_TRIED = 8
"""Distances that are tried."""
_OUTER = 4.0
"""So many times as much may cross beyond the outermost places: a label, a strip of text."""
_AGAINST = 0.5
"""How much a crossed seam counts against what the places hold."""
_NEARLY = 0.05
"""Of what crosses, places may hold so much less than others would."""
_SHOWN = 0.03
"""Where as much crosses something is shown, be it the captions of a row or its pictures."""
_NEAR = 0.03
"""A distance that is known is known to this part of itself."""
_OCCUPIED = 0.2
"""A place has a picture where it crosses as much of the usual."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Places of one size at even distances.

    Attributes
    ----------
    first : float
        Middle of the first place, in pixels.
    pitch, width : float
        Distance of two middles, and the size of a place.
    count : int
    crossed : float
        How much crosses the seams between places: median.
    alike : float
        How much each place and the next resemble each other: median correlation, -1 to 1.
    beside : float
        What crosses within half a place before the first and behind the last, as a part of what
        crosses the places.
    halved : float
        How much the profile resembles itself half a place further.
    """

    first: float
    pitch: float
    width: float
    count: int
    crossed: float
    alike: float
    beside: float
    halved: float

    @property
    def middles(self) -> NDArray[np.float64]:
        """Middle of each place."""
        return np.asarray(self.first + self.pitch * np.arange(self.count), np.float64)

    @property
    def start(self) -> float:
        """Begin of the first place."""
        return self.first - self.width / 2

    @property
    def end(self) -> float:
        """End of the last place."""
        return self.first + (self.count - 1) * self.pitch + self.width / 2


@dataclass(frozen=True, slots=True)
class _Run:
    """Places one after the other, from a seam on."""

    seam: float
    pitch: float
    count: int
    merit: float


def fit_axis(
    crossing: Profile,
    *,
    least: float,
    most_crossed: float,
    reach: int,
    edge: float,
    loose: bool,
    near: float | None = None,
) -> Axis | None:
    """Return the lattice along an axis, or None where there is none of two places or more.

    Parameters
    ----------
    crossing : ndarray of float32, (length,)
        Which part of each line across is crossed by something, 0 to 1.
    least : float
        Smallest distance of two places, in pixels.
    most_crossed : float
        Seams are crossed less.
    reach : int
        Pixels by which a seam may be off its even place.
    edge : float
        A gap ends where more than this, beyond its own least, crosses.
    loose : bool
        Whether pictures have no border of their own, so that gaps are wider than they were made.
    near : float, optional
        The distance of the places, where it is known already to some percent.
    """
    calm = cv2.erode(crossing[None], np.ones((1, 2 * reach + 1), np.uint8))[0]
    if not _is_parted(calm <= most_crossed):
        return None
    # What has no border of its own may have a label or a strip of text beside it.
    outer = _OUTER * most_crossed if loose else most_crossed
    best: _Run | None = None
    apart = [] if loose or near is not None else _distances(crossing)
    for pitch in [*_pitches(crossing, least, near), *apart]:
        run = _longest(crossing, calm, (most_crossed, outer), pitch)
        if run is not None and (best is None or run.merit > best.merit):
            best = run
    if best is None:
        return None
    axis = _with_gap(crossing, best, reach, edge)
    return axis if loose else _bordered(crossing, axis, reach)


def _is_parted(calm: NDArray[np.bool_]) -> bool:
    """Tell whether something lies on both sides of a calm place."""
    crossed = np.flatnonzero(~calm)
    return crossed.size > 1 and bool(calm[crossed[0] : crossed[-1]].any())


def _pitches(crossing: Profile, least: float, near: float | None) -> list[float]:
    """Return the distances at which the profile resembles itself, to a part of a pixel."""
    # Of two places that fill the sheet the distance is a little more than half of it.
    alike = _alike(crossing.astype(np.float64), round(0.58 * len(crossing)))
    here = alike[1:-1]
    peaks = 1 + np.flatnonzero((here >= alike[:-2]) & (here > alike[2:]))
    peaks = peaks[(peaks >= least) & (alike[peaks] > 0)]
    found = []
    for at in peaks[np.argsort(-alike[peaks])][:_TRIED]:
        before, middle, behind = alike[at - 1 : at + 2]
        bend = before - 2 * middle + behind
        found.append(float(at) + (0.5 * float((before - behind) / bend) if bend < 0 else 0.0))
    if near is None:
        return found
    return [one for one in found if abs(one - near) <= _NEAR * near] or [near]


def _distances(crossing: Profile) -> list[float]:
    """Return how far apart two neighbouring stretches of one length begin.

    Of two bordered places between unequal margins a profile does not resemble itself.
    """
    found = _runs(crossing > 0.5)
    return [
        float(following[0] - here[0])
        for here, following in pairwise(found)
        if abs(np.ptp(here) - np.ptp(following)) <= _NEAR * np.ptp(here)
    ]


def _alike(part: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the correlation of a profile with itself, shifted by 0 to ``most`` pixels."""
    length = len(part)
    size = 1 << (2 * length - 1).bit_length()
    wave = np.fft.rfft(part, size)
    product = np.fft.irfft(wave * np.conj(wave), size)[:most]
    number = length - np.arange(most)
    sums, squares = (np.concatenate([[0.0], np.cumsum(part**n)]) for n in (1, 2))
    before, behind = sums[number], sums[-1] - sums[:most]
    covariance = product / number - before * behind / number**2
    spreads = [
        np.maximum(square / number - (one / number) ** 2, 1e-9)
        for square, one in ((squares[number], before), (squares[-1] - squares[:most], behind))
    ]
    return np.asarray(covariance / np.sqrt(spreads[0] * spreads[1]), np.float64)


def _longest(
    crossing: Profile, calm: Profile, most: tuple[float, float], pitch: float
) -> _Run | None:
    """Return the longest run of places of this distance between calm seams."""
    length = len(crossing)
    rows, phases = int(length / pitch) + 3, int(pitch)
    places = np.rint(np.arange(-1, rows - 1)[:, None] * pitch + np.arange(phases)).astype(np.intp)
    # Beyond the outermost places may be the sheet's edge, or a label.
    beyond = (places < 0) | (places >= length)
    level = np.where(beyond, 0, calm[np.clip(places, 0, length - 1)])
    seams, ends_well = level <= most[0], level <= most[1]
    sums = np.concatenate([[0.0], np.cumsum(crossing, dtype=np.float64)])
    held = sums[np.clip(places, 0, length)]
    filled = held[1:] - held[:-1] >= _OCCUPIED * pitch * sums[-1] / length
    whole = (places[:-1] >= -pitch / 8) & (places[1:] <= length + pitch / 8)
    run, longest, ends = (np.zeros(phases, int) for _ in range(3))
    for row in range(rows - 1):
        begun = (run > 0) & seams[row] | ends_well[row] & filled[row]
        run = np.where(whole[row] & begun, np.where(seams[row], run, 0) + 1, 0)
        better = filled[row] & ends_well[row + 1] & (run > longest)
        longest, ends = np.where(better, run, longest), np.where(better, row, ends)
    count = int(longest.max())
    if not 2 <= count <= _MOST:
        return None
    first = (ends - count) * pitch + np.arange(phases)
    fitting = longest == count
    at = np.rint(first + np.arange(count + 1)[:, None] * pitch).astype(np.intp)
    held = sums[np.clip(at, 0, length)]
    share = (held[-1] - held[0]) / sums[-1]
    crossed = np.where((at < 0) | (at >= length), 0, crossing[np.clip(at, 0, length - 1)])
    crossed = crossed.mean(axis=0)
    # Writing along the sides of pictures is inside where all is held and no seam is crossed; of
    # such beginnings the middle is farthest from what is printed.
    score = np.where(fitting, share - _AGAINST * crossed, -1.0)
    # A label beside the pictures draws them its way: all gaps are tried that hold nearly as much.
    found, shown = [], np.minimum(crossing, _SHOWN)
    for begin, end in _runs(score >= score.max() - _NEARLY):
        phase = begin + _middle(score[begin:end])
        alike = _alike_places(shown, float(first[phase]), pitch, count)
        merit = float(score[phase]) + 0.25 * alike + 0.1 * count
        found.append(_Run(float(first[phase]), pitch, count, merit))
    return max(found, key=lambda one: one.merit)


def _middle(score: NDArray[np.float64]) -> int:
    """Return the middle of the longest stretch of the highest scores."""
    begin, end = max(_runs(score >= score.max() - 0.0002), key=lambda one: one[1] - one[0])
    return (begin + end) // 2


def _likeness(part: Profile, pitch: float) -> float:
    """Correlate a profile with itself, one place further."""
    shift = round(pitch)
    here, there = part[:-shift], part[shift:]
    if len(here) < 2 or min(float(np.std(here)), float(np.std(there))) < 1e-6:
        return 0.0
    return float(np.corrcoef(here, there)[0, 1])


def _alike_places(crossing: Profile, begin: float, pitch: float, count: int) -> float:
    """Return how alike each place and the next are: the median of their correlations.

    A row of fewer pictures crosses less, and is as alike.
    """
    at = begin + pitch * np.arange(count)[:, None] + np.arange(round(pitch))
    places = _sampled(crossing, np.asarray(at, np.float64))
    places -= places.mean(axis=1, keepdims=True)
    sizes = np.linalg.norm(places, axis=1)
    products = (places[:-1] * places[1:]).sum(axis=1)
    return float(np.median(products / np.maximum(sizes[:-1] * sizes[1:], 1e-6)))


def _sampled(crossing: Profile, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the profile between its pixels; nothing crosses beyond the sheet."""
    places = np.arange(len(crossing), dtype=np.float64)
    return np.asarray(np.interp(at, places, crossing, left=0.0, right=0.0), np.float64)


def _with_gap(crossing: Profile, run: _Run, reach: int, edge: float) -> Axis:
    """Move the places so that the seams lie in the gap, and tell its size."""
    count, pitch = run.count, run.pitch
    first = run.seam + pitch / 2
    around = np.arange(-round(pitch / 3), round(pitch / 3) + 1)
    seams = first + pitch * (np.arange(count - 1) + 0.5)
    seen = _sampled(crossing, np.asarray(seams[:, None] + around, np.float64))
    a, b = _quiet(seen.mean(axis=0), reach, edge)
    shift = float(around[a] + around[b - 1]) / 2
    crossed = float(np.median(seen[:, max(0, a - reach) : b + reach].min(axis=1)))
    first += shift
    ends = np.rint(first + np.array([-1, -0.5, count - 0.5, count]) * pitch).astype(int)
    before, low, high, behind = (int(one) for one in np.clip(ends, 0, len(crossing)))
    inside = float(crossing[low:high].sum())
    outside = float(crossing[before:low].sum() + crossing[high:behind].sum())
    return Axis(
        first=first,
        pitch=pitch,
        width=pitch - (b - a),
        count=count,
        crossed=crossed,
        alike=_alike_places(crossing, first - pitch / 2, pitch, count),
        beside=outside / max(inside, 1e-6),
        halved=_likeness(crossing[low:high], pitch / 2),
    )


def _quiet(folded: NDArray[np.float64], reach: int, edge: float) -> tuple[int, int]:
    """Return the quiet stretch nearest to the middle: where it begins, and where it has ended.

    It is as quiet as the middle is: elsewhere may be less still, where a scratch crosses the gap.
    """
    middle = len(folded) // 2
    quiet = folded <= folded[max(0, middle - reach) : middle + reach + 1].min() + edge
    runs = _runs(quiet)
    wide = [run for run in runs if run[1] - run[0] >= 2] or runs
    return min(wide, key=lambda run: abs((run[0] + run[1] - 1) / 2 - len(folded) // 2))


def _runs(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where each stretch of True begins, and where it has ended."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _bordered(crossing: Profile, axis: Axis, reach: int) -> Axis:
    """Fit begin, end and distance of the places to the borders of all of them."""
    found: list[tuple[int, int, float]] = []
    for number, middle in enumerate(axis.middles):
        inner = crossing[
            max(0, round(middle - axis.width / 4)) : round(middle + axis.width / 4) + 1
        ]
        level = 0.5 * float(np.median(inner)) if inner.size else 0.0
        for side in (-1, 1):
            border = middle + side * axis.width / 2
            at = _border(crossing, border, side, reach, level)
            if at is not None and level > 0.05:
                found.append((number, side, at))
    if axis.count == 2 and len(found) == 4:
        return _of_two(axis, [at for *_, at in found])
    for _ in range(2):
        if len({one[:2] for one in found}) < 3 or len({number for number, *_ in found}) < 2:
            return axis
        table = np.array([[number, 1.0, side / 2] for number, side, _ in found])
        borders = np.array([at for *_, at in found])
        pitch, first, width = np.linalg.lstsq(table, borders, rcond=None)[0]
        off = np.abs(table @ np.array([pitch, first, width]) - borders)
        near = off <= max(1.5, 2 * float(np.median(off)))
        found = [one for one, close in zip(found, near, strict=True) if close]
    return replace(axis, first=float(first), pitch=float(pitch), width=float(width))


def _of_two(axis: Axis, borders: list[float]) -> Axis:
    """Take the narrower of two places for both: beside the other a border was not seen."""
    start, end, again, last = borders
    width = min(end - start, last - again)
    pitch = again - end + width
    return replace(axis, first=end - width / 2, pitch=pitch, width=width)


def _border(crossing: Profile, at: float, side: int, reach: int, level: float) -> float | None:
    """Return where the profile leaves a place, to a part of a pixel from the outer border."""
    low, high = max(0, round(at) - 2 * reach), min(len(crossing), round(at) + 2 * reach + 1)
    part = crossing[low:high]
    inside = np.flatnonzero(part > level)
    if inside.size == 0 or inside.size == part.size:
        return None
    # From inside outwards: the first place where less crosses.
    order = part if side == 1 else part[::-1]
    falls = np.flatnonzero((order[:-1] > level) & (order[1:] <= level))
    if falls.size == 0:
        return None
    first = int(falls[0])
    share = float((order[first] - level) / max(order[first] - order[first + 1], 1e-6))
    place = first + share + 0.5
    return low + place if side == 1 else high - place
