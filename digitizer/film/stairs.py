"""Steps along a strip: their exact place on a straightened picture, and whether they are steps.

All functions take ``tone``, log light with the strip along its rows, and where its stairs are
supposed: begin and length of a step in columns (negative where it runs to the left), and the rows.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats

__all__ = ["FLATTEST", "INNER", "is_staircase", "laid_exactly"]

_ACROSS = 0.9
"""Part of the best row's correlation down to which rows belong to the strip."""
INNER = 0.6
"""Part of a step's length and width that is measured: its borders are blurred and cast flare."""
_STANDS_OUT = 0.03
"""Difference of log light by which a step stands out from the bed beside it."""
_EVEN = 0.2
"""Change within steps as a part of that between them: 0.4 on a ramp, by how it is taken."""
_NO_STEP = 0.02
"""Log light by which the tone may fall where steps should rise: beyond the scanner's range."""
FLATTEST = 0.05
"""Standard deviation of log light below which a stretch is no staircase."""

Vector = NDArray[np.float64]


def laid_exactly(
    tone: Floats, stairs: Vector, begin: float, step: float, row: float, *, rising: bool
) -> tuple[float, float, int, int]:
    """Return begin, step, first and last row of the strip.

    The borders are where the tone within the steps is most even, whatever the response.

    Parameters
    ----------
    tone : ndarray of float32, (rows, columns)
    stairs : ndarray
        Certified densities in their order.
    begin, step, row : float
        Where they were found, about.
    rising : bool
        Whether light rises with density as they were laid: the strip lies the other way round.
    """
    row = int(np.clip(row, 0, tone.shape[0] - 1))
    half = max(1, round(0.2 * step))
    profile = tone[max(0, row - half) : row + half + 1].mean(axis=0).astype(np.float64)
    total, square = (np.concatenate([[0.0], np.cumsum(one)]) for one in (profile, profile**2))
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
    if rising:
        begin, step = begin + step * stairs.size, -step
    begin += step * _shift(tone, stairs, begin, step, (low, high + 1))
    begin, step = _sharpened(tone, stairs.size, begin, step, (low, high + 1))
    return begin, step, low, high + 1


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
        if at.size < 3 or not abs(other - one) > FLATTEST:
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


def is_staircase(
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
    rim = (1 - INNER) / 2
    first, last = sorted((begin + rim * step, begin + (1 - rim) * step))
    if first < -0.5 or last > len(profile) + 0.5:
        return np.zeros(0, int)
    return np.arange(max(0, round(first)), max(round(last), round(first) + 1))
