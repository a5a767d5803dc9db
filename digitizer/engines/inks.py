"""Dark ink without the coloured stamps and pen strokes that lie across it.

The old drop-out of form printing: in the channel in which a coloured ink is lightest it nearly
vanishes, while black stays black in all of them. What is left of it there is in proportion to how
far the channels differ, and is taken off (Beer and Lambert: densities add up).

The lightest channel has more grain than grey has, so that is taken only where coloured ink lies.
Elsewhere the picture stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.reading import Line

__all__ = ["Faded", "covered", "without_coloured_ink"]

Boxes = NDArray[np.float32]

_REDUCED = 0.25
_WIDEST_STROKE = 21
"""On the reduced picture: wider than any stroke, so that the paper shows through."""
_CLOUD, _SHARP_CLOUD = 8.0, 2.0
"""Of the paper's light; beyond the second that of paper and of the card about it run together."""
_COLOURED = 0.11
"""Difference of the channels, as parts of the paper's own, from which what is seen is coloured."""
_MARK = 0.06
"""The same of a mark on the smoothed picture: marks have 0.08 and more there, grain 0.02."""
_TIMES_GRAIN = 3.0
"""A mark stands out from the usual difference so many times."""
_LEAST = 0.004
"""Part of the sheet that is coloured, or of the text's place that marks cover, at least."""
_PAPER = 230.0
_BLACK = 0.04
"""Part of the paper's light below which ink is black."""
_MOST_LEFT = 1.5
"""Density in the lightest channel to the spread of the channels; more is no coloured ink."""
_INK = 0.7
"""Part of the paper's light below which a pixel is print or a mark."""
_MOSTLY = 0.6
"""Part of all ink from which on what is coloured is the print itself."""
_GREY = np.array((0.299, 0.587, 0.114), np.float32)
"""Of red, green and blue (ITU-R BT.601), as the look with coloured ink sees them."""
_ACROSS = 0.04
"""Part of a sign's place from which on a mark lies across the sign."""
_CELL = 16
"""Width and height of a sign's place on the picture on which that is told."""
_BESIDE = 0.5
"""Signs by which one may stand aside from where signs of one width would."""
_SPECK = np.ones((3, 3), np.uint8)
"""What is no larger is coloured by grain; a mark's own edge is blurred as far beyond it."""


@dataclass(frozen=True, slots=True, eq=False)
class Faded:
    """A label in grey with its coloured ink faded, and where coloured marks lie across the print.

    Attributes
    ----------
    grey : ndarray of uint8, (rows, columns)
        Relative to the paper about it: grey, and where coloured marks lie the lightest channel of
        each pixel, without what the ink leaves there.
    marks : ndarray of bool, (rows, columns)
        Nothing where the print itself is coloured: no mark is told from it.
    """

    grey: NDArray[np.uint8]
    marks: NDArray[np.bool_]


def without_coloured_ink(
    picture: NDArray[np.uint8], lines: Sequence[Boxes] = (), room: float = 0.0
) -> Faded | None:
    """Return a label with coloured ink faded; None where nothing is coloured.

    Parameters
    ----------
    picture : ndarray of uint8, (rows, columns, 3)
    lines : sequence of ndarray of float32, (4, 2)
        Boxes of the lines found, in pixels; with none the text may stand anywhere.
    room : float
        Line heights about them in which there may be more.
    """
    small = cv2.resize(picture, None, fx=_REDUCED, fy=_REDUCED, interpolation=cv2.INTER_AREA)
    stroke = np.ones((_WIDEST_STROKE, _WIDEST_STROKE), np.uint8)
    paper = np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, stroke), np.uint8)
    marks = _marks(_shares(picture, paper, _SHARP_CLOUD), lines, room)
    shares = _shares(picture, paper, _CLOUD)
    lightest = shares.max(axis=2)
    colour = cv2.GaussianBlur(lightest - shares.min(axis=2), (0, 0), 1.5)
    coloured = np.asarray(colour > _COLOURED)
    if float(np.mean(coloured)) < _LEAST:
        # A pale stamp is no more coloured than grain is, pixel by pixel.
        coloured = marks
        if not marks.any():
            return None
    density = -np.log(np.clip(lightest, _BLACK, None))
    spread = -np.log(np.clip(shares.min(axis=2), _BLACK, None)) - density
    spread = np.clip(cv2.GaussianBlur(spread, (0, 0), 1.0), 0, None)
    # Half of the coloured pixels bear no black ink below.
    left = float(np.quantile(density[coloured] / np.maximum(spread[coloured], 0.02), 0.4))
    black = density - np.float32(np.clip(left, 0, _MOST_LEFT)) * spread
    faded, grey = (np.clip(one * _PAPER, 0, 255) for one in (np.exp(-black), shares @ _GREY))
    mixed = np.asarray(grey + _cover(coloured) * (faded - grey), dtype=np.uint8)
    return Faded(mixed, marks)


def _shares(
    picture: NDArray[np.uint8], paper: NDArray[np.uint8], cloud: float
) -> NDArray[np.float32]:
    """Return each channel as parts of the paper's own, told from a reduced picture of the paper."""
    size = (picture.shape[1], picture.shape[0])
    smooth = cv2.GaussianBlur(paper, (0, 0), cloud)
    ground = cv2.resize(smooth, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return np.asarray(picture.astype(np.float32) / np.maximum(ground, 1), np.float32)


def _marks(shares: NDArray[np.float32], lines: Sequence[Boxes], room: float) -> NDArray[np.bool_]:
    """Return where coloured marks lie among the lines; nothing where the print is coloured."""
    # Smooth before the channels are compared: the difference of three grains is never nothing.
    smooth = cv2.GaussianBlur(shares, (0, 0), 1.5)
    colour = smooth.max(axis=2) - smooth.min(axis=2)
    here = _place_of(lines, shares.shape[:2], room)
    coloured = colour > max(_MARK, _TIMES_GRAIN * float(np.median(colour[here])))
    marks = np.asarray(coloured & here)
    few = float(np.mean(coloured[here])) < _LEAST
    if few or _is_of_print(coloured, shares @ _GREY < _INK, lines):
        return np.zeros_like(marks)
    return marks


def covered(line: Line, marks: NDArray[np.bool_]) -> Line:
    """Return a line with the signs told that marks lie across.

    Parameters
    ----------
    line : Line
        Its box lies upright as the text reads, in pixels of ``marks``.
    marks : ndarray of bool, (rows, columns)
    """
    signs = len(line.text)
    corners = np.array(line.box[:2] + line.box[3:], np.float32)
    size = (signs * _CELL, _CELL)
    onto = np.array([(0, 0), (size[0], 0), (0, size[1])], np.float32)
    laid = cv2.warpAffine(
        marks.astype(np.float32),
        cv2.getAffineTransform(corners, onto),
        size,
        flags=cv2.INTER_LINEAR,
    )
    share = np.append(0.0, np.cumsum(laid.mean(axis=0)))
    beside = round(_BESIDE * _CELL)
    first = np.clip(np.arange(signs) * _CELL - beside, 0, size[0])
    last = np.clip(np.arange(1, signs + 1) * _CELL + beside, 0, size[0])
    across = (share[last] - share[first]) / np.maximum(last - first, 1) > _ACROSS
    return replace(line, covered=tuple(np.flatnonzero(across).tolist()))


def _place_of(lines: Sequence[Boxes], shape: tuple[int, ...], room: float) -> NDArray[np.bool_]:
    """Return where the text stands: within the hull of its lines, and so far about it."""
    if not len(lines):
        return np.ones(shape, bool)
    corners = np.concatenate(list(lines)).round().astype(np.int32)
    here = cv2.fillConvexPoly(np.zeros(shape, np.uint8), cv2.convexHull(corners), 1)
    if room > 0:
        height = float(np.median([np.linalg.norm(one[3] - one[0]) for one in lines]))
        side = 1 + 2 * round(room * height)
        here = cv2.dilate(here, np.ones((side, side), np.uint8))
    return np.asarray(here > 0) if here.any() else np.ones(shape, bool)


def _is_of_print(
    coloured: NDArray[np.bool_], inked: NDArray[np.bool_], lines: Sequence[Boxes]
) -> bool:
    """Tell whether most ink in the lines is coloured, so that it is the print itself."""
    place = np.zeros(inked.shape, np.uint8)
    for one in lines:
        cv2.fillConvexPoly(place, one.round().astype(np.int32), 1)
    ink = inked & (place > 0)
    return bool(ink.any()) and float(np.mean(coloured[ink])) > _MOSTLY


def _cover(coloured: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how far coloured marks cover each pixel, 0 to 1, softly and without specks."""
    marks = cv2.morphologyEx(coloured.astype(np.uint8), cv2.MORPH_OPEN, _SPECK)
    marks = cv2.dilate(marks, _SPECK)
    return np.asarray(cv2.GaussianBlur(marks.astype(np.float32), (0, 0), 1.0), np.float32)
