"""Cutting the pictures of a sheet of many out of its rendering: copies, never resampled again."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from digitizer.film.geometry import corners_array
from digitizer.model.film import Geometry, TileGrid
from digitizer.model.instance import Rendered
from digitizer.model.raster import Pixels
from digitizer.model.units import Corners, Point

__all__ = ["Tile", "cut_tiles", "tiles_as_viewed"]


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture; row and column count from 1, as the sheet is viewed."""

    row: int
    column: int
    rendered: Rendered


def tiles_as_viewed(grid: TileGrid, geometry: Geometry) -> TileGrid:
    """List places row by row, and the corners of each, as the sheet should be viewed.

    Parameters
    ----------
    grid : TileGrid
        As scanned.
    geometry : Geometry
        Of the sheet; with ``turn_deg`` None as scanned.
    """
    top_left, top_right, _, bottom_left = corners_array(geometry.corners)
    right, down = (
        (end - top_left) / np.linalg.norm(end - top_left) for end in (top_right, bottom_left)
    )
    boxes = np.array(grid.boxes)
    middles = boxes.mean(axis=1)
    # The step to the next place of a row as scanned runs down where the sheet was turned.
    step = middles[1] - middles[0]
    turned = abs(step @ down) > abs(step @ right)
    rows, columns = (grid.columns, grid.rows) if turned else (grid.rows, grid.columns)
    by_row = np.argsort(middles @ down, kind="stable").reshape(rows, columns)
    order = [int(n) for row in by_row for n in row[np.argsort(middles[row] @ right)]]
    return TileGrid(
        rows=rows,
        columns=columns,
        boxes=tuple(_relisted(boxes[n], right, down) for n in order),
        shown=tuple(grid.shown[n] for n in order),
    )


def _relisted(
    box: NDArray[np.float64], right: NDArray[np.float64], down: NDArray[np.float64]
) -> Corners:
    """List the corners of a place: top left, top right, bottom right, bottom left."""
    from_middle = box - box.mean(axis=0)
    across, along = from_middle @ right > 0, from_middle @ down > 0
    wanted = ((False, False), (True, False), (True, True), (False, True))
    found = [box[(across == far) & (along == low)][0] for far, low in wanted]
    return Corners(*(Point(float(x), float(y)) for x, y in found))


def cut_tiles(rendered: Rendered, grid: TileGrid, geometry: Geometry) -> tuple[Tile, ...]:
    """Cut the pictures out, row by row as viewed; places where nothing was printed are left out.

    All are of one size, and each is an exact copy of its part of the rendered sheet.

    Parameters
    ----------
    rendered : Rendered
        Of :func:`digitizer.film.render`, or the same in optical density.
    grid : TileGrid
        As scanned.
    geometry : Geometry
        The one it was rendered with.
    """
    assert rendered.matrix is not None, "rendering tells where its pixels lie"
    viewed = tiles_as_viewed(grid, geometry)
    back = np.linalg.inv(rendered.matrix[:, :2])
    boxes = (np.array(viewed.boxes) - 0.5 - rendered.matrix[:, 2]) @ back.T + 0.5
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    limit = np.array(rendered.pixels.shape[1::-1])
    size = np.minimum(np.rint(np.median(high - low, axis=0)).astype(int), limit)
    corner = np.clip(np.rint((low + high - size) / 2).astype(int), 0, limit - size)
    return tuple(
        Tile(n // viewed.columns + 1, n % viewed.columns + 1, _cut(rendered, corner[n], size))
        for n in range(len(corner))
        if viewed.shown[n]
    )


def _cut(rendered: Rendered, corner: NDArray[np.int_], size: NDArray[np.int_]) -> Rendered:
    (x, y), (width, height) = corner, size
    pixels = np.array(rendered.pixels[y : y + height, x : x + width], order="C", copy=True)
    pixels.setflags(write=False)
    shift = np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
    assert rendered.matrix is not None
    return replace(rendered, pixels=cast(Pixels, pixels), matrix=rendered.matrix @ shift)
