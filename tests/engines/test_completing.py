"""Lines of a block are completed from those that the detector saw."""

import numpy as np
import pytest

from digitizer.engines.completing import completed

HEIGHT = 51
"""Of a line of the drawn block, from one to the next."""


@pytest.fixture
def film(pictures):
    """Return a film with a block of four lines."""
    block = pictures.drawn(ink=210, paper=20)
    return pictures.film_of(block)


def box_of(row, left, right):
    """Return the box of a line of the block, by its number, over part of the film's columns."""
    top = 12 + 34 + row * HEIGHT
    return [[left, top], [right, top], [right, top + 36], [left, top + 36]]


def ends(box):
    return float(box[:, 0].min()), float(box[:, 0].max())


def test_a_line_goes_on_as_far_as_its_strokes(film):
    """The first letters were not seen."""
    first, second = completed(
        film, np.array([box_of(0, 44, 250), box_of(1, 120, 260)], np.float32)
    )[:2]
    assert ends(first)[0] == pytest.approx(44, abs=12)
    assert ends(second)[0] == pytest.approx(46, abs=12)


def test_a_line_between_two_others_is_found(film):
    """Lines 0, 1 and 3 were seen."""
    seen = np.array([box_of(0, 44, 250), box_of(1, 44, 260), box_of(3, 44, 460)], np.float32)
    rows = [float(box[:, 1].mean()) for box in completed(film, seen)]
    assert any(abs(row - (12 + 34 + 2 * HEIGHT + 18)) < 6 for row in rows[3:])


def test_beside_a_whole_block_stands_no_line(pictures):
    """What is even has no strokes."""
    film = np.full((400, 700), 20, np.uint8)
    block = pictures.drawn(ink=210, paper=20)
    film[12 : 12 + block.shape[0], 12 : 12 + block.shape[1]] = block
    seen = np.array(
        [box_of(0, 44, 250), box_of(1, 44, 260), box_of(2, 44, 340), box_of(3, 44, 460)],
        np.float32,
    )
    assert len(completed(film, seen)) == len(seen)


def test_of_a_block_that_bears_its_number_only_lines_between_are_looked_for(film):
    """What was read rightly is not made longer."""
    seen = np.array([box_of(0, 120, 250), box_of(2, 44, 340), box_of(3, 44, 460)], np.float32)
    found = completed(film, seen, ends=False)
    assert (found[:3] == seen).all()
    assert len(found) == 4
