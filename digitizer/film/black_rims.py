"""Black rims that cannot be told from a dark bed: kept, as far as the film may reach.

A printed mask and a masked bed give the scanner the same few counts, most of all in eight bits.
Where no edge shows beyond a picture and the picture has the size of no film, the film ends
somewhere in the black: within what is lacking to a size of the trade. So much more is kept on
either side.

What this decides: how far a sheet may reach beyond the edges that show. What it may get wrong: on
one side more black than the film's own is kept, bed among it; nothing is lost by that.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digitizer.film.edges import Side
from digitizer.film.found import FoundSheet, Page, left_out
from digitizer.film.rectangle import agreeing, common_angle, rectangle
from digitizer.film.sizes import (
    CUT_MM,
    FED_MM,
    is_film_size,
    lacking,
    lacking_across,
    lacking_along,
)
from digitizer.model.units import SizeMm

__all__ = ["with_black_rims", "with_whole_rim"]

_WIDEST_MM = (25.0, 40.0, 55.0)
"""The widest rims, both together: half an inch on each side; wider where no size is so near."""
_WIDER_MM = 20.0
"""The wider of them, on one side."""
_NARROW_MM = 3.0
"""Rims that are too narrow for an edge beyond them to be measured, both together."""
_UNSEEN_MM = 10.0
"""Rims that are not measured in eight bits, both together: black and bed have the same values."""
_STRAIGHT_MM = 0.05
"""Bow below which edges that show were drawn by a machine; two of them tell. On some fifty drawn
sheets on dark beds those of masks measured 0.01 to 0.064, the sheets' own 0.04 to 0.2."""
_STRAIGHT_PX = 0.2
"""The same in pixels, where these are coarse: less cannot be measured."""
_DOUBTED, _DOUBTFUL_MM = 0.8, 8.0
"""Part of the sides below which they may be something else on the film, and how far inside."""
_HALF = 0.5
"""Part of a side along which a line must run to be an edge."""
_NO_ROOM_MM = 5.0
"""So near to the frame there is no room to measure an edge beyond a side."""
_ROOM_MM = 0.5
"""So much more on every side."""
_TOLD_MM = 2.0
"""From which on what is kept beyond an edge is told."""
_SLIGHT_MM = 0.65
"""From which on what lacks to a film's size may be film: edges both measured well lack less."""
_APART_MM = 1.0
"""So far from another sheet it ends."""
_HANGS_OUT = 0.05
"""Part of its area that a sheet's piece may have outside before it is widened: 0.028 at most on 848
drawn scans, 0.12 on a folded film that lost a part."""
_ROUGH_MM = 1.2
"""How far a sheet of which a side is known roughly may differ from its size of the trade."""

Points = NDArray[np.float64]


def with_whole_rim(page: Page, found: FoundSheet) -> FoundSheet:
    """Return a sheet with all of its piece beyond the sides along which no line was found.

    Where a film's picture looks like the bed, the outline of its piece runs along the picture. But
    a clear border beside it, and a strip of other tone, go on to the film's own end.

    Parameters
    ----------
    page : Page
    found : FoundSheet
    """
    rough = [side.rough and not side.seen for side in found.sides]
    if not any(rough) or _has_film_size(page, found):
        return found
    sides = [
        _at_outermost(found, number) if rough[number] else side
        for number, side in enumerate(found.sides)
    ]
    angle = common_angle(found.sides, page.scale)
    corners = rectangle(sides, angle, page.scale, page.frame)
    return replace(found, corners=corners, sides=tuple(sides))


def _has_film_size(page: Page, found: FoundSheet) -> bool:
    """Tell whether all sides lie in the frame and make a size of the trade, roughly."""
    if found.seen < 4 or np.allclose(page.scale, 1.0):
        return False
    width, height = np.linalg.norm((found.corners[[1, 3]] - found.corners[0]) * page.scale, axis=1)
    return is_film_size(SizeMm(float(width), float(height)), _ROUGH_MM)


def _at_outermost(found: FoundSheet, number: int) -> Side:
    """Return a side moved outwards to the outermost of the rim between its neighbours."""
    start, end = found.corners[number], found.corners[(number + 1) % 4]
    along = (end - start) / np.linalg.norm(end - start)
    outward = np.array([along[1], -along[0]])
    at, away = (found.rim - start) @ along, (found.rim - start) @ outward
    between = (at > 0) & (at < float(np.linalg.norm(end - start)))
    side = found.sides[number]
    furthest = float(away[between].max(initial=0.0))
    return replace(side, point=side.point + max(0.0, furthest) * outward)


def with_black_rims(
    page: Page, found: Sequence[FoundSheet], *, dark: bool, grey: bool = False
) -> list[FoundSheet]:
    """Return sheets with the black in which they may go on, or what lies beyond a doubtful edge.

    Parameters
    ----------
    page : Page
    found : sequence of FoundSheet
        All sheets on the bed.
    dark : bool
        Whether the bed is as dark as the darkest of a film.
    grey : bool
        Whether brighter and darker places than the bed show: a rim may look like it by chance, and
        does so rather than that a film of no size of the trade ends in sides drawn by a machine.
    """
    if np.allclose(page.scale, 1.0):
        return list(found)
    alike = [grey and one.is_of_no_size(page) for one in found]
    return [
        _with_rim(page, one, [x for x in found if x is not one], dark=dark, grey=by_chance)
        if dark or by_chance or (one.seen == 4 and one.believed < _DOUBTED)
        else one
        for one, by_chance in zip(found, alike, strict=True)
    ]


def _with_rim(
    page: Page, found: FoundSheet, others: Sequence[FoundSheet], *, dark: bool, grey: bool
) -> FoundSheet:
    corners = found.corners * page.scale
    rims = (
        _rims(page, found, corners, dark=dark, grey=grey)
        if found.seen == 4
        else _rims_cut_off(page, found, corners)
    )
    if rims is None:
        return found
    away = [one.corners * page.scale for one in others]
    widened = _widened(corners, rims, away, page.frame * page.scale)
    unsure = found.unsure or float(np.abs(widened - corners).max()) > _TOLD_MM
    # Sides beyond which so much of the piece lies are not all the film's own: its rim neither.
    hung_out = left_out(page, found).part > _HANGS_OUT
    return replace(found, corners=widened / page.scale, unsure=unsure, hung_out=hung_out)


def _rims(
    page: Page, found: FoundSheet, corners: Points, *, dark: bool, grey: bool
) -> list[float] | None:
    """Return how far top, right, bottom and left may go on; None where nothing lacks."""
    size = _size(corners)
    rough = [side.rough and not side.seen for side in found.sides]
    if is_film_size(size, _ROUGH_MM if any(rough) else CUT_MM):
        return _slight_rims(page, found, size)
    widened = [True] * 4
    # Black film beside a bed that is not dark is seen: there only a doubtful edge lies inside.
    lacks = _may_lack(page, found) if dark or grey else (_DOUBTFUL_MM,)
    gaps = next(filter(None, (lacking(size, most) for most in lacks)), None)
    gaps = gaps or _lacking_one_way(page, found, size)
    if gaps is None:
        # There no edge could be measured.
        room = _room_beyond(corners, page.frame * page.scale)
        widened = [gap < _NO_ROOM_MM for gap in room]
        gaps = lacking(size, _NO_ROOM_MM + _NARROW_MM) if any(widened) else None
    if gaps is None:
        return None
    # What seems longer than it is has an edge that is not its own, and lacks on the other side.
    across, down = (_NARROW_MM if gap < -CUT_MM else gap for gap in gaps)
    doubtful = any(rough) or found.believed < _DOUBTED
    both = [
        (max(rim, 0.0) + _ROOM_MM) * wide if doubtful or rim > CUT_MM else 0.0
        for rim, wide in zip((down, across) * 2, widened, strict=True)
    ]
    return _where_unsure(page, found, both, masked=dark and _is_masked(page, found))


def _lacking_one_way(page: Page, found: FoundSheet, size: SizeMm) -> tuple[float, float] | None:
    """Return what lacks one way to a film that is as long the other way; None where nothing does.

    Of a rim of a few millimetres the edge is missed now and then, in eight bits of any beyond a
    side as straight as a mask's; that the other two are as far apart as a film's bears out that
    this is one.
    """
    gaps = lacking(size, _WIDER_MM if page.encoded else _UNSEEN_MM)
    if gaps is None or min(map(abs, gaps)) >= CUT_MM:
        return None
    # Across lack the left and the right side, down the top and the bottom.
    ends = found.sides[0 if gaps[1] > gaps[0] else 1 :: 2]
    return gaps if max(gaps) <= _UNSEEN_MM or any(_is_straight(page, one) for one in ends) else None


def _slight_rims(page: Page, found: FoundSheet, size: SizeMm) -> list[float] | None:
    """Return what little lacks to a film's size where sides are not sure; None where nothing."""
    gaps = lacking(size, _ROUGH_MM)
    if gaps is None or max(gaps) < _SLIGHT_MM:
        return None
    across, down = ((gap + _ROOM_MM) * (gap >= _SLIGHT_MM) for gap in gaps)
    return _where_unsure(page, found, (down, across) * 2, masked=False)


def _where_unsure(
    page: Page, found: FoundSheet, rims: Sequence[float], *, masked: bool
) -> list[float]:
    """Leave out rims of sides that are surer than their opposites: what lacks, lacks there.

    Surest is an edge found beyond a rim, least sure is a side along which hardly a line was found,
    or one that lies otherwise than the others: a limb may end there. Of the sides of a mask none is
    surer than another: they are not the film's.
    """
    agreed = agreeing(found.sides, page.scale)
    doubted = [
        masked or _is_weak(side) or (side.seen and not any(side is one for one in agreed))
        for side in found.sides
    ]
    sure = [
        2 * settled + (not doubt) for settled, doubt in zip(found.settled, doubted, strict=True)
    ]
    most = [0.0 if settled else _ROOM_MM for settled in found.settled]
    return [
        min(rim, most[number]) if sure[number] > sure[number - 2] else rim
        for number, rim in enumerate(rims)
    ]


def _rims_cut_off(page: Page, found: FoundSheet, corners: Points) -> list[float] | None:
    """Return the same of a sheet that goes on beyond the frame at one side."""
    ends = [side.seen or side.rough for side in found.sides]
    if sum(ends) != 3:
        return None
    size, between = _size(corners), ends[1] and ends[3]
    length, shown = (size.width, size.height) if between else (size.height, size.width)
    room = _room_beyond(corners, page.frame * page.scale)
    opposite = ends.index(False) - 2
    pair = [number for number in range(4) if (number % 2 == 1) is between]
    hides = not page.encoded and any(
        not found.settled[number] and room[number] < _NO_ROOM_MM for number in pair
    )
    most = (*_may_lack(page, found), _WIDEST_MM[0]) if hides else _may_lack(page, found)
    within = _WIDER_MM if page.encoded and _is_masked(page, found) else None
    ways = (lacking_across(length, shown, one, hidden=within) for one in most)
    gaps = next(filter(None, ways), None)
    rims = [0.0] * 4
    if gaps is not None:
        rims = [
            (gaps[0 if number in pair else 1] + _ROOM_MM) * end for number, end in enumerate(ends)
        ]
        rims = _where_unsure(page, found, rims, masked=_is_masked(page, found))
    hidden = _rim_opposite(page, found, opposite, length, shown, room[opposite])
    rims[opposite] = max(rims[opposite], hidden)
    return rims if any(rims) else None


def _rim_opposite(
    page: Page, found: FoundSheet, number: int, length: float, shown: float, room: float
) -> float:
    """Return how far a sheet may go on at the side opposite to the one beyond the frame.

    No size is borne out that way: what lacks to a film's lies beyond the frame, or on this side in
    a rim like the bed. In more than eight bits that is told by its level or its edge where there is
    room: more kept there would hide that a film is cut off. What a film that is fed too far loses
    is explained by that, unless the side is as straight as a mask's.

    Parameters
    ----------
    page : Page
    found : FoundSheet
    number : int
        Of the side.
    length, shown : float
        Millimetres between the two sides beside it, and of the sheet the other way.
    room : float
        Millimetres from the side to the frame.
    """
    if found.settled[number]:
        return 0.0
    side = found.sides[number]
    straight = _is_straight(page, side)
    lack = lacking_along(length, shown, _WIDER_MM)
    if lack is None:
        # Cut off, or as wide as no film: of any length.
        lack = _WIDER_MM if straight else 0.0
    explained = lack < (CUT_MM if straight else FED_MM)
    measured = not page.encoded and room >= _NO_ROOM_MM
    return 0.0 if explained or measured else lack + _ROOM_MM


def _size(corners: Points) -> SizeMm:
    width, height = (float(np.linalg.norm(corners[n] - corners[0])) for n in (1, 3))
    return SizeMm(width, height)


def _may_lack(page: Page, found: FoundSheet) -> tuple[float, ...]:
    """Return how many millimetres both rims may have, the most likely first."""
    if not page.encoded and found.seen < 4:
        # Wider rims would have been measured, and a film that is cut off may be of any size.
        return (_NARROW_MM,)
    if _is_masked(page, found):
        return _WIDEST_MM if page.encoded else _WIDEST_MM[:1]
    narrow = _UNSEEN_MM if page.encoded else _NARROW_MM
    return (max(_DOUBTFUL_MM, narrow) if found.believed < _DOUBTED else narrow,)


def _is_masked(page: Page, found: FoundSheet) -> bool:
    """Tell whether two sides are as straight as a mask's, or hardly sides."""
    return sum(_is_straight(page, one) for one in found.sides if one.seen or one.rough) > 1


def _is_straight(page: Page, side: Side) -> bool:
    """Tell whether a side is as straight as a mask's, or hardly one."""
    return _is_weak(side) or side.bow / page.pitch < max(_STRAIGHT_MM, _STRAIGHT_PX / page.pitch)


def _is_weak(side: Side) -> bool:
    """Tell whether hardly a line runs along a side: bones or a limb may end there, not the film."""
    return (side.rough and not side.seen) or (side.seen and side.support < _HALF)


def _room_beyond(corners: Points, frame: Points) -> list[float]:
    """Return how far from the frame the middles of top, right, bottom and left lie."""
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    gaps = np.minimum(middles, frame[2] - middles)
    return [float(gaps[n, 1 - n % 2]) for n in range(4)]


def _widened(
    corners: Points, rims: Sequence[float], others: Sequence[Points], frame: Points
) -> Points:
    """Move the sides of a rectangle, in millimetres, outwards by their rims; others are kept out.

    So is what lies beyond the frame, of which nothing is to be seen.

    Rims are those of top, right, bottom and left.
    """
    across, down = (corners[n] - corners[0] for n in (1, 3))
    across, down = across / np.linalg.norm(across), down / np.linalg.norm(down)
    limits: list[float] = []
    ways = ((-down, across), (across, down), (down, across), (-across, down))
    for (normal, along), rim in zip(ways, rims, strict=True):
        edge = float((corners @ normal).max())
        span = (corners @ along).min(), (corners @ along).max()
        for other in others:
            gap = float((other @ normal).min()) - edge
            beside = (other @ along).max() > span[0] and (other @ along).min() < span[1]
            if beside and gap > 0:
                rim = min(rim, max(0.0, gap - _APART_MM))
        limits.append(max(edge, min(edge + rim, float((frame @ normal).max()))))
    top, right, bottom, left = limits
    return np.array(
        [
            -left * across - top * down,
            right * across - top * down,
            right * across + bottom * down,
            -left * across + bottom * down,
        ]
    )
