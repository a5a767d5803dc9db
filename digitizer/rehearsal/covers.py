"""Films that hide a part of themselves: labels stuck on them, corners and sides folded over.

Light goes through whatever lies in its way: densities add up, so that a film shows through paper
and a folded film is twice as dense. Card and tape let nothing through. On a flatbed that lights
from above, paper is brighter than any film.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.rehearsal.block import print_block, write_block
from digitizer.rehearsal.edges import Fold, Outline, draw_outline
from digitizer.rehearsal.population import DrawnScan
from digitizer.rehearsal.scanner import SCANNERS, digitize
from digitizer.rehearsal.scene import Laid, lay_one
from digitizer.rehearsal.sheet import BASE_FOG, D_MAX, SIZES, Sheet, add_marker, expose
from digitizer.rehearsal.sources import RADIOGRAPHS
from digitizer.rehearsal.specimens import invent_patient
from digitizer.rehearsal.typography import lines

__all__ = ["COVERS", "MarkedScan", "cover", "draw_marked_scan"]

Density = NDArray[np.float32]
Box = tuple[float, float, float, float]
Coverer = Callable[[np.random.Generator, Laid, Box], Laid]

_SLIPS_MM = ((76.0, 76.0), (89.0, 36.0), (70.0, 25.0), (50.0, 25.0), (102.0, 51.0), (38.0, 25.0))
"""Notes and labels of the trade."""
_PRINTED = (
    ["RETURN TO FILM LIBRARY"], ["TEACHING FILE"], ["ON LOAN", "WARD 7"], ["COPY"], ["SEE REPORT"],
)  # fmt: skip
_LEAST_FOLD_MM = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class MarkedScan:
    """A scan of one film with its block.

    Attributes
    ----------
    drawn : DrawnScan
    block_mm : tuple of float
        Where the block is printed on the film: u0, v0, u1, v1.
    style : str
        Of the block.
    """

    drawn: DrawnScan
    block_mm: Box
    style: str


def draw_marked_scan(seed: tuple[int, ...], *, dpi: float = 100.0, wear: float = 0.5) -> MarkedScan:
    """Draw one film that bears a block, often a marker, and creases where it was bent.

    Parameters
    ----------
    seed : tuple of int
        The same seed draws the same scan.
    dpi : float
    wear : float
        0 (as new) to 1.
    """
    rng = np.random.default_rng(seed)
    pitch = dpi / 25.4
    short, long = SIZES[int(rng.integers(len(SIZES)))]
    size = (short, long) if rng.random() < 0.5 else (long, short)
    sheet = expose(rng, RADIOGRAPHS[int(rng.integers(len(RADIOGRAPHS)))], size, pitch, wear)
    if rng.random() < 0.4:
        add_marker(rng, sheet, "L" if rng.random() < 0.5 else "R", "JM")
    _, exams = invent_patient(rng)
    evidence = str(rng.choice(["full", "partial", "faint"], p=[0.7, 0.2, 0.1]))
    block = write_block(rng, exams[0], evidence)
    before = sheet.density.copy()
    print_block(rng, sheet, block, wear=wear)
    place = _changed(before, sheet)
    if block.style == "sticker":
        _askew(rng, sheet, before, place)
    if rng.random() < 0.1:
        _empty_window(rng, sheet, place)
    for _ in range(int(rng.poisson(1.5 * wear))):
        _crease(rng, sheet)
    scene = lay_one(rng, sheet, draw_outline(rng, size, wear), wear)
    scanner = SCANNERS[str(rng.choice(list(SCANNERS)))]
    polarity = Polarity.MONOCHROME1 if scanner.white_is_zero else Polarity.MONOCHROME2
    raster = Raster(
        pixels=digitize(rng, scene, scanner),
        bits=8 if scanner.bits == 8 else 16,
        polarity=polarity,
        dpi=Dpi(dpi, dpi),
    )
    return MarkedScan(DrawnScan(raster, scene, scanner), place, block.style)


def _changed(before: Density, sheet: Sheet) -> Box:
    """Return where a sheet is not as before, in millimetres."""
    rows, columns = (np.flatnonzero((before != sheet.density).any(axis=axis)) for axis in (1, 0))
    ends = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / sheet.pixels_per_mm
    return float(ends[0]), float(ends[1]), float(ends[2]), float(ends[3])


def _askew(rng: np.random.Generator, sheet: Sheet, before: Density, place: Box) -> None:
    """Turn a sticker a little, as hands stick it on."""
    pitch = sheet.pixels_per_mm
    left, top, right, bottom = (round(at * pitch) for at in place)
    piece = sheet.density[top:bottom, left:right].copy()
    turn = cv2.getRotationMatrix2D(
        (piece.shape[1] / 2, piece.shape[0] / 2), float(rng.normal(0, 2.0)), 1.0
    )
    turn[:, 2] += (left, top)
    size = sheet.density.shape[::-1]
    share = cv2.warpAffine(np.ones_like(piece), turn, size, flags=cv2.INTER_LINEAR)
    moved = cv2.warpAffine(
        piece, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    sheet.density[:] = before + share * (moved - before)


def _empty_window(rng: np.random.Generator, sheet: Sheet, block: Box) -> None:
    """Leave a window clear into which nobody flashed a name, where the block is not."""
    pitch, (wide, high) = sheet.pixels_per_mm, sheet.size_mm
    left = block[0] + block[2] > wide
    top = block[1] + block[3] > high
    gaps = rng.uniform(0, 9, 2)
    size = rng.uniform((45, 18), (80, 30))
    u = gaps[0] if left else wide - gaps[0] - size[0]
    v = gaps[1] if top else high - gaps[1] - size[1]
    u0, v0, u1, v1 = (round(float(one) * pitch) for one in (u, v, u + size[0], v + size[1]))
    place = sheet.density[v0:v1, u0:u1]
    grain = rng.standard_normal(place.shape, dtype=np.float32) * np.float32(0.008)
    place[:] = np.float32(BASE_FOG + 0.03) + grain


def _crease(rng: np.random.Generator, sheet: Sheet) -> None:
    """Bend a corner and straighten it again: a line of broken, dark emulsion is left."""
    rows, columns = sheet.density.shape
    corner = int(rng.integers(4))
    legs = rng.uniform(15, 70, 2) * sheet.pixels_per_mm
    at = np.array([(columns if corner in (1, 2) else 0, rows if corner > 1 else 0)], float)
    way = np.array([[-1 if corner in (1, 2) else 1, 0], [0, -1 if corner > 1 else 1]])
    ends = np.rint(at + way * legs[:, None]).astype(int)
    line = np.zeros(sheet.density.shape, np.uint8)
    thick = max(1, round(float(rng.uniform(0.2, 0.6)) * sheet.pixels_per_mm))
    cv2.line(line, ends[0].tolist(), ends[1].tolist(), 255, thick, cv2.LINE_AA)
    sheet.density += line * np.float32(float(rng.uniform(-0.3, 0.8)) / 255)
    np.clip(sheet.density, 0.12, D_MAX + 0.1, out=sheet.density)


def cover(rng: np.random.Generator, scan: MarkedScan, kind: str) -> Raster:
    """Scan a film again with something over it: ``kind`` is one of :data:`COVERS`."""
    scene = scan.drawn.scene
    laid = COVERS[kind](rng, scene.laid[0], scan.block_mm)
    pixels = digitize(rng, replace(scene, laid=(laid,)), scan.drawn.scanner)
    return replace(scan.drawn.raster, pixels=pixels)


def _on_block(rng: np.random.Generator, laid: Laid, block: Box) -> Laid:
    """Stick a label over the whole block."""
    u0, v0, u1, v1 = block
    slip = rng.permutation(_SLIPS_MM[int(rng.integers(len(_SLIPS_MM)))])
    size = np.maximum(slip, np.array([u1 - u0, v1 - v0]) * rng.uniform(1.0, 1.2, 2))
    middle = np.array([u0 + u1, v0 + v1]) / 2 + rng.normal(0, 2.0, 2)
    return _stuck(rng, laid, middle, size)


def _partly(rng: np.random.Generator, laid: Laid, block: Box) -> Laid:
    """Stick a label over a good part of the block."""
    u0, v0, u1, v1 = block
    size = rng.permutation(_SLIPS_MM[int(rng.integers(len(_SLIPS_MM)))])
    shift = rng.choice([-1, 1], 2) * rng.uniform(0.1, 0.3, 2) * (u1 - u0, v1 - v0)
    return _stuck(rng, laid, np.array([u0 + u1, v0 + v1]) / 2 + shift, size)


def _elsewhere(rng: np.random.Generator, laid: Laid, _: Box) -> Laid:
    """Stick a label anywhere on the film."""
    size = rng.permutation(_SLIPS_MM[int(rng.integers(len(_SLIPS_MM)))])
    middle = rng.uniform(0.15, 0.85, 2) * laid.sheet.size_mm
    return _stuck(rng, laid, middle, size)


def _stuck(
    rng: np.random.Generator,
    laid: Laid,
    middle: NDArray[np.float64],
    size_mm: NDArray[np.float64],
) -> Laid:
    """Return the film with a label on it, stuck by hand: a few degrees askew."""
    sheet, pitch = laid.sheet, laid.sheet.pixels_per_mm
    columns, rows = (round(side * pitch) for side in size_mm)
    angle = float(rng.normal(0, 3.5))
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, 1.0)
    turn[:, 2] += middle * pitch - (columns / 2, rows / 2)
    shape = sheet.density.shape[::-1]
    inner = np.ones((rows, columns), np.float32)
    mask = cv2.warpAffine(inner, turn, shape, flags=cv2.INTER_LINEAR)
    paper = np.zeros((rows, columns), np.float32)
    fibre = cv2.GaussianBlur(
        rng.standard_normal((rows, columns), dtype=np.float32), (0, 0), 0.35 * pitch
    )
    paper += fibre * np.float32(float(rng.uniform(0.02, 0.06)) / max(float(fibre.std()), 1e-6))
    if rng.random() < 0.3:
        _write(rng, paper, pitch)
    paper = np.asarray(cv2.warpAffine(paper, turn, shape, flags=cv2.INTER_LINEAR), np.float32)
    kind = str(rng.choice(["paper", "card", "bright"], p=[0.58, 0.32, 0.1]))
    if kind == "bright":
        tone = float(rng.uniform(0.02, 0.14))
        density = sheet.density + mask * (tone + np.abs(paper) - sheet.density)
    else:
        below = sheet.density
        if kind == "paper":
            # Light spreads in paper, and between it and the film: print is no more read below.
            spread = float(rng.uniform(0.6, 1.2)) * pitch
            below = np.asarray(cv2.GaussianBlur(below, (0, 0), spread), np.float32)
        tone = float(rng.uniform(1.2, 2.2) if kind == "paper" else rng.uniform(3.0, 4.5))
        density = sheet.density + mask * (below - sheet.density + tone + paper)
    return replace(laid, sheet=replace(sheet, density=np.asarray(density, np.float32)))


def _write(rng: np.random.Generator, paper: Density, pitch: float) -> None:
    """Print some words on a label that are nobody's name."""
    words = _PRINTED[int(rng.integers(len(_PRINTED)))]
    ink = lines(words, "sans-bold", float(rng.uniform(3.0, 5.0)) * pitch)
    ink = ink[: paper.shape[0], : paper.shape[1]]
    top, left = ((paper.shape[axis] - ink.shape[axis]) // 2 for axis in (0, 1))
    paper[top : top + ink.shape[0], left : left + ink.shape[1]] += ink * np.float32(
        rng.uniform(0.4, 0.9)
    )


def _folded_corner(rng: np.random.Generator, laid: Laid, block: Box) -> Laid:
    """Fold the corner over that bears the block."""
    wide, high = laid.sheet.size_mm
    u0, v0, u1, v1 = block
    right, low = u0 + u1 > wide, v0 + v1 > high
    reach = np.array([wide - u0 if right else u1, high - v0 if low else v1])
    legs = np.clip(reach * rng.uniform(1.0, 1.7, 2), _LEAST_FOLD_MM, np.array([wide, high]) * 0.6)
    corner = np.array([wide if right else 0.0, high if low else 0.0])
    inward = np.array([-1.0 if right else 1.0, -1.0 if low else 1.0])
    normal = -inward / legs
    return _folded(laid, corner + inward * legs * (1, 0), normal)


def _folded_side(rng: np.random.Generator, laid: Laid, block: Box) -> Laid:
    """Fold the side over at which the block stands, a little askew."""
    wide, high = laid.sheet.size_mm
    u0, v0, u1, v1 = block
    gaps = (u0, v0, wide - u1, high - v1)
    side = int(np.argmin(gaps))
    depth = (u1 - u0, v1 - v0)[side % 2] * float(rng.uniform(0.5, 1.0)) + gaps[side]
    depth = float(np.clip(depth, 10.0, 0.3 * (wide, high)[side % 2]))
    angle = np.radians(float(rng.normal(0, 1.5)))
    normal = np.array([[-1.0, 0.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]])[side]
    place = np.array([[depth, high / 2], [wide / 2, depth], [wide - depth, high / 2],
                      [wide / 2, high - depth]])[side]  # fmt: skip
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return _folded(laid, place, turn @ normal)


def _folded(laid: Laid, place: NDArray[np.float64], normal: NDArray[np.float64]) -> Laid:
    """Return the film with all beyond a crease laid back over the rest."""
    sheet, pitch = laid.sheet, np.float32(laid.sheet.pixels_per_mm)
    n = normal / np.linalg.norm(normal)
    rows, columns = sheet.density.shape
    u = (np.arange(columns, dtype=np.float32) + np.float32(0.5)) / pitch
    v = ((np.arange(rows, dtype=np.float32) + np.float32(0.5)) / pitch)[:, None]
    beyond = np.float32(n[0]) * (u - np.float32(place[0])) + np.float32(n[1]) * (
        v - np.float32(place[1])
    )
    mirrored_u: Density = np.asarray(u - 2 * beyond * np.float32(n[0]), np.float32)
    mirrored_v: Density = np.asarray(v - 2 * beyond * np.float32(n[1]), np.float32)
    depth = laid.outline.depth_mm(mirrored_u, mirrored_v)
    flap = cv2.remap(
        sheet.density, mirrored_u * pitch - np.float32(0.5), mirrored_v * pitch - np.float32(0.5),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    cut = np.float32(0.25) * np.exp(-np.maximum(depth, 0) * np.float32(5.0))
    share = np.clip(depth * pitch + np.float32(0.5), 0, 1) * (beyond < 0)
    density = sheet.density + share * (flap + cut)
    fold = Fold((float(place[0]), float(place[1])), (float(n[0]), float(n[1])))
    outline: Outline = replace(laid.outline, fold=fold)
    return replace(
        laid, sheet=replace(sheet, density=np.asarray(density, np.float32)), outline=outline
    )


COVERS: Mapping[str, Coverer] = MappingProxyType(
    {
        "label on the block": _on_block,
        "label on a part of it": _partly,
        "label elsewhere": _elsewhere,
        "corner folded": _folded_corner,
        "side folded": _folded_side,
    }
)
"""What hides a part of a film."""
