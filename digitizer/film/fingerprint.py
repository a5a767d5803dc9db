"""A hash of a film's picture that a second scan of the same film shares, however it was fed."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.film.light import halved
from digitizer.model.raster import Pixels

__all__ = ["fingerprint", "fingerprint_distance", "fingerprint_views"]

_SIDE = 12
_FINE = 768
"""So fine rows and columns that halving leaves out are a small part of a cell."""
_STEPS = _SIDE * (_SIDE - 1)
_HEX = -(-2 * _STEPS // 4)

Bits = NDArray[np.bool_]


def fingerprint(picture: Pixels) -> str:
    """Return 264 bits as hex: whether the tone rises from each cell of a grid to the next.

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
        The straightened sheet as scanned. Its outer 5 % (edges, shadows) are left out; the tone is
        ranked first, so that another scanner's response changes nothing.

    References
    ----------
    Difference hash: N. Krawetz, "Kind of like that", 2013; here in both directions, so that the
    hashes of the turned and mirrored picture follow from it (:func:`fingerprint_views`).
    """
    rows, columns = picture.shape[:2]
    y, x = rows // 20, columns // 20
    half, _ = halved(picture[y : rows - y or None, x : columns - x or None], (_FINE, _FINE))
    small = cv2.resize(half, (96, 96), interpolation=cv2.INTER_AREA).astype(np.float64)
    ranks = np.argsort(np.argsort(small.ravel())).reshape(small.shape).astype(np.float32)
    cells = cv2.resize(ranks, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return _written(cells[:, 1:] > cells[:, :-1], cells[1:] > cells[:-1])


def fingerprint_views(one: str) -> tuple[str, ...]:
    """Return the hashes of the same picture in its eight turns and mirrors, itself first."""
    views: list[str] = []
    across, down = _read(one)
    for _ in range(4):
        views.append(_written(across, down))
        # Mirrored left to right: rises across become falls.
        views.append(_written(~across[:, ::-1], down[:, ::-1]))
        # A quarter turn counter-clockwise (numpy.rot90): columns become rows, the last one first.
        across, down = np.rot90(down), ~np.rot90(across)
    return tuple(views)


def fingerprint_distance(one: str, other: str) -> int:
    """Count the bits in which two fingerprints differ, in the turn and mirror that fit best."""
    wanted = int(other, 16)
    return min((int(view, 16) ^ wanted).bit_count() for view in fingerprint_views(one))


def _written(across: Bits, down: Bits) -> str:
    bits = np.concatenate([across.ravel(), down.ravel()])
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):0{_HEX}x}"


def _read(text: str) -> tuple[Bits, Bits]:
    bits = np.array([sign == "1" for sign in f"{int(text, 16):0{2 * _STEPS}b}"])
    return bits[:_STEPS].reshape(_SIDE, _SIDE - 1), bits[_STEPS:].reshape(_SIDE - 1, _SIDE)
