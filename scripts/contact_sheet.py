"""A contact sheet of drawn films: each scan as it came, and beside it what is filed.

Look at it after every change to digitizer/film: most mistakes are seen in seconds.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film import find_sheets, render
from digitizer.film.tone import preview
from digitizer.rehearsal.population import draw_scan

CELL, GAP = 300, 6
SHADE = 60
"""Grey of the sheet between the pictures: no film is that even."""

Bytes = NDArray[np.uint8]


def framed(picture: Bytes) -> Bytes:
    """Return the picture in the middle of a square cell."""
    scale = CELL / max(picture.shape)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cell = np.full((CELL + GAP, CELL + GAP), SHADE, np.uint8)
    top, left = ((CELL + GAP - side) // 2 for side in small.shape)
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell


def before_and_after(seed: tuple[int, ...]) -> Bytes:
    """Return a drawn scan and its first film as captured, side by side."""
    scan = draw_scan(seed, dpi=75.0)
    before = preview(scan.raster.pixels, scan.raster.polarity, longest=CELL)
    captured = render(scan.raster, find_sheets(scan.raster).sheets[0])
    after = preview(captured.pixels, captured.polarity, shown=captured.window, longest=CELL)
    return np.hstack([framed(before), framed(after)])


def main() -> int:
    """Draw the sheet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="picture to write (.png or .jpg)")
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument("--seed", type=int, default=21)
    given = parser.parse_args()
    rows = [
        np.hstack([
            before_and_after((given.seed, row * given.columns + column))
            for column in range(given.columns)
        ])
        for row in range(given.rows)
    ]  # fmt: skip
    cv2.imwrite(str(given.out), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 82])
    return 0


if __name__ == "__main__":
    sys.exit(main())
