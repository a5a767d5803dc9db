"""Finding lines of text on a film: where they may stand, and where just each one does.

The detector was trained on sharp print. Blurred letters it either does not see, or it boxes the
lines of a block as one; set narrower along the lines, it parts them again. Of nine blurred blocks
(of seeds 91 and 777) it parted five in one size or another as they were, and all set narrower.
"""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.engines.places import DETECTOR, Place, alike, line_like, reduced, roomy
from digitizer.engines.strips import joined
from digitizer.model.raster import Pixels
from digitizer.reading import Region, evened, log_tone, stroked_parts, text_regions

__all__ = ["FILM_GAP", "lines_on_film", "narrow_lines", "narrow_on_paper", "places_on_film"]

Grey = NDArray[np.uint8]
Boxes = NDArray[np.float32]
Find = Callable[[Grey], Boxes]
"""A detector: boxes of lines, (n, 4, 2), in pixels of the picture it is given."""

FILM_GAP = 1.5
"""Line heights by which pieces of one line may lie apart: blurred lines are found in pieces."""
_LAST_RESORT = 3
_MOST_GROWN = 2
_NARROW = 0.5
"""Width to which lines are set for the detector that it does not part as they are."""
_FINER = (1.0, 1.9, 2.6)
"""To what the reduced film is enlarged for that: not at all, or so that lines of letters of 3 mm
are as high as the detector parts them best, and a little higher."""


def places_on_film(find: Find, grey: Pixels, dpi: float | None) -> Iterator[list[Place]]:
    """Yield places of a film that may bear text; the next ones are for films where those bore none.

    The detector looks at the parts of the reduced film with the strongest strokes, a fifth of it
    that bears most blocks; then at all of it; then places full of strokes are tried; then the
    reduced film turned, since the detector misses small lines that run upward, and as fine as it
    can see, since a scan may tell its resolution wrongly; then the same with the lines set
    narrower, upright and turned.

    Parameters
    ----------
    find : callable
    grey : ndarray of uint8 or uint16, (rows, columns)
    dpi : float, optional
        Of the picture.
    """
    scale = reduced(grey.shape, dpi)
    tone = log_tone(grey, scale)
    even = evened(tone)
    yield roomy(_found_in(find, even, stroked_parts(tone)), scale, grey.shape)
    yield roomy(find(even), scale, grey.shape)
    yield [Place(region) for region in text_regions(grey, _LAST_RESORT)]
    scale = reduced(grey.shape, None)
    for turned, narrow in ((True, False), (False, True), (True, True)):
        yield roomy(_looked(find, grey, scale, turned=turned, narrow=narrow), scale, grey.shape)


def _found_in(find: Find, even: Grey, parts: Sequence[Region]) -> Boxes:
    """Find lines in parts of a picture; boxes are in pixels of the picture.

    No other boxes: of a part without text the detector boxes the greater half.
    """
    found = [find(even[y0:y1, x0:x1]) + np.array((x0, y0), np.float32) for x0, y0, x1, y1 in parts]
    boxes = np.concatenate([np.zeros((0, 4, 2), np.float32), *found])
    return boxes[line_like(boxes)]


def lines_on_film(find: Find, grey: Pixels, place: Place) -> tuple[Region, Boxes]:
    """Find the lines of a place; one at whose edge a line stands is made larger.

    Returns
    -------
    tuple of int
        The place.
    ndarray of float32, (n, 4, 2)
        Boxes of its lines, in its own pixels.
    """
    return _grown(place, grey.shape, lambda one: _lines_in_place(find, grey, one))


def narrow_lines(
    find: Find, grey: Pixels, region: Region, dpi: float | None, turned: bool | None = None
) -> tuple[Region, Boxes]:
    """Find the lines of a place set narrower, as :func:`lines_on_film` finds them as they are.

    ``turned``: whether they run upward or downward; None where that is not known.
    """
    whole = reduced(grey.shape, dpi)
    ways = (False, True) if turned is None else (turned,)
    return _grown(
        Place(region), grey.shape, lambda one: _narrow_in_place(find, grey, one, whole, ways)
    )


def narrow_on_paper(find: Find, grey: Grey) -> Boxes:
    """Find the lines of paper set narrower: so they are parted from a stamp that lies across them.

    The letters of a stamp are larger and stand askew, and what they touch the detector takes for no
    line as it is.

    Parameters
    ----------
    find : callable
    grey : ndarray of uint8, (rows, columns)
    """
    rows, columns = grey.shape
    narrow = max(1, round(_NARROW * columns))
    picture = cv2.resize(grey, (narrow, rows), interpolation=cv2.INTER_AREA)
    return find(np.asarray(picture, np.uint8)) * np.array((columns / narrow, 1.0), np.float32)


def _grown(
    place: Place, shape: tuple[int, ...], look: Callable[[Place], Boxes]
) -> tuple[Region, Boxes]:
    boxes = look(place)
    for _ in range(_MOST_GROWN):
        larger = place.around(boxes, shape)
        if larger is None:
            break
        place = larger
        boxes = look(place)
    return place.region, boxes


def _lines_in_place(find: Find, grey: Pixels, place: Place) -> Boxes:
    """Find the lines of a place, at the size at which the detector parts lines best.

    Where that size is not known, or shows fewer lines than the whole film did, others are tried:
    too large, and blurred lines run into one box; too small, and they are not seen.
    """
    x0, y0, x1, y1 = place.region
    best, most = np.zeros((0, 4, 2), np.float32), 0
    for scale in place.scales():
        boxes = _looked(find, grey[y0:y1, x0:x1], scale)
        lines = int(line_like(boxes).sum())
        if lines > most:
            best, most = boxes / np.float32(scale), lines
        if lines >= max(1, place.lines):
            break
    return best


def _narrow_in_place(
    find: Find, grey: Pixels, place: Place, whole: float, ways: Sequence[bool]
) -> Boxes:
    """Find the lines of a place set narrower, upright or turned: where most of them are parted.

    The middle size tells the way, and whether there are any: of 10 places of 177 films (seeds 2201
    to 2203 and 3301) that said more so, it saw lines in all, and in none more the other way.

    Parameters
    ----------
    find : callable
    grey : ndarray of uint8 or uint16, (rows, columns)
    place : Place
    whole : float
        The scale at which the detector looks at the whole film.
    ways : sequence of bool
        Whether to turn it: the ways that lines may run.
    """
    x0, y0, x1, y1 = place.region
    finest = DETECTOR / max(x1 - x0, y1 - y0)
    scales = sorted({min(finer * whole, finest) for finer in _FINER})

    def look(turned: bool, scale: float) -> tuple[int, Boxes]:
        boxes = _looked(find, grey[y0:y1, x0:x1], scale, turned=turned, narrow=True)
        boxes = boxes[line_like(boxes)]
        lines = len(joined(alike(boxes)[1], FILM_GAP)) if len(boxes) else 0
        return lines, boxes / np.float32(scale)

    middle = scales[(len(scales) - 1) // 2]
    seen = {(turned, middle): look(turned, middle) for turned in ways}
    most = max(lines for lines, _ in seen.values())
    if most == 0:
        return np.zeros((0, 4, 2), np.float32)
    for turned, _ in [place for place, (lines, _) in seen.items() if lines == most]:
        seen |= {(turned, one): look(turned, one) for one in scales if one != middle}
    # Of as many lines those seen upright count first, and at the smaller size.
    return max((seen[one] for one in sorted(seen)), key=lambda one: one[0])[1]


def _looked(
    find: Find, picture: Pixels, scale: float, *, turned: bool = False, narrow: bool = False
) -> Boxes:
    """Find lines on a picture scaled and evened out; boxes are in pixels of that scale.

    Parameters
    ----------
    find : callable
    picture : ndarray of uint8 or uint16, (rows, columns)
    scale : float
    turned : bool
        Turn it a quarter counter-clockwise for the detector, so that lines that run upward or
        downward lie before it.
    narrow : bool
        Set lines that lie before it to half their width.
    """
    even = evened(log_tone(picture, scale))
    columns = even.shape[1]
    if turned:
        even = np.ascontiguousarray(np.rot90(even))
    width = even.shape[1]
    if narrow:
        size = (max(1, round(_NARROW * width)), even.shape[0])
        even = np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8)
    boxes = find(even) * np.array((width / even.shape[1], 1.0), np.float32)
    if turned:
        # A point (x, y) of the turned picture came from (columns - y, x), and what was a box's top
        # left there is its top right here: corners are told from the top left, or the way of the
        # lines would be told a quarter off.
        boxes = np.stack([columns - boxes[..., 1], boxes[..., 0]], axis=-1)
        boxes = np.roll(boxes, 1, axis=1)
    return boxes
