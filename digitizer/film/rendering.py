"""One resampling from the scan to the result: rotation, crop, turn and mirror composed.

What this decides: the grid of the capture, and what counts as lying outside the sheet. What it
never does: resample twice, let interpolation overshoot the film's own values, or resample at all
where turns, mirrors and crops of whole pixels are enough.
"""

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.geometry import corners_array, scale_of
from digitizer.film.tone import window
from digitizer.model.film import Geometry
from digitizer.model.instance import Rendered
from digitizer.model.raster import Pixels, Polarity, Raster
from digitizer.model.units import MM_PER_INCH, Dpi, Spacing

__all__ = ["Grid", "grid_of", "render", "warp"]

_MARGIN_MM = 1.0
"""Kept around the straight edge lines: sheets bow by tenths of a millimetre and no film is lost."""
_MARGIN_PX = 6
"""The same where the resolution is not known."""
_BESIDE_MM = 0.35
"""Beyond this distance from the edge line, what looks like the bed is made padding."""
_UNMOVED_PX = 0.25
"""A rotation that moves no pixel of the sheet further than this is left out: a copy is better."""
_BAND = 512


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where the pixels of a result lie in the scan.

    Attributes
    ----------
    matrix : ndarray, (2, 3)
        From pixel centres of the result (column, row, 1) to pixel centres of the scan.
    rows, columns : int
        Of the result.
    left, top, right, bottom : float
        The sheet's straight sides in the result, in pixels from its outer corner.
    pitch_mm : float or None
        Of the result, both ways; None where the scan tells no resolution.
    """

    matrix: NDArray[np.float64]
    rows: int
    columns: int
    left: float
    top: float
    right: float
    bottom: float
    pitch_mm: float | None


def grid_of(geometry: Geometry, dpi: Dpi | None, *, margin: float = 0.0) -> Grid:
    """Lay a grid of square pixels along the sheet's sides, at the finer of the scan's pitches.

    Turn and mirror are in the order of the corners, so nothing more is needed for them.

    Parameters
    ----------
    geometry : Geometry
    dpi : Dpi or None
    margin : float
        In pixels of the result, around the sheet.
    """
    scale = scale_of(dpi)
    pitch = float(scale.min())
    corners = corners_array(geometry.corners) * scale / pitch
    tl, tr, br, bl = corners
    # The corners are a rectangle; a middle line is the safest measure of its directions.
    down = (bl + br - tl - tr) / 2
    down /= np.linalg.norm(down)
    across = (tr + br - tl - bl) / 2
    right = np.array([-down[1], down[0]])
    right *= 1.0 if right @ across > 0 else -1.0
    u, v = corners @ right, corners @ down
    width, height = float(np.ptp(u)), float(np.ptp(v))
    columns, rows = ceil(width + 2 * margin - 1e-6), ceil(height + 2 * margin - 1e-6)
    left, top = (columns - width) / 2, (rows - height) / 2
    origin = right * (float(u.min()) - left + 0.5) + down * (float(v.min()) - top + 0.5)
    back = pitch / scale
    matrix = np.column_stack([right * back, down * back, origin * back - 0.5])
    return Grid(
        matrix=matrix,
        rows=max(rows, 1),
        columns=max(columns, 1),
        left=left,
        top=top,
        right=left + width,
        bottom=top + height,
        pitch_mm=None if dpi is None else pitch,
    )


def render(raster: Raster, geometry: Geometry, *, margin_mm: float = _MARGIN_MM) -> Rendered:
    """Return the sheet as it should be viewed, in the scanner's own values.

    Cubic convolution (Keys 1981, a = -0.75 as OpenCV has it), bounded by the extremes of the scan's
    own 3 x 3 neighbourhood, so that no ringing at an edge invents a value.

    Parameters
    ----------
    raster : Raster
    geometry : Geometry
        With ``turn_deg`` None the sheet is left as scanned, with ``skew_deg`` None it is only cut.
    margin_mm : float
        Kept around the straight sides, at most 2.

    Returns
    -------
    Rendered
        ``padding`` is a value used nowhere inside, next to the darkest film: it dazzles nobody.
        None where nothing lies outside, or in the rare scan that uses every value there is.
    """
    margin = _MARGIN_PX if raster.dpi is None else margin_mm / MM_PER_INCH * max(raster.dpi)
    if _is_straight(geometry):
        rendered = _copied(raster, geometry, 0.0 if geometry.edges_seen == 0 else margin)
    else:
        rendered = _resampled(raster, geometry, margin)
    shown = None if raster.is_colour else window(rendered)
    rendered.pixels.setflags(write=False)
    return replace(rendered, window=shown)


def _is_straight(geometry: Geometry) -> bool:
    if geometry.skew_deg is None:
        return True
    corners = corners_array(geometry.corners)
    tl, tr, br, bl = corners
    bends = [tr - tl, br - bl, bl - tl, br - tr]
    # The smaller component of a side is how far its ends are from one row or column.
    return all(float(np.abs(side).min()) <= 2 * _UNMOVED_PX for side in bends)


def _copied(raster: Raster, geometry: Geometry, margin: float) -> Rendered:
    """Cut whole pixels out and turn and mirror them: every value as scanned."""
    corners = corners_array(geometry.corners)
    rows, columns = raster.pixels.shape[:2]
    left, upper = (floor(value + 1e-6) for value in corners.min(axis=0) - margin)
    right, lower = (ceil(value - 1e-6) for value in corners.max(axis=0) + margin)
    cut = raster.pixels[max(upper, 0) : min(lower, rows), max(left, 0) : min(right, columns)]
    quarters = (geometry.turn_deg or 0) // 90
    turned = np.rot90(cut, -quarters)
    matrix = _copied_matrix(quarters, bool(geometry.mirrored), cut.shape[:2])
    matrix[:, 2] += max(left, 0), max(upper, 0)
    if geometry.mirrored:
        turned = turned[:, ::-1]
    spacing = None if raster.dpi is None else raster.dpi.spacing
    if spacing is not None and geometry.turn_deg in (90, 270):
        spacing = Spacing(row_mm=spacing.column_mm, column_mm=spacing.row_mm)
    return Rendered(
        pixels=cast(Pixels, np.array(turned, order="C", copy=True)),
        bits=raster.bits,
        polarity=raster.polarity,
        spacing=spacing,
        resampled=False,
        matrix=matrix,
    )


def _copied_matrix(quarters: int, mirrored: bool, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the matrix from pixel centres of a turned and mirrored cut to those of the cut."""
    rows, columns = shape
    turned = {
        0: [[1, 0, 0], [0, 1, 0]],
        1: [[0, 1, 0], [-1, 0, rows - 1]],
        2: [[-1, 0, columns - 1], [0, -1, rows - 1]],
        3: [[0, -1, columns - 1], [1, 0, 0]],
    }[quarters]
    matrix = np.array(turned, dtype=np.float64)
    if mirrored:
        width = rows if quarters % 2 else columns
        matrix = matrix @ np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1]], dtype=np.float64)
    return matrix


def _resampled(raster: Raster, geometry: Geometry, margin: float) -> Rendered:
    grid = grid_of(geometry, raster.dpi, margin=margin)
    pixels = warp(raster.pixels, grid)
    outside = _beyond_frame(grid, raster)
    padding: int | None = None
    if raster.is_colour:
        pixels[outside] = (1 << raster.bits) - 1
    else:
        _add_bed(outside, pixels, grid)
        padding = _unused(pixels, outside, raster) if outside.any() else None
        darkest = 0 if raster.polarity is Polarity.MONOCHROME2 else (1 << raster.bits) - 1
        np.copyto(pixels, pixels.dtype.type(darkest if padding is None else padding), where=outside)
    return Rendered(
        pixels=pixels,
        bits=raster.bits,
        polarity=raster.polarity,
        spacing=None if grid.pitch_mm is None else Spacing(grid.pitch_mm, grid.pitch_mm),
        padding=padding,
        matrix=grid.matrix,
    )


def warp(pixels: Pixels, grid: Grid, *, interpolation: int = cv2.INTER_CUBIC) -> Pixels:
    """Resample once onto a grid, in bands of rows so that memory stays small.

    Places beyond the frame repeat its last pixels. Cubic results are bounded by their own
    neighbourhood; linear ones need no bound.
    """
    out = np.empty((grid.rows, grid.columns, *pixels.shape[2:]), pixels.dtype)
    for first in range(0, grid.rows, _BAND):
        last = min(first + _BAND, grid.rows)
        matrix = grid.matrix.copy()
        matrix[:, 2] += matrix[:, 1] * first
        ends = np.array([[0, grid.columns - 1, 0, grid.columns - 1],
                         [0, 0, last - first - 1, last - first - 1]])  # fmt: skip
        places = matrix[:, :2] @ ends + matrix[:, 2:]
        limit = np.array([[pixels.shape[1]], [pixels.shape[0]]])
        low = np.clip(np.floor(places.min(axis=1, keepdims=True)) - 4, 0, limit - 1).astype(int)
        high = np.clip(np.ceil(places.max(axis=1, keepdims=True)) + 5, low + 1, limit).astype(int)
        part = pixels[low[1, 0] : high[1, 0], low[0, 0] : high[0, 0]]
        matrix[:, 2:] -= low
        _warp_band(part, matrix, out[first:last], interpolation)
    return cast(Pixels, out)


def _warp_band(part: Pixels, matrix: NDArray[np.float64], out: Pixels, interpolation: int) -> None:
    """Resample a part of the scan into a band of the result."""

    def warp_into(source: Pixels, how: int, target: Pixels) -> None:
        cv2.warpAffine(
            source,
            matrix,
            target.shape[1::-1],
            dst=target,
            flags=how | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )

    warp_into(part, interpolation, out)
    if interpolation == cv2.INTER_CUBIC:
        around = np.ones((3, 3), np.uint8)
        limit = np.empty_like(out)
        for bounds, bound in ((cv2.dilate, cv2.min), (cv2.erode, cv2.max)):
            warp_into(cast(Pixels, bounds(part, around)), cv2.INTER_NEAREST, limit)
            bound(out, limit, dst=out)


def _beyond_frame(grid: Grid, raster: Raster) -> NDArray[np.bool_]:
    """Tell which pixels of the result have their centre outside the scan."""
    rows, columns = raster.pixels.shape[:2]
    j = np.arange(grid.columns, dtype=np.int32)
    i = np.arange(grid.rows, dtype=np.float64)
    first, last = np.full(grid.rows, -np.inf), np.full(grid.rows, np.inf)
    # Along a row of the result the place in the scan moves evenly: inside between two columns.
    for (step, across, start), limit in zip(grid.matrix, (columns, rows), strict=True):
        at = across * i + start
        if abs(step) < 1e-12:
            first[(at < -0.5) | (at > limit - 0.5)] = np.inf
            continue
        ends = np.sort(np.stack([(-0.5 - at) / step, (limit - 0.5 - at) / step]), axis=0)
        first, last = np.maximum(first, ends[0]), np.minimum(last, ends[1])
    low = np.clip(np.ceil(first), 0, grid.columns).astype(np.int32)[:, None]
    high = np.clip(np.floor(last), -1, grid.columns).astype(np.int32)[:, None]
    if low.max() == 0 and high.min() >= grid.columns - 1:
        return np.zeros((grid.rows, grid.columns), bool)
    return np.asarray((j < low) | (j > high), dtype=np.bool_)


def _add_bed(outside: NDArray[np.bool_], pixels: Pixels, grid: Grid) -> None:
    """Mark as outside what looks like the bed and lies clearly beyond an edge line.

    Film that bows further out than the line does not look like the bed and is kept.
    """
    beside = _BESIDE_MM / grid.pitch_mm if grid.pitch_mm else _MARGIN_PX * _BESIDE_MM
    rows, columns = grid.rows, grid.columns
    up, left = floor(grid.top - beside), floor(grid.left - beside)
    low, right = ceil(grid.bottom + beside), ceil(grid.right + beside)
    strips = (
        (slice(0, max(up, 0)), slice(None)),
        (slice(min(low, rows), rows), slice(None)),
        (slice(None), slice(0, max(left, 0))),
        (slice(None), slice(min(right, columns), columns)),
    )
    for strip in strips:
        values = pixels[strip]
        shown = values[~outside[strip]].astype(np.float32)
        if shown.size < 64:
            continue
        level = float(np.median(shown))
        spread = 1.4826 * float(np.median(np.abs(shown - level)))
        tolerance = max(6 * spread, 0.03 * level, 1.0)
        outside[strip] |= np.abs(values.astype(np.float32) - level) <= tolerance


def _unused(pixels: Pixels, outside: NDArray[np.bool_], raster: Raster) -> int | None:
    """Return the value nearest to the darkest film that no pixel inside has."""
    first = int(np.argmin(outside))
    if outside.flat[first]:
        return None
    # What lies outside takes the value of something inside, so that all pixels may be counted.
    np.copyto(pixels, pixels.flat[first], where=outside)
    if raster.polarity is Polarity.MONOCHROME2 and (least := int(pixels.min())) > 0:
        return least - 1
    values = 1 << (8 * pixels.dtype.itemsize)
    # A histogram of floats counts no further than 2^24, but never forgets that it counted.
    counts = cv2.calcHist([pixels], [0], None, [values], [0, values]).ravel()
    top = (1 << raster.bits) - 1
    used = np.minimum(np.flatnonzero(counts), top)
    taken = np.zeros(top + 1, bool)
    taken[used] = True
    free = np.flatnonzero(~taken)
    if free.size == 0:
        return None
    if raster.polarity is Polarity.MONOCHROME2:
        darkest = int(used.min())
        below = free[free < darkest]
        return int(below[-1] if below.size else free[0])
    darkest = int(used.max())
    above = free[free > darkest]
    return int(above[0] if above.size else free[-1])
