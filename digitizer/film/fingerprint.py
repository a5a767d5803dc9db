"""A hash of a film's picture that a second scan of the same film shares."""

import cv2
import numpy as np

from digitizer.model.film import Geometry
from digitizer.model.raster import Pixels

__all__ = ["fingerprint", "fingerprint_distance"]

_SIDE = 17
_BITS = 16 * 16


def fingerprint(picture: Pixels, geometry: Geometry) -> str:
    """Return 256 bits as hex: which way the tone runs between neighbours (difference hash).

    Parameters
    ----------
    picture : ndarray of uint8 or uint16, (rows, columns)
        The straightened sheet as scanned. Its outer 5 % (edges, shadows) are left out; the tone is
        ranked first, so that another scanner's response changes nothing.
    geometry : Geometry
        Turn and mirror, where known, are undone first, so that the same film fed otherwise has
        the same hash.

    References
    ----------
    Difference hash: N. Krawetz, "Kind of like that", 2013.
    """
    upright = np.rot90(picture, -(geometry.turn_deg or 0) // 90)
    upright = upright[:, ::-1] if geometry.mirrored else upright
    rows, columns = upright.shape[:2]
    y, x = rows // 20, columns // 20
    inner = upright[y : rows - y or None, x : columns - x or None]
    small = cv2.resize(np.ascontiguousarray(inner), (128, 128), interpolation=cv2.INTER_AREA).astype(np.float64)
    ranks = np.argsort(np.argsort(small.ravel())).reshape(small.shape).astype(np.float32)
    smooth = cv2.resize(ranks, (_SIDE, 16), interpolation=cv2.INTER_AREA)
    bits = (smooth[:, 1:] > smooth[:, :-1]).ravel()
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):0{_BITS // 4}x}"


def fingerprint_distance(one: str, other: str) -> int:
    """Count the bits in which two fingerprints differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
