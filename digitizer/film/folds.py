"""Corners and sides of a film that are folded over.

A fold lays film over film along a straight crease: beyond the crease there is no film any more, and
the film's own edge comes to lie on the picture, mirrored by the crease, with a second layer of
density between the two.

What this decides: whether a step, or a corner between two, is such an edge. What it never does:
look at what lies below. What it may get wrong: a corner folded where film and bed are as black.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import Floats
from digitizer.film.patches import Patch, beside, continues
from digitizer.film.sizes import is_film_size
from digitizer.film.steps import Step, sampled
from digitizer.model.units import SizeMm

__all__ = ["is_folded_corner", "is_folded_side", "is_mirrored_corner"]

Points = NDArray[np.float64]

_SLANT_DEG = 8.0
"""A crease that runs more nearly along the film folds a side; one across folds a corner."""
_MIRRORED_DEG = 2.5
"""How far a mirrored edge may be from where the crease puts it: films curl."""
_SMALLEST_MM = 18.0
"""Corners are clipped by up to 12 mm."""
_LARGEST = 0.65
"""Part of a side that a folded corner takes at most."""
_CREASED = 0.42
"""Part of a crease that must be seen."""
_EVEN = 0.25
"""Spread of log light beyond a crease: bed, and no picture."""
_UNEVEN = 0.4
"""The same where a corner's edges lie mirrored by the crease: 35 corners folded on drawn films had
0.27 and less, pictures across which labels' corners lay like that 0.65 and more."""
_APART = 0.3
"""How far, in natural log light, bed and film differ along a crease; where a film was only bent,
they do not."""
_ALL_ALONG = 0.75
"""Part of a flap's edge along which the film is denser within; along half of it is a border of the
field or a body's outline that a crease seems to mirror, on two drawn films."""
_DENSER = 0.15
"""What a second layer takes away there at least, in natural log light: the base and fog of a film,
0.2 OD, less what flare and noise leave of it."""
_BESIDE_MM = 3.0
_DEPTHS = (6.0, 0.47)
"""How deep a side is folded: least millimetres, and part of what is left of the film at most."""
_ACROSS = 0.55
"""Part of the film's width over which the edge of a folded side is seen."""
_AT_ONCE = 0.3
"""Part of that width over which it is seen without a break, or the film is seen to go on below."""
_ONE_LINE_MM, _ONE_LINE_DEG = 3.0, 2.5
"""How far the pieces of that edge may lie from one line: edges curl."""
_ASKEW_DEG = 0.7
"""What is printed on a film lies along it."""
_UNFOLDED_MM = 3.0
"""How far a film may be from its size of the trade once its flap is laid back."""
_WHOLE_MM = 4.0
"""A sheet as near to such a size has no side folded that lies straight."""
_SEEN = 0.3
"""Part of the film's width over which the edge is seen of a flap that fits."""
_FITS = 0.25
"""What such a flap takes away at least, in natural log light."""
_GOES_ON, _SURELY_GOES_ON = 0.6, 0.8
"""Correlation of the picture on both sides of an edge from which on it goes on below a flap, and
from which on a lighter flap is believed that lies straight: a drawn one had 0.83."""
_STANDS_OUT, _LAYER = 0.5, 1.0
"""What a second layer takes away, in natural log light, where its edge is askew and where not."""


def is_mirrored_corner(patch: Patch) -> bool:
    """Tell whether a corner is one of the film's own, mirrored by a crease half way to it."""
    along, inward = patch.sides[0].along, patch.sides[0].right + patch.sides[1].right
    for corner in _corners(patch.tone):
        for apex in patch.apexes:
            way = apex - corner
            far = float(np.linalg.norm(way))
            if far < _SMALLEST_MM * patch.pitch:
                continue
            way = way / far
            if float(inward @ way) > 0 or not _is_slanting(way):
                continue
            mirrored = np.array([1.0, 0.0]) - 2 * way[0] * way
            if _apart_deg(along, mirrored) > _MIRRORED_DEG:
                continue
            # Beyond the crease there is no film any more.
            if _unevenness(_beyond(patch.tone, corner, far / 2 / way)) < _UNEVEN:
                return True
    return False


def is_folded_corner(tone: Floats, steps: Sequence[Step], pitch: float) -> bool:
    """Tell whether a step is the crease of a corner: bed beyond it, a second layer within.

    Parameters
    ----------
    tone : ndarray of float32, (rows, columns)
        Natural log light.
    steps : sequence of Step
    pitch : float
        Pixels a millimetre.
    """
    slanting = [number for number, step in enumerate(steps) if _is_slanting(step.along)]
    if not slanting:
        return False
    seen = _on_one_line(steps, pitch) @ np.array([step.length for step in steps])
    return any(_is_crease(tone, steps[one], float(seen[one]), pitch) for one in slanting)


def _is_crease(tone: Floats, step: Step, seen: float, pitch: float) -> bool:
    """Tell whether a slanting step, of which so many pixels are seen, is a corner's crease."""
    rows, columns = tone.shape
    for corner in _corners(tone):
        inward = np.where(corner > 0, -1.0, 1.0)
        # How far along each side of the film the crease's line cuts it.
        normal = step.right
        legs = (normal @ (step.start - corner)) / (normal * inward)
        if legs.min() < _SMALLEST_MM * pitch or (legs > _LARGEST * np.array([columns, rows])).any():
            continue
        if seen < _CREASED * float(np.linalg.norm(legs)):
            continue
        if _is_bed(tone, corner, inward * legs) and _is_denser(tone, corner, inward, legs, pitch):
            return True
    return False


def is_folded_side(tone: Floats, steps: Sequence[Step], pitch: float) -> bool:
    """Tell whether the edge of a folded side runs across the film, denser towards that side."""
    on = _on_one_line(steps, pitch)
    return any(
        _is_flap(tone, step, [steps[int(other)] for other in np.flatnonzero(row)], pitch)
        for step, row in zip(steps, on, strict=True)
    )


def _is_flap(tone: Floats, step: Step, pieces: Sequence[Step], pitch: float) -> bool:
    right = step.right
    axis = int(np.argmax(np.abs(right)))
    size, span = tone.shape[1 - axis], tone.shape[axis]
    middle = float((step.start + step.end)[axis] / 2)
    away = size - middle if right[axis] > 0 else middle
    askew = float(np.degrees(np.arcsin(min(1.0, abs(float(right[1 - axis]))))))
    if not _DEPTHS[0] * pitch < away < _DEPTHS[1] * size or askew > _SLANT_DEG:
        return False
    seen = sum(one.length for one in pieces)
    if seen < _SEEN * span:
        return False
    inside, outside = beside(tone, pieces, pitch)
    if not inside.size:
        return False
    height = float(np.median(outside - inside))
    whole = is_film_size(SizeMm(size / pitch, span / pitch), _WHOLE_MM)
    unfolded = SizeMm((size + away) / pitch, span / pitch)
    if not whole and is_film_size(unfolded, _UNFOLDED_MM) and height > _FITS:
        return True
    if seen < _ACROSS * span:
        return False
    at_once = step.length > _AT_ONCE * span
    goes_on = continues(tone, pieces, pitch)
    if askew > _ASKEW_DEG:
        return height > _STANDS_OUT and (at_once or goes_on > _GOES_ON)
    least = _STANDS_OUT if goes_on > _SURELY_GOES_ON else _LAYER
    return not whole and height > least and at_once and goes_on > _GOES_ON


def _on_one_line(steps: Sequence[Step], pitch: float) -> NDArray[np.bool_]:
    """Tell of each step (rows) which others (columns) are parts of the same edge, (n, n)."""
    ends = np.array([(one.start, one.end) for one in steps]).reshape(-1, 2, 2)
    along, right = (
        np.array([getattr(one, name) for one in steps]).reshape(-1, 2)
        for name in ("along", "right")
    )
    apart = ends[None] - ends[:, None, :1]
    aside = np.abs(np.einsum("ijkl,il->ijk", apart, right)).max(axis=2)
    turned = along @ along.T > np.cos(np.radians(_ONE_LINE_DEG))
    found: NDArray[np.bool_] = turned & (aside < _ONE_LINE_MM * pitch)
    return found


def _corners(tone: Floats) -> Points:
    rows, columns = tone.shape
    return np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], dtype=np.float64)


def _is_slanting(way: Points) -> bool:
    angle = float(np.degrees(np.arctan2(abs(way[1]), abs(way[0]))))
    return _SLANT_DEG < angle < 90 - _SLANT_DEG


def _apart_deg(one: Points, other: Points) -> float:
    """Return the angle between two lines or their perpendiculars."""
    angle = np.degrees(np.arctan2(one[1], one[0]) - np.arctan2(other[1], other[0]))
    return float(abs((angle + 45) % 90 - 45))


def _is_bed(tone: Floats, corner: Points, legs: Points) -> bool:
    """Tell whether even brightness, and another than the film's, shows beyond the crease."""
    bed = _beyond(tone, corner, legs)
    along = np.linspace(0.15, 0.85, 24)[:, None]
    film = sampled(tone, (corner + 1.08 * np.hstack([along, 1 - along]) * legs)[:, None])
    return _unevenness(bed) < _EVEN and bool(abs(np.median(film) - np.median(bed)) > _APART)


def _beyond(tone: Floats, corner: Points, legs: Points) -> Floats:
    """Return log light between a corner and the crease that cuts its sides at these distances."""
    share = np.linspace(0.06, 0.8, 16)
    s, t = np.meshgrid(share, share)
    inside = s + t < 0.88
    points = corner + np.stack([s[inside] * legs[0], t[inside] * legs[1]], axis=1)
    return sampled(tone, points[:, None])


def _unevenness(values: Floats) -> float:
    """Return between which bounds eight of ten values lie."""
    low, high = np.quantile(values, (0.1, 0.9))
    return float(high - low)


def _is_denser(tone: Floats, corner: Points, inward: Points, legs: Points, pitch: float) -> bool:
    """Tell whether the film is denser within the corner mirrored by the crease than beside it."""
    normal = 1 / (inward * legs)
    length = float(np.linalg.norm(normal))
    normal /= length
    apex = corner + 2 * normal / length
    rows, columns = tone.shape
    gaps = []
    for axis in (0, 1):
        end = corner.copy()
        end[axis] += inward[axis] * legs[axis]
        way = end - apex
        inner = (corner + inward * legs / 3) - (apex + end) / 2
        across = np.array([-way[1], way[0]]) / max(float(np.linalg.norm(way)), 1e-9)
        across *= np.sign(float(across @ inner)) * _BESIDE_MM * pitch
        base = apex + np.linspace(0.15, 0.85, 40)[:, None] * way
        shown = ((base > 2 * _BESIDE_MM * pitch) & (base < np.array([columns, rows]) - 2)).all(1)
        if shown.sum() < 12:
            continue
        within, beside = (sampled(tone, (base + sign * across)[shown][:, None]) for sign in (1, -1))
        gaps.append(float(np.quantile(within - beside, _ALL_ALONG)))
    return bool(gaps) and min(gaps) < -_DENSER
