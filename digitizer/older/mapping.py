"""How an index file says whose its pictures are: a small table in TOML, validated before use.

::

    [index]                      # all optional
    delimiter = ";"              # of a CSV file; found out where it is not told
    encoding = "utf-8"           # or cp1252, utf-16
    row = "export/picture"       # of an XML file: path of a row's element, from the root
    resolution = "file"          # believe the resolution that the files tell

    [columns]                    # of a CSV file its header; of an XML file a child or @attribute
    file = "Datei"               # relative to the folder
    page = "Seite"
    patient_id = "PatNr"
    family_name = "Nachname"
    given_name = "Vorname"
    birth_date = "GebDat"

    [constants]                  # the same for all rows
    issuer = "GEN"
    modality = "CR"

    [dates]                      # as strftime writes them; YYYY-MM-DD and YYYYMMDD by default
    birth_date = "%d.%m.%Y"

    [values.sex]                 # what stands there, and what it means
    w = "F"

Fields: ``file``, ``page``, ``patient_id``, ``issuer``, ``name`` (whole, as ``LAST, FIRST`` or
``LAST^FIRST``) or ``family_name``, ``given_name`` and ``middle_name``, ``birth_date``, ``sex``,
``accession_number``, ``study_date``, ``description``, ``modality``, ``body_part``, ``laterality``,
``conversion_type`` (DF, DI, SD ...: PS3.3 C.8.6.1) and ``film`` (yes: the picture is the scan of a
film, and is to be read like one).
"""

import tomllib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from digitizer.errors import SettingsError

__all__ = ["FIELDS", "PictureMapping", "read_mapping"]

FIELDS = (
    "file",
    "page",
    "patient_id",
    "issuer",
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "birth_date",
    "sex",
    "accession_number",
    "study_date",
    "description",
    "modality",
    "body_part",
    "laterality",
    "conversion_type",
    "film",
)
"""What a column may be."""
_DATES = ("birth_date", "study_date")
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IndexForm(_Strict):
    """How the index file is written."""

    delimiter: Literal[";", ",", "\t", "|"] | None = None
    encoding: Literal["utf-8", "cp1252", "utf-16"] = "utf-8"
    row: str = Field(default="", max_length=200, pattern=r"^$|^[^/\s]+(/[^/\s]+)*$")
    resolution: Literal["file", "none"] = "none"


class PictureMapping(_Strict):
    """Which column of an index file is which of our fields."""

    index: IndexForm = IndexForm()
    columns: Mapping[str, _Name]
    constants: Mapping[str, str] = {}
    dates: Mapping[str, str] = {}
    values: Mapping[str, Mapping[str, str]] = {}

    @field_validator("columns", "constants", "values")
    @classmethod
    def _known(cls, value: Mapping[str, object]) -> Mapping[str, object]:
        odd = [name for name in value if name not in FIELDS]
        if odd:
            raise ValueError(f"{odd[0]!r} is no field; fields are {', '.join(FIELDS)}")
        return value

    @field_validator("dates")
    @classmethod
    def _formats(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, form in value.items():
            if name not in _DATES:
                raise ValueError(f"{name!r} is no date; dates are {', '.join(_DATES)}")
            if "%y" in form:
                raise ValueError("years of two digits leave the century open; have four written")
            if not all(part in form for part in ("%Y", "%m", "%d")):
                raise ValueError(f"{form!r} lacks one of %Y, %m and %d")
        return value

    @model_validator(mode="after")
    def _enough(self) -> "PictureMapping":
        if "file" not in self.columns:
            raise ValueError("columns must say which one is the file")
        both = set(self.columns) & set(self.constants)
        if both:
            raise ValueError(f"{min(both)!r} is both a column and a constant")
        if "name" in self.columns and {"family_name", "given_name"} & set(self.columns):
            raise ValueError("the name stands in one column or in several, not in both")
        return self


def read_mapping(text: str) -> PictureMapping:
    """Read a mapping.

    Raises
    ------
    SettingsError
        It is no TOML, or not as it must be; says where and why.
    """
    try:
        return PictureMapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The mapping is no TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SettingsError(
            f"The mapping is garbled at {where}: {first['msg'].removeprefix('Value error, ')}.",
            remedy="docs/older-archives.md shows the form of a mapping.",
        ) from None
