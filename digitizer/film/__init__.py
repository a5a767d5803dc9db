"""Arrays in, findings and geometry out: sheets, skew, orientation, rendering, quality."""

from digitizer.film.anatomy import turn_of_chest
from digitizer.film.fingerprint import fingerprint, fingerprint_distance, fingerprint_views
from digitizer.film.geometry import orient
from digitizer.film.orientation import (
    OrientationWitness,
    decide_orientation,
    witnesses_of_reading,
)
from digitizer.film.pictures import ReadingPicture, paper_picture, reading_picture, text_crops
from digitizer.film.quality import NO_QUALITY, quality
from digitizer.film.rendering import render
from digitizer.film.sheet import SheetSearch, find_sheets
from digitizer.film.tone import window

__all__ = [
    "NO_QUALITY",
    "OrientationWitness",
    "ReadingPicture",
    "SheetSearch",
    "decide_orientation",
    "find_sheets",
    "fingerprint",
    "fingerprint_distance",
    "fingerprint_views",
    "orient",
    "paper_picture",
    "quality",
    "reading_picture",
    "render",
    "text_crops",
    "turn_of_chest",
    "window",
    "witnesses_of_reading",
]
