"""Where on a film text is looked for."""

import numpy as np
import pytest

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
