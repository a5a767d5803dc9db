"""Lines of text as coverage masks, in the faces found on films and jackets."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitizer.errors import MissingService

__all__ = ["FACES", "HANDS", "Face", "handwritten", "line", "lines", "sign_of_line"]

Mask = NDArray[np.float32]

_FOLDERS = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts").expanduser(),
    Path("~/.fonts").expanduser(),
)


@dataclass(frozen=True, slots=True)
class Face:
    """A type face: its file, the Debian package that brings it, its cap height per em."""

    file: str
    package: str
    cap: float


FACES: dict[str, Face] = {
    "typewriter": Face("GNUTypewriter.ttf", "fonts-gnutypewriter", 0.58),
    "mono": Face("LiberationMono-Regular.ttf", "fonts-liberation", 0.66),
    "mono-bold": Face("LiberationMono-Bold.ttf", "fonts-liberation", 0.66),
    "sans": Face("LiberationSans-Regular.ttf", "fonts-liberation", 0.69),
    "sans-bold": Face("LiberationSans-Bold.ttf", "fonts-liberation", 0.69),
    "narrow": Face("LiberationSansNarrow-Bold.ttf", "fonts-liberation", 0.69),
    "serif": Face("LiberationSerif-Regular.ttf", "fonts-liberation", 0.66),
    "printer": Face("DejaVuSansMono.ttf", "fonts-dejavu-core", 0.73),
    "printer-bold": Face("DejaVuSansMono-Bold.ttf", "fonts-dejavu-core", 0.73),
    "lead": Face("DejaVuSans-Bold.ttf", "fonts-dejavu-core", 0.73),
    "hand-plain": Face("Breip.ttf", "fonts-breip", 0.60),
    "hand-quick": Face("dkg.ttf", "fonts-dkg-handwriting", 0.60),
    "hand-leaning": Face("dkgIt.ttf", "fonts-dkg-handwriting", 0.60),
}
"""The faces by use; all free and in Debian."""

HANDS: tuple[str, ...] = ("hand-plain", "hand-quick", "hand-leaning")


@lru_cache(maxsize=1)
def _installed() -> dict[str, Path]:
    return {
        path.name: path
        for folder in _FOLDERS
        if folder.is_dir()
        for path in sorted(folder.rglob("*.ttf"))
    }


@lru_cache(maxsize=64)
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    wanted = FACES[face]
    path = _installed().get(wanted.file)
    if path is None:
        raise MissingService(
            f"The type face {wanted.file} is not installed.",
            remedy=f"Install it: apt-get install {wanted.package}",
        )
    return ImageFont.truetype(str(path), size)


def line(text: str, face: str, cap_px: float) -> Mask:
    """Draw one line of text.

    Parameters
    ----------
    text : str
        What to write.
    face : str
        A key of :data:`FACES`.
    cap_px : float
        Height of the capitals in pixels.

    Returns
    -------
    float32, shape (rows, columns)
        Coverage by ink, 0 to 1, close about the text with one pixel to spare.

    Raises
    ------
    MissingService
        The face is not installed.
    """
    canvas, place, font = _canvas(text, face, cap_px)
    ImageDraw.Draw(canvas).text(place, text, fill=255, font=font, anchor="ls")
    return np.asarray(canvas, dtype=np.float32) / 255.0


def sign_of_line(
    text: str, at: int, sign: str, face: str, cap_px: float, room_px: int
) -> tuple[Mask, int]:
    """Draw one sign alone, where the sign number ``at`` of a line stands that :func:`line` draws.

    Returns
    -------
    float32, shape (rows, columns)
        As high as the line's mask, with so much room on either side of the place.
    int
        Its first column on the line's mask; negative before its beginning.
    """
    canvas, (left, baseline), font = _canvas(text, face, cap_px)
    place = left + font.getlength(text[:at])
    first = int(place) - room_px
    wide = int(font.getlength(text[at])) + 2 * room_px
    piece = Image.new("L", (wide, canvas.height), 0)
    ImageDraw.Draw(piece).text((place - first, baseline), sign, fill=255, font=font, anchor="ls")
    return np.asarray(piece, dtype=np.float32) / 255.0, first


def _canvas(
    text: str, face: str, cap_px: float
) -> tuple[Image.Image, tuple[float, float], ImageFont.FreeTypeFont]:
    """Return an empty canvas for a line, where the line begins on it, and the font."""
    font = _font(face, max(4, round(cap_px / FACES[face].cap)))
    left, top, right, bottom = font.getbbox(text, anchor="ls")
    ascent = max(round(-top), round(cap_px))
    descent = max(round(bottom), round(cap_px * 0.25))
    size = (max(1, round(right - min(left, 0))) + 4, ascent + descent + 2)
    return Image.new("L", size, 0), (2 - min(left, 0), ascent + 1), font


def lines(
    texts: list[str], face: str, cap_px: float, *, leading: float = 1.75, align: str = "left"
) -> Mask:
    """Draw lines of text below each other; ``leading`` in cap heights."""
    drawn = [line(text, face, cap_px) if text else np.zeros((1, 1), np.float32) for text in texts]
    step = round(cap_px * leading)
    width = max(one.shape[1] for one in drawn)
    height = step * (len(drawn) - 1) + max(one.shape[0] for one in drawn)
    out = np.zeros((height, width), dtype=np.float32)
    for number, one in enumerate(drawn):
        rows, columns = one.shape
        left = {"left": 0, "centre": (width - columns) // 2, "right": width - columns}[align]
        place = out[number * step : number * step + rows, left : left + columns]
        np.maximum(place, one[: place.shape[0]], out=place)
    return out


def handwritten(
    text: str, cap_px: float, rng: np.random.Generator, *, face: str, blunt: bool = False
) -> Mask:
    """Draw one line as if by hand: words wander off the line, lean and swell a little.

    ``blunt`` writes with a felt pen.
    """
    lean = float(rng.uniform(-0.12, 0.28))
    pieces: list[Mask] = []
    for word in text.split(" "):
        glyphs = line(word or " ", face, cap_px * float(rng.uniform(0.9, 1.12)))
        pad = round(cap_px * 0.5)
        glyphs = np.pad(glyphs, ((pad, pad), (pad, pad)))
        rows, columns = glyphs.shape
        turn = np.radians(float(rng.normal(0, 1.2)))
        drop = float(rng.normal(0, 0.05)) * cap_px
        matrix = np.array(
            [[1.0, -lean, lean * rows / 2], [np.sin(turn), 1.0, drop - np.sin(turn) * columns / 2]]
        )
        warped = cv2.warpAffine(glyphs, matrix, (columns, rows), flags=cv2.INTER_LINEAR)
        pieces.append(_wobble(np.asarray(warped, np.float32), cap_px, rng))
    height = max(piece.shape[0] for piece in pieces)
    if blunt:
        nib = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (round(cap_px / 12) * 2 + 1,) * 2)
        pieces = [np.asarray(cv2.dilate(piece, nib), np.float32) for piece in pieces]
    padded = [np.pad(piece, ((0, height - piece.shape[0]), (0, 0))) for piece in pieces]
    return np.hstack(padded).astype(np.float32)


def _wobble(glyphs: Mask, cap_px: float, rng: np.random.Generator) -> Mask:
    rows, columns = glyphs.shape
    field = rng.normal(0, 1, (2, rows, columns)).astype(np.float32)
    sigma = max(1.0, cap_px * 0.45)
    shifts = [cv2.GaussianBlur(one, (0, 0), sigma) * sigma * 0.14 * cap_px for one in field]
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    moved = cv2.remap(glyphs, x + shifts[0], y + shifts[1], cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)
