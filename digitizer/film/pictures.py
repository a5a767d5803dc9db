"""Pictures for reading: straightened at full resolution, and the pieces that bear text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.geometry import corners_array
from digitizer.film.light import grey
from digitizer.film.rectangle import listed
from digitizer.film.rendering import grid_of, warp
from digitizer.model.film import Geometry
from digitizer.model.raster import Pixels, Raster
from digitizer.model.units import Corners, Point

__all__ = ["ReadingPicture", "paper_picture", "reading_picture", "text_crops"]

Box = tuple[Point, Point, Point, Point]
_MOST_CROPS = 6
_LARGEST_CROP = 1600
_COARSE = 8
"""Pixels of the grid on which neighbouring lines are joined to one crop."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadingPicture:
    """A sheet straightened for reading, and the way back to the scan.

    Attributes
    ----------
    pixels : ndarray of uint8 or uint16, (rows, columns)
        Light: dark film is dark, whatever the file's polarity.
    matrix : ndarray, (2, 3)
        From pixel centres of ``pixels`` to pixel centres of the scan.
    """

    pixels: Pixels
    matrix: NDArray[np.float64]

    def to_scan(self, box: Sequence[Point]) -> Box:
        """Return four points of this picture (outer-corner pixels) in pixels of the scan."""
        points = np.array(box, dtype=np.float64) - 0.5
        moved = points @ self.matrix[:, :2].T + self.matrix[:, 2] + 0.5
        a, b, c, d = (Point(float(x), float(y)) for x, y in moved)
        return a, b, c, d


def reading_picture(raster: Raster, geometry: Geometry) -> ReadingPicture:
    """Return the sheet straightened, neither turned nor mirrored, in grey, at full resolution.

    Parameters
    ----------
    raster : Raster
    geometry : Geometry
        Turn and mirror, where told, are left out: boxes lie as in the scan.
    """
    grid = grid_of(_as_scanned(geometry), raster.dpi)
    pixels = warp(grey(raster), grid, interpolation=cv2.INTER_LINEAR)
    return ReadingPicture(pixels, grid.matrix)


def paper_picture(raster: Raster, geometry: Geometry) -> Pixels:
    """Return a label or document straightened, colour kept, on the grid of reading_picture."""
    grid = grid_of(_as_scanned(geometry), raster.dpi)
    source = raster.pixels if raster.is_colour else grey(raster)
    return warp(source, grid, interpolation=cv2.INTER_LINEAR)


def _as_scanned(geometry: Geometry) -> Geometry:
    """List the corners as scanned again; without a known skew the box around them is taken."""
    corners = listed(corners_array(geometry.corners))
    if geometry.skew_deg is None:
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    points = Corners(*(Point(float(x), float(y)) for x, y in corners))
    return replace(geometry, corners=points, turn_deg=None, mirrored=None)


def text_crops(picture: Pixels, boxes: Iterable[Sequence[Point]]) -> tuple[bytes, ...]:
    """Return PNG files of the places that bear text, stretched locally to eight bits.

    Neighbouring lines share a crop; at most six, the largest first.
    """
    rows, columns = picture.shape[:2]
    mask = np.zeros((-(-rows // _COARSE), -(-columns // _COARSE)), np.uint8)
    for box in boxes:
        points = np.array(box)
        height = max(8.0, float(np.linalg.norm(points[3] - points[0])))
        x0, y0 = (points.min(axis=0) - height) // _COARSE
        x1, y1 = (points.max(axis=0) + height) // _COARSE
        cv2.rectangle(mask, (int(x0), int(y0)), (int(x1), int(y1)), 255, cv2.FILLED)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    order = sorted(range(1, count), key=lambda one: -int(stats[one, cv2.CC_STAT_AREA]))
    crops: list[bytes] = []
    for one in order[:_MOST_CROPS]:
        x, y, width, height_px = (_COARSE * int(value) for value in stats[one, :4])
        piece = stretched(picture[y : y + height_px, x : x + width])
        scale = min(1.0, _LARGEST_CROP / max(piece.shape))
        small = cv2.resize(piece, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        crops.append(cv2.imencode(".png", small)[1].tobytes())
    return tuple(crops)


def stretched(piece: Pixels) -> NDArray[np.uint8]:
    """Return eight bits between the first and last percent of the piece's own values."""
    low, high = np.quantile(piece[::2, ::2], (0.01, 0.99))
    span = max(float(high - low), 1.0)
    shades = np.clip((piece.astype(np.float32) - low) * (255.0 / span), 0, 255)
    return np.asarray(shades, dtype=np.uint8)
