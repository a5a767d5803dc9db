"""The outline of a real sheet: bowed, curled, frayed, rounded, clipped and notched edges.

Bow and fray are made orthogonal to straight lines (Legendre polynomials of second and third order;
detrended noise), so that the least-squares line of each side is the sheet's own straight side. A
corner that curls up leaves that line near its end: it is seen shortened, nearer to the lamp.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Curl", "Fold", "Outline", "draw_outline"]

_STEP_MM = 0.25
_RIM_MM = 24.0
"""No departure reaches further into the sheet than this."""
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Curl:
    """A corner that stands off the glass.

    Attributes
    ----------
    corner : int
        0 to 3 for TL, TR, BR, BL as viewed.
    reach_mm : float
        How far from the corner the sheet lies flat again.
    inward_mm : float
        How far the corner's tip is seen nearer to the middle.
    """

    corner: int
    reach_mm: float
    inward_mm: float


@dataclass(frozen=True, slots=True)
class Fold:
    """A straight crease: what lies beyond it is folded back over the rest.

    Attributes
    ----------
    place_mm : tuple of float
        A point u, v of the crease.
    normal : tuple of float
        Of length 1, towards what was folded over.
    """

    place_mm: tuple[float, float]
    normal: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Outline:
    """How a sheet's outline departs from its rectangle.

    Attributes
    ----------
    size_mm : tuple of float
        Width and height of the rectangle.
    offsets : tuple of float32 arrays
        For left, top, right, bottom: how far the film reaches beyond the straight side, in mm,
        every 0.25 mm along it.
    radius_mm : float
        Radius of the rounded corners.
    clips : tuple of (int, float)
        Corners cut off: number (TL, TR, BR, BL) and length of the cut along each side, mm.
    notches : tuple of (float, float, float)
        Round notches: centre u, v and radius, mm.
    curls : tuple of Curl
        Corners that stand off the glass.
    fold : Fold or None
        Beyond its crease there is no film.
    """

    size_mm: tuple[float, float]
    offsets: tuple[Array, Array, Array, Array]
    radius_mm: float
    clips: tuple[tuple[int, float], ...] = ()
    notches: tuple[tuple[float, float, float], ...] = ()
    curls: tuple[Curl, ...] = ()
    fold: Fold | None = None

    def depth_mm(self, u: Array, v: Array) -> Array:
        """Return how deep points lie inside the film, in mm; negative outside.

        Far inside, where no departure reaches, it is the depth in the rectangle.
        """
        width, height = self.size_mm
        depth = np.minimum(u, np.float32(width) - u)
        np.minimum(depth, v, out=depth)
        np.minimum(depth, np.float32(height) - v, out=depth)
        rim = depth < _RIM_MM
        depth[rim] = self._depth_at_rim(u[rim], v[rim])
        if self.fold is not None:
            (at_u, at_v), (across, down) = self.fold.place_mm, self.fold.normal
            beyond = (u - np.float32(at_u)) * np.float32(across)
            beyond += (v - np.float32(at_v)) * np.float32(down)
            np.minimum(depth, -beyond, out=depth)
        return np.asarray(depth, dtype=np.float32)

    def _depth_at_rim(self, u: Array, v: Array) -> Array:
        width, height = self.size_mm
        left, top, right, bottom = self.offsets
        from_left = u + _along(left, v)
        from_right = np.float32(width) - u + _along(right, v)
        from_top = v + _along(top, u)
        from_bottom = np.float32(height) - v + _along(bottom, u)
        across, down = np.minimum(from_left, from_right), np.minimum(from_top, from_bottom)
        depth = np.minimum(across, down)
        if self.radius_mm > 0:
            radius = np.float32(self.radius_mm)
            near = (across < radius) & (down < radius)
            bent = radius - np.hypot(radius - across[near], radius - down[near])
            depth[near] = np.minimum(depth[near], bent)
        for corner, cut in self.clips:
            one = from_left if corner in (0, 3) else from_right
            two = from_top if corner in (0, 1) else from_bottom
            slant = (one + two - np.float32(cut)) * np.float32(np.sqrt(0.5))
            np.minimum(depth, slant, out=depth)
        for middle_u, middle_v, radius_mm in self.notches:
            bite = np.hypot(u - np.float32(middle_u), v - np.float32(middle_v))
            np.minimum(depth, bite - np.float32(radius_mm), out=depth)
        return np.asarray(depth, dtype=np.float32)

    def lift(self, u: Array, v: Array) -> Array:
        """Return how far points stand off the glass: 0 flat, 1 at the tip of a curled corner."""
        lifted = np.zeros(u.shape, dtype=np.float32)
        width, height = self.size_mm
        for curl in self.curls:
            at = (width if curl.corner in (1, 2) else 0.0, height if curl.corner > 1 else 0.0)
            far_u, far_v = u - np.float32(at[0]), v - np.float32(at[1])
            near = (np.abs(far_u) < curl.reach_mm) & (np.abs(far_v) < curl.reach_mm)
            away = np.hypot(far_u[near], far_v[near])
            rise = np.clip(1 - away * np.float32(1 / curl.reach_mm), 0, 1)
            lifted[near] = np.maximum(lifted[near], rise * rise)
        return lifted


def _along(profile: Array, at: Array) -> Array:
    index = np.clip(at * np.float32(1 / _STEP_MM), 0, np.float32(len(profile) - 1.01))
    low = index.astype(np.int32)
    part = index - low
    here = profile[low]
    return np.asarray(here + (profile[low + 1] - here) * part, dtype=np.float32)


def _side(rng: np.random.Generator, length_mm: float, wear: float) -> Array:
    count = int(length_mm / _STEP_MM) + 2
    t = np.linspace(-1, 1, count)
    second, third = (3 * t**2 - 1) / 2, (5 * t**3 - 3 * t) / 2
    bow = float(rng.normal(0, 0.22)) * second + float(rng.normal(0, 0.08)) * third
    fray = rng.standard_normal((1, count)).astype(np.float32)
    fine = cv2.GaussianBlur(fray, (0, 0), 1.5).ravel() * 1.8 * 0.05
    rough = np.maximum(cv2.GaussianBlur(fray[:, ::-1], (0, 0), 12).ravel() * 6 - 0.8, 0) * 0.3
    worn = -(np.abs(fine) * 0.5 + rough) + fine
    worn -= np.polyval(np.polyfit(t, worn, 1), t)
    side: Array = ((0.4 + 1.2 * wear) * bow + wear * 2 * worn).astype(np.float32)
    return side


def _with_curl(sides: tuple[Array, ...], curl: Curl) -> None:
    """Draw a curled corner's two sides in, least where the sheet lies flat again."""
    left, top, right, bottom = sides
    ends = {0: ((left, 0), (top, 0)), 1: ((right, 0), (top, -1)),
            2: ((right, -1), (bottom, -1)), 3: ((left, -1), (bottom, 0))}[curl.corner]  # fmt: skip
    for side, end in ends:
        away = np.arange(len(side), dtype=np.float32) * np.float32(_STEP_MM / curl.reach_mm)
        dip = np.float32(curl.inward_mm) * np.clip(1 - away, 0, 1) ** 2
        side -= dip if end == 0 else dip[::-1]


def draw_outline(
    rng: np.random.Generator, size_mm: tuple[float, float], wear: float, *, notch: bool = False
) -> Outline:
    """Draw the outline of a sheet by chance; edges depart by tenths of a millimetre."""
    width, height = size_mm
    offsets = (
        _side(rng, height, wear),
        _side(rng, width, wear),
        _side(rng, height, wear),
        _side(rng, width, wear),
    )
    radius = float(rng.choice([0.0, 4.0, 6.0, 9.0], p=[0.2, 0.25, 0.35, 0.2]))
    clips: tuple[tuple[int, float], ...] = ()
    if rng.random() < 0.08 + 0.12 * wear:
        clips = ((int(rng.integers(4)), float(rng.uniform(4, 12))),)
    notches: tuple[tuple[float, float, float], ...] = ()
    if notch or rng.random() < 0.06:
        # The code notch of sheet film: near a corner of a short side.
        notches = ((width - float(rng.uniform(12, 22)), 0.0, float(rng.uniform(1.5, 2.5))),)
    curls = tuple(
        Curl(corner, float(rng.uniform(18, 55)), float(rng.uniform(0.3, 1.6)) * (0.4 + wear))
        for corner in range(4)
        if rng.random() < 0.03 + 0.14 * wear
    )
    for curl in curls:
        _with_curl(offsets, curl)
    return Outline(size_mm, offsets, radius, clips, notches, curls)
