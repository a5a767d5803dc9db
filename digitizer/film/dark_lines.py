"""The dark line along a cut edge, where film and bed have the same tone.

A cut edge scatters the light and a lifted one shades the bed beside it. However alike film and bed
are, so fine a line runs between them that is darker than both; and where they differ by little, it
tells the place better than the step, which the shade draws out on the side of the bed.
"""

import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats

__all__ = ["darkest_line"]

_CORE_MM = 0.35
"""So far to either side the line itself may reach."""
_BANDS_MM = 1.1
"""Between that and this the bands lie with which it is compared."""
_DEEP = 0.02
"""Part of the level by which the line is darker than both bands."""
_NOISES = 4.0
"""The same in standard errors of one place."""


def darkest_line(level: Floats, pitch: float, noise: float) -> tuple[float, float] | None:
    """Return where a dark line lies across a profile, and how deep it is; None where none is clear.

    Parameters
    ----------
    level : ndarray of float32, (n,)
        Light across the edge, each place the mean along it.
    pitch : float
        Places per millimetre.
    noise : float
        Standard error of a place.

    Returns
    -------
    (float, float) or None
        Index, to a part of a place, and depth below the darker of both bands.
    """
    core, reach = max(1, round(_CORE_MM * pitch)), max(3, round(_BANDS_MM * pitch))
    if level.size <= 2 * reach + 1:
        return None
    smooth = np.convolve(level, (0.25, 0.5, 0.25), "same")
    total = np.concatenate([[0.0], np.cumsum(level, dtype=np.float64)])
    at = np.arange(reach, level.size - reach)
    before = (total[at - core] - total[at - reach]) / (reach - core)
    after = (total[at + reach + 1] - total[at + core + 1]) / (reach - core)
    depth = np.minimum(before, after) - smooth[at]
    best = int(np.argmax(depth))
    # Said so that neither a flat profile nor one with gaps passes.
    if not depth[best] > max(_NOISES * noise, _DEEP * abs(float(smooth[at[best]]))):
        return None
    return _bottom(smooth, int(at[best])), float(depth[best])


def _bottom(smooth: NDArray[np.floating], near: int) -> float:
    """Return the bottom of the parabola through the lowest place beside ``near``."""
    low = near - 1 + int(np.argmin(smooth[near - 1 : near + 2]))
    low = min(max(low, 1), smooth.size - 2)
    a, b, c = (float(smooth[low + step]) for step in (-1, 0, 1))
    bend = a - 2 * b + c
    return low + (float(np.clip(0.5 * (a - c) / bend, -0.5, 0.5)) if bend > 0 else 0.0)
