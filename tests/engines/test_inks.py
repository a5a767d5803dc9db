"""Coloured stamps and pen strokes are looked for only where there are some."""

import numpy as np
from numpy.typing import NDArray

from digitizer.engines.inks import without_coloured_ink

PEN, PRINT = (40, 60, 140), (30, 30, 33)


def scanned(*, stroke: bool) -> NDArray[np.uint8]:
    """Return black print, with grain, that a pen stroke may cross."""
    scan = np.full((300, 460, 3), 235.0)
    if stroke:
        scan[:, 300:312] = PEN
    scan[100:104, 50:400] = PRINT
    scan += np.random.default_rng(4).normal(0, 3, scan.shape)
    return np.clip(scan, 0, 255).astype(np.uint8)


def test_a_label_without_coloured_marks_is_not_looked_at_twice() -> None:
    """Black on white, though there is grain."""
    assert without_coloured_ink(scanned(stroke=False)) is None


def test_a_pen_stroke_fades_and_print_below_it_stays() -> None:
    """The stroke is nearer to the paper than to the print."""
    faded = without_coloured_ink(scanned(stroke=True))
    assert faded is not None
    stroke, crossing, paper = faded[200:, 304:308], faded[101:103, 304:308], faded[200:, 50:250]
    assert np.median(paper) - np.median(stroke) < 40
    assert np.median(paper) - np.median(crossing) > 150


def test_beside_coloured_marks_grain_grows_no_stronger() -> None:
    """The lightest of three channels would have more of it than their mean, and be lighter."""
    scan = scanned(stroke=True)
    faded = without_coloured_ink(scan)
    assert faded is not None
    beside = np.s_[150:, 20:250]
    grey = scan[beside] @ np.array([0.299, 0.587, 0.114])
    assert np.std(faded[beside]) < 1.2 * np.std(grey)
