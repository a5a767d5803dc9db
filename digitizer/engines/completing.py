"""Lines of a block on a film that the detector saw in part only, or passed over.

Of blurred print it sees the middle of a line and not its first letters, or every line but one. What
it saw tells where the rest must stand: a line goes on as far as strokes follow each other at its
height, and the lines of a block lie evenly under each other.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Pixels

__all__ = ["completed"]

Boxes = NDArray[np.float32]
Floats = NDArray[np.float32]

_ROWS = 24
"""Height of a line on the picture on which its strokes are looked for."""
_ROOM = 8.0
"""Line heights beyond its ends in which a line is looked for."""
_ABOVE = 0.1
_WORD_GAP = 0.9
"""Line heights without a stroke that end a line."""
_LEAST_ADDED = 0.35
"""Line heights by which a line must go on to be worth reading so: a narrow letter."""
_ACTIVE = 0.4
"""Part of the strokes' usual strength that a column of a letter has."""
_CLOSEST, _WIDEST = 0.5, 3.0
"""Line heights from one line of a block to the next: boxes of blurred lines overlap, and what lies
nearer is of one line."""
_EVENLY = 0.2
"""Part of their distance by which lines stand unevenly."""
_LETTERS = 2.0
"""Line heights of strokes that make a line."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """The directions of a block's lines, and their usual height."""

    right: Floats
    down: Floats
    height: float


def completed(piece: Pixels, lines: Boxes, *, ends: bool = True) -> Boxes:
    """Return a block's lines as far as their strokes go, and then those that were passed over.

    Parameters
    ----------
    piece : ndarray of uint8 or uint16, (rows, columns)
    lines : ndarray of float32, (n, 4, 2)
        Upright boxes, as :func:`digitizer.engines.strips.upright` lists them.
    ends : bool
        Whether little was found: then lines may also go on, and stand above and below the others.
        Else each stays as it is, and only between them one may be missing.
    """
    right = (lines[:, 1] - lines[:, 0]).sum(axis=0)
    down = (lines[:, 3] - lines[:, 0]).sum(axis=0)
    heights = np.linalg.norm(lines[:, 3] - lines[:, 0], axis=1)
    lengths = np.linalg.norm(right), np.linalg.norm(down)
    if min(lengths) < 1:
        return lines
    frame = _Frame(right / lengths[0], down / lengths[1], float(np.median(heights)))
    strengths = [_strength(piece, one) for one in lines]
    found = lines
    if ends:
        longer = [_longer(piece, one, usual) for one, usual in zip(lines, strengths, strict=True)]
        found = np.array(longer, np.float32)
    passed_over = _passed_over(piece, found, frame, float(np.median(strengths)), ends=ends)
    return np.array([*found, *passed_over], np.float32)


def _strength(piece: Pixels, box: Boxes) -> float:
    return float(np.quantile(_strokes(piece, box, 0.0), 0.6))


def _longer(piece: Pixels, box: Boxes, usual: float) -> Boxes:
    """Return a line's box as far as strokes follow each other from its ends."""
    found = _strokes(piece, box, _ROOM) > _ACTIVE * usual
    room = round(_ROOM * _ROWS)
    before, after = _goes_on(found[:room][::-1]), _goes_on(found[len(found) - room :])
    along = (box[1] - box[0]) / max(float(np.linalg.norm(box[1] - box[0])), 1.0)
    height = float(np.linalg.norm(box[3] - box[0]))
    left, right = (one * height if one >= _LEAST_ADDED else 0.0 for one in (before, after))
    ends = np.array([-left, right, right, -left], np.float32)
    return np.asarray(box + ends[:, None] * along, np.float32)


def _goes_on(active: NDArray[np.bool_]) -> float:
    """Return line heights by which strokes go on from where a line ended; 0 where they never end.

    What never ends is no line but what lies behind it.
    """
    gap = round(_WORD_GAP * _ROWS)
    places = np.flatnonzero(np.concatenate([[True], active]))
    steps = np.diff(np.append(places, len(active) + 1))
    wide = np.flatnonzero(steps > gap)
    return float(places[wide[0]]) / _ROWS if len(wide) else 0.0


def _passed_over(
    piece: Pixels, lines: Boxes, frame: _Frame, usual: float, *, ends: bool
) -> list[Boxes]:
    """Return lines that the spacing of a block leaves room for, where strokes stand there."""
    middles = np.sort(lines.mean(axis=1) @ frame.down)
    gaps = np.diff(middles) / frame.height
    apart = gaps[(gaps > _CLOSEST) & (gaps < _WIDEST)]
    if len(apart) == 0:
        return []
    pitch = float(apart.min())
    step = pitch * frame.height
    rows = [float(middles[0]) - step, float(middles[-1]) + step] if ends else []
    for first, gap in zip(middles[:-1], gaps, strict=True):
        missing = round(float(gap) / pitch) - 1
        if missing in (1, 2) and abs(float(gap) / pitch - missing - 1) < _EVENLY * (missing + 1):
            step = float(gap) * frame.height / (missing + 1)
            rows += [float(first) + step * (number + 1) for number in range(missing)]
    first, last = (lines @ frame.right).min(), (lines @ frame.right).max()
    frame = replace(frame, height=frame.height * min(1.0, pitch))
    found = [_line_at(piece, row, (float(first), float(last)), frame, usual) for row in rows]
    return [one for one in found if one is not None]


def _line_at(
    piece: Pixels, row: float, ends: tuple[float, float], frame: _Frame, usual: float
) -> Boxes | None:
    """Return the box of the strokes at a row of a block; None where they make no line."""
    half = frame.height / 2
    corners = [(ends[0], row - half), (ends[1], row - half), (ends[1], row + half),
               (ends[0], row + half)]  # fmt: skip
    box = np.array([u * frame.right + v * frame.down for u, v in corners], np.float32)
    active = np.flatnonzero(_strokes(piece, box, 0.0) > _ACTIVE * usual)
    if len(active) < _LETTERS * _ROWS:
        return None
    left, right = active[[0, -1]] / _ROWS * frame.height
    box[[0, 3]] = box[[0, 3]] + left * frame.right
    box[[1, 2]] = box[[0, 3]] + (right - left) * frame.right
    return _longer(piece, box, usual)


def _strokes(piece: Pixels, box: Boxes, room: float) -> Floats:
    """Return how much each column of a line varies from top to bottom, as strokes do.

    The border of a block stands upright, and its ground and the film are even: they vary little.
    ``room``: line heights beyond its ends.
    """
    tl, tr, _, bl = box.astype(np.float64)
    width, height = float(np.linalg.norm(tr - tl)), max(float(np.linalg.norm(bl - tl)), 1.0)
    right, down = (tr - tl) / max(width, 1.0), (bl - tl) / height
    scale = _ROWS / height
    matrix = np.column_stack(
        [right / scale, down / scale, tl - right * room * height - down * _ABOVE * height]
    )
    size = (max(1, round((width + 2 * room * height) * scale)), round(_ROWS * (1 + 2 * _ABOVE)))
    strip = cv2.warpAffine(
        piece, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    smooth = cv2.GaussianBlur(strip.astype(np.float32), (0, 0), 1.5)
    return np.asarray(cv2.blur(smooth.std(axis=0)[None], (_ROWS // 4 | 1, 1))[0], np.float32)
