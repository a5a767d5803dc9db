"""What one engine's lines claim: captions first, then what the form of a word tells alone."""

import re
from collections.abc import Iterable
from itertools import islice

from digitizer.model.identity import PersonName
from digitizer.model.reading import FieldName, FieldSource
from digitizer.reading.captions import Caption, announced, segments
from digitizer.reading.continued import continued
from digitizer.reading.dates import FoundDate, find_dates
from digitizer.reading.hearing import (
    CAPTIONED,
    DAMAGED,
    DULL,
    GUESSED,
    MENDED,
    OTHER_FORM,
    SHAPED,
    Claim,
    Hearing,
    LooseDate,
    NameClaim,
    Witness,
)
from digitizer.reading.names import carets, looks_like_name, name_signs, parse_name, untitled
from digitizer.reading.numbers import Number, fitting, leading_number, loose_numbers, other_form
from digitizer.reading.rules import ReadingRules, Vocabulary
from digitizer.reading.settling import settle_dates, settle_exams, settle_numbers
from digitizer.reading.words import exam_text, is_known_word, is_stamp, names_institution

__all__ = ["Claim", "NameClaim", "Witness", "hear"]

_MOST_LINES = 400
_LONGEST_LINE = 200
_DASHED = re.compile(r"[A-Z]{1,3}\d{2}-\d{3,7}|\d{2}-\d{4,7}")
_SEX = re.compile(r"\s*(FEMALE|MALE|OTHER|WEIBL\w*|M[AÄ]E?NNL\w*|[MFOWH])\b\.?")
_SEXES = {"W": "F", "H": "M"}
"""Weiblich and homme."""
_TRAILING_SEX = re.compile(r"(?:^|[\s,;/])(FEMALE|MALE|[MF])\.?$")
_AGE = re.compile(
    r"(?:(?<![A-Z])([MF])[\s,/]+)?(?<![\dA-Z/.\-])\d{1,3}\s?(?:Y(?:R?S?|\.?O\.?|/O|EARS?)?|MONTHS?|WEEKS?)"
    r"(?: OLD)?(?![A-Z\d])\.?(?:[\s,/]*([MF])(?![A-Z]))?"
)
"""An age, with the sex that is written beside it."""
_BARE = re.compile(r"[A-Z][A-Z'\-.]+(?: [A-Z'\-]+\.?){1,4}")
_PLAIN = str.maketrans("\u2014\u2013\u2010_\\", "--- /")
_BETWEEN = re.compile(r"(?<=[A-Z])[014568](?=[A-Z]{2})|(?<=[A-Z]{2})[014568](?=[A-Z])")
"""Digits among letters are letters misread: ``JOHNS0N``, ``P4TIENT``."""
_LETTERED = str.maketrans("014568", "OIASGB")
_APART = re.compile(
    r"(?<![A-Z0-9])(?P<begun>[A-Z]{0,3}\d{1,4}) (?=[\-./]\d)"
    r"|(?<![A-Z0-9])(?P<year>[A-Z]{1,3}\d{2}) ?- ?(?=\d{3,7}(?![A-Z0-9]))"
)
"""A space that an engine saw before a sign within a number or date: ``X90 -92427``, ``21 .1.1916``;
in a number of a year about its dash too: ``X90 - 92427``."""
_DAMAGED_DATE = re.compile(
    r"\d\S*\s*\b(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b"
    r"|\b(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b\s*\S*\d"
)
"""A month beside a digit, in what no date could be read from, is no name."""
_GROUPS = re.compile(r"(?:[A-Z]\d{1,7}|\d{2,7})(?: \d{2,7}){1,2}")
_HEADS = (":", ".", ";")
"""End a caption that stands alone in its line."""
_BIRTHS = (Caption.BIRTH, Caption.PERHAPS_BIRTH)
_MOST_WORDS = 3
"""Of a name without comma or caret: family name, given name, middle name or initial."""
_PERSON = re.compile(r"[A-Z'\-]{2,} ?[,^] ?([A-Z]+)")


def hear(lines: Iterable[tuple[str, float]], source: FieldSource, rules: ReadingRules) -> Witness:
    """Parse the lines of one engine.

    Parameters
    ----------
    lines : iterable of (str, float)
        Text and the engine's score, in reading order.
    source : FieldSource
        A label without a captioned birth date bears it bare; a film rather bears its exam's date.
    rules : ReadingRules
        Vocabulary and grammar.
    """
    hearing = Hearing(rules)
    for raw, score in continued(islice(lines, _MOST_LINES), rules.vocabulary):
        line = _signs(raw[:_LONGEST_LINE])
        if line and is_stamp(line, rules.vocabulary):
            # What the caption before it headed lies under the stamp.
            hearing.pending = None
        elif line:
            hearing.score = score
            _line(line, hearing)
    settle_dates(hearing, source)
    settle_numbers(hearing, source)
    settle_exams(hearing, source)
    if hearing.family and hearing.given:
        name = PersonName(family=hearing.family, given=hearing.given, middle=hearing.middle)
        hearing.witness.names.append(NameClaim(name, CAPTIONED))
    return hearing.witness


def _signs(raw: str) -> str:
    """Return a line in upper case with plain dashes and single spaces."""
    plain = _BETWEEN.sub(lambda found: found.group().translate(_LETTERED), raw.upper())
    plain = plain.translate(_PLAIN)
    return _APART.sub(_together, " ".join(plain.split())).strip("| ")


def _together(found: re.Match[str]) -> str:
    return found["begun"] or f"{found['year']}-"


def _line(line: str, hearing: Hearing) -> None:
    words = hearing.rules.vocabulary
    with_exam = exam_text(line, words) is not None and not _names_person(line, words)
    for segment in segments(line):
        caption = segment.caption
        if caption is None and hearing.pending is not None and not with_exam:
            caption = hearing.pending
        hearing.pending = caption if caption is not None and not segment.text else None
        if caption is None and segment.text.endswith(_HEADS):
            told = _misread_heading(segment.text, words)
            hearing.pending = told if told in _BIRTHS else None
        hearing.birth_captioned |= caption is Caption.BIRTH
        if segment.text:
            _segment(caption, segment.text, with_exam, hearing)


def _segment(caption: Caption | None, text: str, with_exam: bool, hearing: Hearing) -> None:
    if caption is Caption.OTHER:
        return
    if caption in (*_BIRTHS, Caption.EXAM_DATE):
        rest = _captioned_date(caption, text, hearing)
        if rest == text:
            # A date that could not be read where it was looked for: neither name nor number.
            _exam(text, hearing)
            return
        text = rest
    elif caption is Caption.SEX:
        match = _SEX.match(text)
        if match:
            letter = match.group(1)[0]
            sex = _SEXES.get(letter, letter)
            hearing.witness.add(FieldName.SEX, sex, hearing.weigh(CAPTIONED))
            text = text[match.end() :]
    elif caption in (Caption.RECORD, Caption.ACCESSION):
        text = _captioned_number(caption, text, hearing)
    elif caption in (Caption.FAMILY, Caption.GIVEN, Caption.MIDDLE):
        _name_part(caption, text, hearing)
        return
    rest = _loose(text, with_exam, hearing)
    if caption is Caption.NAME:
        _name(rest, hearing, captioned=True)
    elif _names_person(rest, hearing.rules.vocabulary) or not _exam(rest, hearing):
        _name(rest, hearing, captioned=False)


def _names_person(text: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a known given name stands after a comma or caret: COLON, MARIA is no exam."""
    return any(given in vocabulary.given_names for given in _PERSON.findall(name_signs(text)))


def _name_part(caption: Caption, text: str, hearing: Hearing) -> None:
    words = " ".join(re.findall(r"[A-Z'\-]+", name_signs(text))).strip("'- ")
    if caption is Caption.FAMILY:
        hearing.family = hearing.family or words
    elif caption is Caption.MIDDLE:
        hearing.middle = hearing.middle or words
    else:
        given, _, middle = words.partition(" ")
        hearing.given = hearing.given or given
        hearing.middle = hearing.middle or middle


def _captioned_date(caption: Caption, text: str, hearing: Hearing) -> str:
    found = find_dates(text, day_first=hearing.rules.grammar.day_first, compact=True)
    if not found or found[0].start > 3:
        return text
    first = found[0]
    rest = f"{text[: first.start]} {text[first.end :]}".strip()
    sure = CAPTIONED * (1.0 if first.exact else MENDED)
    if caption is Caption.PERHAPS_BIRTH:
        hearing.dates.append(LooseDate(first, False, hearing.weigh(SHAPED), perhaps_birth=True))
        return rest
    place = hearing.births if caption is Caption.BIRTH else hearing.exam_dates
    place.append(LooseDate(first, False, hearing.weigh(sure)))
    return rest


def _captioned_number(caption: Caption, text: str, hearing: Hearing) -> str:
    grammar = hearing.rules.grammar
    record = (FieldName.PATIENT_ID, grammar.record_number)
    accession = (FieldName.ACCESSION_NUMBER, grammar.accession_number)
    plan = (record, accession) if caption is Caption.RECORD else (accession,)
    dashed = re.match(r"\s*([A-Z]{1,3}\d{2}-\d{3,7})\b", text)
    if dashed and caption is Caption.RECORD:
        plan = (accession,)
    for name, pattern in plan:
        found = leading_number(text, pattern)
        if found is not None:
            number, rest = found
            sure = CAPTIONED * (MENDED if number.mended else 1.0)
            hearing.witness.add(name, str(number), hearing.weigh(sure))
            return rest.strip()
    free = other_form(text)
    if free is not None:
        # Digits alone of another length are rather a number of which a part was not seen.
        sure = DAMAGED if free[0].isdigit() else OTHER_FORM
        hearing.witness.add(plan[0][0], str(free[0]), hearing.weigh(CAPTIONED * sure))
        return free[1].strip()
    return text


def _loose(text: str, with_exam: bool, hearing: Hearing) -> str:
    """Take dates, a sex and numbers without captions out of a text; return what is left."""
    rest = text
    found = find_dates(text, day_first=hearing.rules.grammar.day_first)
    ends = [0, *(one.end for one in found)]
    for one, before in reversed(list(zip(found, ends, strict=False))):
        _loose_date(one, text[before : one.start], with_exam, hearing)
        rest = f"{rest[: one.start]} {rest[one.end :]}"
    rest = _aged(" ".join(rest.split()), hearing)
    sex = _TRAILING_SEX.search(rest)
    if sex and (found or rest.strip(" .") == sex.group(1)):
        hearing.witness.add(FieldName.SEX, sex.group(1)[0], hearing.weigh(GUESSED + 0.1))
        rest = rest[: sex.start()].strip()
    if _GROUPS.fullmatch(rest):
        # Spaces that an engine saw in a number which stands alone.
        rest = rest.replace(" ", "")
    for token in loose_numbers(rest):
        if _loose_number(token, bool(found), hearing):
            rest = " ".join(rest.replace(token, " ", 1).split())
    return rest


def _loose_date(found: FoundDate, heading: str, with_exam: bool, hearing: Hearing) -> None:
    """Note a date without a caption, or with one that was misread: then as what that is nearest to.

    Of a day of death or report nothing is noted.
    """
    told = _misread_heading(heading, hearing.rules.vocabulary)
    sure = SHAPED * (1.0 if found.exact else MENDED)
    if told is Caption.BIRTH:
        hearing.birth_captioned = True
        hearing.births.append(LooseDate(found, False, hearing.weigh(sure)))
    elif told is not Caption.OTHER:
        perhaps = told is Caption.PERHAPS_BIRTH
        hearing.dates.append(LooseDate(found, with_exam, hearing.weigh(sure), perhaps))


def _misread_heading(heading: str, vocabulary: Vocabulary) -> Caption | None:
    """Tell what announces a date; words of exams and given names, which may be like it, do not."""
    words = re.findall(r"[A-Z]+", heading)
    if not words or words[-1] in vocabulary.given_names or is_known_word(words[-1], vocabulary):
        return None
    return announced(heading)


def _aged(text: str, hearing: Hearing) -> str:
    """Return a text without an age (``45Y``, ``M 45 YRS``), the sex beside it noted."""
    age = _AGE.search(text)
    if age is None:
        return text
    told = age.group(1) or age.group(2)
    if told:
        hearing.witness.add(FieldName.SEX, told, hearing.weigh(SHAPED))
    return " ".join(f"{text[: age.start()]} {text[age.end() :]}".split())


def _loose_number(token: str, beside_date: bool, hearing: Hearing) -> bool:
    """Note a number without caption; True when it was one."""
    grammar = hearing.rules.grammar
    if re.fullmatch(grammar.jacket_barcode, token):
        return True
    if _DASHED.fullmatch(token):
        value = fitting(token, grammar.accession_number)
        if value is not None:
            hearing.witness.add(FieldName.ACCESSION_NUMBER, str(value), hearing.weigh(SHAPED))
        return True
    record = fitting(token, grammar.record_number)
    accession = fitting(token, grammar.accession_number)
    if hearing.score < DULL and not (record and not record.mended):
        return False
    if record is not None and accession is not None:
        hearing.unclear.append((str(record), beside_date, hearing.score))
    elif record is not None:
        _note(FieldName.PATIENT_ID, record, hearing)
    elif accession is not None:
        _note(FieldName.ACCESSION_NUMBER, accession, hearing)
    return record is not None or accession is not None


def _note(name: FieldName, number: Number, hearing: Hearing) -> None:
    sure = SHAPED * (MENDED if number.mended else 1.0)
    hearing.witness.add(name, str(number), hearing.weigh(sure))


def _exam(text: str, hearing: Hearing) -> bool:
    told = exam_text(text, hearing.rules.vocabulary)
    if told is None:
        return False
    hearing.exams.setdefault(
        told.description,
        {
            FieldName.DESCRIPTION: told.description,
            FieldName.BODY_PART: told.body_part,
            FieldName.MODALITY: told.modality,
            FieldName.LATERALITY: told.laterality,
        },
    )
    return True


def _is_long(name: PersonName) -> bool:
    """Tell whether a name has so many words that one may be two: lost ink parts ``CLA RK``."""
    return len(f"{name.family} {name.given} {name.middle}".split()) > _MOST_WORDS


def _name(text: str, hearing: Hearing, *, captioned: bool) -> None:
    """Note a name: after its caption, by its comma or caret, or as bare words of letters."""
    words = hearing.rules.vocabulary
    if not captioned and _DAMAGED_DATE.search(text):
        return
    text = re.sub(r"[^\w\s'\"“”‘’`´*~«»°™,.^;:\-]|[\d_]", " ", untitled(text))
    text = " ".join(name_signs(text).split()).strip(" :.;,-'")
    tokens = [one for one in re.split(r"[^A-Z']+", text) if len(one) > 1]
    text = carets(text, words.given_names)
    shaped = looks_like_name(text)
    # WRIGHT is one character from RIGHT, COLON a family name: beside a given name they are names.
    beside = any(one in words.given_names for one in tokens)
    known = [
        is_known_word(one, words, loosely=not (captioned or shaped or beside)) for one in tokens
    ]
    if not tokens or (any(known) and not ((captioned or shaped) and beside)):
        return
    if not captioned and names_institution(text, words):
        return
    name = parse_name(text, words.given_names)
    if name is None:
        return
    if shaped and "^" in text and len(name.given) == 1:
        # DOE JANE^A: a caret was lost, and the initial is no given name.
        sure = GUESSED
    elif captioned:
        sure = CAPTIONED if shaped else CAPTIONED - 0.07 * (2 if _is_long(name) else 1)
    elif shaped:
        sure = 0.88
    elif hearing.score < DULL or not _BARE.fullmatch(text):
        return
    else:
        sure = 0.7 if name.given in words.given_names else 0.35
    hearing.witness.names.append(NameClaim(name, hearing.weigh(sure)))
