import itertools

import numpy as np
import pytest
from film_phantoms import DPI, Laid, scan

from digitizer.film import find_sheets, orient, reading_picture, render
from digitizer.film.geometry import make_geometry
from digitizer.model.film import Geometry
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Corners, Dpi, Point

SQUARE = Dpi(100, 100)
EIGHT = list(itertools.product((0, 90, 180, 270), (False, True)))


def raster_of(pixels, polarity=Polarity.MONOCHROME2, dpi=SQUARE):
    bits = 8 if pixels.dtype == np.uint8 else 16
    return Raster(pixels=pixels, bits=bits, polarity=polarity, dpi=dpi)


def whole(raster):
    rows, columns = raster.pixels.shape[:2]
    box = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=float)
    return make_geometry(box, 0, raster.dpi, skew_known=True)


@pytest.mark.parametrize(("turn", "mirrored"), EIGHT)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_turns_and_mirrors_alone_are_exact_copies(turn, mirrored, dtype):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, np.iinfo(dtype).max, (70, 50), endpoint=True).astype(dtype)
    # Lay the film down mirrored first, then turned counter-clockwise; rendering undoes both.
    laid = np.rot90(picture[:, ::-1] if mirrored else picture, turn // 90)
    raster = raster_of(np.ascontiguousarray(laid))
    rendered = render(raster, orient(whole(raster), turn, mirrored))
    assert not rendered.resampled
    assert rendered.padding is None
    assert np.array_equal(rendered.pixels, picture)


def test_a_crop_of_a_straight_film_keeps_every_value():
    rng = np.random.default_rng(1)
    raster = raster_of(rng.integers(0, 65535, (400, 300)).astype(np.uint16))
    box = np.array([[50, 60], [250, 60], [250, 360], [50, 360.0]])
    geometry = make_geometry(box, 4, raster.dpi, skew_known=True)
    rendered = render(raster, geometry)
    margin = 4  # one millimetre at 100 dpi, whole pixels
    expected = raster.pixels[60 - margin : 360 + margin, 50 - margin : 250 + margin]
    assert np.array_equal(rendered.pixels, expected)
    assert not rendered.resampled


@pytest.mark.parametrize(("turn", "mirrored"), EIGHT)
def test_rotation_turn_and_mirror_compose_into_the_film_as_viewed(turn, mirrored):
    # Smooth, so that interpolation is nearly exact, and without symmetry.
    y, x = np.mgrid[0:320, 0:240].astype(float)
    upright = 20000 + 60 * x + 25 * y + 3000 * np.sin(x / 40) * np.cos(y / 55)
    skew = 3.0
    angle = np.radians(turn + skew)
    right = np.array([np.cos(angle), -np.sin(angle)]) * (-1 if mirrored else 1)
    down = np.array([np.sin(angle), np.cos(angle)])
    centre = np.array([300.0, 310.0])
    # Fill the scan by asking where each of its pixels lies on the film.
    sy, sx = np.mgrid[0:620, 0:600] + 0.5
    u = (sx - centre[0]) * right[0] + (sy - centre[1]) * right[1] + 120
    v = (sx - centre[0]) * down[0] + (sy - centre[1]) * down[1] + 160
    value = 20000 + 60 * (u - 0.5) + 25 * (v - 0.5)
    value += 3000 * np.sin((u - 0.5) / 40) * np.cos((v - 0.5) / 55)
    raster = raster_of(np.clip(value, 0, 65535).round().astype(np.uint16))
    corners = centre + np.array(
        [-120 * right - 160 * down, 120 * right - 160 * down,
         120 * right + 160 * down, -120 * right + 160 * down]
    )  # fmt: skip
    geometry = Geometry(
        corners=Corners(*(Point(*point) for point in corners)),
        edges_seen=4,
        skew_deg=skew,
        turn_deg=turn,
        mirrored=mirrored,
    )
    rendered = render(raster, geometry, margin_mm=0.0)
    assert rendered.pixels.shape == (320, 240)
    error = rendered.pixels.astype(float) - upright
    assert np.abs(error[4:-4, 4:-4]).max() < 12


@pytest.mark.parametrize("kind", ["linear16", "inverse16", "log12", "flatbed8"])
def test_no_film_is_lost_and_nothing_outside_dazzles(kind):
    film = Laid(700, 900, 560, 620, 1.9, radius=0, bow=2.0)
    raster = scan([film], (1250, 1120), kind=kind)
    (sheet,) = find_sheets(raster).sheets
    rendered = render(raster, sheet)
    rows, columns = rendered.pixels.shape
    two_mm = 2 * 2 / 25.4 * DPI
    assert 700 <= columns <= 700 + two_mm + 2
    assert 900 <= rows <= 900 + two_mm + 2
    assert rendered.resampled
    assert rendered.spacing.row_mm == pytest.approx(25.4 / DPI)
    if rendered.padding is not None:
        inside = rendered.pixels[8:-8, 8:-8]
        assert not np.any(inside == rendered.padding)
        darker = inside.max() if kind == "inverse16" else inside.min()
        assert abs(int(rendered.padding) - int(darker)) < 0.25 * (1 << raster.bits)
    # The open bed is nowhere left along the outermost rim.
    rim = np.concatenate([rendered.pixels[0], rendered.pixels[-1]])
    light = rim.astype(float)
    if kind == "inverse16":
        light = 65535 - light
    assert np.median(light) < 0.5 * ((1 << raster.bits) - 1)


def test_interpolation_invents_no_value_beyond_its_neighbours():
    rng = np.random.default_rng(3)
    checker = np.where(rng.random((500, 500)) < 0.5, 1000, 60000).astype(np.uint16)
    raster = raster_of(checker)
    box = np.array([[60, 50], [440, 60], [430, 450], [50, 440.0]])
    rendered = render(raster, make_geometry(box, 4, raster.dpi, skew_known=True))
    inside = rendered.pixels[8:-8, 8:-8]
    assert inside.min() >= 1000
    assert inside.max() <= 60000


def test_the_depth_and_the_whole_range_survive():
    ramp = np.tile(np.linspace(0, 65535, 900).astype(np.uint16), (700, 1))
    raster = raster_of(ramp)
    box = np.array([[40, 50], [860, 36], [870, 640], [50, 654.0]])
    geometry = make_geometry(box, 0, raster.dpi, skew_known=True)
    rendered = render(raster, geometry)
    assert rendered.pixels.dtype == np.uint16
    assert len(np.unique(rendered.pixels)) > 60000


def test_colour_is_kept_and_gets_no_window():
    rng = np.random.default_rng(4)
    raster = Raster(
        pixels=rng.integers(0, 255, (200, 300, 3)).astype(np.uint8),
        bits=8,
        polarity=Polarity.RGB,
        dpi=Dpi(100, 100),
    )
    rendered = render(raster, orient(whole(raster), 90, False))
    assert rendered.pixels.shape == (300, 200, 3)
    assert rendered.window is None
    assert np.array_equal(np.rot90(rendered.pixels, 1), raster.pixels)


def test_unequal_resolutions_become_square_pixels_at_the_finer_pitch():
    film = Laid(500, 700, 400, 500, 2.0, radius=0)
    square = scan([film], (1000, 800))
    raster = Raster(
        pixels=np.repeat(square.pixels, 2, axis=0),
        bits=16,
        polarity=Polarity.MONOCHROME2,
        dpi=Dpi(DPI, 2 * DPI),
    )
    (sheet,) = find_sheets(raster).sheets
    rendered = render(raster, sheet)
    assert rendered.spacing.row_mm == rendered.spacing.column_mm == 25.4 / (2 * DPI)
    rows, columns = rendered.pixels.shape
    assert columns == pytest.approx(1000, abs=20)
    assert rows == pytest.approx(1400, abs=20)


def test_places_on_the_reading_picture_lead_back_to_the_scan():
    film = Laid(600, 800, 500, 560, 2.5, radius=0, bow=0)
    raster = scan([film], (1100, 1000))
    (sheet,) = find_sheets(raster).sheets
    picture = reading_picture(raster, orient(sheet, 180, True))
    rows, columns = picture.pixels.shape
    box = (Point(0, 0), Point(columns, 0), Point(columns, rows), Point(0, rows))
    back = np.array(picture.to_scan(box))
    # Not turned: the picture's corners are the sheet's as scanned.
    assert np.linalg.norm(back - film.corners, axis=1).max() < 2.5


def test_a_black_on_white_scan_reads_like_a_film_on_a_light_box():
    raster = raster_of(np.tile(np.arange(256, dtype=np.uint8), (64, 1)), Polarity.MONOCHROME1)
    picture = reading_picture(raster, whole(raster))
    assert np.array_equal(picture.pixels, 255 - raster.pixels)
