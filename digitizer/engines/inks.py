"""Dark ink without the coloured stamps and pen strokes that lie across it.

The old drop-out of form printing: in the channel in which a coloured ink is lightest it nearly
vanishes, while black stays black in all of them. What is left of it there is in proportion to how
far the channels differ, and is taken off (Beer and Lambert: densities add up).

The lightest channel has more grain than grey has, so that is taken only where coloured ink lies.
Elsewhere the picture stays as it is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["without_coloured_ink"]

_REDUCED = 0.25
_WIDEST_STROKE = 21
"""On the reduced picture: wider than any stroke, so that the paper shows through."""
_CLOUD = 8.0
_COLOURED = 0.11
"""Difference of the channels, as parts of the paper's own, from which a mark is coloured."""
_LEAST = 0.004
"""Part of the sheet that coloured marks must cover to be worth a second look."""
_PAPER = 230.0
_BLACK = 0.04
"""Part of the paper's light below which ink is black."""
_MOST_LEFT = 1.5
"""Density in the lightest channel to the spread of the channels; more is no coloured ink."""
_GREY = np.array((0.299, 0.587, 0.114), np.float32)
"""Of red, green and blue (ITU-R BT.601), as the look with coloured ink sees them."""
_SPECK = np.ones((3, 3), np.uint8)
"""What is no larger is coloured by grain; a mark's own edge is blurred as far beyond it."""


def without_coloured_ink(picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return a label in grey with coloured ink faded; None where there is none.

    Parameters
    ----------
    picture : ndarray of uint8, (rows, columns, 3)

    Returns
    -------
    ndarray of uint8, (rows, columns), or None
        Relative to the paper about it: grey, and where coloured ink lies the lightest channel of
        each pixel, without what the ink leaves there.
    """
    small = cv2.resize(picture, None, fx=_REDUCED, fy=_REDUCED, interpolation=cv2.INTER_AREA)
    stroke = np.ones((_WIDEST_STROKE, _WIDEST_STROKE), np.uint8)
    paper = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, stroke), (0, 0), _CLOUD)
    size = (picture.shape[1], picture.shape[0])
    ground = cv2.resize(paper, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    shares = picture.astype(np.float32) / np.maximum(ground, 1)
    lightest = shares.max(axis=2)
    colour = cv2.GaussianBlur(lightest - shares.min(axis=2), (0, 0), 1.5)
    coloured = colour > _COLOURED
    if float(np.mean(coloured)) < _LEAST:
        return None
    density = -np.log(np.clip(lightest, _BLACK, None))
    spread = -np.log(np.clip(shares.min(axis=2), _BLACK, None)) - density
    spread = np.clip(cv2.GaussianBlur(spread, (0, 0), 1.0), 0, None)
    # Half of the coloured pixels bear no black ink below.
    left = float(np.quantile(density[coloured] / np.maximum(spread[coloured], 0.02), 0.4))
    black = density - np.float32(np.clip(left, 0, _MOST_LEFT)) * spread
    faded, grey = (np.clip(one * _PAPER, 0, 255) for one in (np.exp(-black), shares @ _GREY))
    return np.asarray(grey + _cover(coloured) * (faded - grey), dtype=np.uint8)


def _cover(coloured: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how far coloured marks cover each pixel, 0 to 1, softly and without specks."""
    marks = cv2.morphologyEx(coloured.astype(np.uint8), cv2.MORPH_OPEN, _SPECK)
    marks = cv2.dilate(marks, _SPECK)
    return np.asarray(cv2.GaussianBlur(marks.astype(np.float32), (0, 0), 1.0), np.float32)
