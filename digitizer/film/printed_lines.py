"""Lines printed along the scanner's own: the sides of pictures on a sheet of many.

What this decides: which of the lines that stand out over a scan are frames of pictures, or gaps
between them. What it may get wrong: an element of the sensor that is stuck just there.
"""

import numpy as np

from digitizer.film.pictures import reading_picture
from digitizer.film.tiles import find_tiles
from digitizer.model.film import Geometry
from digitizer.model.raster import Raster
from digitizer.model.units import MM_PER_INCH

__all__ = ["without_sides"]

_BESIDE_MM = 1.0
_USUAL_DPI = 100.0


def without_sides(
    raster: Raster, geometry: Geometry, columns: tuple[int, ...], rows: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the columns and rows that are no sides of pictures.

    Parameters
    ----------
    raster : Raster
    geometry : Geometry
    columns, rows : tuple of int
        That stand out, in pixels of the scan.
    """
    tiles = find_tiles(reading_picture(raster, geometry), raster.dpi)
    if tiles is None:
        return columns, rows
    beside = _BESIDE_MM * (max(raster.dpi) if raster.dpi else _USUAL_DPI) / MM_PER_INCH
    corners = np.array(tiles.boxes, dtype=np.float64).reshape(-1, 2)
    across, down = corners.T
    return (
        tuple(one for one in columns if np.abs(across - one).min() > beside),
        tuple(one for one in rows if np.abs(down - one).min() > beside),
    )
