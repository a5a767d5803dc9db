"""Paper for the feeding desk: separator sheets and labels with jackets' barcodes, as PDF.

Code 128 by ZXing-C++, the library that reads them again. Pages are A4 at 300 dpi in black and
white, with bars of whole pixels, so that no printer or viewer makes them uneven.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from digitizer.errors import UsageError
from digitizer.model.identity import JacketLabel
from digitizer.reading import SEPARATOR_BARCODES

__all__ = ["MOST_LABELS", "MOST_SHEETS", "print_labels", "print_separators"]

MOST_LABELS, MOST_SHEETS = 1000, 50
_DPI = 300
_PAGE = (2480, 3508)
_ACROSS, _DOWN = 3, 8
"""Labels of a page, as on the usual sheets of 24 (70 mm x 37 mm)."""
_BAR_PX = 4
"""Breadth of the narrowest bar of a separator, 0.34 mm: two pixels and more of any film scan."""
_QUIET_MODULES = 10
"""Blank on both sides of Code 128, in narrowest bars (ISO/IEC 15417)."""
_MARGIN = 40
_LONGEST_TEXT = 60


def print_separators(copies: int) -> bytes:
    """Return a PDF of separator sheets; each begins a new jacket where it is scanned.

    Parameters
    ----------
    copies : int
        1 to :data:`MOST_SHEETS`.

    Raises
    ------
    UsageError
        Too many or none.
    """
    if not 1 <= copies <= MOST_SHEETS:
        raise UsageError(f"Print 1 to {MOST_SHEETS} separator sheets at once.")
    page = Image.new("1", _PAGE, 1)
    draw = ImageDraw.Draw(page)
    code = SEPARATOR_BARCODES[0]
    middle = _PAGE[0] // 2
    _centred(draw, (middle, 500), "SEPARATOR SHEET", 150)
    _centred(draw, (middle, 700), "A new jacket begins behind this sheet.", 70)
    # Twice: dirt or a fold over one of them does not hide the sheet.
    for top in (1100, 2300):
        bars = _bars(code, 2 * _BAR_PX, 500)
        page.paste(bars, (middle - bars.width // 2, top))
        _centred(draw, (middle, top + 570), code, 60)
    return _pdf([page] * copies)


def print_labels(labels: Sequence[JacketLabel]) -> bytes:
    """Return a PDF of jackets' barcodes, 24 to a page.

    Raises
    ------
    UsageError
        None or too many, or a name that Code 128 cannot bear or a label has no room for.
    """
    if not 1 <= len(labels) <= MOST_LABELS:
        raise UsageError(f"Print the barcodes of 1 to {MOST_LABELS} jackets at once.")
    each = _ACROSS * _DOWN
    pages = []
    for first in range(0, len(labels), each):
        page = Image.new("1", _PAGE, 1)
        for place, label in enumerate(labels[first : first + each]):
            _label(page, label, place % _ACROSS, place // _ACROSS)
        pages.append(page)
    return _pdf(pages)


def _label(page: Image.Image, label: JacketLabel, column: int, row: int) -> None:
    width, height = _PAGE[0] // _ACROSS, _PAGE[1] // _DOWN
    room = width - 2 * _MARGIN
    bars = next(
        (
            made
            for pixels in range(_BAR_PX, 1, -1)
            if (made := _bars(label.code, pixels, 220)).width <= room
        ),
        None,
    )
    if bars is None:
        raise UsageError(
            f"The barcode of jacket {label.text[:_LONGEST_TEXT]} is too long for a label.",
            remedy="Give the jacket a shorter barcode in the jacket list.",
        )
    middle, top = column * width + width // 2, row * height + 70
    page.paste(bars, (middle - bars.width // 2, top))
    draw = ImageDraw.Draw(page)
    text = label.text[:_LONGEST_TEXT]
    _centred(draw, (middle, top + 270), text, 52, room)
    if label.code != text:
        _centred(draw, (middle, top + 330), label.code, 36, room)


def _bars(content: str, module: int, height: int) -> Image.Image:
    """Return a Code 128 with its quiet zones, each bar a whole number of modules broad."""
    try:
        made = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.Code128)
    except (ValueError, RuntimeError) as error:
        raise UsageError(
            "A barcode of these signs cannot be printed.",
            remedy="Use Latin letters, digits and signs in the jacket's name or barcode.",
        ) from error
    drawn = np.array(
        zxingcpp.write_barcode_to_image(made, scale=1, add_hrt=False, add_quiet_zones=False)
    )
    line = drawn[drawn.shape[0] // 2] > 127
    quiet = np.ones(_QUIET_MODULES, bool)
    wide = np.repeat(np.concatenate([quiet, line, quiet]), module)
    return Image.fromarray(np.tile(wide, (height, 1)))


def _centred(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, room: int = _PAGE[0]
) -> None:
    font = ImageFont.load_default(size)
    wide = draw.textlength(text, font)
    if wide > room:
        font = ImageFont.load_default(max(18, int(size * room / wide)))
    draw.text(at, text, fill=0, font=font, anchor="mm")


def _pdf(pages: Sequence[Image.Image]) -> bytes:
    file = BytesIO()
    pages[0].save(file, "PDF", resolution=_DPI, save_all=True, append_images=list(pages[1:]))
    return file.getvalue()
