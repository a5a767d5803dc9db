"""Pieces that a supposed bed leaves: their four sides, and which of them may be sheets.

What this decides: where the sides of a piece run, and where its sheet ends beyond a rim that looks
like the bed. What it never does: believe that the rest is the bed
(:mod:`digitizer.film.supposition`).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import degrees

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.black_rims import with_whole_rim
from digitizer.film.edges import NO_SIDE, BedSurface, Side, measure_side
from digitizer.film.found import FoundSheet, Page, beside, outside
from digitizer.film.rectangle import common_angle, rectangle, rough_rectangle
from digitizer.film.rims import bed_is_brighter, beyond

__all__ = [
    "BELIEVED",
    "BESIDE",
    "is_scattered",
    "is_scrap",
    "measure_piece",
    "outermost",
    "reaches_frame",
    "unmeasured",
    "with_rims",
]

BELIEVED = 0.5
"""Part of the sides inside the frame that must be cut edges."""
BESIDE = 0.2
"""Part of a piece's rim outside the sheet measured on it that is more than tape or glare."""
_SCATTERED = 0.5
"""Likewise beside a sheet with all beyond its rough sides, which its pieces then are not of."""
_NARROWEST_MM = 25.0
"""Dental films are 31 by 41 mm."""
_SMALLEST_MM, _ALONE_MM = 30.0, 6.0
_RIM_POINTS = 400
"""So many points of a rim are kept."""
_GLOW = 3.0
"""Pixels of the reduced grid by which clear film shines over a dark bed."""
_MOST_OF_RIM = 0.85
"""Part of a piece's rim; another film that touches it, or a tab, makes up the rest."""
_SOFT_SUPPORT = 0.6
"""Agreeing share of a side from which an unsharp line may be a cut edge in an unsharp scan."""
_SOFT_PX, _SOFT_MM = 12.0, 2.5
"""The widest rise of such a line."""

Points = NDArray[np.float64]


def measure_piece(
    page: Page, bed: BedSurface, outlines: Sequence[NDArray[np.int32]]
) -> FoundSheet | None:
    """Measure the four sides of one supposed sheet; None where it cannot be one.

    On a dark bed the glare about a bright film seems to be film, which then has no film's size. Its
    cuts are looked for within that, and believed where they have.
    """
    found = _measured(page, bed, outlines)
    if found is None or found.is_cut_to_size(page):
        return found
    within = _measured(page, bed, outlines, within_glare=True)
    return within if within is not None and within.is_cut_to_size(page) else found


def _measured(
    page: Page,
    bed: BedSurface,
    outlines: Sequence[NDArray[np.int32]],
    *,
    within_glare: bool = False,
) -> FoundSheet | None:
    rows, columns = page.tone.shape
    laid = rough_rectangle(outlines, (rows, columns))
    if laid is None:
        return None
    rough = (laid.corners + 0.5) / page.reduction
    lengths = np.linalg.norm(np.roll(rough, -1, axis=0) - rough, axis=1)
    if lengths.min() < _NARROWEST_MM * page.pitch or lengths.min() < 0.12 * lengths.max():
        return None
    reach = max(8 / float(page.reduction.min()), 0.012 * float(lengths.max()))
    measured = tuple(
        _side(page, bed, rough[[number, (number + 1) % 4]], reach, within_glare=within_glare)
        if shown
        else NO_SIDE
        for number, shown in enumerate(laid.shown)
    )
    sides = _unsharp_too(measured, page.pitch)
    if not any(side.seen or side.soft for side in sides):
        return None
    angle = common_angle(sides, page.scale)
    if abs(degrees(angle)) > 45:
        return None
    inside = sum(length for length, shown in zip(lengths, laid.shown, strict=True) if shown)
    cut = sum(
        length * side.support for length, side in zip(lengths, sides, strict=True) if side.seen
    )
    corners = rectangle(sides, angle, page.scale, page.frame)
    rim = (np.concatenate(list(outlines))[:, 0, :] + 0.5) / page.reduction
    glow = _GLOW / float(page.reduction.min()) + _glare(corners, rim, sides)
    return FoundSheet(
        corners=corners,
        sides=sides,
        believed=float(cut / inside) if inside else 0.0,
        edge=sum(
            side.length * float(np.linalg.norm(side.direction * page.reduction))
            for side in sides
            if side.seen
        ),
        beside=beside(corners, rim, glow),
        rim=rim[:: max(1, len(rim) // _RIM_POINTS)],
        glow=glow,
        outlines=tuple(outlines),
    )


def _glare(corners: Points, rim: Points, sides: Sequence[Side]) -> float:
    """Return how far outside a piece's rim runs for glare: along most of it, not where most."""
    most = max(side.glare for side in sides)
    if most == 0.0:
        return 0.0
    return min(most, max(0.0, float(np.quantile(outside(corners, rim), _MOST_OF_RIM))))


def _side(page: Page, bed: BedSurface, ends: Points, reach: float, *, within_glare: bool) -> Side:
    """Measure one side; where bed lies beyond but no line is found, keep the rough one."""
    side = measure_side(
        page.full, bed, *ends, reach=reach, pitch=page.pitch, within_glare=within_glare
    )
    return side if side.seen or side.soft else replace(side, rough=True)


def _unsharp_too(sides: Sequence[Side], pitch: float) -> tuple[Side, ...]:
    """Take unsharp lines for cut edges where they meet others at the corner of a sheet.

    Bones, limbs and tubes show two parallel lines, but no corner.
    """
    widest = max(_SOFT_PX, _SOFT_MM * pitch)
    fit = [
        side.seen or (side.soft and side.support > _SOFT_SUPPORT and side.width < widest)
        for side in sides
    ]
    taken = [
        replace(side, seen=True) if fit[n] and (fit[n - 1] or fit[(n + 1) % 4]) else side
        for n, side in enumerate(sides)
    ]
    if not any(side.seen for side in taken):
        return tuple(taken)
    # Where bed shows beyond one side, an unsharp line on another is the sheet's too, if a poor one.
    return tuple(
        replace(side, rough=True) if side.soft and not side.seen else side for side in taken
    )


def reaches_frame(outline: NDArray[np.int32], page: Page) -> bool:
    """Tell whether a piece lies along the frame, as what an uneven lamp leaves of a bed does."""
    places = outline[:, 0]
    return bool((places <= 1).any() or (places >= np.array(page.tone.shape[::-1]) - 2).any())


def unmeasured(
    page: Page, outlines: Sequence[NDArray[np.int32]], found: Sequence[FoundSheet]
) -> list[FoundSheet]:
    """Return what lies apart from all sheets and has no side to measure, in boxes along the frame.

    What reaches the frame is rather what an uneven lamp leaves of a bed, and what is narrower than
    any film no sheet.
    """
    apart: list[FoundSheet] = []
    for number, outline in enumerate(outlines):
        rim = (outline[:, 0] + 0.5) / page.reduction
        near = _ALONE_MM * page.pitch
        held = any(float(outside(one.corners, rim).min()) < near for one in found)
        if (
            reaches_frame(outline, page)
            or held
            or np.ptp(rim, axis=0).min() < _NARROWEST_MM * page.pitch
        ):
            continue
        (left, top), (right, bottom) = rim.min(axis=0), rim.max(axis=0)
        box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        along = np.roll(box, -1, axis=0) - box
        sides = tuple(
            replace(NO_SIDE, point=start + way / 2, direction=way / np.linalg.norm(way), rough=True)
            for start, way in zip(box, along, strict=True)
        )
        glow = _GLOW / float(page.reduction.min())
        points = rim[:: max(1, len(rim) // _RIM_POINTS)]
        lone = FoundSheet(box, sides, 0.0, 0.0, 0.0, points, glow, (outline,))
        apart.append(replace(lone, piece=number, unsure=True))
    return apart


def outermost(found: list[FoundSheet]) -> list[FoundSheet]:
    """Leave out what lies inside another sheet that is believed more."""
    return [
        one
        for one in found
        if not any(
            other is not one and other.believed > one.believed and other.holds(one)
            for other in found
        )
    ]


def is_scrap(found: FoundSheet, all_found: Sequence[FoundSheet], page: Page) -> bool:
    """Tell a scrap of bed that looks otherwise: smaller than any film, without cut edges, alone.

    What lies right beside a sheet may be a part of it.
    """
    size = page.size_mm(found.corners)
    room = _ALONE_MM * page.pitch
    for other in all_found:
        if other is not found:
            rim = other.corners.astype(np.float32)
            away = [cv2.pointPolygonTest(rim, (float(x), float(y)), True) for x, y in found.corners]
            if max(away) > -room:
                return False
    return (
        size is not None
        and max(size.width, size.height) < _SMALLEST_MM
        and found.believed < BELIEVED
    )


def is_scattered(found: FoundSheet, page: Page) -> bool:
    """Tell whether most of a piece lies outside the sheet measured on it, whole as it may be."""
    if found.beside <= _SCATTERED:
        return False
    whole = with_whole_rim(page, found)
    return beside(whole.corners, whole.rim, whole.glow) > _SCATTERED


def with_rims(page: Page, found: list[FoundSheet], *, dark: bool = True) -> list[FoundSheet]:
    """Return the sheets with the rims that looked like the bed; none where none has one.

    Parameters
    ----------
    page : Page
    found : list of FoundSheet
    dark : bool
        Whether the bed is as dark as the darkest of a film. Beside another, which a film's rim is
        like by chance alone, a rim is looked for around what has no film's size.
    """
    # In eight bits rim and bed have one level: what differs is grey film.
    alone = dark and len(found) == 1 and not page.encoded
    # What glare or tape left of the bed's level is no sheet beside others that are borne out.
    found = [one for one in found if one.believed >= BELIEVED]
    pictures = [one.corners for one in found]
    brighter = bed_is_brighter(page.full, pictures, page.pitch) if dark else None
    wider = [
        _with_rim(
            page, one, [x.corners for x in found if x is not one], brighter, alone=alone, dark=dark
        )
        if dark or one.is_of_no_size(page)
        else None
        for one in found
    ]
    if not any(wider):
        return []
    rimmed = [wide or one for wide, one in zip(wider, found, strict=True)]
    explained = all(beside(one.corners, one.rim, one.glow) < BESIDE for one in rimmed)
    return rimmed if explained else []


def _with_rim(
    page: Page,
    found: FoundSheet,
    others: Sequence[Points],
    brighter: bool | None,
    *,
    alone: bool,
    dark: bool,
) -> FoundSheet | None:
    """Return a sheet with its rim; None where no edge shows beyond its picture."""
    if not found.has_corner and found.witnesses(page.scale, page.frame) < 2:
        return None
    seek = partial(
        beyond,
        page.full,
        found.corners,
        page.pitch,
        others,
        # Both as black are told apart by parts of what the scanner gives for them.
        top=page.top if page.density and not dark else None,
        brighter=brighter,
        alone=alone,
        blocks=found.beside < BESIDE,
    )
    whole = _moved_out(page, found, seek())
    if whole is None or not found.is_cut_to_size(page) or whole.is_cut_to_size(page):
        return whole
    # Beyond cuts as far apart as a film's there is glare or a shade; or they are those of a mask.
    return _moved_out(page, found, seek(even=True))


def _moved_out(
    page: Page, found: FoundSheet, rims: Sequence[float | None] | None
) -> FoundSheet | None:
    """Return a sheet with its sides as far out as its rims are wide; None where none has one."""
    if rims is None or (not any(rims) and found.may_be_whole(page, surely=True)):
        return None
    angle = common_angle(found.sides, page.scale)
    ends = np.roll(found.corners, -1, axis=0)
    sides = []
    for start, end, side, rim in zip(found.corners, ends, found.sides, rims, strict=True):
        if rim == 0.0 and side.rough:
            sides.append(side)
            continue
        along = (end - start) / np.linalg.norm(end - start)
        outward = np.array([along[1], -along[0]])
        middle = (start + end) / 2
        sides.append(
            replace(NO_SIDE, direction=side.direction, weight=side.weight)
            if rim is None
            else replace(side, seen=True, soft=False, point=middle + rim * outward)
        )
    corners = rectangle(sides, angle, page.scale, page.frame)
    # In eight bits what steps is grey film: a rim like the bed may lie beyond it.
    settled = tuple(bool(rim) and not page.encoded for rim in rims)
    return replace(found, corners=corners, sides=tuple(sides), believed=1.0, settled=settled)
