"""Edge lines of a sheet, measured at full resolution."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Side", "fit_sides"]

_PROFILES = 240
_ENDS = 0.06
"""Part of a side at each end that is left out: corners are rounded, clipped or torn."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a sheet: top, right, bottom or left, in this order.

    ``point`` and ``direction`` give its line in pixels from the outer corner; ``weight`` is the cube
    of the measured length times the part of profiles that agree; unseen sides have none.
    """

    seen: bool
    point: NDArray[np.float64]
    direction: NDArray[np.float64]
    weight: float


def fit_sides(
    full: NDArray[np.generic], top: np.float32, rough: NDArray[np.float64], reach: float
) -> list[Side]:
    """Measure the four sides of a roughly known rectangle.

    Parameters
    ----------
    full : ndarray of uint8 or uint16, (rows, columns)
        Light, at full resolution.
    top : float32
        Highest value the bits allow.
    rough : ndarray, (4, 2)
        Corners top-left, top-right, bottom-right, bottom-left, in pixels from the outer corner.
    reach : float
        How many full pixels one pixel of the search picture is.
    """
    sides: list[Side] = []
    for number in range(4):
        start, end = rough[number], rough[(number + 1) % 4]
        side = _fit(full, top, start, end, max(6.0, 5.0 * reach))
        if side.seen:
            # Once more, closely along the line just found.
            length = np.linalg.norm(end - start)
            centre = side.point
            half = side.direction * length / 2
            side = _fit(full, top, centre - half, centre + half, max(5.0, 2.0 * reach))
        sides.append(side)
    return sides


def _fit(
    full: NDArray[np.generic],
    top: np.float32,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    reach: float,
) -> Side:
    """Fit one side by half-level crossings; unseen when too few profiles show an edge."""
    length = float(np.linalg.norm(end - start))
    direction = (end - start) / max(length, 1e-9)
    outward = np.array([direction[1], -direction[0]])
    unseen = Side(False, (start + end) / 2, direction, 0.0)
    if length < 20:
        return unseen
    where = np.linspace(_ENDS, 1 - _ENDS, _PROFILES)
    bases = start + np.outer(where, end - start)
    steps = np.arange(-np.ceil(reach * 1.5), np.ceil(reach) + 1)[::-1]
    # From outside inwards, so that the first step met is the sheet's own edge.
    points = bases[:, None, :] + steps[None, :, None] * outward
    rows, columns = full.shape[:2]
    inside = (
        (points[..., 0] > 0.5)
        & (points[..., 0] < columns - 0.5)
        & (points[..., 1] > 0.5)
        & (points[..., 1] < rows - 0.5)
    )
    light = cv2.remap(
        full,
        (points[..., 0] - 0.5).astype(np.float32),
        (points[..., 1] - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    tone = np.sqrt(light.astype(np.float32) / top)
    offsets, good = _crossings(tone, inside, steps)
    if good.sum() < 0.25 * _PROFILES:
        return unseen
    at = where[good] * length
    slope, intercept, agree = _robust_line(at, offsets[good])
    if agree.sum() < 0.2 * _PROFILES:
        return unseen
    first = start + intercept * outward
    turned = direction + slope * outward
    turned /= np.linalg.norm(turned)
    span = float(np.ptp(at[agree]))
    middle = first + turned * (length / 2)
    return Side(True, middle, turned, span**3 * float(agree.mean()))


def _crossings(
    tone: NDArray[np.float32], inside: NDArray[np.bool_], steps: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the offset of the edge on each profile, outward positive, and where there is one."""
    count = tone.shape[1]
    outer = np.median(tone[:, : max(2, count // 5)], axis=1, keepdims=True)
    inner = np.median(tone[:, -max(3, count // 4) :], axis=1, keepdims=True)
    height = inner - outer
    # An edge that bounds bed: the level changes for good, by more than the noise.
    clear = np.abs(height[:, 0]) > 0.02
    past = (tone - outer) / np.where(np.abs(height) < 1e-6, 1e-6, height) >= 0.5
    first = np.argmax(past, axis=1)
    good = clear & past.any(axis=1) & (first > 0) & inside.all(axis=1)
    index = np.clip(first, 1, count - 1)
    lines = np.arange(len(tone))
    half = outer[:, 0] + 0.5 * height[:, 0]
    before, after = tone[lines, index - 1], tone[lines, index]
    step = np.where(np.abs(after - before) < 1e-9, 1.0, after - before)
    fraction = np.clip((half - before) / step, 0.0, 1.0)
    return steps[index - 1] + fraction * (steps[index] - steps[index - 1]), good


def _robust_line(
    at: NDArray[np.float64], offsets: NDArray[np.float64]
) -> tuple[float, float, NDArray[np.bool_]]:
    """Fit ``offset = slope * at + intercept``: a median start, then trimmed least squares.

    The start is the Theil-Sen line of thinned pairs, which withstands up to 29 % outliers.
    """
    thin = slice(None, None, max(1, len(at) // 60))
    x, y = at[thin], offsets[thin]
    i, j = np.triu_indices(len(x), 1)
    far = np.abs(x[j] - x[i]) > 0.2 * np.ptp(x)
    slope = float(np.median((y[j] - y[i])[far] / (x[j] - x[i])[far]))
    intercept = float(np.median(offsets - slope * at))
    agree = np.ones(len(at), bool)
    for _ in range(4):
        residual = offsets - (slope * at + intercept)
        spread = 1.4826 * np.median(np.abs(residual - np.median(residual)))
        agree = np.abs(residual) < max(3.0 * spread, 0.75)
        if agree.sum() < 8:
            break
        slope, intercept = (float(value) for value in np.polyfit(at[agree], offsets[agree], 1))
    return slope, intercept, agree
