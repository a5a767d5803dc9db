"""Drawn scans of films with exactly known corners, for the tests of digitizer.film."""

from dataclasses import dataclass

import cv2
import numpy as np

from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi

DPI = 100.0
SQUARE = Dpi(DPI, DPI)


@dataclass(frozen=True)
class Laid:
    """One film: size and centre in pixels, its turn on the screen (counter-clockwise), looks."""

    width: float
    height: float
    x: float
    y: float
    skew: float = 0.0
    radius: float = 12.0
    bow: float = 0.8
    border: str = ""
    inset: tuple[float, float] = (16, 16)
    seed: int = 0

    @property
    def axes(self):
        a = np.radians(self.skew)
        # Counter-clockwise on the screen, y down.
        return np.array([np.cos(a), -np.sin(a)]), np.array([np.sin(a), np.cos(a)])

    @property
    def corners(self):
        u, v = self.axes
        w, h = u * self.width / 2, v * self.height / 2
        return np.array([self.x, self.y]) + np.array([-w - h, w - h, w + h, -w + h])


def _density(film, u, v):
    rng = np.random.default_rng(film.seed)
    small = rng.uniform(0.4, 2.6, (9, 8)).astype(np.float32)
    broad = cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(rng.normal(0, 0.25, (90, 90)).astype(np.float32), (512, 512))
    picture = np.clip(broad + fine, 0.3, 2.9)
    at_x = ((u / film.width + 0.5) * 511).astype(np.float32)
    at_y = ((v / film.height + 0.5) * 511).astype(np.float32)
    density = cv2.remap(picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if film.border:
        across, down = film.inset
        inset = np.minimum(film.width / 2 - across - np.abs(u), film.height / 2 - down - np.abs(v))
        soft = 1.2 * DPI / 25.4 if film.border == "clear" else 1.0
        shown = np.clip(inset / soft + 0.5, 0, 1)
        density = density * shown + (0.23 if film.border == "clear" else 3.2) * (1 - shown)
    return density


def light(films, shape, bed=1.2, seed=0):
    """Return light on the sensor, noise free: rows x columns of float32."""
    rows, columns = shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) + 0.5
    field = np.full(shape, bed, np.float32)
    for film in films:
        (ux, uy), (vx, vy) = film.axes
        u = (x - film.x) * ux + (y - film.y) * uy
        v = (x - film.x) * vx + (y - film.y) * vy
        # Bow orthogonal to a straight line: Legendre polynomial of second order.
        along_u, along_v = 2 * u / film.width, 2 * v / film.height
        across = film.width / 2 - np.abs(u) + film.bow * (3 * along_v**2 - 1) / 2
        down = film.height / 2 - np.abs(v) + film.bow * (3 * along_u**2 - 1) / 2
        depth = np.minimum(across, down)
        if film.radius:
            near = (across < film.radius) & (down < film.radius)
            bent = film.radius - np.hypot(film.radius - across, film.radius - down)
            depth = np.where(near, np.minimum(depth, bent), depth)
        cover = np.clip(depth + 0.5, 0, 1)
        field = field * (1 - cover) + 10 ** -_density(film, u, v) * cover
    return cv2.GaussianBlur(field, (0, 0), 0.45)


def scan(
    films, shape, bed=1.2, *, kind="linear16", noise=0.002, dpi=SQUARE, seed=0, lamp=0.05, glare=0.0
):
    """Return a Raster of the films on a bed of this transmittance.

    ``glare`` is the part of the light that the optics scatter, over a few millimetres.
    """
    rng = np.random.default_rng([seed, 77])
    field = light(films, shape, bed)
    if glare:
        field = field + glare * cv2.GaussianBlur(field, (0, 0), 3 * DPI / 25.4)
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j].astype(np.float32)
    field = field * (1 - np.float32(lamp) * (x * x + 0.5 * y * y))
    field = field + rng.standard_normal(shape).astype(np.float32) * (
        noise * np.sqrt(field) + 0.0001
    ).astype(np.float32)
    polarity, bits = Polarity.MONOCHROME2, 16
    if kind == "linear16":
        pixels = np.clip(field * 65535, 0, 65535).round().astype(np.uint16)
    elif kind == "flatbed8":
        bits = 8
        pixels = np.clip(np.sqrt(np.clip(field + 0.004, 0, 1)) * 255, 0, 255).round().astype("u1")
    else:
        density = -np.log10(np.maximum(field, 1e-4)) / 4
        if kind == "log12":
            bits = 12
            pixels = np.clip((1 - density) * 4095, 0, 4095).round().astype(np.uint16)
        else:
            polarity = Polarity.MONOCHROME1
            pixels = np.clip(density * 65535, 0, 65535).round().astype(np.uint16)
    return Raster(pixels=pixels, bits=bits, polarity=polarity, dpi=dpi)


def corner_errors(geometry, film):
    """Return the distance of each listed corner from the true one, in pixels."""
    return np.linalg.norm(np.array(geometry.corners) - film.corners, axis=1)
