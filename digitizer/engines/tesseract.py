"""Tesseract, in this process through tesserocr: the second opinion.

Its library comes inside the wheel, its language models with Debian's tesseract-ocr. Loaded once a
process it reads a page in a sixth of the time that starting the program takes.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitizer.engines.lines import PageLine, PageReader
from digitizer.engines.tesseract_program import TesseractProgram
from digitizer.errors import MissingService
from digitizer.model.reading import Doubt

__all__ = ["Tesseract", "page_reader"]

_TIMEOUT_MS = 30_000
_DPI = 300
_FOLDERS = (
    "/usr/share/tesseract-ocr/*/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
_LEAST_DIGITS = 4
"""Fewer make no number whose characters are worth asking for."""
_TOLD, _WORTH_TELLING = 4, 0.1
_SETUP = "Run scripts/setup, or install the package tesseract-ocr-{package}."

# One thread: its own four gain nothing on a page this small and fight over the cores.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")


def page_reader(language: str, *, program: bool = False) -> PageReader:
    """Return Tesseract's library, or its program: where asked for, or where no library is there."""
    if program or find_spec("tesserocr") is None:
        return TesseractProgram(language)
    return Tesseract(language)


class Tesseract:
    """Reads a page of upright dark text line by line."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._api: Any = None

    def version(self) -> str:
        """Return the library's version.

        Raises
        ------
        MissingService
            A language's model is not installed.
        """
        import tesserocr

        _models(self._language)
        return str(tesserocr.tesseract_version()).split()[1]

    def read(self, page: NDArray[np.uint8]) -> list[PageLine]:
        """Return the lines of a page from top to bottom; none when it ran out of its time.

        Raises
        ------
        MissingService
            A language's model is not installed.
        """
        api = self._loaded()
        api.SetImage(Image.fromarray(page))
        api.SetSourceResolution(_DPI)
        try:
            # A witness fewer is better than no reading.
            return list(_lines(api)) if api.Recognize(_TIMEOUT_MS) else []
        finally:
            api.Clear()

    def _loaded(self) -> Any:
        if self._api is None:
            # Here, not above: commands that read nothing do without.
            import tesserocr

            self._api = tesserocr.PyTessBaseAPI(
                path=f"{_models(self._language)}/",
                lang=self._language,
                psm=tesserocr.PSM.SINGLE_BLOCK,
                oem=tesserocr.OEM.LSTM_ONLY,
            )
            # Alternatives of each character.
            self._api.SetVariable("lstm_choice_mode", "2")
        return self._api


def _models(language: str) -> Path:
    """Return the folder that holds the models of all languages joined by ``+``."""
    set_by_user = os.environ.get("TESSDATA_PREFIX")
    folders = [Path(set_by_user)] if set_by_user else []
    folders += [found for one in _FOLDERS for found in sorted(Path("/").glob(one[1:]))]
    wanted = language.split("+")
    for folder in folders:
        if all((folder / f"{one}.traineddata").is_file() for one in wanted):
            return folder
    raise MissingService(
        f"Tesseract's model of the language {language} is not installed.",
        remedy=_SETUP.format(package=wanted[-1]),
    )


def _lines(api: Any) -> Iterator[PageLine]:
    import tesserocr

    level = tesserocr.RIL.TEXTLINE
    found = api.GetIterator()
    if found is None:
        return
    for line in tesserocr.iterate_level(found, level):
        if line.Empty(level):
            continue
        text = str(line.GetUTF8Text(level)).strip()
        _, top, _, bottom = line.BoundingBox(level)
        if text:
            score = max(0.0, float(line.Confidence(level)) / 100)
            yield PageLine(text, score, (top + bottom) / 2, _doubts(line, text))


def _doubts(line: Any, text: str) -> tuple[Doubt, ...]:
    """Return the characters of a line that may be others; lines without a number have none."""
    import tesserocr

    if sum(sign.isdigit() for sign in text) < _LEAST_DIGITS:
        return ()
    level, end = tesserocr.RIL.SYMBOL, tesserocr.RIL.TEXTLINE
    found: list[Doubt] = []
    at = 0
    while True:
        sign = str(line.GetUTF8Text(level))
        place = text.find(sign, at)
        if not sign or place < 0:
            break
        at = place + len(sign)
        choices = line.GetChoiceIterator() if len(sign) == 1 else ()
        doubt = _doubt(place, [(one.GetUTF8Text(), float(one.Confidence())) for one in choices])
        if doubt is not None:
            found.append(doubt)
        if line.IsAtFinalElement(end, level) or not line.Next(level):
            break
    return tuple(found)


def _doubt(at: int, told: list[tuple[str, float]]) -> Doubt | None:
    """Return the alternatives of a character with their chances.

    Tesseract tells 100 + 5 times a certainty, which is seven times the logarithm of a chance.
    """
    chances = {sign: exp((score - 100) / 35) for sign, score in told if score > 0 and sign.strip()}
    total = sum(chances.values())
    order = sorted(chances, key=lambda one: -chances[one])[:_TOLD]
    signs = [(one, round(chances[one] / total, 3)) for one in order]
    signs = [one for one in signs if one[1] >= _WORTH_TELLING]
    return Doubt(at, tuple(signs)) if len(signs) > 1 else None
