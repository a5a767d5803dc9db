"""Readings in, fields out: grammars, vocabulary, and what a sheet is by its words."""

from digitizer.reading.corrected import CORRECTABLE, amended, typed
from digitizer.reading.fields import parse, parse_lines, testimony, testimony_of_lines
from digitizer.reading.kinds import SEPARATOR_BARCODES, kind_of
from digitizer.reading.levels import levels
from digitizer.reading.regions import Region, around, evened, log_tone, text_regions
from digitizer.reading.rules import GrammarSettings, ReadingRules, Vocabulary
from digitizer.reading.strokes import stroked_parts

__all__ = [
    "CORRECTABLE",
    "SEPARATOR_BARCODES",
    "GrammarSettings",
    "ReadingRules",
    "Region",
    "Vocabulary",
    "amended",
    "around",
    "evened",
    "kind_of",
    "levels",
    "log_tone",
    "parse",
    "parse_lines",
    "stroked_parts",
    "testimony",
    "testimony_of_lines",
    "text_regions",
    "typed",
]
