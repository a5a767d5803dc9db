"""Where on a film text is looked for."""

import numpy as np
import pytest

from digitizer.engines.finding import narrow_lines, places_on_film
from digitizer.engines.places import roomy

LINE = [[20, 20], [115, 20], [115, 40], [20, 40]]
MARKER = [[20, 100], [80, 100], [80, 166], [20, 166]]


@pytest.mark.parametrize("order", [(LINE, MARKER), (MARKER, LINE)])
def test_a_marker_near_a_block_does_not_blow_its_place_up(order):
    """The place is what the line alone makes of it, in pixels of the film."""
    shape = (2000, 2400)
    alone = roomy(np.array([LINE], np.float32), 0.4, shape)
    assert roomy(np.array(order, np.float32), 0.4, shape) == alone
    assert alone[0].lines == 1
    assert alone[0].region[3] < 400


def test_a_marker_alone_is_no_place():
    """A letter about as wide as tall is no line."""
    assert roomy(np.array([MARKER], np.float32), 0.4, (2000, 2400)) == []


def test_lines_found_on_a_turned_picture_begin_at_their_top_left():
    """A line that runs upward is listed as one that the detector finds as it lies."""

    def find(picture):
        # Turned a quarter and set to half its width the place is half as high again as wide: then
        # a line is seen in its upper part, else none.
        rows, columns = picture.shape
        line = np.array([[0.2, 0.2], [0.8, 0.2], [0.8, 0.25], [0.2, 0.25]], np.float32)
        return (line * (columns, rows))[None] if rows < 2 * columns else np.zeros((0, 4, 2))

    _, boxes = narrow_lines(find, np.zeros((400, 300), np.uint8), (0, 0, 300, 400), 150.0)
    a, b, c, d = np.round(boxes[0], 1).tolist()
    assert a[0] == d[0] < b[0] == c[0]
    assert a[1] == b[1] < c[1] == d[1]


class Detector:
    """Sees a line where a narrowed picture is at least so much higher than wide."""

    def __init__(self, least: float) -> None:
        self.least = least
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, picture):
        self.sizes.append(picture.shape)
        rows, columns = picture.shape
        line = np.array([[0.2, 0.2], [0.8, 0.2], [0.8, 0.25], [0.2, 0.25]], np.float32)
        found = (line * (columns, rows))[None]
        return found if rows > self.least * columns else np.zeros((0, 4, 2), np.float32)


@pytest.mark.parametrize(
    ("least", "turned", "looks"),
    [(9.0, None, 2), (9.0, True, 1), (2.0, None, 4), (2.0, False, 3), (0.0, None, 6)],
)
def test_narrow_lines_are_looked_for_further_only_the_way_they_were_seen(least, turned, looks):
    """Nothing seen either way ends it; lines seen one way are looked at in that alone."""
    find = Detector(least)
    narrow_lines(find, np.zeros((400, 300), np.uint8), (0, 0, 300, 400), 300.0, turned)
    assert len(find.sizes) == looks


def test_narrow_lines_known_to_run_upward_are_turned():
    """The picture is looked at turned, and at no other."""
    find = Detector(0.0)
    _, boxes = narrow_lines(find, np.zeros((400, 300), np.uint8), (0, 0, 300, 400), 300.0, True)
    assert all(rows < 2 * columns for rows, columns in find.sizes)
    widths, heights = np.ptp(boxes[0], axis=0)
    assert heights > widths


def test_what_fills_half_of_a_part_is_no_block():
    """Of a part without text the detector boxes the greater half; whole films have no such boxes.

    The place about it would be most of the film.
    """
    film = np.random.default_rng(3).normal(120, 4, (900, 700)).clip(0, 255).astype(np.uint8)
    film[300:500, 300:500] = 40 + 180 * (np.indices((200, 200)).sum(axis=0) // 10 % 2)

    def find(picture):
        rows, columns = picture.shape
        corners = ((0.1, 0.2), (0.9, 0.2), (0.9, 0.8), (0.1, 0.8))
        return np.array([corners], np.float32) * np.array((columns, rows), np.float32)

    assert next(places_on_film(find, film, None)) == []
