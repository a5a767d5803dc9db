"""What can be said of a scan at once: depth, clipping, sharpness, noise, resolution, size."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.geometry import corners_array
from digitizer.film.light import Floats, full_scale, grey, reduced
from digitizer.model.film import Geometry, Quality
from digitizer.model.raster import Pixels, Raster
from digitizer.model.reasons import Code
from digitizer.model.units import SizeMm

__all__ = ["NO_QUALITY", "STANDARD_SIZES_MM", "quality"]

NO_QUALITY = Quality()
"""Of a file that could not be decoded."""

STANDARD_SIZES_MM = (
    (130, 180), (180, 240), (203.2, 254), (240, 300), (254, 304.8), (279.4, 355.6), (300, 400),
    (350, 350), (350, 430), (355.6, 431.8), (355.6, 914.4), (150, 300), (200, 400), (355.6, 355.6),
)  # fmt: skip
"""Film sizes of the trade, width by height in millimetres."""

_TOLERANCE_MM = 6.0
_LEAST_DPI = 127.0
"""2.5 line pairs a millimetre need a pitch of 0.2 mm (ACR-AAPM-SIIM, electronic practice)."""
_CLIPPED = 0.05
_BLURRED = 0.175
"""Steepest step, per pixel and of its own height. Measured on 88 rehearsal films: 0.18 to 0.50; on
the same blurred by three pixels: 0.11 to 0.17."""
_TILE = 192
_TILES = 12
_LATTICE = 700


def quality(raster: Raster, geometry: Geometry | None) -> Quality:
    """Judge a page, inside its sheet where one was found.

    Sharpness is the steepest step to be found, per pixel and as a part of its own height: 0.5 for
    an edge between two pixels, 0.4 / s for a blur of s pixels (the slope of an error function);
    None where no contrast stands out of the noise. Noise is the median absolute residual of a
    3 x 3 median (times 1.4826) as a part of full scale. Clipping is told in light: low is dark.

    Parameters
    ----------
    raster : Raster
    geometry : Geometry or None
        None judges the whole page.
    """
    picture = grey(raster)
    inside = _lattice(picture, geometry)
    if inside.size == 0:
        return NO_QUALITY
    top = full_scale(raster)
    tiles = _tiles(picture, geometry)
    noise = _noise(tiles)
    clipped_low = float(np.mean(inside == 0))
    clipped_high = float(np.mean(inside >= top))
    sharpness = _sharpness(tiles, noise)
    cut = None if geometry is None else _cut_sharpness(picture, geometry, noise or 0.0)
    if cut is not None and sharpness is not None:
        # A film of soft shadows is not a blurred scan: its cut edge is sharp.
        sharpness = max(sharpness, cut)
    bits = _bits(raster, inside)
    flags = _flags(raster, geometry, bits)
    if clipped_low > _CLIPPED:
        flags.append(Code.CLIPPED_LOW)
    if clipped_high > _CLIPPED:
        flags.append(Code.CLIPPED_HIGH)
    if sharpness is not None and sharpness < _BLURRED:
        flags.append(Code.BLURRED)
    return Quality(
        flags=tuple(code.value for code in flags),
        sharpness=sharpness,
        noise=None if noise is None else noise / top,
        clipped_low=clipped_low,
        clipped_high=clipped_high,
        bits=bits,
        dpi=raster.dpi,
    )


def _lattice(picture: Pixels, geometry: Geometry | None) -> Pixels:
    """Return samples on an even lattice inside the sheet, a hundredth in from its sides."""
    rows, columns = picture.shape[:2]
    if geometry is None:
        box = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)
    else:
        box = corners_array(geometry.corners)
    place = np.linspace(0.01, 0.99, _LATTICE)
    s, t = place[None, :, None], place[:, None, None]
    points = box[0] + s * (box[1] - box[0]) + t * (box[3] - box[0])
    x, y = np.floor(points[..., 0]).astype(int), np.floor(points[..., 1]).astype(int)
    inside = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
    found: Pixels = picture[y[inside], x[inside]]
    return found


def _tiles(picture: Pixels, geometry: Geometry | None) -> list[Floats]:
    """Return the tiles inside the sheet where the picture changes most: print, markers, bone."""
    rows, columns = picture.shape[:2]
    x0, y0, x1, y1 = 0, 0, columns, rows
    if geometry is not None:
        corners = corners_array(geometry.corners)
        inset = 0.015 * float(np.linalg.norm(corners[1] - corners[0]))
        # The upright box inside the tilted sheet.
        xs, ys = np.sort(corners[:, 0]), np.sort(corners[:, 1])
        x0, y0 = (int(max(0, value + inset)) for value in (xs[1], ys[1]))
        x1, y1 = int(min(columns, xs[2] - inset)), int(min(rows, ys[2] - inset))
    part = picture[y0:y1, x0:x1]
    if min(part.shape, default=0) < 16:
        return []
    small, scale = reduced(part, 600)
    values = small.astype(np.float32)
    spread = cv2.boxFilter(values * values, -1, (9, 9)) - cv2.boxFilter(values, -1, (9, 9)) ** 2
    size = max(1, round(_TILE * scale))
    tiles: list[Floats] = []
    for _ in range(_TILES):
        y, x = np.unravel_index(int(np.argmax(spread)), spread.shape)
        if spread[y, x] < 0:
            break
        top, left = (
            int(np.clip(at / scale - _TILE / 2, 0, max(0, limit - _TILE)))
            for at, limit in ((y, part.shape[0]), (x, part.shape[1]))
        )
        tiles.append(part[top : top + _TILE, left : left + _TILE].astype(np.float32))
        spread[
            max(0, y - size // 2) : y + size // 2 + 1, max(0, x - size // 2) : x + size // 2 + 1
        ] = -1
    return tiles


def _noise(tiles: list[Floats]) -> float | None:
    """Return the standard deviation of the noise in pixel values, from the calmer tiles."""
    if not tiles:
        return None
    each = [1.4826 * float(np.median(np.abs(tile - cv2.medianBlur(tile, 3)))) for tile in tiles]
    return float(np.median(each))


def _sharpness(tiles: list[Floats], noise: float | None) -> float | None:
    """Return the steepest relative step among places of clear contrast."""
    best: list[float] = []
    around = np.ones((15, 15), np.uint8)
    for tile in tiles:
        if min(tile.shape) < 24:
            continue
        height = cv2.dilate(tile, around) - cv2.erode(tile, around)
        across = np.abs(cv2.Sobel(tile, cv2.CV_32F, 1, 0, ksize=3)) / 8
        down = np.abs(cv2.Sobel(tile, cv2.CV_32F, 0, 1, ksize=3)) / 8
        steep = np.hypot(across, down)
        clear = height > max(25 * (noise or 0.0), 0.25 * float(height.max()), 4.0)
        if clear.sum() > 40:
            best.append(float(np.quantile(steep[clear] / height[clear], 0.97)))
    return float(np.quantile(best, 0.8)) if len(best) >= 2 else None


def _cut_sharpness(picture: Pixels, geometry: Geometry, noise: float) -> float | None:
    """Return the steepest relative step across the sheet's sides; None where none stands out."""
    corners = corners_array(geometry.corners)
    middle = corners.mean(axis=0)
    reach = np.arange(-8.0, 9.0)
    best: list[float] = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
        inward = np.array([-along[1], along[0]])
        inward *= 1.0 if (middle - start) @ inward > 0 else -1.0
        bases = start + np.linspace(0.1, 0.9, 160)[:, None] * (end - start)
        points = bases[:, None, :] + reach[None, :, None] * inward
        x, y = np.floor(points[..., 0]).astype(int), np.floor(points[..., 1]).astype(int)
        shown = (x >= 0) & (y >= 0) & (x < picture.shape[1]) & (y < picture.shape[0])
        whole = shown.all(axis=1)
        if whole.sum() < 40:
            continue
        values = picture[y[whole], x[whole]].astype(np.float32)
        height = np.ptp(values, axis=1)
        clear = height > max(25 * noise, 0.1 * float(np.median(values)), 4.0)
        if clear.sum() >= 40:
            steep = np.abs(values[:, 2:] - values[:, :-2]).max(axis=1) / 2
            best.append(float(np.median(steep[clear] / height[clear])))
    return max(best, default=None)


def _bits(raster: Raster, inside: Pixels) -> int:
    """Return how many bits carry information: unused upper bits, empty or copied lower ones."""
    if inside.dtype == np.uint8:
        return raster.bits
    if bool(np.all(inside >> 8 == inside & 255)):
        return 8
    used = int(np.bitwise_or.reduce(inside.ravel()))
    if used == 0:
        return raster.bits
    empty = (used & -used).bit_length() - 1
    return max(1, min(raster.bits, used.bit_length()) - empty)


def _flags(raster: Raster, geometry: Geometry | None, bits: int) -> list[Code]:
    flags: list[Code] = []
    if raster.dpi is None:
        flags.append(Code.RESOLUTION_UNKNOWN)
    elif min(raster.dpi) < _LEAST_DPI:
        flags.append(Code.LOW_RESOLUTION)
    if geometry is not None:
        if geometry.edges_seen == 4 and geometry.size_mm and _no_size_fits(geometry.size_mm):
            flags.append(Code.RESOLUTION_DOUBTFUL)
        if 0 < geometry.edges_seen < 4:
            flags.append(Code.FILM_CUT_OFF)
        if geometry.skew_deg is None:
            flags.append(Code.SKEW_UNKNOWN)
    if bits <= 8:
        flags.append(Code.EIGHT_BIT)
    return flags


def _no_size_fits(size: SizeMm) -> bool:
    short, long = sorted((size.width, size.height))
    sizes: list[NDArray[np.float64]] = [np.sort(np.array(one)) for one in STANDARD_SIZES_MM]
    return not any(
        abs(short - one[0]) < _TOLERANCE_MM and abs(long - one[1]) < _TOLERANCE_MM for one in sizes
    )
