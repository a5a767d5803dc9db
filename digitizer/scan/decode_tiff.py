"""TIFF: 8, 12-in-16 and 16 bit, grey and colour, strips and tiles, all usual compressions."""

import logging
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from tifffile import TiffPage

from digitizer.errors import BadScan
from digitizer.model.raster import Pixels, Polarity, Raster
from digitizer.model.units import MM_PER_INCH, Dpi
from digitizer.scan.decode_structure import check_tiff
from digitizer.scan.settings import DecodeSettings

__all__ = ["checked_size", "decode", "pages"]

# What tifffile has to say of a bad file is said once, by the reason it is refused for.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6

_JPEG = (6, 7, 33007, 34892)


def pages(path: Path) -> int:
    """Count the image file directories."""
    return check_tiff(path)


def checked_size(
    rows: int, columns: int, settings: DecodeSettings, *, sample_bytes: int = 2
) -> None:
    """Refuse pictures over the limit, before they are allocated.

    ``sample_bytes`` are the bytes of one pixel; three suffice for colour, two for film.
    """
    if rows < 1 or columns < 1:
        raise BadScan("corrupt_file", "The picture has no size.")
    largest = settings.max_megapixels * 1e6
    if rows * columns > largest or rows * columns * sample_bytes > 3 * largest:
        raise BadScan(
            "too_large", f"The picture has {rows * columns / 1e6:.0f} megapixels.",
            remedy="Raise DIGITIZER_DECODE__MAX_MEGAPIXELS if it is really a film.",
        )  # fmt: skip


def decode(path: Path, page: int, settings: DecodeSettings) -> Raster:
    """Decode one page as stored."""
    check_tiff(path)
    length = path.stat().st_size
    with tifffile.TiffFile(path) as file:
        found = file.pages[page]
        if not isinstance(found, TiffPage):
            raise BadScan("corrupt_file", "The page has no description.")
        samples = found.samplesperpixel * max(1, found.bitspersample // 8)
        checked_size(found.imagelength, found.imagewidth, settings, sample_bytes=samples)
        _check_strips(found, length)
        _check_kind(found)
        if int(found.compression) in _JPEG:
            _check_jpeg_strips(path, found)
        pixels = found.asarray()
        shaped = _shaped(found, pixels)
        return Raster(
            pixels=shaped,
            bits=_bits(found),
            polarity=_polarity(found, colour=shaped.ndim == 3),
            dpi=_dpi(found),
            page=page,
            orientation=int(found.tags.valueof(274, 1)),
        )


def _check_kind(page: TiffPage) -> None:
    """Refuse what is neither grey, palette nor RGB in 1 to 16 bits: no value is guessed."""
    kinds = (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR)
    if int(page.photometric) not in kinds or int(page.sampleformat) != 1:
        raise BadScan("unsupported_format", "Only grey and RGB pictures can be read.")


def _check_strips(page: TiffPage, length: int) -> None:
    """Refuse a page of which a strip is missing or lies beyond the end of the file."""
    offsets, counts = page.dataoffsets, page.databytecounts
    expected = 1
    for size in page.chunked:
        expected *= size
    missing = len(offsets) < expected or len(counts) < expected
    if missing or any(
        o <= 0 or c <= 0 or o + c > length for o, c in zip(offsets, counts, strict=False)
    ):
        raise BadScan("truncated_file", "The file ends before its last strip.")
    if page.compression == 1 and page.bitspersample >= 8:
        needed = page.imagelength * page.imagewidth * page.samplesperpixel
        if not page.is_tiled and sum(counts) < needed * (page.bitspersample // 8):
            raise BadScan("truncated_file", "The strips hold fewer rows than the picture has.")


def _check_jpeg_strips(path: Path, page: TiffPage) -> None:
    """Demand an end of image in every strip: libjpeg fills what is missing with grey."""
    with path.open("rb") as stream:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            tail = min(count, 16)
            stream.seek(offset + count - tail)
            if b"\xff\xd9" not in stream.read(tail):
                raise BadScan("truncated_file", "A strip of the file ends too early.")


def _shaped(page: TiffPage, pixels: NDArray[np.generic]) -> Pixels:
    """Return grey or RGB samples, first axis rows; bits and palettes spread out to bytes."""
    pixels = np.squeeze(pixels)
    if page.photometric == _PALETTE and pixels.ndim == 2:
        table = np.asarray(page.colormap, dtype=np.uint16)
        pixels = np.moveaxis(table[:, pixels] >> 8, 0, -1).astype(np.uint8)
    if pixels.ndim == 3 and page.planarconfig == 2:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim == 3:
        pixels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., 0]
    if pixels.dtype == bool or page.bitspersample < 8:
        top = (1 << page.bitspersample) - 1
        pixels = (pixels.astype(np.uint16) * 255 // top).astype(np.uint8)
    if pixels.ndim not in (2, 3) or pixels.dtype.kind != "u" or pixels.dtype.itemsize > 2:
        raise BadScan("unsupported_format", "Only 8 and 16 bit grey and colour can be read.")
    native = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return np.ascontiguousarray(native)


def _bits(page: TiffPage) -> int:
    """Return the significant bits: Max Sample Value (281) tells 12-in-16, else the container's."""
    container = max(8, int(page.bitspersample))
    highest = page.tags.valueof(281)
    if highest is not None and container == 16:
        top = int(np.max(highest))
        if 255 < top < 65535:
            return top.bit_length()
    return 16 if container > 8 else 8


def _polarity(page: TiffPage, *, colour: bool) -> Polarity:
    if colour:
        return Polarity.RGB
    white_is_zero = int(page.photometric) == _WHITE_IS_ZERO
    return Polarity.MONOCHROME1 if white_is_zero else Polarity.MONOCHROME2


def _dpi(page: TiffPage) -> Dpi | None:
    """Return the resolution; a tag without a unit (ResolutionUnit 1) tells only an aspect."""
    unit = int(page.tags.valueof(296, 2))
    values = [page.tags.valueof(282), page.tags.valueof(283)]
    if unit not in (2, 3) or any(value is None for value in values):
        return None
    per_inch = 1.0 if unit == 2 else MM_PER_INCH / 10
    x, y = (numerator / denominator * per_inch if denominator else 0.0
            for numerator, denominator in values)  # fmt: skip
    return Dpi(x, y) if x > 1 and y > 1 else None
