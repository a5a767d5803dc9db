"""Values from which an instance is made, and what archives say of instances."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum, unique

import numpy as np
from numpy.typing import NDArray

from digitizer.model.film import Geometry
from digitizer.model.identity import ExamRecord, PatientRecord
from digitizer.model.raster import Pixels, Polarity
from digitizer.model.reading import NO_FIELDS, Fields
from digitizer.model.units import Spacing

__all__ = [
    "CaptureOrder",
    "Compression",
    "DensityScale",
    "FoundStudy",
    "Holdings",
    "MadeInstance",
    "Provenance",
    "Rendered",
    "StoredInstance",
    "TilePolicy",
    "TileSource",
    "Uids",
    "Window",
]


@unique
class Compression(StrEnum):
    """Lossless encodings of pixel data."""

    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"
    RLE = "rle"
    NONE = "none"


@unique
class TilePolicy(StrEnum):
    """What is done with the pictures of a sheet of many; the whole sheet is always stored."""

    OFF = "off"
    OFFER = "offer"
    MULTIFRAME = "multiframe"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Window:
    """VOI window (PS3.3 C.11.2.1.2), in stored values, or in thousandths of density where told."""

    center: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DensityScale:
    """How stored values tell optical density, in thousandths (Rescale Type OD, PS3.3 C.11.1.1.2).

    Attributes
    ----------
    slope, intercept : float
        Thousandths of density are ``slope * value + intercept``.
    table : ndarray of uint16 or None
        Instead of them: thousandths of density of each stored value, from 0 on.
    """

    slope: float = 1.0
    intercept: float = 0.0
    table: NDArray[np.uint16] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rendered:
    """A sheet straightened, cropped, turned and mirrored, in one resampling.

    Attributes
    ----------
    pixels : ndarray of uint8 or uint16, (rows, columns) or (rows, columns, 3)
        The scanner's own values, depth and polarity kept; or density.
    bits : int
        Bits stored.
    polarity : Polarity
    spacing : Spacing or None
        Of the rendered grid; None without a trusted resolution.
    padding : int or None
        Value outside the sheet, used nowhere inside it; None where no pixel lies outside.
    window : Window or None
        Shows the film as on a light box.
    density : DensityScale or None
        How the values tell optical density; None: they are the scanner's own, uncalibrated.
    resampled : bool
        False when turns, mirrors and crops alone were enough: an exact copy.
    matrix : ndarray of float64, (2, 3), or None
        From pixel centres (column, row, 1) to pixel centres of the scan.
    """

    pixels: Pixels
    bits: int
    polarity: Polarity
    spacing: Spacing | None = None
    padding: int | None = None
    window: Window | None = None
    density: DensityScale | None = None
    resampled: bool = True
    matrix: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class TileSource:
    """The whole sheet that pictures were cut from, and which of them (for people)."""

    sop_class_uid: str
    sop_instance_uid: str
    part: str


@dataclass(frozen=True, slots=True)
class Uids:
    """The three UIDs of an instance, minted once and kept (DESIGN §4)."""

    study: str
    series: str
    sop: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the pixels and the identity come from.

    Attributes
    ----------
    scan_sha256 : str
        Hash of the untouched scan.
    scanned_at : datetime
        Time-zone aware; becomes Date of Secondary Capture in local time.
    device_manufacturer, device_model, device_serial : str
        Of the digitizer; empty when unknown.
    read : Fields
        What the film or jacket itself said; kept in Original Attributes when the index changed it.
    geometry : Geometry or None
        Tells the derivation (skew, turn, mirror, crop).
    """

    scan_sha256: str
    scanned_at: datetime
    software_version: str
    institution: str = ""
    device_manufacturer: str = ""
    device_model: str = ""
    device_serial: str = ""
    last_calibration: date | None = None
    read: Fields = field(default_factory=lambda: NO_FIELDS)
    geometry: Geometry | None = None
    source: str = ""
    """How the scan came: its name in the batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOrder:
    """All that is needed to make one instance besides its pixels.

    ``patient`` and ``exam`` are None for ``convert`` without identifiers: type 2 stays empty.
    """

    uids: Uids
    instance_number: int
    series_number: int = 1
    made_at: datetime
    patient: PatientRecord | None = None
    exam: ExamRecord | None = None
    study_date: date | None = None
    modality: str = "RG"
    body_part: str = ""
    laterality: str = ""
    description: str = ""
    series_description: str = ""
    barcode: str = ""
    compression: Compression = Compression.JPEG_LS
    provenance: Provenance
    cut_from: TileSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeInstance:
    """A finished Part 10 file."""

    content: bytes
    sop_class_uid: str
    transfer_syntax_uid: str
    pixel_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInstance:
    """Answer of an archive to a C-STORE."""

    status: int
    transfer_syntax_uid: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStudy:
    """One study as the archive tells it (C-FIND)."""

    study_instance_uid: str
    patient_id: str
    issuer: str
    patient_name: str
    birth_date: str
    accession_number: str
    study_date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the archive holds of a study and an exam; ``instances``: SOP Instance UIDs of it."""

    studies: tuple[FoundStudy, ...]
    instances: tuple[str, ...]
