"""Lines of text to fields: captions first, then what the shape of a word tells alone.

Every engine's lines are parsed by themselves; what two engines agree on is sure, where they
disagree the better-formed value stands with a low confidence. A field's value is what was read.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from digitizer.model.reading import (
    Field,
    FieldName,
    Fields,
    FieldSource,
    Reading,
    Testimony,
)
from digitizer.reading.dates import find_dates
from digitizer.reading.names import looks_like_name, parse_name
from digitizer.reading.rules import ReadingRules

__all__ = ["parse", "parse_lines", "testimony", "testimony_of_lines"]

_CAPTIONS: Mapping[FieldName, re.Pattern[str]] = {
    FieldName.ACCESSION_NUMBER: re.compile(
        r"\b(?:ACCESSION|ACCN?|ACC|EXAM NO|FILM NO|STUDY NO)\b\s*(?:NUMBER|NO)?\s*[.#:]*\s*"
    ),
    FieldName.PATIENT_ID: re.compile(
        r"\b(?:MRN|MR|M\.R\.N|MED(?:ICAL)? REC(?:ORD)?|HOSP(?:ITAL)?|UNIT|X-?RAY|PATIENT|PT|CHART|"
        r"REG)?\s*\b(?:NUMBER|NO|ID|#|MRN)\b\s*[.#:]*\s*"
    ),
    FieldName.BIRTH_DATE: re.compile(
        r"\b(?:D\.? ?[O0]\.? ?B|BORN|BIRTH ?DATE|DATE OF BIRTH|BIRTHDAY|B ?DATE)\b\.?\s*[:.]*\s*"
    ),
    FieldName.STUDY_DATE: re.compile(r"\b(?:EXAM |STUDY )?DATE\b\s*[:.]*\s*"),
    FieldName.SEX: re.compile(r"\b(?:SEX|GENDER)\b\s*[:.]*\s*"),
    FieldName.FAMILY_NAME: re.compile(
        r"\b(?:PATIENT NAME|PT NAME|PATIENT|NAME|NOM|PT)\b\s*[:.]+\s*|\b(?:PT|PATIENT) NAME\b\s*"
    ),
}
_TOKEN = re.compile(r"[A-Z0-9][A-Z0-9\-]*")
_MEND = str.maketrans("OQDILZSB", "00011258")

_Found = dict[FieldName, list[tuple[str, float]]]


def parse(reading: Reading, source: FieldSource, rules: ReadingRules) -> Fields:
    """Parse what several engines read; agreement between them is confidence."""
    by_engine: dict[str, list[str]] = defaultdict(list)
    for line in reading.lines:
        by_engine[line.engine].append(line.text)
    witnesses = [_found(lines, rules) for lines in by_engine.values()]
    return _combined(witnesses, [code.text for code in reading.barcodes], source, rules)


def parse_lines(
    lines: Sequence[str], barcodes: Sequence[str], source: FieldSource, rules: ReadingRules
) -> Fields:
    """Parse lines of one unknown engine."""
    return _combined([_found(lines, rules)], barcodes, source, rules)


def testimony(reading: Reading, source: FieldSource, rules: ReadingRules) -> Testimony:
    """Return fields with the lines and barcodes they came from."""
    return Testimony(
        lines=tuple(line.text for line in reading.lines),
        barcodes=tuple(code.text for code in reading.barcodes),
        fields=parse(reading, source, rules),
    )


def testimony_of_lines(
    lines: Sequence[str], barcodes: Sequence[str], source: FieldSource, rules: ReadingRules
) -> Testimony:
    """Return the testimony of bare lines."""
    fields = parse_lines(lines, barcodes, source, rules)
    return Testimony(lines=tuple(lines), barcodes=tuple(barcodes), fields=fields)


def _combined(
    witnesses: list[_Found],
    barcodes: Sequence[str],
    source: FieldSource,
    rules: ReadingRules,
) -> Fields:
    """Take for each field the value that most witnesses read, and say how sure that is."""
    fields: dict[FieldName, Field] = {}
    for name in FieldName:
        votes: dict[str, list[float]] = defaultdict(list)
        for witness in witnesses:
            for value, confidence in witness.get(name, [])[:1]:
                votes[value].append(confidence)
        if not votes:
            continue
        value = max(votes, key=lambda one: (len(votes[one]), max(votes[one])))
        agreeing, asked = len(votes[value]), sum(len(v) for v in votes.values())
        best = max(votes[value])
        confidence = 1 - (1 - best) ** agreeing if agreeing == asked else best * agreeing / asked
        fields[name] = Field(value=value, confidence=min(confidence, 0.999), source=source)
    for text in barcodes:
        named = _barcode(text.strip().upper(), rules)
        if named is not None and (named[0] not in fields or named[0] is not FieldName.JACKET):
            fields[named[0]] = Field(value=named[1], confidence=0.999, source=FieldSource.BARCODE)
    return fields


def _barcode(text: str, rules: ReadingRules) -> tuple[FieldName, str] | None:
    for name, pattern in (
        (FieldName.JACKET, rules.grammar.jacket_barcode),
        (FieldName.ACCESSION_NUMBER, rf"[A-Z]{{1,3}}\d{{2}}-\d{{3,7}}"),
        (FieldName.PATIENT_ID, rules.grammar.record_number),
    ):
        if re.fullmatch(pattern, text):
            return name, text
    return None


def _found(lines: Iterable[str], rules: ReadingRules) -> _Found:
    """Parse the lines of one engine."""
    found: _Found = defaultdict(list)
    exam_dates: list[str] = []
    for raw in lines:
        line = " ".join(raw.upper().replace("—", "-").replace("`", "'").split())
        if not line or _is_stamp(line, rules):
            continue
        rest = _sex(line, found)
        rest = _dates(rest, found, exam_dates, rules)
        rest = _numbers(rest, found, rules)
        if not _exam(rest, found, rules):
            _name(rest, found, rules)
    different = list(dict.fromkeys(exam_dates))
    if len(different) == 1 and FieldName.STUDY_DATE not in found:
        found[FieldName.STUDY_DATE].append((different[0], 0.8))
    return found


def _is_stamp(line: str, rules: ReadingRules) -> bool:
    return line.strip(" .!*-") in rules.vocabulary.stamps


def _sex(line: str, found: _Found) -> str:
    match = re.search(_CAPTIONS[FieldName.SEX].pattern + r"(MALE|FEMALE|[MF])\b", line)
    if match is None:
        match = re.search(r"(?:^|\s)([MF])$", line) if find_dates(line, day_first=False) else None
    if match is None:
        return line
    found[FieldName.SEX].append((match.group(1)[0], 0.9))
    return f"{line[: match.start()]} {line[match.end() :]}"


def _dates(line: str, found: _Found, exam_dates: list[str], rules: ReadingRules) -> str:
    """Take the dates out of a line: a birth date by its caption, the others are of exams."""
    rest = line
    for one in reversed(find_dates(line, day_first=rules.grammar.day_first)):
        ahead = line[: one.start]
        born = list(_CAPTIONS[FieldName.BIRTH_DATE].finditer(ahead))
        if born and born[-1].end() >= one.start - 2:
            found[FieldName.BIRTH_DATE].append((one.value, 0.9 if one.full_year else 0.6))
            rest = rest[: born[-1].start()] + " " + rest[one.end :]
            continue
        told = list(_CAPTIONS[FieldName.STUDY_DATE].finditer(ahead))
        if told and told[-1].end() >= one.start - 2:
            found[FieldName.STUDY_DATE].append((one.value, 0.9))
            rest = rest[: told[-1].start()] + " " + rest[one.end :]
            continue
        exam_dates.insert(0, one.value)
        rest = rest[: one.start] + " " + rest[one.end :]
    return rest


def _numbers(line: str, found: _Found, rules: ReadingRules) -> str:
    """Take captioned numbers out of a line, then those that their shape gives away."""
    grammar = rules.grammar
    plan = (
        (FieldName.ACCESSION_NUMBER, grammar.accession_number),
        (FieldName.PATIENT_ID, grammar.record_number),
    )
    for name, pattern in plan:
        for caption in _CAPTIONS[name].finditer(line):
            token = _TOKEN.match(line, caption.end())
            value = _fitting(token.group(), pattern) if token else None
            if token and value:
                found[name].insert(0, (value, 0.9))
                line = f"{line[: caption.start()]} {line[token.end() :]}"
                break
    for token in list(_TOKEN.finditer(line)):
        text = token.group()
        if sum(sign.isdigit() for sign in text) < 4:
            continue
        dashed = re.fullmatch(r"[A-Z]{1,3}\d{2}-\d{3,7}", text)
        name = FieldName.ACCESSION_NUMBER if dashed else FieldName.PATIENT_ID
        if name is FieldName.PATIENT_ID and re.fullmatch(grammar.jacket_barcode, text):
            continue
        value = text if dashed else _fitting(text, grammar.record_number)
        if value is None:
            continue
        if name is FieldName.PATIENT_ID and found.get(name) and FieldName.ACCESSION_NUMBER not in found:
            name = FieldName.ACCESSION_NUMBER
            value = _fitting(text, grammar.accession_number) or value
        found[name].append((value, 0.75))
        line = line.replace(text, " ", 1)
    return line


def _fitting(text: str, pattern: str) -> str | None:
    """Return the text as a number of the pattern, mending letters that stand for digits."""
    text = text.strip("-")
    if re.fullmatch(pattern, text):
        return text
    for candidate in (text.translate(_MEND), text[:1] + text[1:].translate(_MEND)):
        if sum(sign.isdigit() for sign in text) >= 0.6 * len(text) and re.fullmatch(
            pattern, candidate
        ):
            return candidate
    return None


def _exam(line: str, found: _Found, rules: ReadingRules) -> bool:
    """Recognise exam text: body part, modality, laterality, and the words themselves."""
    words = rules.vocabulary
    padded = f" {line} "
    parts = [part for word, part in words.body_parts.items() if f" {word} " in padded]
    if not parts:
        return False
    found[FieldName.BODY_PART].append((parts[0], 0.8))
    found[FieldName.DESCRIPTION].append((" ".join(line.split()).strip(" .,:-"), 0.7))
    kinds = [kind for word, kind in words.modalities.items() if f" {word} " in padded]
    if kinds:
        found[FieldName.MODALITY].append((kinds[0], 0.7))
    side = re.search(r"\b(RIGHT|LEFT|BILATERAL|BILAT|RT|LT)\b", line)
    if side:
        found[FieldName.LATERALITY].append((side.group(1)[0], 0.8))
    return True


def _name(line: str, found: _Found, rules: ReadingRules) -> None:
    """Recognise a name: after its caption, by its comma or caret, or as bare words of letters."""
    caption = _CAPTIONS[FieldName.FAMILY_NAME].search(line)
    text = (line[caption.end() :] if caption else line).strip(" :.-")
    if any(word in rules.vocabulary.institutions for word in re.split(r"[ ,]+", text)):
        return
    if any(stamp in text for stamp in rules.vocabulary.stamps if " " in stamp):
        return
    sure = caption is not None or looks_like_name(text)
    bare = re.fullmatch(r"[A-Z'\-]{2,}(?: [A-Z'\-.]+){1,4}", text) is not None
    if not (sure or bare):
        return
    name = parse_name(text)
    if name is None:
        return
    confidence = 0.9 if sure else 0.5
    if found.get(FieldName.FAMILY_NAME) and found[FieldName.FAMILY_NAME][0][1] >= confidence:
        return
    for field, value in (
        (FieldName.FAMILY_NAME, name.family),
        (FieldName.GIVEN_NAME, name.given),
        (FieldName.MIDDLE_NAME, name.middle),
        (FieldName.NAME_SUFFIX, name.suffix),
    ):
        found.pop(field, None)
        if value:
            found[field] = [(value, confidence)]
