"""RapidOCR (PP-OCR models inside its wheel; nothing is loaded from anywhere)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.model.reading import Doubt

__all__ = ["Rapid", "ReadLine"]

Grey = NDArray[np.uint8]
Boxes = NDArray[np.float32]

_LONGEST = 960
"""Longest side the detector ever sees: beyond it time grows and nothing more is found."""
_ROWS = 48
"""Height of a line the recogniser was trained on."""
_LEAST_COLUMNS = 160
_MOST_COLUMNS = 2400
_SPACE = 0.12
"""The model knows many scripts without spaces and is shy of them; so little is enough."""
_TOLD, _WORTH_TELLING = 4, 0.03
"""At most so many signs of a doubtful character, each of this chance at least."""
_ALPHABET = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;/\\-#^'\"*()[]&+=?!|_%@<>"
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŠŽàáâãäåæçèéêëìíîïñòóôõöøùúûüýßšž"
)


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Text of one line, and the mean chance of its characters among all signs the engine knows.

    ``middles`` are the columns of the line's picture in which its characters were seen.
    """

    text: str
    score: float
    doubts: tuple[Doubt, ...] = ()
    middles: tuple[float, ...] = ()


class Rapid:
    """Text detection and line recognition, one thread each."""

    name = "rapidocr"

    def __init__(self) -> None:
        # Takes most of a second: commands and workers that read nothing do without.
        from rapidocr import RapidOCR

        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        self._engine = RapidOCR(
            params={
                "Global.log_level": "error",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                # Without it each look gives its memory back, and a sixth of its time goes there.
                "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
                "Det.limit_type": "max",
                "Det.limit_side_len": _LONGEST,
            }
        )
        # One reading loads the recogniser; from then on it is asked directly.
        blank = np.full((_ROWS, _LEAST_COLUMNS, 3), 255, np.uint8)
        self._engine(blank, use_det=False, use_cls=False, use_rec=True)
        recogniser: Any = self._engine.text_rec
        self._session = recogniser.session
        signs: list[str] = recogniser.postprocess_op.character
        self._known = np.array(
            [number for number, sign in enumerate(signs) if number == 0 or sign in _ALPHABET]
        )
        self._signs = ["" if number == 0 else signs[number] for number in self._known]
        self._space = self._signs.index(" ")

    def find(self, picture: Grey) -> Boxes:
        """Return boxes of text lines, shape (n, 4, 2), in pixels of the picture.

        The picture is shrunk to 960 pixels at most before it is looked at. Corners run clockwise
        from the one nearest the top left; a line that runs up or down is taller than wide.
        """
        scale = min(1.0, _LONGEST / max(picture.shape))
        colour = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        if scale < 1:
            colour = cv2.resize(colour, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        # All flags each time: the engine remembers those of the call before.
        found: Any = self._engine(colour, use_det=True, use_cls=False, use_rec=False)
        if found.boxes is None or len(found.boxes) == 0:
            return np.zeros((0, 4, 2), np.float32)
        return np.asarray(found.boxes, dtype=np.float32) / np.float32(scale)

    def read(self, lines: Sequence[Grey]) -> list[ReadLine]:
        """Read pictures of single upright lines."""
        return [self._read(line) for line in lines]

    def _read(self, line: Grey) -> ReadLine:
        scale = _ROWS / line.shape[0]
        width = int(np.clip(round(line.shape[1] * scale), 8, _MOST_COLUMNS))
        shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(line, (width, _ROWS), interpolation=shrink)
        batch = np.zeros((1, 3, _ROWS, max(width, _LEAST_COLUMNS)), np.float32)
        batch[0, :, :, :width] = small.astype(np.float32) / 127.5 - 1.0
        chances = np.asarray(self._session(batch))[0]
        mine = chances[:, self._known]
        foreign = int((chances.max(axis=1) > mine.max(axis=1)).sum())
        # A line that is too long is squeezed along, but not across.
        step = batch.shape[3] / len(chances) * line.shape[1] / width
        return self._decoded(mine, foreign, step)

    def _decoded(self, chances: NDArray[np.float32], foreign: int, columns: float) -> ReadLine:
        """Decode CTC greedily over our alphabet (Graves et al. 2006): collapse, drop blanks.

        Each of the ``foreign`` steps that look like a sign of another script counts as a character
        of chance 0. A step is so many ``columns`` of the line's picture wide.
        """
        best = chances.argmax(axis=1)
        text: list[str] = []
        scores: list[float] = []
        steps: list[int] = []
        before, space = 0, 0.0
        for step, sign in enumerate(best.tolist()):
            space = max(space, float(chances[step, self._space]))
            chance = float(chances[step, sign])
            if sign in (0, self._space):
                before = sign
                continue
            if sign == before:
                if chance > scores[-1]:
                    scores[-1], steps[-1] = chance, step
                space = 0.0
                continue
            if text and space > _SPACE:
                text.append(" ")
                steps.append(step)
            text.append(self._signs[sign])
            steps.append(step)
            scores.append(chance)
            before, space = sign, 0.0
        score = sum(scores) / (len(scores) + foreign) if scores else 0.0
        doubts = (
            self._doubt(at, chances[step])
            for at, (sign, step) in enumerate(zip(text, steps, strict=True))
            if sign != " "
        )
        return ReadLine(
            "".join(text),
            score,
            tuple(one for one in doubts if one is not None),
            tuple((step + 0.5) * columns for step in steps),
        )

    def _doubt(self, at: int, chances: NDArray[np.float32]) -> Doubt | None:
        """Return what else a character may be, where another sign has a chance worth telling."""
        order = np.argsort(-chances, kind="stable")[:_TOLD]
        if float(chances[order[1]]) < _WORTH_TELLING:
            return None
        signs = tuple(
            (self._signs[one], round(float(chances[one]), 3))
            for one in order
            if chances[one] >= _WORTH_TELLING and self._signs[one].strip()
        )
        return Doubt(at, signs) if len(signs) > 1 else None
