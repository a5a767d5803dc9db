"""Scanners' responses: from light to numbers, and numbers to files."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from digitizer.rehearsal.scene import Scene, light

__all__ = ["SCANNERS", "Scanner", "digitize", "write_jpeg", "write_png", "write_tiff"]

Array = NDArray[np.float32]
Pixels = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Scanner:
    """How a scanner answers light.

    Attributes
    ----------
    name : str
        Of the response.
    bits : int
        Meaningful bits of a sample.
    white_is_zero : bool
        Whether the file says so (TIFF PhotometricInterpretation 0).
    shot, dark : float
        Noise: standard deviation of the light is sqrt(shot**2 * light + dark**2).
    """

    name: str
    bits: int
    white_is_zero: bool
    shot: float
    dark: float


SCANNERS: dict[str, Scanner] = {
    "linear16": Scanner("linear16", 16, False, 0.0022, 0.00012),
    "log12": Scanner("log12", 12, False, 0.0018, 0.00010),
    "inverse16": Scanner("inverse16", 16, True, 0.0020, 0.00012),
    "flatbed8": Scanner("flatbed8", 8, False, 0.0060, 0.0018),
}
"""Linear transmittance; linear in density, 12 bits; density upwards, white is zero; flatbed."""


def digitize(
    rng: np.random.Generator, scene: Scene, scanner: Scanner, *, gain: float | None = None
) -> Pixels:
    """Scan a scene: noise, response, rounding.

    Parameters
    ----------
    rng : numpy.random.Generator
    scene : Scene
    scanner : Scanner
    gain : float, optional
        Brightness of the lamp: 1 brings clear glass to full scale. By chance where not given.

    Returns
    -------
    uint16 or uint8, shape (rows, columns)
    """
    kind: Any = np.uint8 if scanner.bits == 8 else np.uint16
    out = np.empty(scene.frame, dtype=kind)
    if gain is None:
        gain = float(rng.uniform(0.88, 1.0))
    worse = 0.6 + 0.8 * scene.wear
    top = 0
    for band in light(rng, scene):
        noise = rng.standard_normal(band.shape, dtype=np.float32)
        spread = np.sqrt(
            np.float32((worse * scanner.shot) ** 2) * band + np.float32(scanner.dark**2)
        )
        band = band * np.float32(gain) + noise * spread
        out[top : top + len(band)] = _respond(scanner, band)
        top += len(band)
    return out


def _respond(scanner: Scanner, seen: Array) -> Array:
    if scanner.name == "linear16":
        value = seen * np.float32(65535)
    elif scanner.name == "flatbed8":
        # A flatbed's driver encodes for a screen, and its optics flare a little.
        value = cv2.pow(np.clip(seen + np.float32(0.004), 0, 1), 1 / 2.0) * np.float32(255)
    else:
        density = cv2.log(np.maximum(seen, np.float32(1e-4))) * np.float32(-1 / np.log(10))
        steps = 4095 if scanner.bits == 12 else 65535
        value = density * np.float32(steps / 4.0)
        if not scanner.white_is_zero:
            value = np.float32(steps) - value
    most = 2**scanner.bits - 1
    rounded: Array = np.clip(np.rint(value), 0, most)
    return rounded


_COMPRESSIONS = (None, "lzw", "zlib", "packbits")


def write_tiff(
    rng: np.random.Generator,
    path: Path,
    pixels: Pixels,
    *,
    dpi: float | None,
    white_is_zero: bool = False,
) -> None:
    """Write a TIFF as scanners do: strips or tiles, one of several compressions."""
    compression = _COMPRESSIONS[int(rng.choice(4, p=[0.2, 0.2, 0.5, 0.1]))]
    photometric = "miniswhite" if white_is_zero else "minisblack"
    if pixels.ndim == 3:
        photometric = "rgb"
    options: dict[str, Any] = {
        "photometric": photometric,
        "compression": compression,
        "metadata": None,
        "software": None,
    }
    if compression == "zlib":
        options["compressionargs"] = {"level": 2}
    if compression in ("lzw", "zlib") and rng.random() < 0.6:
        options["predictor"] = True
    if rng.random() < 0.15:
        options["tile"] = (256, 256)
    else:
        options["rowsperstrip"] = int(rng.choice([8, 16, 64, 256]))
    if dpi is not None:
        options["resolution"] = (dpi, dpi)
        options["resolutionunit"] = 2
    tifffile.imwrite(path, pixels, byteorder="<" if rng.random() < 0.8 else ">", **options)


def write_png(path: Path, pixels: Pixels, *, dpi: float | None) -> None:
    """Write a PNG, 8 or 16 bit grey or 8-bit RGB, with its resolution."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    _, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    path.write_bytes(_with_resolution(data.tobytes(), dpi))


def _with_resolution(png: bytes, dpi: float | None) -> bytes:
    """Put a pHYs chunk (pixels per metre) behind the header of a PNG (ISO 15948, 11.3.5.3)."""
    if dpi is None:
        return png
    head = 8 + 25
    per_metre = round(dpi / 0.0254)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    return png[:head] + chunk + png[head:]


def write_jpeg(path: Path, pixels: Pixels, *, dpi: float, quality: int) -> None:
    """Write an 8-bit JPEG, grey or RGB, with its resolution."""
    image = Image.fromarray(pixels)
    image.save(path, "JPEG", quality=quality, dpi=(dpi, dpi))
