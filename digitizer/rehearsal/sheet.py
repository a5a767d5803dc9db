"""A sheet of film as a map of optical density, as it should be viewed.

Density is modelled as facts of film: base and fog near OD 0.2, a useful range up to about OD 3.0, a
maximum near OD 3.2. What the collimator kept from the rays stays clear; what lay outside the copied
original on a duplicate is black.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.rehearsal.sources import Radiograph, radiograph
from digitizer.rehearsal.typography import line

__all__ = ["BASE_FOG", "D_MAX", "SIZES", "SMALL_SIZES", "Sheet", "add_marker", "expose", "smooth"]

Density = NDArray[np.float32]

BASE_FOG = 0.20
"""Optical density of unexposed, developed film."""
D_MAX = 3.2
"""Optical density of film fully exposed."""

INCH = 25.4
SIZES: tuple[tuple[float, float], ...] = (
    (14 * INCH, 17 * INCH),
    (350.0, 430.0),
    (240.0, 300.0),
    (10 * INCH, 12 * INCH),
    (11 * INCH, 14 * INCH),
    (180.0, 240.0),
)
"""Short and long side of usual sheets, in millimetres (ISO 5799 and the inch sizes)."""
SMALL_SIZES: tuple[tuple[float, float], ...] = ((130.0, 180.0), (6.5 * INCH, 8.5 * INCH))


@dataclass(slots=True)
class Sheet:
    """A sheet: its density map and its size.

    Attributes
    ----------
    density : float32, shape (rows, columns)
        Optical density of the whole sheet as viewed.
    size_mm : tuple of float
        Width and height.
    pixels_per_mm : float
        Pitch of the density map.
    field_mm : tuple of float
        The exposed field: u0, v0, u1, v1.
    """

    density: Density
    size_mm: tuple[float, float]
    pixels_per_mm: float
    field_mm: tuple[float, float, float, float]


def expose(
    rng: np.random.Generator,
    source: Radiograph,
    size_mm: tuple[float, float],
    pixels_per_mm: float,
    wear: float,
) -> Sheet:
    """Make a sheet from a real radiograph, varied so that no two films are alike.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    source : Radiograph
        What was taken.
    size_mm : tuple of float
        Width and height of the sheet.
    pixels_per_mm : float
        Pitch of the map, that of the scan to come.
    wear : float
        0 (as new) to 1.
    """
    columns, rows = (round(side * pixels_per_mm) for side in size_mm)
    grey = _vary(rng, radiograph(source.name), (rows, columns))
    darkest = float(rng.uniform(2.45, 3.0))
    clearest = float(rng.uniform(0.3, 0.5))
    bend = float(rng.uniform(0.85, 1.35))
    dark = cv2.pow(1.0 - grey, bend)
    density = np.asarray(clearest + (darkest - clearest) * dark, dtype=np.float32)
    field = _collimate(rng, density, size_mm, pixels_per_mm)
    grain = float(rng.uniform(0.008, 0.016)) * (0.6 + 0.8 * wear)
    _add_grain(rng, density, grain)
    _age(rng, density, wear)
    np.clip(density, 0.12, D_MAX + 0.1, out=density)
    return Sheet(density, size_mm, pixels_per_mm, field)


def _vary(rng: np.random.Generator, grey: NDArray[np.uint8], shape: tuple[int, int]) -> Density:
    """Crop, tilt and bend the picture smoothly into the shape: another patient, another day."""
    rows, columns = shape
    high, wide = grey.shape
    scale = max(rows / high, columns / wide) * float(rng.uniform(1.0, 1.16))
    angle = np.radians(float(rng.normal(0, 1.6)))
    room_x, room_y = (wide - columns / scale) / 2, (high - rows / scale) / 2
    # Nobody takes half a chest: what must be cut off is cut off on both sides.
    middle = (
        wide / 2 + float(rng.uniform(-0.35, 0.35)) * room_x,
        high / 2 + float(rng.uniform(-0.6, 0.6)) * room_y,
    )
    knots = rng.normal(0, 1, (2, 5, 5)).astype(np.float32) * np.float32(0.016 * min(high, wide))
    bend = [smooth(one, shape) for one in knots]
    x = (np.arange(columns, dtype=np.float32) - columns / 2) / np.float32(scale)
    y = (np.arange(rows, dtype=np.float32)[:, None] - rows / 2) / np.float32(scale)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    map_x = x * cosine + y * sine + np.float32(middle[0]) + bend[0]
    map_y = y * cosine - x * sine + np.float32(middle[1]) + bend[1]
    varied = cv2.remap(
        grey.astype(np.float32), map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(np.clip(varied * np.float32(1 / 255), 0, 1), dtype=np.float32)


def _collimate(
    rng: np.random.Generator, density: Density, size_mm: tuple[float, float], pitch: float
) -> tuple[float, float, float, float]:
    """Leave clear what the collimator covered; return the field in millimetres."""
    width, height = size_mm
    kind = rng.choice(["open", "clear", "black"], p=[0.45, 0.42, 0.13])
    if kind == "open":
        return 0.0, 0.0, width, height
    widest = 0.055 * min(size_mm)
    margins = [float(rng.uniform(0.15, 1)) * widest * float(rng.random() < 0.75) for _ in range(4)]
    field = (margins[0], margins[1], width - margins[2], height - margins[3])
    soft = 1.2 if kind == "clear" else 0.25
    u = (np.arange(density.shape[1], dtype=np.float32) + 0.5) / np.float32(pitch)
    v = (np.arange(density.shape[0], dtype=np.float32) + 0.5) / np.float32(pitch)

    def ramp(at: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
        rise = np.ones_like(at) if low <= 0 else np.clip(0.5 + (at - low) / soft, 0, 1)
        fall = np.ones_like(at) if high >= at[-1] else np.clip(0.5 + (high - at) / soft, 0, 1)
        return np.asarray(rise * fall, dtype=np.float32)

    outside = np.float32(BASE_FOG + 0.03 if kind == "clear" else D_MAX)
    density -= outside
    density *= ramp(v, field[1], field[3])[:, None]
    density *= ramp(u, field[0], field[2])
    density += outside
    return field


def smooth(knots: Density, shape: tuple[int, int]) -> Density:
    """Return a smooth field through few knots, (rows, columns); cubic, then linear for speed."""
    fine = cv2.resize(knots, (160, 160), interpolation=cv2.INTER_CUBIC)
    return np.asarray(
        cv2.resize(fine, shape[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )


def _add_grain(rng: np.random.Generator, density: Density, sigma: float) -> None:
    """Add film grain: it grows with density about as its square root (Selwyn)."""
    for top in range(0, density.shape[0], 256):
        band = density[top : top + 256]
        noise = rng.standard_normal(band.shape, dtype=np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), 0.6) * np.float32(1.6 * sigma)
        band += noise * np.sqrt(np.maximum(band, 0.05))


def _age(rng: np.random.Generator, density: Density, wear: float) -> None:
    """Add scratches, finger marks and fading by wear."""
    rows, columns = density.shape
    marks = np.zeros((rows, columns), dtype=np.uint8)
    for _ in range(int(rng.poisson(6 * wear))):
        start = rng.uniform(0, 1, 2) * (columns, rows)
        end = start + rng.normal(0, 0.12, 2) * (columns, rows)
        thick = 1 if rng.random() < 0.85 else 2
        ends = [(int(one[0]), int(one[1])) for one in (start, end)]
        cv2.line(marks, ends[0], ends[1], int(rng.integers(40, 200)), thick, cv2.LINE_AA)
    np.subtract(density, marks * np.float32(0.5 / 255) * density, out=density)
    if wear > 0:
        coarse = rng.normal(0, 0.03 * wear, (6, 6)).astype(np.float32)
        density += smooth(coarse, (rows, columns))


def add_marker(rng: np.random.Generator, sheet: Sheet, side: str, initials: str) -> None:
    """Lay a lead side marker on the sheet: clear on dark, tilted as technologists leave them.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    sheet : Sheet
        Changed in place.
    side : str
        ``R`` stands at the viewer's left, ``L`` at the viewer's right.
    initials : str
        The technologist's, under the letter; may be empty.
    """
    pitch = sheet.pixels_per_mm
    mask = line(side, "lead", 9.0 * pitch)
    if initials:
        small = line(initials, "lead", 4.0 * pitch)
        width = max(mask.shape[1], small.shape[1])
        both = [
            np.pad(one, ((0, 0), ((width - one.shape[1]) // 2, (width - one.shape[1] + 1) // 2)))
            for one in (mask, small)
        ]
        mask = np.vstack(both).astype(np.float32)
    pad = int(max(mask.shape) * 0.3)
    mask = np.pad(mask, pad)
    tilt = cv2.getRotationMatrix2D(
        (mask.shape[1] / 2, mask.shape[0] / 2), float(rng.normal(0, 9)), 1.0
    )
    mask = np.asarray(cv2.warpAffine(mask, tilt, mask.shape[::-1]), dtype=np.float32)
    rows, columns = sheet.density.shape
    edge = round(float(rng.uniform(8, 16)) * pitch)
    left = edge if side == "R" else columns - edge - mask.shape[1]
    top = round(rows * float(rng.uniform(0.16, 0.42)))
    if left < 0 or top + mask.shape[0] > rows:
        return
    place = sheet.density[top : top + mask.shape[0], left : left + mask.shape[1]]
    place += (np.float32(0.32) - place) * np.float32(0.95) * mask
