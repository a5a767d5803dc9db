"""Barcodes, by ZXing-C++."""

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from digitizer.model.reading import Barcode
from digitizer.model.units import Point

__all__ = ["read_barcodes"]

_MOST = 20
_LONGEST_TEXT = 512
_ORIGIN = Point(0, 0)


def read_barcodes(picture: NDArray[np.uint8], offset: Point = _ORIGIN) -> tuple[Barcode, ...]:
    """Return the barcodes of a grey picture, boxes moved by ``offset``; at most twenty."""
    found: dict[tuple[str, str], Barcode] = {}
    for one in zxingcpp.read_barcodes(np.ascontiguousarray(picture))[:_MOST]:
        place = one.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        a, b, c, d = (Point(offset.x + corner.x, offset.y + corner.y) for corner in corners)
        text = one.text[:_LONGEST_TEXT]
        if text:
            kind = str(one.format).removeprefix("BarcodeFormat.")
            found.setdefault((text, kind), Barcode(text=text, format=kind, box=(a, b, c, d)))
    return tuple(found.values())
