"""PNG, JPEG and JPEG 2000."""

from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image, ImageFile

from digitizer.errors import BadScan
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import MM_PER_INCH, Dpi
from digitizer.scan.decode_structure import check_jpeg, check_jpeg2000, check_png
from digitizer.scan.decode_tiff import checked_size
from digitizer.scan.settings import DecodeSettings

__all__ = ["decode", "pages"]

Image.MAX_IMAGE_PIXELS = None  # our own limit is checked from the header, before decoding
ImageFile.LOAD_TRUNCATED_IMAGES = False
_DECODERS = {
    "PNG": imagecodecs.png_decode,
    "JPEG": imagecodecs.jpeg8_decode,
    "JPEG2000": imagecodecs.jpeg2k_decode,
}


def pages(path: Path) -> int:
    """One picture a file, if it is complete."""
    _whole(path)
    with Image.open(path, formats=list(_DECODERS)):
        return 1


def decode(path: Path, page: int, settings: DecodeSettings) -> Raster:
    """Decode the picture as stored; the EXIF orientation is told, not applied."""
    content = _whole(path)
    with Image.open(path, formats=list(_DECODERS)) as header:
        checked_size(header.height, header.width, settings, sample_bytes=len(header.getbands()))
        if header.mode == "CMYK":
            # Its first three inks are no red, green and blue.
            raise BadScan("unsupported_format", "Only grey and RGB pictures can be read.")
        kind, size = str(header.format), (header.height, header.width)
        dpi = _dpi(header)
        orientation = int(header.getexif().get(274, 1))
        if kind == "JPEG":
            # libjpeg fills what is missing with grey and only warns; Pillow refuses.
            header.load()
    pixels = np.squeeze(_DECODERS[kind](content))
    if pixels.shape[:2] != size or pixels.dtype not in (np.uint8, np.uint16):
        raise BadScan("unsupported_format", "Only 8 and 16 bit grey and colour can be read.")
    if pixels.ndim == 3:
        pixels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., 0]
    return Raster(
        pixels=np.ascontiguousarray(pixels),
        bits=_bits(kind, content, pixels.dtype.itemsize * 8),
        polarity=Polarity.RGB if pixels.ndim == 3 else Polarity.MONOCHROME2,
        dpi=dpi,
        page=page,
        orientation=orientation,
    )


def _whole(path: Path) -> bytes:
    """Return the bytes of a file that is complete by its own structure."""
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == b"\x89PNG":
        check_png(path)
        return path.read_bytes()
    content = path.read_bytes()
    if start[:3] == b"\xff\xd8\xff":
        check_jpeg(content)
    else:
        check_jpeg2000(content)
    return content


def _bits(kind: str, content: bytes, container: int) -> int:
    """Return the significant bits: JPEG 2000 tells them in its SIZ marker (15444-1, A.5.1)."""
    if kind != "JPEG2000":
        return container
    place = content.find(b"\xff\x51") + 40
    depth = content[place]
    if depth & 0x80:
        raise BadScan("unsupported_format", "Only unsigned pictures can be read.")
    return min(max(8, (depth & 0x7F) + 1), container)


def _dpi(header: Image.Image) -> Dpi | None:
    told = header.info.get("dpi")
    if header.format == "JPEG" and header.info.get("jfif_unit", 0) not in (1, 2):
        return None
    if not told or min(told) <= 1:
        return None
    # PNG keeps whole pixels a metre; 150 dpi comes back as 149.987.
    x, y = (float(value) for value in told)
    rounded = Dpi(round(x), round(y))
    near = abs(rounded.x - x) < 0.5 / 1000 * MM_PER_INCH and abs(rounded.y - y) < 0.02
    return rounded if near else Dpi(x, y)
