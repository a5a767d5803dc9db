"""Single scans of films with known truth, drawn in memory: where no room is needed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.rehearsal.block import Block, print_block
from digitizer.rehearsal.edges import Outline, draw_outline
from digitizer.rehearsal.geometry import Placement
from digitizer.rehearsal.scanner import SCANNERS, Scanner, digitize
from digitizer.rehearsal.scene import BEDS, Laid, Scene, lay_one
from digitizer.rehearsal.sheet import SIZES, SMALL_SIZES, Sheet, expose
from digitizer.rehearsal.slices import KINDS
from digitizer.rehearsal.sources import RADIOGRAPHS
from digitizer.rehearsal.tiling import Lattice, print_pictures

__all__ = ["DrawnScan", "draw_pictures_scan", "draw_scan"]

_FEW_MM: tuple[tuple[float, float], ...] = ((76.0, 102.0), (102.0, 127.0), *SMALL_SIZES)
"""Sheets of which several go onto one bed."""


@dataclass(frozen=True, slots=True, eq=False)
class DrawnScan:
    """A scan as a decoder would return it, and where its sheets truly lie.

    ``lattice`` tells where the pictures are, on a sheet of many.
    """

    raster: Raster
    scene: Scene
    scanner: Scanner
    lattice: Lattice | None = None

    @property
    def placements(self) -> tuple[Placement, ...]:
        """Where each sheet lies."""
        return tuple(one.placement for one in self.scene.laid)


def draw_scan(
    seed: tuple[int, ...], *, sheets: int = 1, dpi: float = 100.0, wear: float = 0.5
) -> DrawnScan:
    """Draw one scan by chance: bed, skew, response, sizes and wear as in a room.

    Parameters
    ----------
    seed : tuple of int
        The same seed draws the same scan.
    sheets : int
        How many films lie on the bed, 1 to 4.
    dpi : float
    wear : float
        0 (as new) to 1.
    """
    rng = np.random.default_rng(seed)
    pitch = dpi / 25.4
    if sheets == 1:
        sheet, outline = _film(rng, SIZES, pitch, wear)
        scene = lay_one(rng, sheet, outline, wear)
    else:
        scene = _lay_few(rng, [_film(rng, _FEW_MM, pitch, wear) for _ in range(sheets)], wear)
    return _scanned(rng, scene, dpi)


def draw_pictures_scan(
    seed: tuple[int, ...], *, dpi: float = 100.0, wear: float = 0.5
) -> DrawnScan:
    """Draw one scan of a sheet of many pictures by chance, as :func:`draw_scan` does."""
    rng = np.random.default_rng(seed)
    pitch = dpi / 25.4
    short, long = SIZES[int(rng.integers(len(SIZES)))]
    size = (short, long) if rng.random() < 0.7 else (long, short)
    kind = str(rng.choice(list(KINDS)))
    strip = float(rng.uniform(18, 32)) if rng.random() < 0.4 else 0.0
    words = ("DOE^JANE", "123-45-678", f"12-MAR-{int(rng.integers(80, 99))}")
    sheet, lattice = print_pictures(
        rng, size, pitch, wear, kind=kind, strip_mm=strip, words=words if rng.random() < 0.8 else ()
    )
    if strip or rng.random() < 0.25:
        style = str(rng.choice(["flashed", "dark", "sticker"]))
        block = Block(words, evidence="full", style=style)
        print_block(rng, sheet, block, wear=wear, corner=int(rng.integers(2)) if strip else None)
    scene = lay_one(rng, sheet, draw_outline(rng, size, wear), wear)
    return _scanned(rng, scene, dpi, lattice)


def _scanned(
    rng: np.random.Generator, scene: Scene, dpi: float, lattice: Lattice | None = None
) -> DrawnScan:
    scanner = SCANNERS[str(rng.choice(list(SCANNERS)))]
    pixels: NDArray[Any] = digitize(rng, scene, scanner)
    polarity = Polarity.MONOCHROME1 if scanner.white_is_zero else Polarity.MONOCHROME2
    bits = 8 if scanner.bits == 8 else 16
    raster = Raster(pixels=pixels, bits=bits, polarity=polarity, dpi=Dpi(dpi, dpi))
    return DrawnScan(raster, scene, scanner, lattice)


def _film(
    rng: np.random.Generator, sizes: tuple[tuple[float, float], ...], pitch: float, wear: float
) -> tuple[Sheet, Outline]:
    short, long = sizes[int(rng.integers(len(sizes)))]
    size = (short, long) if rng.random() < 0.5 else (long, short)
    source = RADIOGRAPHS[int(rng.integers(len(RADIOGRAPHS)))]
    return expose(rng, source, size, pitch, wear), draw_outline(rng, size, wear)


def _lay_few(rng: np.random.Generator, films: list[tuple[Sheet, Outline]], wear: float) -> Scene:
    """Lay films in one or two rows, as hands do: askew, with a finger's breadth between them."""
    pitch = films[0][0].pixels_per_mm
    rows = [films] if len(films) < 4 and rng.random() < 0.6 else [films[::2], films[1::2]]
    laid: list[Laid] = []
    top, widest = float(rng.uniform(8, 20)), 0.0
    for row in rows:
        left, high = float(rng.uniform(8, 20)), 0.0
        for sheet, outline in row:
            theta = float(rng.normal(0, 1.5)) + 90.0 * int(rng.integers(4))
            angle = np.radians(theta)
            wide = abs(sheet.size_mm[0] * np.cos(angle)) + abs(sheet.size_mm[1] * np.sin(angle))
            tall = abs(sheet.size_mm[0] * np.sin(angle)) + abs(sheet.size_mm[1] * np.cos(angle))
            centre = ((left + wide / 2) * pitch, (top + tall / 2) * pitch)
            mirrored = bool(rng.random() < 0.1)
            place = Placement(sheet.size_mm, pitch, theta, mirrored, centre)
            laid.append(Laid(sheet, outline, place))
            left += wide + float(rng.uniform(6, 20))
            high = max(high, tall)
        widest = max(widest, left)
        top += high + float(rng.uniform(6, 20))
    frame = (round((top + 4) * pitch), round((widest + 4) * pitch))
    bed = BEDS[str(rng.choice(["open", "dark", "grey"]))]
    return Scene(frame, bed, tuple(laid), pitch, wear)
