"""Tesseract, through pytesseract: the second opinion."""

import numpy as np
import pytesseract
from numpy.typing import NDArray
from PIL import Image

from digitizer.errors import MissingService

__all__ = ["Tesseract"]

_PAGE = "--oem 1 --psm 6"
_TIMEOUT_S = 30


class Tesseract:
    """Reads an upright block of text line by line."""

    name = "tesseract"

    def __init__(self, language: str) -> None:
        self._language = language

    def version(self) -> str:
        """Return the program's version; raises :class:`~digitizer.errors.MissingService`."""
        try:
            return str(pytesseract.get_tesseract_version())
        except pytesseract.TesseractNotFoundError as error:
            raise MissingService(
                "The program tesseract is not installed.", remedy="Run scripts/setup."
            ) from error

    def read(self, block: NDArray[np.uint8]) -> list[tuple[str, float, tuple[int, int, int, int]]]:
        """Return (text, score 0 to 1, box x0 y0 x1 y1) of each line, top to bottom."""
        try:
            data = pytesseract.image_to_data(
                Image.fromarray(block),
                lang=self._language,
                config=_PAGE,
                output_type=pytesseract.Output.DICT,
                timeout=_TIMEOUT_S,
            )
        except pytesseract.TesseractNotFoundError as error:
            raise MissingService(
                "The program tesseract is not installed.", remedy="Run scripts/setup."
            ) from error
        except RuntimeError:
            # It ran out of its time on this block: no witness is better than none ending.
            return []
        lines: dict[tuple[int, int, int], list[int]] = {}
        for number, text in enumerate(data["text"]):
            if text.strip():
                key = (data["block_num"][number], data["par_num"][number], data["line_num"][number])
                lines.setdefault(key, []).append(number)
        return [_line(data, words) for words in lines.values()]


def _line(
    data: dict[str, list[int]], words: list[int]
) -> tuple[str, float, tuple[int, int, int, int]]:
    text = " ".join(str(data["text"][word]).strip() for word in words)
    score = sum(float(data["conf"][word]) for word in words) / len(words) / 100
    x0 = min(data["left"][word] for word in words)
    y0 = min(data["top"][word] for word in words)
    x1 = max(data["left"][word] + data["width"][word] for word in words)
    y1 = max(data["top"][word] + data["height"][word] for word in words)
    return text, max(0.0, score), (x0, y0, x1, y1)
