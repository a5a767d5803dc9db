from dataclasses import replace

import cv2
import numpy as np
import pytest
from film_phantoms import Laid, scan

from digitizer.film import QualitySettings, find_sheets, finer_for, quality
from digitizer.film.sizes import is_two_sheets, may_be_whole
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi, SizeMm

INCH = 100.0
SHAPE = (1200, 1000)


NO_DUST = QualitySettings(most_dust=1e9)
"""The pictures drawn here are spots of chance, dark ones too."""


def judged(raster):
    (sheet,) = find_sheets(raster).sheets
    return quality(raster, sheet, NO_DUST)


def with_print(pixels, shade):
    drawn = pixels.copy()
    for row in range(300, 460, 24):
        for column in range(320, 640, 14):
            drawn[row : row + 14, column : column + 4] = shade
            drawn[row : row + 3, column : column + 9] = shade
    return drawn


def rebuilt(raster, pixels, **how):
    values = {"bits": raster.bits, "polarity": raster.polarity, "dpi": raster.dpi, **how}
    return Raster(pixels=pixels, **values)


def test_a_good_scan_of_a_standard_film_draws_no_complaint():
    film = Laid(8 * INCH, 10 * INCH, 500, 600, 0.7)
    raster = scan([film], SHAPE, dpi=Dpi(150, 150), bed=0.0007)
    # 100 pixels an inch drawn, 150 told: 8x10 in would be 5.3x6.7 in, which no film is.
    assert judged(raster).flags == ("resolution_doubtful",)
    film = Laid(9.449 * 100, 11.811 * 100, 600, 700, 0.7)  # 24 x 30 cm
    honest = scan([film], (1400, 1200), dpi=Dpi(100, 100))
    assert judged(honest).flags == ("low_resolution",)


def test_the_open_bed_is_no_clipping_of_the_film():
    found = judged(scan([Laid(700, 900, 500, 600, 2.0)], SHAPE, bed=1.3))
    assert found.clipped_high == 0.0
    assert found.clipped_low < 0.001


def test_clipping_inside_the_film_is_told_at_its_end():
    raster = scan([Laid(700, 900, 500, 600, 0.0)], SHAPE, bed=0.3)
    burnt, drowned = raster.pixels.copy(), raster.pixels.copy()
    burnt[300:700, 300:700] = 65535
    drowned[300:700, 300:700] = 0
    assert "clipped_high" in judged(rebuilt(raster, burnt)).flags
    assert "clipped_low" in judged(rebuilt(raster, drowned)).flags


def test_a_film_that_leaves_the_frame_is_cut_off():
    raster = scan([Laid(700, 900, 500, 600, 0.0)], SHAPE)
    assert "film_cut_off" not in judged(raster).flags
    assert "film_cut_off" in judged(rebuilt(raster, raster.pixels[:, 200:].copy())).flags


def test_blur_is_told_and_sharpness_falls_with_it():
    raster = scan([Laid(700, 900, 500, 600, 0.5)], SHAPE)
    sharp = with_print(raster.pixels, 45000)
    levels = [
        judged(rebuilt(raster, cv2.GaussianBlur(sharp, (0, 0), blur) if blur else sharp))
        for blur in (0, 1.5, 4)
    ]
    assert levels[0].sharpness > levels[1].sharpness > levels[2].sharpness
    assert "blurred" not in levels[0].flags
    assert "blurred" in levels[2].flags


def test_noise_is_measured_as_a_part_of_full_scale():
    rng = np.random.default_rng(0)
    pixels = np.clip(rng.normal(30000, 655, (800, 700)), 0, 65535).astype(np.uint16)
    found = quality(Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2), None)
    assert found.noise == pytest.approx(0.01, rel=0.25)


@pytest.mark.parametrize(
    ("change", "bits"),
    [
        (lambda deep: deep, 16),
        (lambda deep: deep >> 4, 12),
        (lambda deep: deep >> 4 << 4, 12),
        (lambda deep: (deep >> 8) * np.uint16(257), 8),
    ],
)
def test_bits_that_carry_nothing_are_not_counted(change, bits):
    rng = np.random.default_rng(1)
    deep = rng.integers(0, 65536, (600, 500)).astype(np.uint16)
    found = quality(Raster(pixels=change(deep), bits=16, polarity=Polarity.MONOCHROME2), None)
    assert found.bits == bits
    assert ("eight_bit" in found.flags) is (bits == 8)


def test_an_unknown_resolution_is_told():
    raster = scan([Laid(700, 900, 500, 600, 0.0)], SHAPE, dpi=None)
    assert "resolution_unknown" in judged(raster).flags


@pytest.mark.parametrize("shape", [(1, 1), (2, 400), (30, 30)])
def test_tiny_pictures_are_judged_without_harm(shape):
    raster = Raster(pixels=np.zeros(shape, np.uint8), bits=8, polarity=Polarity.MONOCHROME2)
    assert 0 <= quality(raster, None).clipped_low <= 1


def test_clipping_says_where_on_the_film_it_is():
    raster = scan([Laid(700, 900, 500, 600, 0.0)], SHAPE, bed=0.3)
    burnt, drowned = raster.pixels.copy(), raster.pixels.copy()
    burnt[160:440, 160:370] = 65535
    drowned[200:1000, 400:600] = 0
    assert judged(rebuilt(raster, burnt)).clipped_at == ("top left",)
    assert judged(rebuilt(raster, drowned)).clipped_at == ("top", "middle", "bottom")


def test_a_body_part_asks_for_its_own_resolution():
    film = Laid(9.449 * 100, 11.811 * 100, 600, 700, 0.7)
    chest = judged(scan([film], (1400, 1200), dpi=Dpi(100, 100)))
    assert "low_resolution" in chest.flags
    fine = replace(chest, flags=(), dpi=Dpi(200, 200))
    assert finer_for(fine, "CHEST").flags == ()
    assert finer_for(fine, "HAND").flags == ("low_resolution",)
    assert finer_for(replace(fine, dpi=Dpi(300, 300)), "HAND").flags == ()
    assert finer_for(replace(fine, dpi=Dpi(500, 500)), "BREAST").flags == ("low_resolution",)
    assert finer_for(replace(fine, dpi=None), "BREAST").flags == ()


@pytest.mark.parametrize(
    ("hidden", "size", "whole"),
    [
        ((0, 1), (355.6, 428.0), True),
        ((0, 1), (355.6, 400.0), False),
        ((0, 1), (355.6, 433.6), False),
        ((2, 0), (351.0, 431.8), True),
        ((2, 0), (347.5, 432.5), True),
        ((2, 0), (346.5, 432.5), False),
        ((2, 0), (357.5, 425.0), False),
        ((1, 1), (429.0, 349.0), True),
    ],
)
def test_what_lies_beyond_the_frame_is_a_hairs_breadth_or_film(hidden, size, whole):
    assert may_be_whole(SizeMm(*size), hidden) is whole


@pytest.mark.parametrize(
    ("wedge", "size", "whole"),
    [
        (5.0, (355.6, 354.6), True),
        (7.0, (355.6, 355.6), False),
        (5.0, (355.6, 352.0), False),
        (6.0, (355.6, 356.4), True),
    ],
)
def test_a_film_far_askew_at_the_frame_is_no_smaller_film(wedge, size, whole):
    """14 x 17 in that ends a foot and two inches on is no 14 x 14 in where a corner lacks."""
    assert may_be_whole(SizeMm(*size), (0, 1), (0.0, wedge)) is whole


def test_a_cut_that_leaves_a_smaller_films_length_is_told_by_the_wedge_it_took():
    raster = scan([Laid(9.449 * INCH, 11.811 * INCH, 600, 700, 1.8)], (1400, 1200))
    found = judged(rebuilt(raster, raster.pixels[600:].copy()))
    assert "film_cut_off" in found.flags
    assert found.cut_off == ("top",)


@pytest.mark.parametrize(
    ("size", "two"),
    [
        ((355.6, 700.0), True),
        ((289.3, 464.7), True),  # 30 cm, its rims lost, and of no film's proportion
        ((360.0, 450.0), True),
        ((474.1, 575.7), False),  # 14 x 17 in by a resolution a third too low
        ((355.6, 914.4), False),
        ((355.6, 431.8), False),
    ],
)
def test_two_sheets_are_longer_than_any_and_not_merely_larger(size, two):
    assert is_two_sheets(SizeMm(*size)) is two
    assert is_two_sheets(SizeMm(*size[::-1])) is two
