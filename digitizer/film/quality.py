"""What can be said of a scan at once: depth, clipping, sharpness, noise, resolution, size."""

from dataclasses import replace
from math import radians, tan

import numpy as np
from numpy.typing import NDArray

from digitizer.film.defects import odd_lines
from digitizer.film.dust import dust_load
from digitizer.film.geometry import corners_array
from digitizer.film.light import full_scale, grey
from digitizer.film.pictures import reading_picture
from digitizer.film.printed_lines import without_sides
from digitizer.film.settings import USUAL, QualitySettings
from digitizer.film.sharpness import (
    busiest_tiles,
    cut_sharpness,
    noise_of,
    sharpness_of,
    upright_box,
)
from digitizer.film.sizes import is_film_size, is_two_sheets, may_be_whole
from digitizer.film.tiles import find_tiles
from digitizer.model.film import Geometry, Quality
from digitizer.model.raster import Pixels, Raster
from digitizer.model.reasons import Code
from digitizer.model.units import MM_PER_INCH, Dpi

__all__ = ["NO_QUALITY", "covered", "edge_unsure", "finer_for", "quality", "two_in_one"]

NO_QUALITY = Quality()
"""Of a file that could not be decoded."""

_LEAST_DEPTH = (1 << 10) - 1
"""No film scanner with more than eight bits delivers fewer than ten."""
_OPPOSITE = (("left", "right"), ("top", "bottom"))
_LATTICE = 700
_SOME = 97
_NINTHS = (
    "top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom",
    "bottom right",
)  # fmt: skip
_MOSTLY = 0.5
"""Part of the worst ninth from which another is named too."""
_EVERYWHERE = 6


def quality(
    raster: Raster, geometry: Geometry | None, settings: QualitySettings = USUAL
) -> Quality:
    """Judge a page, inside its sheet where one was found.

    Sharpness is the steepest step to be found, per pixel and as a part of its own height: 0.5 for
    an edge between two pixels, 0.4 / s for a blur of s pixels (the slope of an error function);
    None where no contrast stands out of the noise. Noise is the median absolute residual of a
    3 x 3 median (times 1.4826) as a part of full scale. Clipping is told in light: low is dark.

    Parameters
    ----------
    raster : Raster
    geometry : Geometry or None
        None judges the whole page.
    settings : QualitySettings
    """
    picture = grey(raster)
    lattice, shown = _lattice(picture, geometry)
    inside = lattice[shown]
    if inside.size == 0:
        return NO_QUALITY
    top = _delivered(raster, inside)
    tiles = busiest_tiles(picture, geometry)
    noise = noise_of(tiles)
    low, high = (lattice == 0) & shown, (lattice >= top) & shown
    clipped_low, clipped_high = (float(one.sum() / inside.size) for one in (low, high))
    sharpness = sharpness_of(tiles, noise)
    cut = None if geometry is None else cut_sharpness(picture, geometry, noise or 0.0)
    if cut is not None and sharpness is not None:
        # A film of soft shadows is not a blurred scan: its cut edge is sharp.
        sharpness = max(sharpness, cut)
    bits = _bits(raster, inside)
    flags = _flags(raster, geometry, bits, settings)
    cut_off: tuple[str, ...] = ()
    if geometry is not None and _is_cut_off(geometry, beyond := _sides_beyond(picture, geometry)):
        flags.append(Code.FILM_CUT_OFF)
        cut_off = beyond
    clipped_at: tuple[str, ...] = ()
    for code, part, where in (
        (Code.CLIPPED_LOW, clipped_low, low),
        (Code.CLIPPED_HIGH, clipped_high, high),
    ):
        if part > settings.most_clipped:
            flags.append(code)
            clipped_at += _places(where)
    if sharpness is not None and sharpness < settings.least_sharpness:
        flags.append(Code.BLURRED)
    if noise is not None and noise > settings.most_noise * top:
        flags.append(Code.NOISY)
    all_over, stuck, dust = _of_all_over(raster, geometry, picture, settings)
    flags += all_over
    return Quality(
        flags=tuple(code.value for code in flags),
        sharpness=sharpness,
        noise=None if noise is None else noise / top,
        clipped_low=clipped_low,
        clipped_high=clipped_high,
        bits=bits,
        dpi=raster.dpi,
        cut_off=cut_off,
        clipped_at=clipped_at,
        columns=stuck,
        dust=dust,
    )


def _of_all_over(
    raster: Raster, geometry: Geometry | None, picture: Pixels, settings: QualitySettings
) -> tuple[list[Code], tuple[int, ...], float | None]:
    """Return what is to be said of lines and dust all over a sheet, the stuck columns, the dust."""
    box = upright_box(picture, geometry)
    columns, rows = odd_lines(picture, box), odd_lines(picture, box, along_rows=True)
    stuck, lost = columns.places, rows.places
    dust = dust_load(picture, box, raster.dpi)
    is_dusty = dust is not None and dust > settings.most_dust
    if geometry is not None and (stuck or lost or is_dusty):
        tiles = find_tiles(reading_picture(raster, geometry), raster.dpi)
        if tiles is not None:
            stuck, lost = without_sides(tiles, raster.dpi, stuck, lost)
            stuck, lost = (
                tuple(sorted({*one, *lines.still}))
                for one, lines in ((stuck, columns), (lost, rows))
            )
            # The grain of what is printed is as fine and as black.
            dust, is_dusty = (None if is_dusty else dust), False
    said = {
        Code.STUCK_COLUMNS: bool(stuck),
        Code.LOST_LINES: bool(lost),
        Code.BANDING: max(columns.banding, rows.banding) > settings.most_banding,
        Code.DUSTY: is_dusty,
    }
    return [code for code, holds in said.items() if holds], stuck, dust


def covered(quality: Quality) -> Quality:
    """Return a quality that says that something hides a part of the film.

    A film folded over is of no film's size: that is said once, by its cause.
    """
    flags = tuple(one for one in quality.flags if one != Code.RESOLUTION_DOUBTFUL)
    return replace(quality, flags=(*flags, Code.FILM_COVERED.value))


def two_in_one(quality: Quality) -> Quality:
    """Return a quality that says that two films lie in one outline.

    That the outline has no film's size is said once, by its cause.

    Parameters
    ----------
    quality : Quality
        As judged of the outline.
    """
    said = (Code.RESOLUTION_DOUBTFUL, Code.DOUBLE_FEED)
    flags = tuple(one for one in quality.flags if one not in said)
    return replace(quality, flags=(*flags, Code.DOUBLE_FEED.value))


def edge_unsure(quality: Quality) -> Quality:
    """Return a quality that says that more than is surely film was kept."""
    return replace(quality, flags=(*quality.flags, Code.EDGE_UNSURE.value))


def finer_for(quality: Quality, body_part: str, settings: QualitySettings = USUAL) -> Quality:
    """Return a quality that asks for the resolution a body part needs, once it is known.

    Parameters
    ----------
    quality : Quality
        As judged before anything was read.
    body_part : str
        Body Part Examined (PS3.16 CID 4), empty where not known.
    settings : QualitySettings
    """
    coarsest = settings.coarsest_of.get(body_part, settings.coarsest_mm)
    code = Code.LOW_RESOLUTION.value
    if quality.dpi is None or code in quality.flags or not _is_coarser(quality.dpi, coarsest):
        return quality
    return replace(quality, flags=(*quality.flags, code))


def _is_coarser(dpi: Dpi, coarsest_mm: float) -> bool:
    # A thousandth for what a file rounds its resolution to.
    return MM_PER_INCH / min(dpi) > coarsest_mm * 1.001


def _lattice(picture: Pixels, geometry: Geometry | None) -> tuple[Pixels, NDArray[np.bool_]]:
    """Return samples on an even lattice inside the sheet, and which of them the frame shows.

    The lattice begins a hundredth in from the sheet's sides; its rows run along the sheet's.
    """
    rows, columns = picture.shape[:2]
    if geometry is None:
        box = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)
    else:
        box = corners_array(geometry.corners)
    place = np.linspace(0.01, 0.99, _LATTICE)
    across, down = np.outer(place, box[1] - box[0]), np.outer(place, box[3] - box[0])
    x, y = (
        np.floor(box[0, axis] + across[:, axis] + down[:, axis, None]).astype(np.int32)
        for axis in (0, 1)
    )
    shown = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
    found: Pixels = picture[y.clip(0, rows - 1), x.clip(0, columns - 1)]
    return found, shown


def _places(where: NDArray[np.bool_]) -> tuple[str, ...]:
    """Name the ninths of the sheet that hold most of something."""
    thirds = [np.array_split(band, 3, axis=1) for band in np.array_split(where, 3)]
    shares = [float(cell.mean()) for row in thirds for cell in row]
    most = [
        name for name, share in zip(_NINTHS, shares, strict=True) if share > _MOSTLY * max(shares)
    ]
    return ("everywhere",) if len(most) > _EVERYWHERE else tuple(most)


def _delivered(raster: Raster, inside: Pixels) -> int:
    """Return the highest value the scanner delivers: twelve bits come in containers of sixteen."""
    highest = (1 << int(inside.max()).bit_length()) - 1
    return min(full_scale(raster), max(highest, _LEAST_DEPTH))


def _bits(raster: Raster, inside: Pixels) -> int:
    """Return how many bits carry information: unused upper bits, empty or copied lower ones."""
    if inside.dtype == np.uint8:
        return raster.bits
    few = inside[::_SOME]
    if bool(np.all(few >> 8 == few & 255)) and bool(np.all(inside >> 8 == inside & 255)):
        return 8
    used = int(np.bitwise_or.reduce(inside.ravel()))
    if used == 0:
        return raster.bits
    empty = (used & -used).bit_length() - 1
    return max(1, min(raster.bits, used.bit_length()) - empty)


def _flags(
    raster: Raster, geometry: Geometry | None, bits: int, settings: QualitySettings
) -> list[Code]:
    flags: list[Code] = []
    if raster.dpi is None:
        flags.append(Code.RESOLUTION_UNKNOWN)
    elif _is_coarser(raster.dpi, settings.coarsest_mm):
        flags.append(Code.LOW_RESOLUTION)
    if geometry is not None:
        if geometry.edges_seen == 4 and geometry.size_mm and not is_film_size(geometry.size_mm):
            flags.append(Code.RESOLUTION_DOUBTFUL)
        if geometry.edges_seen >= 3 and geometry.size_mm and is_two_sheets(geometry.size_mm):
            flags.append(Code.DOUBLE_FEED)
        if geometry.skew_deg is None:
            flags.append(Code.SKEW_UNKNOWN)
    if bits < settings.fewest_bits:
        flags.append(Code.EIGHT_BIT)
    return flags


def _is_cut_off(geometry: Geometry, beyond: tuple[str, ...]) -> bool:
    """Tell whether film is missing: a side lies beyond the frame, and not by a hair's breadth.

    A transport that feeds as wide as the film hides its sides, and a film may be laid against the
    end of the glass; what is left is a film's size then. Between two sides in the frame that size
    is known to the breadth of a cut; what lies partly beyond the frame is no longer than the film.
    A film that lies askew loses a wedge besides: smaller sizes than its own are not taken for it.
    """
    if not 0 < geometry.edges_seen < 4:
        return False
    if geometry.size_mm is None:
        return True
    across, down = (sum(side in beyond for side in pair) for pair in _OPPOSITE)
    top_left, top_right = corners_array(geometry.corners)[:2]
    if abs(top_right[0] - top_left[0]) < abs(top_right[1] - top_left[1]):
        across, down = down, across
    size = geometry.size_mm
    # A side of which only a corner lies beyond the frame loses no more than that corner.
    hidden = len(beyond) == 4 - geometry.edges_seen
    slope = tan(radians(abs(geometry.skew_deg or 0.0))) if hidden else 0.0
    wedges = slope * size.height * bool(across), slope * size.width * bool(down)
    return not may_be_whole(size, (across, down), wedges)


def _sides_beyond(picture: Pixels, geometry: Geometry) -> tuple[str, ...]:
    """Name the sides of the scan that the sheet reaches."""
    rows, columns = picture.shape[:2]
    x, y = corners_array(geometry.corners).T
    room = 0.002 * max(rows, columns) + 1
    cut = {
        "top": y.min() < room,
        "right": x.max() > columns - room,
        "bottom": y.max() > rows - room,
        "left": x.min() < room,
    }
    return tuple(side for side, is_cut in cut.items() if is_cut)
