"""A black rim on a dark bed belongs to its own film, not to the next one."""

import numpy as np
import pytest

from digitizer.film.rims import bed_is_brighter, beyond

PITCH = 4.0
LEFT = np.array([[200.0, 200], [500, 200], [500, 600], [200, 600]])
RIGHT = np.array([[640.0, 200], [900, 200], [900, 600], [640, 600]])


@pytest.fixture(scope="module")
def bed() -> np.ndarray:
    """Return two pictures on a dark bed; the left one's film goes on black for 40 pixels."""
    rng = np.random.default_rng(3)
    pixels = rng.normal(700, 40, (800, 1100))
    pixels[200:600, 500:540] = rng.normal(600, 40, (400, 40))
    for x0, x1 in ((200, 500), (640, 900)):
        pixels[200:600, x0:x1] = rng.normal(20_000, 900, (400, x1 - x0))
    return pixels.astype(np.uint16)


def test_a_rim_between_two_films_is_the_nearer_ones(bed: np.ndarray) -> None:
    """Seen from the other film it is an edge as well, but further away."""
    own = beyond(bed, LEFT, PITCH, [RIGHT])
    assert own is not None
    assert own[1] == pytest.approx(40, abs=1.5)
    assert own[0] == own[2] == own[3] == 0.0
    assert beyond(bed, RIGHT, PITCH, [LEFT]) is None


def test_a_rim_towards_the_frame_tells_which_way_rims_step(bed: np.ndarray) -> None:
    """Then even a rim that is wide is known for the film's own."""
    assert bed_is_brighter(bed, [LEFT, RIGHT], PITCH) is None
    framed = bed.copy()
    framed[200:600, 160:200] = framed[200:600, 500:540]
    assert bed_is_brighter(framed, [LEFT, RIGHT], PITCH) is True
    assert beyond(framed, RIGHT, PITCH, [LEFT], brighter=True) is None


def test_a_block_before_a_part_of_a_rim_hides_no_edge(bed: np.ndarray) -> None:
    """It steps higher than the rim; along the rest of the side the rim's own edge runs."""
    blocked = bed.copy()
    blocked[240:315, 500:536] = 30_000
    own = beyond(blocked, LEFT, PITCH, [RIGHT])
    assert own is not None
    assert own[1] == pytest.approx(40, abs=1.5)
