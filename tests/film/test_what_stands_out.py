"""What lies beside a film, or in its rim, is kept with it and told, however small it is."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from film_phantoms import DPI, Laid, scan

from digitizer.film import SheetSearch, find_sheets
from digitizer.film.edges import BedSurface, measure_side
from digitizer.model.raster import Raster
from digitizer.model.units import Dpi

MM = DPI / 25.4


def on_film(film: Laid, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return corners (4, 2) in pixels of a box along a film, in mm from its middle."""
    u, v = film.axes
    box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) * MM
    return np.array([film.x, film.y]) + box @ np.stack([u, v])


def with_box(raster: Raster, corners: np.ndarray, value: float) -> Raster:
    """Return a scan with a grainy box drawn over it."""
    shown = np.zeros(raster.pixels.shape, np.uint8)
    cv2.fillPoly(shown, [np.rint(corners).astype(np.int32)], 1)
    grain = np.random.default_rng(3).normal(value, value / 100, shown.shape)
    return replace(raster, pixels=np.where(shown, grain, raster.pixels).astype(raster.pixels.dtype))


def furthest_out_mm(search: SheetSearch, places: np.ndarray) -> float:
    """Return how far the outermost of some places lies outside of the lone sheet."""
    (sheet,) = search.sheets
    outline = np.array(sheet.corners, np.float32)
    away = [cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in places]
    return -min(away) / MM


@pytest.mark.parametrize(("bed", "kind"), [(0.0003, "linear16"), (1.2, "linear16"), (1.2, "log12")])
@pytest.mark.parametrize(("width", "height"), [(31, 41), (27, 54)])
def test_a_small_film_that_touches_a_large_one_is_kept_and_told(
    bed: float, kind: str, width: int, height: int
) -> None:
    """Dental films, less than two hundredths of the one they lie over by a millimetre."""
    large = Laid(300 * MM, 400 * MM, 640, 900, skew=1.0, border="clear", bow=0.0)
    x = large.x + (149 + width / 2) * MM
    small = Laid(width * MM, height * MM, x, 500, skew=1.0, bow=0.0, seed=4)
    search = find_sheets(scan([large, small], (1800, 1500), bed, kind=kind))
    assert furthest_out_mm(search, small.corners) < 0.5
    assert search.of_two == (True,)


@pytest.mark.parametrize("light", [20000, 1500])
@pytest.mark.parametrize("out", [8, 11])
def test_a_label_that_stands_out_of_a_film_is_kept_and_told(out: int, light: int) -> None:
    """A label of 60 mm, stuck over the edge; the film's own angle is told all the same."""
    film = Laid(180 * MM, 240 * MM, 500, 600, skew=2.0, border="clear", bow=0.0)
    label = on_film(film, 20, -120 - out, 80, -110)
    search = find_sheets(with_box(scan([film], (1200, 1000), 0.0003), label, light))
    assert furthest_out_mm(search, label) < 0.5
    assert (search.edge_unsure, search.of_two) == ((True,), (False,))
    assert search.sheets[0].skew_deg == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("gap", [0, 7.5])
def test_a_block_in_a_black_rim_does_not_hide_the_edge_beyond(gap: float) -> None:
    """It stands before a quarter of the side, and what it leaves bare tells where the film ends."""
    inset = 12.5 * MM, 25 * MM
    film = Laid(300 * MM, 400 * MM, 690, 885, skew=0.8, border="black", inset=inset)
    block = on_film(film, -60, 175 + gap, -10, 189 + gap)
    (sheet,) = find_sheets(with_box(scan([film], (1771, 1377), 0.0005), block, 28000)).sheets
    assert np.array(sheet.corners) == pytest.approx(film.corners, abs=0.5 * MM)


def test_a_block_apart_from_a_picture_in_a_rim_like_the_bed_is_kept() -> None:
    """In eight bits no edge shows beyond it, and nothing of a picture of no film's size."""
    inset = 12.5 * MM, 25 * MM
    film = Laid(300 * MM, 400 * MM, 690, 885, skew=0.8, border="black", inset=inset)
    block = on_film(film, -60, 181, -10, 196)
    search = find_sheets(with_box(scan([film], (1771, 1377), 0.0006, kind="flatbed8"), block, 120))
    assert furthest_out_mm(search, block) < 0.5
    assert search.edge_unsure == (True,)


@pytest.mark.parametrize(
    ("bed", "kind"), [(0.0003, "linear16"), (1.2, "linear16"), (0.3, "log12"), (1.2, "flatbed8")]
)
def test_small_films_are_found_on_the_largest_beds(bed: float, kind: str) -> None:
    """Dental films beside a large one, each less than a hundredth of the frame."""
    films = [
        Laid(180 * MM, 240 * MM, 120 * MM, 160 * MM, skew=1.0, border="clear", bow=0.0),
        Laid(31 * MM, 41 * MM, 245 * MM, 60 * MM, skew=0.3, radius=6.0, bow=0.3, seed=1),
        Laid(27 * MM, 54 * MM, 296 * MM, 67 * MM, skew=-0.4, radius=6.0, bow=0.3, seed=2),
    ]
    shape = int(500 * MM), int(620 * MM)
    sheets = find_sheets(scan(films, shape, bed, kind=kind)).sheets
    for sheet, film in zip(sheets, films, strict=True):
        assert np.array(sheet.corners) == pytest.approx(film.corners, abs=0.5 * MM)


@pytest.mark.parametrize("bed", [0.63, 0.57])
def test_a_film_ends_beyond_a_rim_nearly_as_grey_as_the_bed(bed: float) -> None:
    """Seven and three hundredths apart; the picture within has no film's size."""
    film = Laid(240 * MM, 300 * MM, 620, 760, 1.0, 0.0, 0.0, "clear", (10 * MM, 10 * MM))
    bright = on_film(film, -30, -65, 30, 0)
    (sheet,) = find_sheets(
        with_box(scan([film], (1520, 1240), bed, lamp=0.02), bright, 60000)
    ).sheets
    assert np.array(sheet.corners) == pytest.approx(film.corners, abs=0.3 * MM)


def test_a_rim_just_as_grey_as_the_bed_is_kept_and_told() -> None:
    """No edge shows around a picture of 220 by 280 mm: as much is kept as lacks to a film."""
    film = Laid(240 * MM, 300 * MM, 620, 760, 1.0)
    raster = with_box(scan([], (1520, 1240), 0.3), on_film(film, -110, -140, 110, 140), 9000)
    search = find_sheets(with_box(raster, on_film(film, -30, -65, 30, 0), 60000))
    assert furthest_out_mm(search, film.corners) < 0.0
    assert search.edge_unsure == (True,)


@pytest.mark.parametrize("cut", [0, 1850])
def test_what_has_no_edges_among_films_is_kept_beside_them_and_told(cut: int) -> None:
    """Two films of the trade prove the bed for a third thing, round, with one edge or none."""
    films = [
        Laid(180 * MM, 240 * MM, 420, 560, skew=2.0, bow=0.0),
        Laid(180 * MM, 240 * MM, 1270, 560, skew=-1.0, bow=0.0, seed=1),
    ]
    raster = scan(films, (1120, 2500), 0.0003)
    spot = np.zeros(raster.pixels.shape, np.float32)
    cv2.circle(spot, (2080, 560), 280, 20000, -1)
    spot = cv2.GaussianBlur(spot, (0, 0), 25)
    spot[:, :cut] = 0
    spot = np.maximum(raster.pixels, spot)
    search = find_sheets(replace(raster, pixels=spot.astype(np.uint16)))
    for sheet, film in zip(search.sheets, films, strict=False):
        assert np.array(sheet.corners) == pytest.approx(film.corners, abs=0.3 * MM)
    assert search.edge_unsure == (False, False, True)
    around = np.array(search.sheets[2].corners)
    assert (around.min(axis=0) < (max(1800, cut + 3), 280)).all()
    assert (around.max(axis=0) > (2360, 840)).all()


def test_a_cut_in_glare_is_found_though_a_block_further_in_rises_by_more() -> None:
    """A film of 0.13 of the light from 200 on, with a block of 0.8 on it from 222 on."""
    x = np.arange(500) + 0.5
    light = np.where(x < 200, 0.0005 + 0.004 * np.exp(-(((200 - x) / 14) ** 2)), 0.13)
    light[x > 222] = 0.8
    page = cv2.GaussianBlur(np.tile(light, (600, 1)), (0, 0), 0.6) * 65535
    grain = np.random.default_rng(2).normal(0, 12, page.shape)
    full = np.clip(page + grain, 0, 65535).astype(np.uint16)
    terms = np.array([np.log(0.0005 + 0.0015), 0, 0, 0, 0, 0], np.float32)
    bed = BedSurface(terms, 0.11, 600, 500, 65535.0, False)
    start, end = np.array([180.0, 590.0]), np.array([180.0, 10.0])
    side = measure_side(full, bed, start, end, reach=20, pitch=MM, within_glare=True)
    assert side.seen
    assert side.point[0] == pytest.approx(200, abs=0.2)


@pytest.mark.parametrize("out", [8, 16])
def test_what_stands_out_above_another_film_is_told_as_of_two(out: int) -> None:
    """A label over the edge of a tall film, seven millimetres from a short one: a person looks."""
    tall = Laid(180 * MM, 240 * MM, 110 * MM, 150 * MM, skew=0.6, border="clear", bow=0.0)
    short = Laid(130 * MM, 180 * MM, 272 * MM, 180 * MM, skew=0.2, border="clear", bow=0.0, seed=2)
    label = on_film(tall, 70, -110, 90 + out, -75)
    raster = scan([tall, short], (int(300 * MM), int(370 * MM)), 0.0003)
    search = find_sheets(with_box(raster, label, 20000))
    assert search.of_two == (True, False)
    assert np.array(search.sheets[1].corners) == pytest.approx(short.corners, abs=0.3 * MM)


@pytest.mark.parametrize("told", [0.24, 0.5, 1.0])
def test_markers_are_no_sheets_whatever_resolution_is_told(told: float) -> None:
    """Lead letters of 14 to 20 mm beside a film on a light bed, its tag a quarter or half of it."""
    film = Laid(240 * MM, 300 * MM, 800, 700, skew=1.0, bow=0.0)
    raster = scan([film], (1500, 1400), 1.2)
    for n, side in enumerate((14, 16, 18, 20)):
        x, y = 15 * MM, (60 + 80 * n) * MM
        box = np.array(
            [(x, y), (x + side * MM, y), (x + side * MM, y + side * MM), (x, y + side * MM)]
        )
        raster = with_box(raster, box, 3000)
    raster = replace(raster, dpi=Dpi(DPI * told, DPI * told))
    (sheet,) = find_sheets(raster).sheets
    assert np.array(sheet.corners) == pytest.approx(film.corners, abs=0.5 * MM)
