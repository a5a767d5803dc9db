"""Reading a whole sheet: where text stands, which way it runs, and what two engines make of it."""

import re
from dataclasses import dataclass
from importlib import metadata

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.engines.barcodes import read_barcodes
from digitizer.engines.rapid import Rapid
from digitizer.engines.settings import EngineSettings
from digitizer.engines.tesseract import Tesseract
from digitizer.model.raster import Pixels
from digitizer.model.reading import Barcode, Line, Reading
from digitizer.model.units import Point
from digitizer.reading import text_regions

__all__ = ["EngineSheetReader"]

Grey = NDArray[np.uint8]
Way = tuple[int, bool]

_SURE = 0.55
"""Mean score of a right reading lies well above this, of a turned or mirrored one below."""
_TALL = 1.5
_LETTER_PX = 32.0
"""Height to which small lines are enlarged; both engines were trained on letters of that size."""
_PLAUSIBLE = re.compile(
    r"\d{2}[/.\-]\d{2}[/.\-]\d{2}|\d{5,}|\b(?:NAME|DOB|BORN|MRN|SEX|CHEST|HOSPITAL|DATE|EXAM|ID)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a picture turned so that its text may run upright, and the way back."""

    pixels: Grey
    back: NDArray[np.float64]
    way: Way

    def box(self, points: NDArray[np.float64]) -> tuple[Point, Point, Point, Point]:
        moved = points @ self.back[:, :2].T + self.back[:, 2]
        a, b, c, d = (Point(float(x), float(y)) for x, y in moved)
        return a, b, c, d


class EngineSheetReader:
    """Implements :class:`digitizer.ports.SheetReader` with RapidOCR, Tesseract and ZXing."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self._settings = settings or EngineSettings()
        self._rapid: Rapid | None = None
        self._tesseract = Tesseract(self._settings.tesseract_language)

    @property
    def versions(self) -> dict[str, str]:
        """Engine names and versions."""
        found = {name: metadata.version(name) for name in ("rapidocr", "zxing-cpp")}
        if self._settings.tesseract:
            found["tesseract"] = self._tesseract.version()
        return found

    @property
    def rapid(self) -> Rapid:
        """The engine of this process, loaded when first used (a fork must not share it)."""
        if self._rapid is None:
            self._rapid = Rapid()
        return self._rapid

    def read_label(self, picture: Pixels) -> Reading:
        """Read a label or document; paper is never mirrored."""
        grey = _stretched(_grey(picture))
        lines = self._read_piece(grey, Point(0, 0), mirror=False)
        return Reading(lines=tuple(lines), barcodes=read_barcodes(grey))

    def read_film(self, picture: Pixels) -> Reading:
        """Read the places of a film that may bear text, each in the way it reads best."""
        grey = _grey(picture)
        lines: list[Line] = []
        barcodes: list[Barcode] = []
        for x0, y0, x1, y1 in text_regions(grey, self._settings.film_regions):
            piece = _stretched(grey[y0:y1, x0:x1])
            lines += self._read_piece(piece, Point(x0, y0), mirror=True)
            barcodes += read_barcodes(piece, Point(x0, y0))
        return Reading(lines=tuple(lines), barcodes=tuple(dict.fromkeys(barcodes)))

    def _read_piece(self, piece: Grey, offset: Point, *, mirror: bool) -> list[Line]:
        """Find lines, tell which way they run, read them with both engines."""
        boxes = self.rapid.find(piece)
        if len(boxes) == 0:
            return []
        way = self._way(piece, boxes, mirror=mirror)
        if way is None:
            return []
        upright = _turned(piece, offset, way)
        boxes = self.rapid.find(upright.pixels) if way != (0, False) else boxes
        lines: list[Line] = []
        for box in sorted(boxes, key=lambda one: (round(float(one[:, 1].mean()) / 12), one[0, 0])):
            text, score = self.rapid.read(_cut(upright.pixels, box))
            if text.strip():
                lines.append(_line(text, score, upright, box.astype(float), Rapid.name))
        if self._settings.tesseract and lines:
            lines += self._second_opinion(upright, boxes)
        return lines

    def _way(self, piece: Grey, boxes: NDArray[np.float32], *, mirror: bool) -> Way | None:
        """Tell how the text of a piece is turned and mirrored; None when nothing reads."""
        widths = np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1)
        heights = np.linalg.norm(boxes[:, 3] - boxes[:, 0], axis=1)
        tall = widths.sum() < heights.sum() / _TALL
        turns = (90, 270) if tall else (0, 180)
        scores = {
            (turn, flipped): self._score(_turned(piece, Point(0, 0), (turn, flipped)))
            for turn in turns
            for flipped in ((False, True) if mirror else (False,))
        }
        best = max(scores, key=lambda one: scores[one])
        return best if scores[best] > _SURE else None

    def _score(self, candidate: _Piece) -> float:
        """Read the longest lines of a candidate; return the mean score, more where it makes sense."""
        boxes = self.rapid.find(candidate.pixels)
        if len(boxes) == 0:
            return 0.0
        widths = np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1)
        total = weight = 0.0
        for number in np.argsort(-widths)[:3]:
            text, score = self.rapid.read(_cut(candidate.pixels, boxes[number]))
            letters = float(len(text.strip()))
            total += letters * (score + (0.15 if _PLAUSIBLE.search(text) else 0.0))
            weight += letters
        return total / weight if weight else 0.0

    def _second_opinion(self, upright: _Piece, boxes: NDArray[np.float32]) -> list[Line]:
        x0, y0 = np.maximum(boxes.reshape(-1, 2).min(axis=0).astype(int) - 12, 0)
        x1, y1 = boxes.reshape(-1, 2).max(axis=0).astype(int) + 12
        block = upright.pixels[y0:y1, x0:x1]
        height = float(np.median(np.linalg.norm(boxes[:, 3] - boxes[:, 0], axis=1)))
        scale = min(4.0, max(0.5, _LETTER_PX / max(height, 1.0)))
        block = cv2.resize(block, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)  # type: ignore[assignment]
        if np.median(block) < 110:
            # Tesseract was trained on dark letters.
            block = 255 - block
        found = []
        for text, score, (left, top, right, bottom) in self._tesseract.read(block):
            corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
            found.append(
                _line(text, score, upright, corners / scale + (x0, y0), Tesseract.name)
            )
        return found


def _line(
    text: str, score: float, piece: _Piece, box: NDArray[np.float64], engine: str
) -> Line:
    return Line(
        text=text.strip(),
        confidence=float(np.clip(score, 0, 1)),
        box=piece.box(box),
        engine=engine,
        turn_deg=piece.way[0],
        mirrored=piece.way[1],
    )


def _grey(picture: Pixels) -> Pixels:
    if picture.ndim == 3:
        return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)  # type: ignore[return-value]
    return picture


def _stretched(piece: Pixels) -> Grey:
    """Stretch between percentiles: hard thresholds lose faint letters."""
    low, high = np.quantile(piece[::2, ::2], (0.005, 0.995))
    span = max(float(high - low), 1.0)
    return np.clip((piece.astype(np.float32) - low) * (255.0 / span), 0, 255).astype(np.uint8)


def _turned(piece: Grey, offset: Point, way: Way) -> _Piece:
    """Return the piece turned clockwise by the text's turn, and mirrored where the text is.

    ``back`` maps its points to the picture the piece was cut from.
    """
    turn, mirrored = way
    rows, columns = piece.shape
    pixels = np.rot90(piece, -turn // 90)
    # Clockwise by 90: a point (x, y) of the result came from (y, rows - x), and so on.
    back = {
        0: [[1, 0, 0], [0, 1, 0]],
        90: [[0, 1, 0], [-1, 0, rows]],
        180: [[-1, 0, columns], [0, -1, rows]],
        270: [[0, -1, columns], [1, 0, 0]],
    }[turn]
    matrix = np.array(back, dtype=np.float64)
    if mirrored:
        width = pixels.shape[1]
        pixels = pixels[:, ::-1]
        flip = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]], dtype=np.float64)
        matrix = matrix @ flip
    matrix[:, 2] += offset
    return _Piece(np.ascontiguousarray(pixels), matrix, way)


def _cut(picture: Grey, box: NDArray[np.float32]) -> Grey:
    """Cut a line out along its box, a little more than it, upright."""
    tl, tr, _, bl = box.astype(np.float64)
    width, height = np.linalg.norm(tr - tl), np.linalg.norm(bl - tl)
    if width < 2 or height < 2:
        return np.full((8, 8), 255, np.uint8)
    right, down = (tr - tl) / width, (bl - tl) / height
    pad = 0.12 * height
    scale = max(1.0, _LETTER_PX * 1.5 / (height + 2 * pad))
    matrix = np.column_stack([right / scale, down / scale, tl - (right + down) * pad])
    size = (int((width + 2 * pad) * scale) + 1, int((height + 2 * pad) * scale) + 1)
    return cv2.warpAffine(  # type: ignore[return-value]
        picture,
        matrix,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
