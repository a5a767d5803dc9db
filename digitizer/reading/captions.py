"""Captions on labels and films (NAME, MRN, DOB, ACC ...), and the pieces of a line they head.

Captions stand glued to what they head (``DATE02.12.62ACC#6288``) or misread by a character
(``NANE:``, ``X-RAY NC.``), so a caption ends where its letters end, not where a space stands.

What stands before a date and is misread worse announces what it is closest to. So no exam's day is
made of a date behind a birth's caption misread, nor a birth of one behind DOE, an exam's: of three
letters one confusion tells DOB from that, and so no misread one announces a birth.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique

from rapidfuzz.distance import OSA

from digitizer.reading.likeness import misreading

__all__ = ["Caption", "Segment", "announced", "segments"]


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
    PERHAPS_BIRTH = "perhaps birth"
    """Misread, and closer to a birth's than to any other: what it heads is no exam's day."""
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
_OF_DATES: Mapping[Caption, tuple[str, ...]] = {
    Caption.BIRTH: (
        "DOB", "DATEOFBIRTH", "BIRTHDATE", "BIRTHDAY", "BIRTH", "BORN", "GEB", "GEBDATUM", "GEBDAT",
        "GEBURTSDATUM", "GEBOREN", "DDN", "NACIMIENTO", "FECHANAC", "FECHADENACIMIENTO",
    ),
    Caption.EXAM_DATE: (
        "DATE", "DATED", "DATUM", "EXAMDATE", "EXAMINATIONDATE", "STUDYDATE", "FILMDATE",
        "XRAYDATE",
        "DATEOFEXAM", "DATEOFEXAMINATION", "DATEOFSTUDY", "DATEOFSERVICE", "SERVICEDATE",
        "DATEOFPROCEDURE", "DATEOFVISIT", "TAKEN", "TAKENON", "EXAM", "STUDY", "DOE", "DOS", "DOP",
    ),
    Caption.OTHER: (
        "DOA", "DOD", "DOR", "DO", "DOH", "DC", "DATEOFDEATH", "DATEOFREPORT", "REPORTDATE",
        "DATEOFADMISSION", "ADMITTED", "DATEOFDISCHARGE", "DISCHARGED", "DATEPRINTED", "PRINTED",
        "RECEIVED",
    ),
}  # fmt: skip
"""What stands before a date, letters alone, by what the date is then."""
_OF_FILM = ("EXAM", "FILM", "STUDY", "CASE", "PLATE")
"""What stands before NO. where the number is the film's own."""
_VOWEL = re.compile(r"[AEIOUY0-9]")
_BARE_NO = re.compile(rf"{_NO}\b")
_WORD_BEFORE = re.compile(r"([A-Z0-9\-]{3,})[.\s]*$")
_SIGNS = " :;.,#=?-"
"""Stand behind a caption, or between the letters of one."""
_PARTED = re.compile(r"[^A-Z0-9 .,\-]")
_MOST_HEADING, _MOST_LETTERS = 4, 24
_PERSON = re.compile(r"[A-Z]{2,}\s?, ?[A-Z]+\s*$")
"""A name before a date: HORTON, BJORN was not BORN."""
_LEAST_HEADING = 3
_PERHAPS, _SURELY, _APART = 0.35, 0.2, 0.1
"""Confusions to a letter of a caption that may be it, or surely is, and by which others are
further."""
_LEAST_SURE = 5
"""Letters of a caption that is told surely though it was misread."""
_MISREAD = re.compile(r"^\W*([A-Z0-9]{3,10}(?: N[A-Z0-9]{3})?)\s?([:;?]|(?=\s))\s*")
_ONE_CONFUSION = 0.5
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
    before = 0
    for (start, stop, caption), end in zip(found, ends, strict=True):
        if caption is Caption.EXAM_DATE:
            # BIRTI-I DATE: the word that was read is not all of the caption.
            told = announced(line[before:stop])
            caption = told if told in (Caption.BIRTH, Caption.PERHAPS_BIRTH) else caption
        elif caption is Caption.RECORD and _BARE_NO.match(line[start:stop]):
            caption = _of_number(line[before:start])
        pieces.append(Segment(caption, line[stop:end].strip()))
        before = stop
    return pieces


def _of_number(heading: str) -> Caption:
    """Tell what NO. announces: by the word before it, though that was misread (F1LM NO., FLM NO.).

    What may be a name, or another word, is no misread one: CARE NO. and DOE, CASS NO. head the
    patient's number, and only that may speak against a wrong patient.
    """
    word = _WORD_BEFORE.search(heading)
    if word is None or _PERSON.search(heading):
        return Caption.RECORD
    film = any(_is_misread(word.group(1), one) for one in _OF_FILM)
    return Caption.ACCESSION if film else Caption.RECORD


def _is_misread(read: str, printed: str) -> bool:
    """Tell whether a word is another but for one sign like its own, or for its only vowel lost."""
    cost = misreading(read, printed)
    if cost is None:
        return False
    lost = len(read) < len(printed) and _VOWEL.search(read) is None
    return cost <= (1.0 if lost else _ONE_CONFUSION)


def announced(heading: str) -> Caption | None:
    """Tell what the words that stand before a date announce, though they were misread.

    Parameters
    ----------
    heading : str
        Upper case; the last of its words count.

    Returns
    -------
    Caption or None
        BIRTH, PERHAPS_BIRTH, EXAM_DATE, or OTHER of a date of something else; None where the words
        are near to none of their captions, or to several.
    """
    last = _PARTED.split(heading.rstrip(_SIGNS).replace("'", ""))[-1]
    words = re.findall(r"[A-Z0-9]+", last)[-_MOST_HEADING:]
    person = _PERSON.search(heading) is not None
    told = None
    for first in range(len(words)):
        near = _near("".join(words[first:]))
        if near is None:
            continue
        if near[0] <= _SURELY:
            # The most words that together are a caption: BIRTI-I DATE is not DATE.
            return near[1]
        told = near if told is None else min(told, near, key=lambda one: one[0])
    return told[1] if told and not person else None


def _near(read: str) -> tuple[float, Caption | None] | None:
    """Return what a word, or several run together, is nearest to, and how far it is, by letters.

    None where it is near to nothing; with it no caption where it is as near to several.
    """
    if not _LEAST_HEADING <= len(read) <= _MOST_LETTERS or 2 * sum(map(str.isalpha, read)) < len(
        read
    ):
        return None
    near: dict[Caption, tuple[float, int]] = {}
    for caption, every in _OF_DATES.items():
        for printed in every:
            cost = misreading(read, printed)
            if cost is not None and cost <= _most(printed):
                told = cost / len(printed), len(printed)
                near[caption] = min(near.get(caption, told), told)
    if not near:
        return None
    best, *others = sorted(near, key=lambda one: near[one])
    share, letters = near[best]
    next_best = near[others[0]][0] if others else 1.0
    if next_best <= share:
        return share, None
    if best is not Caption.BIRTH or share == 0:
        return share, best
    sure = letters >= _LEAST_SURE and share <= _SURELY and next_best >= share + _APART
    return share, best if sure else Caption.PERHAPS_BIRTH


def _most(printed: str) -> float:
    """Return what the confusions of a caption may cost: one look-alike, one sign, or its share."""
    return max(0.5 if len(printed) <= _LEAST_HEADING else 1.0, _PERHAPS * len(printed))


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
        if (abs(len(known) - len(word)) <= 1 and OSA.distance(known, word) == 1)
        or (word != known and (misreading(word, known) or 1.0) <= _ONE_CONFUSION)
    ]
    return near[0] if len(set(near)) == 1 else None
