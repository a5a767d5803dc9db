"""The window that shows a film as it looks on a light box."""

import numpy as np

from digitizer.model.instance import Rendered, Window

__all__ = ["window"]

_STEP = 8
_EDGE = 0.06


def window(rendered: Rendered) -> Window:
    """Return a VOI window (PS3.3 C.11.2.1.2) over the exposed part of the film.

    The outer 6 % of each side (borders, bed, ID block) do not count; neither do values piled up at
    the ends of the scale, which are masks and burnt-out corners.
    """
    rows, columns = rendered.pixels.shape[:2]
    top, left = int(rows * _EDGE), int(columns * _EDGE)
    inner = rendered.pixels[top : rows - top : _STEP, left : columns - left : _STEP]
    if rendered.padding is not None:
        inner = inner[inner != rendered.padding]
    if inner.size == 0:
        inner = rendered.pixels.ravel()[:: _STEP * _STEP]
    low, high = (float(value) for value in np.quantile(inner, (0.005, 0.995)))
    width = max(high - low, 2.0)
    return Window(center=(low + high) / 2, width=width)
