"""PDF of scanned pages: the page's own picture where it is one, else the page rendered."""

from pathlib import Path

import numpy as np
import pypdfium2 as pdfium

from digitizer.errors import BadScan
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.scan.decode_tiff import checked_size
from digitizer.scan.settings import DecodeSettings

__all__ = ["decode", "pages"]

_DPI = 300
_POINTS = 72


def pages(path: Path) -> int:
    """Count the pages."""
    document = _open(path)
    try:
        return len(document)
    finally:
        document.close()


def decode(path: Path, page: int, settings: DecodeSettings) -> Raster:
    """Render one page at 300 dpi in colour."""
    document = _open(path)
    try:
        width, height = document[page].get_size()
        checked_size(round(height / _POINTS * _DPI), round(width / _POINTS * _DPI), settings)
        bitmap = document[page].render(scale=_DPI / _POINTS, rev_byteorder=True)
        pixels = np.array(bitmap.to_numpy()[..., :3])
    finally:
        document.close()
    return Raster(pixels=pixels, bits=8, polarity=Polarity.RGB, dpi=Dpi(_DPI, _DPI), page=page)


def _open(path: Path) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise BadScan("password_protected", "The file is protected by a password.") from error
        raise BadScan("corrupt_file", "The file is damaged.") from error
