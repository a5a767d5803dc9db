"""Arrays in, findings and geometry out: sheets, skew, orientation, rendering, quality."""

from digitizer.film.anatomy import turn_of_chest
from digitizer.film.by_hand import as_laid, as_scanned, by_hand, moved_px, turned_by
from digitizer.film.covered import is_covered
from digitizer.film.cutting import Tile, cut_tiles, tiles_as_viewed
from digitizer.film.density import (
    UnfitSteps,
    drift,
    fit_curve,
    in_density,
    step_results,
    uniformity,
    usable_range,
)
from digitizer.film.fingerprint import fingerprint, fingerprint_distance, fingerprint_views
from digitizer.film.geometry import orient
from digitizer.film.orientation import (
    OrientationWitness,
    decide_orientation,
    witnesses_of_reading,
)
from digitizer.film.pictures import ReadingPicture, paper_picture, reading_picture, text_crops
from digitizer.film.quality import (
    NO_QUALITY,
    covered,
    edge_unsure,
    finer_for,
    quality,
    two_in_one,
)
from digitizer.film.rendering import render
from digitizer.film.settings import USUAL, QualitySettings
from digitizer.film.sheet import SheetSearch, find_sheets
from digitizer.film.tablet import find_steps
from digitizer.film.tiles import find_tiles
from digitizer.film.tone import window

__all__ = [
    "NO_QUALITY",
    "USUAL",
    "OrientationWitness",
    "QualitySettings",
    "ReadingPicture",
    "SheetSearch",
    "Tile",
    "UnfitSteps",
    "as_laid",
    "as_scanned",
    "by_hand",
    "covered",
    "cut_tiles",
    "decide_orientation",
    "drift",
    "edge_unsure",
    "find_sheets",
    "find_steps",
    "find_tiles",
    "finer_for",
    "fingerprint",
    "fingerprint_distance",
    "fingerprint_views",
    "fit_curve",
    "in_density",
    "is_covered",
    "moved_px",
    "orient",
    "paper_picture",
    "quality",
    "reading_picture",
    "render",
    "step_results",
    "text_crops",
    "tiles_as_viewed",
    "turn_of_chest",
    "turned_by",
    "two_in_one",
    "uniformity",
    "usable_range",
    "window",
    "witnesses_of_reading",
]
