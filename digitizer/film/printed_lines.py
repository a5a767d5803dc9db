"""Lines printed along the scanner's own: the sides of pictures on a sheet of many.

What this decides: which of the lines that stand out over a scan are frames of pictures, or gaps
between them. What it may get wrong: an element of the sensor that is stuck just there.
"""

import numpy as np

from digitizer.model.film import TileGrid
from digitizer.model.units import MM_PER_INCH, Dpi

__all__ = ["without_sides"]

_BESIDE_MM = 1.0
_USUAL_DPI = 100.0


def without_sides(
    tiles: TileGrid, dpi: Dpi | None, columns: tuple[int, ...], rows: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the columns and rows that are no sides of pictures.

    Parameters
    ----------
    tiles : TileGrid
        The pictures on the sheet.
    dpi : Dpi or None
        Of the scan.
    columns, rows : tuple of int
        That stand out, in pixels of the scan.
    """
    beside = _BESIDE_MM * (max(dpi) if dpi else _USUAL_DPI) / MM_PER_INCH
    across, down = np.array(tiles.boxes, dtype=np.float64).reshape(-1, 2).T
    return (
        tuple(one for one in columns if np.abs(across - one).min() > beside),
        tuple(one for one in rows if np.abs(down - one).min() > beside),
    )
