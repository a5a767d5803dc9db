"""Scans of step tablets: what `digitizer calibrate` is tried on."""

import csv
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from digitizer.rehearsal.edges import Outline
from digitizer.rehearsal.scanner import SCANNERS, Scanner, digitize
from digitizer.rehearsal.scene import BEDS, Bed, lay
from digitizer.rehearsal.sheet import Sheet

__all__ = ["TABLET", "WEDGE", "scan_of_tablet", "scan_of_wedge", "write_calibration", "write_scan"]

WEDGE: tuple[tuple[float, float, float], ...] = (
    (0.04, 55722, 350), (0.21, 37201, 584), (0.34, 26986, 318), (0.50, 18445, 217),
    (0.69, 12569, 148), (0.82, 8296, 100), (0.96, 5648, 107), (1.13, 3797, 44),
    (1.28, 2603, 33), (1.44, 1772, 23), (1.59, 1217, 18), (1.74, 847, 13),
    (1.89, 581, 9), (2.07, 393, 6.1), (2.21, 271, 4.3), (2.37, 185, 3.2),
    (2.52, 132, 2.7), (2.68, 94, 2.5), (2.84, 65, 2.1), (2.99, 47, 1.8),
    (3.13, 34, 1.6), (3.60, 5, 1.1),
)  # fmt: skip
"""Optical density, mean pixel value and its standard deviation of a real wedge on a real digitizer:
DBA M2100 at Massachusetts General Hospital, 21 steps and the background, 80 by 30 pixels each at
0.21 mm (Digital Database for Screening Mammography, calibration pages)."""

TABLET: tuple[float, ...] = tuple(round(0.05 + 0.15 * n, 2) for n in range(21))
"""Densities of a tablet of the trade: 21 steps of 0.15 from 0.05 to 3.05."""

_STEP_MM, _WIDTH_MM, _MARGIN_MM = 7.0, 16.0, 12.0
_STEP_PX, _WIDTH_PX, _MARGIN_PX = 80, 60, 70


def scan_of_wedge(rng: np.random.Generator, tilt_deg: float = 0.0) -> NDArray[np.uint16]:
    """Return a scan of the real wedge as its table tells it, on a masked (dark) bed."""
    columns = len(WEDGE) * _STEP_PX + 2 * _MARGIN_PX
    rows = _WIDTH_PX + 2 * _MARGIN_PX
    drawn = np.zeros((2, rows, columns), np.float32)
    drawn[0], drawn[1] = 5.0, 1.1
    for number, (_, *step) in enumerate(WEDGE):
        left = _MARGIN_PX + number * _STEP_PX
        part = np.s_[:, _MARGIN_PX : _MARGIN_PX + _WIDTH_PX, left : left + _STEP_PX]
        drawn[part] = np.array(step, np.float32)[:, None, None]
    tilt = cv2.getRotationMatrix2D((columns / 2, rows / 2), tilt_deg, 1.0)
    mean, spread = (
        np.asarray(cv2.warpAffine(one, tilt, (columns, rows), borderMode=cv2.BORDER_REPLICATE))
        for one in drawn
    )
    noisy = mean + spread * rng.standard_normal((rows, columns))
    return np.asarray(np.clip(np.rint(noisy), 0, 65535), dtype=np.uint16)


def scan_of_tablet(
    rng: np.random.Generator,
    scanner: Scanner,
    *,
    gain: float,
    dpi: float = 150.0,
    theta_deg: float = 0.0,
    bed: Bed = BEDS["dark"],
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return a scan of :data:`TABLET` by one scanner; ``gain`` is its lamp's brightness."""
    pitch = dpi / 25.4
    size = (_STEP_MM * len(TABLET), _WIDTH_MM)
    columns, rows = (round(side * pitch) for side in size)
    steps = np.minimum((np.arange(columns) / pitch / _STEP_MM).astype(int), len(TABLET) - 1)
    density = np.tile(np.array(TABLET, np.float32)[steps], (rows, 1))
    sheet = Sheet(density, size, pitch, (0.0, 0.0, *size))
    straight = tuple(np.zeros(int(side / 0.25) + 2, np.float32) for side in (*size[::-1], *size))
    left, right, top, bottom = straight
    outline = Outline(size, (left, top, right, bottom), 0.0)
    scene = lay(
        sheet,
        outline,
        theta_deg=theta_deg,
        mirrored=False,
        margins_mm=(_MARGIN_MM,) * 4,
        bed=bed,
        wear=0.0,
    )
    return digitize(rng, scene, scanner, gain=gain)


def write_calibration(rng: np.random.Generator, folder: Path, dpi: float) -> None:
    """Write scans of a tablet for each response and of the wedge, each with its densities."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, scanner in SCANNERS.items():
        pixels = scan_of_tablet(rng, scanner, gain=0.94, dpi=dpi, theta_deg=float(rng.normal(0, 1)))
        write_scan(folder / f"{name}.tif", pixels, dpi, white_is_zero=scanner.white_is_zero)
    write_scan(folder / "wedge.tif", scan_of_wedge(rng, 0.5), 25.4 / 0.21)
    _write_densities(folder / "tablet.csv", TABLET)
    _write_densities(folder / "wedge.csv", [step[0] for step in WEDGE])


def write_scan(
    path: Path, pixels: NDArray[np.generic], dpi: float, *, white_is_zero: bool = False
) -> None:
    """Write a grey scan as a TIFF."""
    photometric = "miniswhite" if white_is_zero else "minisblack"
    tifffile.imwrite(
        path,
        pixels,
        photometric=photometric,
        compression="zlib",
        metadata=None,
        software=None,
        resolution=(dpi, dpi),
        resolutionunit=2,
    )


def _write_densities(path: Path, densities: tuple[float, ...] | list[float]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "density"])
        writer.writerows((number, density) for number, density in enumerate(densities, start=1))
