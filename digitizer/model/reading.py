"""What was read from a label or a film, and the identifiers parsed from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique

from digitizer.model.units import Point

__all__ = [
    "NO_FIELDS",
    "Barcode",
    "Doubt",
    "Field",
    "FieldName",
    "FieldSource",
    "Fields",
    "Line",
    "Reading",
    "Testimony",
]


@unique
class FieldName(StrEnum):
    """Identifiers that a jacket or a film can bear."""

    PATIENT_ID = "patient_id"
    ISSUER = "issuer"
    FAMILY_NAME = "family_name"
    GIVEN_NAME = "given_name"
    MIDDLE_NAME = "middle_name"
    NAME_SUFFIX = "name_suffix"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    STUDY_DATE = "study_date"
    ACCESSION_NUMBER = "accession_number"
    DESCRIPTION = "description"
    LATERALITY = "laterality"
    MODALITY = "modality"
    BODY_PART = "body_part"
    JACKET = "jacket"
    """Number of the jacket itself, from its barcode."""


@unique
class FieldSource(StrEnum):
    """Where a field was read."""

    LABEL = "label"
    FILM = "film"
    BARCODE = "barcode"
    FOLDER = "folder"
    HEADER = "header"
    """The header of an older instance."""
    PERSON = "person"
    """A correction by hand; it stands beside what was read, never in its place."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A character that an engine was not sure of, or that was looked at once more.

    Attributes
    ----------
    at : int
        Its place in the line's text.
    signs : tuple of (str, float)
        What it may be, each with the engine's chance of it, 0 to 1; the engine's choice first.
    """

    at: int
    signs: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of text as one engine read it.

    Attributes
    ----------
    text : str
        As read, errors included.
    confidence : float
        The engine's own score, 0 to 1; a weak witness only.
    box : tuple of four Point
        Corners in the pixels of the picture given to the reader (after
        :func:`digitizer.film.to_scan` in the pixels of the scan).
    engine : str
        Name of the engine.
    turn_deg : int
        Turn of the text: 0 when it reads upright as the picture stands; else the
        counter-clockwise angle, 90, 180 or 270, by which the text is turned.
    mirrored : bool
        Whether the text reads only in a mirror.
    doubts : tuple of Doubt
        The characters of which the engine tells alternatives.
    covered : tuple of int
        The places in the text of what a coloured stamp or pen stroke lies across.
    figures : tuple of Doubt
        What the characters of numbers are to a network that knows worn print
        (:mod:`digitizer.engines.figures`), whatever the engine read.
    """

    text: str
    confidence: float
    box: tuple[Point, Point, Point, Point]
    engine: str
    turn_deg: int = 0
    mirrored: bool = False
    doubts: tuple[Doubt, ...] = ()
    covered: tuple[int, ...] = ()
    figures: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Barcode:
    """One barcode: its text, its symbology, its place."""

    text: str
    format: str
    box: tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that was read from one sheet, by all engines."""

    lines: tuple[Line, ...] = ()
    barcodes: tuple[Barcode, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One identifier as read.

    ``value`` has one form: dates ``YYYY-MM-DD``, names upper case without punctuation at the ends,
    sex M, F or O, laterality L, R or B. A look-up in the index may set ``verified``, never the
    value. ``others`` are what a number or a date may be as well, one sign being another, each with
    its chance by what the engines saw.
    """

    value: str
    confidence: float
    source: FieldSource
    verified: bool = False
    others: tuple[tuple[str, float], ...] = ()


Fields = Mapping[FieldName, Field]

NO_FIELDS: Fields = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one bearer (a jacket's labels, or one film) says of its patient.

    ``lines`` are kept beside the parsed ``fields``: a candidate is verified against the text as
    read, not only against what the grammar made of it. ``people`` is how many different people
    they name, at most; 0 where that was not counted.
    """

    lines: tuple[str, ...] = ()
    barcodes: tuple[str, ...] = ()
    fields: Fields = field(default_factory=lambda: NO_FIELDS)
    people: int = 0

    @property
    def silent(self) -> bool:
        """Whether nothing at all could be read."""
        return not self.fields and not self.barcodes
