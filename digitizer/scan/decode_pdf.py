"""PDF of scanned pages: the page's own picture where it is one, else the page rendered."""

from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from digitizer.errors import BadScan
from digitizer.model.raster import Pixels, Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.scan.decode_structure import check_pdf
from digitizer.scan.decode_tiff import checked_size
from digitizer.scan.settings import DecodeSettings

__all__ = ["decode", "pages"]

_DPI = 300
_POINTS = 72
_COVERS = 0.9
"""Part of the page that its one picture must cover to be the page."""


def pages(path: Path) -> int:
    """Count the pages."""
    document = _open(path)
    try:
        return len(document)
    finally:
        document.close()


def decode(path: Path, page: int, settings: DecodeSettings) -> Raster:
    """Return the page's picture as it lies in the file, or the page rendered at 300 dpi."""
    document = _open(path)
    try:
        opened = document[page]
        own = _own_picture(opened, settings)
        pixels, dpi = own if own is not None else _rendered(opened, settings)
    finally:
        document.close()
    return Raster(
        pixels=pixels,
        bits=pixels.dtype.itemsize * 8,
        polarity=Polarity.RGB if pixels.ndim == 3 else Polarity.MONOCHROME2,
        dpi=dpi,
        page=page,
    )


def _rendered(page: Any, settings: DecodeSettings) -> tuple[Pixels, Dpi]:
    width, height = page.get_size()
    checked_size(
        round(height / _POINTS * _DPI), round(width / _POINTS * _DPI), settings, sample_bytes=4
    )
    bitmap = page.render(scale=_DPI / _POINTS, rev_byteorder=True)
    return np.array(bitmap.to_numpy()[..., :3]), Dpi(_DPI, _DPI)


def _own_picture(page: Any, settings: DecodeSettings) -> tuple[Pixels, Dpi] | None:
    """Return the one picture that makes up the page; None for pages of text or of many parts."""
    objects = list(page.get_objects(max_depth=2))
    if len(objects) != 1 or objects[0].type != pdfium_c.FPDF_PAGEOBJ_IMAGE:
        return None
    width, height = page.get_size()
    left, bottom, right, top = objects[0].get_bounds()
    if (right - left) * (top - bottom) < _COVERS * width * height:
        return None
    if page.get_rotation():
        width, height = right - left, top - bottom
    columns, rows = objects[0].get_px_size()
    checked_size(rows, columns, settings, sample_bytes=4)
    pixels = _deep(objects[0], rows, columns)
    if pixels is None:
        bitmap = objects[0].get_bitmap(render=False)
        shown = bitmap.to_numpy()
        pixels = np.array(_grey_or_rgb(shown, bitmap.mode))
    if pixels.shape[:2] != (rows, columns):
        return None
    dpi = Dpi(columns / (right - left) * _POINTS, rows / (top - bottom) * _POINTS)
    return pixels, dpi


def _deep(picture: Any, rows: int, columns: int) -> Pixels | None:
    """Return 16-bit grey samples, which PDFium itself would cut to eight bits."""
    told = picture.get_metadata()
    if told.bits_per_pixel != 16 or told.colorspace != pdfium_c.FPDF_COLORSPACE_DEVICEGRAY:
        return None
    content = bytes(picture.get_data(decode_simple=True))
    if len(content) != rows * columns * 2:
        return None
    return np.frombuffer(content, ">u2").reshape(rows, columns).astype(np.uint16)


def _grey_or_rgb(shown: Any, mode: str) -> Any:
    if shown.ndim == 2 or shown.shape[2] == 1:
        return shown.reshape(shown.shape[:2])
    colour = shown[..., :3]
    return colour[..., ::-1] if mode.startswith("BGR") else colour


def _open(path: Path) -> pdfium.PdfDocument:
    check_pdf(path)
    try:
        return pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise BadScan("password_protected", "The file is protected by a password.") from error
        raise BadScan("corrupt_file", "The file is damaged.") from error
