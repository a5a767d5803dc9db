"""What a person can still read: faint signs are legible, one that has become another is not."""

import cv2
import numpy as np
import pytest

from digitizer.rehearsal.legibility import LEGIBLE, Printed, contrasts_of_line
from digitizer.rehearsal.specimens import draw_jacket_label
from digitizer.rehearsal.typography import line

BLUR, NOISE = 0.8, 0.02


def seen(text, spoil=lambda ink: ink, noise=NOISE):
    """Return the contrasts of a line printed with all its ink, then spoilt."""
    printed = Printed(text, "sans-bold", 18.0)
    ink = spoil(cv2.GaussianBlur(line(text, "sans-bold", 18.0), (0, 0), BLUR) * np.float32(0.7))
    return contrasts_of_line(printed, ink, blur_px=BLUR, noise=noise)


def worn_on_the_left(at, count, left=0.0):
    """Leave so much of the ink of the left half of one of so many digits of one width."""

    def spoil(ink):
        spoilt, wide = ink.copy(), ink.shape[1] / count
        spoilt[:, round(at * wide) : round((at + 0.45) * wide)] *= left
        return spoilt

    return spoil


def test_an_eight_that_has_become_a_three_is_not_legible():
    """Its neighbours are; a three that lost nothing is."""
    told = seen("4711855", worn_on_the_left(4, 7))
    assert told[4] < LEGIBLE < min(one for at, one in told.items() if at != 4)
    assert min(seen("4711355").values()) > LEGIBLE


@pytest.mark.parametrize(("left", "legible"), [(0.45, False), (0.8, True)])
def test_what_is_nearer_to_another_sign_is_read_as_that(left, legible):
    """However far above the noise the rest of its ink is: a person takes a worn 8 for a 3 too."""
    told = seen("4711855", worn_on_the_left(4, 7, left))
    assert (told[4] >= LEGIBLE) is legible


@pytest.mark.parametrize("left", [0.5, 0.02])
def test_ink_lost_evenly_is_faint_not_another_sign(left):
    """Half of it is legible; what shows under a cover is not."""
    told = seen("4711855", lambda ink: ink * np.float32(left))
    assert (min(told.values()) >= LEGIBLE) is (left == 0.5)


def test_noise_hides_what_ink_alone_would_not():
    """As far as it is to the ink."""
    quiet, loud = min(seen("4711855").values()), min(seen("4711855", noise=10 * NOISE).values())
    assert loud == pytest.approx(quiet / 10)


def test_a_word_beside_numbers_is_compared_with_letters():
    """A letter that could only be taken for a digit is told by where it stands."""
    assert set(seen("O-1 B")) == {0, 2, 4}


def test_a_labels_fields_are_seen_in_its_scan():
    """All of a fresh one; less with wear; nothing is told of handwriting."""
    fresh, worn = (
        [draw_jacket_label((31, number), wear=wear, dpi=100) for number in range(6)]
        for wear in (0.0, 1.0)
    )
    for one in fresh:
        assert bool(one.seen) is (one.style != "written")
        assert isinstance(one.is_legible("patient_id"), bool)
        assert all(one.is_legible(name) for name in one.fields) is bool(one.seen)
    least = [
        np.median([one.seen["patient_id"] for one in some if one.seen]) for some in (fresh, worn)
    ]
    assert least[1] < 0.5 * least[0]
