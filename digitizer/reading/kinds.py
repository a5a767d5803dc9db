"""What a sheet of paper is, by its words: label, document or separator."""

import re

from digitizer.model.film import ScanKind
from digitizer.model.reading import Reading

__all__ = ["SEPARATOR_BARCODES", "kind_of"]

SEPARATOR_BARCODES = ("DIGITIZER-SEPARATOR", "PATCHT", "PATCH T", "SEPARATOR")
"""Texts of barcodes that mark a separator sheet."""

_PROSE_WORDS = 45
"""A label bears a name, a number and a log of exams; sentences make a document."""
_HEADINGS = re.compile(
    r"\b(REPORT|FINDINGS|IMPRESSION|REQUISITION|CLINICAL HISTORY|DEAR|REFERRED|EXAMINATION OF)\b"
)


def kind_of(reading: Reading, picture: ScanKind | None) -> ScanKind | None:
    """Tell paper apart by its text; None when there is none to tell by.

    Parameters
    ----------
    reading : Reading
    picture : ScanKind or None
        What the picture alone suggests.
    """
    codes = [code.text.strip().upper() for code in reading.barcodes]
    if any(code.startswith(SEPARATOR_BARCODES) for code in codes):
        return ScanKind.SEPARATOR
    by_engine: dict[str, list[str]] = {}
    for line in reading.lines:
        by_engine.setdefault(line.engine, []).append(line.text.upper())
    if not by_engine:
        return ScanKind.LABEL if codes else picture
    texts = [" ".join(lines) for lines in by_engine.values()]
    if any(re.search(r"\bSEPARATOR SHEET\b", text) for text in texts):
        return ScanKind.SEPARATOR
    words = max(len(re.findall(r"[A-Z]{3,}", text)) for text in texts)
    if words >= _PROSE_WORDS or (words >= 25 and any(_HEADINGS.search(text) for text in texts)):
        return ScanKind.DOCUMENT
    return ScanKind.LABEL
