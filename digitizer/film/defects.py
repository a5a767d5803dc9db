"""Defects that a scanner leaves on a picture: stuck elements, lost lines, banding.

What this decides: whether something is on the scan that is not on the film. What it never does:
judge the film's own picture. What it may get wrong: lines that lie exactly along the scanner's rows
or columns over the whole film (a grid, a printed ruler).

Defects of a line sensor run straight through the frame, so they are looked for in means along
columns and rows, band by band: what shows in most bands alike is the scanner's.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats
from digitizer.model.raster import Pixels

__all__ = ["Lines", "odd_lines"]

_BANDS = 6
_SAMPLES = 96
"""Pixels across a line that are looked at in each band."""
_LAG = 3
"""Columns to either side that a column is compared with: defects are one to three wide."""
_STANDS_OUT = 8.0
"""Robust standard deviations; with the bands as on the two digitizers that were compared film by
film (bolton-brush/scanner-comparison)."""
_MOST_BANDS = 4
_STILL, _MOVING = 0.95, 0.6
"""Part of its pixels that are as the one before them from which on a column is stuck, and below
which it shows picture or grain; in eight bits half of the pixels may differ by none."""
_CLIPPED = 1e-3
"""Part of the other pixels at an end of the range from which on it is not a defect's alone."""
_LEAST_STEP = 0.005
"""Part of the level by which a line must stand out, however quiet the scanner."""
_LEAST_VALUE = 0.6
"""The same in values: those of eight bits lie on steps of one."""
_BORDER = 0.75
"""Ratio of swings to either side from which on a place is a border and no line."""
_HALF = 0.5
"""Part of what a line stands out at its middle that its whole width does."""
_BOTH_SIDES = 1.5
"""How far the two sides of a line may differ, as a part of what it stands out."""
_COARSE = 61
"""Columns that banding repeats itself within: what is slower is anatomy."""
_SEGMENTS = (256, 128)
"""Lines of a segment; the shorter ones for a film, or a resolution, of few lines."""
_LEAST_SEGMENTS = 4
"""Fewer overlapping segments agree by chance."""
_STRIPS = 4 * _BANDS
"""In most of which banding shows; print leaves some of them free."""
_SOME = 11
"""Of so many columns one is enough to tell the grain."""
_ACROSS = 6 * _STRIPS
"""Pixels across the lines, of all strips: more tell no more of a flicker."""
_PRINTED = 3.0
"""Robust standard deviations of a strip's grain from which on a place is print, or a border."""
_FLANKS = 5
"""Columns that it takes with its flanks, which are blurred."""
_LEAST_BARE = 0.2
"""Part of a strip that must be left of a column to tell its brightness."""
_LEAST_WITHIN = 0.3
"""Of normal noise two in three lie within the grain, of what only flickers none need to."""
_EVEN = 0.5
"""Part of the mean power that banding has at least in three of four strips and segments."""
_AGREES = 0.6
"""Part of the power at one period that the bands must share."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Lines:
    """Odd lines along one direction of a scan.

    Attributes
    ----------
    places : tuple of int
        Columns (or rows) of the scan that stand out over most of their length.
    banding : float
        Amplitude of the swing from line to line that all bands share, as a part of the brightness.
    still : tuple of int
        Those places that never change along their length, as nothing printed does: it has grain.
    """

    places: tuple[int, ...]
    banding: float
    still: tuple[int, ...] = ()


def odd_lines(picture: Pixels, box: Box, *, along_rows: bool = False) -> Lines:
    """Look for columns that stand out of their neighbours, and for brightness that swings.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
    box : tuple of int
        First and last row, first and last column of what is looked at: inside the sheet.
    along_rows : bool
        Look for rows instead.
    """
    top, bottom, left, right = box
    part = picture[top:bottom, left:right]
    if along_rows:
        part = part.T
    if part.shape[0] < 8 * _BANDS or part.shape[1] < 4 * _COARSE:
        return Lines((), 0.0)
    step = max(1, part.shape[0] // (_BANDS * _SAMPLES))
    lines = part[::step].astype(np.float32)
    bands = np.array_split(lines, _BANDS)
    still = _still(lines)
    odd = np.union1d(_standing_out(bands), still)
    first = top if along_rows else left
    places, unchanging = (tuple(int(at) + first for at in one) for one in (odd, still))
    return Lines(places, _banding(lines, odd), unchanging)


def _standing_out(bands: list[Floats]) -> NDArray[np.int_]:
    """Return the columns that differ from those three to either side in most bands alike."""
    votes, differences = [], []
    for band in bands:
        apart = band[:, _LAG:-_LAG] - (band[:, : -2 * _LAG] + band[:, 2 * _LAG :]) / 2
        # Bones and print cross a column here and there; a stuck element shows in every row.
        limit = 4 * 1.4826 * float(np.median(np.abs(apart[::4, ::4]))) + 1.0
        mean = np.clip(apart, -limit, limit).mean(axis=0)
        spread = 1.4826 * float(np.median(np.abs(mean - np.median(mean))))
        # A line at full value is no measure of the level it stands out of.
        level = band.mean(axis=0)
        around = (level[: -2 * _LAG] + level[2 * _LAG :]) / 2
        least = np.maximum(_LEAST_STEP * np.minimum(level[_LAG:-_LAG], around), _LEAST_VALUE)
        votes.append(np.sign(mean) * (np.abs(mean) > np.maximum(_STANDS_OUT * spread, least)))
        differences.append(np.asarray(apart, dtype=np.float32))
    places = np.flatnonzero(np.abs(np.sum(votes, axis=0)) >= _MOST_BANDS)
    lone = [int(one) for one in places if _is_line(bands, differences, int(one))]
    return np.array(lone, dtype=np.int_) + _LAG


def _still(lines: Floats) -> NDArray[np.int_]:
    """Return the columns that never change, while those three to either side do in most bands.

    A stuck element may have the film's own brightness, but neither its picture nor its grain. An
    end of the range that others reach does not count: beyond it all is alike, as in the gap between
    two pictures.

    Parameters
    ----------
    lines : ndarray of float32, (rows, columns)
    """
    same = (lines[1:] == lines[:-1]).astype(np.float32)
    begins = np.linspace(0, len(same), _BANDS + 1).astype(int)
    shares = np.add.reduceat(same, begins[:-1], axis=0) / np.diff(begins)[:, None]
    own = shares[:, _LAG:-_LAG] > _STILL
    beside = np.maximum(shares[:, : -2 * _LAG], shares[:, 2 * _LAG :]) < _MOVING
    places = np.flatnonzero((own & beside).sum(axis=0) >= _MOST_BANDS) + _LAG
    if places.size == 0:
        return places
    stuck_at = np.median(lines[:, places], axis=0)
    others = np.delete(lines, places, axis=1)
    clipped = [end for end in (lines.min(), lines.max()) if (others == end).mean() > _CLIPPED]
    return places[~np.isin(stuck_at, clipped)]


def _is_line(bands: list[Floats], differences: list[Floats], place: int) -> bool:
    """Tell a line, beside which all is as before, from a border, where something else begins."""
    low = max(0, place - 2 * _LAG)
    near = [band[:, low : place + 2 * _LAG + 1] for band in differences]
    swing = np.median(np.concatenate(near), axis=0)
    own = float(swing[place - low])
    if own == 0 or np.abs(swing).max() > abs(own):
        return False
    # A line has neighbours that stand out half as far the other way; a border, as far.
    if float((-np.sign(own) * swing).max()) > _BORDER * abs(own):
        return False
    here = place + _LAG
    if here < 2 * _LAG or here + 2 * _LAG >= bands[0].shape[1]:
        return False
    around = [band[:, here - 2 * _LAG : here + 2 * _LAG + 1] for band in bands]
    level = np.median(np.concatenate(around), axis=0)
    before, after = (float(np.median(one)) for one in (level[:_LAG], level[-_LAG:]))
    # What is wider than a defect is a gap between pictures, or a bone.
    out = np.abs(level - (before + after) / 2)
    is_narrow = int((out > _HALF * out[2 * _LAG]).sum()) <= _LAG
    return is_narrow and abs(before - after) < _BOTH_SIDES * abs(own)


def _banding(part: Floats, odd: NDArray[np.int_]) -> float:
    """Return the swing from column to column that all of it shares, as a part of the brightness.

    Cross spectra of strips (Welch 1967): at the period of a flicker they agree over the whole
    film, as much in each of its parts; anatomy agrees nowhere for long. Pictures printed side by
    side come as regularly, but not everywhere as strong. A flicker that comes back after as many
    lines as steps are taken over is not seen.
    """
    some = np.maximum(part[:: max(1, len(part) // _ACROSS)], np.float32(1.0))
    light = np.asarray(cv2.log(some), dtype=np.float32)
    for place in odd:
        low, high = max(0, place - _LAG), min(light.shape[1], place + _LAG + 1)
        light[:, low:high] = light[:, [low]]
    strips = _bare_steps(light)
    lines = strips.shape[1]
    segment = next((n for n in _SEGMENTS if lines >= n + (_LEAST_SEGMENTS - 1) * n // 2), 0)
    if not segment:
        return 0.0
    starts = range(0, lines - segment + 1, segment // 2)
    window = np.hanning(segment)
    spectra = np.stack([np.fft.rfft(strips[:, at : at + segment] * window) for at in starts])
    others = spectra.sum(axis=1, keepdims=True) - spectra
    by_strip = (spectra * others.conj()).real.mean(axis=0)
    bands = spectra.reshape(len(starts), _BANDS, -1, spectra.shape[2]).mean(axis=2)
    power = (np.abs(bands) ** 2).sum(axis=1)
    shared = (np.abs(bands.sum(axis=1)) ** 2 - power) / (_BANDS - 1)
    agree = shared.mean(axis=0) / np.maximum(power.mean(axis=0), 1e-12)
    steep = 2 * np.abs(np.sin(np.pi * _LAG * np.arange(spectra.shape[2]) / segment))
    steep = np.maximum(steep, 2 * np.sin(np.pi * _LAG / _COARSE))
    swing = np.sqrt(np.maximum(np.median(shared, axis=0), 0) / _BANDS) * 4 / segment / steep
    fit = (agree > _AGREES) & _is_even(by_strip) & _is_even(shared)
    fit[: segment // _COARSE + 1] = False
    return float(swing[fit].max()) if fit.any() else 0.0


def _bare_steps(light: Floats) -> Floats:
    """Return how strips brighten over some columns, where neither print nor a border stands.

    Print, borders and bones are steep at their sides only, and what is as slow as anatomy hardly
    counts; a flicker is less steep than the grain. So what stands out of the grain is left out with
    its flanks, and what remains is held to the grain (in three parts, Hampel 1974): what that takes
    of a flicker is given back.

    Parameters
    ----------
    light : ndarray of float32, (rows, columns)
        Log light.

    Returns
    -------
    ndarray of float32, (strips, columns - _LAG)
        Difference of log light; 0 where too little is bare.
    """
    begins = np.linspace(0, len(light), _STRIPS + 1).astype(int)
    steps = light[:, _LAG:] - light[:, :-_LAG]
    some = [np.abs(steps[a:b, ::_SOME]) for a, b in pairwise(begins)]
    # Values lie on steps of one: of a quiet scanner's, most pixels differ by none or by one.
    value = float(np.exp(-np.median(light[:, ::_SOME])))
    grains = [max(1.4826 * float(np.median(one)), value) for one in some]
    within = [float(np.mean(one < grain)) for one, grain in zip(some, grains, strict=True)]
    grain = np.repeat(np.array(grains, np.float32), np.diff(begins))[:, None]
    bare = (np.abs(steps) < _PRINTED * grain).astype(np.uint8)
    bare = cv2.erode(bare, np.ones((1, _FLANKS), np.uint8))
    held = np.clip(steps, -grain, grain) * bare
    count = np.add.reduceat(bare.astype(np.float32), begins[:-1], axis=0)
    mean = np.add.reduceat(held, begins[:-1], axis=0) / np.maximum(count, 1)
    mean[count < _LEAST_BARE * np.diff(begins)[:, None]] = 0
    given_back = np.maximum(within, _LEAST_WITHIN)[:, None]
    return np.asarray(mean / given_back, dtype=np.float32)


def _is_even(power: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Tell at which periods, along the last axis, three of four parts share as much as most."""
    least = np.quantile(power, 0.25, axis=0)
    return np.asarray(least > _EVEN * power.mean(axis=0), dtype=np.bool_)
