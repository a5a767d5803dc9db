"""The real pictures that a rehearsal room is made from, kept inside the package.

Origins and licences are named in ``sources/LICENSES.md``.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from digitizer.errors import MissingService

__all__ = ["MAMMOGRAMS", "RADIOGRAPHS", "Mammogram", "Radiograph", "mammogram", "radiograph"]


@dataclass(frozen=True, slots=True)
class Radiograph:
    """A chest radiograph, shown as it should be viewed.

    Attributes
    ----------
    name : str
        File name.
    child : bool
        Whether a small child is shown.
    markers : bool
        Whether a side marker is already in the picture.
    """

    name: str
    child: bool
    markers: bool


@dataclass(frozen=True, slots=True)
class Mammogram:
    """A digitized screen-film mammogram: a whole digitizer frame, 16 bit.

    The digitizer's pitch is not told by the source; 0.05 mm is assumed for it (Lumisys).
    """

    name: str
    side: str
    pitch_mm: float = 0.05


RADIOGRAPHS: tuple[Radiograph, ...] = (
    *(
        Radiograph(f"kermany-IM-{number}-0001.jpg", child=True, markers=True)
        for number in ("0127", "0170", "0193", "0216", "0243", "0249", "0275", "0309")
    ),
    Radiograph("hannover-3fd337c1.png", child=False, markers=True),
    Radiograph("hannover-5b324cc7.png", child=False, markers=True),
    Radiograph("hannover-a7abee59.png", child=False, markers=True),
    Radiograph("hannover-b606e1d0.png", child=False, markers=True),
    Radiograph("hannover-bf39b989.png", child=False, markers=True),
    Radiograph("hannover-ce68550a.png", child=False, markers=True),
)

MAMMOGRAMS: tuple[Mammogram, ...] = (
    Mammogram("cbis-ddsm-p00173-left-cc.jxl", side="L"),
    Mammogram("cbis-ddsm-p00173-right-cc.jxl", side="R"),
)


@lru_cache(maxsize=16)
def _read(name: str) -> bytes:
    path = resources.files("digitizer.rehearsal").joinpath("sources", name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingService(
            f"The sample picture {name} is missing from this installation.",
            remedy="Install digitizer again.",
        ) from error


@lru_cache(maxsize=14)
def radiograph(name: str) -> NDArray[np.uint8]:
    """Return the picture as 8-bit grey, (rows, columns), 255 = clear film."""
    data = np.frombuffer(_read(name), dtype=np.uint8)
    picture: Any = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    grey: NDArray[np.uint8] = np.asarray(picture, dtype=np.uint8)
    grey.flags.writeable = False
    return grey


@lru_cache(maxsize=2)
def mammogram(name: str) -> NDArray[np.uint16]:
    """Return the frame as 16-bit grey, (rows, columns), bright = clear film."""
    frame: NDArray[np.uint16] = np.asarray(imagecodecs.jpegxl_decode(_read(name)), dtype=np.uint16)
    frame.flags.writeable = False
    return frame
