"""Defects that scanners leave are told, and nothing is told of scans without them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from digitizer.film import find_sheets, quality
from digitizer.film.defects import odd_lines
from digitizer.film.geometry import make_geometry
from digitizer.model.film import Quality
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.rehearsal.defects import DEFECTS, can_have, coarsened, spoil
from digitizer.rehearsal.population import draw_pictures_scan, draw_scan

FILMS = 16
LEAST = {"film_cut_off": 0.7, "double_feed": 0.8}
"""Of the others nine in ten must be told; the larger population of `make bench-film` tells more."""


def judged(raster: Raster) -> Quality:
    return quality(raster, find_sheets(raster).sheets[0])


@pytest.fixture(scope="module")
def told() -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Return how often each defect was planted, told, and told where there was none."""
    planted, found, false = Counter[str](), Counter[str](), Counter[str]()
    for number in range(FILMS):
        scan = draw_scan((11, number))
        false.update(judged(scan.raster).flags)
        for defect in DEFECTS:
            if not can_have(scan, defect):
                continue
            spoilt = spoil(np.random.default_rng((12, number)), scan, defect)
            planted[defect] += 1
            found[defect] += defect in judged(spoilt).flags
    return planted, found, false


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_told(defect: str, told: tuple[Counter[str], ...]) -> None:
    """On nearly every film, whatever the scanner."""
    planted, found, _ = told
    assert planted[defect] >= 5
    assert found[defect] >= LEAST.get(defect, 0.9) * planted[defect]


@pytest.mark.parametrize("defect", DEFECTS)
def test_nothing_is_told_of_a_good_scan(defect: str, told: tuple[Counter[str], ...]) -> None:
    """At most one film in sixteen draws a complaint that it does not deserve."""
    assert told[2][defect] <= 1


def test_a_coarse_scan_is_told_and_a_fine_one_is_not() -> None:
    """By what the file says of its resolution."""
    fine = draw_scan((11, 3), dpi=160).raster
    assert "low_resolution" not in judged(fine).flags
    assert "low_resolution" in judged(coarsened(np.random.default_rng(3), fine)).flags


def test_a_cut_off_film_names_its_side() -> None:
    """A clerk is told where to move the film."""
    scan = draw_scan((11, 5))
    assert scan.placements[0].edges_seen(scan.scene.frame) == 4
    columns = scan.raster.pixels.shape[1]
    left = Raster(
        pixels=scan.raster.pixels[:, : int(columns * 0.7)].copy(),
        bits=scan.raster.bits,
        polarity=scan.raster.polarity,
        dpi=scan.raster.dpi,
    )
    found = judged(left)
    assert "film_cut_off" in found.flags
    assert found.cut_off == ("right",)


@pytest.mark.parametrize(
    ("width", "length", "told"),
    [
        (355.6, 700.0, True),
        (355.6, 431.8, False),
        (355.6, 914.4, False),
        # Neither side is a film's: the resolution is wrong.
        (372.8, 497.5, False),
    ],
)
def test_a_sheet_longer_than_any_film_is_two(width: float, length: float, told: bool) -> None:
    """Two films fed over each other are as wide as one of them."""
    pixels = np.full((round(length * 2) + 40, round(width * 2) + 40), 60_000, np.uint16)
    pixels[20:-20, 20:-20] = 8_000
    dpi = Dpi(50.8, 50.8)
    raster = Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2, dpi=dpi)
    corners = np.array([[20, 20], [20 + 2 * width, 20], [20 + 2 * width, 20 + 2 * length],
                        [20, 20 + 2 * length]])  # fmt: skip
    geometry = make_geometry(corners, 4, dpi, skew_known=True)
    assert ("double_feed" in quality(raster, geometry).flags) is told


def test_a_stuck_column_is_found_where_it_is() -> None:
    """Its place is told, so that scans of one scanner can be laid beside each other."""
    rng = np.random.default_rng(1)
    pixels = rng.normal(20_000, 200, (900, 700)).astype(np.uint16)
    pixels[:, 321] = 21_500
    pixels[411] = 0
    box = (0, 900, 0, 700)
    assert odd_lines(pixels, box).places == (321,)
    assert odd_lines(pixels, box, along_rows=True).places == (411,)


@pytest.mark.parametrize("number", [0, 3, 5])
def test_a_column_stuck_within_the_films_own_range_is_found(number: int) -> None:
    """At the median of what it should show: it differs by having neither picture nor grain."""
    scan = draw_scan((90310, number))
    pixels = scan.raster.pixels.copy()
    rows, columns = pixels.shape[:2]
    pixels[:, columns // 2] = np.median(pixels[rows // 4 : -rows // 4, columns // 2])
    assert judged(replace(scan.raster, pixels=pixels)).columns == (columns // 2,)
    assert judged(scan.raster).columns == ()


def test_a_stuck_column_between_two_pictures_is_none_of_their_sides() -> None:
    """Whatever is printed there has grain; a stuck element has none."""
    scan = draw_pictures_scan((90302, 2, 16), dpi=100)
    pixels = scan.raster.pixels.copy()
    pixels[:, 740] = 180
    assert judged(replace(scan.raster, pixels=pixels)).columns == (740,)


def test_a_dead_column_in_a_black_gap_between_pictures_is_told() -> None:
    """There it stands out of little; but nothing else on the sheet is as black as none at all."""
    rng = np.random.default_rng(7)
    pixels = rng.normal(9000, 2500, (900, 700)).clip(100, None)
    pixels[:, 300:340] = rng.normal(100, 12, (900, 40))
    pixels[:, 320] = 0
    odd = odd_lines(pixels.astype(np.uint16), (20, 880, 20, 680))
    assert odd.still == (320,)


@pytest.mark.parametrize("level", [128, 250, 255])
def test_what_is_without_grain_all_over_is_not_stuck(level: int) -> None:
    """In eight bits a clear border is one value; so is a gap beyond the range between pictures."""
    rng = np.random.default_rng(6)
    pixels = np.clip(rng.normal(120, 30, (900, 700)), 0, 254).astype(np.uint8)
    pixels[:, 400:500] = level
    if level == 255:
        pixels[:, 200:202] = level
        pixels[100:300, 60:120] = level
    odd = odd_lines(pixels, (20, 880, 20, 680))
    assert odd.still == ()


def test_a_border_along_the_columns_is_no_stuck_column() -> None:
    """A printed mask begins and does not end at once."""
    rng = np.random.default_rng(2)
    pixels = rng.normal(20_000, 200, (900, 700))
    pixels[:, 400:] = rng.normal(3_000, 80, (900, 300))
    assert odd_lines(pixels.astype(np.uint16), (0, 900, 0, 700)).places == ()


@pytest.mark.parametrize("lines", [400, 600, 1200])
def test_banding_is_found_on_films_of_few_lines_too(lines: int) -> None:
    """A swing of one in a hundred from line to line; and none where there is none."""
    rng = np.random.default_rng(lines)
    film = 120 * np.exp(rng.normal(0, 0.02, (500, lines)))
    swing = 1 + 0.01 * np.sin(2 * np.pi * np.arange(lines) / 9.3)
    box = (0, 500, 0, lines)
    assert odd_lines(film.round().astype(np.uint8), box).banding < 0.002
    found = odd_lines((film * swing).round().astype(np.uint8), box).banding
    assert found == pytest.approx(0.01, rel=0.35)


def test_frames_of_pictures_are_no_lost_lines() -> None:
    """Printed along the scanner's lines; a column that is stuck beside them is told."""
    scan = draw_pictures_scan((77201, 2, 27), dpi=100.0, wear=0.5)
    told = judged(scan.raster)
    assert not {"stuck_columns", "lost_lines", "dusty"} & set(told.flags)
    # The grain of a print cannot be told from dust.
    assert told.dust is None
    pixels = scan.raster.pixels.copy()
    column = pixels.shape[1] // 3
    pixels[:, column] = np.iinfo(pixels.dtype).max
    assert judged(replace(scan.raster, pixels=pixels)).columns == (column,)


def test_pictures_printed_side_by_side_are_neither_banding_nor_lost_lines() -> None:
    """Their text comes as regularly as a flicker, and gaps between them run from side to side."""
    rng = np.random.default_rng(3)
    sheet = rng.normal(8_000, 200, (1_000, 1_000))
    for top in range(20, 1_000, 160):
        for left in range(20, 1_000, 240):
            for line in range(top, top + 40, 10):
                sheet[line : line + 5, left : left + 70] = 30_000
    sheet[495:502] = 50_000
    box = (0, 1_000, 0, 1_000)
    for along_rows in (False, True):
        found = odd_lines(sheet.astype(np.uint16), box, along_rows=along_rows)
        assert found.places == ()
        assert found.banding < 0.002
    lost = sheet.copy()
    lost[300] = 0
    assert odd_lines(lost.astype(np.uint16), box, along_rows=True).places == (300,)
    flicker = 1 + 0.01 * np.sin(2 * np.pi * np.arange(1_000) / 27.0)[:, None]
    told = odd_lines((sheet * flicker).astype(np.uint16), box, along_rows=True)
    assert told.banding == pytest.approx(0.01, rel=0.35)


def test_text_in_each_picture_of_a_sheet_is_no_banding() -> None:
    """Drawn coarse, so that its lines come as often as those of a flicker: a flicker is told."""
    scan = draw_pictures_scan((77332, 2, 25), dpi=60.0, wear=0.5)
    assert "banding" not in judged(scan.raster).flags
    scan = draw_pictures_scan((77332, 2, 22), dpi=60.0, wear=0.5)
    flickering = spoil(np.random.default_rng((77332, 22)), scan, "banding")
    assert "banding" in judged(flickering).flags


def test_a_flicker_as_slow_as_anatomy_is_banding() -> None:
    """It comes back after 44 lines of 60 to the inch, where ribs do too."""
    key = (77324, 1, 25)
    scan = draw_scan(key, dpi=60.0, wear=0.5)
    assert "banding" not in judged(scan.raster).flags
    flickering = spoil(np.random.default_rng((77324, 25)), scan, "banding")
    assert "banding" in judged(flickering).flags


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_banding_in_eight_bits_of_a_quiet_scanner_is_seen(noise: float) -> None:
    """Most pixels beside each other are of one value, and so have no grain."""
    rng = np.random.default_rng(9)
    down, along = np.mgrid[:900, :1_000]
    light = (60 + 100 * down / 900 + 20 * np.sin(along / 300)) * (
        1 + 0.006 * np.sin(2 * np.pi * along / 27.0)
    )
    picture = np.round(light + rng.normal(0, noise, light.shape)).astype(np.uint8)
    told = odd_lines(picture, (0, 900, 0, 1_000))
    assert told.banding == pytest.approx(0.006, rel=0.35)
