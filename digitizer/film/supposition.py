"""Suppositions about where the bed shows, each measured by the sheets that it leaves.

A level along the frame is supposed to be the bed and followed inwards; what it leaves are pieces,
whose sides are then measured at full resolution. A cut edge is as sharp as the scanner, a
collimator's border as wide as its penumbra; so a supposition is believed when the sides of its
pieces are sharp, or when nothing but the bed can have its level. Which of those believed is right
is for :mod:`digitizer.film.rivals`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import degrees

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.bed import (
    Bed,
    BedKind,
    Mask,
    Outline,
    groupings,
    outshines,
    shows_light_behind,
)
from digitizer.film.borders import is_border, is_machined
from digitizer.film.edges import BedSurface, Side
from digitizer.film.found import FED_DEG, FoundSheet, Page, beside
from digitizer.film.pieces import (
    BELIEVED,
    BESIDE,
    is_scattered,
    is_scrap,
    measure_piece,
    outermost,
    unmeasured,
    with_rims,
)
from digitizer.film.rectangle import common_angle
from digitizer.film.sizes import is_film_side, is_film_size, is_longer_than_any, may_be_whole
from digitizer.model.units import SizeMm

__all__ = ["MOST_SHEETS", "SIZED_MM", "Supposition", "suppose"]

SIZED_MM = 1.5
"""How far a sheet may differ from its size of the trade."""
_LONE = 0.3
"""How much more of its sides must be cut edges (``BELIEVED``) where no two meet in a corner."""
_PROVEN = 0.75
"""Part of the sides from which on two sheets with corners prove the bed for others beside them."""
_BACKED = 0.35
"""Part of the sides of these others that must be cut edges."""
_BEYOND_DOUBT = 0.85
"""Part of the sides from which on no other way to see the pieces is tried."""
_OUTWEIGHED = 2.0
"""So many times longer edges are not those of a picture on what shorter ones bound."""
_SAME_BED = 0.3
"""Levels of log light nearer than this may be one uneven bed; clear film takes 0.4 at least."""
MOST_SHEETS = 4
"""More on one bed are rather the pictures of one sheet, whose ground looks like the bed."""
_LEAST_EDGE = 0.3
"""Part of the frame's short side that the measured edges must have in all: a sticker has less."""
_WHOLE_SIDE = 0.8
"""Agreeing share of a side from which on it is one line from end to end."""
_SEAM_DEG = 0.04
"""A lone edge that runs along the frame this closely is a seam of the scanner, not a film's."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Supposition:
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
    cuts : list of Side
        Two opposite cuts of the one film it leaves, where too little else shows of that.
    pieces : list of ndarray of int32, (n, 1, 2)
        Outlines of all that is not bed and large enough for a sheet, on the reduced grid.
    proven : bool
        Whether half of its sheets or more are beyond doubt films of the trade.
    grey : bool
        Whether brighter and darker places than the bed show: a rim may look like it by chance.
    scraps : list of ndarray of int32, (n, 1, 2)
        Outlines of the rest of it, which is too small for a sheet.
    printed : bool
        Whether the fields are framed by a mask printed on the film.
    outshines : bool
        Whether the bed shines beyond the scanner's range, as nothing on a film does.
    over_exposed : bool
        Whether film within it reaches the highest value as it does, and may be taken for it.
    dark : bool
        Whether the bed is as dark as the darkest of a film.
    """

    level: float
    sheets: list[FoundSheet]
    fields: list[FoundSheet]
    lines: list[Side]
    pieces: list[Outline] = field(default_factory=list)
    printed: bool = False
    outshines: bool = False
    over_exposed: bool = False
    dark: bool = False
    proven: bool = False
    grey: bool = False
    scraps: list[Outline] = field(default_factory=list)
    cuts: list[Side] = field(default_factory=list)

    @property
    def is_mask(self) -> bool:
        """Whether it is one printed mask, seen on all four sides: it lies as its sheet does."""
        return self.printed and len(self.fields) == 1 and self.fields[0].seen == 4

    @property
    def edge(self) -> float:
        """Length of its sheets' measured edges, in pixels of the reduced grid."""
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
        return _are_soft(self.sheets)

    @property
    def is_sharp(self) -> bool:
        """Whether its sheets have corners of edges that are none of them penumbrae."""
        sides = [side for one in self.sheets for side in one.sides if side.seen]
        return all(one.has_corner for one in self.sheets) and not any(side.soft for side in sides)

    @property
    def is_clear(self) -> bool:
        """Whether no more than tape or glare lies outside of its sheets."""
        return all(beside(one.corners, one.rim, one.glow) < BESIDE for one in self.sheets)

    def holds(self, other: "Supposition") -> bool:
        """Tell whether the other's bed lies on the sheets, or the fields, of this one."""
        if other.outshines:
            return False
        if self.is_seam and not other.is_soft:
            # A seam holds nothing; but a penumbra is no sheet's edge either, and lies inside one.
            return False
        outer = [*self.sheets, *self.fields]
        if other.is_sharp and (self.is_soft or other.edge > _OUTWEIGHED * self.edge):
            # No penumbra, and no short line, makes a border of cut edges that meet.
            return False
        if other.is_soft and outer and not _are_soft(outer):
            # A penumbra within a cut edge, or a mask's, is a collimator's, however alike the levels
            # are.
            return all(any(mine.holds_lines(one) for mine in outer) for one in other.sheets)
        if abs(self.level - other.level) < _SAME_BED:
            return False
        return all(any(mine.holds(one) for mine in outer) for one in other.sheets)


def _are_soft(found: Sequence[FoundSheet]) -> bool:
    """Tell whether most edges are as wide as a penumbra."""
    sides = [side for one in found for side in one.sides if side.seen]
    return 2 * sum(side.soft for side in sides) > len(sides)


def suppose(page: Page, bed: Bed, kind: BedKind, level: float) -> Supposition:
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
    among_films: list[FoundSheet] = []
    lines: list[Side] = []
    cuts: list[Side] = []
    is_film = kind is BedKind.DARK and shows_light_behind(bed, page.light)
    seek_rims = kind is BedKind.DARK and not is_film
    plain: list[Outline] = []
    for grouping in groupings(bed.mask, page.smallest):
        plain = plain or [outlines[0] for outlines in grouping]
        pieces = [measure_piece(page, surface, outlines) for outlines in grouping]
        found = outermost([one for one in pieces if one is not None])
        found = [one for one in found if not is_scrap(one, found, page)] or found
        if not found:
            continue
        # What hangs on to a lone sheet may be its own rim, blacker than the bed.
        clear = all(one.beside < BESIDE for one in found)
        if seek_rims and (clear or len(found) == 1):
            seek_rims = not clear
            if rimmed := with_rims(page, found):
                parted = [replace(one, piece=_piece_of(one, plain, page)) for one in rimmed]
                return Supposition(level, parted, [], [], plain)
        alone = sum(len(outlines) for outlines in grouping) == 1
        if is_film or any(_is_border(page, surface, kind, one, alone=alone) for one in found):
            lines = [side for one in found for side in one.sides if side.weight > 0]
            return Supposition(level, [], found, lines, plain, kind is BedKind.DARK)
        proven = _proves(found, page)
        films = [bool(one.opposite_cuts(page.scale, page.frame)) for one in found]
        least = min(
            one.believed if one.has_corner or proven or film else one.believed - _LONE
            for one, film in zip(found, films, strict=True)
        )
        borne_out = least >= (_BACKED if proven or all(films) else BELIEVED)
        edge = sum(one.edge for one in found)
        fewer = len(best) > MOST_SHEETS >= len(found)
        scattered = any(is_scattered(one, page) for one in found)
        better = fewer or edge > sum(one.edge for one in best)
        if better and not scattered and _is_bare(bed.mask, found, page):
            parted = [replace(one, piece=_piece_of(one, plain, page)) for one in found]
            if borne_out:
                best = parted
            else:
                among_films = among_films or _among_films(parted, page)
        apart = len(found) <= MOST_SHEETS and all(one.beside < BESIDE for one in found)
        if least >= _BEYOND_DOUBT and apart:
            break
        lines = lines or [side for one in found for side in one.sides if side.soft]
        if len(found) == 1 and not found[0].is_of_two(page.scale):
            cuts = cuts or found[0].opposite_cuts(page.scale, page.frame)
    if sum(one.edge for one in best) < _LEAST_EDGE * min(page.tone.shape):
        best = among_films
    if best:
        # Nothing on a film is as bright as a bed that outshines the scanner; a rim may be as grey.
        grey = kind is BedKind.CERTAIN and not outshines(bed, page.light)
        best = _with_grey_rims(page, best) if grey else best
        proven = _proves_beyond_doubt(best, page)
        best = [*best, *unmeasured(page, plain, best)] if proven else best
        return Supposition(level, best, [], [], plain, proven=proven, grey=grey)
    return Supposition(level, [], [], lines, plain, cuts=cuts)


def _with_grey_rims(page: Page, found: list[FoundSheet]) -> list[FoundSheet]:
    """Return sheets with the rims that look like a grey bed; none is left out for that."""
    if any(one.believed < BELIEVED for one in found):
        return found
    return with_rims(page, found, dark=False) or found


def _among_films(found: Sequence[FoundSheet], page: Page) -> list[FoundSheet]:
    """Return all that a bed leaves where most are films beyond doubt, what is not as unsure."""
    if not _proves_beyond_doubt(found, page):
        return []
    return [replace(one, unsure=one.believed < BELIEVED) for one in found]


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
    return clear > 1 or any(one.believed >= BELIEVED and _is_whole(one, page) for one in found)


def _proves_beyond_doubt(found: Sequence[FoundSheet], page: Page) -> bool:
    """Tell whether half of what a bed leaves, or more, are films of the trade by four whole cuts.

    Then the rest lies on that bed too, though glare or darkness hides its edges.
    """
    sure = sum(
        one.seen == 4 and one.believed >= _BEYOND_DOUBT and one.is_cut_to_size(page)
        for one in found
    )
    return 2 * sure >= len(found)


def _is_whole(found: FoundSheet, page: Page) -> bool:
    """Tell whether a sheet is a whole film of the trade by its size, as far as that shows.

    Two opposite edges must be measured: the size of what goes on beyond the frame is the frame's,
    and a frame has a film's size where a film fills it.
    """
    seen = [side.seen for side in found.sides]
    return ((seen[0] and seen[2]) or (seen[1] and seen[3])) and found.may_be_whole(page)


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


def _is_border(
    page: Page, bed: BedSurface, kind: BedKind, found: FoundSheet, *, alone: bool
) -> bool:
    """Tell whether what was taken for the bed is a border on the film.

    What is framed on a film is smaller than any film; and a film that fills the frame, so that its
    own edges do not show, has the frame's size, or lies straight in it at least. A film that is cut
    off is as wide as one between the two sides that show.
    """
    size = page.size_mm(found.corners)
    if size is None:
        if abs(degrees(common_angle(found.sides, page.scale))) > FED_DEG:
            return False
    elif kind in (BedKind.DARK, BedKind.BRIGHT):
        if found.seen == 4 and is_film_size(size, SIZED_MM):
            return False
        if is_longer_than_any(size):
            return False
        if not found.is_soft and _is_as_wide_as_film(found, size, page.pitch):
            return False
        if _lies_between_cuts(found, page):
            return False
        frame = page.size_mm(page.frame)
        fills = alone and frame is not None and may_be_whole(frame, (2, 2))
        if fills and not found.may_be_whole(page):
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


def _lies_between_cuts(found: FoundSheet, page: Page) -> bool:
    """Tell a film that goes on beyond the frame on both sides of its two opposite cuts.

    These are as far apart as a film is long, and the frame is nearly as wide as that one is: no
    border on a film chances to be both.
    """
    return sum(side.seen for side in found.sides) == 2 and found.is_cut_to_size(page)


def _is_as_wide_as_film(found: FoundSheet, size: SizeMm, pitch: float) -> bool:
    """Tell a film of which one side lies beyond the frame; a mask may chance to be as wide."""
    seen = [side.seen and side.support > _WHOLE_SIDE for side in found.sides]
    if sum(seen) != 3 or is_machined(found.sides, pitch):
        return False
    return is_film_side(size.width if seen[1] and seen[3] else size.height)
