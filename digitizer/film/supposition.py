"""Suppositions about where the bed shows, and the one that the sheets' edges bear out best.

Every calm level along the frame is supposed to be the bed in turn and followed inwards; what it
leaves are pieces, whose sides are then measured at full resolution. A cut edge is as sharp as the
scanner, a collimator's border as wide as its penumbra; so a supposition is believed when the sides
of its pieces are sharp, or when nothing but the bed can have its level. Of those believed, the one
with the longest measured edges is taken. What lies inside a sheet so borne out is no bed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import degrees

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.bed import (
    Bed,
    BedKind,
    Mask,
    Outline,
    frame_levels,
    groupings,
    grow_bed,
    kind_of_bed,
    outshines,
    shows_light_behind,
)
from digitizer.film.black_rims import with_black_rims, with_whole_rim
from digitizer.film.borders import border_angle, is_border, is_machined
from digitizer.film.edges import NO_SIDE, BedSurface, Side, measure_side
from digitizer.film.found import FoundSheet, Page, beside
from digitizer.film.rectangle import common_angle, rectangle, rough_rectangle
from digitizer.film.rims import bed_is_brighter, beyond
from digitizer.film.sizes import (
    is_film_side,
    is_film_size,
    is_longer_than_any,
    may_be_framed,
    may_be_whole,
)
from digitizer.model.units import SizeMm

__all__ = ["best_sheets"]

_NARROWEST_MM = 25.0
"""Dental films are 31 by 41 mm."""
_SMALLEST_MM, _ALONE_MM = 30.0, 6.0
_BELIEVED = 0.5
"""Part of the sides inside the frame that must be cut edges."""
_LONE = 0.3
"""How much more of it where no two of them meet in a corner."""
_PROVEN = 0.75
"""The same, from which on two sheets with corners prove the bed for others beside them."""
_BACKED = 0.35
"""Part of the sides of these others that must be cut edges."""
_BEYOND_DOUBT = 0.85
"""The same, from which on no other way to see the pieces is tried."""
_BESIDE = 0.2
"""Part of a piece's rim outside the sheet measured on it that is more than tape or glare."""
_SCATTERED = 0.5
"""The same beside a sheet with all beyond its rough sides, which its pieces then are not of."""
_RIM_POINTS = 400
"""So many points of a rim are kept."""
_GLOW = 3.0
"""Pixels of the reduced grid by which clear film shines over a dark bed."""
_RIVAL = 0.4
"""Part of the longest measured edge from which another supposition is a rival."""
_NEARLY = 0.9
"""The same, from which on it is taken where the other leaves more than tape or glare over."""
_OUTWEIGHED = 2.0
"""So many times longer edges are not those of a picture on what shorter ones bound."""
_OTHERWISE_DEG = 1.0
"""The largest error of an angle that may be told at all: rivals further apart tell none."""
_SAME_BED = 0.3
"""Levels of log light nearer than this may be one uneven bed; clear film takes 0.4 at least."""
_MOST_SHEETS = 4
"""More on one bed are rather the pictures of one sheet, whose ground looks like the bed."""
_LEAST_EDGE = 0.3
"""Part of the frame's short side that the measured edges must have in all: a sticker has less."""
_SOFT_SUPPORT = 0.6
"""Agreeing share of a side from which an unsharp line may be a cut edge in an unsharp scan."""
_SOFT_PX, _SOFT_MM = 12.0, 2.5
"""The widest rise of such a line."""
_FEWEST_PICTURES = 4
_BLOCK_MM = 50.0
"""Films narrower than this are dental; blocks measure 25 to 45 mm across."""
_PRINTED_DEG = 0.12
"""How far most pictures of one print differ in angle; films laid by hand lie a degree askew."""
_MOST = 0.75
_ONE_SIZE = 0.03
"""How far most of them differ in size, as a part of it."""
_FED_DEG = 1.2
"""How far askew a film is fed whose edges all lie beyond the frame."""
_WHOLE_SIDE = 0.8
"""Agreeing share of a side from which on it is one line from end to end."""
_FIELD = 0.9
"""Part of the frame that a field on a film has at least each way: a border of an inch of 14."""
_CUT_MM = 1.5
"""How far a sheet may differ from its size of the trade."""
_SEAM_DEG = 0.04
"""A lone edge that runs along the frame this closely is a seam of the scanner, not a film's."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Supposition:
    """A supposed bed and the sheets it leaves.

    Attributes
    ----------
    level : float
        Log light of the bed.
    sheets : list of FoundSheet
        Empty where one of them is not believed.
    fields : list of FoundSheet
        What it leaves where it is a border on the film.
    lines : list of Side
        Other straight lines along it.
    printed : bool
        Whether the fields are framed by a mask printed on the film.
    outshines : bool
        Whether the bed shines beyond the scanner's range, as nothing on a film does.
    dark : bool
        Whether the bed is as dark as the darkest of a film.
    """

    level: float
    sheets: list[FoundSheet]
    fields: list[FoundSheet]
    lines: list[Side]
    printed: bool = False
    outshines: bool = False
    dark: bool = False

    @property
    def is_mask(self) -> bool:
        """Whether it is one printed mask, seen on all four sides: it lies as its sheet does."""
        return self.printed and len(self.fields) == 1 and self.fields[0].seen == 4

    @property
    def edge(self) -> float:
        return sum(one.edge for one in self.sheets)

    @property
    def is_seam(self) -> bool:
        """Whether it rests on one line along the frame."""
        if self.outshines:
            return False
        outer = [*self.sheets, *self.fields]
        sides = [side for one in outer for side in one.sides if side.seen]
        along = [float(np.abs(side.direction).min()) for side in sides]
        return len(sides) == 1 and degrees(along[0]) < _SEAM_DEG

    @property
    def is_soft(self) -> bool:
        """Whether most of its edges are as wide as a penumbra."""
        sides = [side for one in self.sheets for side in one.sides if side.seen]
        return 2 * sum(side.soft for side in sides) > len(sides)

    @property
    def is_sharp(self) -> bool:
        """Whether its sheets have corners of edges that are none of them penumbrae."""
        sides = [side for one in self.sheets for side in one.sides if side.seen]
        return all(one.has_corner for one in self.sheets) and not any(side.soft for side in sides)

    @property
    def is_clear(self) -> bool:
        """Whether no more than tape or glare lies outside of its sheets."""
        return all(beside(one.corners, one.rim, one.glow) < _BESIDE for one in self.sheets)

    def holds(self, other: "_Supposition") -> bool:
        """Tell whether the other's bed lies on the sheets, or the fields, of this one."""
        if self.is_seam and not other.is_soft:
            # A seam holds nothing; but a penumbra is no sheet's edge either, and lies inside one.
            return False
        outer = [*self.sheets, *self.fields]
        if other.is_sharp and (self.is_soft or other.edge > _OUTWEIGHED * self.edge):
            # No penumbra, and no short line, makes a border of cut edges that meet.
            return False
        if other.is_soft and self.sheets and not self.is_soft:
            # A penumbra within a cut edge is a collimator's, however alike the levels are.
            return all(any(mine.holds_lines(one) for mine in outer) for one in other.sheets)
        if abs(self.level - other.level) < _SAME_BED:
            return False
        return all(any(mine.holds(one) for mine in outer) for one in other.sheets)


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
    supposed: list[_Supposition] = []
    for level, noise in frame_levels(page.tone):
        bed = grow_bed(page.tone, level, noise)
        if bed is None or float(np.mean(bed.mask > 0)) > 0.994:
            continue
        kind = kind_of_bed(bed, page.tone, page.light)
        if kind is not BedKind.INSIDE:
            one = _suppose(page, bed, kind, level)
            shines = outshines(bed, page.light)
            supposed.append(replace(one, outshines=shines, dark=kind is BedKind.DARK))
    believed = [
        one for one in supposed if one.sheets and not any(other.holds(one) for other in supposed)
    ]
    if believed:
        best = _best_borne_out(believed, page)
        if any(_contradicts(other, best, page.scale) for other in believed):
            return BorneOut([], unsure=True)
        if _are_pictures(best.sheets, page):
            sides = [side for one in best.sheets for side in one.sides if side.seen]
            return BorneOut([], common_angle(sides, page.scale))
        # What bed-like film divided from the rest lies within the rest, once that is whole.
        whole = _outermost([with_whole_rim(page, one) for one in best.sheets])
        whole = _joined(whole, page)
        kept = with_black_rims(page, whole, dark=best.dark)
        # On a dark bed a rim as black as it may make up what lacks to a film's size.
        if _is_field(kept if best.dark else whole, page):
            return BorneOut([], _angle_of_field(best.sheets[0], page), unsure=True)
        return BorneOut(kept)
    # A collimator's border is on the film; what is sharper may be the film's own edge.
    unsure = any(not field.is_soft for one in supposed for field in one.fields)
    masks = [one for one in supposed if one.is_mask]
    if len(masks) == 1:
        return BorneOut([], common_angle(masks[0].lines, page.scale), unsure)
    lines = [line for one in supposed for line in one.lines]
    return BorneOut([], border_angle(lines, page.scale), unsure)


def _joined(found: Sequence[FoundSheet], page: Page) -> list[FoundSheet]:
    """Return films with bed between them: what lies against another is of one with it.

    So is what was cut from one piece, unless all of it has films' sizes: tape and glare join films,
    and the bed seems to divide one where its flap, or its picture, is as black.
    """
    films = [_may_be_film(one, page) for one in found]
    cut = {
        one.piece
        for number, one in enumerate(found)
        if not films[number] and sum(other.piece == one.piece for other in found) > 1
    }
    apart: list[FoundSheet] = []
    for one in sorted(found, key=lambda one: -one.area):
        against = [
            number
            for number, other in enumerate(apart)
            if (one.piece == other.piece and one.piece in cut)
            or other.lies_against(one, page.scale)
        ]
        if against:
            apart[against[0]] = apart[against[0]].joined_with(one)
        else:
            apart.append(one)
    return sorted(apart, key=lambda one: tuple(one.corners.min(axis=0)))


def _may_be_film(found: FoundSheet, page: Page) -> bool:
    """Tell whether a sheet has a film's size, as far as it shows."""
    size = _size_mm(found.corners, page)
    if size is None:
        return True
    top, right, bottom, left = (not (side.seen or side.rough) for side in found.sides)
    hidden = (left + right, top + bottom)
    return may_be_whole(size, hidden) if any(hidden) else is_film_size(size)


def _best_borne_out(believed: Sequence[_Supposition], page: Page) -> _Supposition:
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


def _are_films(supposed: _Supposition, page: Page) -> bool:
    """Tell whether all of its sheets are films of the trade by four edges."""
    sizes = [(one, _size_mm(one.corners, page)) for one in supposed.sheets]
    return all(
        size is not None and is_film_size(size, _CUT_MM) and all(side.seen for side in one.sides)
        for one, size in sizes
    )


def _are_pictures(sheets: Sequence[FoundSheet], page: Page) -> bool:
    """Tell what is printed on one sheet from films: pictures all of a size, or some and a block."""
    if _bears_block(sheets, page):
        return True
    scale = page.scale
    in_line = [any(one.is_printed_with(other, scale) for other in sheets) for one in sheets]
    if np.mean(in_line) > _MOST:
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


def _is_field(sheets: Sequence[FoundSheet], page: Page) -> bool:
    """Tell the exposed field of a film from a sheet, in a frame that was cropped to the film.

    It has no film's size and nearly fills the frame: a clear border is an inch at most. A flap that
    is folded over leaves a film as wide as it was, and a film that is cut off lies between edges as
    far apart as its own; a field is narrower than its film both ways.
    """
    frame = _size_mm(page.frame, page)
    size = _size_mm(sheets[0].corners, page)
    if len(sheets) != 1 or size is None or frame is None:
        return False
    seen = [side.seen for side in sheets[0].sides]
    across = size.width if seen[1] and seen[3] else None
    down = size.height if seen[0] and seen[2] else None
    if not may_be_framed(frame, (across, down)):
        return False
    if size.width < _FIELD * frame.width or size.height < _FIELD * frame.height:
        return False
    if abs(degrees(common_angle(sheets[0].sides, page.scale))) > _FED_DEG:
        return False
    top, right, bottom, left = (not (side.seen or side.rough) for side in sheets[0].sides)
    return not may_be_whole(size, (left + right, top + bottom), surely=True)


def _angle_of_field(field: FoundSheet, page: Page) -> float | None:
    """Return the angle of a field's sides where several bear it out; one may be a crease."""
    several = field.witnesses(page.scale, page.frame) > 1
    return common_angle(field.sides, page.scale) if several else None


def _bears_block(sheets: Sequence[FoundSheet], page: Page) -> bool:
    """Tell pictures on clear film by the ID block beside them, none of them of a film's size."""
    measured = [(one, size) for one in sheets if (size := _size_mm(one.corners, page)) is not None]
    blocks = [_is_block(*one) for one in measured]
    return any(blocks) and not all(blocks) and not any(is_film_size(one[1]) for one in measured)


def _is_block(found: FoundSheet, size: SizeMm) -> bool:
    """Tell an ID block by its four sides: of no film's size, and narrower than all but dental."""
    seen = all(side.seen for side in found.sides)
    return seen and min(size.width, size.height) < _BLOCK_MM and not is_film_size(size)


def _contradicts(other: _Supposition, best: _Supposition, scale: Points) -> bool:
    """Tell whether another bed is borne out nearly as well and makes one sheet lie otherwise."""
    if other.is_seam or other.edge < _RIVAL * best.edge:
        return False
    if len(other.sheets) != 1 or len(best.sheets) != 1:
        return False
    angles = [common_angle(one.sheets[0].sides, scale) for one in (other, best)]
    return abs(degrees(angles[0] - angles[1])) > _OTHERWISE_DEG


def _suppose(page: Page, bed: Bed, kind: BedKind, level: float) -> _Supposition:
    """Measure what a supposed bed leaves, in the way of grouping that its edges bear out best."""
    rows, columns = page.full.shape[:2]
    surface = BedSurface(
        terms=bed.surface,
        tolerance=bed.tolerance,
        rows=rows,
        columns=columns,
        top=page.top,
        density=page.density,
        encoded=page.encoded,
    )
    best: list[FoundSheet] = []
    lines: list[Side] = []
    is_film = kind is BedKind.DARK and shows_light_behind(bed, page.light)
    seek_rims = kind is BedKind.DARK and not is_film
    plain: list[Outline] = []
    for grouping in groupings(bed.mask):
        plain = plain or [outlines[0] for outlines in grouping]
        pieces = [_measure(page, surface, outlines) for outlines in grouping]
        found = _outermost([one for one in pieces if one is not None])
        found = [one for one in found if not _is_scrap(one, found, page)] or found
        if not found:
            continue
        # What hangs on to a lone sheet may be its own rim, blacker than the bed.
        clear = all(one.beside < _BESIDE for one in found)
        if seek_rims and (clear or len(found) == 1):
            seek_rims = not clear
            if rimmed := _with_rims(page, found):
                return _Supposition(level, rimmed, [], [])
        alone = sum(len(outlines) for outlines in grouping) == 1
        if is_film or any(_is_border(page, surface, kind, one, alone=alone) for one in found):
            lines = [side for one in found for side in one.sides if side.weight > 0]
            return _Supposition(level, [], found, lines, kind is BedKind.DARK)
        proven = _proves(found, page)
        least = min(
            one.believed if one.has_corner or proven else one.believed - _LONE for one in found
        )
        borne_out = least >= (_BACKED if proven else _BELIEVED)
        edge = sum(one.edge for one in found)
        fewer = len(best) > _MOST_SHEETS >= len(found)
        scattered = any(_is_scattered(one, page) for one in found)
        better = fewer or edge > sum(one.edge for one in best)
        if borne_out and better and not scattered and _is_bare(bed.mask, found, page):
            best = [replace(one, piece=_piece_of(one, plain, page)) for one in found]
        apart = len(found) <= _MOST_SHEETS and all(one.beside < _BESIDE for one in found)
        if least >= _BEYOND_DOUBT and apart:
            break
        lines = lines or [side for one in found for side in one.sides if side.soft]
    if sum(one.edge for one in best) < _LEAST_EDGE * min(page.tone.shape):
        best = []
    return _Supposition(level, best, [], [] if best else lines)


def _piece_of(found: FoundSheet, plain: Sequence[Outline], page: Page) -> int:
    """Return which connected piece a sheet lies in."""
    x, y = found.rim[0] * page.reduction - 0.5
    away = [cv2.pointPolygonTest(one, (float(x), float(y)), True) for one in plain]
    return int(np.argmax(away))


def _proves(found: Sequence[FoundSheet], page: Page) -> bool:
    """Tell whether some sheets prove the bed for others beside them.

    Two with corners do; and one of a size of the trade, since hardly anything on a film has that.
    """
    clear = sum(one.has_corner and one.believed > _PROVEN for one in found)
    return clear > 1 or any(one.believed >= _BELIEVED and _is_whole(one, page) for one in found)


def _is_whole(found: FoundSheet, page: Page) -> bool:
    """Tell whether a sheet is a whole film of the trade by its size, as far as that shows.

    Two opposite edges must be measured: the size of what goes on beyond the frame is the frame's,
    and a frame has a film's size where a film fills it.
    """
    size = _size_mm(found.corners, page)
    seen = [side.seen for side in found.sides]
    if size is None or not ((seen[0] and seen[2]) or (seen[1] and seen[3])):
        return False
    top, right, bottom, left = (not (side.seen or side.rough) for side in found.sides)
    return may_be_whole(size, (left + right, top + bottom))


def _is_scrap(found: FoundSheet, all_found: Sequence[FoundSheet], page: Page) -> bool:
    """Tell a scrap of bed that looks otherwise: smaller than any film, without cut edges, alone.

    What lies right beside a sheet may be a part of it.
    """
    size = _size_mm(found.corners, page)
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
        and found.believed < _BELIEVED
    )


def _is_scattered(found: FoundSheet, page: Page) -> bool:
    """Tell whether most of a piece lies outside the sheet measured on it, whole as it may be."""
    if found.beside <= _SCATTERED:
        return False
    whole = with_whole_rim(page, found)
    return beside(whole.corners, whole.rim, whole.glow) > _SCATTERED


def _is_bare(bed: Mask, found: Sequence[FoundSheet], page: Page) -> bool:
    """Tell whether less than what the sheets hold lies outside of them and is no bed.

    On a bed only dust, tape, glare and an uneven lamp are: 0.26 of it at most beside 500 drawn
    films, 0.44 on beds where films fade. Where soft tissue was taken for bed, the rest of the film
    lies outside, and more than was taken for a sheet.
    """
    within = np.zeros(bed.shape, np.uint8)
    for one in found:
        corners = np.rint(one.corners * page.reduction - 0.5).astype(np.int32)
        cv2.fillConvexPoly(within, corners, 255)
    unlike = cv2.bitwise_not(bed)
    return 2 * cv2.countNonZero(cv2.bitwise_and(unlike, within)) > cv2.countNonZero(unlike)


def _outermost(found: list[FoundSheet]) -> list[FoundSheet]:
    """Leave out what lies inside another sheet that is believed more."""
    return [
        one
        for one in found
        if not any(
            other is not one and other.believed > one.believed and other.holds(one)
            for other in found
        )
    ]


def _with_rims(page: Page, found: list[FoundSheet]) -> list[FoundSheet]:
    """Return the sheets with the black rims that looked like the bed; none where none has one."""
    # What glare or tape left of the bed's level is no sheet beside others that are borne out.
    found = [one for one in found if one.believed >= _BELIEVED]
    brighter = bed_is_brighter(page.full, [one.corners for one in found], page.pitch)
    wider = [
        _with_rim(page, one, [x.corners for x in found if x is not one], brighter) for one in found
    ]
    if not any(wider):
        return []
    rimmed = [wide or one for wide, one in zip(wider, found, strict=True)]
    explained = all(beside(one.corners, one.rim, one.glow) < _BESIDE for one in rimmed)
    return rimmed if explained else []


def _with_rim(
    page: Page, found: FoundSheet, others: Sequence[Points], brighter: bool | None
) -> FoundSheet | None:
    """Return a sheet with its rim; None where no edge shows beyond its picture."""
    if not found.has_corner:
        return None
    rims = beyond(page.full, found.corners, page.pitch, others, brighter=brighter)
    if rims is None:
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
    settled = tuple(bool(rim) for rim in rims)
    return replace(found, corners=corners, sides=tuple(sides), believed=1.0, settled=settled)


def _is_border(
    page: Page, bed: BedSurface, kind: BedKind, found: FoundSheet, *, alone: bool
) -> bool:
    """Tell whether what was taken for the bed is a border on the film.

    What is framed on a film is smaller than any film; and a film that fills the frame, so that its
    own edges do not show, has the frame's size, or lies straight in it at least. A film that is cut
    off is as wide as one between the two sides that show.
    """
    size = _size_mm(found.corners, page)
    if size is None:
        if abs(degrees(common_angle(found.sides, page.scale))) > _FED_DEG:
            return False
    elif kind in (BedKind.DARK, BedKind.BRIGHT):
        top, right, bottom, left = (not (side.seen or side.rough) for side in found.sides)
        if found.seen == 4 and is_film_size(size, _CUT_MM):
            return False
        if is_longer_than_any(size):
            return False
        if not found.is_soft and _is_as_wide_as_film(found, size, page.pitch):
            return False
        frame = _size_mm(page.frame, page)
        fills = alone and frame is not None and may_be_whole(frame, (2, 2))
        if fills and not may_be_whole(size, (left + right, top + bottom)):
            return True
    if kind is BedKind.DARK or (kind is BedKind.BRIGHT and found.is_soft):
        return is_border(
            page.full,
            bed,
            found.sides,
            found.corners,
            page.pitch,
            printed=kind is BedKind.DARK,
            unsharp=found.is_soft,
        )
    return False


def _is_as_wide_as_film(found: FoundSheet, size: SizeMm, pitch: float) -> bool:
    """Tell a film of which one side lies beyond the frame; a mask may chance to be as wide."""
    seen = [side.seen and side.support > _WHOLE_SIDE for side in found.sides]
    if sum(seen) != 3 or is_machined(found.sides, pitch):
        return False
    return is_film_side(size.width if seen[1] and seen[3] else size.height)


def _size_mm(corners: Points, page: Page) -> SizeMm | None:
    """Return width and height; None where the scan tells no resolution."""
    if np.allclose(page.scale, 1.0):
        return None
    width, height = np.linalg.norm((corners[[1, 3]] - corners[0]) * page.scale, axis=1)
    return SizeMm(float(width), float(height))


def _measure(
    page: Page, bed: BedSurface, outlines: Sequence[NDArray[np.int32]]
) -> FoundSheet | None:
    """Measure the four sides of one supposed sheet; None where it cannot be one."""
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
        _side(page, bed, rough[number], rough[(number + 1) % 4], reach) if shown else NO_SIDE
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
    glow = _GLOW / float(page.reduction.min())
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
    )


def _side(page: Page, bed: BedSurface, start: Points, end: Points, reach: float) -> Side:
    """Measure one side; where bed lies beyond but no line is found, keep the rough one."""
    side = measure_side(page.full, bed, start, end, reach=reach, pitch=page.pitch)
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
