"""Where a sheet lies in a scan, and the truth about its corners.

Two frames are used. *Sheet* coordinates are millimetres on the film as it should be viewed, u right
and v down from its top-left corner. *Scan* coordinates are pixels from the outer corner of the
first pixel, x right and y down, so that the centre of the first pixel is (0.5, 0.5).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Placement", "clip_convex"]

Points = NDArray[np.float64]


def clip_convex(polygon: Points, width: float, height: float) -> Points:
    """Return the part of a convex polygon inside the frame (Sutherland-Hodgman).

    Parameters
    ----------
    polygon : float64, shape (n, 2)
        Points [x, y].
    width, height : float
        The frame spans 0..width and 0..height.
    """
    points = [(float(x), float(y)) for x, y in polygon]
    for axis, bound, sign in ((0, 0.0, 1.0), (0, width, -1.0), (1, 0.0, 1.0), (1, height, -1.0)):
        kept: list[tuple[float, float]] = []
        for index, here in enumerate(points):
            before = points[index - 1]
            inside, was = sign * (here[axis] - bound) >= 0, sign * (before[axis] - bound) >= 0
            if inside != was:
                part = (bound - before[axis]) / (here[axis] - before[axis])
                kept.append(
                    (
                        before[0] + part * (here[0] - before[0]),
                        before[1] + part * (here[1] - before[1]),
                    )
                )
            if inside:
                kept.append(here)
        points = kept
    return np.array(points, dtype=np.float64).reshape(-1, 2)


@dataclass(frozen=True, slots=True)
class Placement:
    """How a sheet lies in a scan: mirrored first, then turned, then put at its centre.

    Attributes
    ----------
    size_mm : tuple of float
        Width and height of the sheet as viewed.
    pixels_per_mm : float
        The same along both axes.
    theta_deg : float
        Direction of the film's top on the screen, counter-clockwise from up.
    mirrored : bool
        Whether the sheet lies with its other side up.
    centre_px : tuple of float
        Scan coordinates of the sheet's centre.
    """

    size_mm: tuple[float, float]
    pixels_per_mm: float
    theta_deg: float
    mirrored: bool
    centre_px: tuple[float, float]

    @property
    def turn_deg(self) -> int:
        """Nearest quarter turn, 0 to 270."""
        return round(self.theta_deg / 90) * 90 % 360

    @property
    def skew_deg(self) -> float:
        """What is left after the quarter turn, in (-45, 45]."""
        return self.theta_deg - round(self.theta_deg / 90) * 90

    def matrix(self) -> NDArray[np.float64]:
        """Return the (2, 3) matrix from sheet millimetres to scan pixels."""
        angle = math.radians(self.theta_deg)
        cosine, sine = math.cos(angle), math.sin(angle)
        turn = self.pixels_per_mm * np.array([[cosine, sine], [-sine, cosine]])
        if self.mirrored:
            turn = turn @ np.diag([-1.0, 1.0])
        middle = np.array(self.size_mm) / 2
        shift = np.array(self.centre_px) - turn @ middle
        return np.column_stack([turn, shift])

    def to_scan(self, points: Points) -> Points:
        """Map points (n, 2) in sheet millimetres to scan pixels."""
        matrix = self.matrix()
        return points @ matrix[:, :2].T + matrix[:, 2]

    def to_sheet(self, points: Points) -> Points:
        """Map points (n, 2) in scan pixels to sheet millimetres."""
        matrix = self.matrix()
        return (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T

    def outline(self) -> Points:
        """Return the whole sheet's corners in the scan: TL, TR, BR, BL as viewed, (4, 2)."""
        return self.to_scan(_rectangle(0.0, 0.0, *self.size_mm))

    def visible_mm(self, frame: tuple[int, int]) -> tuple[float, float, float, float]:
        """Return the extent u0, v0, u1, v1 of the part of the sheet in the frame.

        Parameters
        ----------
        frame : tuple of int
            Rows and columns of the scan.
        """
        rows, columns = frame
        inside = self.to_sheet(clip_convex(self.outline(), columns, rows))
        u0, v0 = inside.min(axis=0)
        u1, v1 = inside.max(axis=0)
        return float(u0), float(v0), float(u1), float(v1)

    def edges_seen(self, frame: tuple[int, int]) -> int:
        """Return how many of the sheet's sides lie in the frame, in part at least."""
        u0, v0, u1, v1 = self.visible_mm(frame)
        width, height = self.size_mm
        slack = 1e-6
        return sum((u0 < slack, v0 < slack, u1 > width - slack, v1 > height - slack))

    def corners(self, frame: tuple[int, int]) -> Points:
        """Return the true corners, (4, 2): TL, TR, BR, BL of the film as it should be viewed.

        Where a side lies beyond the frame, its line runs parallel to the sheet's sides through the
        outermost film in the frame.
        """
        return self.to_scan(_rectangle(*self.visible_mm(frame)))


def _rectangle(u0: float, v0: float, u1: float, v1: float) -> Points:
    return np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1]], dtype=np.float64)
