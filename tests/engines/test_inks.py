"""Coloured stamps and pen strokes fade, black print stays."""

import numpy as np
import pytest

from digitizer.engines.inks import without_coloured_ink

CARD = np.array((0.80, 0.66, 0.45))
PAPER = np.array((0.93, 0.93, 0.92))
STAMP = np.array((0.25, 0.20, 0.55))


@pytest.mark.parametrize("grain", [0.006, 0.033])
def test_a_stamp_fades_on_a_sticker_on_brown_card(grain: float) -> None:
    """Neither card beside the sticker, nor pen, nor grain tell what the stamp leaves."""
    rng = np.random.default_rng(3)
    scan = np.tile(CARD, (300, 460, 1))
    scan[60:240, 60:400] = PAPER
    stamp = np.zeros((300, 460), bool)
    for left in range(230, 380, 24):
        stamp[110:150, left : left + 8] = True
    pen = np.zeros_like(stamp)
    pen[262:266, 20:420] = True
    black = np.zeros_like(stamp)
    for left in range(100, 300, 20):
        black[170:200, left : left + 4] = True
    scan[stamp] += 0.6 * (STAMP - scan[stamp])
    scan[pen] += 0.85 * (np.array((0.15, 0.2, 0.5)) - scan[pen])
    scan[black] = 0.1
    scan += rng.normal(0, grain, scan.shape)
    faded = without_coloured_ink(np.clip(scan * 255, 0, 255).astype(np.uint8))
    assert faded is not None
    paper = float(np.median(faded[70:100, 70:390]))
    assert np.median(faded[stamp]) > 0.85 * paper
    assert np.median(faded[black]) < 0.4 * paper


def test_a_label_without_coloured_marks_is_not_looked_at_twice() -> None:
    """Black on white, though there is grain."""
    rng = np.random.default_rng(4)
    scan = np.full((300, 460, 3), 235.0)
    scan[100:104, 50:400] = 30
    assert (
        without_coloured_ink(np.clip(scan + rng.normal(0, 3, scan.shape), 0, 255).astype(np.uint8))
        is None
    )
