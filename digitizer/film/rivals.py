"""Which supposition about the bed is borne out best, and what follows from that for the page.

Of the suppositions believed, the one with the longest measured edges is taken. What lies inside a
sheet so borne out is no bed. Where two make one sheet lie otherwise, where pictures were printed on
one sheet, or where an exposed field was taken for the film, all of the frame is kept. And whichever
is taken, an edge that another one measures is not left out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from math import degrees

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.bed import (
    BedKind,
    Outline,
    frame_levels,
    grow_bed,
    kind_of_bed,
    outshines,
    reaches_ceiling_inside,
    scraps,
)
from digitizer.film.black_rims import with_black_rims, with_whole_rim
from digitizer.film.borders import border_angle
from digitizer.film.found import FED_DEG, FoundSheet, Page, beside, left_out, outside
from digitizer.film.pieces import outermost, reaches_frame
from digitizer.film.rectangle import OTHERWISE_DEG, agreeing, common_angle
from digitizer.film.sizes import is_film_size, may_be_framed
from digitizer.film.supposition import MOST_SHEETS, SIZED_MM, Supposition, suppose
from digitizer.model.units import SizeMm

__all__ = ["BorneOut", "best_sheets", "made_whole"]

_RIVAL = 0.4
"""Part of the longest measured edge from which another supposition is a rival."""
_NEARLY = 0.9
"""The same, from which on it is taken where the other leaves more than tape or glare over."""
_FEWEST_PICTURES = 4
_BLOCK_MM = 50.0
"""Films narrower than this are dental; blocks measure 25 to 45 mm across."""
_PRINTED_DEG = 0.12
"""How far most pictures of one print differ in angle; films laid by hand lie a degree askew."""
_MOST = 0.75
_ONE_SIZE = 0.03
"""How far most of them differ in size, as a part of it."""
_FIELD = 0.9
"""Part of the frame that a field on a film has at least each way where nothing but the bed is as
dark, or shines so: a border of an inch of 14."""
_APART = 0.5
"""Part of a piece's rim outside a sheet from which on it is none of the sheet's own."""
_BEYOND_MM = 1.0
"""So far beyond a sheet an edge is another than its own: of one edge, measured before the levels of
two beds, both lie within 0.7 on 800 drawn scans."""
_LEFT_OUT = 0.004
"""Part of its area that a sheet of no film's size may have of its piece outside: of 800 drawn films
no such one had 0.003, but one from which a part of its block was cut 0.017."""
_RIM_MM = 25.4
"""The widest clear or black rim of a film."""
_ALONG = 0.8
"""Part of a side of the frame along which a bed runs."""
_BED = 0.5
"""Part of a strip along the frame that may be film, or hidden in its glare, where it is bed."""
_WITHIN = 0.9
"""Part of the area of sheets that lies within another which they are printed on: an edge beyond the
outermost picture may have been taken for its own."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class BorneOut:
    """What the edges on a page bear out.

    Attributes
    ----------
    sheets : list of FoundSheet
        Empty where all of the frame is the sheet.
    angle : float or None
        Of that sheet in radians, where borders on it tell.
    unsure : bool
        Whether lines as sharp as a cut run within that sheet: the film may end there.
    """

    sheets: list[FoundSheet]
    angle: float | None = None
    unsure: bool = False


def best_sheets(page: Page) -> BorneOut:
    """Return the sheets under the supposition that their edges bear out best."""
    supposed: list[Supposition] = []
    for level, noise in frame_levels(page.tone):
        bed = grow_bed(page.tone, level, noise)
        if bed is None or float(np.mean(bed.mask > 0)) > 0.994:
            continue
        kind = kind_of_bed(bed, page.tone, page.light)
        if kind is not BedKind.INSIDE:
            one = suppose(page, bed, kind, level)
            shines = outshines(bed, page.light)
            over = shines and reaches_ceiling_inside(bed, page.light)
            dark = kind is BedKind.DARK
            supposed.append(
                replace(
                    one,
                    outshines=shines and not over,
                    over_exposed=over,
                    dark=dark,
                    scraps=scraps(bed.mask, page.smallest) if dark else [],
                )
            )
    believed = [
        one for one in supposed if one.sheets and not any(other.holds(one) for other in supposed)
    ]
    if believed:
        best = _film_around(_best_borne_out(believed, page), supposed, page)
        if any(_contradicts(other, best, page.scale) for other in believed):
            return BorneOut([], unsure=True)
        if _are_too_many(best.sheets, page):
            return BorneOut([], unsure=True)
        if _are_pictures(best.sheets, page):
            sides = [side for one in best.sheets for side in one.sides if side.seen]
            return BorneOut([], common_angle(sides, page.scale))
        kept = _kept(best, page)
        # Beyond films between which the bed shows another bed has no edge: it shows that of glare.
        if best.proven and len(kept.sheets) > 1:
            return kept
        return _to_edges_beyond(kept, believed, page)
    # A collimator's border is on the film; what is sharper may be the film's own edge.
    unsure = any(not field.is_soft for one in supposed for field in one.fields)
    masks = [one for one in supposed if one.is_mask]
    if len(masks) == 1:
        return BorneOut([], common_angle(masks[0].lines, page.scale), unsure)
    # A film as black as the bed beside two opposite cuts: they tell how it lies, not where it ends.
    cuts = [line for one in supposed for line in one.cuts]
    if cuts and len(agreeing(cuts, page.scale)) == len(cuts):
        return BorneOut([], common_angle(cuts, page.scale), unsure)
    lines = [line for one in supposed for line in one.lines]
    return BorneOut([], border_angle(lines, page.scale), unsure)


def _kept(best: Supposition, page: Page) -> BorneOut:
    """Return what is kept of the page under a supposition that its edges bear out."""
    # What bed-like film divided from the rest lies within the rest, once that is whole.
    whole = outermost([with_whole_rim(page, one) for one in best.sheets])
    whole = made_whole(whole, page)
    if best.over_exposed and not all(_is_surely_film(one, page) for one in whole):
        # Its clear rim may be as bright as the bed: how far that goes is not to be seen.
        angle = _angle_of_field(whole[0], page) if len(whole) == 1 else None
        return BorneOut([], angle, unsure=True)
    kept = with_black_rims(page, whole, dark=best.dark, grey=best.grey)
    # On a dark bed a rim as black as it may make up what lacks to a film's size.
    judged = kept if best.dark else whole
    if _is_field(judged, page, clear=not (best.dark or best.outshines)):
        if any(one.joined for one in judged):
            return BorneOut([_all_around(max(judged, key=lambda one: one.area), page)])
        angle = _angle_of_field(judged[0], page) if len(judged) == 1 else None
        return BorneOut([], angle, unsure=True)
    if _leaves_pieces_out(best, kept, page):
        lone = len(kept) == 1 and not best.dark
        return BorneOut([], _angle_of_field(kept[0], page) if lone else None, unsure=True)
    films = any(_measures_as_film(one, page) for one in [*best.sheets, *kept])
    if best.dark and len(kept) == 1:
        if kept[0].is_of_two(page.scale):
            # Where its own sides run is not known, and its corners are as black as the bed.
            return BorneOut([_all_around(kept[0], page)])
        if kept[0].seen < 2 and not _may_be_film(kept[0], page):
            # Pictures on black film end in a line likewise.
            return BorneOut([], unsure=True)
    all_of_it = [_with_what_it_leaves_out(one, page) for one in kept]
    if best.dark and not films:
        all_of_it = _with_scraps(all_of_it, best.scraps, page)
    return BorneOut(_kept_apart(all_of_it, kept))


def _kept_apart(widened: Sequence[FoundSheet], kept: Sequence[FoundSheet]) -> list[FoundSheet]:
    """Return sheets widened; one that would reach into another stays, and is told as of two.

    What stands out of one film above another would bring the other's block into its picture.
    """

    def shared(one: FoundSheet, other: FoundSheet) -> float:
        corners = (np.asarray(one.corners, np.float32), np.asarray(other.corners, np.float32))
        return float(cv2.intersectConvexConvex(*corners)[0])

    return [
        replace(before, hung_out=True, unsure=True)
        if any(
            shared(one, other) > shared(before, other) + 1 for other in kept if other is not before
        )
        else one
        for one, before in zip(widened, kept, strict=True)
    ]


def _with_what_it_leaves_out(found: FoundSheet, page: Page) -> FoundSheet:
    """Return a sheet with what stands out of it, and one of no film's size with all of its piece.

    A label, and a small film that touches a large one, show beyond its sides. A block, or a
    picture, that is printed over a black rim shows where no edge does.
    """
    out = left_out(page, found)
    # So much beside it may be another, or a flap: sides of two tell no angle.
    found = replace(found, hung_out=found.hung_out or out.is_much)
    if out.stands_out:
        return found.widened_to(out.places, page.scale)
    if out.part < _LEFT_OUT or _measures_as_film(found, page):
        return found
    return found.widened_to(found.rim, page.scale)


def _with_scraps(
    kept: Sequence[FoundSheet], outlines: Sequence[Outline], page: Page
) -> list[FoundSheet]:
    """Return pictures on a dark bed with the blocks that are printed apart from them.

    What ends in no film's size goes on in a rim as black as the bed, and what stands in that is
    printed on it, no farther off than a rim is wide. Of several each takes what is nearest to it.
    """
    within: list[list[Points]] = [[] for _ in kept]
    for outline in outlines:
        rim = (outline[:, 0] + 0.5) / page.reduction
        away = [float(outside(one.corners, rim).min()) for one in kept]
        nearest = int(np.argmin(away))
        if away[nearest] < _RIM_MM * page.pitch and not reaches_frame(outline, page):
            within[nearest].append(rim)
    return [
        one.widened_to(np.concatenate(places), page.scale)
        if any(outside(one.corners, place).max() > 0 for place in places)
        else one
        for one, places in zip(kept, within, strict=True)
    ]


def _to_edges_beyond(kept: BorneOut, believed: Sequence[Supposition], page: Page) -> BorneOut:
    """Return what is kept, and what lies before edges that another believed bed shows beyond it.

    A sheet's clear rim is as level as a bed, and where it goes on to the frame the outline of its
    pictures may be longer than what shows of the sheet's own. But beyond a film there is no cut.
    """
    beyond = _edges_beyond(kept.sheets, believed, page)
    if not kept.sheets or not beyond:
        return kept
    if len(kept.sheets) > 1:
        # Which of them goes on is not known, or it is another's.
        return BorneOut([], unsure=True)
    return BorneOut([kept.sheets[0].widened_to(np.concatenate(beyond), page.scale)])


def _leaves_pieces_out(best: Supposition, kept: Sequence[FoundSheet], page: Page) -> bool:
    """Tell whether what is no bed lies beside sheets of which none has a film's size.

    They are pictures on film as black as the bed, and what lies beside them is printed on it too.
    Or, where the bed is not dark, it goes along the frame and no farther off than a rim is wide:
    then that is the bed, and what was taken for it the film's rim.
    """
    if any(_measures_as_film(one, page) for one in best.sheets):
        return False
    pieces = [one for one in best.pieces if best.dark or _runs_along_frame(one, page)]
    rims = [(one[:, 0] + 0.5) / page.reduction for one in pieces]
    room = np.inf if best.dark else _RIM_MM * page.pitch
    return any(
        all(
            beside(one.corners, rim, one.glow) > _APART
            and float(outside(one.corners, rim).min()) < room
            for one in kept
        )
        for rim in rims
    )


def _runs_along_frame(outline: Outline, page: Page) -> bool:
    """Tell whether a piece reaches the frame along most of one of its sides."""
    rows, columns = page.tone.shape
    x, y = outline[:, 0, 0], outline[:, 0, 1]
    return any(
        bool(at.any()) and float(np.ptp(along[at])) > _ALONG * length
        for at, along, length in (
            (y == 0, x, columns),
            (y == rows - 1, x, columns),
            (x == 0, y, rows),
            (x == columns - 1, y, rows),
        )
    )


def _all_around(found: FoundSheet, page: Page) -> FoundSheet:
    """Return a sheet that may be two with all of the frame: no more is known of where it ends."""
    return replace(found, rim=np.concatenate([found.rim, page.frame]))


def _best_borne_out(believed: Sequence[Supposition], page: Page) -> Supposition:
    """Return the supposition with the longest edges, or one nearly so that explains more.

    Where the rim of one film hangs on to another, a level nearer to the rim's takes it for bed. And
    where a black rim is nearly the bed's level, its picture within has no film's size.
    """
    best = max(believed, key=lambda one: one.edge)
    near = [one for one in believed if one.edge > _NEARLY * best.edge]
    clear = [one for one in near if one.is_clear]
    best = max(clear, key=lambda one: one.edge, default=best)
    if _are_films(best, page):
        return best
    around = [
        one
        for one in near
        if _are_films(one, page)
        and all(any(mine.holds(sheet) for mine in one.sheets) for sheet in best.sheets)
    ]
    return max(around, key=lambda one: one.edge, default=best)


def _film_around(best: Supposition, supposed: Sequence[Supposition], page: Page) -> Supposition:
    """Return what has a film's size where other sheets, of which some have none, lie within it.

    The rim of a sheet is as level as a bed, and the outline of its pictures longer than what shows
    of the sheet's own where that goes on beyond the frame. Then the bed beside it seems to be
    sheets too, which end where the film does: no edge that was measured lies beyond it.
    """
    if all(_measures_as_film(one, page) for one in best.sheets):
        return best
    around = [
        one
        for one in supposed
        if one.sheets
        and all(_measures_as_film(sheet, page) for sheet in one.sheets)
        and not _edges_beyond(one.sheets, [best], page)
    ]
    return max(around, key=lambda one: one.edge, default=best)


def _edges_beyond(
    kept: Sequence[FoundSheet], supposed: Sequence[Supposition], page: Page
) -> list[Points]:
    """Return begin and end, (2, 2), of each edge under suppositions that lies beyond all sheets."""
    room = _BEYOND_MM * page.pitch
    edges = chain.from_iterable(
        one.edges_in(page.frame) for other in supposed if not other.is_seam for one in other.sheets
    )
    return [edge for edge in edges if all(one.is_beside(edge.mean(axis=0), room) for one in kept)]


def _measures_as_film(found: FoundSheet, page: Page) -> bool:
    """Tell whether a sheet has a film's size, as well as it is measured; so it may without one."""
    size = page.size_mm(found.corners)
    if size is None or not all(side.seen for side in found.sides):
        return _may_be_film(found, page)
    return is_film_size(size, SIZED_MM)


def _is_surely_film(found: FoundSheet, page: Page) -> bool:
    """Tell whether all that shows of a sheet, roughly known sides too, makes a film's size."""
    size = page.size_mm(found.corners)
    if size is None or found.seen < len(found.sides):
        return _may_be_film(found, page)
    return not found.joined and is_film_size(size, SIZED_MM)


def _are_films(supposed: Supposition, page: Page) -> bool:
    """Tell whether all of its sheets are films of the trade by four edges."""
    sizes = [(one, page.size_mm(one.corners)) for one in supposed.sheets]
    return all(
        size is not None and is_film_size(size, SIZED_MM) and all(side.seen for side in one.sides)
        for one, size in sizes
    )


def made_whole(found: Sequence[FoundSheet], page: Page) -> list[FoundSheet]:
    """Return films with bed between them: what lies against another is of one with it.

    So is what was cut from one piece, unless all of it has films' sizes: tape and glare join films,
    and the bed seems to divide one where its flap, or its picture, is as black.
    """
    films = [_may_be_film(one, page) for one in found]
    cut = {one.piece for number, one in enumerate(found) if not films[number] and one.piece >= 0}
    apart: list[list[FoundSheet]] = []
    for one in sorted(found, key=lambda one: -one.area):
        # What lies against two of them makes one of all three.
        near = [some for some in apart if any(_is_of_one(one, x, cut, page) for x in some)]
        apart = [some for some in apart if all(some is not other for other in near)]
        apart.append([*chain.from_iterable(near), one])
    joined = [reduce(FoundSheet.joined_with, sorted(some, key=lambda x: -x.area)) for some in apart]
    return sorted(joined, key=lambda one: tuple(one.corners.min(axis=0)))


def _is_of_one(one: FoundSheet, other: FoundSheet, cut: Collection[int], page: Page) -> bool:
    of_piece = one.piece == other.piece and one.piece in cut
    return of_piece or one.lies_against(other, page.scale)


def _may_be_film(found: FoundSheet, page: Page) -> bool:
    """Tell whether a sheet has a film's size, as far as it shows."""
    size = page.size_mm(found.corners)
    if size is None:
        return True
    return found.may_be_whole(page) if any(found.hidden) else is_film_size(size)


def _contradicts(other: Supposition, best: Supposition, scale: Points) -> bool:
    """Tell whether another bed is borne out nearly as well and makes one sheet lie otherwise."""
    if other.is_seam or other.edge < _RIVAL * best.edge:
        return False
    if len(other.sheets) != 1 or len(best.sheets) != 1:
        return False
    angles = [common_angle(one.sheets[0].sides, scale) for one in (other, best)]
    return abs(degrees(angles[0] - angles[1])) > OTHERWISE_DEG


def _is_field(sheets: Sequence[FoundSheet], page: Page, *, clear: bool) -> bool:
    """Tell the exposed field of a film from a sheet, in a frame that was cropped to the film.

    It has no film's size and nearly fills the frame: a clear border is an inch at most. A flap that
    is folded over leaves a film as wide as it was, and a film that is cut off lies between edges as
    far apart as its own; a field is narrower than its film both ways.

    Parameters
    ----------
    sheets : sequence of FoundSheet
    page : Page
    clear : bool
        Whether what lies beside may be clear film: beside pictures it is as wide as an ID block.
    """
    frame = page.size_mm(page.frame)
    size = page.size_mm(sheets[0].corners)
    if size is None or frame is None:
        return False
    if clear and (len(sheets) > 1 or sheets[0].joined):
        films = any(_measures_as_film(one, page) for one in sheets)
        return not films and may_be_framed(frame)
    if len(sheets) != 1 or sheets[0].joined:
        return False
    seen = [side.seen for side in sheets[0].sides]
    across = size.width if seen[1] and seen[3] else None
    down = size.height if seen[0] and seen[2] else None
    if not may_be_framed(frame, (across, down)):
        return False
    fills = size.width > _FIELD * frame.width and size.height > _FIELD * frame.height
    if not (fills or clear):
        return False
    if not fills and sum(seen) < 4 and sheets[0].opposite_cuts(page.scale, page.frame):
        # A film that is cut off by the frame; a field beside which so much shows has four sides.
        return False
    if abs(degrees(common_angle(sheets[0].sides, page.scale))) > FED_DEG:
        return False
    return not sheets[0].may_be_whole(page, surely=True)


def _angle_of_field(field: FoundSheet, page: Page) -> float | None:
    """Return the angle of a field's sides where several bear it out; one may be a crease."""
    several = field.witnesses(page.scale, page.frame) > 1
    return common_angle(field.sides, page.scale) if several else None


def _are_pictures(sheets: Sequence[FoundSheet], page: Page) -> bool:
    """Tell what is printed on one sheet from films: pictures all of a size, or some and a block."""
    if _bears_block(sheets, page):
        return True
    scale = page.scale
    in_line = [any(one.is_printed_with(other, scale) for other in sheets) for one in sheets]
    # Of the pictures on a dark bed some rows may be cut short by a rim that looks like it.
    films = any(_measures_as_film(one, page) for one in sheets)
    if np.mean(in_line) > _MOST or (any(in_line) and not films):
        return True
    if len(sheets) < _FEWEST_PICTURES:
        return False
    angles = np.array([degrees(common_angle(one.sides, scale)) for one in sheets])
    sizes = np.array(
        [np.linalg.norm((one.corners[[1, 3]] - one.corners[0]) * scale, axis=1) for one in sheets]
    )
    usual = np.median(sizes, axis=0)
    alike = float(np.median(np.abs(sizes / usual - 1).max(axis=1)))
    askew = float(np.quantile(np.abs(angles - np.median(angles)), _MOST))
    return askew < _PRINTED_DEG and alike < _ONE_SIZE


def _are_too_many(sheets: Sequence[FoundSheet], page: Page) -> bool:
    """Tell more sheets than are laid on one bed, few of them of a film's size by four edges."""
    sizes = [(one, page.size_mm(one.corners)) for one in sheets]
    films = sum(
        size is not None and is_film_size(size, SIZED_MM) and all(side.seen for side in one.sides)
        for one, size in sizes
    )
    return len(sheets) > MOST_SHEETS and 2 * films < len(sheets)


def _bears_block(sheets: Sequence[FoundSheet], page: Page) -> bool:
    """Tell pictures on clear film by the ID block beside them, none of them of a film's size."""
    measured = [(one, size) for one in sheets if (size := page.size_mm(one.corners)) is not None]
    blocks = [_is_block(*one) for one in measured]
    return any(blocks) and not all(blocks) and not any(is_film_size(one[1]) for one in measured)


def _is_block(found: FoundSheet, size: SizeMm) -> bool:
    """Tell an ID block by its four sides: of no film's size, and narrower than all but dental."""
    seen = all(side.seen for side in found.sides)
    return seen and min(size.width, size.height) < _BLOCK_MM and not is_film_size(size)
