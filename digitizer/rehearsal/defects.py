"""Defects of scans, for trying out what tells them: each spoils one drawn scan."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Raster
from digitizer.rehearsal.population import DrawnScan
from digitizer.rehearsal.scanner import digitize

__all__ = ["DEFECTS", "spoil"]

Pixels = NDArray[Any]
Spoiler = Callable[[np.random.Generator, DrawnScan], Pixels]


def spoil(rng: np.random.Generator, scan: DrawnScan, defect: str) -> Raster:
    """Return the scan with a defect of :data:`DEFECTS`."""
    return replace(scan.raster, pixels=DEFECTS[defect](rng, scan))


def _top(scan: DrawnScan) -> int:
    return int((1 << scan.scanner.bits) - 1)


def _stuck_columns(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Kill, stick or weaken one to four elements of the sensor."""
    pixels = scan.raster.pixels.copy()
    middle = pixels.shape[1]
    for _ in range(int(rng.integers(1, 5))):
        column = int(rng.integers(middle // 4, middle * 3 // 4))
        kind = rng.choice(["dead", "stuck", "weak"])
        if kind == "weak":
            pixels[:, column] = (pixels[:, column] * float(rng.uniform(0.8, 0.93))).astype(
                pixels.dtype
            )
        else:
            pixels[:, column] = 0 if kind == "dead" else round(_top(scan) * rng.uniform(0.5, 1))
    return pixels


def _lost_lines(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Lose one to three lines."""
    pixels = scan.raster.pixels.copy()
    rows = pixels.shape[0]
    first = int(rng.integers(rows // 4, rows * 3 // 4))
    pixels[first : first + int(rng.integers(1, 4))] = 0 if rng.random() < 0.5 else _top(scan)
    return pixels


def _banding(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Let the lamp flicker, or the transport run unevenly."""
    rows = np.arange(scan.raster.pixels.shape[0])[:, None]
    period, depth = float(rng.uniform(5, 45)), float(rng.uniform(0.02, 0.05))
    swing = 1 + depth * np.sin(2 * np.pi * rows / period + float(rng.uniform(0, 6)))
    spoilt = np.clip(np.rint(scan.raster.pixels * swing), 0, _top(scan))
    return np.asarray(spoilt, dtype=scan.raster.pixels.dtype)


def _blur(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Take the film off the glass, or the optics out of focus."""
    pixels = scan.raster.pixels.astype(np.float32)
    blurred = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(3.0, 5.0)))
    # The sensor's own noise stays sharp.
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(0.001 * _top(scan))
    spoilt = np.clip(np.rint(blurred + noise), 0, _top(scan))
    return np.asarray(spoilt, dtype=scan.raster.pixels.dtype)


def _noise(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Scan before the sensor is warm, or with too much gain."""
    shape, top = scan.raster.pixels.shape, _top(scan)
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(rng.uniform(0.03, 0.06) * top)
    noisy = np.clip(np.rint(scan.raster.pixels + noise), 0, top)
    return np.asarray(noisy, dtype=scan.raster.pixels.dtype)


def _too_bright(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Push a tenth or more of the film beyond the bright end."""
    return _pushed(scan, float(rng.uniform(0.12, 0.4)), bright=True)


def _too_dark(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Push a tenth or more of the film beyond the dark end."""
    return _pushed(scan, float(rng.uniform(0.12, 0.4)), bright=False)


def _pushed(scan: DrawnScan, share: float, *, bright: bool) -> Pixels:
    pixels, top = scan.raster.pixels, _top(scan)
    mask = np.zeros(pixels.shape, np.uint8)
    for placement in scan.placements:
        corners = placement.corners(scan.scene.frame)
        cv2.fillConvexPoly(mask, np.asarray(corners, dtype=np.int32), 1)
    inside = pixels[mask > 0]
    upper = bright is not scan.scanner.white_is_zero
    if upper:
        limit = max(float(np.quantile(inside, 1 - share)), 1.0)
        spoilt = np.rint(pixels * (top / limit))
    else:
        limit = min(float(np.quantile(inside, share)), top - 1.0)
        spoilt = np.rint((pixels - limit) * (top / (top - limit)))
    return np.asarray(np.clip(spoilt, 0, top), dtype=pixels.dtype)


def _cut_off(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Let a part of the film lie beyond the bed."""
    pixels = scan.raster.pixels
    side, share = int(rng.integers(4)), float(rng.uniform(0.18, 0.4))
    rows, columns = (round(share * one) for one in pixels.shape)
    cut = (
        np.s_[rows:], np.s_[: pixels.shape[0] - rows], np.s_[:, columns:],
        np.s_[:, : pixels.shape[1] - columns],
    )[side]  # fmt: skip
    return pixels[cut].copy()


def _dusty(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Scan the films again under a glass that nobody wiped."""
    dust = float(rng.uniform(40, 120)) / (0.2 + scan.scene.wear)
    return np.asarray(digitize(rng, replace(scan.scene, dust=dust), scan.scanner))


DEFECTS: Mapping[str, Spoiler] = MappingProxyType(
    {
        "stuck_columns": _stuck_columns,
        "lost_lines": _lost_lines,
        "banding": _banding,
        "blurred": _blur,
        "noisy": _noise,
        "clipped_high": _too_bright,
        "clipped_low": _too_dark,
        "film_cut_off": _cut_off,
        "dusty": _dusty,
    }
)
"""Defects by the reason code that should tell them."""
