"""Tesseract as a program of its own, through pytesseract: where its library does not load."""

import os

import numpy as np
import pytesseract
from numpy.typing import NDArray
from PIL import Image

from digitizer.engines.lines import PageLine
from digitizer.errors import MissingService

__all__ = ["TesseractProgram"]

_PAGE = "--oem 1 --psm 6 --dpi 300"
_TIMEOUT_S = 30
_SETUP = "Run scripts/setup, or install the package tesseract-ocr."

# One thread: its own four gain nothing on a page this small and fight over the cores.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")


class TesseractProgram:
    """Reads a page of upright dark text line by line, starting the program for each page."""

    def __init__(self, language: str) -> None:
        self._language = language

    def version(self) -> str:
        """Return the program's version.

        Raises
        ------
        MissingService
            The program is not installed.
        """
        try:
            return str(pytesseract.get_tesseract_version())
        except pytesseract.TesseractNotFoundError as error:
            raise MissingService(
                "The program tesseract is not installed.", remedy=_SETUP
            ) from error

    def read(self, page: NDArray[np.uint8]) -> list[PageLine]:
        """Return the lines of a page from top to bottom; none when it ran out of its time.

        Raises
        ------
        MissingService
            The program or its language is not installed.
        """
        try:
            data = pytesseract.image_to_data(
                Image.fromarray(page),
                lang=self._language,
                config=_PAGE,
                output_type=pytesseract.Output.DICT,
                timeout=_TIMEOUT_S,
            )
        except pytesseract.TesseractNotFoundError as error:
            raise MissingService(
                "The program tesseract is not installed.", remedy=_SETUP
            ) from error
        except pytesseract.TesseractError as error:
            raise MissingService(
                f"The program tesseract could not read in {self._language}.", remedy=_SETUP
            ) from error
        except RuntimeError:
            # pytesseract's word for a time-out: a witness fewer is better than no reading.
            return []
        lines: dict[tuple[int, int, int], list[int]] = {}
        for number, text in enumerate(data["text"]):
            if text.strip():
                key = (data["block_num"][number], data["par_num"][number], data["line_num"][number])
                lines.setdefault(key, []).append(number)
        return [_line(data, words) for words in lines.values()]


def _line(data: dict[str, list[int]], words: list[int]) -> PageLine:
    text = " ".join(str(data["text"][word]).strip() for word in words)
    score = sum(float(data["conf"][word]) for word in words) / len(words) / 100
    top = min(data["top"][word] for word in words)
    bottom = max(data["top"][word] + data["height"][word] for word in words)
    return PageLine(text, max(0.0, score), (top + bottom) / 2)
