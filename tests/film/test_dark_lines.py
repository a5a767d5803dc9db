"""Black film on a black bed: the cut is where a line darker than both of them runs."""

import numpy as np
import pytest

from digitizer.film.dark_lines import darkest_line
from digitizer.film.edges import BedSurface, measure_side
from digitizer.film.rims import beyond

PITCH = 4.0
TOP, LEFT = 200.0, 150.0


def on_black(film: float, level: float = 700, seed: int = 3) -> np.ndarray:
    """Return film on a bed of one level, from ``TOP`` and ``LEFT`` on, and 8 % of noise.

    The bed is shaded for a millimetre beside the sheet; a cut scatters light on a fifth of one.
    """
    rng = np.random.default_rng(seed)
    inwards = np.minimum(
        np.arange(700.0)[:, None] + 0.5 - TOP, np.arange(900.0)[None, :] + 0.5 - LEFT
    )
    bed = 1 - 0.22 * np.exp(np.minimum(inwards, 0) / PITCH * 1.6)
    scattered = film * (1 - 0.44 * np.exp(-np.maximum(inwards, 0) / PITCH * 5.0))
    cover = np.clip(inwards + 0.5, 0, 1)
    light = bed * (1 - cover) + scattered * cover
    return np.asarray(level * light * rng.normal(1, 0.08, light.shape), dtype=np.uint16)


@pytest.mark.parametrize(("film", "level"), [(1.05, 700), (0.92, 20_000), (0.95, 20_000)])
def test_a_side_is_laid_on_the_dark_line_along_it(film: float, level: float) -> None:
    """Noise and shade let the bed seem to end a third of a millimetre before the cut."""
    bed = BedSurface(
        terms=np.array([np.log(level / 65535), 0, 0, 0, 0, 0], np.float32),
        tolerance=0.11,
        rows=700,
        columns=900,
        top=65535.0,
        density=False,
    )
    start, end = np.array([LEFT, TOP]), np.array([900.0, TOP])
    side = measure_side(on_black(film, level), bed, start, end, reach=10.0, pitch=PITCH)
    assert side.seen
    assert side.point[1] == pytest.approx(TOP, abs=0.15 * PITCH)
    askew = np.degrees(np.arctan2(side.direction[1], side.direction[0]))
    assert askew == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("film", [0.85, 0.92])
def test_a_rim_ends_at_its_dark_line_not_where_the_shade_does(film: float) -> None:
    """Bands beside an edge that is shaded lie apart the most half a band beyond it."""
    pixels = on_black(film)
    picture = np.array([[LEFT + 40, TOP + 40], [890, TOP + 40], [890, 690], [LEFT + 40, 690]])
    pixels[240:690, 190:890] = 20_000
    rims = beyond(pixels, picture, PITCH)
    assert rims is not None
    assert rims[0] == pytest.approx(40, abs=0.3 * PITCH)
    assert rims[3] == pytest.approx(40, abs=0.3 * PITCH)


def test_neither_noise_nor_a_step_is_a_dark_line() -> None:
    """A line is darker than both of its sides."""
    rng = np.random.default_rng(1)
    noise = np.asarray(rng.normal(100, 1, 60), dtype=np.float32)
    assert darkest_line(noise, PITCH, 1.0) is None
    step = noise + np.where(np.arange(60) < 30, 0, 40).astype(np.float32)
    assert darkest_line(step, PITCH, 1.0) is None
    line = noise - 20 * np.exp(-(((np.arange(60) - 30.4) / 1.5) ** 2)).astype(np.float32)
    found = darkest_line(line, PITCH, 1.0)
    assert found is not None
    assert found[0] == pytest.approx(30.4, abs=0.3)
