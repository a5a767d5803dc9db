"""What a page reader returns."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from digitizer.model.reading import Doubt

__all__ = ["TESSERACT", "PageLine", "PageReader"]

TESSERACT = "tesseract"
"""Name of Tesseract as a witness, however it runs."""


@dataclass(frozen=True, slots=True)
class PageLine:
    """One line: its text, the mean score of its words from 0 to 1, its middle row on the page.

    ``doubts`` are the characters that may be others, where the reader tells them.
    """

    text: str
    score: float
    row: float
    doubts: tuple[Doubt, ...] = ()


class PageReader(Protocol):
    """Reads a page of upright dark text line by line."""

    def version(self) -> str:
        """Return the engine's version."""
        ...

    def read(self, page: NDArray[np.uint8]) -> list[PageLine]:
        """Return the lines of a page from top to bottom; none when it ran out of its time."""
        ...
