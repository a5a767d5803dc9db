"""Pictures as light: bright where much light came through, whatever the file's polarity."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Pixels, Polarity, Raster
from digitizer.model.units import Dpi

__all__ = [
    "Floats",
    "LightPicture",
    "by_whole_pixels",
    "full_scale",
    "grey",
    "halved",
    "is_density",
    "light_picture",
    "linear_light",
    "log_tone",
    "reduced",
]

Floats = NDArray[np.float32]

_FLOOR = 0.0015
"""Light below which tones run together: about the noise of a good scanner (OD 2.8)."""
_DENSITY_FLOOR = 0.14
_ENCODED_FLOOR = 0.15
"""The same in eight bits: pages of encoded light keep up to 0.144, of density 0.162 and more."""
_BRIGHT = 0.8
"""Part of full scale that the clearest place of a page has at least where values are density: no
page is denser than OD 0.8 all over, on a scale of four."""
_ABOVE, _DARK = 0.05, 0.2
_FEW, _CLEAR = 0.1, 0.75
"""Share of what is lighter than the darkest of a page by ``_ABOVE`` that is darker than ``_DARK``;
and a tenth of a page of bare light box. On a page of light, what is denser than OD 0.7 is 0.14 to
0.94 of it (of 150 drawn pages, but less on one in nine sheets of pictures); on one of density what
is near OD 3.2, between a film's darkest and a bed darker than the scale, 0.052 at most (of 187)."""
_NOISY = 0.001
"""Difference of neighbours in the darkest tenth from which on it may be density, whose noise is
greatest there: 0.0026 and more on 102 drawn pages of density, 0.0004 at most on those of light that
have as few dark places."""
_OFF_ZERO = 0.015
"""Part of the scale that the darkest keeps in density, on a scale of four: OD 3.94."""
_BLOCK = 4
"""Pixels each way whose mean evens out noise, which in density is great in the dark."""
_NEPERS_OF_SCALE = 4 * 2.302585


@dataclass(frozen=True, slots=True, eq=False)
class LightPicture:
    """A page as light from 0 to 1.

    ``reduction`` (2,) is its pixels per pixel of the scan in x and y; ``top`` is the value of
    light 1 in the scan.
    """

    light: Floats
    reduction: NDArray[np.float64]
    top: float


def full_scale(raster: Raster) -> int:
    """Return the highest value the raster's bits allow."""
    return (1 << raster.bits) - 1


def grey(raster: Raster) -> Pixels:
    """Return one sample a pixel, depth kept: colour by its luminance, bright for light."""
    pixels = raster.pixels
    if pixels.ndim == 3:
        return cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    if raster.polarity is Polarity.MONOCHROME1:
        top = full_scale(raster)
        if top == np.iinfo(pixels.dtype).max:
            return cast(Pixels, cv2.bitwise_not(pixels))
        # Saturates at zero, as values above full scale must.
        return cast(Pixels, cv2.subtract((float(top), 0.0, 0.0, 0.0), pixels))  # type: ignore[call-overload]
    return pixels


def reduced(pixels: Pixels, longest: int) -> tuple[Pixels, float]:
    """Return the picture at most ``longest`` pixels long, by area averaging, and its scale."""
    scale = min(1.0, longest / max(pixels.shape[:2]))
    if scale == 1.0:
        return pixels, 1.0
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)), scale


def light_picture(full: Pixels, dpi: Dpi | None, longest: int, least: float) -> LightPicture:
    """Reduce a grey picture to light on a grid of square pixels.

    The brightest thousandth is 1: many scanners leave the upper bits of their container empty
    without saying so, and where the sheet lies does not depend on how bright it is.

    Parameters
    ----------
    full : ndarray of uint8 or uint16, (rows, columns)
        Bright for light.
    dpi : Dpi or None
        Where its two resolutions differ, the finer one is reduced more.
    longest : int
        Pixels of the grid's longest side, at most.
    least : float
        The lowest value that may count as light 1.
    """
    rows, columns = full.shape
    ratio = np.ones(2) if dpi is None else min(dpi) / np.array(dpi)
    scale = ratio * min(1.0, longest / float((ratio * (columns, rows)).max()))
    size = (max(1, round(columns * scale[0])), max(1, round(rows * scale[1])))
    half, times = halved(full, size)
    small = cv2.resize(half, size, interpolation=cv2.INTER_AREA)
    top = max(float(np.quantile(small, 0.999)), least)
    light = np.minimum(small.astype(np.float32) / np.float32(top), np.float32(1.05))
    shown = times * np.array(half.shape[::-1])
    return LightPicture(light, np.array(size) / shown, top)


def by_whole_pixels(pixels: Pixels, times: int) -> Pixels:
    """Return means of whole pixels, so many each way; a last part of a row or column is left out.

    They take a tenth of the time of areas with broken rims.
    """
    rows, columns = pixels.shape[0] // times, pixels.shape[1] // times
    whole = pixels[: rows * times, : columns * times]
    return cast(Pixels, cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))


def halved(pixels: Pixels, size: tuple[int, int]) -> tuple[Pixels, int]:
    """Halve a picture by whole pixels as long as it is more than twice a size (columns, rows).

    Values of eight bits are not rounded more than once. Returned with how many pixels became one,
    each way.
    """
    times = 1
    while pixels.dtype != np.uint8 and min(np.divide(pixels.shape[::-1], size)) > 2:
        pixels = by_whole_pixels(pixels, 2)
        times *= 2
    return pixels, times


def is_density(light: Floats, *, deep: bool = False, scale: float = 1.0) -> bool:
    """Tell whether a scanner delivers density instead of light (values linear in OD).

    Light spans a thousandfold on film and much of it lies near zero; density spans a few units, and
    even dense film keeps a good part of the scale. What is near zero there is denser than any film:
    a card stuck on it, a corner folded over, a dark bed. Of what is lighter the darkest share
    tells. Eight-bit values may be light encoded for a screen, which keeps a part of the scale too;
    but where nothing on a page is bright, its brightest is far below full scale.

    Parameters
    ----------
    light : ndarray of float32
        Pixel values as a part of the value of light 1.
    deep : bool
        Whether they come with more than eight bits.
    scale : float
        The value of light 1 as a part of full scale.
    """
    rows, columns = (max(1, length // _BLOCK) for length in light.shape)
    places = cv2.resize(light, (columns, rows), interpolation=cv2.INTER_AREA)
    darkest, tenth = np.quantile(places, (0.005, 0.1))
    if deep:
        lighter = places[places > darkest + _ABOVE]
        few = np.count_nonzero(lighter < _DARK) < _FEW * lighter.size and tenth < _CLEAR
        noise = _dark_noise(light, off_zero=bool(darkest > _OFF_ZERO))
        return bool(darkest > _DENSITY_FLOOR or (few and noise > _NOISY))
    return bool(darkest * scale > _ENCODED_FLOOR and scale > _BRIGHT)


def _dark_noise(light: Floats, *, off_zero: bool) -> float:
    """Return the usual difference of two by two neighbours, crosswise, in the darkest tenth.

    None (0) where it is no greater than in the lightest: so it is in light. But on textured film
    more than noise differs; where even the darkest keeps off zero, noise alone tells.
    """
    if min(light.shape) < 2:
        return 0.0
    here = light[1:, 1:]
    crosswise = np.abs(here - light[:-1, 1:] - light[1:, :-1] + light[:-1, :-1])
    low, high = np.quantile(here[::_BLOCK, ::_BLOCK], (0.1, 0.6))
    dark = float(np.median(crosswise[here <= low]))
    return dark if off_zero or dark > float(np.median(crosswise[here >= high])) else 0.0


def linear_light(light: Floats, *, density: bool, encoded: bool) -> Floats:
    """Return light as it fell on the sensor: only there is the middle of a blurred edge its place.

    Parameters
    ----------
    light : ndarray of float32
        Pixel values as a part of the value of light 1.
    density : bool
        As for :func:`log_tone`.
    encoded : bool
        Whether the values are encoded for a screen, by about their square root (IEC 61966-2-1):
        so are eight-bit scans. Taking a linear one for encoded moves its edges by half the width
        of the blur, the reverse by twice as much.
    """
    if density:
        return np.asarray(np.exp((light - 1) * np.float32(_NEPERS_OF_SCALE)), dtype=np.float32)
    return np.square(np.maximum(light, 0)) if encoded else light


def log_tone(light: Floats, *, density: bool) -> Floats:
    """Return the natural logarithm of light, levelled off below the scanner's noise.

    Steps count alike in the dark and in the bright. Values that are density already are only
    brought to the same unit, at four OD to the full scale as such scanners have it.
    """
    if density:
        return light * np.float32(_NEPERS_OF_SCALE)
    return np.log(np.maximum(light, 0) + np.float32(_FLOOR))
