"""Captions on labels and films (NAME, MRN, DOB, ACC ...), and the pieces of a line they head.

Captions stand glued to what they head (``DATE02.12.62ACC#6288``) or misread by a character
(``NANE:``, ``X-RAY NC.``), so a caption ends where its letters end, not where a space stands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique

from rapidfuzz.distance import OSA

__all__ = ["Caption", "Segment", "segments"]


@unique
class Caption(Enum):
    """What a caption announces."""

    NAME = "name"
    FAMILY = "family"
    GIVEN = "given"
    MIDDLE = "middle"
    RECORD = "record"
    ACCESSION = "accession"
    BIRTH = "birth"
    EXAM_DATE = "exam date"
    SEX = "sex"
    EXAM = "exam"
    OTHER = "other"
    """Something that is no identifier: a ward, a doctor, a volume."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a line: its caption, if any, and the text after it."""

    caption: Caption | None
    text: str


_NO = r"(?:NUMBER|NUMB?|N[O0CQ°]|[WH]O|NR|ID|#)"
_BODIES: Mapping[Caption, str] = {
    Caption.ACCESSION: rf"ACC(?:ESSION|ESS|N)?\b(?:\s?{_NO}\b)?|ACC(?:ESSION)?(?=\s?[#\d])"
    rf"|(?:EXAM|FILM|STUDY|CASE|PLATE)\s?{_NO}",
    Caption.RECORD: r"M\.?\s?R\.?\s?N|MR(?=\s?[#:])|MED(?:ICAL|\.)?\s?REC(?:ORD|\.)?"
    rf"(?:\s?{_NO})?|(?:HOSP(?:ITAL)?|UNIT|X-?\s?RAY|XRAY|PATIENT|PAT|PT|CHART|REG(?:ISTRATION)?"
    rf"|RECORD|FILE|CLINIC|UR|NHS)\.?\s?{_NO}|(?:NUMBER|N[O0]|NR|ID)(?=[.:#\s]*[A-Z]?\d)|I\.D",
    # An 8 is a misread B only where nothing parts it: DO 8/12 is a doctor's day, D0812345 a number.
    Caption.BIRTH: r"D\.?\s?[O0Q]\.?(?:\s?B|8(?!\d))|DATE OF BIRTH|B[I1]RTH\s?-?DA(?:TE|Y)"
    r"|B[O0]RN(?: ON)?"
    r"|BIRTH|DDN|GEB(?:UR[TI]S|\.)?[\s.\-]*DA[T7]U?M?|GEB(?:OREN)?(?: AM)?|NEE? LE|NATO|NACID[OA]"
    r"|B[./]?\s?D(?=[.:\s]*\d)|B\.?\s?DATE|FECHA (?:DE )?NAC(?:IMIENTO)?",
    Caption.EXAM_DATE: r"(?:EXAM(?:INATION)?|STUDY|FILM|X-?RAY)?\s?DATE(?: OF (?:EXAM|STUDY))?"
    r"|TAKEN(?: ON)?|DATED|DATUM",
    Caption.SEX: r"SEX[EO]?|GENDER|GESCHL(?:ECHT)?|M\s?/\s?F(?=\s?[:.])",
    Caption.FAMILY: r"LAST\s?NAME|SURNAME|FAMILY\s?NAME|FAMILIENNAME|APELLIDOS?|COGNOME"
    r"|(?:LAST|FAMILY)(?=\s?:)",
    Caption.GIVEN: r"FIRST\s?NAMES?|GIVEN\s?NAMES?|FORENAMES?|PRENOMS?|VORNAMEN?|NOMBRES?"
    r"|(?:FIRST|GIVEN)(?=\s?:)",
    Caption.MIDDLE: r"MIDDLE(?:\s?(?:NAME|INITIAL|INIT\.?))?(?=\s?:)|MIDDLE\s?(?:NAME|INITIAL)"
    r"|M\.?\s?I\.?(?=\s?:)",
    Caption.NAME: r"(?:PATIENT'?S?|PT|PAT)\.?\s?NAME|[A-Z]{0,3}NAME|NOM|PATIENT|P(?:AT|T)(?=[.:])"
    r"|(?<=^)NAME(?=[A-Z]{3})",
    Caption.EXAM: r"(?:EXAM(?:INATION)?|STUDY|PROCEDURE|REGION)(?=\s?:)",
    Caption.OTHER: r"(?:WARD|ROOM|AGE|BOX|VOL(?:UME)?|LOC(?:ATION)?|KV|MAS|TEL|RET)(?=\s?[.:#\d])"
    r"|DR(?=[.\s])|PHYSICIAN|REF(?:ERRED|ERRING)(?: BY)?|REF(?=[.:])|DOCTOR|TECH(?:NOLOGIST)?"
    r"|RADIOLOGIST|PHONE|ADDRESS|SEE ALSO",
}
_PATTERNS = {
    caption: re.compile(rf"(?<![A-Z'])(?:{body})(?![A-Z'])\.?\s*[:;.,#=?]*\s*")
    for caption, body in _BODIES.items()
}
_WORDS = {
    "NAME": Caption.NAME,
    "SURNAME": Caption.FAMILY,
    "LASTNAME": Caption.FAMILY,
    "LAST NAME": Caption.FAMILY,
    "FAMILY NAME": Caption.FAMILY,
    "FORENAME": Caption.GIVEN,
    "FIRSTNAME": Caption.GIVEN,
    "FIRST NAME": Caption.GIVEN,
    "GIVEN NAME": Caption.GIVEN,
    "PATIENT NAME": Caption.NAME,
    "PATIENT": Caption.NAME,
    "BIRTHDATE": Caption.BIRTH,
    "BORN": Caption.BIRTH,
    "ACCESSION": Caption.ACCESSION,
    "DATE": Caption.EXAM_DATE,
}
_MISREAD = re.compile(r"^\W*([A-Z0-9]{3,10}(?: N[A-Z0-9]{3})?)\s?([:;?]|(?=\s))\s*")
_SURE = 7
"""Letters from which a misread caption is known without the colon after it."""


def segments(line: str) -> list[Segment]:
    """Split a line at its captions.

    Parameters
    ----------
    line : str
        Upper case, single spaces.

    Returns
    -------
    list of Segment
        What stands before the first caption has none; empty texts are kept after a caption.
    """
    found = _found(line)
    if not found or found[0][0] > 0:
        misread = _MISREAD.match(line)
        caption = _misread(misread, line) if misread else None
        if misread and caption and (not found or found[0][0] >= misread.end()):
            found.insert(0, (0, misread.end(), caption))
    if not found:
        return [Segment(None, line)]
    pieces: list[Segment] = []
    if line[: found[0][0]].strip():
        pieces.append(Segment(None, line[: found[0][0]].strip()))
    ends = [start for start, _, _ in found[1:]] + [len(line)]
    for (_, stop, caption), end in zip(found, ends, strict=True):
        pieces.append(Segment(caption, line[stop:end].strip()))
    return pieces


def _found(line: str) -> list[tuple[int, int, Caption]]:
    """Return captions that do not overlap; of two at one place the longer counts."""
    every = [
        (match.start(), match.end(), caption)
        for caption, pattern in _PATTERNS.items()
        for match in pattern.finditer(line)
    ]
    every.sort(key=lambda one: (one[0], -one[1]))
    kept: list[tuple[int, int, Caption]] = []
    for one in every:
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return kept


def _misread(found: re.Match[str], line: str) -> Caption | None:
    """Return the caption that a line's first word was; short ones want a colon, or a name next."""
    word, sign = found.groups()
    if sign or len(word) >= _SURE:
        return _nearest(word)
    named = "," in line[found.end() :] or "^" in line[found.end() :]
    return _nearest(word) if named and len(word) == 4 and word[:2] == "NA" else None


def _nearest(word: str) -> Caption | None:
    near = [
        caption
        for known, caption in _WORDS.items()
        if abs(len(known) - len(word)) <= 1 and OSA.distance(known, word) == 1
    ]
    return near[0] if len(near) == 1 else None
