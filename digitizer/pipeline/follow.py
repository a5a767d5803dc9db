"""The silent films of a jacket: one look of a person files them together.

What this never does: file a film whose own words, or whose jacket's label, name somebody else; mint
an exam; decide a film that is on hold, with another person, or suspected of more than silence.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from digitizer import identity
from digitizer.errors import UnknownRecord, UsageError
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
from digitizer.pipeline.bearers import testimony_of
from digitizer.pipeline.changes import event, reason_payload
from digitizer.pipeline.jacket import listed
from digitizer.pipeline.review import approve, exam_named, in_review, patient_named
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["Followed", "follow", "jacket_of", "silent_films"]

_LOOKED_AT = frozenset(
    {
        Code.FILM_SILENT,
        Code.ORIENTATION_UNKNOWN,
        Code.EXAM_UNKNOWN,
        Code.EXAM_AMBIGUOUS,
        Code.IMPLAUSIBLE_DATE,
        Code.SHADOW_MODE,
    }
)
"""Reasons that one look at the sheet of all pictures settles; others need a look of their own."""
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
    """
    patient = patient_named(services, patient_id)
    named = exam_named(services, patient, accession_number) if accession_number else None
    with services.ledger.reading() as view:
        found = jacket_of(view, jacket, batch)
        sheets = view.sheets(jacket_id=found.id)
    silent = silent_films(sheets)
    if not silent:
        raise UsageError(
            f"No silent film of jacket {jacket} waits for a person.",
            remedy="`digitizer review list` shows what does.",
        )
    refused = _refused(services, found, sheets, silent, patient, user)
    open_to_it = [sheet for sheet in silent if sheet.id not in refused]
    exams = identity.place_silent(
        _silent_case(services, sheets, open_to_it, patient), patient, named
    )
    result = Followed(patient=patient, filed={}, asked={}, refused=refused)
    with services.ledger.transaction() as tx:
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


def _refused(
    services: Services,
    jacket: Jacket,
    sheets: Iterable[Sheet],
    silent: list[Sheet],
    patient: PatientRecord,
    user: str,
) -> dict[str, Reason]:
    """Name the films that this look does not file, silent or not, and why."""
    sheets = list(sheets)
    waiting = [
        sheet for sheet in sheets if sheet.kind is SheetKind.FILM and sheet.state is State.REVIEW
    ]
    refused: dict[str, Reason] = {}
    for sheet in waiting:
        said = testimony_of(services, [sheet], FieldSource.FILM)
        against = identity.speaks_against(said, patient, services.index)
        if against is not None:
            refused[sheet.id] = reason(Code.FILM_CONTRADICTS_JACKET, against)
    denied = _jacket_denies(services, jacket, sheets, patient)
    for sheet in silent:
        more = [one for one in sheet.reasons if one.code not in _LOOKED_AT]
        if denied is not None:
            refused.setdefault(sheet.id, reason(Code.FILM_CONTRADICTS_JACKET, denied))
        elif sheet.assigned_to not in (None, user):
            text = f"The film is with {sheet.assigned_to}."
            refused.setdefault(sheet.id, reason(Code.ON_HOLD, text))
        elif more:
            refused.setdefault(sheet.id, more[0])
    return refused


def _jacket_denies(
    services: Services, jacket: Jacket, sheets: list[Sheet], patient: PatientRecord
) -> str | None:
    """Say so where the label or the jacket list names somebody else as the jacket's patient."""
    labels = [sheet for sheet in sheets if sheet.kind is SheetKind.LABEL]
    if labels:
        said = testimony_of(services, labels, FieldSource.LABEL)
        denied = identity.label_denies(said, patient)
        if denied is not None:
            return denied
    record = listed(services, jacket, sheets)
    if record is None or not record.patient_id:
        return None
    own = [(patient.issuer, patient.patient_id), *patient.other_ids]
    if any(number == record.patient_id and record.issuer in ("", issuer) for issuer, number in own):
        return None
    return f"The jacket list says that this jacket is patient {record.patient_id}'s."


def _silent_case(
    services: Services, sheets: Iterable[Sheet], silent: list[Sheet], patient: PatientRecord
) -> SilentFilms:
    sheets = list(sheets)
    chosen = {sheet.id for sheet in silent}
    labels = [sheet for sheet in sheets if sheet.kind is SheetKind.LABEL]
    others = [
        sheet
        for sheet in sheets
        if sheet.kind is SheetKind.FILM and sheet.id not in chosen and sheet.state not in ENDS
    ]
    filed = Counter(
        sheet.decision.exam.accession_number
        for sheet in others
        if sheet.decision is not None
        and sheet.decision.exam is not None
        and sheet.decision.patient == patient
    )
    said = {
        sheet.id: testimony_of(services, [sheet], FieldSource.FILM) for sheet in [*silent, *others]
    }
    return SilentFilms(
        films=tuple(FilmCase(id=sheet.id, testimony=said[sheet.id]) for sheet in silent),
        label=testimony_of(services, labels, FieldSource.LABEL) if labels else None,
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
