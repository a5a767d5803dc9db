"""What the picture itself says of its turn, where it shows a frontal chest.

What this decides: the turn of a film that looks like a frontal chest radiograph. What it never
does: tell left from right (the heart's side is too weak a sign), or speak of any other picture.
What it may get wrong: a picture that has lungs' tone by chance; hence it counts only beside text.
What was printed on the film is left out: a block at the diaphragm, or a light one at a shoulder, is
as large as a lung, and turned three chests of 240 upside down.

The template is the mean of fourteen public chest radiographs, ranked by tone (sources, licences:
in ``digitizer/rehearsal/sources/LICENSES.md``). Left out one at a time, all are told right.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats, halved
from digitizer.model.raster import Pixels
from digitizer.model.units import Point

__all__ = ["turn_of_chest"]

_SIDE = 32
_FINE = 8 * _SIDE
"""So fine rows and columns that halving leaves out are a small part of a cell."""
_LEAST = 0.40
_GAP = 0.20
_HINT, _HINT_GAP = 0.25, 0.10
"""From here on the picture leans one way: enough to agree with text, not enough alone. Of 240 drawn
films (seeds 8102 and 8404) five had a smaller gap, and two of these leaned the wrong way."""
_MASKED = 0.35
"""Part of black from which a picture (a mammogram, a masked small field) is no frontal chest."""

_AROUND = 1.0
"""Line heights by which a block's ground reaches beyond its lines, and by which lines lie apart."""
_LEAST_SHOWN = 0.6
"""Part of the picture below which too little is left beside what was printed."""
_INSET = 0.08
"""Part of each side that is left out: borders and curled edges."""


@cache
def _template() -> Floats:
    file = resources.files("digitizer.film").joinpath("chest.npy")
    return np.asarray(np.load(BytesIO(file.read_bytes())), dtype=np.float32)


def turn_of_chest(
    picture: Pixels, printed: Iterable[Sequence[Point]] = ()
) -> tuple[int, bool] | None:
    """Return the turn (0, 90, 180, 270) of a frontal chest, and whether that alone is enough.

    None for anything else.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
        The straightened sheet, as light.
    printed : iterable of four points each
        Boxes of the lines that were read, in pixels of the picture.
    """
    shown = _shown(picture.shape[:2], printed)
    ranked = _ranked(picture, shown)
    if ranked is None:
        return None
    scores: dict[int, float] = {}
    for turn in (0, 90, 180, 270):
        upright, beside = np.rot90(ranked, -turn // 90), np.rot90(shown, -turn // 90)
        scores[turn] = max(_likeness(upright, beside), _likeness(upright[:, ::-1], beside[:, ::-1]))
    first, second = sorted(scores, key=lambda turn: -scores[turn])[:2]
    gap = scores[first] - scores[second]
    if scores[first] < _HINT or gap < _HINT_GAP:
        return None
    return first, scores[first] >= _LEAST and gap >= _GAP


def _likeness(view: Floats, shown: Floats) -> float:
    """Return the correlation of a view with the template where the picture shows."""
    wanted = (_template() - np.average(_template(), weights=shown)) * shown
    seen = (view - np.average(view, weights=shown)) * shown
    return float(np.sum(seen * wanted) / (np.linalg.norm(seen) * np.linalg.norm(wanted)))


def _shown(shape: tuple[int, ...], printed: Iterable[Sequence[Point]]) -> Floats:
    """Return 1 for each cell of the inner picture, 0 where something was printed on it."""
    shown = np.ones((_SIDE, _SIDE), np.float32)
    sides = np.array(shape[::-1], dtype=np.float64)
    for box in printed:
        corners = np.array(box, dtype=np.float64)
        height = min(
            np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[1])
        )
        low, high = corners.min(axis=0) - _AROUND * height, corners.max(axis=0) + _AROUND * height
        x0, y0 = _cells(np.floor, low, sides)
        x1, y1 = _cells(np.ceil, high, sides)
        shown[y0:y1, x0:x1] = 0
    return shown


def _cells(rounded: np.ufunc, at: NDArray[np.float64], sides: NDArray[np.float64]) -> list[int]:
    inner = (at / sides - _INSET) / (1 - 2 * _INSET)
    cells: list[int] = np.clip(rounded(inner * _SIDE), 0, _SIDE).astype(int).tolist()
    return cells


def _ranked(picture: Pixels, shown: Floats) -> Floats | None:
    """Return the inner picture as ranks of tone on a small grid; None where it is no chest."""
    rows, columns = picture.shape[:2]
    y, x = int(rows * _INSET), int(columns * _INSET)
    inner = picture[y : rows - y, x : columns - x]
    if min(inner.shape) < _SIDE or shown.mean() < _LEAST_SHOWN:
        return None
    half, _ = halved(inner, (_FINE, _FINE))
    small = cv2.resize(half.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    if float(np.mean(small < 0.03 * max(float(small.max()), 1.0))) > _MASKED:
        return None
    seen = shown > 0
    ranks = np.zeros_like(small)
    ranks[seen] = np.argsort(np.argsort(small[seen])) / np.float32(seen.sum())
    around = cv2.GaussianBlur(shown, (0, 0), 1.0)
    smooth = cv2.GaussianBlur(ranks, (0, 0), 1.0) / np.maximum(around, np.float32(1e-3))
    return np.asarray(smooth * shown, dtype=np.float32)
