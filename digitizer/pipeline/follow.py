"""The silent films of a jacket: one look of a person files them together.

What this never does: file a film whose own words, or whose jacket's label, name somebody else; mint
an exam; decide a film that is on hold, with another person, or suspected of more than silence.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from digitizer import identity
from digitizer.errors import StaleRecord, UnknownRecord, UsageError
from digitizer.identity import ExamRates, SilentFilms
from digitizer.model.film import SheetKind
from digitizer.model.identity import (
    Candidate,
    ExamRecord,
    FilmCase,
    Outcome,
    PatientRecord,
    Verdict,
)
from digitizer.model.reading import FieldSource
from digitizer.model.reasons import Code, Reason, reason
from digitizer.model.records import Jacket, Sheet, Stage
from digitizer.model.states import ENDS, State
from digitizer.pipeline.bearers import label_of, testimony_of
from digitizer.pipeline.changes import event, reason_payload
from digitizer.pipeline.denials import not_to_follow, numbers_of
from digitizer.pipeline.review import approve, exam_named, in_review, patient_named
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["Followed", "follow", "jacket_of", "silent_films"]

_OF_THE_EXAM = frozenset({Code.EXAM_UNKNOWN, Code.EXAM_AMBIGUOUS, Code.IMPLAUSIBLE_DATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What became of a jacket's silent films.

    Attributes
    ----------
    patient : PatientRecord
    filed : dict of str to (ExamRecord or None)
        Film's id to its exam; None where its own day and the jacket's log name one that the index
        lacks.
    asked : dict of str to Reason
        Films of this patient whose exam a person must still choose.
    refused : dict of str to Reason
        Films that may be somebody else's, or need a look of their own; nothing was changed.
    """

    patient: PatientRecord
    filed: dict[str, ExamRecord | None]
    asked: dict[str, Reason]
    refused: dict[str, Reason]


def jacket_of(view: Transaction, name: str, batch: str | None = None) -> Jacket:
    """Find a jacket by ``BOX/JACKET``, or by ``JACKET`` where that is unique.

    Raises
    ------
    UnknownRecord
        There is none of that name.
    UsageError
        There are several.
    """
    box, slash, own = name.rpartition("/")
    found = list(view.jackets_named(own, box)) if slash else list(view.jackets_named(name))
    if batch is not None:
        wanted = view.batch_named(batch)
        found = [one for one in found if wanted is not None and one.batch_id == wanted.id]
    if not found:
        raise UnknownRecord(
            f"There is no jacket {name}.", remedy="`digitizer batch show NAME` lists them."
        )
    if len(found) > 1:
        raise UsageError(
            f"There are {len(found)} jackets {name}.", remedy="Give BOX/JACKET, and --batch."
        )
    return found[0]


def silent_films(sheets: Iterable[Sheet]) -> list[Sheet]:
    """Return the films that wait for a person because they bear nothing that names anybody."""
    return [
        sheet
        for sheet in sheets
        if sheet.kind is SheetKind.FILM
        and sheet.state is State.REVIEW
        and not sheet.misfiled
        and any(one.code is Code.FILM_SILENT for one in sheet.reasons)
    ]


def follow(
    services: Services,
    jacket: str,
    *,
    user: str,
    patient_id: str,
    accession_number: str | None = None,
    batch: str | None = None,
    undo_window_s: float | None = None,
) -> Followed:
    """File the silent films of a jacket together, after a person's look at them.

    Each film gets its exam by its own day, part and side; else by what the one exam lacks that is
    not complete; else a person is asked for it.

    Parameters
    ----------
    services : Services
    jacket : str
        ``BOX/JACKET``, or ``JACKET`` where unique.
    user : str
        Who looked.
    patient_id : str
        ``NUMBER`` or ``ISSUER:NUMBER``: whose films they are.
    accession_number : str, optional
        The exam of all of them, where the person knows it.
    batch : str, optional
        Where several batches hold a jacket of that name.
    undo_window_s : float, optional
        The setting by default.

    Raises
    ------
    UsageError
        No such jacket, patient or exam, or the jacket has no silent film.
    StaleRecord
        The jacket is not any more what was looked at.
    """
    with services.ledger.reading() as view:
        found = jacket_of(view, jacket, batch)
    patient = patient_named(services, patient_id)
    named = exam_named(services, patient, accession_number) if accession_number else None
    with services.ledger.reading() as view:
        sheets = view.sheets(jacket_id=found.id)
        filed = _filed(view, patient)
    silent = silent_films(sheets)
    if not silent:
        raise UsageError(
            f"No silent film of jacket {jacket} waits for a person.",
            remedy="`digitizer review list` shows what does.",
        )
    refused = not_to_follow(services, found, sheets, silent, patient, user)
    open_to_it = [sheet for sheet in silent if sheet.id not in refused]
    case = _silent_case(services, sheets, open_to_it, patient, filed)
    exams = identity.place_silent(case, patient, named)
    result = Followed(patient=patient, filed={}, asked={}, refused=refused)
    with services.ledger.transaction() as tx:
        _still(tx, found, sheets, open_to_it, patient, filed)
        for sheet in open_to_it:
            current = in_review(tx.get(Sheet, sheet.id), user)
            exam = exams[sheet.id]
            if exam.exam is None and exam.mint is None:
                why = exam.reasons[0] if exam.reasons else reason(Code.EXAM_UNKNOWN)
                _ask(tx, current, patient, why, user)
                result.asked[sheet.id] = why
                continue
            verdict = Verdict(
                film_id=sheet.id,
                outcome=Outcome.REVIEW,
                patient=patient,
                exam=exam.exam,
                mint_study=exam.mint,
                posterior=sheet.posterior or 0.0,
                exam_posterior=exam.posterior,
            )
            approve(
                services, tx, current, verdict,
                user=user, undo_window_s=undo_window_s, followed=found.id,
            )  # fmt: skip
            result.filed[sheet.id] = exam.exam
    services.waker.wake([(Stage.WRAP, film_id) for film_id in result.filed])
    return result


def _filed(view: Transaction, patient: PatientRecord) -> Counter[str]:
    """Count a patient's films by accession number, in all jackets: an exam may lie in two."""
    return Counter(
        sheet.decision.exam.accession_number
        for issuer, number in numbers_of(patient)
        for sheet in view.sheets_of_patient(issuer, number)
        if sheet.kind is SheetKind.FILM and sheet.decision is not None and sheet.decision.exam
    )


def _still(
    tx: Transaction,
    jacket: Jacket,
    sheets: Iterable[Sheet],
    silent: Iterable[Sheet],
    patient: PatientRecord,
    filed: Counter[str],
) -> None:
    """Make sure that all is as it was checked: what came since would be settled unseen."""
    now = tx.sheets(jacket_id=jacket.id)
    versions = {sheet.id: sheet.version for sheet in now}
    same = all(versions.get(sheet.id) == sheet.version for sheet in silent)
    if not same or _decided(now) != _decided(sheets) or _filed(tx, patient) != filed:
        raise StaleRecord(
            "The jacket was changed while you looked at it.", remedy="Look at it again."
        )


def _decided(sheets: Iterable[Sheet]) -> dict[str, tuple[str, str] | None]:
    """Tell of each film for whom it is decided; the steps after a decision change nothing here."""
    return {
        sheet.id: (sheet.decision.patient.issuer, sheet.decision.patient.patient_id)
        if sheet.decision
        else None
        for sheet in sheets
        if sheet.state not in ENDS
    }


def _silent_case(
    services: Services,
    sheets: Sequence[Sheet],
    silent: list[Sheet],
    patient: PatientRecord,
    filed: Counter[str],
) -> SilentFilms:
    chosen = {sheet.id for sheet in silent}
    sheets = [sheet for sheet in sheets if not sheet.misfiled]
    others = [
        sheet
        for sheet in sheets
        if sheet.kind is SheetKind.FILM and sheet.id not in chosen and sheet.state not in ENDS
    ]
    said = {
        sheet.id: testimony_of(services, [sheet], FieldSource.FILM) for sheet in [*silent, *others]
    }
    return SilentFilms(
        films=tuple(FilmCase(id=sheet.id, testimony=said[sheet.id]) for sheet in silent),
        label=label_of(services, sheets),
        others=tuple(said[sheet.id] for sheet in others),
        exams=services.index.exams(patient),
        filed=filed,
        complete=all(sheet.decision is not None for sheet in others),
        rates=ExamRates.of(services.index.exam_days(), services.policy.exams_missing),
    )


def _ask(tx: Transaction, sheet: Sheet, patient: PatientRecord, why: Reason, user: str) -> None:
    """Keep whose film it is as the proposal; its exam is asked for beside its silence."""
    rest = tuple(one for one in sheet.reasons if one.code not in _OF_THE_EXAM)
    known = {one.patient: one for one in sheet.candidates}
    first = known.get(patient) or Candidate(
        patient=patient,
        exam=None,
        weight=0.0,
        posterior=0.0,
        film_agreement={},
        label_agreement={},
    )
    others = tuple(one for one in sheet.candidates if one.patient != patient)
    asked = replace(sheet, reasons=(*rest, why), candidates=(first, *others), assigned_to=user)
    what = event(
        sheet.id,
        "followed",
        user,
        patient_id=patient.patient_id,
        issuer=patient.issuer,
        reasons=reason_payload(asked.reasons),
    )
    tx.save(asked, what)
