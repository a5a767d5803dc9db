"""Coloured stamps and pen strokes are looked for only where there are some."""

import numpy as np

from digitizer.engines.inks import without_coloured_ink


def test_a_label_without_coloured_marks_is_not_looked_at_twice() -> None:
    """Black on white, though there is grain."""
    scan = np.full((300, 460, 3), 235.0)
    scan[100:104, 50:400] = 30
    scan += np.random.default_rng(4).normal(0, 3, scan.shape)
    assert without_coloured_ink(np.clip(scan, 0, 255).astype(np.uint8)) is None
