"""What a person says stands on a sheet, where the engines misread it.

What this never does: change what was read. A correction is a witness of its own, and the testimony
made with it is another value.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from digitizer.errors import UsageError
from digitizer.model.reading import Field, FieldName, FieldSource, Testimony
from digitizer.reading.dates import find_dates
from digitizer.reading.names import name_signs
from digitizer.reading.rules import ReadingRules

__all__ = ["CORRECTABLE", "amended", "typed"]

CORRECTABLE: Mapping[FieldName, str] = {
    FieldName.PATIENT_ID: "Number",
    FieldName.FAMILY_NAME: "Family name",
    FieldName.GIVEN_NAME: "Given name",
    FieldName.BIRTH_DATE: "Born",
    FieldName.SEX: "Sex",
    FieldName.ACCESSION_NUMBER: "Accession",
    FieldName.STUDY_DATE: "Exam date",
    FieldName.DESCRIPTION: "Exam",
    FieldName.LATERALITY: "Side",
}
"""The fields that a person may correct, with their names on pages."""

_NAMES = (FieldName.FAMILY_NAME, FieldName.GIVEN_NAME)
_DATES = (FieldName.BIRTH_DATE, FieldName.STUDY_DATE)
_NUMBERS = (FieldName.PATIENT_ID, FieldName.ACCESSION_NUMBER)
_LETTERS = {FieldName.SEX: "MFO", FieldName.LATERALITY: "LRB"}
_NAME = re.compile(r"[^\W\d_][^\W\d_'\-. ]*(?:[^\W\d_'\-. ]|['\-. ](?=[^\W\d_]))*\.?")
_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9\-./]*")
_LONGEST = 64
_SURE = 0.999
"""As sure as two engines that agree: people mistype too."""


def typed(name: FieldName, text: str, rules: ReadingRules) -> str:
    """Return what a person typed in the one form that the values of a field have.

    Parameters
    ----------
    name : FieldName
    text : str
        Dates as ISO writes them, or in full in the site's order of day and month.
    rules : ReadingRules

    Raises
    ------
    UsageError
        It is no value of that field.
    """
    if name not in CORRECTABLE:
        raise UsageError("This field is not one that can be corrected.")
    text = " ".join(text.upper().split())
    value: str | None = text
    if name in _DATES:
        value = _day(text, rules)
    elif name in _LETTERS:
        value = text if len(text) == 1 and text in _LETTERS[name] else None
    elif name in _NUMBERS:
        value = text if _NUMBER.fullmatch(text) else None
    elif name in _NAMES:
        value = name_signs(text) if _NAME.fullmatch(text) else None
    elif not text or any(unicodedata.category(sign).startswith("C") for sign in text):
        value = None
    if value is None or len(value) > _LONGEST:
        raise UsageError(
            f"This cannot stand in the field “{CORRECTABLE[name]}”.", remedy=_REMEDIES[name]
        )
    return value


_REMEDIES = {
    **dict.fromkeys(_NAMES, "Type letters, as they stand on the film."),
    **dict.fromkeys(_DATES, "Type the date as YEAR-MONTH-DAY, such as 1931-04-02."),
    **dict.fromkeys(_NUMBERS, "Type letters and digits, as they stand on the film."),
    FieldName.SEX: "Type M, F or O.",
    FieldName.LATERALITY: "Type L, R or B.",
    FieldName.DESCRIPTION: "Type one line of text.",
}


def _day(text: str, rules: ReadingRules) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else _written(text, rules)
    except ValueError:
        return _written(text, rules)


def _written(text: str, rules: ReadingRules) -> str | None:
    found = find_dates(text, day_first=rules.grammar.day_first)
    whole = [one for one in found if one.exact and one.full_year and one.start == 0]
    return whole[0].value if len(found) == 1 and whole else None


def amended(said: Testimony, corrections: Mapping[FieldName, str]) -> Testimony:
    """Return a testimony as it is once a person has put right what was misread.

    Where the misread words stand in a line, the right ones take their place there; besides, what
    the person says stands in lines of its own, so that candidates are verified against it.
    """
    if not corrections:
        return said
    lines, fields = list(said.lines), dict(said.fields)
    for name, value in corrections.items():
        read = fields.get(name)
        if read is not None and len(read.value) > 1:
            misread = re.compile(rf"(?<!\w){re.escape(read.value)}(?!\w)", re.IGNORECASE)
            # A function, so that nothing that was typed is taken for a reference to a group.
            lines = [misread.sub(lambda _, right=value: right, line) for line in lines]  # type: ignore[misc]
        fields[name] = Field(value=value, confidence=_SURE, source=FieldSource.PERSON)
    if any(name in corrections for name in _NAMES):
        parts = [fields[name].value for name in _NAMES if name in fields]
        lines.append(", ".join(parts))
    lines += [value for name, value in corrections.items() if name not in _NAMES and len(value) > 1]
    return replace(said, lines=tuple(lines), fields=fields)
