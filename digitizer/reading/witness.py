"""What one engine's lines claim: captions first, then what the form of a word tells alone."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice

from digitizer.model.identity import PersonName
from digitizer.model.reading import FieldName, FieldSource
from digitizer.reading.captions import Caption, segments
from digitizer.reading.dates import FoundDate, find_dates
from digitizer.reading.names import carets, looks_like_name, name_signs, parse_name, untitled
from digitizer.reading.numbers import Number, fitting, leading_number, loose_numbers, other_form
from digitizer.reading.rules import ReadingRules, Vocabulary
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
_DAMAGED_DATE = re.compile(
    r"\d\S*\s*\b(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b"
    r"|\b(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b\s*\S*\d"
)
"""A month beside a digit, in what no date could be read from, is no name."""
_GOES_ON = re.compile(r"[A-Za-z'\- .]{2,40}")
_HALF_CAPTION = re.compile(r"FIRST|LAST|GIVEN|FAMILY|PATIENT", re.IGNORECASE)
_PERSON = re.compile(r"[A-Z'\-]{2,} ?[,^] ?([A-Z]+)")
_FAMILY_LINE = re.compile(r"(?:(?:PATIENT|PT\.? )?NAME\s?:?\s?)?[A-Z][A-Z'\-]{2,}", re.IGNORECASE)
_NAME_CAPTION = re.compile(r"NAME\b", re.IGNORECASE)
_CAPTIONED, _SHAPED, _GUESSED = 0.92, 0.75, 0.5
_MENDED = 0.65
_OTHER_FORM = 0.8
"""A captioned number whose form is not the site's."""
_DULL = 0.6
"""An engine's score below which a line without caption is not searched for names and numbers."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A value, and how sure the grammar is of it, 0 to 1."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class NameClaim:
    """A name, and how sure the grammar is of it."""

    name: PersonName
    confidence: float


@dataclass(slots=True)
class Witness:
    """All claims of one engine."""

    claims: dict[FieldName, list[Claim]] = field(default_factory=lambda: defaultdict(list))
    names: list[NameClaim] = field(default_factory=list)

    def add(self, name: FieldName, value: str, confidence: float) -> None:
        """Note a claim."""
        if value:
            self.claims[name].append(Claim(value, confidence))


@dataclass(frozen=True, slots=True)
class _LooseDate:
    found: FoundDate
    with_exam: bool
    confidence: float


@dataclass(slots=True)
class _Hearing:
    """What has been heard so far of one engine, and what is still open."""

    rules: ReadingRules
    witness: Witness = field(default_factory=Witness)
    dates: list[_LooseDate] = field(default_factory=list)
    births: list[_LooseDate] = field(default_factory=list)
    exam_dates: list[_LooseDate] = field(default_factory=list)
    unclear: list[tuple[str, bool, float]] = field(default_factory=list)
    """Numbers that fit a record and an accession number; whether a date stands beside them."""
    exams: dict[str, dict[FieldName, str]] = field(default_factory=dict)
    family: str = ""
    given: str = ""
    middle: str = ""
    pending: Caption | None = None
    birth_captioned: bool = False
    score: float = 1.0

    def weigh(self, confidence: float) -> float:
        """Return a confidence lowered by the engine's own doubt of the line."""
        return confidence * (0.4 + 0.6 * self.score)


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
    hearing = _Hearing(rules)
    for raw, score in _continued(islice(lines, _MOST_LINES), rules.vocabulary):
        line = _signs(raw[:_LONGEST_LINE])
        if line and is_stamp(line, rules.vocabulary):
            # What the caption before it headed lies under the stamp.
            hearing.pending = None
        elif line:
            hearing.score = score
            _line(line, hearing)
    _settle_dates(hearing, source)
    _settle_numbers(hearing, source)
    _settle_exams(hearing, source)
    if hearing.family and hearing.given:
        name = PersonName(family=hearing.family, given=hearing.given, middle=hearing.middle)
        hearing.witness.names.append(NameClaim(name, _CAPTIONED))
    return hearing.witness


def _continued(
    lines: Iterable[tuple[str, float]], vocabulary: Vocabulary
) -> Iterator[tuple[str, float]]:
    """Yield lines; one that is plainly half of something together with the next.

    ``DOE,`` ``JOHN A``; ``FIRST`` ``NAME: JOHN``; ``DOE`` ``JOHN A``; ``CHEST PA AND`` ``LATERAL``.
    """
    open_line: tuple[str, float] | None = None
    for text, score in lines:
        plain = text.strip()
        if open_line is not None:
            head, sure = open_line
            if _GOES_ON.fullmatch(plain) or _NAME_CAPTION.match(plain):
                open_line = None
                if not _is_half_name(head):
                    yield f"{head} {plain}", min(sure, score)
                    continue
                if _begins_with_given(plain, head, vocabulary):
                    yield f"{head}, {plain}", min(sure, score)
                    continue
                yield head, sure
            else:
                yield open_line
                open_line = None
        if _is_half(plain) or _is_half_name(plain):
            open_line = plain, score
        else:
            yield text, score
    if open_line is not None:
        yield open_line


def _is_half(plain: str) -> bool:
    return plain.endswith((",", "&", " AND", " and")) or _HALF_CAPTION.fullmatch(plain) is not None


def _is_half_name(plain: str) -> bool:
    return _FAMILY_LINE.fullmatch(plain) is not None and not _HALF_CAPTION.fullmatch(plain)


def _begins_with_given(text: str, family: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a line is the given names that belong to the lone word above it."""
    words = re.findall(r"[A-Z'\-]+", text.upper())
    above = re.findall(r"[A-Z'\-]+", family.upper())[-1]
    return (
        1 <= len(words) <= 3
        and words[0] in vocabulary.given_names
        and above not in vocabulary.given_names
        and not is_known_word(above, vocabulary, loosely=True)
        and not names_institution(above, vocabulary)
    )


def _signs(raw: str) -> str:
    """Return a line in upper case with plain dashes and single spaces."""
    plain = _BETWEEN.sub(lambda found: found.group().translate(_LETTERED), raw.upper())
    plain = plain.translate(_PLAIN)
    return " ".join(plain.split()).strip("| ")


def _line(line: str, hearing: _Hearing) -> None:
    words = hearing.rules.vocabulary
    with_exam = exam_text(line, words) is not None and not _names_person(line, words)
    for segment in segments(line):
        caption = segment.caption
        if caption is None and hearing.pending is not None and not with_exam:
            caption = hearing.pending
        hearing.pending = caption if caption is not None and not segment.text else None
        hearing.birth_captioned |= caption is Caption.BIRTH
        if segment.text:
            _segment(caption, segment.text, with_exam, hearing)


def _segment(caption: Caption | None, text: str, with_exam: bool, hearing: _Hearing) -> None:
    if caption is Caption.OTHER:
        return
    if caption in (Caption.BIRTH, Caption.EXAM_DATE):
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
            hearing.witness.add(FieldName.SEX, sex, hearing.weigh(_CAPTIONED))
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


def _name_part(caption: Caption, text: str, hearing: _Hearing) -> None:
    words = " ".join(re.findall(r"[A-Z'\-]+", name_signs(text))).strip("'- ")
    if caption is Caption.FAMILY:
        hearing.family = hearing.family or words
    elif caption is Caption.MIDDLE:
        hearing.middle = hearing.middle or words
    else:
        given, _, middle = words.partition(" ")
        hearing.given = hearing.given or given
        hearing.middle = hearing.middle or middle


def _captioned_date(caption: Caption, text: str, hearing: _Hearing) -> str:
    found = find_dates(text, day_first=hearing.rules.grammar.day_first, compact=True)
    if not found or found[0].start > 3:
        return text
    first = found[0]
    sure = _CAPTIONED * (1.0 if first.exact else _MENDED)
    place = hearing.births if caption is Caption.BIRTH else hearing.exam_dates
    place.append(_LooseDate(first, False, hearing.weigh(sure)))
    return f"{text[: first.start]} {text[first.end :]}".strip()


def _captioned_number(caption: Caption, text: str, hearing: _Hearing) -> str:
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
            sure = _CAPTIONED * (_MENDED if number.mended else 1.0)
            hearing.witness.add(name, str(number), hearing.weigh(sure))
            return rest.strip()
    free = other_form(text)
    if free is not None:
        hearing.witness.add(plan[0][0], str(free[0]), hearing.weigh(_CAPTIONED * _OTHER_FORM))
        return free[1].strip()
    return text


def _loose(text: str, with_exam: bool, hearing: _Hearing) -> str:
    """Take dates, a sex and numbers without captions out of a text; return what is left."""
    rest = text
    found = find_dates(text, day_first=hearing.rules.grammar.day_first)
    for one in reversed(found):
        sure = _SHAPED * (1.0 if one.exact else _MENDED)
        hearing.dates.append(_LooseDate(one, with_exam, hearing.weigh(sure)))
        rest = f"{rest[: one.start]} {rest[one.end :]}"
    rest = _aged(" ".join(rest.split()), hearing)
    sex = _TRAILING_SEX.search(rest)
    if sex and (found or rest.strip(" .") == sex.group(1)):
        hearing.witness.add(FieldName.SEX, sex.group(1)[0], hearing.weigh(_GUESSED + 0.1))
        rest = rest[: sex.start()].strip()
    for token in loose_numbers(rest):
        if _loose_number(token, bool(found), hearing):
            rest = " ".join(rest.replace(token, " ", 1).split())
    return rest


def _aged(text: str, hearing: _Hearing) -> str:
    """Return a text without an age (``45Y``, ``M 45 YRS``), the sex beside it noted."""
    age = _AGE.search(text)
    if age is None:
        return text
    told = age.group(1) or age.group(2)
    if told:
        hearing.witness.add(FieldName.SEX, told, hearing.weigh(_SHAPED))
    return " ".join(f"{text[: age.start()]} {text[age.end() :]}".split())


def _loose_number(token: str, beside_date: bool, hearing: _Hearing) -> bool:
    """Note a number without caption; True when it was one."""
    grammar = hearing.rules.grammar
    if re.fullmatch(grammar.jacket_barcode, token):
        return True
    if _DASHED.fullmatch(token):
        value = fitting(token, grammar.accession_number)
        if value is not None:
            hearing.witness.add(FieldName.ACCESSION_NUMBER, str(value), hearing.weigh(_SHAPED))
        return True
    record = fitting(token, grammar.record_number)
    accession = fitting(token, grammar.accession_number)
    if hearing.score < _DULL and not (record and not record.mended):
        return False
    if record is not None and accession is not None:
        hearing.unclear.append((str(record), beside_date, hearing.score))
    elif record is not None:
        _note(FieldName.PATIENT_ID, record, hearing)
    elif accession is not None:
        _note(FieldName.ACCESSION_NUMBER, accession, hearing)
    return record is not None or accession is not None


def _note(name: FieldName, number: Number, hearing: _Hearing) -> None:
    sure = _SHAPED * (_MENDED if number.mended else 1.0)
    hearing.witness.add(name, str(number), hearing.weigh(sure))


def _exam(text: str, hearing: _Hearing) -> bool:
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


def _name(text: str, hearing: _Hearing, *, captioned: bool) -> None:
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
    if captioned:
        sure = _CAPTIONED if shaped else _CAPTIONED - 0.07
    elif shaped:
        sure = 0.88
    elif hearing.score < _DULL or not _BARE.fullmatch(text):
        return
    else:
        sure = 0.7 if name.given in words.given_names else 0.35
    hearing.witness.names.append(NameClaim(name, hearing.weigh(sure)))


def _settle_dates(hearing: _Hearing, source: FieldSource) -> None:
    """Tell birth dates from dates of exams, by caption and then by plausibility."""
    loose = list(dict.fromkeys(hearing.dates))
    births, exams = list(hearing.births), list(hearing.exam_dates)
    # The year in an accession number (R78-01234) tells the exam's date.
    numbered = {
        claim.value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")[:2]
        for claim in hearing.witness.claims.get(FieldName.ACCESSION_NUMBER, [])
        if "-" in claim.value
    }
    if not births and not hearing.birth_captioned:
        bare = sorted(
            (one for one in loose if not one.with_exam and one.found.value[2:4] not in numbered),
            key=lambda one: one.found.value,
        )
        others = {one.found.value for one in (*loose, *exams)}
        others -= {one.found.value for one in bare[:1]}
        enough = source is FieldSource.LABEL or bool(others)
        if bare and enough and all(bare[0].found.value[:4] < other[:4] for other in others):
            births = [replace(bare[0], confidence=bare[0].confidence * 0.75)]
    born = {one.found.value for one in births}
    exams = exams or [one for one in loose if one.found.value not in born]
    days = {one.found.value for one in exams}
    earliest = min(days, default="")
    for one in births:
        value = _century_back(one.found, earliest)
        hearing.witness.add(FieldName.BIRTH_DATE, value, one.confidence)
    if len(days) == 1:
        for one in exams:
            hearing.witness.add(FieldName.STUDY_DATE, one.found.value, one.confidence)


def _century_back(found: FoundDate, exam: str) -> str:
    """Put a two-digit birth year a century back where the exam would lie before the birth."""
    if found.full_year or not exam or found.value <= exam:
        return found.value
    day = date.fromisoformat(found.value)
    try:
        return day.replace(year=day.year - 100).isoformat()
    except ValueError:
        return found.value


def _settle_numbers(hearing: _Hearing, source: FieldSource) -> None:
    """Tell what a number is that fits both forms: by its neighbours, its year, what is missing.

    A label always bears its patient's number, and the date beside it is the birth date.
    """
    witness = hearing.witness
    years = {one.value[2:4] for one in witness.claims.get(FieldName.STUDY_DATE, [])}
    for value, beside_date, score in hearing.unclear:
        records = {one.value for one in witness.claims.get(FieldName.PATIENT_ID, [])}
        dated = source is FieldSource.FILM and (beside_date or value[:2] in years)
        told = bool(records) and value not in records
        name = FieldName.ACCESSION_NUMBER if dated or told else FieldName.PATIENT_ID
        sure = _SHAPED - 0.1 if dated or told else _GUESSED
        witness.add(name, value, sure * (0.4 + 0.6 * score))


def _settle_exams(hearing: _Hearing, source: FieldSource) -> None:
    """Note the exam; a jacket that lists several bears none of them as its own."""
    days = {one.found.value for one in hearing.dates if one.with_exam}
    if max(len(hearing.exams), len(days)) > 1 and source is FieldSource.LABEL:
        return
    for told in list(hearing.exams.values())[:1]:
        for name, value in told.items():
            hearing.witness.add(name, value, _SHAPED)
