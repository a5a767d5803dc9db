"""Finding every sheet on the bed, and its four edge lines to a fraction of a pixel.

What this decides: where the bed shows, which connected pieces of the rest are sheets, and where
their straight edges run. What it never does: take the border of a collimated field for the sheet's
edge, or turn a sheet on which nothing straight shows. What it may get wrong: a black mask printed
on a film whose own edges all lie outside the frame looks like film on a dark bed.

Every calm level along the frame is supposed to be the bed in turn and followed inwards; what it
leaves are pieces, whose sides are then measured at full resolution. A cut edge is as sharp as the
scanner, a collimator's border as wide as its penumbra (about a millimetre); so the supposition is
believed when the sides of its pieces are sharp. Of those believed, the one that leaves most of the
picture as film is taken: the sheet's edge lies outside any border on the film.
"""

from dataclasses import dataclass, field, replace
from math import degrees

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.bed import frame_levels, grow_bed, pieces_of
from digitizer.film.borders import border_angle, is_mask
from digitizer.film.edges import NO_SIDE, BedSurface, Side, measure_side
from digitizer.film.geometry import make_geometry, scale_of
from digitizer.film.light import Floats, grey, is_density, light_picture, log_tone
from digitizer.film.paper import is_bare, is_coloured, is_paper
from digitizer.film.rectangle import clipped, common_angle, rectangle, rough_rectangle
from digitizer.model.film import Geometry, ScanKind
from digitizer.model.raster import Pixels, Raster
from digitizer.model.reasons import Reason
from digitizer.model.units import MM_PER_INCH

__all__ = ["SheetSearch", "find_sheets"]

_SMALL = 900
"""Longest side of the picture on which the bed is found."""
_USUAL_MM = 400.0
"""Long side of a scan whose resolution is not told, for scales of a millimetre."""
_NARROWEST_MM = 25.0
"""Dental films are 31 by 41 mm."""
_BELIEVED = 0.5
"""Part of the sides inside the frame that must be sharp edges."""
_SEEN = 0.012
"""How much of the frame's area one more visible edge outweighs between two suppositions."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSearch:
    """What a page shows.

    ``kind`` is a guess from the picture alone; None where it tells nothing.
    """

    sheets: tuple[Geometry, ...]
    kind: ScanKind | None
    reasons: tuple[Reason, ...] = field(default=())


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """One page prepared for searching: full light, its reduced log tone, and scales."""

    raster: Raster
    full: Pixels
    tone: Floats
    reduction: float
    top: float
    density: bool
    pitch: float

    @property
    def frame(self) -> Points:
        rows, columns = self.full.shape[:2]
        return np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)

    @property
    def scale(self) -> Points:
        """Millimetres per pixel, or ones."""
        return scale_of(self.raster.dpi)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """One sheet as supposed and measured: corners, sides, how well the sides bear it out."""

    corners: Points
    sides: tuple[Side, ...]
    believed: float
    seen: int
    area: float


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
    light, reduction, top = light_picture(raster, _SMALL)
    density = is_density(light)
    tone = cv2.GaussianBlur(log_tone(light, density=density), (0, 0), 1.0).astype(np.float32)
    if is_paper(raster, light):
        return SheetSearch(sheets=(_whole(raster),), kind=ScanKind.LABEL)
    if is_bare(tone):
        return SheetSearch(sheets=(), kind=ScanKind.BLANK)
    pitch = max(raster.dpi) / MM_PER_INCH if raster.dpi else max(raster.pixels.shape) / _USUAL_MM
    page = _Page(raster, grey(raster), tone, reduction, top, density, pitch)
    found, angle = _best(page)
    kind = ScanKind.LABEL if raster.bits <= 8 and is_coloured(raster) else ScanKind.FILM
    if not found:
        return SheetSearch(sheets=(_whole(raster, angle),), kind=kind)
    sheets = tuple(
        make_geometry(one.corners, one.seen, raster.dpi, skew_known=True) for one in found
    )
    return SheetSearch(sheets=sheets, kind=kind)


def _whole(raster: Raster, angle: float | None = None) -> Geometry:
    """Return the frame itself as the sheet, along the straight lines on it where there are some."""
    rows, columns = raster.size.rows, raster.size.columns
    frame = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)
    if angle is None:
        return make_geometry(frame, 0, raster.dpi, skew_known=False)
    scale = scale_of(raster.dpi)
    corners = rectangle([NO_SIDE] * 4, angle, scale, frame)
    return make_geometry(corners, 0, raster.dpi, skew_known=True)


def _best(page: _Page) -> tuple[list[_Found], float | None]:
    """Return the sheets under the supposition that the edges bear out best.

    Where none is borne out: no sheet, and the angle of a field's border if one shows.
    """
    rows, columns = page.full.shape[:2]
    believed: list[tuple[float, list[_Found]]] = []
    borders: list[Side] = []
    for level, noise in frame_levels(page.tone):
        bed = grow_bed(page.tone, level, noise)
        if bed is None or float(np.mean(bed.mask > 0)) > 0.994:
            continue
        surface = BedSurface(bed.surface, bed.tolerance, rows, columns, page.top, page.density)
        pieces = [_measure(page, surface, hull) for hull in pieces_of(bed.mask)]
        found = [one for one in pieces if one is not None]
        if any(_masked(page, surface, one) for one in found):
            borders.extend(side for one in found for side in one.sides if side.weight > 0)
        elif found and all(one.believed >= _BELIEVED for one in found):
            held = sum(one.area for one in found) / page.full.size
            believed.append((held + _SEEN * sum(one.seen for one in found) / len(found), found))
        else:
            borders.extend(side for one in found for side in one.sides if side.soft)
    if not believed:
        return [], border_angle(borders, page.scale)
    return max(believed, key=lambda one: one[0])[1], None


def _masked(page: _Page, bed: BedSurface, found: _Found) -> bool:
    return is_mask(page.full, page.tone, bed, found.sides, found.corners, page.pitch)


def _measure(page: _Page, bed: BedSurface, hull: NDArray[np.int32]) -> _Found | None:
    """Measure the four sides of one piece; None for a piece that cannot be a sheet."""
    rough = (rough_rectangle(hull) + 0.5) / page.reduction
    lengths = np.linalg.norm(np.roll(rough, -1, axis=0) - rough, axis=1)
    if lengths.min() < _NARROWEST_MM * page.pitch or lengths.min() < 0.12 * lengths.max():
        return None
    reach = max(8 / page.reduction, 0.012 * float(lengths.max()))
    hidden = _at_frame(page, rough, hull)
    sides = tuple(
        NO_SIDE
        if hidden[number]
        else _side(page, bed, rough[number], rough[(number + 1) % 4], reach)
        for number in range(4)
    )
    if not any(side.seen or side.soft for side in sides):
        return None
    angle = common_angle(sides, page.scale)
    corners = rectangle(sides, angle, page.scale, page.frame)
    if abs(degrees(angle)) > 45:
        return None
    inside = sum(length for length, away in zip(lengths, hidden, strict=True) if not away)
    sharp = sum(
        length * side.support for length, side in zip(lengths, sides, strict=True) if side.seen
    )
    area = _area_in_frame(page, corners)
    return _Found(
        corners=corners,
        sides=sides,
        believed=float(sharp / inside) if inside else 0.0,
        seen=sum(side.seen for side in sides),
        area=area,
    )


def _side(page: _Page, bed: BedSurface, start: Points, end: Points, reach: float) -> Side:
    """Measure one side; where bed lies beyond but no line is found, keep the rough one."""
    side = measure_side(page.full, bed, start, end, reach=reach, pitch=page.pitch)
    return side if side.seen or side.soft else replace(side, rough=True)


def _at_frame(page: _Page, rough: Points, hull: NDArray[np.int32]) -> tuple[bool, ...]:
    """Tell which sides lie on the frame: most of the piece's rim there touches the frame."""
    rows, columns = page.tone.shape
    points = hull[:, 0, :].astype(np.float64)
    result = []
    for number in range(4):
        start, end = rough[number] * page.reduction, rough[(number + 1) % 4] * page.reduction
        along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
        outward = np.array([along[1], -along[0]])
        middle = (start + end) / 2
        # How far beyond the side's middle the frame begins.
        room = [
            (limit - middle[axis]) / outward[axis]
            for axis, limit in ((0, 0.0), (0, columns), (1, 0.0), (1, rows))
            if abs(outward[axis]) > 0.5 and (limit - middle[axis]) / outward[axis] > -1e9
        ]
        ahead = [value for value in room if value > -2.0]
        result.append(bool(ahead) and min(ahead, key=abs) < 1.5 and _touches(points, rows, columns))
    return tuple(result)


def _touches(points: Points, rows: int, columns: int) -> bool:
    x, y = points[:, 0], points[:, 1]
    return bool(((x <= 1) | (y <= 1) | (x >= columns - 2) | (y >= rows - 2)).any())


def _area_in_frame(page: _Page, corners: Points) -> float:
    part = corners
    for normal, limit in (
        (np.array([-1.0, 0.0]), 0.0),
        (np.array([0.0, -1.0]), 0.0),
        (np.array([1.0, 0.0]), float(page.full.shape[1])),
        (np.array([0.0, 1.0]), float(page.full.shape[0])),
    ):
        part = clipped(part, normal, limit)
        if len(part) < 3:
            return 0.0
    x, y = part.T
    return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)
