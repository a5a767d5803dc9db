"""Labels stuck on a film, and corners and sides folded over: what hides a part of it.

Both add their density to the film's, behind a border that was cut: straight, sharp, with right
corners, laid by hand or by chance instead of along the film. Blocks, masks, tiles and shutters
have a picture of their own, lie along the film and mostly bear text.

What this decides: whether something hides a part of the film. What it never does: judge what is
hidden. What it may get wrong: a printed label that was stuck on straight is taken for the film's
own block; what is as black as the film around it is not seen at all.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.folds import is_folded_corner, is_folded_side
from digitizer.film.labels import BY_HAND_DEG, hides, is_plate
from digitizer.film.light import Floats, halved, is_density, log_tone
from digitizer.film.patches import patches_of
from digitizer.film.pictures import ReadingPicture
from digitizer.film.steps import Step, steps_of
from digitizer.film.tiles import find_tiles
from digitizer.model.units import MM_PER_INCH, Dpi, Point

__all__ = ["has_folded_side", "is_covered"]

Points = NDArray[np.float64]

_PITCH_MM = 0.34
_SMALLEST_PX = 64
_RIM_MM = 2.0
"""Steps all of which is nearer to one side of the picture are the film's own edge."""
_FLARE = 0.006
"""Light below which tones run together in eight bits: flatbeds flare."""
_TEXTS = 2
"""Lines that were read inside a patch: it hides nothing then."""


def is_covered(
    picture: ReadingPicture, dpi: Dpi | None, texts: Iterable[Sequence[Point]] = ()
) -> bool:
    """Tell whether a label or a fold hides a part of a film.

    Parameters
    ----------
    picture : ReadingPicture
        Of the film, straightened.
    dpi : Dpi or None
        Where no resolution is told, nothing is told.
    texts : iterable of four points each
        Boxes of the lines that were read, in pixels of the picture.
    """
    if dpi is None or min(picture.pixels.shape) < _SMALLEST_PX:
        return False
    tone, steps, pitch = _steps(picture, dpi)
    scale = tone.shape[1] / picture.pixels.shape[1]
    middles = np.array([np.mean(box, axis=0) for box in texts]).reshape(-1, 2) * scale
    if not _is_hidden(tone, steps, pitch, middles):
        return False
    # What lies along a sheet of many pictures are their borders.
    askew = [step for step in steps if step.askew_deg > BY_HAND_DEG]
    return find_tiles(picture, dpi) is None or _is_hidden(tone, askew, pitch, middles)


def _is_hidden(tone: Floats, steps: Sequence[Step], pitch: float, middles: Points) -> bool:
    """Tell whether steps bound what hides a part of a film whose lines have these middles."""
    if is_folded_side(tone, steps, pitch) or is_folded_corner(tone, steps, pitch):
        return True
    patches = list(patches_of(tone, steps, pitch))
    plates = [frozenset(patch.sides) for patch in patches if is_plate(patch)]
    return any(
        hides(patch) and patch.holds(middles) < _TEXTS
        for patch in patches
        if not any(plate >= set(patch.sides) for plate in plates)
    )


def has_folded_side(picture: ReadingPicture, dpi: Dpi | None) -> bool:
    """Tell whether a side of a film is folded over, so that it ends in a crease.

    Parameters
    ----------
    picture : ReadingPicture
        Of the film, straightened by that side.
    dpi : Dpi or None
        Where no resolution is told, nothing is told.
    """
    if dpi is None or min(picture.pixels.shape) < _SMALLEST_PX:
        return False
    tone, steps, pitch = _steps(picture, dpi)
    return is_folded_side(tone, steps, pitch)


def _steps(picture: ReadingPicture, dpi: Dpi) -> tuple[Floats, list[Step], float]:
    """Return natural log light, the steps on it but for the film's own edges, and its pitch."""
    tone, pitch = _tone(picture, dpi)
    steps = [step for step in steps_of(tone, pitch) if not _is_own_edge(step, tone, pitch)]
    return tone, steps, pitch


def _is_own_edge(step: Step, tone: Floats, pitch: float) -> bool:
    """Tell whether all of a step lies along one side of the picture."""
    ends = np.array([step.start, step.end])
    gaps = np.concatenate([ends, np.array(tone.shape[::-1]) - ends], axis=1)
    return bool(gaps.max(axis=0).min() < _RIM_MM * pitch)


def _tone(picture: ReadingPicture, dpi: Dpi) -> tuple[Floats, float]:
    """Return natural log light at about three pixels a millimetre, and its pitch."""
    fine = max(dpi) / MM_PER_INCH
    factor = max(1.0, _PITCH_MM * fine)
    pixels = picture.pixels
    rows, columns = (max(1, round(side / factor)) for side in pixels.shape)
    half, _ = halved(pixels, (columns, rows))
    small = cv2.resize(half, (columns, rows), interpolation=cv2.INTER_AREA)
    top = max(float(np.quantile(small[::2, ::2], 0.999)), 1.0)
    light = np.minimum(small.astype(np.float32) / np.float32(top), np.float32(1.0))
    deep = pixels.dtype != np.uint8
    if is_density(light, deep=deep, scale=1.0 if deep else top / 255):
        tone = log_tone(light - 1, density=True)
    elif deep:
        tone = log_tone(light, density=False)
    else:
        tone = np.log(np.square(light) + np.float32(_FLARE))
    return np.asarray(np.maximum(tone, -7.5), dtype=np.float32), fine / factor
