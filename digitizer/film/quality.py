"""What can be said of a scan at once: depth, clipping, sharpness, noise, resolution, size."""

import cv2
import numpy as np

from digitizer.film.light import grey, reduced
from digitizer.model.film import Geometry, Quality
from digitizer.model.raster import Raster
from digitizer.model.reasons import Code

__all__ = ["NO_QUALITY", "STANDARD_SIZES_MM", "quality"]

NO_QUALITY = Quality()
"""Of a file that could not be decoded."""

STANDARD_SIZES_MM = (
    (130, 180), (180, 240), (203.2, 254), (240, 300), (254, 304.8), (279.4, 355.6), (300, 400),
    (350, 350), (350, 430), (355.6, 431.8), (355.6, 914.4), (150, 300), (200, 400), (355.6, 355.6),
)  # fmt: skip
"""Film sizes of the trade, width by height in millimetres."""

_TOLERANCE_MM = 6.0
_LEAST_DPI = 127.0
"""2.5 line pairs a millimetre need a pitch of 0.2 mm (ACR-AAPM-SIIM, electronic practice)."""


def quality(raster: Raster, geometry: Geometry | None) -> Quality:
    """Judge a page, inside its sheet where one was found.

    Sharpness is the ratio of the mean gradient to the mean contrast of the picture; noise the
    median absolute residual of a 3 x 3 median (times 1.4826) as a part of full scale.
    """
    picture = grey(raster)
    if geometry is not None:
        xs, ys = zip(*geometry.corners, strict=True)
        rows, columns = picture.shape[:2]
        y0, y1 = max(0, int(min(ys))), min(rows, int(max(ys)) + 1)
        x0, x1 = max(0, int(min(xs))), min(columns, int(max(xs)) + 1)
        picture = picture[y0:y1, x0:x1]
    if picture.size == 0:
        return NO_QUALITY
    top = (1 << raster.bits) - 1
    sample = picture[::2, ::2]
    clipped_low = float(np.mean(sample == 0))
    clipped_high = float(np.mean(sample >= top))
    middle = picture[picture.shape[0] // 4 : -picture.shape[0] // 4 or None][:1024]
    middle = middle[:, picture.shape[1] // 4 : -picture.shape[1] // 4 or None][:, :1024]
    noise = sharpness = None
    if min(middle.shape) > 8:
        values = middle.astype(np.float32)
        residual = values - cv2.medianBlur(values, 3)
        noise = float(1.4826 * np.median(np.abs(residual)) / top)
        contrast = float(values.std()) or 1.0
        gradient = np.abs(cv2.Sobel(reduced(values, 1024)[0], cv2.CV_32F, 1, 0))  # type: ignore[arg-type]
        sharpness = float(gradient.mean() / contrast)
    return Quality(
        flags=_flags(raster, geometry, clipped_low, clipped_high),
        sharpness=sharpness,
        noise=noise,
        clipped_low=clipped_low,
        clipped_high=clipped_high,
        bits=raster.bits,
        dpi=raster.dpi,
    )


def _flags(
    raster: Raster, geometry: Geometry | None, clipped_low: float, clipped_high: float
) -> tuple[str, ...]:
    flags: list[Code] = []
    if raster.dpi is None:
        flags.append(Code.RESOLUTION_UNKNOWN)
    elif min(raster.dpi) < _LEAST_DPI:
        flags.append(Code.LOW_RESOLUTION)
    if geometry is not None and geometry.edges_seen == 4 and _no_size_fits(geometry):
        flags.append(Code.RESOLUTION_DOUBTFUL)
    if geometry is not None and geometry.skew_deg is None:
        flags.append(Code.SKEW_UNKNOWN)
    if clipped_low > 0.05:
        flags.append(Code.CLIPPED_LOW)
    if clipped_high > 0.05:
        flags.append(Code.CLIPPED_HIGH)
    if raster.bits <= 8:
        flags.append(Code.EIGHT_BIT)
    return tuple(code.value for code in flags)


def _no_size_fits(geometry: Geometry) -> bool:
    if geometry.size_mm is None:
        return False
    short, long = sorted((geometry.size_mm.width, geometry.size_mm.height))
    return not any(
        abs(short - a) < _TOLERANCE_MM and abs(long - b) < _TOLERANCE_MM
        for a, b in (sorted(size) for size in STANDARD_SIZES_MM)
    )
