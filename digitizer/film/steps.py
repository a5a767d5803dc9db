"""Straight, sharp steps of brightness on a film: what was cut, not what was shone through.

What this decides: where such steps run and which side of them is darker. What it never does: say
what they belong to (:mod:`digitizer.film.patches`). What it leaves out: penumbrae, which are a
millimetre wide, and what is shorter than a label.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats

__all__ = ["Step", "sampled", "steps_of"]

Points = NDArray[np.float64]

_LEAST_MM = 5.0
"""Shorter pieces are print and detail."""
_LONG_MM = 9.0
"""A step is at least so long once its pieces are joined."""
_GAP_MM = 7.0
"""So far print or a bone may interrupt a step."""
_ASIDE_MM = 0.6
_ALONG = np.cos(np.radians(1.5))
"""How far pieces of one step may lie beside and askew of each other: the cosine of that angle."""
_ACROSS_MM = (-1.5, -1.0, -0.55, 0.55, 1.0, 1.5)
"""Where to either side the height of a step is taken."""
_SHARP = 0.7
"""Part of its height that a sharp step has within half a millimetre."""
_LEAST_STEP = 0.12
"""Of natural log light: 0.05 OD."""
_SAMPLES = 48


@dataclass(frozen=True, eq=False)
class Step:
    """A step from ``start`` to ``end``, in pixels (x, y), y down.

    As found, its darker side is to the right of the way on the screen. ``length`` is what was seen
    of it, in pixels.
    """

    start: Points
    end: Points
    length: float

    @cached_property
    def span(self) -> float:
        """Distance from start to end, in pixels."""
        return float(np.linalg.norm(self.end - self.start))

    @cached_property
    def along(self) -> Points:
        """Direction, of length 1."""
        return (self.end - self.start) / max(self.span, 1e-9)

    @cached_property
    def right(self) -> Points:
        """Direction of length 1 to the right of the way."""
        along = self.along
        return np.array([-along[1], along[0]])

    @cached_property
    def askew_deg(self) -> float:
        """How far it is turned against the picture, 0 to 45."""
        along = self.along
        return float(abs((np.degrees(np.arctan2(along[1], along[0])) + 45) % 90 - 45))

    def reversed(self) -> "Step":
        """Return the same step the other way round."""
        return Step(self.end, self.start, self.length)


def steps_of(tone: Floats, pitch: float) -> list[Step]:
    """Return the straight, sharp steps of a picture, the darker side to the right of each.

    Pieces are found by the line segment detector of Grompone von Gioi et al. (LSD, 2012).

    Parameters
    ----------
    tone : ndarray of float32, (rows, columns)
        Natural log light.
    pitch : float
        Pixels a millimetre, about three.
    """
    low, high = float(tone.min()), float(tone.max())
    shades = ((tone - low) * np.float32(255 / max(high - low, 1e-6))).astype(np.uint8)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(cv2.medianBlur(shades, 3))[0]
    if found is None:
        return []
    ends = np.asarray(found, dtype=np.float64).reshape(-1, 2, 2)
    ends = ends[np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) > _LEAST_MM * pitch]
    return _joined(_sharp(tone, ends, pitch), pitch) if len(ends) else []


def sampled(tone: Floats, points: Points) -> Floats:
    """Return the picture at points (n, ..., 2), in pixels of it."""
    flat = points.reshape(points.shape[0], -1, 2).astype(np.float32)
    values = cv2.remap(
        tone, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(values, dtype=np.float32).reshape(points.shape[:-1])


def _sharp(tone: Floats, ends: Points, pitch: float) -> Points:
    """Keep what is as sharp as a cut, and let the darker side be the right one."""
    way = ends[:, 1] - ends[:, 0]
    along = way / np.linalg.norm(way, axis=1, keepdims=True)
    right = np.stack([-along[:, 1], along[:, 0]], axis=1)
    where = np.linspace(0.06, 0.94, _SAMPLES)
    away = np.array(_ACROSS_MM) * pitch
    points = ends[:, None, 0] + where[None, :, None] * way[:, None]
    across = points[:, :, None] + away[:, None] * right[:, None, None]
    level = np.median(sampled(tone, across), axis=1)
    height = level[:, 3:].mean(axis=1) - level[:, :3].mean(axis=1)
    near = level[:, 3] - level[:, 2]
    beyond = level[:, 4:].mean(axis=1) - level[:, :2].mean(axis=1)
    kept = (np.abs(height) > _LEAST_STEP) & (near * np.sign(beyond) > _SHARP * np.abs(beyond))
    brighter = height > 0
    ends[brighter] = ends[brighter, ::-1]
    sharp: Points = ends[kept]
    return sharp


def _joined(pieces: Points, pitch: float) -> list[Step]:
    """Join pieces (n, 2, 2) that follow each other on one line, beginning with the longest."""
    ways = pieces[:, 1] - pieces[:, 0]
    lengths = np.linalg.norm(ways, axis=1)
    order = np.argsort(-lengths, kind="stable")
    pieces, lengths, ways = pieces[order], lengths[order], (ways / lengths[:, None])[order]
    left = np.ones(len(pieces), bool)
    steps: list[Step] = []
    for first in range(len(pieces)):
        if not left[first]:
            continue
        left[first] = False
        step = Step(pieces[first, 0], pieces[first, 1], float(lengths[first]))
        while (place := _next(step, pieces, ways, left, pitch)) is not None:
            step = _both(step, pieces[place])
            left[place] = False
        if step.length > _LONG_MM * pitch:
            steps.append(step)
    return steps


def _next(
    step: Step, pieces: Points, ways: Points, left: NDArray[np.bool_], pitch: float
) -> int | None:
    """Return the first piece left that goes on where a step ends; ``ways`` are their directions."""
    # Of thousands of pieces few are parallel: the rest is asked of those alone.
    parallel = np.flatnonzero(left & (ways @ step.along > _ALONG))
    if len(parallel) == 0:
        return None
    to = pieces[parallel] - step.start
    aside = np.abs(to @ step.right).max(axis=1) < _ASIDE_MM * pitch
    at = to @ step.along
    gap = np.maximum(at.min(axis=1) - step.span, -at.max(axis=1))
    follow = np.flatnonzero(aside & (gap < _GAP_MM * pitch))
    return int(parallel[follow[0]]) if len(follow) else None


def _both(step: Step, other: Points) -> Step:
    """Return the step over both pieces, along a line through all of their ends."""
    length = float(np.linalg.norm(other[1] - other[0]))
    ends = np.array([step.start, step.end, *other])
    middle = np.average(ends, axis=0, weights=np.repeat([step.length, length], 2))
    along = step.along * step.length + (other[1] - other[0])
    along /= np.linalg.norm(along)
    at = (ends - middle) @ along
    return Step(middle + at.min() * along, middle + at.max() * along, step.length + length)
