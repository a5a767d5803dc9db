"""Sheets of many pictures on drawn sheets with known truth, and no lattice where there is none."""

import numpy as np
import pytest

from digitizer.film import find_sheets, find_tiles, reading_picture
from digitizer.model.film import TileGrid
from digitizer.model.raster import Polarity, Raster
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
