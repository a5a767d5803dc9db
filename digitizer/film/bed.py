"""Where the bed shows: supposed levels of bed, and what each of them leaves as sheets.

What this decides: which levels along the frame may be bed, and which pieces of the picture remain
when one of them is taken for bed. What it never does: believe one of them; that is for the edges
(:mod:`digitizer.film.sheet`), since the clear border of a film that was fed through looks like a
bed until its edge is measured.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats

__all__ = ["Bed", "Mask", "frame_levels", "grow_bed", "pieces_of"]

Mask = NDArray[np.uint8]

_BAND = 4
"""Pixels along the frame in which a bed must show."""
_LEAST_TOLERANCE = 0.055
"""Steps of log light that still are one level: 0.024 OD, a lamp's unevenness over some pixels."""
_LAMP = 0.12
"""How far log light of one bed may differ over the frame: lamps fall off by a tenth."""
_SMALLEST_SHEET = 0.006
"""Part of the frame below which a piece is dust, a marker or a shadow, not a sheet."""


@dataclass(frozen=True, slots=True, eq=False)
class Bed:
    """A supposed bed.

    Attributes
    ----------
    mask : ndarray of uint8, (rows, columns)
        255 where it shows, on the reduced grid.
    surface : ndarray of float32, (6,)
        Its log light over the frame: 1, x, y, x*x, x*y, y*y with x and y from -1 to 1.
    tolerance : float
        How far log light may depart from the surface.
    """

    mask: Mask
    surface: Floats
    tolerance: float


def frame_levels(tone: Floats, most: int = 6) -> list[tuple[float, float]]:
    """Return levels and noise of calm stretches along the frame, the longest first.

    Parameters
    ----------
    tone : ndarray of float32, (rows, columns)
        Log light, smoothed.
    most : int
        How many levels are returned at most.
    """
    centres: list[Floats] = []
    for side in (tone[:_BAND], tone[-_BAND:], tone[:, :_BAND].T, tone[:, -_BAND:].T):
        columns = side.shape[1] // 8 * 8
        if columns == 0:
            continue
        blocks = side[:, :columns].reshape(side.shape[0], -1, 8)
        calm = blocks.std(axis=(0, 2)) < 0.11
        centres.append(np.asarray(np.median(blocks, axis=(0, 2))[calm], dtype=np.float32))
    values = np.sort(np.concatenate(centres)) if centres else np.zeros(0, np.float32)
    levels: list[tuple[float, float]] = []
    while values.size >= 8 and len(levels) < most:
        # The window of 0.12 that holds most stretches.
        ends = np.searchsorted(values, values + 0.12, side="right")
        counts = ends - np.arange(values.size)
        first = int(np.argmax(counts))
        if counts[first] < 8:
            break
        level = float(np.median(values[first : ends[first]]))
        spread = float(values[first : ends[first]].std())
        levels.append((level, spread))
        values = values[np.abs(values - level) > 0.1]
    return levels


def grow_bed(tone: Floats, level: float, noise: float) -> Bed | None:
    """Take one level at the frame for bed and follow it inwards over an uneven lamp.

    Returns
    -------
    Bed or None
        None where nothing of that level reaches the frame.
    """
    terms = _terms(*tone.shape)
    widest = max(2 * _LEAST_TOLERANCE, 3 * noise)
    tolerance = widest
    surface = np.zeros(6, np.float32)
    surface[0] = level
    mask = np.zeros(tone.shape, np.uint8)
    for round_ in range(3):
        near = np.abs(tone - np.tensordot(surface, terms, 1)) < tolerance
        near &= np.abs(tone - level) < widest + _LAMP
        mask = _touching_frame(near.astype(np.uint8))
        shown = mask > 0
        if shown.sum() < 0.002 * tone.size:
            return None
        values = tone[shown]
        rows = terms[:, shown]
        # Few places tell only a level: bend the surface as far as the bed reaches.
        kept = 6 if _spans(shown) else 1
        fitted = np.linalg.lstsq(rows[:kept].T.astype(np.float64), values, rcond=None)[0]
        surface = np.zeros(6, np.float32)
        surface[:kept] = fitted
        residual = values - fitted.astype(np.float32) @ rows[:kept]
        spread = 1.4826 * float(np.median(np.abs(residual)))
        tolerance = float(np.clip(4.5 * spread, _LEAST_TOLERANCE, widest))
        if round_ == 2:
            break
    closed = cv2.morphologyEx(mask * np.uint8(255), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return Bed(np.asarray(closed, dtype=np.uint8), surface, tolerance)


def _terms(rows: int, columns: int) -> Floats:
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])


def _spans(shown: NDArray[np.bool_]) -> bool:
    """Tell whether the bed shows widely enough, in both directions, for a bent surface."""
    across, down = np.flatnonzero(shown.any(axis=0)), np.flatnonzero(shown.any(axis=1))
    wide = np.ptp(across) > 0.6 * shown.shape[1] and np.ptp(down) > 0.6 * shown.shape[0]
    return bool(wide and shown.mean() > 0.04)


def _touching_frame(candidate: Mask) -> Mask:
    """Keep the connected pieces of a mask that reach the frame along a stretch."""
    _, labels = cv2.connectedComponents(candidate, connectivity=4)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reach = np.bincount(frame, minlength=int(labels.max()) + 1)
    reach[0] = 0
    kept = (reach > 0.02 * min(candidate.shape))[labels]
    return np.asarray(kept, dtype=np.uint8)


def pieces_of(bed: Mask) -> list[NDArray[np.int32]]:
    """Return the outlines of what is not bed, one a piece.

    Returns
    -------
    list of ndarray of int32, (n, 1, 2)
        From left to right, then top to bottom; pieces too small for a sheet are left out.
    """
    # What is not bed, with a rim of bed around the frame so that opening works there too.
    other = cv2.bitwise_not(bed)
    size = max(5, round(0.012 * max(bed.shape))) | 1
    kernel = np.ones((size, size), np.uint8)
    opened = cv2.morphologyEx(
        cv2.copyMakeBorder(other, size, size, size, size, cv2.BORDER_REPLICATE),
        cv2.MORPH_OPEN,
        kernel,
    )[size:-size, size:-size]
    outlines, _ = cv2.findContours(
        np.ascontiguousarray(opened), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    large = [
        np.asarray(outline, dtype=np.int32)
        for outline in outlines
        if cv2.contourArea(outline) >= _SMALLEST_SHEET * bed.size
    ]
    return sorted(large, key=lambda one: (int(one[:, 0, 0].min()), int(one[:, 0, 1].min())))
