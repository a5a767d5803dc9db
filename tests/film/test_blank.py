"""A bed with nothing on it is blank, however unevenly it is lit; with anything, it is not."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitizer.film import find_sheets
from digitizer.model.film import ScanKind
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi

ROWS, COLUMNS = 1100, 900


def bed(level: float, unevenness: float, seed: int) -> NDArray[np.float64]:
    """Return a lid or lamp that is softly uneven over the page, with noise and dust."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 1, (5, 4)).astype(np.float32)
    soft = cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)
    light = level * (1 + unevenness * soft / np.abs(soft).max())
    light += rng.normal(0, np.sqrt(level), light.shape)
    for _ in range(25):
        row, column = int(rng.integers(ROWS - 3)), int(rng.integers(COLUMNS - 3))
        light[row : row + 2, column : column + 2] *= 0.4
    return np.asarray(light, dtype=np.float64)


def kind_of(light: NDArray[np.float64]) -> ScanKind | None:
    pixels = light.clip(0, 65535).astype(np.uint16)
    return find_sheets(
        Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2, dpi=Dpi(100, 100))
    ).kind


@pytest.mark.parametrize("level", [400.0, 18_000.0, 60_000.0])
@pytest.mark.parametrize("unevenness", [0.0, 0.05, 0.12])
def test_a_bare_bed_is_blank(level: float, unevenness: float) -> None:
    """Dark mask, grey lid or lamp, even and uneven."""
    assert kind_of(bed(level, unevenness, seed=int(level))) is ScanKind.BLANK


@pytest.mark.parametrize(
    ("level", "film"), [(400.0, 2_500.0), (18_000.0, 8_000.0), (60_000.0, 44_000.0)]
)
def test_the_smallest_film_on_it_is_not(level: float, film: float) -> None:
    """A dental film of 31 x 41 mm, light or dark."""
    light = bed(level, 0.05, seed=3)
    light[400:561, 300:422] = film
    assert kind_of(light) is ScanKind.FILM


def test_a_straightened_film_of_density_is_not() -> None:
    """The tones of a log scanner lie close together, and the padding around them is dark."""
    rng = np.random.default_rng(8)
    shade = cv2.resize(rng.normal(0, 1, (18, 14)).astype(np.float32), (COLUMNS, ROWS))
    film = 48_000 + 4_000 * shade
    film[:20], film[:, -14:] = 6_600, 6_600
    assert kind_of(film) is ScanKind.FILM
