"""Light from pixel values: polarity, and the reduced picture on which sheets are searched."""

import numpy as np
import pytest

from digitizer.film.light import grey, light_picture
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
