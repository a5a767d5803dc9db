"""What can be said of a scan at once: depth, clipping, sharpness, noise, resolution, size."""

import cv2
import numpy as np

from digitizer.film.defects import odd_lines
from digitizer.film.geometry import corners_array
from digitizer.film.light import Floats, full_scale, grey, reduced
from digitizer.film.settings import USUAL, QualitySettings
from digitizer.film.sizes import is_film_size, is_two_sheets
from digitizer.model.film import Geometry, Quality
from digitizer.model.raster import Pixels, Raster
from digitizer.model.reasons import Code
from digitizer.model.units import MM_PER_INCH

__all__ = ["NO_QUALITY", "quality"]

NO_QUALITY = Quality()
"""Of a file that could not be decoded."""

_LEAST_DEPTH = (1 << 10) - 1
"""No film scanner with more than eight bits delivers fewer than ten."""
_CUT_REACH = 14.0
"""Pixels to either side of a sheet's line within which its cut is looked for."""
_CUT_HEIGHT = 0.35
"""Part of the brighter side by which a cut stands out."""
_ENOUGH = 2400
"""Pixels of the long side on which places of contrast are looked for."""
_TILE = 192
_TILES = 12
_LATTICE = 700


def quality(
    raster: Raster, geometry: Geometry | None, settings: QualitySettings = USUAL
) -> Quality:
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
    settings : QualitySettings
    """
    picture = grey(raster)
    inside = _lattice(picture, geometry)
    if inside.size == 0:
        return NO_QUALITY
    top = _delivered(raster, inside)
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
    flags = _flags(raster, geometry, bits, settings)
    cut_off: tuple[str, ...] = ()
    if geometry is not None and _is_cut_off(geometry):
        flags.append(Code.FILM_CUT_OFF)
        cut_off = _cut_sides(picture, geometry)
    if clipped_low > settings.most_clipped:
        flags.append(Code.CLIPPED_LOW)
    if clipped_high > settings.most_clipped:
        flags.append(Code.CLIPPED_HIGH)
    if sharpness is not None and sharpness < settings.least_sharpness:
        flags.append(Code.BLURRED)
    if noise is not None and noise > settings.most_noise * top:
        flags.append(Code.NOISY)
    flags += _defects(picture, geometry, settings)
    return Quality(
        flags=tuple(code.value for code in flags),
        sharpness=sharpness,
        noise=None if noise is None else noise / top,
        clipped_low=clipped_low,
        clipped_high=clipped_high,
        bits=bits,
        dpi=raster.dpi,
        cut_off=cut_off,
    )


def _defects(picture: Pixels, geometry: Geometry | None, settings: QualitySettings) -> list[Code]:
    """Tell what the scanner left on the picture."""
    box = _upright_box(picture, geometry)
    columns, rows = odd_lines(picture, box), odd_lines(picture, box, along_rows=True)
    found = {
        Code.STUCK_COLUMNS: bool(columns.places),
        Code.LOST_LINES: bool(rows.places),
        Code.BANDING: max(columns.banding, rows.banding) > settings.most_banding,
    }
    return [code for code, told in found.items() if told]


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
    y0, y1, x0, x1 = _upright_box(picture, geometry)
    part = picture[y0:y1, x0:x1]
    if min(part.shape, default=0) < 16:
        return []
    step = max(1, max(part.shape) // _ENOUGH)
    small, scale = reduced(part[::step, ::step], 600)
    scale /= step
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


def _upright_box(picture: Pixels, geometry: Geometry | None) -> tuple[int, int, int, int]:
    """Return first and last row, first and last column of the upright box in the tilted sheet."""
    rows, columns = picture.shape[:2]
    if geometry is None:
        return 0, rows, 0, columns
    corners = corners_array(geometry.corners)
    inset = 0.015 * float(np.linalg.norm(corners[1] - corners[0]))
    xs, ys = np.sort(corners[:, 0]), np.sort(corners[:, 1])
    x0, y0 = (int(max(0, value + inset)) for value in (xs[1], ys[1]))
    x1, y1 = int(min(columns, xs[2] - inset)), int(min(rows, ys[2] - inset))
    return y0, max(y0, y1), x0, max(x0, x1)


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
    reach = np.arange(-_CUT_REACH, _CUT_REACH + 1)
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
        # A blurred cut may lie beside its line: what is left there is the film's own shading.
        clear = height > np.maximum(max(25 * noise, 4.0), _CUT_HEIGHT * values.max(axis=1))
        if clear.sum() >= 40:
            steep = np.abs(values[:, 2:] - values[:, :-2]).max(axis=1) / 2
            best.append(float(np.median(steep[clear] / height[clear])))
    return max(best, default=None)


def _delivered(raster: Raster, inside: Pixels) -> int:
    """Return the highest value the scanner delivers: twelve bits come in containers of sixteen."""
    highest = (1 << int(inside.max()).bit_length()) - 1
    return min(full_scale(raster), max(highest, _LEAST_DEPTH))


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


def _flags(
    raster: Raster, geometry: Geometry | None, bits: int, settings: QualitySettings
) -> list[Code]:
    flags: list[Code] = []
    if raster.dpi is None:
        flags.append(Code.RESOLUTION_UNKNOWN)
    elif MM_PER_INCH / min(raster.dpi) > settings.coarsest_mm * 1.001:
        flags.append(Code.LOW_RESOLUTION)
    if geometry is not None:
        if geometry.edges_seen == 4 and geometry.size_mm and not is_film_size(geometry.size_mm):
            flags.append(Code.RESOLUTION_DOUBTFUL)
        if geometry.edges_seen >= 3 and geometry.size_mm and is_two_sheets(geometry.size_mm):
            flags.append(Code.DOUBLE_FEED)
        if geometry.skew_deg is None:
            flags.append(Code.SKEW_UNKNOWN)
    if bits <= 8:
        flags.append(Code.EIGHT_BIT)
    return flags


def _is_cut_off(geometry: Geometry) -> bool:
    """Tell whether film is missing: a side lies beyond the frame, and not by a hair's breadth.

    A transport that feeds as wide as the film hides its sides; what is left is a film's size.
    """
    if not 0 < geometry.edges_seen < 4:
        return False
    return geometry.size_mm is None or not is_film_size(geometry.size_mm)


def _cut_sides(picture: Pixels, geometry: Geometry) -> tuple[str, ...]:
    """Name the sides of the scan that the sheet reaches."""
    rows, columns = picture.shape[:2]
    x, y = corners_array(geometry.corners).T
    room = 0.002 * max(rows, columns) + 1
    cut = {
        "top": y.min() < room,
        "right": x.max() > columns - room,
        "bottom": y.max() > rows - room,
        "left": x.min() < room,
    }
    return tuple(side for side, is_cut in cut.items() if is_cut)
