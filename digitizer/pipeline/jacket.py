"""Deciding a closed jacket: candidates are searched and its sheets are decided together.

What this never does: file a sheet on the jacket's word alone, decide a sheet again that a person
or an earlier decision has already settled, or let two films that look like one through unasked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from digitizer import film, identity
from digitizer.model.film import SheetKind
from digitizer.model.identity import (
    FilmCase,
    JacketCase,
    JacketRecord,
    Neighbour,
    Outcome,
    Verdict,
)
from digitizer.model.reading import FieldSource
from digitizer.model.reasons import Code, Reason, reason
from digitizer.model.records import Decision, Jacket, JacketState, Scan, Sheet, Stage
from digitizer.model.states import ENDS, WAY, State
from digitizer.pipeline.bearers import label_of, testimony_of
from digitizer.pipeline.blind import draw
from digitizer.pipeline.budget import closed_classes
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.flat import split
from digitizer.pipeline.neighbours import beside, neighbours_of
from digitizer.pipeline.scans import busy
from digitizer.pipeline.services import Services
from digitizer.pipeline.weights import adopted_weights
from digitizer.ports import Transaction

__all__ = [
    "Doubts",
    "beside_what_was_typed",
    "decide",
    "decision_of",
    "jacket_case",
    "listed",
    "spent_reason",
    "verdicts_for",
    "weighed",
]

_OF_THE_PICTURE = (
    Code.ORIENTATION_UNKNOWN,
    Code.MARKER_CONTRADICTS,
    Code.KIND_UNKNOWN,
    Code.RESCAN_PROPOSED,
)


def decide(services: Services, jacket_id: str) -> list[tuple[Stage, str]]:
    """Decide the sheets of a jacket that nobody has decided yet."""
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        jacket = tx.get(Jacket, jacket_id)
        if jacket.state is JacketState.OPEN:
            quiet = timedelta(seconds=services.settings.jacket_quiet_s)
            closes = (jacket.last_scan_at or now) + quiet
            tx.unschedule(Stage.DECIDE, jacket_id)
            if closes > now:
                tx.schedule(Stage.DECIDE, jacket_id, closes)
                return []
            closed = replace(jacket, state=JacketState.CLOSED)
            jacket = tx.save(closed, event(jacket_id, "jacket_closed", why="quiet"))
        scans = tx.scans(jacket_id=jacket_id)
        if any(busy(scan) for scan in scans):
            # The last scan to be read makes the decision due again.
            tx.unschedule(Stage.DECIDE, jacket_id)
            return []
        if jacket.name == "" and len(scans) > 0:
            parts = split(services, tx, jacket, scans)
            if parts is not None:
                tx.unschedule(Stage.DECIDE, jacket_id)
                return parts
        everything = tx.sheets(jacket_id=jacket_id)
        sheets = _undecided(everything)
        near = beside(tx, jacket)
    record = listed(services, jacket, everything)
    neighbours = neighbours_of(services, near)
    verdicts, typed = beside_what_was_typed(services, record, everything, sheets, neighbours)
    miscounted = _miscounted(record, everything)
    spent = closed_classes(services) if sheets else {}
    following: list[tuple[Stage, str]] = []
    with services.ledger.transaction() as tx:
        # Once more: what was stopped while this was decided files nothing more.
        spent = {**spent, **{one.id: one.why for one in tx.standings() if one.stopped}}
        for sheet in sheets:
            doubts = Doubts(miscounted, spent, sheet.id in typed)
            following += _settle(services, tx, sheet, verdicts[sheet.id], doubts)
        if jacket.state is not JacketState.DECIDED:
            for one in near:
                if one.asks_for_next:
                    tx.schedule(Stage.DECIDE, one.jacket.id)
                    following.append((Stage.DECIDE, one.jacket.id))
            expected = record.expected_films if record else None
            tx.save(
                replace(jacket, state=JacketState.DECIDED, expected_films=expected),
                event(jacket_id, "jacket_decided", sheets=len(sheets), expected_films=expected),
            )
        tx.unschedule(Stage.DECIDE, jacket_id)
    return following


def listed(services: Services, jacket: Jacket, sheets: Iterable[Sheet]) -> JacketRecord | None:
    """Find the jacket in the jacket list: by its folder's name, else by its label's barcode."""
    found = services.index.jacket(jacket.name, jacket.box) if jacket.name else None
    if found is not None:
        return found
    codes = {
        code.text
        for sheet in sheets
        if sheet.kind is SheetKind.LABEL and not sheet.misfiled
        for code in sheet.reading.barcodes
    }
    listed = [one for one in map(services.index.jacket, sorted(codes)) if one is not None]
    return listed[0] if len(listed) == 1 else None


def _miscounted(record: JacketRecord | None, sheets: Iterable[Sheet]) -> tuple[Reason, ...]:
    """Say so where a jacket holds more or fewer films than the jacket list expects."""
    if record is None or record.expected_films is None:
        return ()
    films = sum(one.kind is SheetKind.FILM and one.state not in ENDS for one in sheets)
    if films == record.expected_films:
        return ()
    text = f"{films} films were scanned, the jacket list expects {record.expected_films}."
    return (reason(Code.EXPECTED_FILMS_DIFFER, text),)


def _undecided(sheets: Iterable[Sheet]) -> list[Sheet]:
    """Return the sheets open to a decision: read, or in review and untouched by a person."""
    return [
        sheet
        for sheet in sheets
        if sheet.state is State.READ
        or (
            sheet.state is State.REVIEW
            and sheet.resume is State.READ
            and sheet.assigned_to is None
            and not any(one.code in (Code.ON_HOLD, Code.STUDY_CONFLICT) for one in sheet.reasons)
        )
    ]


def jacket_case(
    services: Services,
    record: JacketRecord | None,
    sheets: Iterable[Sheet],
    undecided: list[Sheet],
    neighbours: tuple[Neighbour, ...] = (),
) -> JacketCase:
    """Lay out a jacket for the decision: its labels speak together, each film for itself.

    What a person says lies in the wrong jacket is left out of it.
    """
    return JacketCase(
        label=label_of(services, sheets),
        record=record,
        films=tuple(
            FilmCase(id=sheet.id, testimony=testimony_of(services, [sheet], FieldSource.FILM))
            for sheet in undecided
            if sheet.kind is SheetKind.FILM and not sheet.misfiled
        ),
        neighbours=neighbours,
    )


def verdicts_for(
    services: Services,
    record: JacketRecord | None,
    sheets: Iterable[Sheet],
    undecided: list[Sheet],
    neighbours: tuple[Neighbour, ...] = (),
) -> dict[str, Verdict]:
    """Decide sheets against the index; labels, documents and what is misfiled by their own text."""
    sheets = list(sheets)
    case = jacket_case(services, record, sheets, undecided, neighbours)
    weights = adopted_weights(services)
    cases = [case, *(_alone(services, one) for one in undecided if one.misfiled)]
    verdicts = [
        verdict
        for one in cases
        for verdict in identity.decide_jacket(
            one, identity.gather(one, services.index, weights), services.policy
        )
    ]
    for sheet in undecided:
        if sheet.kind is SheetKind.FILM:
            continue
        own = testimony_of(services, [sheet], FieldSource.LABEL)
        label, listing = (None, None) if sheet.misfiled else (case.label, record)
        paper = identity.PaperCase(id=sheet.id, testimony=own, label=label, record=listing)
        verdicts.append(
            identity.decide_paper(paper, services.index, services.policy, weights=weights)
        )
    return {verdict.film_id: replace(verdict, weights=weights.name) for verdict in verdicts}


def _alone(services: Services, sheet: Sheet) -> JacketCase:
    """Lay out a misfiled film: neither label nor list nor neighbours say anything of it."""
    said = testimony_of(services, [sheet], FieldSource.FILM)
    films = (FilmCase(id=sheet.id, testimony=said),) if sheet.kind is SheetKind.FILM else ()
    return JacketCase(label=None, record=None, films=films)


def beside_what_was_typed(
    services: Services,
    record: JacketRecord | None,
    sheets: Iterable[Sheet],
    undecided: list[Sheet],
    neighbours: tuple[Neighbour, ...] = (),
) -> tuple[dict[str, Verdict], frozenset[str]]:
    """Decide sheets, and name those that only what people typed would file.

    A correction ranks candidates and may speak against one; it files nothing by itself. What goes
    by itself goes by the evidence as it was read, and counts as that.
    """
    everything = list(sheets)
    verdicts = verdicts_for(services, record, everything, undecided, neighbours)
    if not any(one.corrections for one in everything):
        return verdicts, frozenset()
    bare = [replace(one, corrections={}) for one in everything]
    mine = {one.id for one in undecided}
    as_read = verdicts_for(
        services, record, bare, [one for one in bare if one.id in mine], neighbours
    )
    filed = {key: one for key, one in verdicts.items() if one.outcome is Outcome.AUTO}
    same = {
        key: as_read[key]
        for key, one in filed.items()
        if (one.patient, one.exam, one.mint_study)
        == (as_read[key].patient, as_read[key].exam, as_read[key].mint_study)
    }
    return {**verdicts, **same}, frozenset(filed.keys() - same.keys())


@dataclass(frozen=True, slots=True)
class Doubts:
    """What of a jacket, beside the verdict, keeps a sheet from being filed.

    Attributes
    ----------
    miscounted : tuple of Reason
        Of its label: films too few or too many.
    spent : mapping of str to str
        Classes of evidence that file nothing for now, and why.
    typed : bool
        Only what a person typed would file it.
    """

    miscounted: tuple[Reason, ...] = ()
    spent: Mapping[str, str] = field(default_factory=dict)
    typed: bool = False


def weighed(
    services: Services, tx: Transaction, sheet: Sheet, verdict: Verdict, doubts: Doubts
) -> tuple[Sheet, tuple[Reason, ...]]:
    """Return a sheet with what a verdict proposes, and the reasons why a person must decide."""
    found = [*_own_reasons(sheet), *verdict.reasons, *_same_film(services, tx, sheet)]
    if sheet.misfiled:
        # Alone it is looked at, not with the silent films of a jacket that is not its own.
        found = [
            reason(Code.NO_IDENTIFIER) if one.code is Code.FILM_SILENT else one for one in found
        ]
        found.insert(0, reason(Code.MARKED_MISFILED, sheet.misfiled))
    if doubts.typed:
        found.append(reason(Code.CORRECTED_BY_PERSON))
    if sheet.kind is SheetKind.LABEL:
        found += [one for one in doubts.miscounted if one.code.value not in sheet.confirmed]
    if verdict.outcome is Outcome.AUTO and verdict.evidence_class in doubts.spent:
        found.append(spent_reason(doubts.spent[verdict.evidence_class]))
    proposal = replace(
        sheet,
        candidates=verdict.candidates,
        posterior=verdict.posterior,
        exam_posterior=verdict.exam_posterior,
    )
    return proposal, _unique(found)


def _settle(
    services: Services,
    tx: Transaction,
    sheet: Sheet,
    verdict: Verdict,
    doubts: Doubts,
) -> list[tuple[Stage, str]]:
    """Write a verdict down: approve the sheet, or ask a person with all reasons at once.

    A jacket with a film too few or too many is asked about on its label: its films are not held up.
    """
    now = services.clock.now()
    current = tx.get(Sheet, sheet.id)
    if current.version != sheet.version:
        # A person, or later evidence, was quicker: what was found out is of yesterday.
        return []
    proposal, reasons = weighed(services, tx, current, verdict, doubts)
    if verdict.outcome is Outcome.AUTO and verdict.patient is not None and not reasons:
        decision = decision_of(services, tx, proposal, verdict, "auto")
        matched = moved(proposal, State.MATCHED, now)
        matched = tx.save(matched, event(sheet.id, "matched", "auto", **evidence(verdict)))
        approved = moved(matched, State.APPROVED, now, decision=decision)
        tx.save(approved, event(sheet.id, "approved", "auto", study=decision.study_instance_uid))
        draw(services, tx, matched, verdict)
        tx.schedule(Stage.WRAP, sheet.id)
        return [(Stage.WRAP, sheet.id)]
    asked = held(proposal, State.REVIEW, reasons or (reason(Code.BELOW_THRESHOLD),), now)
    asked = replace(asked, resume=State.READ)
    if asked == current:
        # Nothing new: the page of whoever looks at it is still true.
        return []
    tx.save(
        asked,
        event(sheet.id, "review", reasons=reason_payload(asked.reasons), **evidence(verdict)),
    )
    return []


def spent_reason(why: str) -> Reason:
    """Say that films of this kind are not filed without a person for now, and why."""
    return reason(Code.BUDGET_SPENT, f"Films with such evidence wait for a person: {why}")


def _own_reasons(sheet: Sheet) -> tuple[Reason, ...]:
    """Return what the picture itself gives to ask about, unless a person has settled it."""
    found = [one for one in sheet.reasons if one.code in _OF_THE_PICTURE]
    return tuple(one for one in found if one.code.value not in sheet.confirmed)


def _same_film(services: Services, tx: Transaction, sheet: Sheet) -> tuple[Reason, ...]:
    """Ask about a film that looks like one scanned before, or like one already on its way."""
    if not sheet.fingerprint or Code.SAME_FILM_SUSPECTED.value in sheet.confirmed:
        return ()
    own = tx.get(Scan, sheet.scan_id)
    # However either was fed: a film of which no text tells the turn is compared in all eight views.
    near = {
        other.id: other
        for view in film.fingerprint_views(sheet.fingerprint)
        for other in tx.sheets_with_fingerprint_near(view, services.settings.same_film_distance)
    }.values()
    for other in near:
        if other.scan_id == sheet.scan_id or other.state in ENDS:
            continue
        if identity.told_apart(sheet.fields, other.fields):
            continue
        theirs = tx.get(Scan, other.scan_id)
        earlier = (theirs.received_at, theirs.position) < (own.received_at, own.position)
        if earlier or (other.state in WAY[WAY.index(State.APPROVED) :]):
            text = f"This looks like the film of scan {theirs.source}, scanned before."
            return (reason(Code.SAME_FILM_SUSPECTED, text),)
    return ()


def decision_of(
    services: Services, tx: Transaction, sheet: Sheet, verdict: Verdict, who: str, why: str = ""
) -> Decision:
    """Make the decision and mint what UIDs it needs, in the same transaction (DESIGN §4)."""
    patient = verdict.patient
    assert patient is not None, "a decision names a patient"
    key = f"{patient.issuer}|{patient.patient_id}"
    exam = verdict.exam
    if sheet.kind is not SheetKind.FILM:
        study, day = tx.uid(f"jacket-study:{sheet.jacket_id}:{key}"), ""
        exam = None
    elif exam is not None:
        study = exam.study_instance_uid or tx.uid(f"study:{key}|{exam.accession_number}")
        day = exam.study_date.isoformat() if exam.study_date else ""
    else:
        minted: date | None = verdict.mint_study
        day = minted.isoformat() if minted else ""
        study = tx.uid(f"study:{key}|date:{day or 'unknown:' + sheet.id}")
    return Decision(
        patient=patient,
        exam=exam,
        study_date=day,
        study_instance_uid=study,
        series_instance_uid=tx.uid(f"series:{study}:{sheet.kind.value}"),
        posterior=verdict.posterior,
        exam_posterior=verdict.exam_posterior,
        decided_by=who,
        decided_at=services.clock.now(),
        reason=why,
        evidence_class=verdict.evidence_class if who == "auto" else "",
        exam_evidence=verdict.exam_evidence if who == "auto" else "",
    )


def evidence(verdict: Verdict) -> dict[str, Any]:
    """Return the part of a verdict that is kept in the event: numbers and agreements, no names."""
    return {
        "posterior": verdict.posterior,
        "exam_posterior": verdict.exam_posterior,
        "evidence_class": verdict.evidence_class,
        "exam_evidence": verdict.exam_evidence,
        "weights": verdict.weights or "built-in",
        "candidates": [
            {
                "patient_id": one.patient.patient_id,
                "issuer": one.patient.issuer,
                "accession_number": one.exam.accession_number if one.exam else None,
                "weight": round(one.weight, 3),
                "posterior": one.posterior,
                "film": {name.value: how.value for name, how in one.film_agreement.items()},
                "label": {name.value: how.value for name, how in one.label_agreement.items()},
            }
            for one in verdict.candidates[:5]
        ],
    }


def _unique(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return the reasons, one for each code, in order."""
    first: dict[Code, Reason] = {}
    for one in reasons:
        first.setdefault(one.code, one)
    return tuple(first.values())
