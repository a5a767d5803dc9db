"""Readings to fields: every engine is a witness of its own, barcodes too.

What two engines agree on is sure; where they disagree the better supported value stands with a
low confidence. A field's value is what was read, never what an index says.
"""

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod

from rapidfuzz.distance import OSA

from digitizer.model.identity import PersonName
from digitizer.model.reading import (
    Field,
    FieldName,
    Fields,
    FieldSource,
    Line,
    Reading,
    Testimony,
)
from digitizer.reading.dates import is_day
from digitizer.reading.figures import without_small_letters
from digitizer.reading.looks import Heard, Told, plain
from digitizer.reading.numbers import check_holds, issuer_of
from digitizer.reading.overruled import believed
from digitizer.reading.people import alike, people_named
from digitizer.reading.rules import ReadingRules
from digitizer.reading.voting import (
    ALONE,
    LONE,
    MOST_SURE,
    Fits,
    Spelled,
    best_of,
    clearly,
    spelled,
    undoubted,
    vote,
)
from digitizer.reading.witness import Claim, NameClaim, hear

__all__ = ["parse", "parse_lines", "testimony", "testimony_of_lines"]

_TRUST: Mapping[str, float] = {"tesseract": 0.75}
"""Weight of an engine's word; on labels of moderate wear RapidOCR reads 97 of 100 record numbers
right and Tesseract 70."""
_MARKER = "marker"
_OBJECTS = 0.6
"""A date or name that is doubted is not stated, but speaks against who bears another as it did:
linkage passes over a guess, which is below this."""
_GUESS = 0.5
_CONTRADICTED = 0.7
"""What a number is worth at most that a look without grain denies, or of a figure of which a look
thought that it is a worn part of another: it is not stated. Of 344 numbers stated on labels (seeds
8301, 9301, 8311, 9311 and 9321) five had such a figure; three of them were wrong, and one of all
others. Of dates so doubted most are right: they are stated."""
_MUCH_LESS = 0.6
"""Part of what speaks for a number from which on another may take its place."""
_BEST_LOOK = 1.5
"""Weight of a look from which it is the best of its kind: see :func:`_weight`."""
_DATES = (FieldName.BIRTH_DATE, FieldName.STUDY_DATE)
_CHECK_FAILS = 0.4
_NAME_PARTS = (
    FieldName.FAMILY_NAME,
    FieldName.GIVEN_NAME,
    FieldName.MIDDLE_NAME,
    FieldName.NAME_SUFFIX,
)

_CLEAN = ":clean"
"""Ends the name of an engine that read only some lines again; the others are as it read them."""
_INK = ":ink:"
"""In the name of an engine that looked without coloured ink, ended by a colon."""
_WEIGHTS = {"clean": 3.0, "ink": 0.5, "ink:clean": 1.5}
"""Of a look beside an engine's first: where one without grain differs from that, it is right three
times in four; one without coloured ink sees the same grain again."""


def parse(reading: Reading, source: FieldSource, rules: ReadingRules) -> Fields:
    """Parse what several engines read.

    Parameters
    ----------
    reading : Reading
        Lines in reading order, each engine's its own witness.
    source : FieldSource
        Becomes the fields' source, save of those a barcode gave.
    rules : ReadingRules
        Vocabulary and grammar of the site.
    """
    return _combined(_witnesses(reading, source, rules), _texts(reading), source, rules)


def parse_lines(
    lines: Sequence[str], barcodes: Sequence[str], source: FieldSource, rules: ReadingRules
) -> Fields:
    """Parse bare lines of unknown engine, as :func:`parse`."""
    heard = [Heard(hear(((line, 1.0) for line in lines), source, rules), 1.0, "")]
    return _combined(heard, barcodes, source, rules)


def testimony(reading: Reading, source: FieldSource, rules: ReadingRules) -> Testimony:
    """Return fields with the lines and barcodes they came from."""
    heard = _witnesses(reading, source, rules)
    return Testimony(
        lines=tuple(line.text for line in believed(reading.lines) if line.engine != _MARKER),
        barcodes=tuple(_texts(reading)),
        people=people_named(heard),
        fields=_combined(heard, _texts(reading), source, rules),
    )


def testimony_of_lines(
    lines: Sequence[str], barcodes: Sequence[str], source: FieldSource, rules: ReadingRules
) -> Testimony:
    """Return the testimony of bare lines."""
    fields = parse_lines(lines, barcodes, source, rules)
    return Testimony(lines=tuple(lines), barcodes=tuple(barcodes), fields=fields)


def _texts(reading: Reading) -> list[str]:
    return [code.text for code in reading.barcodes]


def _witnesses(reading: Reading, source: FieldSource, rules: ReadingRules) -> list[Heard]:
    by_engine: dict[str, list[Line]] = defaultdict(list)
    for line in believed(reading.lines):
        if line.engine != _MARKER:
            by_engine[line.engine].append(without_small_letters(line))
    for engine in [one for one in by_engine if one.endswith(_CLEAN)]:
        again = {line.box: line for line in by_engine[engine]}
        first = by_engine.get(engine.removesuffix(_CLEAN), [])
        by_engine[engine] = [again.get(line.box, line) for line in first]
    return [
        Heard(
            hear(((line.text, line.confidence) for line in lines), source, rules),
            _TRUST.get(engine, 1.0),
            engine.partition(":")[0],
            tuple(lines),
            _weight(engine, by_engine),
            source is FieldSource.LABEL,
            _INK in f"{engine}:",
        )
        for engine, lines in by_engine.items()
    ]


def _weight(engine: str, read: Container[str]) -> float:
    """Return the weight of a look; one that no look without grain follows left no doubt to settle.

    It weighs what both would: else a look without coloured ink would outweigh the first wherever it
    is the worse one, and so was looked at again.
    """
    own = _WEIGHTS.get(engine.partition(":")[2], 1.0)
    clean = engine + _CLEAN
    return own if clean in read else own + _WEIGHTS.get(clean.partition(":")[2], 0.0)


def _combined(
    heard: list[Heard], barcodes: Sequence[str], source: FieldSource, rules: ReadingRules
) -> Fields:
    fields: dict[FieldName, Field] = {}
    _doubt_unchecked(heard, rules)
    among = len({one.family for one in heard})
    for name in FieldName:
        told = [
            Told(best, one) for one in heard for best in best_of(one.witness.claims.get(name, []))
        ]
        if name is FieldName.PATIENT_ID:
            told = [one for one in told if not _fails(one.claim, rules)] or told
        if told:
            fields[name] = _field(_settled(name, told, among, rules), source)
        if name is FieldName.ACCESSION_NUMBER and name in fields:
            _no_record(heard, fields, source, rules)
    _doubt_births(heard, fields)
    fields.update(_named(heard, source, rules.vocabulary.given_names))
    for text in barcodes:
        coded = _barcode(text.strip().upper(), rules)
        if coded is not None:
            fields[coded[0]] = Field(
                value=coded[1], confidence=MOST_SURE, source=FieldSource.BARCODE
            )
    number = fields.get(FieldName.PATIENT_ID)
    issuer = issuer_of(number.value, rules.grammar) if number else ""
    if number and issuer:
        fields[FieldName.ISSUER] = Field(
            value=issuer, confidence=number.confidence, source=number.source
        )
    return fields


def _settled(name: FieldName, told: Sequence[Told], among: int, rules: ReadingRules) -> Spelled:
    """Return what the witnesses agree on: sign by sign, where the field has a form.

    Of 36 captioned dates that RapidOCR alone found, without a doubt of any figure in any look, all
    were right; of 35 with a doubt 10 were wrong (badly worn labels of seeds 405 and 511, and fresh
    ones). Of an exam's dates that were stated of 80 film blocks (seed 1511) none was wrong by vote.
    """
    form = _form(name, rules)
    if form is None or (name is FieldName.STUDY_DATE and not any(one.by.paper for one in told)):
        return Spelled(*vote(told))
    if name not in _DATES:
        found = spelled(told, form, among)
        doubted = found.perhaps_worn or _denied(found, told)
        return replace(found, sure=min(found.sure, _CONTRADICTED)) if doubted else found
    # A doubt weighs as much where the other engine read nothing of the sheet at all.
    clear = undoubted(told)
    found = spelled(told, form, among if clear else max(among, 2), ALONE if clear else LONE)
    found = replace(found, others=tuple(one for one in found.others if is_day(one[0])))
    value, sure = vote(told)
    if value == found.value:
        return replace(found, sure=max(found.sure, min(sure, _OBJECTS)))
    return found


def _denied(found: Spelled, told: Sequence[Told]) -> bool:
    """Tell whether on paper the best look of some kind, that without grain, read another number."""
    return any(
        one.by.paper
        and one.by.weight >= _BEST_LOOK
        and plain(one.claim.value) != plain(found.value)
        for one in told
    )


def _field(found: Spelled, source: FieldSource) -> Field:
    return Field(value=found.value, confidence=found.sure, source=source, others=found.others)


def _form(name: FieldName, rules: ReadingRules) -> Fits | None:
    """Return what tells the form of a field that is settled sign by sign: numbers and dates."""
    if name in _DATES:
        return is_day
    patterns = {
        FieldName.PATIENT_ID: rules.grammar.record_number,
        FieldName.ACCESSION_NUMBER: rules.grammar.accession_number,
    }
    pattern = patterns.get(name)
    return None if pattern is None else re.compile(pattern).fullmatch


def _no_record(
    heard: list[Heard],
    fields: dict[FieldName, Field],
    source: FieldSource,
    rules: ReadingRules,
) -> None:
    """Choose the record number anew where one witness took the accession number for it.

    A number behind its caption stays where another engine misread that, and what would take its
    place is said by much less.
    """
    accession, record = fields[FieldName.ACCESSION_NUMBER], fields.get(FieldName.PATIENT_ID)
    if record is None or plain(record.value) != plain(accession.value):
        return
    same, others = [], []
    for by in heard:
        claims = by.witness.claims.get(FieldName.PATIENT_ID, [])
        same += [Told(one, by) for one in claims if plain(one.value) == plain(record.value)]
        rest = [one for one in claims if plain(one.value) != plain(record.value)]
        others += [Told(best, by) for best in best_of(rest)]
    if others and _support(others) >= _MUCH_LESS * _support(same):
        found = spelled(
            others,
            re.compile(rules.grammar.record_number).fullmatch,
            len({one.family for one in heard}),
        )
        fields[FieldName.PATIENT_ID] = _field(found, source)


def _support(told: Sequence[Told]) -> float:
    """Return how sure the engines are of what they claim, each by its surest look."""
    own: dict[str, float] = defaultdict(float)
    for one in told:
        own[one.by.family] = max(own[one.by.family], one.claim.confidence * one.by.trust)
    return sum(own.values())


def _spaced(
    best: NameClaim,
    own: float,
    every: list[tuple[NameClaim, float]],
    given_names: frozenset[str],
) -> tuple[NameClaim, float]:
    """Prefer ``APRIL J`` to ``APRILJ`` where witnesses differ by a space: engines lose some."""
    if best.name.given in given_names or best.name.middle:
        return best, own
    for claim, trust in every:
        apart = claim.name.given in given_names or len(claim.name.middle) == 1
        if apart and _letters(claim.name) == _letters(best.name):
            return claim, trust
    return best, own


def _letters(name: PersonName) -> str:
    return plain(name.family + name.given + name.middle + name.suffix)


def _named(
    heard: list[Heard], source: FieldSource, given_names: frozenset[str]
) -> dict[FieldName, Field]:
    """Choose one name as a whole, so that no given name is set to another's family name."""
    families: dict[str, list[tuple[NameClaim, float]]] = defaultdict(list)
    for one in heard:
        families[one.family] += [(claim, one.trust) for claim in one.witness.names]
    every = [claim for told in families.values() for claim in told]
    if not every:
        return {}

    def support(claim: NameClaim) -> float:
        return sum(
            max((o.confidence * t * _likeness(claim.name, o.name) for o, t in told), default=0.0)
            for told in families.values()
        )

    # A claim is also worth what its own engine's word is worth.
    best, own = max(every, key=lambda one: support(one[0]) + 0.5 * one[0].confidence * one[1])
    best, own = _spaced(best, own, every, given_names)
    others = [
        told for told in families.values() if told and all(one is not best for one, _ in told)
    ]
    fields: dict[FieldName, Field] = {}
    for name in _NAME_PARTS:
        value = _part(best.name, name)
        if not value:
            continue
        agreeing = [
            max((one.confidence * trust for one, trust in told
                 if plain(_part(one.name, name)) == plain(value)), default=0.0)
            for told in others
        ]  # fmt: skip
        doubt = (1 - best.confidence * own) * prod(1 - one for one in agreeing)
        alone = 0.6 if others else _of_one(value, name, heard, given_names)
        sure = (1 - doubt) * (1.0 if any(agreeing) else alone)
        misread = name is FieldName.GIVEN_NAME and _is_rather_known(value, heard, given_names)
        if _is_other_part(value, name, (claim for claim, _ in every)) or (
            misread and not any(agreeing)
        ):
            sure = min(sure, _OBJECTS)
        fields[name] = Field(value=value, confidence=min(sure, MOST_SURE), source=source)
    return fields


def _is_other_part(value: str, name: FieldName, claims: Iterable[NameClaim]) -> bool:
    """Tell whether some claim has as the family name what is taken for a given one, or inversely.

    Where a look saw ``SINGH LINDANG`` and another ``SINGH LINDA^G`` it is not known which is which.
    """
    other = {
        FieldName.FAMILY_NAME: FieldName.GIVEN_NAME,
        FieldName.GIVEN_NAME: FieldName.FAMILY_NAME,
    }.get(name)
    return other is not None and any(
        plain(_part(one.name, other)) == plain(value)
        and plain(_part(one.name, name)) != plain(value)
        for one in claims
    )


def _of_one(
    value: str, name: FieldName, heard: Sequence[Heard], given_names: frozenset[str]
) -> float:
    """Return what a part of a name is worth that one engine alone found.

    Less on paper, where ink is lost, if another engine looked and saw no name; unless the part is a
    known given name, or no look of the engine misses it or doubts a sign of it.
    """
    known = name is FieldName.GIVEN_NAME and value in given_names
    if known or len({one.family for one in heard}) == 1 or not any(one.paper for one in heard):
        return ALONE
    looks = [one for one in heard if one.witness.names]
    return ALONE if all(clearly(value, one) for one in looks) else LONE


def _is_rather_known(value: str, heard: Sequence[Heard], given_names: frozenset[str]) -> bool:
    """Tell whether a film's given name is rather a known one but for one sign, which was misread.

    Only where several engines looked. Of names of engines on 177 films (seeds 2201 to 2203 and
    3301, all of which bear known ones) 340 were known or so near to a known one: none of 327 of the
    first was wrong, all 13 of the others.
    """
    if value in given_names or len({one.family for one in heard}) == 1:
        return False
    return not any(one.paper for one in heard) and any(
        OSA.distance(value, one, score_cutoff=1) <= 1 for one in given_names
    )


def _part(name: PersonName, part: FieldName) -> str:
    parts = (name.family, name.given, name.middle, name.suffix)
    return parts[_NAME_PARTS.index(part)]


def _likeness(one: PersonName, other: PersonName) -> float:
    """Return how far another reading of a name supports this one, 0 to 1."""
    family = plain(one.family) == plain(other.family)
    given = plain(one.given) == plain(other.given)
    if family and given:
        return 1.0
    if (family or given) and alike(
        plain(one.family + one.given), plain(other.family + other.given)
    ):
        return 0.7
    return 0.5 if family or given else 0.0


def _doubt_unchecked(heard: list[Heard], rules: ReadingRules) -> None:
    """Doubt record numbers whose check digit does not hold, before they are voted on.

    Where engines disagree the one whose digits hold together is believed; alone it stays as read.
    """
    for by in heard:
        by.witness.claims[FieldName.PATIENT_ID] = [
            replace(one, confidence=one.confidence * _CHECK_FAILS) if _fails(one, rules) else one
            for one in by.witness.claims.get(FieldName.PATIENT_ID, [])
        ]


def _doubt_births(heard: list[Heard], fields: dict[FieldName, Field]) -> None:
    """Doubt an exam's day before which a witness saw rather a birth's caption, misread."""
    day = fields.get(FieldName.STUDY_DATE)
    if day is not None and any(day.value in one.witness.perhaps_births for one in heard):
        fields[FieldName.STUDY_DATE] = replace(day, confidence=min(day.confidence, _GUESS))


def _fails(claim: Claim, rules: ReadingRules) -> bool:
    check = rules.grammar.check_of(issuer_of(claim.value, rules.grammar))
    return bool(check) and not check_holds(claim.value, check)


def _barcode(text: str, rules: ReadingRules) -> tuple[FieldName, str] | None:
    """Tell what a barcode holds: the jacket's own number, an accession or a record number."""
    for name, pattern in (
        (FieldName.JACKET, rules.grammar.jacket_barcode),
        (FieldName.ACCESSION_NUMBER, r"[A-Z]{1,3}\d{2}-\d{3,7}"),
        (FieldName.PATIENT_ID, rules.grammar.record_number),
        (FieldName.ACCESSION_NUMBER, rules.grammar.accession_number),
    ):
        if re.fullmatch(pattern, text):
            return name, text
    return None
