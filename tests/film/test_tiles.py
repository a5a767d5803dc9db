"""Sheets of many pictures on drawn sheets with known truth, and no lattice where there is none."""

import cv2
import numpy as np
import pytest

from digitizer.film import ReadingPicture, find_sheets, find_tiles, reading_picture
from digitizer.film.lattice import fit_axis
from digitizer.model.film import TileGrid
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.rehearsal.population import DrawnScan, draw_pictures_scan, draw_scan
from digitizer.rehearsal.sources import MAMMOGRAMS, RADIOGRAPHS, mammogram, radiograph
from digitizer.rehearsal.tiling import agrees

SHEETS = 40


def looked_at(raster: Raster) -> list[TileGrid | None]:
    return [
        find_tiles(reading_picture(raster, one), raster.dpi) for one in find_sheets(raster).sheets
    ]


@pytest.fixture(scope="module")
def answers() -> list[tuple[DrawnScan, TileGrid | None]]:
    """Look at drawn sheets, those that are found whole."""
    found = []
    for number in range(SHEETS):
        scan = draw_pictures_scan((91, number))
        grids = looked_at(scan.raster)
        if len(grids) == 1:
            found.append((scan, grids[0]))
    return found


def test_lattices_are_found_or_not_told(
    answers: list[tuple[DrawnScan, TileGrid | None]],
) -> None:
    """Most sheets are cut right, to a millimetre; few are told wrong."""
    told = [(scan, grid) for scan, grid in answers if grid is not None]
    right = [
        agrees(scan.lattice, scan.placements[0], np.array(grid.boxes))
        for scan, grid in told
        if scan.lattice is not None
    ]
    assert len(answers) >= 0.9 * SHEETS
    assert len(told) >= 0.75 * len(answers)
    assert np.mean(right) >= 0.9


def test_ordinary_films_are_no_lattice() -> None:
    """Drawn films on all beds, alone and several together."""
    for number in range(24):
        scan = draw_scan((92, number), sheets=1 + number % 4)
        assert not any(looked_at(scan.raster))


@pytest.mark.parametrize("name", [one.name for one in RADIOGRAPHS])
def test_real_radiographs_are_no_lattice(name: str) -> None:
    """Neither with a resolution nor without."""
    raster = Raster(pixels=radiograph(name).copy(), bits=8, polarity=Polarity.MONOCHROME2)
    assert not any(looked_at(raster))


@pytest.mark.parametrize("name", [one.name for one in MAMMOGRAMS])
def test_real_mammograms_are_no_lattice(name: str) -> None:
    """Whole digitizer frames."""
    raster = Raster(pixels=mammogram(name).copy(), bits=16, polarity=Polarity.MONOCHROME2)
    assert not any(looked_at(raster))


PLACE = 240
"""Pixels of a place of the sheets below, 60 mm."""


def black_sheet(
    rows: int, columns: int, *, shown: set[int], glow: float = 0.0, noise: float = 0.0
) -> ReadingPicture:
    """Print bright discs with a caption, black in black, eight bits encoded for a screen.

    Light is scattered in the scanner: ``glow`` from the middle of the sheet outwards.
    """
    size = (rows * PLACE + 80, columns * PLACE + 80)
    ink = np.zeros(size, np.uint8)
    for number in shown:
        row, column = divmod(number, columns)
        x, y = 40 + column * PLACE, 40 + row * PLACE
        cv2.circle(ink, (x + 120, y + 130), 70, 255, cv2.FILLED)
        cv2.putText(ink, f"IM {number}", (x + 150, y + 32), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2)
    light = 0.004 + 0.6 * (ink / 255.0)
    y, x = np.mgrid[-1 : 1 : 1j * size[0], -1 : 1 : 1j * size[1]]
    encoded = 255 * np.sqrt(light + glow * np.exp(-(x**2 + y**2)))
    grain = cv2.GaussianBlur(np.random.default_rng(1).standard_normal(size), (0, 0), 0.6)
    pixels = np.clip(encoded + noise * grain, 0, 255).round().astype(np.uint8)
    return ReadingPicture(pixels, np.eye(2, 3))


@pytest.mark.parametrize(("glow", "noise"), [(0.0, 0.0), (0.006, 3.0)])
def test_black_is_what_is_blackest_nearby(glow: float, noise: float) -> None:
    """In eight bits, where light is scattered and black is noisy, as where it is neither."""
    picture = black_sheet(3, 4, shown=set(range(12)), glow=glow, noise=noise)
    grid = find_tiles(picture, Dpi(101.6, 101.6))
    assert grid is not None
    assert (grid.rows, grid.columns) == (3, 4)


def test_rows_of_fewer_pictures_are_as_alike() -> None:
    """The first row holds one picture, as the last."""
    grid = find_tiles(black_sheet(4, 3, shown={0, *range(3, 10)}), Dpi(101.6, 101.6))
    assert grid is not None
    assert (grid.rows, grid.columns) == (4, 3)


def test_a_scratch_across_one_gap_moves_no_picture() -> None:
    """Captions at both ends of four places; within a place is a stretch that nothing crosses."""
    place = np.zeros(210, np.float32)
    place[4:14], place[40:150], place[190:206] = 0.1, 0.5, 0.2
    line = np.concatenate([np.zeros(50, np.float32), np.tile(place, 4), np.zeros(50, np.float32)])
    line[50 + 2 * 210 - 12 : 50 + 2 * 210 + 12] += 0.025
    axis = fit_axis(line, least=90, most_crossed=0.03, reach=2, edge=0.004, loose=True)
    assert axis is not None
    assert np.allclose(axis.middles, 50 + 105 + 210 * np.arange(4), atol=3)


def test_two_bordered_places_between_unequal_margins() -> None:
    """Shifted by their distance the profile has nothing in common with itself."""
    line = np.zeros(1001, np.float32)
    line[120:525] = line[531:936] = 1
    axis = fit_axis(line, least=90, most_crossed=0.5, reach=10, edge=0.4, loose=False)
    assert axis is not None
    assert axis.count == 2
    assert axis.start == pytest.approx(120, abs=2)
    assert axis.end == pytest.approx(936, abs=2)


@pytest.mark.parametrize(("number", "rows", "columns"), [(93, 5, 3), (100, 3, 3)])
def test_the_second_fit_adds_no_row_and_loses_none(number: int, rows: int, columns: int) -> None:
    """A label above the pictures, and a gap that a scratch crosses along a picture's length."""
    (grid,) = looked_at(draw_pictures_scan((831, 2, number), dpi=100).raster)
    assert grid is not None
    assert (grid.rows, grid.columns) == (rows, columns)
