"""Finding every sheet on the bed, and its four edge lines to a fraction of a pixel.

What this decides: where the bed shows, which connected pieces of the rest are sheets, and where
their straight edges run. What it never does: take the border of a collimated field for the sheet's
edge, or turn a sheet on which nothing straight shows, or whose sides are those of two or contradict
each other, as the crease of a fold does. What it may get wrong: a black mask printed on a film
whose own edges all lie outside the frame looks like film on a dark bed.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.covered import has_folded_side
from digitizer.film.defects import odd_lines
from digitizer.film.edges import NO_SIDE
from digitizer.film.found import FoundSheet, Page
from digitizer.film.geometry import make_geometry, scale_of
from digitizer.film.light import full_scale, grey, is_density, light_picture, log_tone
from digitizer.film.paper import is_bare, is_coloured, is_paper
from digitizer.film.pictures import reading_picture
from digitizer.film.rectangle import rectangle
from digitizer.film.rivals import best_sheets
from digitizer.film.settings import USUAL
from digitizer.film.sharpness import upright_box
from digitizer.model.film import Geometry, ScanKind
from digitizer.model.raster import Raster
from digitizer.model.reasons import Reason
from digitizer.model.units import MM_PER_INCH

__all__ = ["SheetSearch", "find_sheets"]

_SMALL = 900
"""Longest side of the picture on which the bed is found."""
_USUAL_MM = 400.0
"""Long side of a scan whose resolution is not told, for scales of a millimetre."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSearch:
    """What a page shows.

    Attributes
    ----------
    sheets : tuple of Geometry
    kind : ScanKind or None
        A guess from the picture alone; None where it tells nothing.
    reasons : tuple of Reason
    of_two : tuple of bool
        Of each sheet: whether two may lie in its outline, or it over another.
    edge_unsure : tuple of bool
        Of each sheet: whether more than is surely film was kept, since nothing tells where it ends.
    """

    sheets: tuple[Geometry, ...]
    kind: ScanKind | None
    reasons: tuple[Reason, ...] = field(default=())
    of_two: tuple[bool, ...] = ()
    edge_unsure: tuple[bool, ...] = ()


def find_sheets(raster: Raster) -> SheetSearch:
    """Find the sheets of a page and guess what they are.

    Parameters
    ----------
    raster : Raster

    Returns
    -------
    SheetSearch
        Sheets from left to right, corners as scanned.
    """
    full = grey(raster)
    picture = light_picture(full, raster.dpi, _SMALL, full_scale(raster) / 64)
    density = is_density(
        picture.light, deep=raster.bits > 8, scale=picture.top / full_scale(raster)
    )
    sharp = log_tone(picture.light, density=density)
    tone = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.0), dtype=np.float32)
    if is_paper(raster, picture.light, picture.top):
        return _all_of_it(raster, ScanKind.LABEL)
    if is_bare(picture.light):
        return SheetSearch(sheets=(), kind=ScanKind.BLANK)
    pitch = max(raster.dpi) / MM_PER_INCH if raster.dpi else max(raster.pixels.shape) / _USUAL_MM
    page = Page(
        full=full,
        light=picture.light,
        tone=tone,
        reduction=picture.reduction,
        top=picture.top,
        density=density,
        encoded=raster.bits <= 8,
        pitch=pitch,
        scale=scale_of(raster.dpi),
    )
    best = best_sheets(page)
    found = best.sheets
    kind = ScanKind.LABEL if raster.bits <= 8 and is_coloured(raster) else ScanKind.FILM
    if not found:
        return _all_of_it(raster, kind, best.angle, unsure=best.unsure)
    mixed = [one.is_of_two(page.scale) for one in found]
    doubted = [
        double or any(one.is_crossed_by(other, page.scale) for other in found)
        for one, double in zip(found, mixed, strict=True)
    ]
    of_two = tuple(
        double or any(one.is_fed_with(other, page.scale) for other in found)
        for one, double in zip(found, mixed, strict=True)
    )
    sheets = tuple(
        _geometry(one, raster, page, 0 if doubt else one.witnesses(page.scale, page.frame))
        for one, doubt in zip(found, doubted, strict=True)
    )
    unsure = tuple(one.unsure for one in found)
    return SheetSearch(sheets=sheets, kind=kind, of_two=of_two, edge_unsure=unsure)


def _geometry(found: FoundSheet, raster: Raster, page: Page, witnesses: int) -> Geometry:
    """Return a sheet as measured; not turned at all where no side bears its angle out."""
    upright = found.upright(page.frame)
    unturned = make_geometry(upright, found.seen, raster.dpi, skew_known=False)
    if witnesses == 0:
        return unturned
    geometry = make_geometry(found.corners, found.seen, raster.dpi, skew_known=True)
    if _is_told_by_bands(found, page, geometry):
        return unturned
    if witnesses == 1 and has_folded_side(reading_picture(raster, geometry), raster.dpi):
        # The one side that shows may be the crease.
        return unturned
    return geometry


def _is_told_by_bands(found: FoundSheet, page: Page, geometry: Geometry) -> bool:
    """Tell whether no side bears the angle out but such as run along bands over all of the film.

    Where the lamp flickers the bands on a dark bed are as straight as a film's sides. Unlike those
    they never meet in a corner.
    """
    box = upright_box(page.full, geometry)
    return any(
        alone and odd_lines(page.full, box, along_rows=across).banding > USUAL.most_banding
        for alone, across in zip(found.tells_along(page.scale), (True, False), strict=True)
    )


def _all_of_it(
    raster: Raster, kind: ScanKind, angle: float | None = None, *, unsure: bool = False
) -> SheetSearch:
    """Return a search that found the frame itself to be the sheet."""
    sheets = (_whole(raster, angle),)
    return SheetSearch(sheets=sheets, kind=kind, of_two=(False,), edge_unsure=(unsure,))


def _whole(raster: Raster, angle: float | None = None) -> Geometry:
    """Return the frame itself as the sheet, along the straight lines on it where there are some."""
    rows, columns = raster.size.rows, raster.size.columns
    frame = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)
    if angle is None:
        return make_geometry(frame, 0, raster.dpi, skew_known=False)
    scale = scale_of(raster.dpi)
    corners = rectangle([NO_SIDE] * 4, angle, scale, frame)
    return make_geometry(corners, 0, raster.dpi, skew_known=True)
