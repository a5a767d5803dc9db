"""Parts of a film that letters are likeliest to stand in."""

import cv2
import numpy as np
import pytest

from digitizer.reading import stroked_parts

ROWS, COLUMNS = 600, 500
TEXT = (60, 320, 250, 350)


@pytest.fixture
def tone():
    """Log tone with bars as strong as letters, a frame, grain, and two lines of text."""
    rng = np.random.default_rng(4)
    picture = rng.normal(-1.2, 0.02, (ROWS, COLUMNS)).astype(np.float32)
    picture[40:240:14, 30:470] += 1.0
    picture[400:560, 60:440:12] += 1.0
    ink = np.zeros((ROWS, COLUMNS), np.uint8)
    cv2.rectangle(ink, (5, 5), (COLUMNS - 6, ROWS - 6), 255, 2)
    for row, text in ((332, "DOE JANE 4711822"), (348, "BORN 02-04-1931")):
        cv2.putText(ink, text, (64, row), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255, 1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture + ink.astype(np.float32) / 255, (0, 0), 0.6)


def test_text_is_taken_and_bars_of_one_direction_are_not(tone):
    parts = stroked_parts(tone)
    x0, y0, x1, y1 = TEXT
    assert any(a <= x0 and b <= y0 and c >= x1 and d >= y1 for a, b, c, d in parts)
    for x, y in ((250, 140), (250, 480)):
        assert not any(a <= x < c and b <= y < d for a, b, c, d in parts)


def test_parts_lie_in_the_picture_in_sizes_that_the_detector_sees_as_they_are(tone):
    for x0, y0, x1, y1 in stroked_parts(tone):
        assert 0 <= x0 < x1 <= COLUMNS
        assert 0 <= y0 < y1 <= ROWS
        assert (x1 - x0) % 32 == 0 or (x0, x1) == (0, COLUMNS)
        assert (y1 - y0) % 32 == 0 or (y0, y1) == (0, ROWS)


def test_of_a_film_smaller_than_a_line_nothing_is_taken():
    assert stroked_parts(np.zeros((9, 20), np.float32)) == []
