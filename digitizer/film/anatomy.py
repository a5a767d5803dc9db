"""What the picture itself says of its turn, where it shows a frontal chest.

What this decides: the turn of a film that looks like a frontal chest radiograph. What it never
does: tell left from right (the heart's side is too weak a sign), or speak of any other picture.
What it may get wrong: a picture that has lungs' tone by chance; hence it counts only beside text.

The template is the mean of fourteen public chest radiographs, ranked by tone (sources, licences:
in ``digitizer/rehearsal/sources/LICENSES.md``). Left out one at a time, all are told right.
"""

from functools import cache
from importlib import resources
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import halved
from digitizer.model.raster import Pixels

__all__ = ["turn_of_chest"]

_SIDE = 32
_FINE = 8 * _SIDE
"""So fine rows and columns that halving leaves out are a small part of a cell."""
_LEAST = 0.40
_GAP = 0.20
_HINT, _HINT_GAP = 0.25, 0.05
"""From here on the picture leans one way: enough to agree with text, not enough alone."""
_MASKED = 0.35
"""Part of black from which a picture (a mammogram, a masked small field) is no frontal chest."""

Ranked = NDArray[np.float32]


@cache
def _template() -> Ranked:
    file = resources.files("digitizer.film").joinpath("chest.npy")
    return np.asarray(np.load(BytesIO(file.read_bytes())), dtype=np.float32)


def turn_of_chest(picture: Pixels) -> tuple[int, bool] | None:
    """Return the turn (0, 90, 180, 270) of a frontal chest, and whether that alone is enough.

    None for anything else.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
        The straightened sheet, as light.
    """
    ranked = _ranked(picture)
    if ranked is None:
        return None
    scores: dict[int, float] = {}
    for turn in (0, 90, 180, 270):
        upright = np.rot90(ranked, -turn // 90)
        scores[turn] = max(
            float(np.sum(view * _template())) for view in (upright, upright[:, ::-1])
        )
    first, second = sorted(scores, key=lambda turn: -scores[turn])[:2]
    gap = scores[first] - scores[second]
    if scores[first] < _HINT or gap < _HINT_GAP:
        return None
    return first, scores[first] >= _LEAST and gap >= _GAP


def _ranked(picture: Pixels) -> Ranked | None:
    """Return the inner picture as ranks of tone on a small grid, of zero mean and unit length."""
    rows, columns = picture.shape[:2]
    y, x = int(rows * 0.08), int(columns * 0.08)
    inner = picture[y : rows - y, x : columns - x]
    if min(inner.shape) < _SIDE:
        return None
    half, _ = halved(inner, (_FINE, _FINE))
    small = cv2.resize(half.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    if float(np.mean(small < 0.03 * max(float(small.max()), 1.0))) > _MASKED:
        return None
    ranks = np.argsort(np.argsort(small.ravel())).reshape(small.shape).astype(np.float32)
    smooth = cv2.GaussianBlur(ranks, (0, 0), 1.0)
    centred = smooth - smooth.mean()
    return np.asarray(centred / np.linalg.norm(centred), dtype=np.float32)
