"""Pixels of one page of a scan, as stored in the file."""

from dataclasses import dataclass
from enum import StrEnum, unique

import numpy as np
from numpy.typing import NDArray

from digitizer.model.units import Dpi, Size

__all__ = ["Pixels", "Polarity", "Raster"]


Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@unique
class Polarity(StrEnum):
    """What the smallest sample means (PS3.3 C.7.6.3.1.2)."""

    MONOCHROME1 = "MONOCHROME1"
    """White: TIFF WhiteIsZero."""
    MONOCHROME2 = "MONOCHROME2"
    """Black: TIFF BlackIsZero. On film scans: transparent film gives high values."""
    RGB = "RGB"
    """Colour, three samples a pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """One page of a scan, untouched.

    Attributes
    ----------
    pixels : ndarray of uint8 or uint16, shape (rows, columns) or (rows, columns, 3)
        Samples as stored; read-only.
    bits : int
        Significant bits of a sample (12 for 12-in-16).
    polarity : Polarity
        What the smallest sample means.
    dpi : Dpi or None
        Resolution told by the file; None when it tells none.
    page : int
        Page in the file, from 0.
    orientation : int
        TIFF/EXIF Orientation tag; reported, never applied.
    """

    pixels: Pixels
    bits: int
    polarity: Polarity
    dpi: Dpi | None = None
    page: int = 0
    orientation: int = 1

    def __post_init__(self) -> None:
        self.pixels.setflags(write=False)

    @property
    def size(self) -> Size:
        """Rows and columns."""
        return Size(int(self.pixels.shape[0]), int(self.pixels.shape[1]))

    @property
    def is_colour(self) -> bool:
        """Whether a pixel has three samples."""
        return self.pixels.ndim == 3
