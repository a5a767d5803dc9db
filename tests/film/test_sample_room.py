"""The films of the sample room: on no bed and in no size is any of them cut away."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from digitizer.film import find_sheets
from digitizer.film.rendering import grid_of
from digitizer.scan.decoding import FileDecoder

ROOM = Path(__file__).parents[2] / "samples" / "room"
MARGIN_PX = 2.0
FILMS = [
    (scan["source"], film)
    for scan in json.loads((ROOM / "truth.json").read_text())["scans"]
    for film in scan["films"]
    if scan["kind"] == "film" and len(scan["films"]) == 1
]


@pytest.mark.parametrize(("source", "film"), FILMS, ids=[source for source, _ in FILMS])
def test_no_film_is_cut_away(source: str, film: dict[str, Any]) -> None:
    """Every corner of it that lies in the frame lies in the capture."""
    raster = FileDecoder().decode(ROOM / "scans" / source, film["page"])
    (sheet,) = find_sheets(raster).sheets
    rows, columns = raster.pixels.shape[:2]
    shown = np.clip(np.array(film["corners"]), [0, 0], [columns, rows])
    grid = grid_of(sheet, raster.dpi, margin=MARGIN_PX)
    back = cv2.invertAffineTransform(grid.matrix)
    x, y = back[:, :2] @ (shown - 0.5).T + back[:, 2:]
    assert (x >= -MARGIN_PX).all()
    assert (y >= -MARGIN_PX).all()
    assert (x <= grid.columns - 1 + MARGIN_PX).all()
    assert (y <= grid.rows - 1 + MARGIN_PX).all()
