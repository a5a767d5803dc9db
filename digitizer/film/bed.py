"""Where the bed shows: supposed levels of bed, and what each of them leaves as sheets.

What this decides: which levels along the frame may be bed, and which pieces of the picture remain
when one of them is taken for bed. What it never does: believe one of them; that is for the edges
(:mod:`digitizer.film.sheet`), since the clear border of a film that was fed through looks like a
bed until its edge is measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats

__all__ = [
    "Bed",
    "BedKind",
    "Mask",
    "Outline",
    "frame_levels",
    "groupings",
    "grow_bed",
    "kind_of_bed",
    "outshines",
    "reaches_ceiling_inside",
    "scraps",
    "shows_light_behind",
]

Mask = NDArray[np.uint8]
Outline = NDArray[np.int32]

_BAND = 4
"""Pixels along the frame in which a bed must show."""
_LEAST_TOLERANCE = 0.055
"""Steps of log light that still are one level: 0.024 OD, a lamp's unevenness over some pixels."""
_LAMP = 0.12
"""How far log light of one bed may differ over the frame: lamps fall off by a tenth or two."""
_PLACES = 20000
_WIDTH = 0.012
"""Part of the frame's long side below which what is no bed is dust, tape or a cable: 5 mm of 430.
"""

_CLEAR = 0.12
"""Difference of log light, beyond twice its tolerance, that sets other places off from a bed."""
_SATURATED = 0.8
"""Part of a bed at exactly the highest value from which it shines beyond the scanner's range."""
_INWARDS = 9
"""Pixels by which what is no bed is drawn in before it is looked at: at a sheet's edge, where it is
frayed, torn or rounded, the bed still shines through."""
_REACHED = 0.001
"""Part of it at the highest value from which film is over-exposed itself. Of 38 drawn films as
scanned, on saturated beds, none had any there; of 104 pushed beyond the range each 0.0018 and more.
"""
_NOISELESS = 1e-4
"""Step of log light that a bed has from place to place by noise, unless the scanner clips it."""
_BEHIND = 0.012
"""Part of the frame's long side that a rounded corner leaves open at most: 5 mm of 430."""
_LIT = 0.8
"""Light of a place where neither film nor a dark bed lies: film without any silver has 0.6."""
_ODD = 0.01
"""Part of the page that may be dust, scratches and glare."""
_ALONG_FRAME = 0.15
"""Part of the frame along which a bed shows that nothing else on the page resembles."""
_BRIDGE = 0.05
"""Part of the frame's long side across which tape or glare may join two sheets, or a dark band
divide one."""


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
        near = np.abs(tone - np.einsum("i,ijk->jk", surface, terms)) < tolerance
        near &= np.abs(tone - level) < widest + _LAMP
        mask = _touching_frame(near.astype(np.uint8))
        shown = mask > 0
        if shown.sum() < 0.002 * tone.size:
            return None
        # Some ten thousand places tell six terms as well as all of them.
        places = np.flatnonzero(shown)
        places = places[:: max(1, places.size // _PLACES)]
        values = tone.ravel()[places]
        rows = terms.reshape(6, -1)[:, places]
        # Few places tell only a level: bend the surface as far as the bed reaches. A clipped bed
        # has one value: what would bend it is the clear border of a film, a shade below.
        kept = 6 if _spans(shown) and not _is_clipped(values) else 1
        fitted = _fitted(rows[:kept], values) if kept > 1 else np.median(values, keepdims=True)
        surface = np.zeros(6, np.float32)
        surface[:kept] = fitted
        residual = values - fitted @ rows[:kept]
        spread = 1.4826 * float(np.median(np.abs(residual)))
        tolerance = float(np.clip(4.5 * spread, _LEAST_TOLERANCE, widest))
        if round_ == 2:
            break
    closed = cv2.morphologyEx(mask * np.uint8(255), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return Bed(np.asarray(closed, dtype=np.uint8), surface, tolerance)


class BedKind(Enum):
    """What else on a page may have the level that was taken for the bed."""

    CERTAIN = auto()
    """Nothing: brighter and darker places show on the page, or it outshines the scanner."""
    DARK = auto()
    """A mask printed on the film: the darkest of a film."""
    BRIGHT = auto()
    """What a collimator covered: the clearest of a film."""
    INSIDE = auto()
    """Anything on the film: the level hardly shows along the frame."""


def kind_of_bed(bed: Bed, tone: Floats, light: Floats) -> BedKind:
    """Tell what else than the bed may have this level.

    Parameters
    ----------
    bed : Bed
    tone, light : ndarray of float32, (rows, columns)
        Log light, and light of which the brightest thousandth is 1.
    """
    if outshines(bed, light):
        return BedKind.CERTAIN
    mask = bed.mask > 0
    level = float(np.median(tone[mask]))
    clear = 2 * bed.tolerance + _CLEAR
    # Specks of noise in eight bits are no place that is darker.
    places = cv2.medianBlur(np.ascontiguousarray(tone[::2, ::2]), 3)
    low, high = np.quantile(places, (_ODD, 1 - _ODD))
    if low > level - clear:
        return BedKind.DARK
    if high < level + clear:
        return BedKind.BRIGHT
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return BedKind.CERTAIN if float(rim.mean()) > _ALONG_FRAME else BedKind.INSIDE


def outshines(bed: Bed, light: Floats) -> bool:
    """Tell whether a bed shines beyond the scanner's range, as nothing on a film does."""
    return float(np.mean(light[bed.mask > 0] == 1.0)) > _SATURATED


def reaches_ceiling_inside(bed: Bed, light: Floats) -> bool:
    """Tell whether what is no bed reaches the highest value too, away from the bed.

    Then the scan is over-exposed: clear film may be as bright as a bed that outshines the scanner,
    and be taken for it.

    Parameters
    ----------
    bed : Bed
        One that outshines the scanner.
    light : ndarray of float32, (rows, columns)
        Light of which the brightest thousandth is 1.
    """
    rest = cv2.erode(cv2.bitwise_not(bed.mask), np.ones((_INWARDS, _INWARDS), np.uint8))
    # A line that the scanner lost is no film.
    ceiling = cv2.bitwise_and(rest, cv2.inRange(light, 1.0, np.inf))
    ceiling = cv2.morphologyEx(ceiling, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return cv2.countNonZero(ceiling) > _REACHED * cv2.countNonZero(rest)


def shows_light_behind(bed: Bed, light: Floats) -> bool:
    """Tell whether light shows in corners of the frame, behind what was taken for a dark bed.

    Then that is film whose edges lie beyond the frame and whose rounded corners do not.
    """
    size = max(6, round(_BEHIND * max(light.shape)))
    lit = 0
    for rows, columns in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        mask = bed.mask[::rows, ::columns][: size + 1, : size + 1] > 0
        corner = light[::rows, ::columns][:2, :2]
        lit += bool((mask[0, -1] or mask[-1, 0]) and corner.min() > _LIT)
    return lit >= 2


@lru_cache(maxsize=2)
def _terms(rows: int, columns: int) -> Floats:
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    terms.setflags(write=False)
    return terms


def _spans(shown: NDArray[np.bool_]) -> bool:
    """Tell whether the bed shows widely enough, in both directions, for a bent surface."""
    across, down = np.flatnonzero(shown.any(axis=0)), np.flatnonzero(shown.any(axis=1))
    wide = np.ptp(across) > 0.6 * shown.shape[1] and np.ptp(down) > 0.6 * shown.shape[0]
    return bool(wide and shown.mean() > 0.04)


def _is_clipped(values: Floats) -> bool:
    """Tell whether most places of a bed have its highest value."""
    return float(values.max() - np.quantile(values, 1 - _SATURATED)) < _NOISELESS


def _fitted(terms: Floats, values: Floats) -> Floats:
    """Return the coefficients of terms, (k, n), that fit values best.

    Normal equations by plain sums: six terms within -1 to 1 are well conditioned, and no library
    spreads so small a task over all cores.
    """
    design = terms.astype(np.float64)
    products = np.einsum("in,jn->ij", design, design)
    fitted = np.linalg.lstsq(products, np.einsum("in,n->i", design, values), rcond=None)[0]
    return np.asarray(fitted, dtype=np.float32)


def _touching_frame(candidate: Mask) -> Mask:
    """Keep the connected pieces of a mask that reach the frame along a stretch."""
    _, labels = cv2.connectedComponents(candidate, connectivity=4)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reach = np.bincount(frame, minlength=int(labels.max()) + 1)
    reach[0] = 0
    kept = (reach > 0.02 * min(candidate.shape))[labels]
    return np.asarray(kept, dtype=np.uint8)


def groupings(bed: Mask, smallest: float) -> Iterator[list[list[Outline]]]:
    """Yield ways to see sheets in what is not bed, the plainest first.

    Each connected piece is a sheet; or pieces are cut where they hang together narrowly (tape and
    glare join sheets); or pieces with a narrow gap, or all of them, are one sheet (dark film that
    looks like the bed divides it).

    Parameters
    ----------
    bed : ndarray of uint8, (rows, columns)
        255 where it shows.
    smallest : float
        Pixels of the smallest sheet.

    Yields
    ------
    list of list of ndarray of int32, (n, 1, 2)
        For each sheet the outlines of its pieces, from left to right, then top to bottom. Pieces
        too small for a sheet are left out.
    """
    whole = _opened(np.asarray(cv2.bitwise_not(bed), dtype=np.uint8), _WIDTH)
    plain = _outlines(whole, smallest)
    yield [[one] for one in plain]
    cut = _outlines(_opened(whole, _BRIDGE), smallest)
    if len(cut) > len(plain):
        yield [[one] for one in cut]
    size = round(_BRIDGE * max(bed.shape)) | 1
    joined = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    _, labels = cv2.connectedComponents(np.asarray(joined, dtype=np.uint8))
    groups: dict[int, list[Outline]] = {}
    for one in plain:
        x, y = one[0, 0]
        groups.setdefault(int(labels[y, x]), []).append(one)
    if 1 < len(groups) < len(plain):
        yield list(groups.values())
    if len(plain) > 1:
        yield [plain]


def scraps(bed: Mask, smallest: float) -> list[Outline]:
    """Return outlines of what is no bed and too small for a sheet: blocks and markers, or stains.

    Parameters
    ----------
    bed : ndarray of uint8, (rows, columns)
        255 where it shows.
    smallest : float
        Pixels of the smallest sheet.
    """
    small = _opened(np.asarray(cv2.bitwise_not(bed), dtype=np.uint8), _WIDTH)
    cv2.drawContours(small, _outlines(small, smallest), -1, 0, cv2.FILLED)
    outlines, _ = cv2.findContours(small, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(one, dtype=np.int32) for one in outlines]


def _opened(mask: Mask, part: float) -> Mask:
    """Take away what is narrower than a part of the frame; at the frame the picture goes on."""
    size = max(5, round(part * max(mask.shape))) | 1
    edged = cv2.copyMakeBorder(mask, size, size, size, size, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(edged, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    return np.ascontiguousarray(opened[size:-size, size:-size], dtype=np.uint8)


def _outlines(mask: Mask, smallest: float) -> list[Outline]:
    """Return the outlines of a mask's pieces that are large enough for a sheet."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [
        np.asarray(outline, dtype=np.int32)
        for outline in outlines
        if cv2.contourArea(outline) >= smallest
    ]
    return sorted(large, key=lambda one: (int(one[:, 0, 0].min()), int(one[:, 0, 1].min())))
