"""What a search for sheets works on, and what it finds: a page prepared, and sheets as measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import cos, degrees, sin, tan

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.edges import Side
from digitizer.film.light import Floats
from digitizer.film.rectangle import OTHERWISE_DEG, agreeing, askew_deg, common_angle
from digitizer.film.sizes import (
    CUT_MM,
    is_film_side,
    is_film_size,
    is_longer_than_any,
    may_be_whole,
)
from digitizer.model.raster import Pixels
from digitizer.model.units import SizeMm

__all__ = [
    "FED_DEG",
    "OVERHANG",
    "FoundSheet",
    "LeftOut",
    "Page",
    "beside",
    "left_out",
    "outside",
]

OVERHANG = 0.01
"""Part of a sheet's diagonal by which what lies inside it may stick out as measured."""
_CORNER_SUPPORT = 0.4
"""Agreeing share of a side from which on it may make a corner with the next."""
_HALF_SEEN = 0.8
"""Agreeing share of two opposite sides below which the outline may be that of two sheets."""
FED_DEG = 1.2
"""How far askew a film may lie of which one side shows: the others lie beyond the frame, as a
transport feeds it. A crease across a corner lies further off."""
_LINE_PX = 0.2
"""Pixels, of which less is not measured."""
_LONG = 0.4
"""Part of the frame's short side that each of two sides must have, where a film lies otherwise: the
flaps of two folded corners that were taken for sheets had 0.22 and 0.23."""
_PARALLEL_DEG = 0.15
"""How far the two opposite cuts of a film may seem out of parallel, as they bow and fray."""
_ACROSS = 0.001
"""Part of a sheet that another may cover. Of 100 drawn pairs of films on one bed none covered each
other at all as found; three pieces of folded films taken for sheets did by 0.002, 0.54 and 0.54."""
_HANGS_ON = 0.25
"""Part of the rim outside the sheet from which on more than tape or glare hangs on to it. Of 498
drawn sheets 496 had 0.22 at most; one of the others had lost its dark third; where two films touch,
and the sides of one are found, it is 0.38 and more."""

_MUCH_LEFT_OUT = 0.02
"""Part of its area that a sheet's piece may have outside: 0.015 at most on 848 drawn scans
of films that lie flat, 0.039 where the ends of a folded one were cut away."""
_SMALLEST, _SMALLEST_MM2 = 0.006, 800.0
"""Part of the frame, and square millimetres, of which a piece below the less is dust, a marker or a
shadow, not a sheet: the smallest films have 1,271 and lose a frayed edge at most."""
_LARGEST_BED_MM2 = 350_000.0
"""A frame that measures more bears a wrong resolution: films of 14 x 36 in have 325,000."""
_ANOTHERS_MM = 12.0
"""Width of what lies outside a sheet from which on it may be another, however small a part of the
large one: the narrowest films measure 27 and 31 mm, and may lie over the edge by half of that."""
_STANDS_OUT_MM = 4.5
"""Width from which on something stands out of a sheet, a label or tape: of 312 drawn sheets as
found none left more than 3.0 outside, and six more than 0.7."""
_AGAINST_MM = 3.0
"""So near to each other two sheets are one thing: films on drawn beds lie six apart at least."""
_AGAINST = 0.5
"""Part of the shorter side along which they are."""
_IN_LINE_DEG, _IN_LINE_MM = 0.15, 2.0
"""How far two sheets of one feed may lie askew and aside of each other: what is laid by hand lies a
degree askew, and no two films of a drawn bed lay within both."""

_PARTS_OF_WEDGE = (0.0, 0.25, 0.5, 0.75, 1.0)

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Page:
    """One page prepared for searching.

    Attributes
    ----------
    full : ndarray of uint8 or uint16, (rows, columns)
        Bright for light.
    light, tone : ndarray of float32
        Light and its smoothed logarithm on a reduced grid of square pixels.
    reduction : ndarray, (2,)
        Pixels of that grid per pixel of the scan, in x and y.
    top, density, encoded
        As for :class:`digitizer.film.edges.BedSurface`.
    pitch : float
        Pixels of the scan per millimetre, an estimate where it tells no resolution.
    scale : ndarray, (2,)
        Millimetres per pixel in x and y, or ones.
    """

    full: Pixels
    light: Floats
    tone: Floats
    reduction: Points
    top: float
    density: bool
    encoded: bool
    pitch: float
    scale: Points

    @property
    def frame(self) -> Points:
        """Corners of the frame, (4, 2)."""
        rows, columns = self.full.shape[:2]
        return np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)

    @property
    def smallest(self) -> float:
        """Pixels of the reduced grid that the smallest sheet has."""
        part, bed = _SMALLEST, self.size_mm(self.frame)
        if bed is not None and (area := bed.width * bed.height) < _LARGEST_BED_MM2:
            part = min(part, _SMALLEST_MM2 / area)
        return part * self.tone.size

    def size_mm(self, corners: Points) -> SizeMm | None:
        """Return width and height of a rectangle; None where the scan tells no resolution."""
        if np.allclose(self.scale, 1.0):
            return None
        width, height = np.linalg.norm((corners[[1, 3]] - corners[0]) * self.scale, axis=1)
        return SizeMm(float(width), float(height))


@dataclass(frozen=True, slots=True, eq=False)
class FoundSheet:
    """One sheet as supposed and measured.

    Attributes
    ----------
    corners : ndarray, (4, 2)
        Top-left, top-right, bottom-right, bottom-left as scanned, in pixels of the scan.
    sides : tuple of Side
        Top, right, bottom, left.
    believed : float
        Part of the sides inside the frame that are cut edges.
    edge : float
        Their length as measured, in pixels of the reduced grid.
    beside : float
        Part of the piece's rim that lies well outside the sheet: another may hang on to it.
    rim : ndarray, (n, 2)
        Some hundred points of the piece's rim, in pixels of the scan.
    glow : float
        Pixels of the scan by which clear film shines beyond its edge.
    outlines : tuple of ndarray of int32, (n, 1, 2)
        Outlines of its piece, or pieces, on the reduced grid.
    settled : tuple of bool
        Top, right, bottom, left: whether the film's own edge was found beyond a black rim.
    piece : int
        Number of the connected piece that it is, or was cut from.
    joined : bool
        Whether it is put together of what was cut apart, or lies too near together.
    unsure : bool
        Whether more than measured was kept, since the film may go on.
    hung_out : bool
        Whether much of its piece lay outside before that was kept.
    """

    corners: Points
    sides: tuple[Side, ...]
    believed: float
    edge: float
    beside: float
    rim: Points
    glow: float
    outlines: tuple[NDArray[np.int32], ...] = ()
    settled: tuple[bool, ...] = (False, False, False, False)
    piece: int = -1
    joined: bool = False
    unsure: bool = False
    hung_out: bool = False

    @property
    def seen(self) -> int:
        """Number of sides inside the frame."""
        return sum(side.seen or side.rough for side in self.sides)

    @property
    def hidden(self) -> tuple[int, int]:
        """How many sides, 0 to 2, do not show across (left, right) and down (top, bottom)."""
        top, right, bottom, left = (not (side.seen or side.rough) for side in self.sides)
        return left + right, top + bottom

    @property
    def is_soft(self) -> bool:
        """Whether half of its lines or more are as wide as a penumbra."""
        measured = [side for side in self.sides if side.seen or side.soft]
        return 2 * sum(side.soft for side in measured) >= len(measured)

    @property
    def has_corner(self) -> bool:
        """Whether two measured sides meet: bones and tubes show parallel lines alone."""
        clear = [side.seen and side.support > _CORNER_SUPPORT for side in self.sides]
        return any(here and clear[n - 1] for n, here in enumerate(clear))

    @property
    def area(self) -> float:
        """Area in pixels of the scan."""
        return float(cv2.contourArea(self.corners.astype(np.float32)))

    def may_be_whole(self, page: Page, *, surely: bool = False) -> bool:
        """Tell whether it may be a whole film of the trade, as far as it shows.

        What lies askew in the frame and goes on beyond it takes up more of its own directions than
        it is long: by a wedge, of which the film may have any part.

        Parameters
        ----------
        page : Page
            One that tells its resolution.
        surely : bool
            As for :func:`digitizer.film.sizes.may_be_whole`.
        """
        size = page.size_mm(self.corners)
        if size is None:
            return False
        across, down = self.hidden
        slope = abs(tan(common_angle(self.sides, page.scale)))
        wedges = slope * size.height * bool(across), slope * size.width * bool(down)
        return any(
            may_be_whole(
                SizeMm(size.width - part * wedges[0], size.height - part * wedges[1]),
                self.hidden,
                surely=surely,
            )
            for part in (_PARTS_OF_WEDGE if any(wedges) else (0.0,))
        )

    def is_cut_to_size(self, page: Page) -> bool:
        """Tell whether its edges are as far apart as those of a film of the trade, all that show.

        Parameters
        ----------
        page : Page
        """
        size = page.size_mm(self.corners)
        if size is None:
            return False
        if all(side.seen for side in self.sides):
            return is_film_size(size, CUT_MM)
        return bool(self.opposite_cuts(page.scale, page.frame)) and self.may_be_whole(page)

    def is_of_no_size(self, page: Page) -> bool:
        """Tell whether it lies all in the frame, and its edges are not as far apart as a film's.

        Parameters
        ----------
        page : Page
        """
        size = page.size_mm(self.corners)
        return size is not None and self.seen == 4 and not is_film_size(size, CUT_MM)

    def upright(self, frame: Points) -> Points:
        """Return the box along the frame around all of the sheet and its piece that it shows.

        Beyond the frame lies what an angle made of it, and of that angle nothing is sure.

        Parameters
        ----------
        frame : ndarray, (4, 2)
            Corners of the frame in pixels.
        """
        around = np.clip(np.concatenate([self.corners, self.rim]), frame[0], frame[2])
        (left, top), (right, bottom) = around.min(axis=0), around.max(axis=0)
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])

    def edges_in(self, frame: Points) -> list[Points]:
        """Return begin and end, (2, 2), of each measured side, no further than the frame.

        Parameters
        ----------
        frame : ndarray, (4, 2)
            Corners of the frame in pixels.
        """
        ends = np.clip(self.corners, frame[0], frame[2])
        return [ends[[n, (n + 1) % 4]] for n, side in enumerate(self.sides) if side.seen]

    def is_beside(self, place: Points, room: float) -> bool:
        """Tell whether a place, (2,), lies farther than some pixels outside."""
        x, y = map(float, place)
        return cv2.pointPolygonTest(self.corners.astype(np.float32), (x, y), True) < -room

    def widened_to(self, places: Points, scale: Points) -> "FoundSheet":
        """Return the sheet, its angle kept, with places (n, 2) in it: where it ends is not sure.

        Parameters
        ----------
        places : ndarray, (n, 2)
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones.
        """
        top_left, top_right, _, bottom_left = self.corners * scale
        axes = np.stack([top_right - top_left, bottom_left - top_left], axis=1)
        axes /= np.linalg.norm(axes, axis=0)
        within = np.concatenate([self.corners, places]) * scale @ axes
        (left, top), (right, bottom) = within.min(axis=0), within.max(axis=0)
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        return replace(self, corners=corners @ axes.T / scale, unsure=True)

    def is_of_two(self, scale: Points) -> bool:
        """Tell whether its sides are those of two sheets that lie otherwise: none tells an angle.

        Where two sheets hang together, two opposite sides follow one of them as far as it goes, and
        a side of the other, at the far end, is not square to them. A side that is spoilt on one
        sheet (torn, taped, in glare) has neighbours that are seen along their whole length. Or the
        sides are all of one sheet, and much of the piece lies outside, or did before black around
        it was kept.

        Parameters
        ----------
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones.
        """
        if self.joined or self.hung_out or beside(self.corners, self.rim, self.glow) > _HANGS_ON:
            return True
        half = [side.seen and side.support < _HALF_SEEN for side in self.sides]
        if not ((half[0] and half[2]) or (half[1] and half[3])):
            return False
        angles = [
            common_angle([side], scale)
            for side in self.sides
            if side.seen and side.support > _CORNER_SUPPORT
        ]
        apart = askew_deg(np.array([a - b for a, b in combinations(angles, 2)]))
        return bool(np.any(np.abs(apart) > OTHERWISE_DEG))

    def witnesses(self, scale: Points, frame: Points) -> int:
        """Return how many sides bear the sheet's angle out; none where they contradict each other.

        One side alone may be the crease of a fold, two that do not meet in the frame those of two
        folds, and two short ones those of a flap: they bear out nothing where they lie otherwise
        than a film is fed, unless they are the opposite cuts of a film.

        Parameters
        ----------
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones.
        frame : ndarray, (4, 2)
            Corners of the frame in pixels.
        """
        agreed = agreeing(self.sides, scale)
        fed = bool(agreed) and abs(degrees(common_angle(agreed, scale))) <= FED_DEG
        if len(agreed) > 2 or fed or (len(agreed) == 2 and self._meet(agreed, frame)):
            return len(agreed)
        return len(self.opposite_cuts(scale, frame))

    def opposite_cuts(self, scale: Points, frame: Points) -> list[Side]:
        """Return two long opposite sides, parallel and as far apart as those of a film; else none.

        What is left between two creases is narrower than the film, and by chance alone as wide as
        another; and no two creases made by hand are parallel.

        Parameters
        ----------
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones: then nothing is told.
        frame : ndarray, (4, 2)
            Corners of the frame in pixels.
        """
        if np.allclose(scale, 1.0):
            return []
        least = _LONG * frame[2].min()
        long = [side.seen and not side.soft and side.length >= least for side in self.sides]
        for first in (0, 1):
            pair = [self.sides[first], self.sides[first + 2]]
            if not (long[first] and long[first + 2]):
                continue
            angle = common_angle(pair, scale)
            apart = np.array([common_angle([side], scale) - angle for side in pair])
            if np.abs(askew_deg(apart)).sum() > _PARALLEL_DEG:
                continue
            along = pair[0].direction * scale / np.linalg.norm(pair[0].direction * scale)
            dx, dy = (pair[1].point - pair[0].point) * scale
            if is_film_side(abs(float(along[0] * dy - along[1] * dx))):
                return pair
        return []

    def tells_along(self, scale: Points) -> tuple[bool, bool]:
        """Tell whether the sides that bear the angle out all run across, or all down, the frame.

        They run along it where they depart from its direction no more than from a straight line.

        Parameters
        ----------
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones.
        """
        agreed = agreeing(self.sides, scale)
        ways = np.array([np.abs(side.direction) for side in agreed]).reshape(-1, 2)
        # The root mean square of a line's departure by a slope, about its middle.
        depart = ways.min(axis=1) * [side.length for side in agreed] / np.sqrt(12)
        if not agreed or (depart > [max(_LINE_PX, side.bow) for side in agreed]).any():
            return False, False
        across = ways[:, 0] > ways[:, 1]
        return bool(across.all()), not across.any()

    def _meet(self, sides: Sequence[Side], frame: Points) -> bool:
        """Tell whether two long sides make a corner that lies in the frame, or hardly beyond."""
        if min(side.length for side in sides) < _LONG * frame[2].min():
            return False
        room = OVERHANG * float(np.linalg.norm(frame[2] - frame[0]))
        inside = (self.corners > -room) & (self.corners < frame[2] + room)
        used = [any(side is one for one in sides) for side in self.sides]
        return any(
            used[number - 1] and here and bool(inside[number].all())
            for number, here in enumerate(used)
        )

    def holds(self, other: "FoundSheet") -> bool:
        """Tell whether another, smaller sheet lies inside this one."""
        return self.area > other.area and self._holds(other.corners)

    def holds_lines(self, other: "FoundSheet") -> bool:
        """Tell whether the lines measured of another sheet lie in this one, wherever it ends."""
        return self._holds(np.array([side.point for side in other.sides if side.seen]))

    def is_crossed_by(self, other: "FoundSheet", scale: Points) -> bool:
        """Tell whether a sheet of longer edges lies across this one, otherwise.

        Films lie beside each other: what lies across another is its flap, or a border on it.

        Parameters
        ----------
        other : FoundSheet
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones.
        """
        if other is self or other.edge < self.edge:
            return False
        mine, theirs = (one.corners.astype(np.float32) for one in (self, other))
        common, _ = cv2.intersectConvexConvex(mine, theirs)
        between = common_angle(self.sides, scale) - common_angle(other.sides, scale)
        apart = abs(float(askew_deg(np.array(between))))
        return common > _ACROSS * self.area and apart > OTHERWISE_DEG

    def lies_against(self, other: "FoundSheet", scale: Points) -> bool:
        """Tell whether no bed shows between two sheets, along much of the shorter's side.

        Films are laid a finger's breadth apart. These are parts of one that is folded, its flap as
        black as the bed, or two that touch.

        Parameters
        ----------
        other : FoundSheet
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones: then nothing is told.
        """
        if np.allclose(scale, 1.0):
            return False
        mine, theirs = (_grown(one.corners * scale, _AGAINST_MM / 2) for one in (self, other))
        common, shared = cv2.intersectConvexConvex(mine, theirs)
        if common == 0.0:
            return False
        along = float(np.linalg.norm(np.ptp(shared[:, 0], axis=0)))
        least = min(np.linalg.norm(one[n] - one[0]) for one in (mine, theirs) for n in (1, 3))
        return along > _AGAINST * float(least)

    def joined_with(self, other: "FoundSheet") -> "FoundSheet":
        """Return the sheet with another that lies against it: of one angle, nothing is sure."""
        return replace(self, rim=np.concatenate([self.rim, other.corners, other.rim]), joined=True)

    def is_fed_with(self, other: "FoundSheet", scale: Points) -> bool:
        """Tell two sheets of one feed: what shows of each, between the same two lines.

        Where they lie over each other they are as dark as a dark bed, so that they seem apart; what
        shows of either is of no film's size then, and both are longer than any film.

        Parameters
        ----------
        other : FoundSheet
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones: then nothing is told.
        """
        ends = self._ends_in_line(other, scale)
        return ends is not None and _is_of_no_film(ends) and is_longer_than_any(_around(ends))

    def is_printed_with(self, other: "FoundSheet", scale: Points) -> bool:
        """Tell two rows or columns of pictures: of no film's size, on one sheet together.

        Films are laid by hand; nobody lays two between the same two lines.

        Parameters
        ----------
        other : FoundSheet
        scale : ndarray, (2,)
            Millimetres per pixel in x and y, or ones: then nothing is told.
        """
        ends = self._ends_in_line(other, scale)
        return ends is not None and _is_of_no_film(ends) and not is_longer_than_any(_around(ends))

    def _ends_in_line(self, other: "FoundSheet", scale: Points) -> Points | None:
        """Return where both begin and end along this one, (2, 2, 2), if between the same lines."""
        if other is self or np.allclose(scale, 1.0):
            return None
        angle = common_angle(self.sides, scale)
        apart = float(askew_deg(np.array(common_angle(other.sides, scale) - angle)))
        if abs(apart) > _IN_LINE_DEG:
            return None
        axes = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
        mine, theirs = ((one.corners * scale) @ axes for one in (self, other))
        ends = np.array([(one.min(axis=0), one.max(axis=0)) for one in (mine, theirs)])
        return ends if (np.abs(ends[0] - ends[1]).max(axis=0) < _IN_LINE_MM).any() else None

    def _holds(self, points: Points) -> bool:
        rim = self.corners.astype(np.float32)
        room = -OVERHANG * float(np.linalg.norm(np.ptp(self.corners, axis=0)))
        return all(cv2.pointPolygonTest(rim, (float(x), float(y)), True) > room for x, y in points)


def _is_of_no_film(ends: Points) -> bool:
    """Tell whether neither of two sheets, (begin, end) of each in mm, has a film's size."""
    return not any(is_film_size(SizeMm(*map(float, one[1] - one[0])), _IN_LINE_MM) for one in ends)


def _around(ends: Points) -> SizeMm:
    """Return the size of two sheets together."""
    return SizeMm(*map(float, ends[:, 1].max(axis=0) - ends[:, 0].min(axis=0)))


def _grown(corners: Points, room: float) -> NDArray[np.float32]:
    """Return a rectangle grown on every side."""
    across, down = (corners[n] - corners[0] for n in (1, 3))
    across, down = (room * one / np.linalg.norm(one) for one in (across, down))
    ways = np.array([-across - down, across - down, across + down, down - across])
    return np.asarray(corners + ways, dtype=np.float32)


def beside(corners: Points, rim: Points, glow: float) -> float:
    """Return the part of points that lie outside a sheet by more than its overhang, or its glow."""
    return float(np.mean(outside(corners, rim) > _room(corners, glow)))


def outside(corners: Points, points: Points) -> Points:
    """Return how far points, (n, 2), lie outside a sheet, (n,), negative within it."""
    along = np.roll(corners, -1, axis=0) - corners
    to = points[:, None, :] - corners
    depth = (along[:, 0] * to[..., 1] - along[:, 1] * to[..., 0]) / np.linalg.norm(along, axis=1)
    return np.asarray(-depth.min(axis=1), dtype=np.float64)


def _room(corners: Points, glow: float) -> float:
    """Return how far beyond a sheet what is measured as outside may be its own."""
    return max(glow, OVERHANG * float(np.linalg.norm(np.ptp(corners, axis=0))))


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What of a sheet's piece lies well outside of it.

    Attributes
    ----------
    part : float
        Its area as a part of the sheet's own.
    width : float
        Side of the largest square in it, in millimetres.
    places : ndarray, (n, 2)
        Its pixels of the reduced grid, in pixels of the scan.
    """

    part: float
    width: float
    places: Points

    @property
    def is_much(self) -> bool:
        """Whether it may be another sheet, or a part of this one that was cut away."""
        return self.part > _MUCH_LEFT_OUT or self.width > _ANOTHERS_MM

    @property
    def stands_out(self) -> bool:
        """Whether it is more than frayed edges, glare and shades leave."""
        return self.width > _STANDS_OUT_MM


def left_out(page: Page, found: FoundSheet) -> LeftOut:
    """Return what of a sheet's piece lies outside of it by more than its overhang, or its glow.

    Parameters
    ----------
    page : Page
    found : FoundSheet
    """
    piece = np.zeros(page.tone.shape, np.uint8)
    cv2.drawContours(piece, found.outlines, -1, 255, cv2.FILLED)
    kept = _grown(found.corners, _room(found.corners, found.glow)) * page.reduction - 0.5
    cv2.fillConvexPoly(piece, np.rint(kept).astype(np.int32), 0)
    rows, columns = np.nonzero(piece)
    # Beyond the frame there is nothing, of which a piece along it is no wider.
    away = cv2.distanceTransform(cv2.copyMakeBorder(piece, 1, 1, 1, 1, 0), cv2.DIST_C, 3)
    width = max(0.0, 2 * float(away.max()) - 1)
    fine = float(np.prod(page.reduction))
    return LeftOut(
        part=rows.size / (found.area * fine),
        width=width / (page.pitch * float(np.sqrt(fine))),
        places=(np.stack([columns, rows], axis=1) + 0.5) / page.reduction,
    )
