"""Sheets of many pictures, as laser imagers and multi-format cameras of CT, MR and ultrasound.

A sheet is a lattice of pictures of one size. Between them the film is clear (a camera exposes its
pictures only) or black (a laser writes the whole sheet); pictures may be framed, the last row may
not be full, a survey picture may stand first, a strip for identification may stand above.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.rehearsal.geometry import Placement
from digitizer.rehearsal.sheet import BASE_FOG, D_MAX, Sheet, smooth
from digitizer.rehearsal.slices import KINDS, Picture, draw_slice, scout
from digitizer.rehearsal.typography import line, lines

__all__ = ["FORMATS", "Lattice", "agrees", "print_pictures"]

FORMATS: tuple[tuple[int, int], ...] = (
    (2, 2), (3, 2), (2, 3), (3, 3), (4, 3), (3, 4), (5, 3), (4, 4), (5, 4), (4, 5), (6, 4), (7, 5),
)  # fmt: skip
"""Rows and columns of usual sheets, 4-on-1 to 35-on-1."""
_LEAST_MM = 34.0
"""Pictures are not printed smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Where the pictures of a sheet truly are.

    Attributes
    ----------
    rows, columns : int
    boxes : float64, shape (rows * columns, 4, 2)
        Corners of each picture's place on the sheet in millimetres, TL, TR, BR, BL, row by row.
    content : float64, shape (rows * columns, 4)
        u0, v0, u1, v1 of what differs from the black around it; NaN where nothing was printed.
    kind : str
        A key of :data:`digitizer.rehearsal.slices.KINDS`.
    gap : str
        ``clear`` or ``black``.
    framed : bool
        Whether the border of a picture can be seen: clear gaps, or frames drawn around pictures.
    """

    rows: int
    columns: int
    boxes: NDArray[np.float64]
    content: NDArray[np.float64]
    kind: str
    gap: str
    framed: bool

    @property
    def empty(self) -> list[bool]:
        """Tell for each place whether nothing was printed there."""
        return [bool(np.isnan(one).any()) for one in self.content]


@dataclass(frozen=True, slots=True)
class _Plan:
    rows: int
    columns: int
    gap_mm: tuple[float, float]
    margins_mm: tuple[float, float, float, float]


def _draw_plan(
    rng: np.random.Generator, size_mm: tuple[float, float], *, strip_mm: float = 0.0
) -> _Plan:
    """Choose a format that fits the sheet, its gaps and its margins (left, top, right, bottom)."""
    width, height = size_mm
    gap = float(rng.choice([0.6, 1.0, 2.0, 3.5, 6.0])), float(rng.choice([1.0, 2.0, 3.5, 6.0]))
    if rng.random() < 0.6:
        gap = (gap[1], gap[1])
    margins = [float(rng.uniform(2.0, 16.0)) for _ in range(4)]
    margins[1] += strip_mm
    fitting = []
    for rows, columns in FORMATS:
        wide = (width - margins[0] - margins[2] - (columns - 1) * gap[0]) / columns
        high = (height - margins[1] - margins[3] - (rows - 1) * gap[1]) / rows
        if min(wide, high) >= _LEAST_MM and 0.7 < wide / high < 1.5:
            fitting.append((rows, columns))
    # On the smallest sheets four pictures are smaller than usual.
    fitting = fitting or [FORMATS[0]]
    rows, columns = fitting[int(rng.integers(len(fitting)))]
    return _Plan(rows, columns, gap, (margins[0], margins[1], margins[2], margins[3]))


def print_pictures(
    rng: np.random.Generator,
    size_mm: tuple[float, float],
    pixels_per_mm: float,
    wear: float,
    *,
    kind: str,
    strip_mm: float = 0.0,
    words: tuple[str, ...] = (),
) -> tuple[Sheet, Lattice]:
    """Print a sheet of many pictures.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    size_mm : tuple of float
        Width and height of the sheet.
    pixels_per_mm : float
        Pitch of the density map.
    wear : float
        0 (as new) to 1.
    kind : str
        A key of :data:`digitizer.rehearsal.slices.KINDS`.
    strip_mm : float
        Room left above the pictures for identification.
    words : tuple of str
        What stands in every picture besides its own numbers.
    """
    plan = _draw_plan(rng, size_mm, strip_mm=strip_mm)
    gap = "clear" if rng.random() < 0.5 else "black"
    frames = bool(gap == "black" and rng.random() < 0.35)
    columns, rows = (round(side * pixels_per_mm) for side in size_mm)
    black = float(rng.uniform(2.5, D_MAX))
    clear = BASE_FOG + float(rng.uniform(0.0, 0.12))
    surround = clear if gap == "clear" else black
    density = np.full((rows, columns), surround, dtype=np.float32)
    boxes, content = [], []
    count = plan.rows * plan.columns
    used = _used(rng, count, plan.columns)
    for number in range(count):
        box = _box(plan, size_mm, number)
        boxes.append(box)
        if not used[number]:
            content.append([np.nan] * 4)
            continue
        place = tuple(round(value * pixels_per_mm) for value in box)
        picture = _picture(rng, kind, number, count, (place[3] - place[1], place[2] - place[0]))
        _caption(rng, picture, number, words, pixels_per_mm)
        if frames:
            thick = max(1, round(0.4 * pixels_per_mm))
            for side in (np.s_[:thick], np.s_[-thick:], np.s_[:, :thick], np.s_[:, -thick:]):
                picture[side] = 1.0
        content.append(_extent(picture, place, pixels_per_mm))
        density[place[1] : place[3], place[0] : place[2]] = black + (clear - black) * picture
    corners = np.array([_corners(*box) for box in boxes])
    corners = _tilt(rng, density, corners, size_mm, pixels_per_mm, surround)
    _finish(rng, density, wear)
    sheet = Sheet(density, size_mm, pixels_per_mm, (0.0, 0.0, *size_mm))
    lattice = Lattice(
        rows=plan.rows,
        columns=plan.columns,
        boxes=corners,
        content=np.array(content),
        kind=kind,
        gap=gap,
        framed=gap == "clear" or frames,
    )
    return sheet, lattice


def _used(rng: np.random.Generator, count: int, columns: int) -> list[bool]:
    """Leave places of the last row empty, now and then one in the middle."""
    used = [True] * count
    if rng.random() < 0.35:
        for number in range(count - int(rng.integers(1, columns)), count):
            used[number] = False
    if count > 6 and rng.random() < 0.08:
        used[int(rng.integers(1, count - columns))] = False
    return used


def _box(plan: _Plan, size_mm: tuple[float, float], number: int) -> tuple[float, ...]:
    left, top, right, bottom = plan.margins_mm
    wide = (size_mm[0] - left - right - (plan.columns - 1) * plan.gap_mm[0]) / plan.columns
    high = (size_mm[1] - top - bottom - (plan.rows - 1) * plan.gap_mm[1]) / plan.rows
    u = left + number % plan.columns * (wide + plan.gap_mm[0])
    v = top + number // plan.columns * (high + plan.gap_mm[1])
    return u, v, u + wide, v + high


def _corners(u0: float, v0: float, u1: float, v1: float) -> list[list[float]]:
    return [[u0, v0], [u1, v0], [u1, v1], [u0, v1]]


def _picture(
    rng: np.random.Generator, kind: str, number: int, count: int, shape: tuple[int, int]
) -> Picture:
    if KINDS[kind] == "CT" and number == 0 and rng.random() < 0.4:
        return scout(rng, shape)
    picture = draw_slice(rng, kind, shape, number / max(1, count - 1))
    if rng.random() < 0.03:
        # Filmed with a wrong window: next to nothing is seen.
        picture *= np.float32(0.06)
    return picture


def _caption(
    rng: np.random.Generator,
    picture: Picture,
    number: int,
    words: tuple[str, ...],
    pixels_per_mm: float,
) -> None:
    """Write into the corners of a picture, as every modality does."""
    rows, columns = picture.shape
    cap = max(4.0, min(2.2, 0.03 * columns / pixels_per_mm) * pixels_per_mm)
    inset = max(2, round(0.9 * pixels_per_mm))
    blocks = {
        (0, 0): lines(list(words[:3]), "mono", cap) if words else None,
        (0, 1): line(f"IM {number + 1}", "mono", cap),
        (1, 0): line(f"W {int(rng.integers(8, 50)) * 10} C {int(rng.integers(2, 9)) * 10}",
                     "mono", cap),
        (1, 1): line(f"{number * 8 - 40:+d}.0", "mono", cap),
    }  # fmt: skip
    for (low, right), ink in blocks.items():
        if ink is None or ink.shape[0] > rows // 2 or ink.shape[1] > columns // 2:
            continue
        top = rows - inset - ink.shape[0] if low else inset
        left = columns - inset - ink.shape[1] if right else inset
        place = picture[top : top + ink.shape[0], left : left + ink.shape[1]]
        np.maximum(place, ink * np.float32(0.92), out=place)


def _extent(picture: Picture, place: tuple[int, ...], pixels_per_mm: float) -> list[float]:
    """Return in millimetres what of a picture is not black."""
    seen = picture > 0.12
    if not seen.any():
        return [np.nan] * 4
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    ends = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return [(place[n % 2] + int(end)) / pixels_per_mm for n, end in enumerate(ends)]


def _tilt(
    rng: np.random.Generator,
    density: NDArray[np.float32],
    corners: NDArray[np.float64],
    size_mm: tuple[float, float],
    pixels_per_mm: float,
    surround: float,
) -> NDArray[np.float64]:
    """Turn what is printed a little against the sheet: transport is never quite straight."""
    angle = float(np.clip(rng.normal(0, 0.06), -0.2, 0.2))
    middle = (size_mm[0] * pixels_per_mm / 2, size_mm[1] * pixels_per_mm / 2)
    turn = cv2.getRotationMatrix2D(middle, angle, 1.0)
    density[:] = cv2.warpAffine(
        density, turn, density.shape[::-1], flags=cv2.INTER_LINEAR, borderValue=surround
    )
    flat = corners.reshape(-1, 2) * pixels_per_mm
    moved = flat @ turn[:, :2].T + turn[:, 2]
    return np.asarray((moved / pixels_per_mm).reshape(corners.shape), np.float64)


def _finish(rng: np.random.Generator, density: NDArray[np.float32], wear: float) -> None:
    """Add grain, scratches and uneven development."""
    rows, columns = density.shape
    noise = rng.standard_normal(density.shape, dtype=np.float32)
    density += cv2.GaussianBlur(noise, (0, 0), 0.6) * np.float32(0.02) * np.sqrt(density)
    marks = np.zeros((rows, columns), dtype=np.uint8)
    for _ in range(int(rng.poisson(6 * wear))):
        start = rng.uniform(0, 1, 2) * (columns, rows)
        end = start + rng.normal(0, 0.12, 2) * (columns, rows)
        ends = [(int(one[0]), int(one[1])) for one in (start, end)]
        cv2.line(marks, ends[0], ends[1], int(rng.integers(40, 200)), 1, cv2.LINE_AA)
    density -= marks * np.float32(0.5 / 255) * density
    if wear > 0:
        density += smooth(rng.normal(0, 0.03 * wear, (6, 6)).astype(np.float32), (rows, columns))
    np.clip(density, 0.12, D_MAX + 0.1, out=density)


def agrees(
    lattice: Lattice, placement: Placement, boxes: NDArray[np.float64], *, within_mm: float = 1.0
) -> bool:
    """Tell whether places found in a scan are the true ones.

    Where a picture has a border, each of its sides must lie within a millimetre; where it has none,
    all that was printed must be in its place, to a millimetre.

    Parameters
    ----------
    lattice : Lattice
    placement : Placement
        How the sheet lies in the scan.
    boxes : ndarray of float64, (n, 4, 2)
        Corners of the places in pixels of the scan, in any order.
    within_mm : float
    """
    if len(boxes) != len(lattice.boxes):
        return False
    true = np.array([placement.to_scan(box) for box in lattice.boxes])
    middles = boxes.mean(axis=1)[:, None] - true.mean(axis=1)
    nearest = np.linalg.norm(middles, axis=2).argmin(axis=1)
    if len(set(nearest.tolist())) < len(true):
        return False
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    if lattice.framed:
        off = np.maximum(
            abs(low - true.min(axis=1)[nearest]), abs(high - true.max(axis=1)[nearest])
        )
        return bool(off.max() <= within_mm * placement.pixels_per_mm)
    printed = [n for n, empty in enumerate(lattice.empty) if not empty]
    held = [int(np.flatnonzero(nearest == n)[0]) for n in printed]
    ends = np.array([placement.to_scan(np.array(_corners(*lattice.content[n]))) for n in printed])
    cut = np.maximum(low[held] - ends.min(axis=1), ends.max(axis=1) - high[held])
    return bool(cut.max() <= within_mm * placement.pixels_per_mm)
