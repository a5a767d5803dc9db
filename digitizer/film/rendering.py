"""One resampling from the scan to the result: rotation, crop, turn and mirror composed."""

from dataclasses import replace
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.geometry import corners_array
from digitizer.film.tone import window
from digitizer.model.film import Geometry
from digitizer.model.instance import Rendered
from digitizer.model.raster import Pixels, Polarity, Raster
from digitizer.model.units import MM_PER_INCH, Spacing

__all__ = ["grid_of", "render", "warp"]

_MARGIN_MM = 0.5
"""Kept around the straight edge lines: sheets bow by tenths of a millimetre and no film is lost."""
_MARGIN_PX = 3
_STRAIGHT_DEG = 0.005
"""Below this, a 17 inch film at 300 dpi moves by less than half a pixel: an exact copy is better."""


def render(raster: Raster, geometry: Geometry) -> Rendered:
    """Return the sheet as it should be viewed, in the scanner's own values.

    Cubic interpolation (Keys 1981, a = -0.75 as OpenCV has it), held within the extremes of the
    scan, so that no ringing invents a value; turns, mirrors and crops alone are exact copies.

    Parameters
    ----------
    raster : Raster
    geometry : Geometry
        With ``turn_deg`` None the sheet is left as scanned, with ``skew_deg`` None it is only cut.
    """
    copied = _exact_copy(raster, geometry)
    if copied is not None:
        rendered = Rendered(
            pixels=copied,
            bits=raster.bits,
            polarity=raster.polarity,
            spacing=_spacing(raster, geometry),
            resampled=False,
        )
    else:
        rendered = _resampled(raster, geometry)
    shown = None if raster.is_colour else window(rendered)
    rendered.pixels.setflags(write=False)
    return replace(rendered, window=shown)


def _resampled(raster: Raster, geometry: Geometry) -> Rendered:
    matrix, rows, columns = grid_of(geometry, margin=_margin(raster))
    padding = _padding(raster)
    pixels = warp(raster.pixels, matrix, rows, columns, border=padding or 0)
    low, high = int(raster.pixels.min()), int(raster.pixels.max())
    outside = _outside(matrix, rows, columns, raster)
    np.clip(pixels, low, high, out=pixels)
    if padding is not None and outside.any():
        pixels[outside] = padding
    return Rendered(
        pixels=pixels,
        bits=raster.bits,
        polarity=raster.polarity,
        spacing=_spacing(raster, geometry),
        padding=padding if outside.any() and not raster.is_colour else None,
    )


def _margin(raster: Raster) -> float:
    return _MARGIN_PX if raster.dpi is None else _MARGIN_MM / MM_PER_INCH * max(raster.dpi)


def grid_of(geometry: Geometry, *, margin: float) -> tuple[NDArray[np.float64], int, int]:
    """Return the affine from result pixels to scan pixels (both centres), rows and columns.

    Turn and mirror are in the order of the corners, so nothing more is needed for them.
    """
    tl, tr, _, bl = corners_array(geometry.corners)
    right, down = tr - tl, bl - tl
    width, height = np.linalg.norm(right), np.linalg.norm(down)
    right, down = right / width, down / height
    columns, rows = ceil(width + 2 * margin), ceil(height + 2 * margin)
    left = (columns - width) / 2
    top = (rows - height) / 2
    origin = tl + right * (0.5 - left) + down * (0.5 - top) - 0.5
    return np.column_stack([right, down, origin]), rows, columns


def warp(
    pixels: Pixels,
    matrix: NDArray[np.float64],
    rows: int,
    columns: int,
    *,
    border: int,
    interpolation: int = cv2.INTER_CUBIC,
) -> Pixels:
    """Resample once onto the grid that ``matrix`` maps from."""
    return cv2.warpAffine(  # type: ignore[return-value]
        pixels,
        matrix,
        (columns, rows),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border, border),
    )


def _outside(
    matrix: NDArray[np.float64], rows: int, columns: int, raster: Raster
) -> NDArray[np.bool_]:
    """Tell which result pixels lie outside the frame of the scan."""
    frame = np.full(raster.pixels.shape[:2], 255, np.uint8)
    seen = warp(frame, matrix, rows, columns, border=0, interpolation=cv2.INTER_NEAREST)
    return np.asarray(seen == 0)


def _padding(raster: Raster) -> int | None:
    """Return a value just beyond the darkest film, None where the scan uses the whole range.

    Dark is what dazzles nobody: low values in MONOCHROME2, high ones in MONOCHROME1.
    """
    if raster.is_colour:
        return 255
    top = (1 << raster.bits) - 1
    if raster.polarity is Polarity.MONOCHROME2:
        low = int(raster.pixels.min())
        return low - 1 if low > 0 else None
    high = int(raster.pixels.max())
    return high + 1 if high < top else None


def _exact_copy(raster: Raster, geometry: Geometry) -> Pixels | None:
    """Return the cut-out where no rotation is needed: turns and mirrors of whole pixels."""
    if geometry.skew_deg is not None and abs(geometry.skew_deg) > _STRAIGHT_DEG:
        return None
    corners = corners_array(geometry.corners)
    margin = 0.0 if geometry.edges_seen == 0 else _margin(raster)
    rows, columns = raster.pixels.shape[:2]
    left, upper = np.floor(corners.min(axis=0) - margin).astype(int)
    right, lower = np.ceil(corners.max(axis=0) + margin).astype(int)
    cut = raster.pixels[max(upper, 0) : min(lower, rows), max(left, 0) : min(right, columns)]
    if geometry.mirrored:
        # Mirrored about the vertical axis of the film as viewed, after the turn below.
        turned = np.rot90(cut, -(geometry.turn_deg or 0) // 90)
        return np.ascontiguousarray(turned[:, ::-1])
    return np.ascontiguousarray(np.rot90(cut, -(geometry.turn_deg or 0) // 90))


def _spacing(raster: Raster, geometry: Geometry) -> Spacing | None:
    if raster.dpi is None:
        return None
    pitch = raster.dpi.spacing
    if geometry.turn_deg in (90, 270):
        return Spacing(row_mm=pitch.column_mm, column_mm=pitch.row_mm)
    return pitch
