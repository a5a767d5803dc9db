"""Telling paper, card and a bare bed from film, by the picture alone."""

import cv2
import numpy as np

from digitizer.film.light import Floats, full_scale, log_tone
from digitizer.model.raster import Raster

__all__ = ["is_bare", "is_coloured", "is_paper"]

_GROUND = 0.55
"""Paper under a scanner returns more than this part of the brightest light nearly everywhere."""

_WHITE = 0.3
"""Paper returns more than this part of full scale."""
_EVEN = 0.06
"""How far the ground of paper departs from its tone, as a part of the brightest light."""
_MOSTLY = 0.57
"""Part of the page that has that tone: 0.54 to 1 on labels and pages, 0.13 to 0.42 on films."""
_FLAT, _MUCH = 0.08, 0.45
"""Change of tone within a twentieth of the page, and the part of the page that changes less.
Measured on nine rehearsal labels: 0.28 and 0.59 to 0.84; on fourteen radiographs: 0.18 to 0.37."""
_LETTER = 0.006
"""Least height of a letter as a part of the page: 1.7 mm on an ordinary page, 6 point capitals."""
_SHAPE_CELLS, _PAGE_CELLS = 1.5, 6.0
"""Widths, in cells of 1/160 of the page, between which shapes on a bed are looked for: 3 to 13 mm
of an ordinary page."""
_STRUCTURE = 0.2
"""Log light by which one cell in a hundred departs where anything lies on the bed. Measured, the
greater of both ways to look: bare beds of five levels reach 0.09; a dental film on any bed, every
radiograph and every label 0.7 or more."""
_DUST = 5
"""Width, in cells of 1/160 of the page, of the median that takes dust and hairs away."""


def is_paper(raster: Raster, light: Floats, top: float) -> bool:
    """Tell a page of paper or card: light ground nearly everywhere, and print on it.

    Film is never paper: anatomy is broad and dark, print is thin strokes, which vanish when the
    picture is closed (dilated, then eroded) over four millimetres of an ordinary page.
    """
    if raster.bits > 8 or top < _WHITE * full_scale(raster):
        return False
    # Noise spells no letters.
    level = np.asarray(cv2.blur(np.minimum(light, 1.0), (3, 3)), dtype=np.float32)
    size = max(9, round(0.03 * max(level.shape))) | 1
    closed = cv2.morphologyEx(level, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    ground = np.asarray(closed, dtype=np.float32)
    # A black lid may show around the page.
    if float(np.mean(ground > _GROUND)) < 0.8 or float(np.std(ground)) > 0.2:
        return False
    if not _is_even(ground):
        return False
    return not _holds_film(ground) and _glyphs(ground - level) >= 6


def _is_even(ground: Floats) -> bool:
    """Tell whether the ground has one tone, or flat tones side by side; anatomy shades softly."""
    shade = ground[::4, ::4]
    if float(np.mean(np.abs(shade - np.median(shade)) < _EVEN)) > _MOSTLY:
        return True
    small = cv2.resize(ground, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    around = np.ones((5, 5), np.uint8)
    change = cv2.dilate(small, around) - cv2.erode(small, around)
    return float(np.mean(change < _FLAT)) > _MUCH


def _holds_film(ground: Floats) -> bool:
    """Tell whether something broad and dark lies inside: no print is left once closed."""
    dark = (ground < 0.45).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(dark)
    rows, columns = ground.shape
    x, y, width, height, area = (stats[1:count, column] for column in range(5))
    inner = (x > 1) & (y > 1) & (x + width < columns - 1) & (y + height < rows - 1)
    return bool((inner & (area > 0.004 * ground.size)).any())


def _glyphs(ink: Floats) -> int:
    """Count pieces of ink that have the size of letters, bars or strokes."""
    mask = (ink > 0.13).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    long = max(mask.shape)
    height, area = stats[1:count, cv2.CC_STAT_HEIGHT], stats[1:count, cv2.CC_STAT_AREA]
    fit = (height > _LETTER * long) & (height < 0.15 * long) & (area > 8)
    return int(fit.sum())


def is_bare(light: Floats) -> bool:
    """Tell whether nothing but level ground is to be seen.

    Lamps and lids are uneven over the page and noise from cell to cell; anatomy, print and the
    edges of a sheet, however small, change within centimetres. Looked at as light and as density:
    which of them a scan holds is sure only where the whole range of a film shows, and the tones
    of one look flat when taken for the other.
    """
    return all(
        _structure(log_tone(light, density=density)) < _STRUCTURE for density in (False, True)
    )


def _structure(tone: Floats) -> float:
    """Return the log light by which one cell in a hundred departs from its surroundings."""
    small = cv2.resize(tone, (160, 160), interpolation=cv2.INTER_AREA)
    # Dust and hairs lie on any bed: only what is broader counts.
    clean = cv2.medianBlur(small, _DUST)
    shapes = cv2.GaussianBlur(clean, (0, 0), _SHAPE_CELLS) - cv2.GaussianBlur(
        clean, (0, 0), _PAGE_CELLS
    )
    return float(np.quantile(np.abs(shapes), 0.99))


def is_coloured(raster: Raster) -> bool:
    """Tell whether a colour scan shows colour, as card and ink have and film has not."""
    if not raster.is_colour:
        return False
    small = cv2.resize(raster.pixels, (200, 200), interpolation=cv2.INTER_AREA).astype(np.int32)
    shift = small - small.reshape(-1, 3).mean(axis=0).astype(np.int32)
    spread = shift.max(axis=2) - shift.min(axis=2)
    cast = np.ptp(small.reshape(-1, 3).mean(axis=0))
    full = (1 << raster.bits) - 1
    return bool(np.quantile(spread, 0.9) > 0.05 * full or cast > 0.06 * full)
