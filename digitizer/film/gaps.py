"""Gaps between the pictures of a sheet of many: where it is clear, and where it is black.

What this decides: which pixels are as clear as clear film, and which as black as the black around
them. What it never does: tell whether they are gaps (:mod:`digitizer.film.tiles`).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats

__all__ = ["black_gaps", "clear_gaps"]

_CLEAR = 0.3
"""Below the lightest that is clear, as a part of the range of tones: a thin line is blurred with
what is beside it."""
_BLACK = 0.07
"""Above the darkest that is black, as a part of the range: noise, uneven light, the background of
MR."""
_GRAIN = 4.0
"""Above the darkest that is black, in median grain."""
_CELL_MM, _CELLS = 4.0, 9
"""Black is the darkest of so many cells around, each way: means over that size, free of noise."""
_RIM_MM = 2.0
"""Along the sheet's edge light comes round it, and corners are cut."""


def clear_gaps(tone: Floats, darkest: float, lightest: float) -> NDArray[np.bool_]:
    """Tell where a sheet is clear.

    Parameters
    ----------
    tone : ndarray of float32, (rows, columns)
        Log light.
    darkest, lightest : float
        Between these lies all but what is odd.
    """
    seen = (tone >= lightest - _CLEAR * (lightest - darkest)).astype(np.uint8)
    # A frame is thin and never quite upright: one pixel wider it is met everywhere.
    return np.asarray(cv2.dilate(seen, np.ones((3, 3), np.uint8)), np.uint8).view(np.bool_)


def black_gaps(tone: Floats, tones: float, scale: float) -> NDArray[np.bool_]:
    """Tell where a sheet is black, or ends.

    Parameters
    ----------
    tone : ndarray of float32, (rows, columns)
        Log light.
    tones : float
        The range of it.
    scale : float
        Millimetres a pixel.
    """
    calm = np.asarray(cv2.blur(tone, (3, 3)), np.float32)
    grain = float(np.median(np.abs(tone[::2, ::2] - calm[::2, ::2])))
    level = _ground(calm, scale) + np.float32(max(_BLACK * tones, _GRAIN * grain))
    # Single specks are noise; strokes of letters are wider.
    black = np.asarray(cv2.medianBlur((calm <= level).astype(np.uint8), 3), np.uint8)
    # The sheet's own edge is seen, and belongs to no picture.
    rim = max(1, round(_RIM_MM / scale))
    for side in (np.s_[:rim], np.s_[-rim:], np.s_[:, :rim], np.s_[:, -rim:]):
        black[side] = 1
    return black.view(np.bool_)


def _ground(calm: Floats, scale: float) -> Floats:
    """Return how black the black around each pixel is: where light is scattered it is less so."""
    rows, columns = (max(1, round(side * scale / _CELL_MM)) for side in calm.shape)
    cells = cv2.resize(calm, (columns, rows), interpolation=cv2.INTER_AREA)
    around = (_CELLS, _CELLS)
    black = cv2.blur(cv2.erode(cells, np.ones(around, np.uint8)), around)
    found = cv2.resize(black, calm.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(found, np.float32)
