"""Where text may stand on a film: places full of short, thin, strong strokes."""

import cv2
import numpy as np

from digitizer.model.raster import Pixels

__all__ = ["text_regions"]

_LONGEST = 1500
_STROKE = 9
"""Letters' strokes are thinner than this on the reduced picture; bones and tubes are wider."""


def text_regions(picture: Pixels, most: int) -> list[tuple[int, int, int, int]]:
    """Return boxes (x0, y0, x1, y1) that may hold text, the most promising first.

    Both bright letters on dark (flashed) and dark on bright (stickers) count: strokes are what a
    white or black top-hat of 9 pixels leaves. A box is a cluster of strokes, grown by half.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
    most : int
        Boxes at the most.
    """
    scale = min(1.0, _LONGEST / max(picture.shape))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top = max(float(np.quantile(small, 0.995)), 1.0)
    tone = (np.sqrt(np.minimum(small.astype(np.float32) / top, 1)) * 255).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_STROKE, _STROKE))
    strokes = cv2.max(
        cv2.morphologyEx(tone, cv2.MORPH_TOPHAT, kernel),
        cv2.morphologyEx(tone, cv2.MORPH_BLACKHAT, kernel),
    )
    floor = max(14.0, float(np.quantile(strokes, 0.90)))
    strong = (strokes > floor).astype(np.uint8)
    density = cv2.boxFilter(strong.astype(np.float32), -1, (25, 17))
    density = cv2.max(density, cv2.boxFilter(strong.astype(np.float32), -1, (17, 25)))
    dense = (density > 0.22).astype(np.uint8)
    dense = cv2.morphologyEx(dense, cv2.MORPH_CLOSE, np.ones((21, 21), np.uint8))  # type: ignore[assignment]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dense)
    energy = np.bincount(labels.ravel(), weights=(strokes * strong).ravel(), minlength=count)
    found: list[tuple[float, tuple[int, int, int, int]]] = []
    for one in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[one])
        if min(width, height) < 10 or max(width, height) < 30 or area > 0.25 * dense.size:
            continue
        grow = 14
        box = (x - grow, y - grow, x + width + grow, y + height + grow)
        # Strokes a pixel: text is strong and dense, lung vessels are neither.
        found.append((float(energy[one]) / np.sqrt(area), _inside(box, scale, picture.shape)))
    return [box for _, box in sorted(found, reverse=True)[:most]]


def _inside(
    box: tuple[int, int, int, int], scale: float, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    rows, columns = shape[:2]
    x0, y0, x1, y1 = (round(value / scale) for value in box)
    return max(0, x0), max(0, y0), min(columns, x1), min(rows, y1)
