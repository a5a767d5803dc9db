"""Finding every sheet on the bed, and its four edge lines to a fraction of a pixel.

What this decides: where the bed shows, which connected pieces of the rest are sheets, and where
their straight edges run. What it never does: take the border of a collimated field for the sheet's
edge (the bed must show beyond an edge), or turn a sheet of which no edge shows.

The bed is grown inwards from the frame: it is what is level, and connected to the frame, at one of
the levels that the frame itself shows. What remains, holes filled, are sheets. Each visible side is
then measured at full resolution by half-level crossings on some hundreds of profiles and fitted
robustly; all sides of a sheet share one direction, each weighed by its length.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.edges import Side, fit_sides
from digitizer.film.geometry import make_geometry
from digitizer.film.light import Floats, grey, light_picture
from digitizer.model.film import Geometry, ScanKind
from digitizer.model.raster import Raster
from digitizer.model.reasons import Reason

__all__ = ["SheetSearch", "find_sheets"]

_SMALL = 1000
"""Longest side of the picture on which the bed is found."""
_SMALLEST_SHEET = 0.02
"""Part of the frame below which a piece is dust or a shadow, not a sheet."""

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSearch:
    """What a page shows.

    ``kind`` is a guess from the picture alone; None where it tells nothing.
    """

    sheets: tuple[Geometry, ...]
    kind: ScanKind | None
    reasons: tuple[Reason, ...] = field(default=())


def find_sheets(raster: Raster) -> SheetSearch:
    """Find the sheets of a page and guess what they are.

    Parameters
    ----------
    raster : Raster

    Returns
    -------
    SheetSearch
        Sheets from left to right and top to bottom, corners as scanned.
    """
    light, scale, top = light_picture(raster, _SMALL)
    if _is_paper_page(raster, light):
        return SheetSearch(sheets=(_whole(raster),), kind=ScanKind.LABEL)
    pieces = _best_pieces(light)
    if not pieces:
        return SheetSearch(sheets=(), kind=ScanKind.BLANK)
    full = grey(raster)
    sheets = [_measure(full, np.float32(top), piece, scale, raster) for piece in pieces]
    inside = np.max(pieces, axis=0) > 0
    return SheetSearch(sheets=tuple(sheets), kind=_kind(raster, light, inside))


def _whole(raster: Raster) -> Geometry:
    rows, columns = raster.size.rows, raster.size.columns
    frame = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)
    return make_geometry(frame, 0, raster.dpi, skew_known=False)


def _is_paper_page(raster: Raster, light: Floats) -> bool:
    """Tell a page of paper without any bed: eight bits, light throughout, with some ink.

    Dark film on a light bed has far more dark; a bare bed has no ink at all.
    """
    if raster.bits > 8 or float(np.median(light)) < 0.6 or float(np.mean(light < 0.35)) > 0.12:
        return False
    ground = cv2.medianBlur((np.minimum(light, 1) * 255).astype(np.uint8), 41)
    ink = (ground.astype(np.float32) / 255 - light) > 0.12
    return bool(0.0008 < float(ink.mean()) < 0.2)


def _best_pieces(light: Floats) -> list[Mask]:
    """Return the sheets under the choice of bed levels that leaves the most rectangular ones.

    A level at the frame may be bed or the film itself (the black border of a film that was fed
    through). Sheets are rectangles: a wrong choice eats into the picture and leaves none. That the
    whole frame is one sheet is the choice to beat.
    """
    smooth = cv2.GaussianBlur(light, (0, 0), 1.0)
    # Half way between light and density: steps at either end of the scale keep some weight.
    tone = np.sqrt(smooth)
    rough = _roughness(tone)
    levels = _frame_levels(tone, rough)[:4]
    if _is_bare(tone, rough):
        return []
    best: tuple[float, list[Mask]] = (0.93, [np.full(light.shape, 255, np.uint8)])
    masks = [_level_mask(tone, rough, level) for level in levels]
    for choice in range(1, 1 << len(masks)):
        chosen = [mask for number, mask in enumerate(masks) if choice >> number & 1]
        pieces, score = _pieces(np.max(chosen, axis=0))
        if pieces and score > best[0]:
            best = (score, pieces)
    return best[1]


def _is_bare(tone: Floats, rough: Floats) -> bool:
    """Tell whether nothing but level ground is to be seen."""
    middle = float(np.median(tone))
    return bool(np.mean((np.abs(tone - middle) > 0.06 + 0.06 * middle) | (rough > 0.04)) < 0.004)


def _level_mask(tone: Floats, rough: Floats, level: float) -> Mask:
    """Return 255 where the picture is level at one tone and connected to the frame."""
    near = np.abs(tone - level) < 0.035 + 0.06 * level
    mask = _touching_frame((near & (rough < 0.025)).astype(np.uint8))
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return (closed * 255).astype(np.uint8)


def _roughness(tone: Floats) -> Floats:
    """Return the local standard deviation over 7 x 7 pixels."""
    mean = cv2.boxFilter(tone, -1, (7, 7))
    square = cv2.boxFilter(tone * tone, -1, (7, 7))
    return np.sqrt(np.maximum(square - mean * mean, 0))  # type: ignore[no-any-return]


def _frame_levels(tone: Floats, rough: Floats) -> list[float]:
    """Return the levels of long calm stretches of the frame that can be bed.

    Film reaches the frame too, where it was fed through. Bed is told by being brighter than any
    film (open light), or level along a whole stretch and bounded by a straight step inside.
    """
    levels: list[float] = []
    band = max(3, min(tone.shape) // 150)
    top = float(np.quantile(tone, 0.998))
    for side, calm in zip(_sides(tone, band), _sides(rough, band), strict=True):
        values = side[calm < 0.012]
        if values.size < 0.2 * side.size:
            continue
        counts, edges = np.histogram(values, bins=100, range=(0.0, 1.05))
        for peak in np.flatnonzero(counts > 0.2 * side.size):
            level = float(edges[peak : peak + 2].mean())
            if all(abs(level - known) > 0.02 for known in levels) and _is_bed(level, top):
                levels.append(level)
    return levels


def _is_bed(level: float, top: float) -> bool:
    """Tell whether a calm level at the frame can be bed: open light, or a dark or grey plate."""
    return level > 0.93 * top or level < 0.16 or 0.3 < level < 0.75


def _sides(picture: Floats, band: int) -> list[Floats]:
    return [
        picture[:band].ravel(),
        picture[-band:].ravel(),
        picture[:, :band].ravel(),
        picture[:, -band:].ravel(),
    ]


def _touching_frame(candidate: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the connected pieces of a mask that reach the frame along a stretch."""
    count, labels = cv2.connectedComponents(candidate, connectivity=4)
    frame = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reach = np.bincount(frame, minlength=count)
    reach[0] = 0
    return (reach > 0.04 * min(candidate.shape))[labels].astype(np.uint8)


def _pieces(bed: Mask) -> tuple[list[Mask], float]:
    """Return the mask of each sheet (what is not bed) and how rectangular the worst of them is."""
    other = cv2.bitwise_not(bed)
    other = cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))  # type: ignore[assignment]
    outlines, _ = cv2.findContours(other, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    pieces: list[tuple[float, float, Mask]] = []
    worst = 1.0
    for outline in outlines:
        area = cv2.contourArea(outline)
        if area < _SMALLEST_SHEET * bed.size:
            continue
        filled = np.zeros(bed.shape, np.uint8)
        cv2.drawContours(filled, [cv2.convexHull(outline)], -1, 255, cv2.FILLED)
        x, y, _, _ = cv2.boundingRect(outline)
        pieces.append((x, y, filled))
        worst = min(worst, area / max(1.0, _rectangle_in_frame(outline, bed.shape)))
    ordered = sorted(pieces, key=lambda one: (one[0], one[1]))
    return [piece for _, _, piece in ordered], worst


def _rectangle_in_frame(outline: NDArray[np.int32], shape: tuple[int, ...]) -> float:
    """Return the area of the part of an outline's rectangle that lies in the frame."""
    box = cv2.boxPoints(cv2.minAreaRect(outline))
    rows, columns = shape[:2]
    frame = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float32)
    area, _ = cv2.intersectConvexConvex(box.astype(np.float32), frame)
    return float(area)


def _measure(
    full: NDArray[np.generic], top: np.float32, piece: Mask, scale: float, raster: Raster
) -> Geometry:
    """Return the geometry of one sheet: a rectangle around its mask, refined on the full picture."""
    outline = max(
        cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea
    )
    box = cv2.boxPoints(cv2.minAreaRect(outline)).astype(np.float64)
    rough = _listed((box + 0.5) / scale)
    found: list[Side] = fit_sides(full, top, rough, 1.0 / scale)
    seen = sum(side.seen for side in found)
    corners = rectangle(found, full.shape[:2], rough)
    return make_geometry(corners, seen, raster.dpi, skew_known=seen > 0)


def _listed(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """List four corners top-left, top-right, bottom-right, bottom-left as scanned."""
    centre = box.mean(axis=0)
    angles = np.arctan2(*(box - centre).T[::-1])
    clockwise = box[np.argsort(angles)]
    # The top side is the one whose direction is nearest to the x axis with the smaller y.
    tops = [
        (clockwise[i] + clockwise[(i + 1) % 4])[1] / 2
        + 1e6 * (abs(clockwise[(i + 1) % 4] - clockwise[i])[1]
                 > abs(clockwise[(i + 1) % 4] - clockwise[i])[0] + 1e-9)
        for i in range(4)
    ]  # fmt: skip
    return np.roll(clockwise, -int(np.argmin(tops)), axis=0)


def rectangle(
    sides: list[Side], shape: tuple[int, ...], rough: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the four corners from the side lines; unseen sides per contract §4.

    A side beyond the frame is taken parallel to the sheet's own sides through the outermost film
    in the frame.
    """
    rows, columns = shape[:2]
    if not any(side.seen for side in sides):
        return np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)
    angle = _common_angle(sides)
    along = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-along[1], along[0]])
    normals = [-down, along, down, -along]
    frame = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)
    part = frame
    for side, normal in zip(sides, normals, strict=True):
        if side.seen:
            part = _clipped(part, normal, float(side.point @ normal))
    if len(part) < 3:
        return rough
    lines = []
    for side, normal in zip(sides, normals, strict=True):
        if side.seen:
            lines.append((side.point, side.direction))
        else:
            lines.append((part[np.argmax(part @ normal)], np.array([-normal[1], normal[0]])))
    order = ((3, 0), (0, 1), (1, 2), (2, 3))
    return np.array([_crossing(*lines[i], *lines[j]) for i, j in order])


def _common_angle(sides: list[Side]) -> float:
    """Return the sheet's direction: the seen sides' angles modulo 90 degrees, weighed.

    The variance of a fitted slope falls with the cube of the length, at equal sampling.
    """
    total = np.array([0.0, 0.0])
    for number, side in enumerate(sides):
        if side.seen:
            angle = np.arctan2(side.direction[1], side.direction[0]) - number * np.pi / 2
            total += side.weight * np.array([np.cos(4 * angle), np.sin(4 * angle)])
    return float(np.arctan2(total[1], total[0]) / 4)


def _clipped(
    polygon: NDArray[np.float64], normal: NDArray[np.float64], limit: float
) -> NDArray[np.float64]:
    """Cut a convex polygon down to the half plane ``p @ normal <= limit``."""
    kept: list[NDArray[np.float64]] = []
    for here, following in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        a, b = here @ normal - limit, following @ normal - limit
        if a <= 0:
            kept.append(here)
        if a * b < 0:
            kept.append(here + (following - here) * (a / (a - b)))
    return np.array(kept).reshape(-1, 2)


def _crossing(
    p: NDArray[np.float64], d: NDArray[np.float64], q: NDArray[np.float64], e: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where two lines, each a point and a direction, cross."""
    s = np.linalg.solve(np.column_stack([d, -e]), q - p)[0]
    return p + s * d


def _kind(raster: Raster, light: Floats, inside: NDArray[np.bool_]) -> ScanKind | None:
    """Guess film or paper: film is dark over a large part, paper is light with a little ink."""
    values = light[inside]
    if raster.bits > 8:
        return ScanKind.FILM
    dark = float(np.mean(values < 0.35))
    if raster.is_colour and _colourful(raster, inside.shape, inside):
        return ScanKind.LABEL
    return ScanKind.LABEL if dark < 0.22 and float(np.median(values)) > 0.5 else ScanKind.FILM


def _colourful(raster: Raster, shape: tuple[int, ...], inside: NDArray[np.bool_]) -> bool:
    """Tell whether the sheet has colour, as card and ink have and film has not."""
    small = cv2.resize(raster.pixels, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    spread = small.max(axis=2).astype(np.int16) - small.min(axis=2)
    return bool(np.median(spread[inside]) > 12)
