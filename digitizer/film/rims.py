"""The sheet's own edge beyond a black border, where film and bed are nearly alike.

A printed mask is as dark as a masked bed: to the eye the sheet ends where its picture ends. But the
two differ by some percent, and the mean of a thousand pixels along a side tells as much.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.dark_lines import darkest_line
from digitizer.film.light import Floats, linear_light
from digitizer.model.raster import Pixels

__all__ = ["bed_is_brighter", "beyond"]

_NEAR_MM = 2.6
"""So close beside a sheet the bed lies in its shade."""
_WINDOW_MM = 1.6
"""Width of the bands on either side of an edge that are compared."""
_MIDDLE = (0.12, 0.88)
"""Part of a side that is looked at: corners curl and throw shadows."""
_PARTS = 4
_AGREE_MM = 0.8
_SURE = 7.0
"""Standard errors by which the two bands must differ."""
_DIFFERS = 0.025
"""Part of the level by which they must differ: lamps fall off by a thousandth a millimetre."""
_UNLIKE = 0.04
"""Part of the level by which rim and bed differ, and lamps do not from one side to another."""
_BLACK = 1.25
"""Times the darkest level from which on there is something else on a bed: rims differ by 0.12."""
_BOTH_BLACK = 2.0
"""Times that one side of an edge is as bright as the other at most, a dark line among either."""
_BLOCK_MM = 1.0
"""Length outwards over which what lies beside a side must be as bright to be a block, not noise."""
_SLOPE = 0.5
"""Part of a step by which the level of an even rim may change up to it: 0.7 and more where it
slopes evenly, as in glare."""
_ALONG = 1200

Points = NDArray[np.float64]


def bed_is_brighter(full: Pixels, sheets: Sequence[Points], pitch: float) -> bool | None:
    """Tell whether the bed is brighter than black film, where a rim ends before the frame.

    Between two sheets an edge may be the rim of either, but towards the frame it is the sheet's
    own. None where no such edge is sure, or they speak against each other.

    Parameters
    ----------
    full, pitch
        As for :func:`beyond`.
    sheets : sequence of ndarray, (4, 2)
        Corners of all pictures on the bed.
    """
    steps: list[float] = []
    for number, corners in enumerate(sheets):
        others = [one for at, one in enumerate(sheets) if at != number]
        for side in range(4):
            start, end = corners[side], corners[(side + 1) % 4]
            if any(np.isfinite(_distance(start, end, one)) for one in others):
                continue
            strip = _strip(full, start, end, pitch, ())
            edge = None if strip is None else _edge(strip, pitch)
            if edge is not None:
                steps.append(edge[1])
    signs = {step > 0 for step in steps}
    return signs.pop() if len(signs) == 1 else None


def beyond(
    full: Pixels,
    corners: Points,
    pitch: float,
    others: Sequence[Points] = (),
    *,
    top: float | None = None,
    brighter: bool | None = None,
    alone: bool = False,
    even: bool = False,
    blocks: bool = False,
) -> tuple[float | None, ...] | None:
    """Return how far beyond each side of a dark-rimmed picture its sheet ends, in pixels.

    For top, right, bottom and left: 0 where the bed begins at once, None where the sheet goes on to
    the frame. None altogether where no edge shows beyond any side: nothing speaks for a rim.

    Parameters
    ----------
    full : ndarray of uint8 or uint16, (rows, columns)
        Light at full resolution.
    corners : ndarray, (4, 2)
        Top-left, top-right, bottom-right, bottom-left as scanned.
    pitch : float
        Pixels per millimetre.
    others : sequence of ndarray, (4, 2)
        Pictures of other sheets on the same bed: up to them only is looked.
    top : float or None
        Value of light 1 where values are linear in density, so that parts of a level are of light.
    brighter : bool or None
        Whether the bed is brighter than black film, of :func:`bed_is_brighter`: an edge the other
        way is another sheet's.
    alone : bool
        Whether nothing else lies on the bed.
    even : bool
        Whether only what is even up to its edge counts as a rim: glare and shades fall off.
    blocks : bool
        Whether what is bright beside a side may be a block in the rim: not where most of a piece
        hangs out of its sheet.
    """
    ends = [(corners[number], corners[(number + 1) % 4]) for number in range(4)]
    strips = [_strip(full, start, end, pitch, others, top) for start, end in ends]
    if blocks:
        strips = [None if strip is None else _bare(strip, pitch) for strip in strips]
    found = [None if strip is None else _edge(strip, pitch, even=even) for strip in strips]
    edges = [
        None if one is None or _is_anothers(one, start, end, others, brighter) else one[0]
        for one, (start, end) in zip(found, ends, strict=True)
    ]
    if all(one is None for one in edges):
        return _without_edges(strips, pitch, brighter=brighter) if alone else None
    film, bed = _levels(strips, edges, pitch)
    rims = [
        edge if edge is not None else _without_edge(strip, film, bed, pitch)
        for edge, strip in zip(edges, strips, strict=True)
    ]
    # Among others a sheet ends before the next, wherever that is.
    return tuple(0.0 if rim is None and others else rim for rim in rims)


def _without_edges(
    strips: list[Floats | None], pitch: float, *, brighter: bool | None
) -> tuple[float | None, ...] | None:
    """Tell a side whose rim goes on to the frame where no edge shows: it is not as the others are.

    Returns
    -------
    tuple of (0 or None), or None
        As of :func:`beyond`; None where all are alike.
    """
    near = round(_NEAR_MM * pitch)
    levels = [
        None if strip is None else float(np.median(_trimmed(strip)[near:])) for strip in strips
    ]
    black = _BLACK * min((level for level in levels if level is not None), default=0.0)
    known = sorted(level for level in levels if level is not None and level < black)
    if len(known) < 2 or known[-1] - known[0] < _UNLIKE * known[0]:
        return None
    # What lies beside most sides is bed; of as many, film is the darker.
    gaps = np.diff(known)
    darker = int(np.argmax(gaps)) + 1
    film_is_darker = 2 * darker <= len(known) if brighter is None else brighter
    between = (known[darker - 1] + known[darker]) / 2
    return tuple(
        None if level is not None and level < black and (level < between) is film_is_darker else 0.0
        for level in levels
    )


def _is_anothers(
    edge: tuple[float, float],
    start: Points,
    end: Points,
    others: Sequence[Points],
    brighter: bool | None,
) -> bool:
    """Tell the rim of the next sheet: it steps the other way, or else lies nearer to that one."""
    if brighter is not None:
        return (edge[1] > 0) is not brighter
    return any(edge[0] > _distance(start, end, one) / 2 for one in others)


def _levels(
    strips: list[Floats | None], edges: list[float | None], pitch: float
) -> tuple[float, float]:
    """Return the light of the rim and of the bed where an edge tells them apart.

    Along its cut a rim is darker, and the bed beside it lies in its shade: neither counts.
    """
    near, window = round(_NEAR_MM * pitch), max(3, round(_WINDOW_MM * pitch))
    film, bed = [], []
    for strip, edge in zip(strips, edges, strict=True):
        if strip is not None and edge is not None:
            level, at = _trimmed(strip), round(edge)
            film.append(float(np.median(level[at // 3 : max(at, at // 3 + 1)])))
            bed.append(float(np.median(level[min(at + near, level.size - window) :])))
    return float(np.mean(film)), float(np.mean(bed))


def _without_edge(strip: Floats | None, film: float, bed: float, pitch: float) -> float | None:
    """Tell bed from a rim that goes on to the frame, on a side where no edge shows."""
    if strip is None:
        return None
    level = float(np.median(_trimmed(strip)[round(_NEAR_MM * pitch) :]))
    return 0.0 if abs(level - bed) < abs(level - film) else None


def _strip(
    full: Pixels,
    start: Points,
    end: Points,
    pitch: float,
    others: Sequence[Points],
    top: float | None = None,
) -> Floats | None:
    """Return what lies outside one side, a row for each pixel outwards; None without room."""
    rows, columns = full.shape
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    outward = np.array([along[1], -along[0]])
    reach = _room(start, end, outward, (columns, rows))
    reach = min([reach, *(_distance(start, end, one) for one in others)])
    if reach < (_NEAR_MM + _WINDOW_MM) * pitch + 2:
        return None
    offsets = np.arange(1.0, np.floor(reach))
    where = np.linspace(*_MIDDLE, _ALONG)
    points = (start + np.outer(where, end - start))[None] + offsets[:, None, None] * outward
    found = cv2.remap(
        full,
        (points[..., 0] - 0.5).astype(np.float32),
        (points[..., 1] - 0.5).astype(np.float32),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    values = np.asarray(found, dtype=np.float32)
    if top is not None:
        values = linear_light(values / np.float32(top), density=True, encoded=False)
        values *= np.float32(np.iinfo(full.dtype).max)
    return values


def _bare(values: Floats, pitch: float) -> Floats:
    """Leave out where a block, or tape, lies beside a side, if that is less than half of it."""
    near, length = round(_NEAR_MM * pitch), max(3, round(_BLOCK_MM * pitch))
    smooth = cv2.blur(values[near:], (length, length))
    bare = smooth.max(axis=0) <= _BOTH_BLACK * max(float(np.median(smooth)), 1.0)
    return values[:, bare] if 2 * np.count_nonzero(bare) > bare.size else values


def _edge(values: Floats, pitch: float, *, even: bool = False) -> tuple[float, float] | None:
    """Return how far outside an edge runs along most of the side, and its step; None where unsure.

    A block or tape beside a part of it steps higher than the rim does: it is left out.
    """
    first, window = round(_NEAR_MM * pitch), max(3, round(_WINDOW_MM * pitch))
    parts = [
        (part, step)
        for part in np.array_split(values, _PARTS, axis=1)
        if (step := _step(part, first, window, even=even)) is not None
    ]
    for _, (at, gap, lined) in parts:
        # Beside a dark line that tells the place, either way may be the larger step.
        near = [
            part
            for part, (other, its, also_lined) in parts
            if abs(other - at) < _AGREE_MM * pitch and (gap * its > 0 or (lined and also_lined))
        ]
        if len(near) >= _PARTS - 1:
            edge = _step(np.concatenate(near, axis=1), first, window, even=even)
            return edge and edge[:2]
    return None


def _distance(start: Points, end: Points, other: Points) -> float:
    """Return how far outside a side another sheet begins that lies before it; else infinity."""
    length = float(np.linalg.norm(end - start))
    along = (end - start) / length
    at = (other - start) @ along
    away = (other - start) @ np.array([along[1], -along[0]])
    if at.max() < 0 or at.min() > length or away.max() < 0:
        return float(np.inf)
    return max(0.0, float(away.min()))


def _room(start: Points, end: Points, outward: Points, size: tuple[int, int]) -> float:
    """Return how far the middle of a side can move outwards within the frame."""
    room = np.inf
    for share in _MIDDLE:
        place = start + share * (end - start)
        for at, way, limit in zip(place, outward, size, strict=True):
            if abs(way) > 1e-9:
                room = min(room, ((limit if way > 0 else 0) - at) / way)
    return float(max(room, 0.0))


def _trimmed(values: Floats) -> Floats:
    """Return the mean along the side without its extremes: dust and scratches."""
    ordered = np.sort(values, axis=1)
    trim = ordered.shape[1] // 10
    return np.asarray(ordered[:, trim : ordered.shape[1] - trim].mean(axis=1), dtype=np.float32)


def _step(
    values: Floats, first: int, window: int, *, even: bool
) -> tuple[float, float, bool] | None:
    """Return place and height of the surest step between two bands; None where none is sure.

    And whether a dark line tells the place.

    ``values`` has one row for each pixel outwards.
    """
    level = _trimmed(values)
    total = np.concatenate([[0.0], np.cumsum(level, dtype=np.float64)])
    at = np.arange(max(first, window), level.size - window)
    if at.size == 0:
        return None
    inner = (total[at] - total[at - window]) / window
    outer = (total[at + window] - total[at]) / window
    rough = np.diff(level)
    noise = 1.4826 * float(np.median(np.abs(rough - np.median(rough)))) / np.sqrt(2)
    error = max(noise * np.sqrt(2 / window), 1e-3)
    gap = outer - inner
    sure = np.abs(gap) / error
    sure[np.abs(gap) < _DIFFERS * np.maximum(inner, 1.0)] = 0
    if even:
        within = (level[at - 2] - level[at - window]) * np.sign(gap)
        sure[within > _SLOPE * np.abs(gap)] = 0
    best = int(np.argmax(sure))
    # What is black on one side alone is no rim beside a dark bed, but another sheet.
    brightest, darkest = max(inner[best], outer[best]), min(inner[best], outer[best])
    if sure[best] <= _SURE or brightest > _BOTH_BLACK * darkest:
        return None
    place, lined = _at_cut(level, int(at[best]), window, noise)
    return place, float(gap[best]), lined


def _at_cut(level: Floats, step: int, window: int, noise: float) -> tuple[float, bool]:
    """Return where within a step the cut lies: at its dark line, or where the step is steepest.

    And whether it is that line.

    Bands of a window's width find the step, but the shade beside a sheet draws it out outwards by
    the half of one.
    """
    first = max(0, step - 2 * window)
    near = level[first : step + 2 * window]
    line = darkest_line(near, window / _WINDOW_MM, noise)
    return (step + 0.5, False) if line is None else (first + 1.0 + line[0], True)
