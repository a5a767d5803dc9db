"""Drawn text, and the real engines."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitizer.engines import EngineSheetReader

Grey = NDArray[np.uint8]
LINES = ("DOE, JANE M", "MRN 4711822", "DOB 04/02/1931", "CITY GENERAL HOSPITAL")


class Pictures:
    """Pictures that the tests read."""

    @staticmethod
    def drawn(
        lines: tuple[str, ...] = LINES, *, ink: int = 25, paper: int = 235, size: int = 34
    ) -> Grey:
        """Draw lines of text on an even ground."""
        font = ImageFont.load_default(size)
        width = int(max(font.getlength(line) for line in lines)) + 2 * size
        picture = Image.new("L", (width, int(len(lines) * size * 1.5) + 2 * size), paper)
        pen = ImageDraw.Draw(picture)
        for number, line in enumerate(lines):
            pen.text((size, size + number * size * 1.5), line, font=font, fill=ink)
        return np.asarray(picture)

    @staticmethod
    def film_of(block: Grey, *, rows: int = 1000, columns: int = 850) -> Grey:
        """Lay a block into the corner of a film of soft shadows and grain."""
        rng = np.random.default_rng(5)
        soft = cv2.resize(rng.normal(0, 1, (8, 7)), (columns, rows), interpolation=cv2.INTER_CUBIC)
        film = np.clip(90 + 22 * soft + rng.normal(0, 3, (rows, columns)), 0, 255).astype(np.uint8)
        film[12 : 12 + block.shape[0], 12 : 12 + block.shape[1]] = block
        return film

    @staticmethod
    def in_way(picture: Grey, turn: int, mirrored: bool) -> Grey:
        """Turn a picture counter-clockwise by quarters, mirrored before."""
        return np.ascontiguousarray(np.rot90(picture[:, ::-1] if mirrored else picture, turn // 90))


@pytest.fixture(scope="session")
def pictures() -> Pictures:
    return Pictures()


@pytest.fixture(scope="session")
def reader() -> EngineSheetReader:
    return EngineSheetReader()
