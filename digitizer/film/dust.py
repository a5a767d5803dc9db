"""Dust on film or glass: how many specks lie on a square decimetre.

What this decides: whether film and glass should be wiped. What it never does: take a speck away.
What it may get wrong: fine print is looked past, but calcifications count as specks; some dozens of
them on a whole film stay far below a dusty one. The grain of printed pictures counts too: on a
sheet of many nothing is said of it.
"""

import cv2
import numpy as np

from digitizer.film.light import by_whole_pixels
from digitizer.model.raster import Pixels
from digitizer.model.units import MM_PER_INCH, Dpi

__all__ = ["dust_load"]

_TILE_MM = 30.0
_ACROSS = 6
"""Tiles along each side of the sheet that are looked at: with four the dust of one film in fifteen
under a drawn dusty glass was told by three or four specks in all, and missed."""
_FINEST = 5.0
"""Pixels a millimetre from which on pixels are taken together: a speck that is seen on a picture is
two of them wide."""
_LARGEST_MM = 1.0
"""Specks are smaller; what is larger is print, a marker or anatomy."""
_STANDS_OUT = 6.0
"""Standard deviations of the detail around it beyond its mean: so much more a speck takes away,
however noisy the scanner."""
_AROUND_MM = 6.0
"""So far around a speck its detail is looked at."""
_RARE = (0.97, 1.5)
"""Detail on more than three hundredths of a tile is the picture's own; specks take away half as
much again."""
_LEAST_PART = 0.12
"""Part of the light around it that a speck must take away."""
_LEAST_STEP = 0.02
"""The same as a part of the brightest on the sheet: the noise of what is nearly black is none."""
_TELLING = (0.5, 0.88)
"""Between these quantiles of the tiles: dust lies everywhere, but what is nearly black shows none,
and print is on few tiles."""
_DECIMETRE_MM = 100.0


def dust_load(picture: Pixels, box: tuple[int, int, int, int], dpi: Dpi | None) -> float | None:
    """Count small dark specks on tiles over the sheet, per square decimetre.

    A speck takes light away over a few pixels: it is what a closing (dilation, then erosion) over
    its size fills up.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
        Bright for light.
    box : tuple of int
        First and last row, first and last column of what is looked at: inside the sheet.
    dpi : Dpi or None

    Returns
    -------
    float or None
        None where no resolution is told, or the sheet is smaller than a tile.
    """
    if dpi is None:
        return None
    pitch = min(dpi) / MM_PER_INCH
    size = round(_TILE_MM * pitch)
    top, bottom, left, right = box
    if bottom - top < size or right - left < size:
        return None
    least = _LEAST_STEP * float(np.quantile(picture[top:bottom:16, left:right:16], 0.99))
    factor = max(1, int(pitch / _FINEST))
    rows = np.linspace(top, bottom - size, _ACROSS).astype(int)
    columns = np.linspace(left, right - size, _ACROSS).astype(int)
    counts = [
        _specks(by_whole_pixels(picture[y : y + size, x : x + size], factor), pitch / factor, least)
        for y in rows
        for x in columns
    ]
    first, last = (round(part * len(counts)) for part in _TELLING)
    return float(np.mean(sorted(counts)[first:last])) * (_DECIMETRE_MM / _TILE_MM) ** 2


def _specks(tile: Pixels, pitch: float, least: float) -> int:
    """Count the specks of one tile that take away more than ``least``."""
    size = max(3, round(_LARGEST_MM * pitch)) | 1
    # Whole numbers are closed in half the time, with the same result.
    closed = cv2.morphologyEx(tile, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    missing = cv2.subtract(closed, tile).astype(np.float32)
    around = max(9, round(_AROUND_MM * pitch))
    mean = cv2.blur(missing, (around, around))
    spread = np.sqrt(np.maximum(cv2.blur(missing * missing, (around, around)) - mean * mean, 0))
    usual = np.maximum(
        mean + _STANDS_OUT * spread,
        _RARE[1] * float(np.quantile(missing[::2, ::2], _RARE[0])),
    )
    limit = np.maximum(np.maximum(usual, np.float32(_LEAST_PART) * closed), least)
    specks = (missing > limit).astype(np.uint8)
    if not specks.any():
        return 0
    count, _, stats, _ = cv2.connectedComponentsWithStats(specks)
    width, height = stats[1:count, cv2.CC_STAT_WIDTH], stats[1:count, cv2.CC_STAT_HEIGHT]
    return int(((width <= size) & (height <= size)).sum())
