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


def lone(*, rim: float = 660.0, to_frame: bool = True) -> np.ndarray:
    """Return a picture on a dark bed whose film goes on to the left, up to the frame or 15 mm."""
    rng = np.random.default_rng(5)
    pixels = rng.normal(700, 40, (800, 700))
    pixels[200:600, 0 if to_frame else 140 : 200] = rng.normal(rim, 40, (400, 200))[
        :, : 200 if to_frame else 60
    ]
    pixels[200:600, 200:500] = rng.normal(20_000, 900, (400, 300))
    return pixels.astype(np.uint16)


def test_a_rim_that_goes_on_to_the_frame_is_told_by_its_level() -> None:
    """No edge shows anywhere; but beside one side lies what is not as beside the others."""
    assert beyond(lone(), LEFT, PITCH, alone=True) == (0.0, 0.0, 0.0, None)
    assert beyond(lone(rim=690), LEFT, PITCH, alone=True) is None
    assert beyond(lone(), LEFT, PITCH) is None


def test_what_is_no_black_is_no_rim() -> None:
    """Something else lies on the bed beside the picture."""
    other = lone(rim=700)
    other[300:450, 20:120] = 9000
    assert beyond(other, LEFT, PITCH, alone=True) is None


def test_the_shade_beside_a_film_is_not_its_beds_level() -> None:
    """It fades within 2.5 mm; above the picture the rim goes on to the frame, somewhat brighter."""
    shaded = lone(to_frame=False, rim=620).astype(float)
    shaded[200:600, 130:140] -= np.linspace(0, 35, 10)
    shaded[:200, 200:500] -= 47
    found = beyond(shaded.astype(np.uint16), LEFT, PITCH, alone=True)
    assert found is not None
    assert found[3] == pytest.approx(60, abs=2)
    assert found[0] is None


def test_a_dark_line_tells_an_edge_between_what_is_alike() -> None:
    """Here a rim is a little darker than its bed, there a little brighter."""
    lined = lone(to_frame=False, rim=685).astype(float)
    for first in (324, 476):
        lined[first : first + 76, 140:200] += 30
    lined[200:600, 138:142] *= 0.75
    found = beyond(lined.astype(np.uint16), LEFT, PITCH, alone=True)
    assert found is not None
    assert found[3] == pytest.approx(60, abs=1.5)
