"""Where text may stand on a film: places full of short, thin, strong strokes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Pixels
from digitizer.reading.levels import levels

__all__ = ["Region", "around", "evened", "log_tone", "text_regions"]

Region = tuple[int, int, int, int]
"""Box x0, y0, x1, y1 in pixels, the end not included."""

_LONGEST = 1500
_TOE = 0.1
"""Light below which tones run together: the noise of black film must not be blown up."""
_NEARBY = 5.0
"""About a stroke and its ground, in pixels of the reduced picture."""
_GAIN = 45.0
_NOISE = 0.04
"""Spread in log tone that counts as empty film: grain must not be blown up to strokes."""
_COARSE = 8
"""Pixels of the grid on which neighbouring boxes are joined to regions."""
_STROKE = 9
"""Letters' strokes are thinner than this on the reduced picture; bones and tubes are wider."""


def log_tone(picture: Pixels, scale: float) -> NDArray[np.float32]:
    """Return a film, or a piece of one, scaled, as log tone: near density.

    In density letters of a block have one contrast, wherever they stand.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
        As on a light box.
    scale : float
        Size of the result to that of the picture.
    """
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how)
    low, high = levels(small, 0.002, 0.998)
    light = (small.astype(np.float32) - np.float32(low)) / np.float32(max(high - low, 1.0))
    return np.asarray(np.log(np.clip(light, 0, 1) + np.float32(_TOE)), np.float32)


def evened(tone: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return log tone evened out: text stands out alike everywhere.

    It is set in units of its own spread nearby (local contrast normalisation), so that neither the
    bed, nor the field's border, nor bone outshines a faint block.

    Parameters
    ----------
    tone : ndarray of float32, (rows, columns)
        As :func:`log_tone` returns it.

    Returns
    -------
    ndarray of uint8, (rows, columns)
    """
    mean = cv2.GaussianBlur(tone, (0, 0), _NEARBY)
    spread = np.sqrt(cv2.GaussianBlur((tone - mean) ** 2, (0, 0), _NEARBY))
    even = np.clip(128 + _GAIN * (tone - mean) / (spread + _NOISE), 0, 255)
    return np.asarray(even, dtype=np.uint8)


def around(boxes: NDArray[np.float32], shape: tuple[int, ...], lines: float) -> list[Region]:
    """Return regions that hold boxes of text and what stands near them.

    Parameters
    ----------
    boxes : ndarray of float32, (n, 4, 2)
        Corners of lines of text.
    shape : tuple of int
        Rows and columns of the picture the boxes lie in.
    lines : float
        By how many line heights to grow each box; what then touches is one region.

    Returns
    -------
    list of tuple
        The region with most text first.
    """
    if len(boxes) == 0:
        return []
    sides = np.linalg.norm(boxes - np.roll(boxes, 1, axis=1), axis=2)
    heights = sides.min(axis=1)
    rows, columns = shape[:2]
    mask = np.zeros((-(-rows // _COARSE), -(-columns // _COARSE)), np.uint8)
    for box, height in zip(boxes / _COARSE, heights / _COARSE, strict=True):
        (x0, y0), (x1, y1) = box.min(axis=0) - lines * height, box.max(axis=0) + lines * height
        cv2.rectangle(mask, (int(x0), int(y0)), (int(x1), int(y1)), 255, cv2.FILLED)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    middles = (boxes.mean(axis=1) / _COARSE).astype(int)
    middles = np.clip(middles, 0, np.array(mask.shape[::-1]) - 1)
    owners = labels[middles[:, 1], middles[:, 0]]
    length = np.bincount(owners, weights=sides.max(axis=1), minlength=count)
    order = sorted(range(1, count), key=lambda one: -float(length[one]))
    places = (tuple(_COARSE * int(value) for value in stats[one, :4]) for one in order)
    return [
        (x, y, min(columns, x + width), min(rows, y + height)) for x, y, width, height in places
    ]


def text_regions(picture: Pixels, most: int) -> list[tuple[int, int, int, int]]:
    """Return boxes (x0, y0, x1, y1) that may hold text, the most promising first.

    Both bright letters on dark (flashed) and dark on bright (stickers) count: strokes are what a
    white or black top-hat of 9 pixels leaves. A box is a cluster of strokes, grown by half.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
    most : int
        Boxes at the most.
    """
    scale = min(1.0, _LONGEST / max(picture.shape))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top = max(float(np.quantile(small, 0.995)), 1.0)
    tone = (np.sqrt(np.minimum(small.astype(np.float32) / top, 1)) * 255).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_STROKE, _STROKE))
    strokes = cv2.max(
        cv2.morphologyEx(tone, cv2.MORPH_TOPHAT, kernel),
        cv2.morphologyEx(tone, cv2.MORPH_BLACKHAT, kernel),
    )
    floor = max(14.0, float(np.quantile(strokes, 0.90)))
    strong = (strokes > floor).astype(np.uint8)
    density = cv2.boxFilter(strong.astype(np.float32), -1, (25, 17))
    density = cv2.max(density, cv2.boxFilter(strong.astype(np.float32), -1, (17, 25)))
    dense = (density > 0.22).astype(np.uint8)
    dense = cv2.morphologyEx(dense, cv2.MORPH_CLOSE, np.ones((21, 21), np.uint8))  # type: ignore[assignment]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dense)
    energy = np.bincount(labels.ravel(), weights=(strokes * strong).ravel(), minlength=count)
    found: list[tuple[float, tuple[int, int, int, int]]] = []
    for one in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[one])
        if min(width, height) < 10 or max(width, height) < 30 or area > 0.25 * dense.size:
            continue
        grow = 14
        box = (x - grow, y - grow, x + width + grow, y + height + grow)
        # Strokes a pixel: text is strong and dense, lung vessels are neither.
        found.append((float(energy[one]) / np.sqrt(area), _inside(box, scale, picture.shape)))
    return [box for _, box in sorted(found, reverse=True)[:most]]


def _inside(
    box: tuple[int, int, int, int], scale: float, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    rows, columns = shape[:2]
    x0, y0, x1, y1 = (round(value / scale) for value in box)
    return max(0, x0), max(0, y0), min(columns, x1), min(rows, y1)
