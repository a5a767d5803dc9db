"""Readings to fields: every engine is a witness of its own, barcodes too.

What two engines agree on is sure; where they disagree the better supported value stands with a
low confidence. A field's value is what was read, never what an index says.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from rapidfuzz.distance import OSA

from digitizer.model.identity import PersonName
from digitizer.model.reading import (
    Field,
    FieldName,
    Fields,
    FieldSource,
    Reading,
    Testimony,
)
from digitizer.reading.numbers import check_holds, issuer_of
from digitizer.reading.rules import ReadingRules
from digitizer.reading.witness import Claim, NameClaim, Witness, hear

__all__ = ["identities", "parse", "parse_lines", "testimony", "testimony_of_lines"]

_TRUST: Mapping[str, float] = {"tesseract": 0.75}
"""Weight of an engine's word; on labels of moderate wear RapidOCR reads 97 of 100 record numbers
right and Tesseract 70."""
_MARKER = "marker"
_MOST_SURE = 0.999
_ALONE = 0.95
_CHECK_FAILS = 0.4
_NAME_PARTS = (
    FieldName.FAMILY_NAME,
    FieldName.GIVEN_NAME,
    FieldName.MIDDLE_NAME,
    FieldName.NAME_SUFFIX,
)

_Heard = tuple[Witness, float, str]
"""A witness, the weight of its word, and its family: two looks of one engine are one witness."""
_Told = tuple[Claim, float, str]


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
    heard = [(hear(((line, 1.0) for line in lines), source, rules), 1.0, "")]
    return _combined(heard, barcodes, source, rules)


def testimony(reading: Reading, source: FieldSource, rules: ReadingRules) -> Testimony:
    """Return fields with the lines and barcodes they came from."""
    return Testimony(
        lines=tuple(line.text for line in reading.lines if line.engine != _MARKER),
        barcodes=tuple(_texts(reading)),
        fields=parse(reading, source, rules),
    )


def testimony_of_lines(
    lines: Sequence[str], barcodes: Sequence[str], source: FieldSource, rules: ReadingRules
) -> Testimony:
    """Return the testimony of bare lines."""
    fields = parse_lines(lines, barcodes, source, rules)
    return Testimony(lines=tuple(lines), barcodes=tuple(barcodes), fields=fields)


def identities(reading: Reading, rules: ReadingRules) -> int:
    """Count the different people whom a reading names, at most; 0 when it names nobody.

    Conservative: only names with caption, comma or caret count, and two spellings within two
    characters, or one with more given names than the other, are one person.
    """
    counts = [0]
    for witness, _, _ in _witnesses(reading, FieldSource.LABEL, rules):
        people: list[str] = []
        for claim in witness.names:
            key = _plain(claim.name.family + claim.name.given)
            if claim.confidence >= 0.75 and not any(_alike(key, one) for one in people):
                people.append(key)
        counts.append(len(people))
    return max(counts)


def _texts(reading: Reading) -> list[str]:
    return [code.text for code in reading.barcodes]


def _witnesses(reading: Reading, source: FieldSource, rules: ReadingRules) -> list[_Heard]:
    by_engine: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for line in reading.lines:
        if line.engine != _MARKER:
            by_engine[line.engine].append((line.text, line.confidence))
    return [
        (hear(lines, source, rules), _TRUST.get(engine, 1.0), engine.partition(":")[0])
        for engine, lines in by_engine.items()
    ]


def _combined(
    heard: list[_Heard], barcodes: Sequence[str], source: FieldSource, rules: ReadingRules
) -> Fields:
    fields: dict[FieldName, Field] = {}
    _doubt_unchecked(heard, rules)
    for name in FieldName:
        claims = [
            (best, trust, family)
            for witness, trust, family in heard
            for best in _best(witness.claims.get(name, []))
        ]
        if claims:
            value, confidence = _vote(claims)
            fields[name] = Field(value=value, confidence=confidence, source=source)
        if name is FieldName.ACCESSION_NUMBER and name in fields:
            _no_record(heard, fields, source)
    fields.update(_named(heard, source, rules.vocabulary.given_names))
    for text in barcodes:
        told = _barcode(text.strip().upper(), rules)
        if told is not None:
            fields[told[0]] = Field(
                value=told[1], confidence=_MOST_SURE, source=FieldSource.BARCODE
            )
    number = fields.get(FieldName.PATIENT_ID)
    issuer = issuer_of(number.value, rules.grammar) if number else ""
    if number and issuer:
        fields[FieldName.ISSUER] = Field(
            value=issuer, confidence=number.confidence, source=number.source
        )
    return fields


def _no_record(heard: list[_Heard], fields: dict[FieldName, Field], source: FieldSource) -> None:
    """Choose the record number anew where one witness took the accession number for it."""
    accession, record = fields[FieldName.ACCESSION_NUMBER], fields.get(FieldName.PATIENT_ID)
    if record is None or _plain(record.value) != _plain(accession.value):
        return
    others = [
        (best, trust, family)
        for witness, trust, family in heard
        for best in _best(
            [
                one
                for one in witness.claims.get(FieldName.PATIENT_ID, [])
                if _plain(one.value) != _plain(accession.value)
            ]
        )
    ]
    if others:
        value, confidence = _vote(others)
        fields[FieldName.PATIENT_ID] = Field(value=value, confidence=confidence, source=source)


def _best(claims: list[Claim]) -> list[Claim]:
    """Return the value of one witness that it says most often and most surely."""
    if not claims:
        return []
    support: dict[str, float] = defaultdict(float)
    for claim in claims:
        support[_plain(claim.value)] += claim.confidence
    value = max(support, key=lambda one: support[one])
    same = [claim for claim in claims if _plain(claim.value) == value]
    return [max(same, key=lambda one: one.confidence)]


def _vote(claims: list[_Told]) -> tuple[str, float]:
    """Return the value best supported by the witnesses, and how sure that is.

    An engine that says the same of a second picture of the label repeats itself; one that then
    says something else contradicts itself.
    """
    words: dict[str, dict[str, float]] = defaultdict(dict)
    for claim, trust, family in claims:
        own = words[_plain(claim.value)]
        own[family] = max(own.get(family, 0.0), claim.confidence * trust)
    support = {value: sum(own.values()) for value, own in words.items()}
    best = max(support, key=lambda one: support[one])
    sure = 1 - prod(1 - one for one in words[best].values())
    if len({family for _, _, family in claims}) == 1:
        sure *= _ALONE
    if len(support) > 1:
        sure *= support[best] / sum(support.values())
    form = max(
        (claim for claim, _, _ in claims if _plain(claim.value) == best),
        key=lambda one: one.confidence,
    )
    return form.value, min(sure, _MOST_SURE)


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
    return _plain(name.family + name.given + name.middle + name.suffix)


def _named(
    heard: list[_Heard], source: FieldSource, given_names: frozenset[str]
) -> dict[FieldName, Field]:
    """Choose one name as a whole, so that no given name is set to another's family name."""
    families: dict[str, list[tuple[NameClaim, float]]] = defaultdict(list)
    for witness, trust, family in heard:
        families[family] += [(claim, trust) for claim in witness.names]
    every = [one for told in families.values() for one in told]
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
                 if _plain(_part(one.name, name)) == _plain(value)), default=0.0)
            for told in others
        ]  # fmt: skip
        doubt = (1 - best.confidence * own) * prod(1 - one for one in agreeing)
        sure = (1 - doubt) * (1.0 if any(agreeing) else 0.6 if others else _ALONE)
        fields[name] = Field(value=value, confidence=min(sure, _MOST_SURE), source=source)
    return fields


def _part(name: PersonName, part: FieldName) -> str:
    parts = (name.family, name.given, name.middle, name.suffix)
    return parts[_NAME_PARTS.index(part)]


def _likeness(one: PersonName, other: PersonName) -> float:
    """Return how far another reading of a name supports this one, 0 to 1."""
    family = _plain(one.family) == _plain(other.family)
    given = _plain(one.given) == _plain(other.given)
    if family and given:
        return 1.0
    if (family or given) and _alike(
        _plain(one.family + one.given), _plain(other.family + other.given)
    ):
        return 0.7
    return 0.5 if family or given else 0.0


def _alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return OSA.distance(one, other) <= 2 or long.startswith(short) or sorted(one) == sorted(other)


def _doubt_unchecked(heard: list[_Heard], rules: ReadingRules) -> None:
    """Doubt record numbers whose check digit does not hold, before they are voted on.

    Where engines disagree the one whose digits hold together is believed; alone it stays as read.
    """
    for witness, _, _ in heard:
        witness.claims[FieldName.PATIENT_ID] = [
            replace(one, confidence=one.confidence * _CHECK_FAILS) if _fails(one, rules) else one
            for one in witness.claims.get(FieldName.PATIENT_ID, [])
        ]


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


def _plain(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())
