"""Places that may bear text, and boxes of lines as the detector finds them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitizer.model.units import MM_PER_INCH
from digitizer.reading import Region, around

__all__ = ["DETECTOR", "ROOM", "Place", "alike", "line_like", "reduced", "roomy", "tiles"]

Boxes = NDArray[np.float32]

ROOM = 4.0
"""Line heights of room about what the detector found on a reduced page; it misses lines."""
_FILM_ROOM = 2.8
"""The same on a film: the detector parts lines better that fill the place it looks at, and a place
at whose edge a line stands is made larger."""
_LONELY = 2.2
_BLOCK = 75.0
"""Higher than any line on the detector's picture of a film, larger than any marker."""
_LINE_ROWS = 27.0
"""Height of a line, as the detector boxes it on the reduced film, at which it parts blurred lines
best: of the lines of 18 blocks it found 98 %, against 60 % at full resolution."""
_SIDES = (420.0, 640.0)
"""Longest sides at which a place is looked at whose lines have no known height."""
_MOST_ENLARGED = 2.0
_EDGE, _STEP = 1.2, 8.0
"""Line heights from a place's edge within which a line may go on, and how far one then looks."""
DETECTOR = 960
_LONGEST_MM = 430.0
"""The longest films (14 x 17 in, 35 x 43 cm), which the detector sees at its largest size."""


def reduced(shape: tuple[int, ...], dpi: float | None) -> float:
    """Return the scale at which the detector looks at a whole film.

    Letters of a block are as high on small films as on large ones, so no film is looked at finer
    than the longest are.
    """
    largest = min(1.0, DETECTOR / max(shape))
    if dpi is None:
        return largest
    return min(largest, DETECTOR / _LONGEST_MM / (dpi / MM_PER_INCH))


@dataclass(frozen=True, slots=True)
class Place:
    """A place that may bear text; what was seen of it before: how many lines, and how high."""

    region: Region
    lines: int = 0
    height: float = 0.0

    def scales(self) -> list[float]:
        """Return the sizes to look at, to that of the full picture, the best first."""
        x0, y0, x1, y1 = self.region
        longest = max(x1 - x0, y1 - y0)
        tried = [side / longest for side in _SIDES]
        if self.height:
            tried.insert(0, _LINE_ROWS / self.height)
        return [min(one, _MOST_ENLARGED, DETECTOR / longest) for one in tried]

    def around(self, boxes: Boxes, shape: tuple[int, ...]) -> "Place | None":
        """Return a larger place where lines stand at its edges, inside a picture of that shape.

        None where the place is large enough: a line found in part on the reduced film may end
        beyond it.
        """
        lines = boxes[line_like(boxes, np.inf)]
        if len(lines) == 0:
            return None
        sides = np.linalg.norm(lines - np.roll(lines, 1, axis=1), axis=2)
        height = float(np.median(sides.min(axis=1)))
        x0, y0, x1, y1 = self.region
        (left, top), (right, bottom) = lines.min(axis=(0, 1)), lines.max(axis=(0, 1))
        near, step = _EDGE * height, round(_STEP * height)
        region = (
            max(0, x0 - step) if left < near else x0,
            max(0, y0 - step) if top < near else y0,
            min(shape[1], x1 + step) if right > x1 - x0 - near else x1,
            min(shape[0], y1 + step) if bottom > y1 - y0 - near else y1,
        )
        return None if region == self.region else Place(region, len(lines), height)


def alike(boxes: Boxes) -> tuple[tuple[int, int], Boxes]:
    """Return the turns the lines may have, and the boxes that lie along most of the text."""
    widths = np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1)
    heights = np.linalg.norm(boxes[:, 3] - boxes[:, 0], axis=1)
    # A short word is as tall as wide: only clearly longer boxes have a say.
    tall = float(heights[heights > 1.4 * widths].sum())
    wide = float(widths[widths > 1.4 * heights].sum())
    if tall > wide:
        return (90, 270), boxes[heights > 0.7 * widths]
    return (0, 180), boxes[widths > 0.7 * heights]


def line_like(boxes: Boxes, highest: float = 2 * _LINE_ROWS) -> NDArray[np.bool_]:
    """Tell which boxes are no higher than lines are at the size looked at, and wider than high."""
    if len(boxes) == 0:
        return np.zeros(0, bool)
    sides = np.linalg.norm(boxes - np.roll(boxes, 1, axis=1), axis=2)
    short, long = sides.min(axis=1), sides.max(axis=1)
    return np.asarray((short < highest) & (long > 1.3 * short))


def roomy(boxes: Boxes, scale: float, shape: tuple[int, ...]) -> list[Place]:
    """Return places of the full picture about lines found on the reduced one.

    A lone box about as wide as tall is a marker, no line, unless it is large: then it is a block
    whose lines ran together.
    """
    if len(boxes) == 0:
        return []
    sides = np.linalg.norm(boxes - np.roll(boxes, 1, axis=1), axis=2)
    short, long = sides.min(axis=1), sides.max(axis=1)
    lines = (long > _LONELY * short) & (short < _BLOCK)
    keep = lines | (long > _BLOCK)
    # A marker near a block must not blow its place up to its own size.
    boxes, short, lines = boxes[keep], short[keep], lines[keep]
    middles = boxes.mean(axis=1) / scale
    places = []
    for region in around(boxes / np.float32(scale), shape, _FILM_ROOM):
        x0, y0, x1, y1 = region
        inside = (middles >= (x0, y0)).all(axis=1) & (middles < (x1, y1)).all(axis=1)
        heights = short[inside & lines] / scale
        if len(heights):
            places.append(Place(region, len(heights), float(np.median(heights))))
        else:
            places.append(Place(region))
    return places


def tiles(shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Return four quarters that overlap by a tenth."""
    rows, columns = shape[:2]
    ys = ((0, int(rows * 0.55)), (int(rows * 0.45), rows))
    xs = ((0, int(columns * 0.55)), (int(columns * 0.45), columns))
    return [(x0, y0, x1, y1) for y0, y1 in ys for x0, x1 in xs]
