"""Light from pixel values: polarity, and the reduced picture on which sheets are searched."""

import cv2
import numpy as np
import pytest

from digitizer.film.light import grey, is_density, light_picture
from digitizer.model.raster import Polarity, Raster


@pytest.mark.parametrize(
    ("kind", "bits", "values", "light"),
    [
        (np.uint16, 16, [0, 1, 65535], [65535, 65534, 0]),
        (np.uint16, 12, [0, 4095, 4096, 60000], [4095, 0, 0, 0]),
        (np.uint8, 8, [0, 100, 255], [255, 155, 0]),
    ],
)
def test_what_is_white_at_zero_is_turned_over_its_full_scale(kind, bits, values, light):
    pixels = np.array([values], dtype=kind)
    raster = Raster(pixels=pixels, bits=bits, polarity=Polarity.MONOCHROME1)
    found = grey(raster)
    assert found.dtype == kind
    assert found.tolist() == [light]
    assert pixels.tolist() == [values]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1203, 1607), (4199, 5178), (5001, 900)])
def test_places_on_the_reduced_picture_are_those_of_the_scan(shape, kind):
    """Odd rows and columns that are left out do not shift what lies before them."""
    rows, columns = (round(0.7 * side) for side in shape)
    full = np.full(shape, 10, dtype=kind)
    full[:rows, :columns] = 200
    picture = light_picture(full, None, 900, 1.0)
    assert max(picture.light.shape) == 900
    across, down = picture.light[0], picture.light[:, 0]
    # Half of the light lies where the step is.
    edges = [(line.sum() - line.size * line[-1]) / (line[0] - line[-1]) for line in (across, down)]
    assert edges / picture.reduction == pytest.approx([columns, rows], abs=0.6)


def a_textured_page(bed: float, noise: float) -> np.ndarray:
    """Return light of a film that differs everywhere, on a dark bed where only noise does."""
    rng = np.random.default_rng(5)
    texture = cv2.GaussianBlur(rng.normal(0, 0.05, (400, 400)).astype(np.float32), (0, 0), 1.2)
    page = np.full((400, 400), bed, np.float32)
    page[60:340, 60:340] = np.linspace(0.3, 0.95, 280) + texture[60:340, 60:340]
    grain = np.where(page == np.float32(bed), noise, 0.0005)
    return page + rng.normal(0, 1, page.shape).astype(np.float32) * grain.astype(np.float32)


def test_density_is_told_by_the_noise_of_a_black_bed_beside_textured_film():
    assert is_density(a_textured_page(0.08, 0.0015), deep=True)


def test_bright_textured_film_on_a_bed_without_light_is_light_however_noisy():
    assert not is_density(a_textured_page(0.002, 0.0015), deep=True)
