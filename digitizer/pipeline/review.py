"""What a person decides, from whatever door: accept, assign, reject, hold, release, retry.

What this never does: change a film that is already wrapped (that is a correction), or take a
decision without the name of who took it.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from digitizer import identity
from digitizer.errors import StaleRecord, UnknownRecord, UsageError
from digitizer.model.film import SheetKind
from digitizer.model.identity import ExamRecord, Outcome, PatientRecord, Verdict
from digitizer.model.reading import FieldSource
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Scan, Sheet, Stage
from digitizer.model.states import HOLDS, State
from digitizer.pipeline.bearers import testimony_of
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.jacket import decision_of
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = [
    "SETTLED_BY_A_PERSON",
    "accept",
    "approve",
    "assign",
    "exam_named",
    "hold",
    "in_review",
    "patient_named",
    "reject",
    "release",
    "retry",
    "sheet_or_scan",
]

SETTLED_BY_A_PERSON = (
    Code.ORIENTATION_UNKNOWN,
    Code.MARKER_CONTRADICTS,
    Code.SAME_FILM_SUSPECTED,
    Code.KIND_UNKNOWN,
    Code.RESCAN_PROPOSED,
    Code.EXPECTED_FILMS_DIFFER,
)

_RESUMES: dict[State, Stage] = {
    State.APPROVED: Stage.WRAP,
    State.WRAPPED: Stage.STORE,
    State.STORED: Stage.COMMIT,
    State.COMMITTED: Stage.VERIFY,
}


def sheet_or_scan(tx: Transaction, id: str) -> Sheet | Scan:
    """Find a film by its id, or the scan that holds it.

    Raises
    ------
    UnknownRecord
        Nothing of that id.
    """
    try:
        return tx.get(Sheet, id)
    except UnknownRecord:
        pass
    try:
        return tx.get(Scan, id)
    except UnknownRecord:
        raise UnknownRecord(
            f"There is no film or scan {id}.", remedy="`digitizer review list` shows the ids."
        ) from None


def accept(
    services: Services,
    film_id: str,
    *,
    user: str,
    patient_id: str | None = None,
    accession_number: str | None = None,
    study_date: date | None = None,
    undo_window_s: float | None = None,
    version: int | None = None,
) -> Sheet:
    """Decide a film: the first candidate, or the patient and exam that the person names.

    The decision waits the undo window before it is wrapped.

    Parameters
    ----------
    services : Services
    film_id : str
    user : str
        Who decides.
    patient_id : str, optional
        ``NUMBER`` or ``ISSUER:NUMBER``; the first candidate without.
    accession_number : str, optional
        Of the patient's exam; without, the one proposed, or the one the film itself tells; "" says
        that the exam is not in the index. Where none is told, the film's own day is its study's.
    study_date : date, optional
        Day of an exam that the index does not have.
    undo_window_s : float, optional
        The setting by default.
    version : int, optional
        Of the film as the person saw it.

    Raises
    ------
    UsageError
        The film is not in review, or the patient or exam is not in the index or not clear.
    StaleRecord
        The film is not any more what the person saw.
    """
    with services.ledger.reading() as view:
        sheet = in_review(view.get(Sheet, film_id), user)
    patient = patient_named(services, patient_id) if patient_id else _proposed(sheet)
    exam = None
    if study_date is None or accession_number is not None:
        exam = _exam(services, sheet, patient, accession_number)
    if exam is None and study_date is None and sheet.kind is SheetKind.FILM:
        study_date = identity.day_of(testimony_of(services, [sheet], FieldSource.FILM), patient)
    verdict = Verdict(
        film_id=film_id,
        outcome=Outcome.REVIEW,
        patient=patient,
        exam=exam,
        mint_study=study_date,
        posterior=sheet.posterior or 0.0,
        exam_posterior=sheet.exam_posterior,
    )
    with services.ledger.transaction() as tx:
        current = in_review(tx.get(Sheet, film_id), user)
        _as_seen(current, version)
        approved = approve(services, tx, current, verdict, user=user, undo_window_s=undo_window_s)
    services.waker.wake([(Stage.WRAP, film_id)])
    return approved


def approve(
    services: Services,
    tx: Transaction,
    sheet: Sheet,
    verdict: Verdict,
    *,
    user: str,
    undo_window_s: float | None = None,
    **told: str,
) -> Sheet:
    """Write a person's decision down; it waits the undo window before it is wrapped.

    Parameters
    ----------
    services : Services
    tx : Transaction
    sheet : Sheet
        In review, as this transaction reads it.
    verdict : Verdict
        With the patient, and the exam or the day where there is one.
    user : str
    undo_window_s : float, optional
        The setting by default.
    **told : str
        More to keep in the audit trail.
    """
    now, patient, exam = services.clock.now(), verdict.patient, verdict.exam
    assert patient is not None, "a decision names a patient"
    wait = services.settings.undo_window_s if undo_window_s is None else undo_window_s
    settled = {one.code.value for one in sheet.reasons if one.code in SETTLED_BY_A_PERSON}
    decision = decision_of(services, tx, sheet, verdict, user)
    confirmed = tuple(sorted({*sheet.confirmed, *settled}))
    matched = moved(sheet, State.MATCHED, now, assigned_to=user, confirmed=confirmed)
    what = event(
        sheet.id,
        "matched",
        user,
        patient_id=patient.patient_id,
        issuer=patient.issuer,
        accession_number=exam.accession_number if exam else None,
        study_date=decision.study_date or None,
        held_for=reason_payload(sheet.reasons),
        **told,
    )
    matched = tx.save(matched, what)
    approved = moved(matched, State.APPROVED, now, decision=decision)
    approved = tx.save(approved, event(sheet.id, "approved", user, undo_s=wait))
    tx.schedule(Stage.WRAP, sheet.id, now + timedelta(seconds=wait))
    return approved


def in_review(sheet: Sheet, user: str) -> Sheet:
    """Return the film if this person may decide it.

    Raises
    ------
    UsageError
        It is not in review, on hold, or another person has taken it on.
    """
    if sheet.state is not State.REVIEW:
        raise UsageError(
            f"Film {sheet.id} is {sheet.state.value}, not in review.",
            remedy="`digitizer review list` shows what waits for a person.",
        )
    if any(one.code is Code.ON_HOLD for one in sheet.reasons):
        raise UsageError(
            f"Film {sheet.id} is on hold.", remedy="Release it first: `digitizer review release`."
        )
    _not_with_another(sheet, user)
    return sheet


def _as_seen(record: Sheet | Scan, version: int | None) -> None:
    if version is not None and record.version != version:
        raise StaleRecord("It was changed while you looked at it.", remedy="Look at it again.")


def _not_with_another(sheet: Sheet, user: str) -> None:
    if sheet.assigned_to in (None, user):
        return
    remedy = "Let that person decide, or free it: `digitizer review release`."
    if sheet.state is not State.REVIEW:
        remedy = "What that person decided, that person takes back: `digitizer review hold`."
    raise UsageError(f"Film {sheet.id} is with {sheet.assigned_to}.", remedy=remedy)


def _proposed(sheet: Sheet) -> PatientRecord:
    if not sheet.candidates:
        raise UsageError(
            f"Film {sheet.id} has no candidate.", remedy="Name the patient with --patient."
        )
    return sheet.candidates[0].patient


def patient_named(services: Services, patient_id: str) -> PatientRecord:
    """Look a patient up by ``NUMBER`` or ``ISSUER:NUMBER``.

    Raises
    ------
    UsageError
        Nobody of that number, or several.
    """
    number, issuer = patient_id, None
    if ":" in patient_id:
        issuer, number = patient_id.split(":", 1)
    patient = services.index.patient(number, issuer)
    if patient is None:
        raise UsageError(
            "That patient number is not in the index, or it stands there under several issuers.",
            remedy="Give it as ISSUER:NUMBER, or import the patient first.",
        )
    return patient


def exam_named(services: Services, patient: PatientRecord, accession_number: str) -> ExamRecord:
    """Look an exam of a patient up by its accession number.

    Raises
    ------
    UsageError
        The patient has no exam of that number in the index.
    """
    for exam in services.index.exams(patient):
        if exam.accession_number == accession_number:
            return exam
    raise UsageError(
        "That accession number is not an exam of this patient in the index.",
        remedy="Import the exam first, or leave --accession out.",
    )


def _exam(
    services: Services, sheet: Sheet, patient: PatientRecord, accession_number: str | None
) -> ExamRecord | None:
    """Return the exam that the person named, else that proposed, else that the film tells."""
    if accession_number == "":
        return None
    if accession_number is not None:
        return exam_named(services, patient, accession_number)
    if sheet.candidates and sheet.candidates[0].patient == patient:
        return sheet.candidates[0].exam
    if sheet.kind is not SheetKind.FILM:
        return None
    said = testimony_of(services, [sheet], FieldSource.FILM)
    return identity.exam_of(said, patient, services.index, services.policy.exams_missing).exam


def assign(services: Services, film_id: str, *, user: str, reason_text: str = "") -> Sheet:
    """Take a film on oneself: nobody else decides it, and no late evidence reopens it."""
    with services.ledger.transaction() as tx:
        sheet = in_review(tx.get(Sheet, film_id), user)
        taken = replace(sheet, assigned_to=user)
        return tx.save(taken, event(film_id, "assigned", user, reason=reason_text))


def reject(
    services: Services, id: str, *, user: str, reason_text: str = "", version: int | None = None
) -> Sheet | Scan:
    """End a film or a scan: rescan or discard. The original stays in the vault.

    ``version`` is that of the film or scan as the person saw it, where known.
    """
    now = services.clock.now()
    why = (reason(Code.REJECTED_BY_PERSON, reason_text or None),)
    with services.ledger.transaction() as tx:
        record = sheet_or_scan(tx, id)
        _as_seen(record, version)
        if record.state not in HOLDS | {State.APPROVED}:
            raise UsageError(f"{id} is {record.state.value}; only what is held can be rejected.")
        ended = event(id, "rejected", user, reason=reason_text)
        for stage in _RESUMES.values():
            tx.unschedule(stage, id)
        if isinstance(record, Sheet):
            _not_with_another(record, user)
            return tx.save(moved(record, State.REJECTED, now, reasons=why), ended)
        for sheet in tx.sheets(scan_id=record.id):
            if sheet.state in HOLDS:
                tx.save(
                    moved(sheet, State.REJECTED, now, reasons=why), replace(ended, subject=sheet.id)
                )
        return tx.save(moved(record, State.REJECTED, now, reasons=why), ended)


def hold(
    services: Services,
    film_id: str,
    *,
    user: str,
    reason_text: str = "",
    version: int | None = None,
) -> Sheet:
    """Put a film aside, with the reason; nothing happens to it until it is released.

    ``version`` is that of the film as the person saw it, where known.
    """
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        sheet = tx.get(Sheet, film_id)
        _as_seen(sheet, version)
        _not_with_another(sheet, user)
        why = (reason(Code.ON_HOLD, reason_text or None), *sheet.reasons)
        if sheet.state is State.REVIEW:
            kept = replace(sheet, reasons=why, assigned_to=user)
        elif sheet.state is State.APPROVED:
            tx.unschedule(Stage.WRAP, film_id)
            kept = held(sheet, State.REVIEW, why, now, assigned_to=user, decision=None)
            kept = replace(kept, resume=State.READ)
        else:
            raise UsageError(f"Film {film_id} is {sheet.state.value}; it cannot be held any more.")
        return tx.save(kept, event(film_id, "put_on_hold", user, reason=reason_text))


def release(services: Services, film_id: str, *, user: str, reason_text: str = "") -> Sheet:
    """Lift a hold, and free a film that somebody took on: it is in review as it was before."""
    with services.ledger.transaction() as tx:
        sheet = tx.get(Sheet, film_id)
        rest = tuple(one for one in sheet.reasons if one.code is not Code.ON_HOLD)
        taken_on = sheet.state is State.REVIEW and sheet.assigned_to is not None
        if len(rest) == len(sheet.reasons) and not taken_on:
            raise UsageError(f"Film {film_id} is not on hold, and nobody has taken it on.")
        freed = replace(sheet, reasons=rest or (reason(Code.BELOW_THRESHOLD),), assigned_to=None)
        return tx.save(freed, event(film_id, "released", user, reason=reason_text))


def retry(services: Services, ids: Iterable[str], *, user: str) -> frozenset[str]:
    """Go on where a held scan or film stopped; returns which were set going."""
    started: dict[str, tuple[Stage, str]] = {}
    for one in ids:
        with services.ledger.transaction() as tx:
            step = _resume(services, tx, sheet_or_scan(tx, one), user)
        if step is not None:
            started[one] = step
    services.waker.wake(started.values())
    return frozenset(started)


def _resume(
    services: Services, tx: Transaction, record: Sheet | Scan, user: str
) -> tuple[Stage, str] | None:
    if record.state not in HOLDS or any(one.code is Code.ON_HOLD for one in record.reasons):
        return None
    now = services.clock.now()
    back = record.resume or State.RECEIVED
    if back is State.COMMITTED:
        # A copy that was wrong may be deleted by now: what the archive lacks is sent first.
        back = State.WRAPPED
    again = event(record.id, "retried", user, state=back.value)
    if isinstance(record, Scan):
        if record.sha256 is None:
            return None
        stage = Stage.READ if back is State.PREPARED else Stage.PREPARE
        tx.save(
            moved(record, State.PREPARED if stage is Stage.READ else State.RECEIVED, now), again
        )
        tx.unschedule(stage, record.id)
        tx.schedule(stage, record.id)
        return stage, record.id
    if back in _RESUMES and record.decision is not None:
        tx.save(moved(record, back, now), again)
        # It may wait for a later stage, which what is done anew comes before.
        for stage in _RESUMES.values():
            tx.unschedule(stage, record.id)
        tx.schedule(_RESUMES[back], record.id)
        return _RESUMES[back], record.id
    # Read films keep their reasons; deciding their jacket anew replaces them.
    tx.record(again)
    tx.schedule(Stage.DECIDE, record.jacket_id)
    return Stage.DECIDE, record.jacket_id
