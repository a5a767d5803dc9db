"""Sheets laid on a scanner's bed: what light reaches the sensor."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.rehearsal.edges import Outline
from digitizer.rehearsal.geometry import Placement
from digitizer.rehearsal.sheet import Sheet

__all__ = ["BEDS", "Bed", "Laid", "Scene", "lay", "lay_one", "lay_pair", "light"]

Array = NDArray[np.float32]
_BAND = 192
_EDGE_MM = 2.0
"""Further inside a sheet its edge is not seen."""


@dataclass(frozen=True, slots=True)
class Bed:
    """What the sensor sees beside the film: its transmittance, and its texture."""

    name: str
    transmittance: float
    texture: float


BEDS: dict[str, Bed] = {
    "open": Bed("open", 1.25, 0.0),
    "dark": Bed("dark", 0.0007, 0.05),
    "grey": Bed("grey", 0.30, 0.02),
    "feed": Bed("feed", 0.85, 0.01),
}
"""Light box without mask; masked light box; flatbed's grey lid; transport-fed digitizer."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A sheet, its outline, and where it lies."""

    sheet: Sheet
    outline: Outline
    placement: Placement


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything in one scan.

    Attributes
    ----------
    frame : tuple of int
        Rows and columns.
    bed : Bed
        Under and beside the sheets.
    laid : tuple of Laid
        The sheets; none for a blank.
    wear : float
        0 to 1: dust, uneven light, glare.
    dust : float
        So many times the dust that belongs to the wear.
    """

    frame: tuple[int, int]
    bed: Bed
    laid: tuple[Laid, ...]
    pixels_per_mm: float
    wear: float
    dust: float = 1.0


def _box(size_mm: tuple[float, float], theta_deg: float) -> tuple[float, float]:
    angle = np.radians(theta_deg)
    cosine, sine = abs(np.cos(angle)), abs(np.sin(angle))
    return (
        float(size_mm[0] * cosine + size_mm[1] * sine),
        float(size_mm[0] * sine + size_mm[1] * cosine),
    )


def lay(
    sheet: Sheet,
    outline: Outline,
    *,
    theta_deg: float,
    mirrored: bool,
    margins_mm: tuple[float, float, float, float],
    bed: Bed,
    wear: float,
) -> Scene:
    """Lay one sheet so that margins (left, top, right, bottom; negative cuts film) show."""
    pitch = sheet.pixels_per_mm
    wide, high = _box(sheet.size_mm, theta_deg)
    left, top, right, bottom = margins_mm
    columns = max(32, round((wide + left + right) * pitch))
    rows = max(32, round((high + top + bottom) * pitch))
    centre = ((left + wide / 2) * pitch, (top + high / 2) * pitch)
    placement = Placement(sheet.size_mm, pitch, theta_deg, mirrored, centre)
    return Scene((rows, columns), bed, (Laid(sheet, outline, placement),), pitch, wear)


def lay_one(rng: np.random.Generator, sheet: Sheet, outline: Outline, wear: float) -> Scene:
    """Lay a sheet as hands or a feeder do: turned, tilted, mirrored, bed seen on some sides."""
    kind = str(rng.choice(["open", "dark", "grey", "feed"], p=[0.32, 0.2, 0.2, 0.28]))
    turn = int(rng.choice([0, 90, 180, 270], p=[0.64, 0.12, 0.12, 0.12]))
    mirrored = bool(rng.random() < 0.1)
    if kind == "feed":
        # Some digitizers crop to the film, and a little into it.
        cropped = rng.random() < 0.2
        hidden = [bool(cropped or rng.random() < 0.5) for _ in range(4)]
        skew = float(np.clip(rng.normal(0, 0.25), -0.7, 0.7))
    else:
        hidden = [bool(rng.random() < 0.06) for _ in range(4)]
        skew = float(np.clip(rng.standard_t(4) * 1.1, -8, 8))
    if any(hidden):
        skew = float(np.clip(skew, -0.6, 0.6))
    margins = []
    widest = 0.075 * max(sheet.size_mm)
    reach = abs(np.sin(np.radians(skew))) * max(sheet.size_mm)
    for away in hidden:
        if away:
            margins.append(-(reach + float(rng.uniform(0.3, 1.5))))
        else:
            margins.append(float(rng.uniform(1.5, 6) if kind == "feed" else rng.uniform(4, widest)))
    bed = BEDS["open" if kind == "feed" and rng.random() < 0.3 else kind]
    return lay(
        sheet,
        outline,
        theta_deg=turn + skew,
        mirrored=mirrored,
        margins_mm=(margins[0], margins[1], margins[2], margins[3]),
        bed=bed,
        wear=wear,
    )


def lay_pair(
    pair: tuple[tuple[Sheet, Outline, float], tuple[Sheet, Outline, float]],
    *,
    gap_mm: float,
    margin_mm: float,
    bed: Bed,
    wear: float,
) -> Scene:
    """Lay two sheets side by side on an open bed."""
    pitch = pair[0][0].pixels_per_mm
    boxes = [_box(sheet.size_mm, theta) for sheet, _, theta in pair]
    high = max(box[1] for box in boxes) + 2 * margin_mm
    laid: list[Laid] = []
    left = margin_mm
    for (sheet, outline, theta), box in zip(pair, boxes, strict=True):
        centre = ((left + box[0] / 2) * pitch, high / 2 * pitch)
        laid.append(Laid(sheet, outline, Placement(sheet.size_mm, pitch, theta, False, centre)))
        left += box[0] + gap_mm
    wide = left - gap_mm + margin_mm
    return Scene((round(high * pitch), round(wide * pitch)), bed, tuple(laid), pitch, wear)


def light(rng: np.random.Generator, scene: Scene) -> Iterator[Array]:
    """Yield the light on the sensor band by band, top to bottom.

    Returns
    -------
    iterator of float32, shape (band rows, columns)
        Transmitted part of the light, 1 = clear; beyond 1 where the bare lamp shines.
    """
    rows = scene.frame[0]
    field = _lamp(rng, scene)
    specks = _dust(rng, scene)
    halo = 4
    for top in range(0, rows, _BAND):
        first, last = max(0, top - halo), min(rows, top + _BAND + halo)
        band = _bed_light(rng, scene, last - first)
        for one in scene.laid:
            _through_film(one, scene, first, band)
        blurred = cv2.GaussianBlur(band, (0, 0), 0.42)
        keep = slice(top - first, min(rows, top + _BAND) - first)
        out = np.asarray(blurred, dtype=np.float32)[keep]
        part = slice(top, min(rows, top + _BAND))
        out = out * _lamp_band(field, part, scene.frame)
        out *= 1 - specks[part] * np.float32(0.75 / 255)
        yield out


def _bed_light(rng: np.random.Generator, scene: Scene, rows: int) -> Array:
    bed = scene.bed
    band = np.full((rows, scene.frame[1]), bed.transmittance, dtype=np.float32)
    if bed.texture:
        noise = rng.standard_normal(band.shape, dtype=np.float32)
        band *= 1 + np.float32(bed.texture) * noise
    return band


def _through_film(one: Laid, scene: Scene, first: int, band: Array) -> None:
    """Replace the bed's light by the film's where it lies, with its edge and shadow."""
    matrix = one.placement.matrix()
    back = np.linalg.inv(matrix[:, :2])
    corner = one.placement.outline()
    low = int(max(0, np.floor(corner[:, 0].min()) - 24))
    high = int(min(band.shape[1], np.ceil(corner[:, 0].max()) + 24))
    if (
        high <= low
        or first > corner[:, 1].max() + 24
        or first + len(band) < corner[:, 1].min() - 24
    ):
        return
    x = np.arange(low, high, dtype=np.float64) + 0.5 - matrix[0, 2]
    y = np.arange(first, first + len(band), dtype=np.float64)[:, None] + 0.5 - matrix[1, 2]
    u = (back[0, 0] * x).astype(np.float32) + (back[0, 1] * y).astype(np.float32)
    v = (back[1, 0] * x).astype(np.float32) + (back[1, 1] * y).astype(np.float32)
    pitch = np.float32(scene.pixels_per_mm)
    depth = one.outline.depth_mm(u, v)
    curled = one.outline.curls and float(depth.min()) < _EDGE_MM
    lifted = one.outline.lift(u, v) if curled else None
    density = cv2.remap(
        one.sheet.density,
        u * pitch - np.float32(0.5),
        v * pitch - np.float32(0.5),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    film = cv2.exp(density * np.float32(-np.log(10.0)))
    if lifted is not None:
        # Off the glass the light spreads: the film is seen darker and without its detail.
        soft = cv2.GaussianBlur(film, (0, 0), max(0.5, 0.5 * scene.pixels_per_mm))
        film += lifted * (soft * np.float32(0.8) - film)
    target = band[:, low:high]
    edge = depth < _EDGE_MM
    near, beside = depth[edge], target[edge]
    # The cut edge scatters light: film looks denser in its last tenths of a millimetre.
    scattered = np.float32(-0.25 * np.log(10.0)) * np.exp(-np.maximum(near, 0) * np.float32(5.0))
    through = film[edge] * np.exp(scattered)
    # Lifted film shades the bed beside it.
    off = np.minimum(near, 0)
    shade = np.float32(0.22) * np.exp(off * np.float32(1.6))
    if lifted is not None:
        shade += np.float32(0.3) * lifted[edge] * np.exp(off * np.float32(0.35))
    cover = np.clip(near * pitch + np.float32(0.5), 0, 1)
    np.copyto(target, film, where=depth >= 0)
    target[edge] = beside * (1 - shade) * (1 - cover) + through * cover


def _lamp(rng: np.random.Generator, scene: Scene) -> Array:
    """Uneven lamp: a smooth field, falling off to the sides, and now and then a glare."""
    wear = scene.wear
    coarse = 1 + rng.normal(0, 0.012 + 0.02 * wear, (5, 5)).astype(np.float32)
    grid = np.linspace(-1, 1, 5, dtype=np.float32)
    coarse *= 1 - np.float32(0.02 + 0.05 * wear) * (grid[:, None] ** 2 + grid**2) / 2
    fine = cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.12 * wear:
        y, x = np.mgrid[0:64, 0:64].astype(np.float32)
        middle = rng.uniform(8, 56, 2)
        spread = float(rng.uniform(20, 60))
        fine += 0.12 * np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / spread)
    return np.asarray(fine, dtype=np.float32)


def _lamp_band(field: Array, part: slice, frame: tuple[int, int]) -> Array:
    rows, columns = frame
    y = ((np.arange(part.start, part.stop, dtype=np.float32) + 0.5) * 64 / rows - 0.5)[:, None]
    x = (np.arange(columns, dtype=np.float32) + 0.5) * np.float32(64 / columns) - np.float32(0.5)
    shape = (part.stop - part.start, columns)
    map_y = np.ascontiguousarray(np.broadcast_to(y, shape), dtype=np.float32)
    map_x = np.ascontiguousarray(np.broadcast_to(x, shape), dtype=np.float32)
    band = cv2.remap(field, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(band, dtype=np.float32)


def _dust(rng: np.random.Generator, scene: Scene) -> NDArray[np.uint8]:
    """Dust and hairs on the glass, as coverage 0 to 255."""
    rows, columns = scene.frame
    specks = np.zeros((rows, columns), dtype=np.uint8)
    pitch = scene.pixels_per_mm
    area = rows * columns / pitch**2 / 1e5
    for _ in range(int(rng.poisson(scene.dust * (25 * scene.wear * area + 2)))):
        at = (int(rng.integers(columns)), int(rng.integers(rows)))
        size = max(0, round(float(rng.gamma(1.5, 0.09)) * pitch))
        cv2.circle(specks, at, size, int(rng.integers(60, 255)), -1, cv2.LINE_AA)
    for _ in range(int(rng.poisson(scene.dust * 4 * scene.wear * area))):
        middle = rng.uniform(0, 1, 2) * (columns, rows)
        walk = np.cumsum(rng.normal(0, 1.2 * pitch, (5, 2)), axis=0) + middle
        cv2.polylines(specks, [walk.astype(np.int32)], False, 150, 1, cv2.LINE_AA)
    return specks
