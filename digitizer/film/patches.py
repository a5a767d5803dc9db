"""Patches on a film that are bounded by straight, sharp steps with right corners.

What this decides: where such patches lie, and what can be measured of them: how they lie against
the film, whether the film goes on below them, whether they bear print. What it never does: say what
a patch is (:mod:`digitizer.film.labels`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats
from digitizer.film.steps import Step, sampled

__all__ = ["Patch", "beside", "continues", "patches_of"]

Points = NDArray[np.float64]

_SQUARE = np.sin(np.radians(3.0))
"""How far a corner may be from a right one: a pixel at one end of a side of 15 mm is 1.3 degrees,
and what lies below a cover may show beside it. Of 750 covers on drawn films 712 were told at two
degrees, 715 at three; of 450 films that hide nothing four and five."""
_ROUND_MM = 9.5
"""Corners of films are rounded by up to 9 mm: so far steps may stop short of their corner."""
_TRACED_MM = 25.0
"""So far they may stop short where their border is seen to go on to the corner, fainter or broken:
a bone or a line of print that crosses it keeps the detector of segments from it. Of 750 covers on
drawn films 704 were told without, 710 with this."""
_TRACED = 0.7
"""Part of the way to the corner on which it must be seen."""
_ACROSS_MM = 0.7
"""Where to either side of that way brightness is compared."""
_TRACED_STEP = 0.12
"""Of natural log light, as of a step."""
_BEYOND_MM = 2.0
"""How far a step may go on beyond its corner."""
_OVERHANG_MM = 12.0
"""So far where the step is fainter beyond: a bone's outline that happens to go on."""
_FAINTER = 1 / 3
"""So much fainter at most."""
_LEAST_MM = 10.0
_WIDEST = 0.8
"""Part of the film's long side that a patch has at most."""
_LARGEST = 0.3
"""The same of the film's area."""
_BESIDE_MM = 1.6
"""How far beside a step the picture is compared: beyond its blur."""
_APART_MM = 0.7
_FLOOR = -6.3
"""Natural log light below which a scanner sees its own noise."""
_FEWEST = 20
_VARIES = 0.12
"""Spread of log light from which on a picture shows whether it goes on."""
_STROKE_MM = 3.0
_STROKE = 0.25
"""Contrast of print, in log light."""
_FEW_PLACES = 0.99
"""A letter of a marker takes more than a hundredth of its plate; dust and a scratch take less."""
_CLEAR = 0.999
"""The clearest film is what this part of it does not exceed, as the brightest of a page is told."""
_AT_RIM_MM = 16.0
"""How far from the film's rim an outline that leaves it may be lost: at clear or black borders."""
_TOGETHER_MM = 2.0
"""So near to each other two sides end at a third that is not seen."""
_SPECKS_MM, _SHADES_MM = 0.35, 2.5
"""Between these widths lies the mottle of paper: its fibres flock together (formation)."""
_PLACES = 65
"""So many places of a side tell how much of it lies on the picture."""
_SPECK_MM = 1.2
"""So far from each other two specks of mottle, so filtered, have nothing to do with each other."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A patch, its sides in the order of a clock, its inside to the right of each.

    Attributes
    ----------
    tone : ndarray of float32
        The picture it lies on, natural log light.
    pitch : float
        Pixels a millimetre.
    sides : tuple of Step
        Two to four of its sides.
    dark : bool
        Whether it is darker than what lies around it.
    """

    tone: Floats
    pitch: float
    sides: tuple[Step, ...]
    dark: bool

    @cached_property
    def apexes(self) -> Points:
        """Corners between the sides, (n - 1, 2)."""
        return np.array([_crossing(a, b) for a, b in zip(self.sides, self.sides[1:], strict=False)])

    @cached_property
    def corners(self) -> Points:
        """Its four corners, (4, 2); where a side is not seen, as far as the others go."""
        sides, apexes = self.sides, self.apexes
        if len(sides) == 4:
            return np.array([_crossing(sides[3], sides[0]), *apexes])
        first = float((apexes[0] - sides[0].start) @ sides[0].along)
        if len(sides) == 3:
            depth = max(first, float((sides[2].end - apexes[1]) @ sides[2].along))
            ends = apexes[0] - depth * sides[0].along, apexes[1] + depth * sides[2].along
            return np.array([ends[0], *apexes, ends[1]])
        low = apexes[0] - first * sides[0].along
        high = apexes[0] + float((sides[1].end - apexes[0]) @ sides[1].along) * sides[1].along
        return np.array([low, apexes[0], high, low + high - apexes[0]])

    @cached_property
    def lengths(self) -> Points:
        """Lengths of its sides in pixels, (4,)."""
        found: Points = np.linalg.norm(np.roll(self.corners, -1, axis=0) - self.corners, axis=1)
        return found

    @property
    def area_mm2(self) -> float:
        """Area in square millimetres."""
        return float(self.lengths[0] * self.lengths[1]) / self.pitch**2

    @property
    def is_fit(self) -> bool:
        """Whether its size is that of a label or of a corner folded over."""
        rows, columns = self.tone.shape
        area = float(self.lengths[0] * self.lengths[1])
        return bool(
            self.lengths.min() > _LEAST_MM * self.pitch
            and self.lengths.max() < _WIDEST * max(rows, columns)
            and area < _LARGEST * rows * columns
        )

    @cached_property
    def closed(self) -> float:
        """Part of its outline that was seen, of what lies on the picture."""
        place = np.linspace(0, 1, _PLACES)[:, None, None]
        outline = self.corners + place * (np.roll(self.corners, -1, axis=0) - self.corners)
        inside = ((outline >= 0) & (outline <= self.tone.shape[::-1])).all(axis=2).mean(axis=0)
        return float(sum(side.length for side in self.sides) / (self.lengths @ inside))

    @cached_property
    def arm_mm(self) -> float:
        """Length of its shortest side, as far as seen."""
        return min(side.length for side in self.sides) / self.pitch

    @cached_property
    def askew_deg(self) -> float:
        """How far it is turned against the film, 0 to 45."""
        return max(self.sides, key=lambda one: one.length).askew_deg

    @cached_property
    def at_rim(self) -> bool:
        """Whether its outline, followed on at both ends, soon leaves the film.

        The two arms of three sides reach as far as each other: the one of which more is seen tells.
        """
        rows, columns = self.tone.shape
        ends = np.array([self.sides[0].start, self.sides[-1].end])
        ways = np.array([-self.sides[0].along, self.sides[-1].along])
        room = np.where(ways > 0, np.array([columns, rows]) - ends, ends)
        gap = (room / np.maximum(np.abs(ways), 1e-9)).min(axis=1)
        if len(self.sides) == 3:
            first = float((self.apexes[0] - ends[0]) @ self.sides[0].along)
            last = float((ends[1] - self.apexes[1]) @ self.sides[2].along)
            gap = gap[[int(last > first)]]
        return bool((gap < _AT_RIM_MM * self.pitch).all())

    @cached_property
    def ends_inside(self) -> bool:
        """Whether the two arms of three sides end together within the film: the fourth is there.

        What was stuck over the film's rim has arms that reach it.
        """
        if len(self.sides) != 3:
            return False
        first, last = self.sides[0].start, self.sides[2].end
        apart = abs(float((last - first) @ self.sides[0].along)) / self.pitch
        room = np.minimum([first, last], np.array(self.tone.shape[::-1]) - [first, last])
        return bool(apart < _TOGETHER_MM and room.min() > _TOGETHER_MM * self.pitch)

    @cached_property
    def height(self) -> float:
        """How much darker, or brighter, it is than what lies around it, in natural log light."""
        inside, outside = beside(self.tone, self.sides, self.pitch)
        return abs(float(np.median(inside - outside))) if inside.size else 0.0

    @cached_property
    def level(self) -> float:
        """Natural log light inside, near its sides."""
        inside, _ = beside(self.tone, self.sides, self.pitch)
        return float(np.median(inside)) if inside.size else -np.inf

    @cached_property
    def continues(self) -> float:
        """How well the film goes on below it; see :func:`continues`."""
        return continues(self.tone, self.sides, self.pitch)

    @cached_property
    def strokes(self) -> float:
        """Part of it that is strokes as of print."""
        return _strokes(self.tone, self.corners, self.pitch)

    @cached_property
    def brightest(self) -> float:
        """Natural log light that one place in a hundred inside exceeds; -inf where none shows."""
        patch, shown = _laid_flat(self.tone, self.corners, self.pitch)
        if not shown.any():
            return -np.inf
        return float(np.quantile(cv2.blur(patch, (2, 2))[shown], _FEW_PLACES))

    @cached_property
    def clearest(self) -> float:
        """Natural log light of the clearest film, no bed behind its round corners being film."""
        rim = max(1, min(round(_ROUND_MM * self.pitch), min(self.tone.shape) // 4))
        return float(np.quantile(self.tone[rim:-rim:2, rim:-rim:2], _CLEAR))

    @cached_property
    def mottle(self) -> float:
        """Spread of log light from place to place inside, as of paper; film base is even."""
        apart, shown = self._grain
        return _spread(apart[shown])

    @cached_property
    def shading(self) -> float:
        """Spread of log light inside once mottle is smoothed away; paper lit from above has none.

        It is what half of the patch differs by: print on it is less.
        """
        patch, shown = _laid_flat(self.tone, self.corners, self.pitch)
        if not shown.any():
            return np.inf
        even = cv2.GaussianBlur(patch, (0, 0), _SHADES_MM * self.pitch / 2)
        return _spread(np.asarray(even, np.float32)[shown])

    @cached_property
    def lined(self) -> float:
        """How much rows of it differ, or columns, in units of what mottle makes them differ.

        About 1 where mottle is all there is; more where lines of text stand, however faint.
        """
        apart, shown = self._grain
        spread = _spread(apart[shown])
        if spread == 0.0:
            return 0.0
        # Strokes are cut down to what mottle reaches, so that one long scratch is no line of text.
        held = np.where(shown, np.clip(apart / spread, -3, 3), 0)
        speck = _SPECK_MM * self.pitch
        return max(
            float(held.mean(axis=axis).std()) * float(np.sqrt(held.shape[axis] / speck))
            for axis in (0, 1)
        )

    @cached_property
    def _grain(self) -> tuple[Floats, NDArray[np.bool_]]:
        """Log light inside without its shades and its noise, and what of it lies on the film."""
        patch, shown = _laid_flat(self.tone, self.corners, self.pitch)
        if not shown.any():
            return patch, shown
        fine, coarse = (
            cv2.GaussianBlur(patch, (0, 0), width * self.pitch / 2)
            for width in (_SPECKS_MM, _SHADES_MM)
        )
        return np.asarray(fine - coarse, np.float32), shown

    def holds(self, points: Points) -> int:
        """Return how many points lie inside."""
        rim = self.corners.astype(np.float32)
        inside = [cv2.pointPolygonTest(rim, (float(x), float(y)), False) > 0 for x, y in points]
        return sum(inside)


def patches_of(tone: Floats, steps: Sequence[Step], pitch: float) -> Iterator[Patch]:
    """Yield the patches that steps bound, dark ones first; parts of one are told beside it.

    Parameters
    ----------
    tone : ndarray of float32, (rows, columns)
        Natural log light.
    steps : sequence of Step
    pitch : float
        Pixels a millimetre.
    """
    for dark in (True, False):
        sides = list(steps) if dark else [step.reversed() for step in steps]
        seen: set[frozenset[int]] = set()
        for chain in _chains(tone, sides, pitch, dark=dark):
            if frozenset(chain) in seen:
                continue
            seen.add(frozenset(chain))
            patch = Patch(tone, pitch, tuple(sides[number] for number in chain), dark)
            if patch.is_fit:
                yield patch


def continues(tone: Floats, sides: Sequence[Step], pitch: float) -> float:
    """Return the correlation of the picture on both sides of steps.

    Paper and a second layer of film add their density: the picture goes on below them. A block or
    a mask has its own. 0 where the picture around is too even, or too dark, to tell.
    """
    inside, outside = beside(tone, sides, pitch)
    lit = (inside > _FLOOR) & (outside > _FLOOR)
    inside, outside = inside[lit], outside[lit]
    if inside.size < _FEWEST:
        return 0.0
    if float(outside.std()) < _VARIES or float(inside.std()) < 1e-6:
        return 0.0
    return float(np.corrcoef(inside, outside)[0, 1])


def beside(tone: Floats, sides: Sequence[Step], pitch: float) -> tuple[Floats, Floats]:
    """Return log light to the right and to the left along steps."""
    right, left = [], []
    for side in sides:
        at = np.arange(2 * pitch, side.span - 2 * pitch, _APART_MM * pitch)
        if not at.size:
            continue
        base = side.start + at[:, None] * side.along
        away = _BESIDE_MM * pitch * side.right
        right.append(sampled(tone, base + away))
        left.append(sampled(tone, base - away))
    if not right:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    return np.concatenate(right), np.concatenate(left)


def _chains(tone: Floats, sides: Sequence[Step], pitch: float, *, dark: bool) -> list[list[int]]:
    """Return runs of two to four sides round right corners, the longest first."""
    follows = _following(tone, sides, pitch, dark=dark)
    chains: list[list[int]] = []
    open_ = [[number] for number in range(len(sides))]
    while open_:
        grown = [
            [*chain, number]
            for chain in open_
            for number in follows[chain[-1]]
            if number not in chain
        ]
        chains.extend(grown)
        open_ = [chain for chain in grown if len(chain) < 4]
    return chains[::-1]


def _following(tone: Floats, sides: Sequence[Step], pitch: float, *, dark: bool) -> list[list[int]]:
    """Return for each side those that go on from its end, a quarter turn to the right."""
    if not sides:
        return []
    start, end = (np.array([getattr(one, name) for one in sides]) for name in ("start", "end"))
    along, right = (np.array([getattr(one, name) for one in sides]) for name in ("along", "right"))
    square = np.abs(along @ along.T) < _SQUARE
    square &= right @ along.T > 0
    gap = start[None] - end[:, None]
    before = np.einsum("ijk,ik->ij", gap, along)
    after = np.einsum("ijk,jk->ij", gap, along)
    beyond, over, near, far = (
        mm * pitch for mm in (_BEYOND_MM, _OVERHANG_MM, _ROUND_MM, _TRACED_MM)
    )
    least = np.minimum(before, after)
    follow = square & (least > -over) & (np.maximum(before, after) < far)
    for one, other in np.argwhere(follow & (least <= -beyond)):
        follow[one, other] = all(
            gap[one, other] > -beyond or _ends_at(tone, side, gap[one, other], pitch)
            for gap, side in ((before, sides[one]), (after, sides[other].reversed()))
        )
    for one, other in np.argwhere(follow & (np.maximum(before, after) > near)):
        corner = _crossing(sides[one], sides[other])
        follow[one, other] = all(
            _is_traced(tone, way, pitch, dark=dark)
            for way in (np.array([end[one], corner]), np.array([corner, start[other]]))
        )
    return [[int(n) for n in np.flatnonzero(row)] for row in follow]


def _is_traced(tone: Floats, ends: Points, pitch: float, *, dark: bool) -> bool:
    """Tell whether most of the way between two points is darker, or brighter, on its right."""
    start, end = ends
    length = float(np.linalg.norm(end - start))
    if length < _ROUND_MM * pitch:
        return True
    along = (end - start) / length
    aside = np.array([-along[1], along[0]]) * _ACROSS_MM * pitch
    way = start + np.arange(0.0, length, _APART_MM * pitch)[:, None] * along
    height = sampled(tone, way - aside) - sampled(tone, way + aside)
    return float(np.mean((height if dark else -height) > _TRACED_STEP)) > _TRACED


def _ends_at(tone: Floats, side: Step, beyond: float, pitch: float) -> bool:
    """Tell whether a step is much fainter on the last so many (negative) pixels of its way."""
    aside = _ACROSS_MM * pitch * side.right
    way = np.arange(0.0, side.span, _APART_MM * pitch)
    points = side.start + way[:, None] * side.along
    height = sampled(tone, points - aside) - sampled(tone, points + aside)
    last = way > side.span + beyond
    return bool(
        last.any()
        and not last.all()
        and abs(float(np.median(height[last]))) < _FAINTER * abs(float(np.median(height[~last])))
    )


def _crossing(one: Step, other: Step) -> Points:
    """Return where the lines of two steps cross."""
    ways = np.stack([one.along, -other.along], axis=1)
    at = np.linalg.solve(ways, other.start - one.start)
    return np.asarray(one.start + at[0] * one.along)


def _spread(values: Floats) -> float:
    """Return the median deviation in units of a standard deviation; 0 of nothing."""
    if not values.size:
        return 0.0
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _strokes(tone: Floats, corners: Points, pitch: float) -> float:
    """Return the part of a patch that is narrow and stands out, brighter or darker."""
    patch, shown = _laid_flat(tone, corners, pitch)
    if not shown.any():
        return 0.0
    soft = cv2.blur(patch, (2, 2))
    noise = 1.4826 * float(np.median(np.abs(soft - cv2.medianBlur(soft, 5))[shown]))
    wide = max(5, round(_STROKE_MM * pitch)) | 1
    kernel = np.ones((wide, wide), np.uint8)
    dark = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, kernel) - soft
    bright = soft - cv2.morphologyEx(soft, cv2.MORPH_OPEN, kernel)
    stands_out = np.maximum(dark, bright) > max(_STROKE, 6 * noise)
    return float(stands_out[shown].mean())


def _laid_flat(tone: Floats, corners: Points, pitch: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the inside of a patch, its sides along the axes, and what of it lies on the film."""
    width, height = (float(np.linalg.norm(corners[n] - corners[0])) for n in (1, 3))
    inset = round(_BESIDE_MM * pitch)
    if min(width, height) < 4 * inset:
        return np.zeros((0, 0), np.float32), np.zeros((0, 0), np.bool_)
    flat = np.array([[0, 0], [width, 0], [0, height]], np.float32)
    turn = cv2.getAffineTransform(corners[[0, 1, 3]].astype(np.float32), flat)
    size = (round(width), round(height))
    inner = np.s_[inset:-inset, inset:-inset]
    patch = cv2.warpAffine(tone, turn, size, borderMode=cv2.BORDER_REPLICATE)[inner]
    shown = cv2.warpAffine(np.ones_like(tone), turn, size)[inner] > 0.5
    return np.asarray(patch, dtype=np.float32), shown
