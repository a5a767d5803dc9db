"""What was found of a sheet in a scan: kind, geometry, quality."""

from dataclasses import dataclass, field
from enum import StrEnum, unique

from digitizer.model.units import Corners, Dpi, SizeMm

__all__ = ["Geometry", "Quality", "ScanKind", "SheetKind", "TileGrid"]


@unique
class ScanKind(StrEnum):
    """What a scan shows, told by its content alone."""

    FILM = "film"
    LABEL = "label"
    DOCUMENT = "document"
    SEPARATOR = "separator"
    BLANK = "blank"
    UNREADABLE = "unreadable"


@unique
class SheetKind(StrEnum):
    """What becomes a capture."""

    FILM = "film"
    LABEL = "label"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where a sheet lies in its scan (contract §4).

    Attributes
    ----------
    corners : Corners
        Pixels of the scan from the outer corner; listed top-left, top-right, bottom-right,
        bottom-left of the film as it should be viewed, or as scanned while ``turn_deg`` is None.
    edges_seen : int
        Sides of the sheet, 0 to 4, that lie inside the frame.
    skew_deg : float or None
        In (-45, 45], counter-clockwise positive; None: could not be told, nothing is rotated.
    turn_deg : int or None
        0, 90, 180 or 270; None: could not be told.
    mirrored : bool or None
        Whether the film lies on its wrong side; None: could not be told.
    size_mm : SizeMm or None
        As viewed; None without a trusted resolution.
    """

    corners: Corners
    edges_seen: int
    skew_deg: float | None = None
    turn_deg: int | None = None
    mirrored: bool | None = None
    size_mm: SizeMm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TileGrid:
    """Where the pictures lie on a sheet of many (CT, MR, ultrasound).

    Attributes
    ----------
    rows, columns : int
    boxes : tuple of Corners
        Each picture's place in pixels of the scan, row by row; the corners in the same order as
        the sheet's.
    shown : tuple of bool
        False where nothing was printed.
    """

    rows: int
    columns: int
    boxes: tuple[Corners, ...]
    shown: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What can be said of a scan or film at once, without judging the medicine in it.

    Attributes
    ----------
    flags : tuple of str
        Codes of :mod:`digitizer.model.reasons`.
    sharpness : float or None
        Width-independent edge sharpness, higher is sharper.
    noise : float or None
        Standard deviation of the noise as a fraction of full scale.
    clipped_low, clipped_high : float
        Fraction of the sheet's samples at the lowest and the highest possible value.
    bits : int
        Bits that carry information.
    dpi : Dpi or None
        As told by the file.
    cut_off : tuple of str
        Sides of the scan (top, right, bottom, left) beyond which film is missing.
    clipped_at : tuple of str
        Ninths of the sheet as scanned ("top left", "middle", ...) where most of it is clipped.
    columns : tuple of int
        Columns of the scan in which a stripe of the scanner runs over the film.
    dust : float or None
        Specks on a square decimetre; None where the resolution is not told.
    """

    flags: tuple[str, ...] = field(default=())
    sharpness: float | None = None
    noise: float | None = None
    clipped_low: float = 0.0
    clipped_high: float = 0.0
    bits: int = 0
    dpi: Dpi | None = None
    cut_off: tuple[str, ...] = ()
    clipped_at: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()
    dust: float | None = None
