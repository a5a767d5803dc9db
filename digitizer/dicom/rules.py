"""Rules by which headers of older instances are changed: a table, versioned and validated.

A table is TOML: a version, and rules that are applied in order::

    version = "2026-11"

    [[rule]]
    name = "sex in words"
    when = [{ tag = "PatientSex", matches = "(?i)(fe)?male" }]
    then = { tag = "PatientSex", map = { MALE = "M", FEMALE = "F" } }

A condition names a ``tag`` and one of ``equals``, ``in``, ``matches`` (a whole regular expression)
or ``present`` (true or false); or ``writing`` (``utf-8``, ``undeclared``): what text is really
written in. An action names a ``tag`` and one of ``set``, ``copy`` (another tag's value), ``map``,
``pad`` (``{ to = 8, with = "0" }``, on the left), ``remove = true``; or ``reject`` with the reason.
All conditions must hold.

No rule can touch UIDs, the picture or how it is to be understood: pixels stay as they are, and
instances stay who they are.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydicom import Dataset
from pydicom.charset import python_encoding
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.valuerep import validate_value

from digitizer.dicom.header import Writing, text_of, twin_of, writing_of
from digitizer.errors import SettingsError

__all__ = ["BUILT_IN", "Change", "Outcome", "Rule", "RuleTable", "apply_rules", "read_rules"]

_GROUPS_KEPT = frozenset((0x0002, 0x0028, 0x5400, 0x7FE0, 0x0400))
_KEPT = frozenset(
    (
        *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "SliceThickness"),
        *("SpacingBetweenSlices", "ImagePositionPatient", "ImageOrientationPatient"),
        *("FrameOfReferenceUID", "PresentationLUTShape", "Units", "DoseGridScaling", "DoseUnits"),
        *("PatientOrientation", "ImageLaterality", "Laterality", "ViewPosition", "ImageType"),
        *("DoseType", "DecayFactor", "RescaleType"),
    )
)
"""What a picture means; its group 0028 is kept as a whole."""
_TEXTS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UT")
)
_LONGEST_VALUE = 1024


def _check_value(keyword: str, value: str) -> None:
    """Refuse a value that DICOM does not allow (PS3.5 6.2); raises :class:`ValueError`."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    for one in value.split("\\"):
        if keyword == "SpecificCharacterSet" and one and one not in python_encoding:
            raise ValueError(f"{one!r} is no character set that DICOM knows")
        try:
            validate_value(dictionary_VR(tag), one, RAISE)
        except ValueError:
            raise ValueError(f"{keyword} may not be {one!r}: DICOM does not allow it") from None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _tag(keyword: str) -> str:
    if tag_for_keyword(keyword) is None:
        raise ValueError(f"{keyword!r} is no keyword of the DICOM dictionary")
    return keyword


Keyword = Annotated[str, Field(max_length=64)]


class Condition(_Strict):
    """One thing that must hold."""

    tag: Keyword = ""
    equals: str | None = None
    among: tuple[str, ...] | None = Field(default=None, alias="in")
    matches: str | None = None
    present: bool | None = None
    writing: Literal["utf-8", "undeclared"] | None = None

    @model_validator(mode="after")
    def _one_test(self) -> "Condition":
        tests = [self.equals, self.among, self.matches, self.present]
        told = sum(test is not None for test in tests)
        if self.writing is not None:
            if told or self.tag:
                raise ValueError("writing stands alone in its condition")
            return self
        if told != 1:
            raise ValueError("a condition has one of equals, in, matches, present, writing")
        _tag(self.tag)
        if self.matches is not None:
            try:
                re.compile(self.matches)
            except re.error as error:
                raise ValueError(f"{self.matches!r} is no regular expression: {error}") from None
        return self

    def holds(self, header: Dataset, writing: Writing) -> bool:
        """Tell whether a header meets the condition."""
        if self.writing is not None:
            return writing.value == self.writing
        value = text_of(header, self.tag)
        if self.present is not None:
            return bool(value) is self.present
        if self.equals is not None:
            return value == self.equals
        if self.among is not None:
            return value in self.among
        return re.fullmatch(str(self.matches), value[:_LONGEST_VALUE]) is not None


class Padding(_Strict):
    """How long a value is made, and with what sign on its left."""

    to: int = Field(ge=1, le=64)
    sign: str = Field(alias="with", min_length=1, max_length=1)


class Action(_Strict):
    """What is done when the conditions hold."""

    tag: Keyword = ""
    value: str | None = Field(default=None, alias="set", max_length=_LONGEST_VALUE)
    copied: str | None = Field(default=None, alias="copy")
    mapped: Mapping[str, str] | None = Field(default=None, alias="map")
    pad: Padding | None = None
    remove: bool | None = None
    reject: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_act(self) -> "Action":
        acts = [self.value, self.copied, self.mapped, self.pad, self.remove, self.reject]
        if sum(act is not None for act in acts) != 1 or self.remove is False:
            raise ValueError("an action has one of set, copy, map, pad, remove, reject")
        if self.reject is not None:
            return self
        _may_change(self.tag)
        if self.copied is not None:
            _tag(self.copied)
        constants = [self.value or "", *(self.mapped or {}).values()]
        if self.pad is not None:
            constants.append(self.pad.sign * self.pad.to)
        for value in constants:
            _check_value(self.tag, value)
        return self

    def new_value(self, header: Dataset) -> str | None:
        """Return the value the tag shall have; None to leave it as it is."""
        old = text_of(header, self.tag)
        if self.value is not None:
            return self.value
        if self.copied is not None:
            return text_of(header, self.copied) or None
        if self.mapped is not None:
            return self.mapped.get(old)
        if self.pad is not None:
            return old.rjust(self.pad.to, self.pad.sign) if old else None
        return ""


def _may_change(keyword: str) -> None:
    tag = tag_for_keyword(_tag(keyword))
    assert tag is not None
    vr = dictionary_VR(tag)
    if vr not in _TEXTS or tag >> 16 in _GROUPS_KEPT or keyword in _KEPT:
        raise ValueError(f"{keyword} may not be changed by a rule")


class Rule(_Strict):
    """When something holds, then do something; its name stands in Original Attributes."""

    name: str = Field(min_length=1, max_length=40)
    when: tuple[Condition, ...] = Field(min_length=1)
    then: Action

    @field_validator("when", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, Mapping) else value


class RuleTable(_Strict):
    """A version and its rules, in order."""

    version: str = Field(min_length=1, max_length=16)
    rule: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> "RuleTable":
        names = [one.name for one in self.rule]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two rules have the name {min(twice)!r}")
        return self


BUILT_IN = """
version = "built-in 1"

[[rule]]
name = "UTF-8 not declared"
when = [{ writing = "utf-8" }]
then = { tag = "SpecificCharacterSet", set = "ISO_IR 192" }

[[rule]]
name = "Latin-1 not declared"
when = [{ writing = "undeclared" }]
then = { tag = "SpecificCharacterSet", set = "ISO_IR 100" }

[[rule]]
name = "sex in words"
when = [{ tag = "PatientSex", present = true }]
[rule.then]
tag = "PatientSex"
map = { MALE = "M", Male = "M", male = "M", m = "M", FEMALE = "F", Female = "F", female = "F" }

[[rule]]
name = "birth date of noughts"
when = [{ tag = "PatientBirthDate", equals = "00000000" }]
then = { tag = "PatientBirthDate", set = "" }
"""
"""What holds for every site; a site's own table is applied before it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One element changed by one rule."""

    rule: str
    tag: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A header after the rules: a copy where anything changed, and what changed.

    ``illegal`` is what rules would have set and DICOM does not allow, by keyword: it was not set.
    """

    header: Dataset
    changes: tuple[Change, ...] = ()
    rejected: str = ""
    illegal: tuple[tuple[str, str], ...] = ()


def read_rules(*texts: str) -> tuple[RuleTable, ...]:
    """Read rule tables; they are applied one after the other.

    Raises
    ------
    SettingsError
        A table is no TOML, or a rule is not as it must be; says which and why.
    """
    tables = []
    for text in texts:
        try:
            tables.append(RuleTable.model_validate(tomllib.loads(text)))
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"The rules are no TOML: {error}.") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the table"
            raise SettingsError(
                f"The rules are garbled at {where}: {first['msg'].removeprefix('Value error, ')}.",
                remedy="docs/older-archives.md shows the form of a rule.",
            ) from None
    return tuple(tables)


def apply_rules(header: Dataset, tables: Iterable[RuleTable]) -> Outcome:
    """Apply rules to a header; the one given is not changed.

    Elements that no rule touches stay raw, byte for byte. A value that DICOM does not allow in its
    place is not set; what stood there stays. A rule that says what the text is really
    written in changes the declaration alone, not the text.
    """
    changes: list[Change] = []
    illegal: list[tuple[str, str]] = []
    current, writing = header, writing_of(header)
    for table in tables:
        for rule in table.rule:
            if not all(one.holds(current, writing) for one in rule.when):
                continue
            if rule.then.reject is not None:
                return Outcome(header=current, changes=tuple(changes), rejected=rule.then.reject)
            new, old = rule.then.new_value(current), text_of(current, rule.then.tag)
            if new is None or new == old:
                continue
            if not _is_legal(rule.then.tag, new):
                illegal.append((rule.then.tag, new))
                continue
            if current is header:
                current = twin_of(header)
            changes.append(Change(f"{rule.name} ({table.version})", rule.then.tag, old, new))
            put(current, rule.then.tag, None if rule.then.remove else new)
            writing = writing_of(current)
    return Outcome(header=current, changes=tuple(changes), illegal=tuple(illegal))


def _is_legal(keyword: str, value: str) -> bool:
    try:
        _check_value(keyword, value)
    except ValueError:
        return False
    return True


def put(header: Dataset, keyword: str, value: str | None) -> None:
    """Set an element of a header to a text, or remove it; the rest stays raw."""
    tag = tag_for_keyword(keyword)
    assert tag is not None, "rules are validated"
    if value is None:
        if tag in header:
            del header[tag]
        return
    header[tag] = DataElement(tag, dictionary_VR(tag), value, validation_mode=0)
    if keyword == "SpecificCharacterSet":
        # The bytes stay; what they are called changes.
        implicit, little = header.original_encoding
        header.set_original_encoding(implicit, little, header._character_set)
