"""Pictures are cut out of the rendered sheet as they are, in the order in which they are seen."""

import numpy as np
import pytest

from digitizer import film
from digitizer.model.film import Geometry, TileGrid
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Corners, Dpi, Point

ROWS, COLUMNS, HIGH, WIDE, EDGE = 2, 3, 40, 50, 12
NUMBERS = [10, 20, 30, 40, 50, 60]


def sheet() -> Raster:
    """Return a sheet, as it should be viewed, whose pictures bear their number as value."""
    pixels = np.full((2 * EDGE + ROWS * HIGH, 2 * EDGE + COLUMNS * WIDE), 999, np.uint16)
    for n, number in enumerate(NUMBERS):
        y, x = EDGE + n // COLUMNS * HIGH, EDGE + n % COLUMNS * WIDE
        pixels[y : y + HIGH, x : x + WIDE] = number
        pixels[y + 5, x + 3] = number + 1
    return Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2, dpi=Dpi(25.4, 25.4))


def scanned(turn_deg: int, mirrored: bool) -> tuple[Raster, Geometry, TileGrid]:
    """Return the sheet turned counter-clockwise and mirrored, with places as scanned."""
    pixels = sheet().pixels
    if mirrored:
        pixels = pixels[:, ::-1]
    pixels = np.ascontiguousarray(np.rot90(pixels, turn_deg // 90))
    high, wide = pixels.shape
    rows, columns = (ROWS, COLUMNS) if turn_deg in (0, 180) else (COLUMNS, ROWS)
    step_y, step_x = (high - 2 * EDGE) / rows, (wide - 2 * EDGE) / columns
    boxes = []
    for n in range(rows * columns):
        y, x = EDGE + n // columns * step_y, EDGE + n % columns * step_x
        ends = ((x, y), (x + step_x, y), (x + step_x, y + step_y), (x, y + step_y))
        boxes.append(Corners(*(Point(*one) for one in ends)))
    corners = Corners(Point(0, 0), Point(wide, 0), Point(wide, high), Point(0, high))
    as_scanned = Geometry(corners=corners, edges_seen=0, skew_deg=0.0)
    geometry = film.orient(as_scanned, turn_deg, mirrored)
    grid = TileGrid(rows=rows, columns=columns, boxes=tuple(boxes), shown=(True,) * 6)
    raster = Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2, dpi=Dpi(25.4, 25.4))
    return raster, geometry, grid


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_pictures_are_exact_copies_in_reading_order(turn_deg: int, mirrored: bool) -> None:
    """However the sheet was laid on the bed."""
    raster, geometry, grid = scanned(turn_deg, mirrored)
    tiles = film.cut_tiles(film.render(raster, geometry), grid, geometry)
    assert [(one.row, one.column) for one in tiles] == [
        (row, column) for row in (1, 2) for column in (1, 2, 3)
    ]
    for tile, number in zip(tiles, NUMBERS, strict=True):
        expected = np.full((HIGH, WIDE), number)
        expected[5, 3] = number + 1
        assert np.array_equal(tile.rendered.pixels, expected)


def test_the_matrix_leads_back_to_the_scan() -> None:
    """The middle of a picture lies in the scan where its place is."""
    raster, geometry, grid = scanned(90, True)
    viewed = film.tiles_as_viewed(grid, geometry)
    for tile, box in zip(
        film.cut_tiles(film.render(raster, geometry), grid, geometry), viewed.boxes, strict=True
    ):
        matrix = tile.rendered.matrix
        assert matrix is not None
        rows, columns = tile.rendered.pixels.shape
        middle = matrix @ [(columns - 1) / 2, (rows - 1) / 2, 1]
        assert np.allclose(middle + 0.5, np.mean(box, axis=0))


def test_empty_places_are_left_out() -> None:
    """The others keep their row and column."""
    raster, geometry, grid = scanned(0, False)
    grid = TileGrid(
        rows=2, columns=3, boxes=grid.boxes, shown=(True, True, False, True, True, False)
    )
    tiles = film.cut_tiles(film.render(raster, geometry), grid, geometry)
    assert [(one.row, one.column) for one in tiles] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [int(one.rendered.pixels[0, 0]) for one in tiles] == [10, 20, 40, 50]


def test_a_sheet_laid_askew_is_cut_from_its_one_resampling() -> None:
    """Every sample of a picture is one of the rendered sheet, at its place."""
    raster, _, grid = scanned(0, False)
    corners = Corners(Point(2, 1), Point(170, 4), Point(168.5, 104), Point(0.5, 101))
    geometry = Geometry(corners=corners, edges_seen=4, skew_deg=-1.0, turn_deg=0, mirrored=False)
    rendered = film.render(raster, geometry)
    assert rendered.resampled
    for tile in film.cut_tiles(rendered, grid, geometry):
        matrix, whole = tile.rendered.matrix, rendered.matrix
        assert matrix is not None
        assert whole is not None
        x, y = np.rint(np.linalg.inv(whole[:, :2]) @ (matrix[:, 2] - whole[:, 2])).astype(int)
        rows, columns = tile.rendered.pixels.shape
        assert np.array_equal(tile.rendered.pixels, rendered.pixels[y : y + rows, x : x + columns])
