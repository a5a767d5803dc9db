"""Defects of scans, for trying out what tells them: each spoils one drawn scan."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Raster
from digitizer.model.units import Dpi
from digitizer.rehearsal.population import DrawnScan
from digitizer.rehearsal.scanner import digitize

__all__ = ["DEFECTS", "can_have", "coarsened", "spoil"]

Pixels = NDArray[Any]
Spoiler = Callable[[np.random.Generator, DrawnScan], Pixels]


_FED_LONG_MM = 450.0
"""Two films fed over each other are told by their length, where no film is as long: shorter ones
are of no film's size, as if the resolution were told wrongly."""


def can_have(scan: DrawnScan, defect: str) -> bool:
    """Tell whether a defect would show: part of a film can be missing only where all of it was."""
    if defect not in ("film_cut_off", "double_feed"):
        return True
    whole = scan.placements[0].edges_seen(scan.scene.frame) == 4
    return whole and (defect == "film_cut_off" or 2 * _fed(scan)[1] > 1.05 * _FED_LONG_MM)


def spoil(rng: np.random.Generator, scan: DrawnScan, defect: str) -> Raster:
    """Return the scan with a defect of :data:`DEFECTS`."""
    return replace(scan.raster, pixels=DEFECTS[defect](rng, scan))


def _top(scan: DrawnScan) -> int:
    return int((1 << scan.scanner.bits) - 1)


def _stuck_columns(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Kill, stick or weaken one to four elements of the sensor."""
    pixels = scan.raster.pixels.copy()
    # Anywhere in the film's own range: what stands out of it is seen by anyone.
    low, high = np.quantile(pixels, (0.01, 0.99))
    middle = pixels.shape[1]
    for _ in range(int(rng.integers(1, 5))):
        column = int(rng.integers(middle // 4, middle * 3 // 4))
        kind = rng.choice(["dead", "stuck", "weak"])
        if kind == "weak":
            pixels[:, column] = (pixels[:, column] * float(rng.uniform(0.8, 0.93))).astype(
                pixels.dtype
            )
        else:
            stuck_at = low + (high - low) * float(rng.random())
            pixels[:, column] = 0 if kind == "dead" else round(stuck_at)
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


def _double_feed(rng: np.random.Generator, scan: DrawnScan) -> Pixels:
    """Feed a second film of the size over the first's end, so that both are longer than any."""
    scene, one = scan.scene, scan.scene.laid[0]
    way, length = _fed(scan)
    overlap = float(rng.uniform(0.02, min(0.4, 2 - _FED_LONG_MM / length)))
    step = (1 - overlap) * length * way
    place = one.placement
    left = max(0.0, -step[0])
    first = replace(place, centre_px=(place.centre_px[0] + left, place.centre_px[1]))
    middle = np.array(first.centre_px) + step
    second = replace(place, centre_px=(float(middle[0]), float(middle[1])))
    # Where both lie, their densities add.
    density = one.sheet.density
    corner = second.to_sheet(first.to_scan(np.zeros((1, 2))))[0] * scene.pixels_per_mm
    onto = np.array([[1, 0, corner[0]], [0, 1, corner[1]]])
    shadow = cv2.warpAffine(density, onto, (density.shape[1], density.shape[0]))
    upper = replace(one.sheet, density=np.ascontiguousarray(density[::-1, ::-1] + shadow))
    laid = replace(one, placement=first), replace(one, sheet=upper, placement=second)
    rows, columns = scene.frame
    frame = rows + int(np.ceil(step[1])), columns + int(np.ceil(abs(step[0])))
    return np.asarray(digitize(rng, replace(scene, frame=frame, laid=laid), scan.scanner))


def _fed(scan: DrawnScan) -> tuple[NDArray[np.float64], float]:
    """Return a millimetre along a film down the scan, in pixels (x, y), and its length that way."""
    place = scan.placements[0]
    origin, *ends = place.to_scan(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    along = max(range(2), key=lambda axis: abs(float(ends[axis][1] - origin[1])))
    way = ends[along] - origin
    return way * np.sign(way[1]), place.size_mm[along]


def coarsened(rng: np.random.Generator, raster: Raster) -> Raster:
    """Return a scan as made at 75 to 140 dots an inch, as the file then says."""
    assert raster.dpi is not None
    share = float(rng.uniform(75, 140)) / max(raster.dpi)
    pixels: Any = cv2.resize(raster.pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return replace(raster, pixels=pixels, dpi=Dpi(raster.dpi.x * share, raster.dpi.y * share))


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
        "double_feed": _double_feed,
        "dusty": _dusty,
    }
)
"""Defects by the reason code that should tell them."""
