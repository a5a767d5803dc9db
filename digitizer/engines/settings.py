"""Settings of the engines."""

from dataclasses import dataclass

__all__ = ["EngineSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Which engines read, and how much of a film they look at."""

    tesseract: bool = True
    """Read with Tesseract beside RapidOCR; two witnesses are worth more than two scores."""
    tesseract_program: bool = False
    """Start Tesseract's program for each page (pytesseract) instead of its library: six times
    slower, but a picture that crashes it crashes no worker."""
    tesseract_language: str = "eng"
    """Languages of Tesseract, joined by +."""
    film_regions: int = 5
    """Most places of a film that are looked at for text."""
