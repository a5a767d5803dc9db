"""Labels and folds that hide a part of a film are told; what belongs to the film is not."""

import numpy as np
import pytest

from digitizer.film import find_sheets, is_covered, reading_picture
from digitizer.model.raster import Raster
from digitizer.model.units import Point
from digitizer.rehearsal.covers import COVERS, MarkedScan, cover, draw_marked_scan
from digitizer.rehearsal.population import draw_pictures_scan

FILMS = 4


def told(raster: Raster, texts: list[list[Point]] | None = None) -> bool:
    """Ask the first sheet of a scan."""
    picture = reading_picture(raster, find_sheets(raster).sheets[0])
    return is_covered(picture, raster.dpi, texts or [])


@pytest.fixture(scope="module")
def films() -> list[MarkedScan]:
    """Draw films with blocks of every style, markers, creases and empty windows."""
    return [draw_marked_scan((21, number), dpi=76) for number in range(FILMS)]


def test_what_hides_a_part_of_a_film_is_told(films: list[MarkedScan]) -> None:
    """On most films, whatever hides it; `make bench-film` asks a larger population."""
    found = [
        told(cover(np.random.default_rng((22, number)), scan, kind))
        for number, scan in enumerate(films)
        for kind in COVERS
    ]
    assert sum(found) >= 0.8 * len(found)


def test_nothing_is_told_of_a_film_that_hides_nothing(films: list[MarkedScan]) -> None:
    """Blocks, stickers, markers, clear windows, creases and sheets of many pictures."""
    false = [told(scan.drawn.raster) for scan in films]
    false += [told(draw_pictures_scan((21, number), dpi=76).raster) for number in range(2)]
    assert sum(false) <= 1


def test_a_label_below_which_text_is_read_hides_nothing(films: list[MarkedScan]) -> None:
    """Two lines read inside it speak against it; a film folded over says so itself."""
    covered = next(
        covered
        for number, scan in enumerate(films)
        if told(covered := cover(np.random.default_rng((22, number)), scan, "label elsewhere"))
    )
    picture = reading_picture(covered, find_sheets(covered).sheets[0])
    rows, columns = picture.pixels.shape
    everywhere = [
        [Point(x + dx, y + dy) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        for x in range(8, columns, 16)
        for y in range(8, rows, 16)
    ]
    assert not told(covered, everywhere)


def test_without_a_resolution_nothing_is_told(films: list[MarkedScan]) -> None:
    """What is as large as a label is then unknown."""
    raster = films[0].drawn.raster
    picture = reading_picture(raster, find_sheets(raster).sheets[0])
    assert not is_covered(picture, None)
