"""Sharpness and noise of a scan, where the picture has most to show."""

import cv2
import numpy as np

from digitizer.film.geometry import corners_array
from digitizer.film.light import Floats, reduced
from digitizer.model.film import Geometry
from digitizer.model.raster import Pixels

__all__ = ["busiest_tiles", "cut_sharpness", "noise_of", "sharpness_of", "upright_box"]

_CUT_REACH = 14.0
"""Pixels to either side of a sheet's line within which its cut is looked for."""
_CUT_HEIGHT = 0.35
"""Part of the brighter side by which a cut stands out."""
_AROUND = 7
"""Pixels to either side within which a step has its height."""
_LEAST_HEIGHT = 24.0
"""Pixel values of a step from which on its slope is more than steps of one value."""
_ENOUGH = 2400
"""Pixels of the long side on which places of contrast are looked for."""
_TILE = 192
_TILES = 12


def busiest_tiles(picture: Pixels, geometry: Geometry | None) -> list[Floats]:
    """Return the tiles inside the sheet where the picture changes most: print, markers, bone."""
    y0, y1, x0, x1 = upright_box(picture, geometry)
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


def noise_of(tiles: list[Floats]) -> float | None:
    """Return the standard deviation of the noise in pixel values, from the calmer tiles."""
    if not tiles:
        return None
    each = [1.4826 * float(np.median(np.abs(tile - cv2.medianBlur(tile, 3)))) for tile in tiles]
    return float(np.median(each))


def sharpness_of(tiles: list[Floats], noise: float | None) -> float | None:
    """Return the steepest relative step among places of clear contrast."""
    best: list[float] = []
    around = np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)
    # At a tile's own rim only a part of a step is in sight.
    inner = np.s_[_AROUND:-_AROUND, _AROUND:-_AROUND]
    for tile in tiles:
        if min(tile.shape) < 4 * _AROUND:
            continue
        height = (cv2.dilate(tile, around) - cv2.erode(tile, around))[inner]
        across = np.abs(cv2.Sobel(tile, cv2.CV_32F, 1, 0, ksize=3)) / 8
        down = np.abs(cv2.Sobel(tile, cv2.CV_32F, 0, 1, ksize=3)) / 8
        steep = np.hypot(across, down)[inner]
        clear = height > max(25 * (noise or 0.0), 0.25 * float(height.max()), _LEAST_HEIGHT)
        if clear.sum() > 40:
            best.append(float(np.quantile(steep[clear] / height[clear], 0.97)))
    return float(np.quantile(best, 0.8)) if len(best) >= 2 else None


def cut_sharpness(picture: Pixels, geometry: Geometry, noise: float) -> float | None:
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
        clear = height > np.maximum(
            max(25 * noise, _LEAST_HEIGHT), _CUT_HEIGHT * values.max(axis=1)
        )
        steps = np.abs(values[:, 2:] - values[:, :-2]) / 2
        # A rise that goes on beyond what is looked at has not shown its height.
        peak = steps.argmax(axis=1)
        clear &= (peak > 1) & (peak < steps.shape[1] - 2)
        if clear.sum() >= 40:
            best.append(float(np.median(steps.max(axis=1)[clear] / height[clear])))
    return max(best, default=None)


def upright_box(picture: Pixels, geometry: Geometry | None) -> tuple[int, int, int, int]:
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
