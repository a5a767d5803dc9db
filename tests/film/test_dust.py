"""Dust is counted as it lies, whatever the resolution, and told before it is thick."""

import cv2
import numpy as np
import pytest

from digitizer.film import find_sheets, quality
from digitizer.film.dust import dust_load
from digitizer.model.units import Dpi
from digitizer.rehearsal.defects import spoil
from digitizer.rehearsal.population import draw_scan


@pytest.mark.parametrize("dpi", [100.0, 300.0])
def test_specks_of_a_given_number_are_counted(dpi: float) -> None:
    """Thirty on a square decimetre, each 0.5 mm wide, on even film of 24 by 30 cm."""
    rng = np.random.default_rng(8)
    pitch = dpi / 25.4
    rows, columns = round(300 * pitch), round(240 * pitch)
    film = rng.normal(30000, 150, (rows, columns)).astype(np.uint16)
    for x, y in rng.uniform(0, 1, (216, 2)) * (columns, rows):
        cv2.circle(film, (int(x), int(y)), round(0.25 * pitch), 12000, -1)
    found = dust_load(film, (0, rows, 0, columns), Dpi(dpi, dpi))
    # Asked are the upper half of the tiles, which by chance have somewhat more than the mean.
    assert found is not None
    assert 30 < found < 48


@pytest.mark.parametrize("number", [10_024, 10_032])
def test_a_dusty_glass_is_told_where_most_of_the_film_is_too_dark_to_show_it(number: int) -> None:
    """Drawn films; a few specks fewer on the tiles that were looked at, and it was missed."""
    key = (11001, 1, number)
    drawn = draw_scan(key, dpi=100, wear=0.5)
    dusty = spoil(np.random.default_rng(key), drawn, "dusty")
    told = [
        "dusty" in quality(raster, find_sheets(raster).sheets[0]).flags
        for raster in (drawn.raster, dusty)
    ]
    assert told == [False, True]
