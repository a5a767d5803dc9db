"""What today's code, index and rules would decide of a batch, beside what was decided.

What this never does: change anything. What it may get wrong: a crop holds less than the scan, so a
film may be read worse from its crops than it was; ``read=False`` decides on the readings as kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from digitizer.errors import UnknownRecord
from digitizer.model.film import SheetKind
from digitizer.model.identity import ExamRecord, Outcome, PatientRecord, Verdict
from digitizer.model.reading import FieldName, Fields, FieldSource, Reading
from digitizer.model.reasons import Code, Reason
from digitizer.model.records import Sheet
from digitizer.model.states import ENDS, State
from digitizer.pipeline.bearers import testimony_of
from digitizer.pipeline.changes import reason_payload
from digitizer.pipeline.jacket import listed, spent_reason, verdicts_for
from digitizer.pipeline.services import Services

__all__ = ["replay"]

_UNREAD = frozenset({State.RECEIVED, State.PREPARED})
_OF_IDENTITY = frozenset(
    {
        Code.NO_IDENTIFIER,
        Code.NO_CANDIDATE,
        Code.NOT_IN_INDEX,
        Code.AMBIGUOUS,
        Code.BELOW_THRESHOLD,
        Code.FILM_SILENT,
        Code.FILM_CONTRADICTS_JACKET,
        Code.SEVERAL_IDENTITIES,
        Code.EXAM_UNKNOWN,
        Code.EXAM_AMBIGUOUS,
        Code.IMPLAUSIBLE_DATE,
        Code.SHADOW_MODE,
        Code.BUDGET_SPENT,
    }
)
"""Codes that a decision gives; the others are of the picture, and stand as they stood."""


def replay(
    services: Services,
    name: str,
    *,
    read: bool = True,
    on_sheet: Callable[[int, int], None] = lambda _done, _of: None,
) -> dict[str, Any]:
    """Read the kept crops of a batch again and decide its jackets anew, on paper only.

    Parameters
    ----------
    services : Services
        Only read.
    name : str
        Of the batch.
    read : bool
        Read the crops with today's engines; else parse the readings that were kept.
    on_sheet : callable
        Told how many sheets of how many are read.

    Returns
    -------
    dict
        ``batch``, ``sheets``, ``read_again``, ``unread`` (not read yet, so not replayed),
        ``changed``, ``expected_wrong`` (``before``, ``after``) and ``diff``: one entry for each
        sheet that would be decided otherwise, with ``change``: ``would_be_filed``,
        ``would_be_asked``, ``other_patient``, ``other_exam`` or ``other_reasons``.

    Raises
    ------
    UnknownRecord
        There is no such batch.
    """
    with services.ledger.reading() as view:
        batch = view.batch_named(name)
        if batch is None:
            raise UnknownRecord(
                f"There is no batch {name}.", remedy="`digitizer batch list` shows the names."
            )
        jackets = view.jackets(batch.id)
        sheets = [one for one in view.sheets(batch_id=batch.id) if one.state not in ENDS]
        sources = {one.id: one.source for one in view.scans(batch_id=batch.id)}
        stopped = {one.id: one.why for one in view.standings() if one.stopped}
    known = [one for one in sheets if one.state not in _UNREAD]
    again: dict[str, Sheet] = {}
    for number, sheet in enumerate(known, start=1):
        again[sheet.id] = _read_again(services, sheet) if read else _parsed(services, sheet)
        on_sheet(number, len(known))
    diff: list[dict[str, Any]] = []
    wrong = {"before": 0.0, "after": 0.0}
    for jacket in jackets:
        mine = [again[one.id] for one in known if one.jacket_id == jacket.id]
        verdicts = verdicts_for(services, listed(services, jacket, mine), mine, mine)
        for sheet in (one for one in known if one.jacket_id == jacket.id):
            before, after = _before(sheet), _after(sheet, verdicts[sheet.id], stopped)
            for when, told in (("before", before), ("after", after)):
                if told["decided_by"] == "auto":
                    wrong[when] += 1.0 - (told["posterior"] or 0.0)
            change = _change(before, after)
            if change:
                diff.append(
                    {
                        "id": sheet.id,
                        "source": sources[sheet.scan_id],
                        "box": jacket.box,
                        "jacket": jacket.name or None,
                        "kind": sheet.kind.value,
                        "change": change,
                        "before": before,
                        "after": after,
                        "fields": dict(_differing(sheet.fields, again[sheet.id].fields)),
                    }
                )
    return {
        "batch": name,
        "sheets": len(known),
        "read_again": sum(bool(one.crops) for one in known) if read else 0,
        "unread": len(sheets) - len(known),
        "changed": len(diff),
        "expected_wrong": wrong,
        "diff": diff,
    }


def _parsed(services: Services, sheet: Sheet) -> Sheet:
    film = sheet.kind is SheetKind.FILM
    said = testimony_of(services, [sheet], FieldSource.FILM if film else FieldSource.LABEL)
    return replace(sheet, fields=said.fields)


def _read_again(services: Services, sheet: Sheet) -> Sheet:
    """Read a sheet's crops; barcodes lie outside of them and are kept as they were."""
    if not sheet.crops:
        return _parsed(services, sheet)
    film = sheet.kind is SheetKind.FILM
    look = services.reader.read_film if film else services.reader.read_label
    found = [
        look(services.decoder.decode(services.vault.path(crop)).pixels) for crop in sheet.crops
    ]
    barcodes = {code.text: code for one in found for code in one.barcodes}
    barcodes |= {code.text: code for code in sheet.reading.barcodes}
    together = Reading(
        lines=tuple(line for one in found for line in one.lines),
        barcodes=tuple(barcodes.values()),
    )
    return _parsed(services, replace(sheet, reading=together))


def _before(sheet: Sheet) -> dict[str, Any]:
    """Return what was decided, or what stands proposed."""
    decision = sheet.decision
    told = tuple(one for one in sheet.reasons if one.code in _OF_IDENTITY)
    if decision is None:
        return _told(None, None, "", sheet.posterior, sheet.exam_posterior, None, told)
    return _told(
        decision.patient,
        decision.exam,
        decision.study_date,
        decision.posterior,
        decision.exam_posterior,
        decision.decided_by,
        told,
    )


def _after(sheet: Sheet, verdict: Verdict, stopped: Mapping[str, str]) -> dict[str, Any]:
    """Return what would be decided now; what the picture is held for stands as it stood."""
    spent = stopped.get(verdict.evidence_class) if verdict.outcome is Outcome.AUTO else None
    picture = any(
        one.code not in _OF_IDENTITY and one.code.value not in sheet.confirmed
        for one in sheet.reasons
    )
    filed = verdict.outcome is Outcome.AUTO and not picture and spent is None
    return _told(
        verdict.patient if filed else None,
        verdict.exam if filed else None,
        verdict.mint_study.isoformat() if filed and verdict.mint_study else "",
        verdict.posterior,
        verdict.exam_posterior,
        "auto" if filed else None,
        verdict.reasons if spent is None else (*verdict.reasons, spent_reason(spent)),
    )


def _told(
    patient: PatientRecord | None,
    exam: ExamRecord | None,
    study_date: str,
    posterior: float | None,
    exam_posterior: float | None,
    decided_by: str | None,
    reasons: Iterable[Reason],
) -> dict[str, Any]:
    if exam is not None and exam.study_date is not None:
        study_date = exam.study_date.isoformat()
    return {
        "patient_id": patient.patient_id if patient else None,
        "issuer": patient.issuer if patient else None,
        "accession_number": exam.accession_number if exam else None,
        "study_date": study_date or None,
        "posterior": posterior,
        "exam_posterior": exam_posterior,
        "decided_by": decided_by,
        "reasons": reason_payload(reasons),
    }


def _change(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Name how a decision would differ; empty where it would not."""
    if before["decided_by"] is None and after["decided_by"] is None:
        same = _codes(before) == _codes(after)
        return "" if same else "other_reasons"
    if before["decided_by"] is None:
        return "would_be_filed"
    if after["decided_by"] is None:
        # What a person decided was asked then and is asked now.
        return "would_be_asked" if before["decided_by"] == "auto" else ""
    if any(before[key] != after[key] for key in ("patient_id", "issuer")):
        return "other_patient"
    if any(before[key] != after[key] for key in ("accession_number", "study_date")):
        return "other_exam"
    return ""


def _codes(told: dict[str, Any]) -> set[str]:
    return {one["code"] for one in told["reasons"]}


def _differing(before: Fields, after: Fields) -> Iterator[tuple[str, dict[str, str | None]]]:
    for name in FieldName:
        was, now = before.get(name), after.get(name)
        if (was.value if was else None) != (now.value if now else None):
            yield (
                name.value,
                {"before": was.value if was else None, "after": now.value if now else None},
            )
