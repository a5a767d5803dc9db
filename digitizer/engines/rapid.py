"""RapidOCR (PP-OCR models inside its wheel; nothing is loaded from anywhere)."""

import logging

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR

__all__ = ["Rapid"]

Grey = NDArray[np.uint8]
Boxes = NDArray[np.float32]

_LONGEST = 960


class Rapid:
    """Text detection and line recognition, one thread each."""

    name = "rapidocr"

    def __init__(self) -> None:
        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        self._engine = RapidOCR(
            params={
                "Global.log_level": "error",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.limit_type": "max",
                "Det.limit_side_len": _LONGEST,
            }
        )

    def find(self, picture: Grey) -> Boxes:
        """Return boxes of text lines, shape (n, 4, 2), in pixels of the picture.

        The picture is shrunk to 960 pixels at most before it is looked at.
        """
        scale = min(1.0, _LONGEST / max(picture.shape))
        small = picture
        if scale < 1:
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        colour = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        # All flags each time: the engine remembers those of the call before.
        found = self._engine(colour, use_det=True, use_cls=False, use_rec=False)
        if found.boxes is None or len(found.boxes) == 0:
            return np.zeros((0, 4, 2), np.float32)
        return np.asarray(found.boxes, dtype=np.float32) / np.float32(scale)

    def read(self, line: Grey) -> tuple[str, float]:
        """Read the picture of one upright line; return its text and the engine's score."""
        colour = cv2.cvtColor(line, cv2.COLOR_GRAY2BGR)
        found = self._engine(colour, use_det=False, use_cls=False, use_rec=True)
        if not found.txts:
            return "", 0.0
        return str(found.txts[0]), float(found.scores[0])
