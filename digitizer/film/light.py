"""Pictures as light: bright where much light came through, whatever the file's polarity."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Pixels, Polarity, Raster

__all__ = ["Floats", "full_scale", "grey", "is_density", "light_picture", "log_tone", "reduced"]

Floats = NDArray[np.float32]

_FLOOR = 0.0015
"""Light below which tones run together: about the noise of a good scanner (OD 2.8)."""
_DENSITY_FLOOR = 0.14
_NEPERS_OF_SCALE = 4 * 2.302585


def full_scale(raster: Raster) -> int:
    """Return the highest value the raster's bits allow."""
    return (1 << raster.bits) - 1


def grey(raster: Raster) -> Pixels:
    """Return one sample a pixel, depth kept: colour by its luminance, bright for light."""
    pixels = raster.pixels
    if pixels.ndim == 3:
        return cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    if raster.polarity is Polarity.MONOCHROME1:
        top = np.asarray(full_scale(raster), dtype=pixels.dtype)
        return cast(Pixels, top - np.minimum(pixels, top))
    return pixels


def reduced(pixels: Pixels, longest: int) -> tuple[Pixels, float]:
    """Return the picture at most ``longest`` pixels long, by area averaging, and its scale."""
    scale = min(1.0, longest / max(pixels.shape[:2]))
    if scale == 1.0:
        return pixels, 1.0
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)), scale


def light_picture(raster: Raster, longest: int) -> tuple[Floats, float, float]:
    """Return light from 0 to 1 on a reduced grid, the scale of that grid, and the value of 1.

    The brightest thousandth is 1: many scanners leave the upper bits of their container empty
    without saying so, and where the sheet lies does not depend on how bright it is.
    """
    small, scale = reduced(grey(raster), longest)
    top = max(float(np.quantile(small, 0.999)), full_scale(raster) / 64)
    return np.minimum(small.astype(np.float32) / np.float32(top), np.float32(1.05)), scale, top


def is_density(light: Floats) -> bool:
    """Tell whether a scanner delivers density instead of light (values linear in OD).

    Light spans a thousandfold on film and its darkest parts come near zero; density spans a few
    units, and even dense film keeps a good part of the scale.
    """
    return bool(np.quantile(light[::4, ::4], 0.005) > _DENSITY_FLOOR)


def log_tone(light: Floats, *, density: bool) -> Floats:
    """Return the natural logarithm of light, levelled off below the scanner's noise.

    Steps count alike in the dark and in the bright. Values that are density already are only
    brought to the same unit, at four OD to the full scale as such scanners have it.
    """
    if density:
        return light * np.float32(_NEPERS_OF_SCALE)
    return np.log(np.maximum(light, 0) + np.float32(_FLOOR))
