"""Single pictures as CT, MR and ultrasound print them: brightness 0 (black) to 1 (clear)."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.rehearsal.sheet import smooth
from digitizer.rehearsal.sources import RADIOGRAPHS, radiograph

__all__ = ["KINDS", "Picture", "draw_slice", "scout"]

Picture = NDArray[np.float32]
Shape = tuple[int, int]

KINDS: dict[str, str] = {"ct_head": "CT", "ct_body": "CT", "mr_head": "MR", "us": "US"}
"""What is drawn, and the modality that takes it."""


def draw_slice(rng: np.random.Generator, kind: str, shape: Shape, at: float) -> Picture:
    """Draw one picture of a series.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    kind : str
        A key of :data:`KINDS`.
    shape : tuple of int
        Rows and columns.
    at : float
        Place in the series, 0 to 1: anatomy grows and shrinks along it.

    Returns
    -------
    float32, shape (rows, columns)
    """
    return np.clip(_DRAW[kind](rng, shape, at), 0, 1).astype(np.float32)


def scout(rng: np.random.Generator, shape: Shape) -> Picture:
    """Draw the survey picture of a CT series: a real radiograph with the slices drawn over it."""
    source = radiograph(RADIOGRAPHS[int(rng.integers(len(RADIOGRAPHS)))].name)
    rows, columns = shape
    side = min(source.shape)
    top, left = (int(rng.integers(0, free - side + 1)) for free in source.shape)
    cut = source[top : top + side, left : left + side]
    small = cv2.resize(cut, (columns, rows), interpolation=cv2.INTER_AREA)
    picture = np.asarray(small, np.float32) / np.float32(255)
    for y in np.linspace(0.2, 0.8, 9) * rows:
        start, end = (round(0.1 * columns), round(y)), (round(0.9 * columns), round(y))
        cv2.line(picture, start, end, 1.0, max(1, rows // 400))
    return picture


def _grid(shape: Shape) -> tuple[Picture, Picture]:
    """Return x and y over the picture, -1 to 1 along its shorter side."""
    rows, columns = shape
    half = min(shape) / 2
    x = (np.arange(columns, dtype=np.float32) - columns / 2) / half
    y = (np.arange(rows, dtype=np.float32)[:, None] - rows / 2) / half
    return np.broadcast_to(x, shape), np.broadcast_to(y, shape)


def _oval(
    shape: Shape, middle: tuple[float, float], radii: tuple[float, float], tilt_deg: float = 0.0
) -> Picture:
    """Return how deep each place lies in an oval: 1 in its middle, 0 on its rim, below outside."""
    x, y = _grid(shape)
    angle = np.radians(tilt_deg)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    dx, dy = x - np.float32(middle[0]), y - np.float32(middle[1])
    along = (dx * cosine + dy * sine) / np.float32(radii[0])
    across = (dy * cosine - dx * sine) / np.float32(radii[1])
    return np.asarray(1 - np.sqrt(along * along + across * across), np.float32)


def _texture(rng: np.random.Generator, shape: Shape, knots: int) -> Picture:
    return smooth(rng.standard_normal((knots, knots), dtype=np.float32), shape)


def _noise(rng: np.random.Generator, shape: Shape, sigma: float) -> Picture:
    noise = rng.standard_normal(shape, dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.9), np.float32) * np.float32(2.2 * sigma)


def _ct_head(rng: np.random.Generator, shape: Shape, at: float) -> Picture:
    size = 0.55 + 0.32 * float(np.sin(np.pi * (0.15 + 0.75 * at)))
    middle = (float(rng.normal(0, 0.02)), float(rng.normal(0.02, 0.02)))
    tilt = float(rng.normal(0, 3))
    head = _oval(shape, middle, (0.78 * size, 0.95 * size), tilt)
    brain = head > 0.09
    picture = np.zeros(shape, np.float32)
    tissue = 0.45 + 0.03 * _texture(rng, shape, 12) + _noise(rng, shape, 0.03)
    picture[brain] = tissue[brain]
    for side in (-1, 1):
        place = (middle[0] + side * 0.13 * size, middle[1] - 0.05)
        horn = _oval(shape, place, (0.07 * size, 0.3 * size * (0.4 + at)), side * 14 + tilt)
        picture[horn > 0] = 0.22
    picture[(head > 0.0) & (head <= 0.09)] = 1.0
    skin = (head > -0.05) & (head <= 0.0)
    picture[skin] = 0.35
    return picture


def _ct_body(rng: np.random.Generator, shape: Shape, at: float) -> Picture:
    wide = float(rng.uniform(0.82, 0.95))
    body = _oval(shape, (0.0, 0.0), (wide, wide * 0.68))
    picture = np.zeros(shape, np.float32)
    fat = 0.28 + _noise(rng, shape, 0.02)
    picture[body > 0] = fat[body > 0]
    inside = body > 0.12
    soft = 0.52 + 0.05 * _texture(rng, shape, 14) + _noise(rng, shape, 0.03)
    picture[inside] = soft[inside]
    if at < 0.5:
        for side in (-1, 1):
            lung = _oval(shape, (side * 0.4, -0.02), (0.3, 0.42), side * 8)
            picture[lung > 0] = 0.05
    else:
        liver = _oval(shape, (-0.34, -0.06), (0.4, 0.38), 20)
        picture[liver > 0] += 0.12
    spine = _oval(shape, (0.0, 0.36), (0.13, 0.12))
    picture[spine > 0] = 0.98
    for angle in np.linspace(0, 2 * np.pi, 13)[:-1]:
        place = (float(0.82 * wide * np.cos(angle)), float(0.55 * wide * np.sin(angle)))
        rib = _oval(shape, place, (0.09, 0.03), float(np.degrees(angle)) + 90)
        picture[rib > 0] = 0.95
    if rng.random() < 0.6:
        x, y = _grid(shape)
        table = np.abs(y - 0.8 - 0.1 * x * x) < 0.012
        picture[table & (np.abs(x) < 0.8)] = 0.6
    return picture


def _mr_head(rng: np.random.Generator, shape: Shape, at: float) -> Picture:
    size = 0.6 + 0.32 * float(np.sin(np.pi * (0.1 + 0.8 * at)))
    head = _oval(shape, (0.0, 0.0), (0.85 * size, size), float(rng.normal(0, 4)))
    signal = np.zeros(shape, np.float32)
    inside = head > 0.12
    folds = 0.5 + 0.16 * np.sin(7 * _texture(rng, shape, 16))
    signal[inside] = folds[inside]
    signal[(head > 0.0) & (head <= 0.05)] = 0.9
    signal *= 1 + 0.2 * _texture(rng, shape, 3)
    real = signal + _noise(rng, shape, 0.02)
    other = _noise(rng, shape, 0.02)
    return np.asarray(np.sqrt(real * real + other * other), np.float32)


def _us(rng: np.random.Generator, shape: Shape, at: float) -> Picture:
    rows, columns = shape
    x = (np.arange(columns, dtype=np.float32) - columns / 2) / np.float32(rows)
    y = np.arange(rows, dtype=np.float32)[:, None] / np.float32(rows) - np.float32(0.06)
    reach = np.sqrt(x * x + y * y)
    angle = np.arctan2(x, np.maximum(y, 1e-3))
    half = float(rng.uniform(0.5, 0.72))
    sector = (np.abs(angle) < half) & (reach < 0.86) & (reach > 0.07) & (y > 0)
    speckle = np.abs(_noise(rng, shape, 0.5)) * (0.34 + 0.16 * _texture(rng, shape, 7))
    for _ in range(int(rng.integers(1, 4))):
        place = (float(rng.uniform(-0.4, 0.4)), float(rng.uniform(-0.3, 0.5)))
        cyst = _oval(shape, place, (float(rng.uniform(0.1, 0.25)), float(rng.uniform(0.08, 0.2))))
        speckle[cyst > 0] *= 0.12 + 0.2 * at
    picture = np.where(sector, speckle + 0.05, 0.0).astype(np.float32)
    bar = slice(round(0.3 * rows), round(0.6 * rows)), slice(round(0.03 * columns), None)
    steps = np.linspace(1, 0.1, bar[0].stop - bar[0].start, dtype=np.float32)[:, None]
    picture[bar][:, : max(2, columns // 60)] = steps
    return picture


_DRAW: dict[str, Callable[[np.random.Generator, Shape, float], Picture]] = {
    "ct_head": _ct_head,
    "ct_body": _ct_body,
    "mr_head": _mr_head,
    "us": _us,
}
