"""Lead side markers: a lone R or L laid on the film, in any of eight ways.

Lead stops the beam, so a marker is clear film: bright as on a light box. Each bright spot of a
letter's size is compared with all letters and digits in all ways, and counts only where R or L in
one way is clearly nearest. A marker wrongly seen turns a film over; so when in doubt, nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.engines.strips import Way
from digitizer.model.raster import Pixels
from digitizer.model.reading import Line
from digitizer.model.units import Point
from digitizer.reading import levels

__all__ = ["MARKER", "find_markers"]

MARKER = "marker"
"""Name of this witness among the engines."""

Floats = NDArray[np.float32]

_LONGEST = 1400
_OPENING = 71
"""Wider than any marker's strokes on the reduced picture, narrower than a bone's shadow."""
_LEVELS = (24, 48, 80, 120)
_LEAST_SIDE, _MOST_SIDE = 16, 90
_LIKE = (0.65, 1.6)
"""Sides of a spot to those of another that is of like size."""
_TILE = 24
_LETTERS = "RLABCDEFGHIJKMNOPQSTUVWXYZ0123456789"
_GLYPH = 48
_TILTS = (-24, -12, 0, 12, 24)
_OTHER_TILTS = (-12, 0, 12)
_NEAR = 0.80
_LEAD = 0.05
_RING = 6
_CLEAR = 4.2
"""In 72 rehearsal films all markers stood out by 4.4 or more, and nothing else by 4."""
_MOST_SPOTS = 400
_MOST_MARKERS = 4
_RIVAL = 0.05


@dataclass(frozen=True, slots=True)
class _Templates:
    """Unit vectors of glyph tiles, with the letter and way of each."""

    vectors: Floats
    letters: NDArray[np.int64]
    ways: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Spot:
    """A clear spot of a letter's size: its box on the reduced picture and its pixels."""

    box: tuple[int, int, int, int]
    tile: Floats


@dataclass(frozen=True, slots=True)
class _Seen:
    letter: str
    way: Way
    score: float
    box: tuple[int, int, int, int]


def find_markers(picture: Pixels, taken: Sequence[NDArray[np.float32]]) -> tuple[Line, ...]:
    """Find lead markers; none where two of them contradict each other.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
        A film as on a light box.
    taken : sequence of ndarray, (4, 2)
        Lines of text already read, in pixels of the picture; what lies in them is no marker.

    Returns
    -------
    tuple of Line
        Engine ``marker``, text ``R`` or ``L``, at most four, the clearest first.
    """
    scale = min(1.0, _LONGEST / max(picture.shape))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    bright = _bright(small)
    for box in taken:
        cv2.fillConvexPoly(bright, np.round(_grown(box) * scale).astype(np.int32), 0)
    told = [_told(spot) for spot in _spots(bright)]
    seen: list[_Seen] = []
    for one in sorted((one for one in told if one), key=lambda one: -one.score):
        if not any(_overlap(one.box, other.box) for other in seen):
            seen.append(one)
    if any(one.way != seen[0].way and one.score > seen[0].score - _RIVAL for one in seen[1:]):
        return ()
    agreed = [one for one in seen if one.way == seen[0].way]
    return tuple(_line(one, scale) for one in agreed[:_MOST_MARKERS])


def _bright(small: NDArray[Any]) -> NDArray[np.uint8]:
    """Return what is brighter than all around it, in square-root tones."""
    low, top = levels(small, 0.005, 0.998)
    span = max(top - low, 1.0)
    values = np.arange(1 + int(np.iinfo(small.dtype).max), dtype=np.float32)
    tones = (np.sqrt(np.clip((values - low) / span, 0, 1)) * 255).astype(np.uint8)[small]
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_OPENING, _OPENING))
    return np.asarray(cv2.morphologyEx(tones, cv2.MORPH_TOPHAT, kernel), np.uint8)


def _grown(box: NDArray[np.float32]) -> NDArray[np.float32]:
    middle = box.mean(axis=0)
    return np.asarray(middle + (box - middle) * 1.15, np.float32)


def _spots(bright: NDArray[np.uint8]) -> list[_Spot]:
    """Cut out lone, clear spots of a letter's size and shape, at several levels."""
    found: list[_Spot] = []
    for level in _LEVELS:
        mask = (bright > level).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, ltype=_kind_of_label(mask))
        sizes = stats[1:, :4].astype(int)
        sides = sizes[:, 2:].max(axis=1)
        areas = stats[1:, cv2.CC_STAT_AREA]
        fits = (
            (sides >= _LEAST_SIDE)
            & (sides <= _MOST_SIDE)
            & (sizes[:, 2:].min(axis=1) > 0.35 * sides)
            & (areas > 0.16 * sizes[:, 2] * sizes[:, 3])
            & (areas < 0.72 * sizes[:, 2] * sizes[:, 3])
        )
        middles = sizes[:, :2] + sizes[:, 2:] / 2
        # Specks, nearly all of what is found, are like no letter.
        near = sides > _LIKE[0] * _LEAST_SIDE
        alone = [
            number
            for number in np.flatnonzero(fits).tolist()
            if _lone(middles[number], int(sides[number]), middles[near], sides[near])
        ]
        for number in alone[:_MOST_SPOTS]:
            x, y, width, height = (int(value) for value in sizes[number])
            box = (x, y, width, height)
            if _clearness(bright, labels, number + 1, box) < _CLEAR:
                continue
            piece = bright[y : y + height, x : x + width].astype(np.float32)
            piece *= labels[y : y + height, x : x + width] == number + 1
            found.append(_Spot(box, _tile(piece)))
    return found


def _kind_of_label(mask: NDArray[np.uint8]) -> int:
    """Return the type of labels for a mask's components: short ones take half the time.

    A component begins with a pixel that has none to its left, so there are no more than of those.
    """
    most = np.count_nonzero(mask[:, 1:] > mask[:, :-1]) + np.count_nonzero(mask[:, 0])
    return cv2.CV_16U if most < np.iinfo(np.uint16).max else cv2.CV_32S


def _clearness(
    bright: NDArray[np.uint8],
    labels: NDArray[Any],
    number: int,
    box: tuple[int, int, int, int],
) -> float:
    """Return how far the spot of that label stands out from the ring about it, in spreads of both.

    Lead is evenly clear and ends sharply; anatomy fades. 0 where no spread could make it clear.
    """
    x, y, width, height = box
    y0, x0 = max(0, y - _RING), max(0, x - _RING)
    part = (slice(y0, y + height + _RING), slice(x0, x + width + _RING))
    mask = (labels[part] == number).astype(np.uint8)
    values = bright[part]
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    near = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    ring = cv2.dilate(near, np.ones((5, 5), np.uint8)) > near
    if inner.sum() < 12 or ring.sum() < 12:
        return 0.0
    inside, outside = _median(values[inner]), _median(values[ring])
    if inside - outside < _CLEAR:
        return 0.0
    spread = _median(np.abs(values[inner] - inside)) + _median(np.abs(values[ring] - outside))
    return (inside - outside) / (1.4826 * spread + 1.0)


def _median(values: NDArray[Any]) -> float:
    """Return the median; ``numpy.median`` takes ten times as long for a few dozen values."""
    middle = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, middle)[middle])
    below, above = np.partition(values, (middle - 1, middle))[middle - 1 : middle + 1]
    return (float(below) + float(above)) / 2


def _lone(
    middle: NDArray[np.float64],
    side: int,
    middles: NDArray[np.float64],
    sides: NDArray[np.int64],
) -> bool:
    """Tell whether a spot, itself among them all, has none of like size beside it.

    The letters of a word have.
    """
    like = np.flatnonzero((sides > _LIKE[0] * side) & (sides < _LIKE[1] * side))
    apart = np.abs(middles[like] - middle).max(axis=1)
    return int((apart < 1.3 * side).sum()) == 1


def _tile(piece: Floats) -> Floats:
    """Return the piece centred in a square, 24 by 24, of mean 0 and length 1."""
    rows, columns = piece.shape
    side = max(rows, columns)
    square = np.zeros((side, side), np.float32)
    top, left = (side - rows) // 2, (side - columns) // 2
    square[top : top + rows, left : left + columns] = piece
    how = cv2.INTER_AREA if side > _TILE else cv2.INTER_LINEAR
    small = cv2.resize(square, (_TILE, _TILE), interpolation=how)
    small = cv2.GaussianBlur(small, (0, 0), 0.7)
    vector = (small - small.mean()).ravel()
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


@lru_cache(maxsize=1)
def _templates() -> _Templates:
    """Return all glyphs in all ways; drawn in DejaVu Sans and Liberation Sans."""
    packed = resources.files("digitizer.engines").joinpath("letters.png").read_bytes()
    sheet = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    vectors, letters, ways = [], [], []
    for top in range(0, sheet.shape[0], _GLYPH):
        for number in range(len(_LETTERS)):
            glyph = sheet[top : top + _GLYPH, number * _GLYPH : (number + 1) * _GLYPH]
            for tilt in _TILTS if number < 2 else _OTHER_TILTS:
                upright = _tilted(glyph, tilt)
                for way in range(8):
                    turned = np.rot90(upright[:, ::-1] if way >= 4 else upright, way % 4)
                    vectors.append(_tile(np.ascontiguousarray(turned)))
                    letters.append(number)
                    ways.append(way)
    return _Templates(np.array(vectors, np.float32), np.array(letters), np.array(ways))


def _tilted(glyph: NDArray[np.generic], tilt: float) -> Floats:
    padded = np.pad(glyph.astype(np.float32), _GLYPH // 3)
    middle = (padded.shape[1] / 2 - 0.5, padded.shape[0] / 2 - 0.5)
    matrix = cv2.getRotationMatrix2D(middle, tilt, 1.0)
    turned = cv2.warpAffine(padded, matrix, padded.shape[::-1])
    ys, xs = np.nonzero(turned > 80)
    return np.asarray(turned[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1], np.float32)


def _told(spot: _Spot) -> _Seen | None:
    """Tell a spot's letter and way; None unless R or L in one way is clearly nearest."""
    templates = _templates()
    # No product of matrices: its threads take ten times as long for so little.
    scores = np.einsum("ij,j->i", templates.vectors, spot.tile)
    best = int(scores.argmax())
    if templates.letters[best] > 1 or scores[best] < _NEAR:
        return None
    same = (templates.letters == templates.letters[best]) & (templates.ways == templates.ways[best])
    if scores[best] - float(scores[~same].max()) < _LEAD:
        return None
    way = int(templates.ways[best])
    return _Seen(
        letter=_LETTERS[templates.letters[best]],
        way=(90 * (way % 4), way >= 4),
        score=float(scores[best]),
        box=spot.box,
    )


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


def _line(seen: _Seen, scale: float) -> Line:
    x, y, width, height = (value / scale for value in seen.box)
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    corners = np.roll(corners, seen.way[0] // 90, axis=0)
    if seen.way[1]:
        corners = corners[[1, 0, 3, 2]]
    a, b, c, d = (Point(float(px), float(py)) for px, py in corners)
    return Line(
        text=seen.letter,
        confidence=min(1.0, seen.score),
        box=(a, b, c, d),
        engine=MARKER,
        turn_deg=seen.way[0],
        mirrored=seen.way[1],
    )
