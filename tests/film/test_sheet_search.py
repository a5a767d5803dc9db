import numpy as np
import pytest
from film_phantoms import DPI, Laid, corner_errors, scan

from digitizer.film import find_sheets
from digitizer.model.film import ScanKind
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.rehearsal.population import draw_pictures_scan

SHAPE = (1300, 1150)
BEDS = {"open": 1.2, "dark": 0.0007, "grey": 0.3, "feed": 0.85}
KINDS = ("linear16", "log12", "inverse16", "flatbed8")


def lone(skew=0.0, **looks):
    return Laid(800, 950, 570, 640, skew, **looks)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bed", BEDS)
def test_one_film_on_any_bed_by_any_scanner(bed, kind):
    film = lone(1.37, seed=KINDS.index(kind) * 4 + list(BEDS).index(bed))
    found = find_sheets(scan([film], SHAPE, BEDS[bed], kind=kind))
    assert found.kind is ScanKind.FILM
    (sheet,) = found.sheets
    assert sheet.edges_seen == 4
    assert sheet.turn_deg is None
    assert sheet.mirrored is None
    assert sheet.skew_deg == pytest.approx(1.37, abs=0.05)
    assert corner_errors(sheet, film).max() < 2.0


@pytest.mark.parametrize("skew", [-38.0, -12.5, -0.05, 0.0, 3.1, 27.0])
def test_skew_over_its_whole_range(skew):
    film = Laid(700, 900, 800, 800, skew)
    (sheet,) = find_sheets(scan([film], (1600, 1600))).sheets
    assert sheet.skew_deg == pytest.approx(skew, abs=0.04)


def test_the_median_error_of_the_skew_is_a_few_thousandths_of_a_degree():
    errors = []
    for seed in range(12):
        film = lone(float(np.random.default_rng(seed).normal(0, 2)), seed=seed)
        (sheet,) = find_sheets(scan([film], SHAPE, seed=seed)).sheets
        errors.append(abs(sheet.skew_deg - film.skew))
    assert np.median(errors) < 0.01
    assert max(errors) < 0.04


@pytest.mark.parametrize("number", [7, 49])
def test_rows_or_columns_of_pictures_are_one_sheet(number):
    """Two columns between clear gaps on a bright feed; two rows on black, on a dark bed."""
    assert len(find_sheets(draw_pictures_scan((91, 2, number), dpi=100).raster).sheets) == 1


def test_three_films_on_one_bed_come_from_left_to_right():
    films = [Laid(380, 520, 260 + 430 * i, 600, skew, seed=i) for i, skew in enumerate((-2, 0, 4))]
    found = find_sheets(scan(films, (1200, 1400)))
    assert len(found.sheets) == 3
    for sheet, film in zip(found.sheets, films, strict=True):
        assert corner_errors(sheet, film).max() < 2.0


@pytest.mark.parametrize("bed", ["open", "feed", "grey"])
@pytest.mark.parametrize("border", ["clear", "black"])
def test_a_border_on_the_film_is_not_its_edge(bed, border):
    film = lone(-0.8, border=border)
    (sheet,) = find_sheets(scan([film], SHAPE, BEDS[bed])).sheets
    assert corner_errors(sheet, film).max() < 2.0


@pytest.mark.parametrize("border", ["clear", "black"])
def test_borders_of_a_film_without_visible_edges_tell_only_its_skew(border):
    whole = scan([lone(0.4, border=border, radius=0, bow=0)], SHAPE)
    inner = whole.pixels[178:1102, 185:955].copy()
    found = find_sheets(
        Raster(pixels=inner, bits=16, polarity=Polarity.MONOCHROME2, dpi=Dpi(DPI, DPI))
    )
    (sheet,) = found.sheets
    assert sheet.edges_seen == 0
    assert sheet.skew_deg is None or sheet.skew_deg == pytest.approx(0.4, abs=0.06)
    # The whole frame is kept.
    corners = np.array(sheet.corners)
    assert corners.min() <= 0.01
    assert corners[:, 0].max() >= 769.9
    assert corners[:, 1].max() >= 923.9


def test_a_film_that_leaves_the_frame_ends_at_the_outermost_film_in_it():
    film = lone(0.5, radius=0, bow=0)
    whole = scan([film], SHAPE)
    cut = 300
    found = find_sheets(
        Raster(
            pixels=whole.pixels[:, cut:].copy(),
            bits=16,
            polarity=Polarity.MONOCHROME2,
            dpi=Dpi(DPI, DPI),
        )
    )
    (sheet,) = found.sheets
    assert sheet.edges_seen == 3
    assert sheet.skew_deg == pytest.approx(0.5, abs=0.03)
    corners = np.array(sheet.corners)
    true = film.corners - [cut, 0]
    # Right corners are the film's own; the left side runs through the bottom-left film at x = 0.
    assert np.linalg.norm(corners[1:3] - true[1:3], axis=1).max() < 1.5
    along, down = film.axes
    bottom_left = true[3] + along * (-true[3][0] / along[0])
    top_left = bottom_left - down * film.height
    leftmost = min((top_left @ along), (bottom_left @ along))
    assert corners[0] @ along == pytest.approx(leftmost, abs=1.5)


def test_different_resolutions_both_ways_are_scaled_before_angles_are_taken():
    film = lone(2.0, radius=0)
    square = scan([film], SHAPE)
    rows = np.repeat(square.pixels, 2, axis=0)
    raster = Raster(pixels=rows, bits=16, polarity=Polarity.MONOCHROME2, dpi=Dpi(DPI, 2 * DPI))
    (sheet,) = find_sheets(raster).sheets
    assert sheet.skew_deg == pytest.approx(2.0, abs=0.06)
    expected = film.corners * [1, 2]
    assert np.linalg.norm(np.array(sheet.corners) - expected, axis=1).max() < 4
    assert sheet.size_mm.width == pytest.approx(800 / DPI * 25.4, abs=0.5)
    assert sheet.size_mm.height == pytest.approx(950 / DPI * 25.4, abs=0.5)


@pytest.mark.parametrize("bed", BEDS)
def test_a_bare_bed_is_blank(bed):
    found = find_sheets(scan([], SHAPE, BEDS[bed]))
    assert found.kind is ScanKind.BLANK
    assert found.sheets == ()


def test_without_a_resolution_the_size_stays_open():
    film = lone(1.0)
    (sheet,) = find_sheets(scan([film], SHAPE, dpi=None)).sheets
    assert sheet.size_mm is None
    assert corner_errors(sheet, film).max() < 2.0


def test_noise_alone_gives_no_angle():
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 65535, (600, 500)).astype(np.uint16)
    found = find_sheets(Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2))
    assert all(sheet.skew_deg is None for sheet in found.sheets)


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (700, 3), (20, 20)])
@pytest.mark.parametrize("value", [0, 255])
def test_tiny_and_flat_pictures_do_no_harm(shape, value):
    pixels = np.full(shape, value, np.uint8)
    found = find_sheets(Raster(pixels=pixels, bits=8, polarity=Polarity.MONOCHROME2))
    assert all(sheet.skew_deg is None for sheet in found.sheets)


def test_print_on_light_ground_is_paper_not_film():
    page = np.full((1100, 850), 238, np.uint8)
    rng = np.random.default_rng(1)
    for row in range(120, 700, 60):
        for column in range(80, 700, 26):
            if rng.random() < 0.85:
                page[row : row + 22, column : column + 4] = 40
                page[row : row + 4, column : column + 14] = 40
    found = find_sheets(Raster(pixels=page, bits=8, polarity=Polarity.MONOCHROME2))
    assert found.kind is ScanKind.LABEL
    assert len(found.sheets) == 1


@pytest.mark.parametrize("skew", [0.0, 0.4, 2.5])
@pytest.mark.parametrize("bed", [0.0007, 0.01])
def test_a_sheet_cut_dead_straight_on_a_dark_bed_is_no_printed_mask(bed, skew):
    film = Laid(9.449 * 100, 11.811 * 100, 600, 700, skew, radius=0.0, bow=0.0)
    (found,) = find_sheets(scan([film], (1400, 1200), bed=bed)).sheets
    assert found.edges_seen == 4
    assert np.abs(np.array(found.corners) - film.corners).max() < 1.0
