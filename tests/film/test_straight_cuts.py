"""Films cut dead straight: on a black bed, in glare, or wider than the frame.

Nothing about them tells a cut from a printed border but where it runs: how far apart two cuts are,
what shows beyond them.
"""

import numpy as np
import pytest
from film_phantoms import DPI, Laid, corner_errors, scan

from digitizer.film import find_sheets
from digitizer.film.light import grey, is_density, light_picture
from digitizer.model.raster import Polarity, Raster

PITCH = DPI / 25.4
BLACK = 0.0003


def laid(width_mm, height_mm, shape, **looks):
    """Return a film in the middle of a frame of this shape, its edges straight."""
    place = {"x": shape[1] / 2, "y": shape[0] / 2, "bow": 0.0} | looks
    return Laid(width_mm * PITCH, height_mm * PITCH, **place)


def between_mm(film, sheet):
    """Return how far off the two long cuts of a sheet are that goes on beyond the frame."""
    _, down = film.axes
    ends = (np.array(sheet.corners) - [film.x, film.y]) @ down
    beyond = [ends.max() - film.height / 2, -film.height / 2 - ends.min()]
    return np.abs(beyond) / PITCH


@pytest.mark.parametrize("border", ["", "clear", "black"])
@pytest.mark.parametrize("kind", ["linear16", "log12"])
@pytest.mark.parametrize(("bed", "skew"), [(BLACK, 0.5), (0.08, 1.5)])
def test_a_film_wider_than_the_frame_ends_at_its_two_cuts(bed, skew, kind, border):
    """Its rim goes on to the frame, where that looks like a bed around its picture."""
    shape = (1080, 690)
    film = laid(180, 240, shape, skew=skew, border=border, radius=0.0)
    found = find_sheets(scan([film], shape, bed, kind=kind))
    (sheet,) = found.sheets
    assert sheet.skew_deg == pytest.approx(skew, abs=0.05)
    assert between_mm(film, sheet).max() < 0.4
    assert not any(found.edge_unsure)


@pytest.mark.parametrize("kind", ["linear16", "log12", "inverse16"])
@pytest.mark.parametrize("border", ["", "clear"])
def test_the_glare_about_a_film_is_none_of_it(kind, border):
    """On a black bed it shows for millimetres, and ends in a line in the logarithm of light."""
    shape = (1200, 1000)
    film = laid(180, 240, shape, skew=2.0, border=border)
    (sheet,) = find_sheets(scan([film], shape, BLACK, kind=kind, glare=0.006)).sheets
    assert corner_errors(sheet, film).max() < 0.4 * PITCH


def test_a_black_rim_in_glare_is_kept():
    """It is even up to its own cut."""
    shape = (1200, 1000)
    film = laid(180, 240, shape, skew=1.0, border="black")
    (sheet,) = find_sheets(scan([film], shape, BLACK, glare=0.001)).sheets
    assert corner_errors(sheet, film).max() < 0.6 * PITCH


def test_a_rim_around_a_picture_of_a_smaller_films_size_is_kept():
    """A mask on 8x10 in leaves 18x24 cm: its rim is even up to its cut, and glare is not."""
    shape = (1200, 1000)
    inset = (11.6 * PITCH, 7 * PITCH)
    film = laid(203.2, 254, shape, skew=0.8, border="black", inset=inset)
    (sheet,) = find_sheets(scan([film], shape, BLACK)).sheets
    assert corner_errors(sheet, film).max() < 0.6 * PITCH


def test_a_film_that_touches_another_in_its_glare_is_told():
    """What hangs on to a film for a part of its side is none of the glare about all of it."""
    shape = (1100, 1300)
    film = laid(180, 240, shape, skew=1.0, border="clear", x=380.0)
    other = laid(31, 41, shape, skew=1.0, seed=4, x=380 + (90 - 1 + 15.5) * PITCH, y=500.0)
    found = find_sheets(scan([film, other], shape, BLACK, glare=0.003))
    assert found.of_two == (True,)
    corners = np.array(found.sheets[0].corners)
    assert corners[:, 0].max() > other.corners[:, 0].max() - 1


@pytest.mark.parametrize("kind", ["log12", "inverse16"])
def test_density_is_told_beside_a_bed_darker_than_its_scale(kind):
    """The cut is in the middle of the blurred edge in light, not in density."""
    shape = (1200, 1000)
    film = laid(180, 240, shape, skew=1.0, border="clear")
    page = scan([film], shape, 1e-4, kind=kind)
    picture = light_picture(grey(page), page.dpi, 900, 1.0)
    assert is_density(picture.light, deep=True)
    (sheet,) = find_sheets(page).sheets
    assert corner_errors(sheet, film).max() < 0.15 * PITCH


def test_light_is_not_taken_for_density():
    """Much of a film is nearly as dark as the bed."""
    shape = (1200, 1000)
    page = scan([laid(180, 240, shape)], shape, BLACK)
    assert not is_density(light_picture(grey(page), page.dpi, 900, 1.0).light, deep=True)


def test_a_noisy_scanner_of_light_is_none_of_density():
    """Clear film on a black bed has few dark places, but noise where it is light as well."""
    rng = np.random.default_rng(5)
    light = np.full((900, 700), BLACK, np.float32)
    light[100:800, 100:600] = rng.uniform(0.25, 0.6, (70, 50)).repeat(10, 0).repeat(10, 1)
    noisy = light + rng.standard_normal(light.shape).astype(np.float32) * 0.004
    assert not is_density(np.clip(noisy, 0, 1).astype(np.float32), deep=True)


@pytest.mark.parametrize("shape", [(2000, 1), (1, 2000), (1, 1), (2, 2)])
def test_a_page_of_a_pixels_width_is_searched(shape):
    """There is no neighbour whose noise would tell density from light."""
    pixels = np.random.default_rng(2).integers(0, 4000, shape).astype(np.uint16)
    pixels[0, 0] = 65535
    page = Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2)
    assert len(find_sheets(page).sheets) <= 1


def test_a_film_cut_off_by_the_frame_is_no_field_on_another():
    """Two of its sides are as far apart as a film's; beside it is more bed than any rim."""
    shape = (1220, 1020)
    film = laid(203.2, 254, shape, skew=-0.9, border="black", x=210.0, radius=0.0)
    (sheet,) = find_sheets(scan([film], shape, 0.06, kind="inverse16")).sheets
    assert sheet.edges_seen == 3
    assert between_mm(film, sheet).max() < 0.4
