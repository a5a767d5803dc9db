"""Dark ink without the coloured stamps and pen strokes that lie across it.

The old drop-out of form printing: in the channel in which a coloured ink is lightest it nearly
vanishes, while black stays black in all of them. What is left of it there is in proportion to how
far the channels differ, and is taken off (Beer and Lambert: densities add up).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["without_coloured_ink"]

Picture = NDArray[np.float32]

_REDUCED = 0.25
_WIDEST_STROKE = 21
"""On the reduced picture: wider than any stroke, so that the paper shows through."""
_THICK = 31
"""Pixels that no stroke of a stamp or pen is wide; the strip of card about a sticker that seems
coloured beside its paper is wider."""
_TOGETHER, _LEAST_MARK = 9, 60
"""Pixels by which strokes of one mark lie apart, and how many pixels tell its ink: a pen leaves
another share than a stamp."""
_CLOUD = 8.0
_GRAIN = 1.5
_COLOURED = 0.11
"""Difference of the channels, as parts of the paper's own, from which a mark is coloured."""
_LEAST = 0.004
"""Part of the sheet that coloured marks must cover to be worth a second look."""
_PAPER = 230.0
_BLACK = 0.04
"""Part of the paper's light below which ink is black."""
_MOST_LEFT = 1.5
"""Density in the lightest channel to the spread of the channels; more is no coloured ink."""


def without_coloured_ink(picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return a label in grey with coloured ink faded; None where there is none.

    Parameters
    ----------
    picture : ndarray of uint8, (rows, columns, 3)

    Returns
    -------
    ndarray of uint8, (rows, columns), or None
        The lightest channel of each pixel, relative to the paper about it, without what the
        coloured ink leaves there.
    """
    small = cv2.resize(picture, None, fx=_REDUCED, fy=_REDUCED, interpolation=cv2.INTER_AREA)
    stroke = np.ones((_WIDEST_STROKE, _WIDEST_STROKE), np.uint8)
    paper = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, stroke), (0, 0), _CLOUD)
    size = (picture.shape[1], picture.shape[0])
    ground = cv2.resize(paper, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    shares = np.asarray(picture / np.maximum(ground, 1), np.float32)
    lightest = shares.max(axis=2)
    colour = cv2.GaussianBlur(lightest - shares.min(axis=2), (0, 0), 1.5)
    coloured = colour > _COLOURED
    if float(np.mean(coloured)) < _LEAST:
        return None
    density, spread = _densities(shares)
    smooth = np.asarray(cv2.GaussianBlur(shares, (0, 0), _GRAIN), np.float32)
    left = _left(smooth, coloured, colour)
    spread = np.clip(cv2.GaussianBlur(spread, (0, 0), 1.0), 0, None)
    black = density - left * spread
    return np.asarray(np.clip(np.exp(-black) * _PAPER, 0, 255), dtype=np.uint8)


def _densities(shares: Picture) -> tuple[Picture, Picture]:
    """Return the density in the lightest channel, and how much denser the darkest is."""
    light, dark = (-np.log(np.clip(one, _BLACK, None)) for one in (shares.max(2), shares.min(2)))
    return light, dark - light


def _left(shares: Picture, coloured: NDArray[np.bool_], colour: Picture) -> Picture:
    """Tell the density of coloured ink in its lightest channel to the spread of the channels.

    Card beside a sticker is coloured as well, and would pass for ink that leaves little; so
    strokes are looked at, where they are darker than the ground: blue ink on brown card is not in
    blue light. The picture is without its grain, in which a channel is always light.

    Returns
    -------
    ndarray of float32, (rows, columns)
        Of each mark its own; elsewhere that of all together.
    """
    strokes = cv2.morphologyEx(colour, cv2.MORPH_TOPHAT, np.ones((_THICK, _THICK), np.uint8))
    density, spread = _densities(shares)
    ratios = np.asarray(density / np.maximum(spread, 0.02), np.float32)
    marks = (strokes > _COLOURED) & (density > 0)
    if float(np.mean(marks)) < _LEAST:
        marks = coloured
    left = np.full(shares.shape[:2], _usual(ratios[marks]), np.float32)
    near = cv2.dilate(marks.astype(np.uint8), np.ones((_TOGETHER, _TOGETHER), np.uint8))
    count, owners, stats, _ = cv2.connectedComponentsWithStats(near)
    for one in range(1, count):
        x, y, width, height, _ = stats[one]
        place = np.s_[y : y + height, x : x + width]
        own = owners[place] == one
        told = ratios[place][own & marks[place]]
        if len(told) >= _LEAST_MARK:
            left[place][own] = _usual(told)
    return left


def _usual(ratios: Picture) -> float:
    """Half of the coloured pixels bear no black ink below."""
    return float(np.clip(np.quantile(ratios, 0.4), 0, _MOST_LEFT))
