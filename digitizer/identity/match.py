"""Readings in, decisions out, as JSON lines: a site sizes its thresholds before it scans."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from itertools import groupby
from typing import Any

from digitizer.errors import BadRow
from digitizer.identity.classes import Caps
from digitizer.identity.decide import decide_jacket
from digitizer.identity.evidence import gather
from digitizer.identity.headers import decide_header
from digitizer.identity.settings import PolicySettings
from digitizer.identity.weights import BUILT_IN, Weights
from digitizer.model.identity import FilmCase, JacketCase, Outcome, Verdict
from digitizer.model.older import OldHeader
from digitizer.model.reading import FieldSource, Testimony
from digitizer.model.reasons import Code, reason
from digitizer.ports import PatientIndex

__all__ = ["match_lines"]

Testify = Callable[[tuple[str, ...], tuple[str, ...], FieldSource], Testimony]


def match_lines(
    stream: Iterable[str],
    testify: Testify,
    index: PatientIndex,
    policy: PolicySettings,
    stopped: Mapping[str, str] | None = None,
    caps: Caps | None = None,
    weights: Weights = BUILT_IN,
) -> Iterator[dict[str, Any]]:
    """Decide JSON lines, one answer a line in the same order (contract §5).

    ``stopped`` are the classes of evidence that file nothing by themselves now, each with why;
    ``caps`` what posteriors may claim, as measured by default; ``weights`` those the site adopted.

    Lines of one ``group`` follow each other and are decided together. A line with a ``header``,
    what an older header or a row of an index file says, is decided as an older study is. A line
    that is not as the contract says is answered too: for a person, with what is wrong with it.

    Raises
    ------
    BadRow
        After the last line, for the first one that was not as the contract says.
    """
    bad: list[BadRow] = []
    for rows in _together(_rows(stream, bad)):
        if "error" in rows[0]:
            yield _refused(rows[0])
        elif rows[0]["header"] is not None:
            yield _of_header(rows[0], index, policy)
        else:
            for verdict in _decided(rows, testify, index, policy, caps, weights):
                yield _answer(_unless_stopped(verdict, stopped or {}))
    if bad:
        raise bad[0]


def _rows(stream: Iterable[str], bad: list[BadRow]) -> Iterator[dict[str, Any]]:
    """Yield lines as rows, a bad one as a row with its error; note the first bad one."""
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            yield _row(number, line)
        except BadRow as error:
            if not bad:
                bad.append(error)
            yield {"group": None, "id": _id_of(line), "error": str(error)}


def _together(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each group; one without is by itself, and waits for no other line."""
    group: list[dict[str, Any]] = []
    for row in rows:
        if group and row["group"] != group[0]["group"]:
            yield group
            group = []
        if row["group"]:
            group.append(row)
        else:
            yield [row]
    if group:
        yield group


def _id_of(line: str) -> str | None:
    """Return the id of a bad line where it has one."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    found = row.get("id") if isinstance(row, dict) else None
    return found if isinstance(found, str) and _is_text(found) else None


def _is_text(value: Any) -> bool:
    """Tell whether a value is a text that can be written again: no half of a surrogate pair."""
    return isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _refused(row: dict[str, Any]) -> dict[str, Any]:
    asked = reason(Code.NO_IDENTIFIER, f"This line could not be read: {row['error']}.")
    verdict = Verdict(film_id="", outcome=Outcome.REVIEW, reasons=(asked,))
    return {**_answer(verdict), "id": row["id"]}


def _row(number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRow(number, "this is not one JSON object") from error
    if not isinstance(row, dict) or not _is_text(row.get("id")):
        raise BadRow(number, 'an object with a text "id" is wanted')
    group = row.get("group")
    if group is not None and not isinstance(group, str):
        raise BadRow(number, '"group" is a text or null')
    if row.get("header") is not None:
        # What a header or an index file says is decided by itself, as an older study is.
        header, issuer = _header(number, row["header"]), row.get("issuer") or ""
        if not _is_text(issuer):
            raise BadRow(number, '"issuer" is a text or null')
        return {"id": row["id"], "group": None, "header": header, "issuer": issuer}
    bearers = {name: _bearer(number, name, row.get(name)) for name in ("jacket", "film")}
    return {"id": row["id"], "group": group, "header": None, **bearers}


def _header(number: int, value: Any) -> OldHeader:
    known = {one.name for one in fields(OldHeader)}
    if not isinstance(value, dict) or not all(_is_text(text) for text in value.values()):
        raise BadRow(number, '"header" is an object of texts')
    odd = sorted(set(value) - known)
    if odd:
        raise BadRow(number, f'"header" has no "{odd[0]}"')
    return OldHeader(**value)


def _of_header(row: dict[str, Any], index: PatientIndex, policy: PolicySettings) -> dict[str, Any]:
    verdict = decide_header(row["header"], "", row["issuer"], index, policy)
    return {**_answer(verdict), "id": row["id"]}


def _bearer(number: int, name: str, value: Any) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadRow(number, f'"{name}" is an object or null')
    parts = []
    for key in ("lines", "barcodes"):
        texts = value.get(key) or []
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise BadRow(number, f'"{name}.{key}" is a list of texts')
        parts.append(tuple(texts))
    return parts[0], parts[1]


def _decided(
    rows: list[dict[str, Any]],
    testify: Testify,
    index: PatientIndex,
    policy: PolicySettings,
    caps: Caps | None,
    weights: Weights,
) -> Iterator[Verdict]:
    """Decide the rows of one group; films under different labels are different jackets."""
    for _, same in groupby(rows, key=lambda row: row["jacket"]):
        jacket = list(same)
        label = jacket[0]["jacket"]
        case = JacketCase(
            label=testify(label[0], label[1], FieldSource.LABEL) if label else None,
            record=None,
            films=tuple(
                FilmCase(
                    id=row["id"],
                    testimony=testify(row["film"][0], row["film"][1], FieldSource.FILM)
                    if row["film"]
                    else Testimony(),
                )
                for row in jacket
            ),
        )
        yield from decide_jacket(case, gather(case, index, weights), policy, caps)


def _unless_stopped(verdict: Verdict, stopped: Mapping[str, str]) -> Verdict:
    """Return a verdict as the pipeline takes it: what is of a stopped class waits for a person."""
    if verdict.outcome is not Outcome.AUTO or verdict.evidence_class not in stopped:
        return verdict
    why = f"Films with such evidence wait for a person: {stopped[verdict.evidence_class]}"
    asked = (*verdict.reasons, reason(Code.BUDGET_SPENT, why))
    return replace(verdict, outcome=Outcome.REVIEW, reasons=asked)


def _answer(verdict: Verdict) -> dict[str, Any]:
    filed = verdict.outcome is Outcome.AUTO
    patient = verdict.patient if filed else None
    return {
        "id": verdict.film_id,
        "outcome": verdict.outcome.value,
        "patient_id": patient.patient_id if patient else None,
        "issuer": patient.issuer if patient else None,
        "accession_number": verdict.exam.accession_number if filed and verdict.exam else None,
        "posterior": verdict.posterior,
        "exam_posterior": verdict.exam_posterior,
        "evidence_class": verdict.evidence_class or None,
        "exam_evidence": verdict.exam_evidence or None,
        "reasons": [{"code": one.code.value, "text": one.text} for one in verdict.reasons],
    }
