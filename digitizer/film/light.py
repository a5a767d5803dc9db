"""Pictures as light: bright where much light came through, whatever the file's polarity."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Pixels, Polarity, Raster

__all__ = ["full_scale", "grey", "light_picture", "reduced"]

Floats = NDArray[np.float32]


def full_scale(raster: Raster) -> int:
    """Return the highest value the raster's bits allow."""
    return (1 << raster.bits) - 1


def grey(raster: Raster) -> Pixels:
    """Return one sample a pixel, depth kept: colour by its mean, bright for light."""
    pixels = raster.pixels
    if pixels.ndim == 3:
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]
    if raster.polarity is Polarity.MONOCHROME1:
        top = np.asarray(full_scale(raster), dtype=pixels.dtype)
        return np.maximum(top - np.minimum(pixels, top), 0).astype(pixels.dtype)
    return pixels


def reduced(pixels: Pixels, longest: int) -> tuple[Pixels, float]:
    """Return the picture at most ``longest`` pixels long, by area averaging, and its scale."""
    scale = min(1.0, longest / max(pixels.shape[:2]))
    if scale == 1.0:
        return pixels, 1.0
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), scale  # type: ignore[return-value]


def light_picture(raster: Raster, longest: int) -> tuple[Floats, float, float]:
    """Return light from 0 to 1 on a reduced grid, the scale of that grid, and the value of 1.

    The brightest thousandth is 1: many scanners leave the upper bits of their container empty
    without saying so, and where the sheet lies does not depend on how bright it is.
    """
    small, scale = reduced(grey(raster), longest)
    top = max(float(np.quantile(small, 0.999)), full_scale(raster) / 64)
    return np.minimum(small.astype(np.float32) / np.float32(top), 1.05), scale, top
