"""Shades for looking at: the window of a capture, and eight-bit previews."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.instance import Rendered, Window
from digitizer.model.raster import Pixels, Polarity

__all__ = ["preview", "window"]

_SMALL = 400
_ENOUGH = 1600
"""Pixels of the long side that are looked at."""
_EDGE = 0.12
Bytes = NDArray[np.uint8]


def window(rendered: Rendered) -> Window:
    """Return a VOI window (PS3.3 C.11.2.1.2) over the exposed anatomy.

    Anatomy is where the picture changes softly. Borders, masks, bed and burnt-out corners are flat,
    ID blocks and markers are flat with hard edges: neither the flattest nor the hardest places
    count, nor the outer 12 % of each side, where borders and labels are.
    """
    # Every other pixel, or every third, tells tones as well as all of them.
    step = max(1, max(rendered.pixels.shape) // _ENOUGH)
    small = _reduced(rendered.pixels[::step, ::step])
    rows, columns = small.shape
    top, left = max(1, int(rows * _EDGE)), max(1, int(columns * _EDGE))
    inner = small[top : rows - top, left : columns - left]
    if inner.size == 0:
        inner = small
    light = inner if rendered.polarity is not Polarity.MONOCHROME1 else inner.max() - inner
    # Noise and contrast of light grow with light; of density they hardly do.
    change = _change(light) / (light + 0.02 * float(np.quantile(light, 0.99)) + 1.0)
    low_change, high_change = np.quantile(change, (0.3, 0.92))
    soft = (change >= low_change) & (change <= high_change)
    if rendered.padding is not None:
        soft &= inner != rendered.padding
    values = inner[soft] if soft.mean() > 0.05 else inner.ravel()
    low, high = (float(value) for value in np.quantile(values, (0.005, 0.995)))
    room = 0.04 * (high - low)
    width = max(high - low + 2 * room, 2.0)
    return Window(center=round((low + high) / 2, 1), width=round(width, 1))


def preview(
    pixels: Pixels,
    polarity: Polarity,
    *,
    shown: Window | None = None,
    longest: int = 960,
) -> Bytes:
    """Return eight bits as on a light box, dark film dark, at most ``longest`` pixels long.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16, (rows, columns) or (rows, columns, 3)
    polarity : Polarity
    shown : Window, optional
        Else the first to the last half percent of the values.
    longest : int
        In pixels.
    """
    small = _reduced(pixels, longest)
    if shown is None:
        low, high = (float(value) for value in np.quantile(small[::3, ::3], (0.005, 0.995)))
    else:
        low, high = shown.center - shown.width / 2, shown.center + shown.width / 2
    grey = np.clip((small - np.float32(low)) * np.float32(255 / max(high - low, 1e-6)), 0, 255)
    result = grey.astype(np.uint8)
    return cast(Bytes, 255 - result if polarity is Polarity.MONOCHROME1 else result)


def _reduced(pixels: Pixels, longest: int = _SMALL) -> NDArray[np.float32]:
    scale = min(1.0, longest / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    # OpenCV sums areas of uint16 in floating point and rounds once.
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def _change(inner: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the local standard deviation over 5 x 5 pixels."""
    mean = cv2.boxFilter(inner, cv2.CV_32F, (5, 5))
    square = cv2.boxFilter(inner * inner, cv2.CV_32F, (5, 5))
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), dtype=np.float32)
