"""What a person decides about older studies: accept, hold, release, retry."""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum, unique

from digitizer import identity
from digitizer.errors import StaleRecord, UsageError
from digitizer.model.identity import Agreement, ExamRecord, Outcome, PatientRecord, Verdict
from digitizer.model.older import OldInstance, OldStudy, SourceKind
from digitizer.model.older import Source as OlderSource
from digitizer.model.reading import FieldName
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Stage
from digitizer.model.states import HOLDS, State
from digitizer.pipeline.changes import event, held, moved
from digitizer.pipeline.older.decide import approve, asked_of_instances
from digitizer.pipeline.older.leaving_out import (
    leave_out,
    must_leave_some,
    must_not_forget,
    open_instances,
    take_back,
)
from digitizer.pipeline.older.picture_exam import own_study_uid
from digitizer.pipeline.older.rejecting import must_not_be_there
from digitizer.pipeline.older.steps import SENT, count_token, identities_token, on_hold
from digitizer.pipeline.older.strangers import referring, strangers
from digitizer.pipeline.older.writing import revive
from digitizer.pipeline.review import exam_named, patient_named
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = [
    "Collisions",
    "accept",
    "alike",
    "hold",
    "release",
    "retry",
    "waiting",
]

_COLLIDING = frozenset((Code.UID_COLLISION, Code.ARCHIVE_DIFFERS))
_OF_INSTANCES = _COLLIDING | {
    *(Code.KIND_REFUSED, Code.CORRUPT_FILE, Code.TRUNCATED_FILE, Code.TOO_LARGE),
    *(Code.UNSUPPORTED_FORMAT, Code.EMPTY_FILE),
}
"""Reasons that single instances are held for."""
_EACH_BY_ITSELF = _OF_INSTANCES | {
    *(Code.SEVERAL_IDENTITIES, Code.PICTURE_CONTRADICTS, Code.COUNT_DIFFERS),
}
"""Reasons for which one study says nothing of another."""
_WHO = (FieldName.PATIENT_ID, FieldName.FAMILY_NAME, FieldName.BIRTH_DATE)
_NOT_BY_ACCEPTING = frozenset((Code.STUDY_CONFLICT, Code.READ_BACK_DIFFERS, Code.INTERNAL_ERROR))
_RESUMES = {
    State.APPROVED: Stage.OLD_STORE,
    State.WRAPPED: Stage.OLD_STORE,
    State.STORED: Stage.OLD_COMMIT,
    State.COMMITTED: Stage.OLD_VERIFY,
}


@unique
class Collisions(StrEnum):
    """What becomes of instances that collide with others, or that the archive does not take."""

    LEAVE = "leave"
    """They are left out, and listed as rejected."""
    NEW_UID = "new-uid"
    """They are sent under a new SOP Instance UID; the old one stays in Original Attributes."""


def accept(
    services: Services,
    study_id: str,
    *,
    user: str,
    patient_id: str | None = None,
    accession_number: str | None = None,
    collisions: Collisions | None = None,
    leave_others: bool = False,
    whole: bool = False,
    why: str = "",
    undo_window_s: float | None = None,
) -> OldStudy:
    """Decide a study in review: for the patient that the person names.

    Without one it is the first candidate, as long as neither number, name nor birth date disagrees.

    Parameters
    ----------
    services : Services
    study_id : str
    user : str
    patient_id : str, optional
        ``NUMBER`` or ``ISSUER:NUMBER``.
    accession_number : str, optional
        Of the patient's exam; without, the one proposed; "" leaves the header's number as it is.
    collisions : Collisions, optional
        What becomes of instances that cannot go as they are; must be said where there are any.
    leave_others : bool
        Instances whose headers name somebody else are left out, and listed as rejected.
    whole : bool
        They are all of the patient, whomever they name. One of both must be said of a study whose
        files name several people.
    why : str
    undo_window_s : float, optional
        The setting by default.

    Raises
    ------
    UsageError
        The study is not in review, or what was said does not settle why it is there; or nothing
        of it would be left.
    """
    with services.ledger.reading() as view:
        study = _in_review(view.get(OldStudy, study_id))
        _must_not_be_aside(study)
        seen = open_instances(view.old_instances(study_id=study_id))
        sent = bool(view.old_instances(study_id=study_id, states=SENT, limit=1))
    codes = {one.code for one in study.reasons}
    _must_be_settled(study_id, codes, collisions, gone=bool(patient_id) and not sent)
    if Code.SEVERAL_IDENTITIES in codes and leave_others is whole:
        raise UsageError(
            f"The files of study {study_id} name several people.",
            remedy="Say --leave-others, or --whole where all of them are the patient's.",
        )
    if codes == {Code.COUNT_DIFFERS}:
        return _accept_count(services, study, user, why)
    patient = patient_named(services, patient_id) if patient_id else _proposed(study)
    verdict = Verdict(
        film_id=study_id,
        outcome=Outcome.REVIEW,
        patient=patient,
        exam=_exam(services, study, patient, accession_number),
        posterior=study.posterior or 0.0,
    )
    if collisions is Collisions.NEW_UID:
        _must_not_be_named(services, study)
    must_not_forget(seen, leave_others=leave_others)
    others = strangers(services, study, seen, patient) if leave_others else {}
    window = services.settings.undo_window_s if undo_window_s is None else undo_window_s
    with services.ledger.transaction() as tx:
        current = _in_review(tx.get(OldStudy, study_id))
        rows = tx.old_instances(study_id=study_id)
        unseen = {one.code for one in asked_of_instances(current, rows)} - codes
        more = leave_others and open_instances(rows) != seen
        if current.version != study.version or unseen or more:
            tx.schedule(Stage.OLD_DECIDE, study_id)
            raise StaleRecord("This study has changed meanwhile. Look at it again.")
        _must_be_the_same(tx, current, patient)
        if leave_others:
            take_back(tx, study_id, user)
            rows = tx.old_instances(study_id=study_id)
            must_leave_some(study_id, patient, rows, others)
            leave_out(services, tx, study_id, rows, others, user)
        if codes & _OF_INSTANCES and collisions is not None:
            _settle(services, tx, current, collisions)
        confirmed = {*current.confirmed, identities_token(current), count_token(current)}
        if leave_others:
            # Who was left out is asked about again when more of the study is found.
            confirmed -= {identities_token(current)}
        approved = approve(
            services,
            tx,
            replace(current, confirmed=tuple(sorted(confirmed))),
            verdict,
            user=user,
            why=why,
            undo_window_s=window,
        )
    services.waker.wake([(Stage.OLD_STORE, study_id)])
    return approved


def _must_be_the_same(tx: Transaction, study: OldStudy, patient: PatientRecord) -> None:
    """Refuse to decide for somebody else what is in the archive, in part or whole."""
    if not tx.old_instances(study_id=study.id, states=SENT, limit=1):
        return
    before = study.decision
    if before is None or (
        (before.patient.issuer, before.patient.patient_id) != (patient.issuer, patient.patient_id)
    ):
        raise UsageError(
            f"A part of study {study.id} is in the archive under another patient number.",
            remedy="Have it deleted there; once `digitizer verify` finds it gone, accept it.",
        )


def _must_not_be_named(services: Services, study: OldStudy) -> None:
    """Refuse a new UID for what other instances of the study refer to."""
    with services.ledger.reading() as view:
        rows = view.old_instances(study_id=study.id, states=(State.REVIEW,))
    colliding = frozenset(row.sop_instance_uid for row in rows if row.code in _COLLIDING)
    number = referring(services, study, colliding)
    if number:
        raise UsageError(
            f"{number} other instances of study {study.id} refer to what collides; under a new UID"
            " they would mean the other one.",
            remedy="Say --collisions leave, or reject the study and have its source put right.",
        )


def _accept_count(services: Services, study: OldStudy, user: str, why: str) -> OldStudy:
    """Let a study go on that its peer gave in part; whose it is is decided next."""
    with services.ledger.transaction() as tx:
        current = _in_review(tx.get(OldStudy, study.id))
        if current.version != study.version:
            raise StaleRecord("This study has changed meanwhile. Look at it again.")
        confirmed = tuple(sorted({*current.confirmed, count_token(current)}))
        going = replace(moved(current, State.READ, services.clock.now()), confirmed=confirmed)
        saved = tx.save(going, event(study.id, "count_accepted", user, reason=why))
        tx.schedule(Stage.OLD_DECIDE, study.id)
    services.waker.wake([(Stage.OLD_DECIDE, study.id)])
    return saved


def _must_be_settled(
    study_id: str, codes: set[Code], collisions: Collisions | None, *, gone: bool
) -> None:
    """Refuse what accepting does not settle.

    Once the archive has nothing of a study any more (``gone``), it may be filed anew: the way to
    put right what was filed to somebody else.
    """
    if codes & _NOT_BY_ACCEPTING - ({Code.READ_BACK_DIFFERS} if gone else set()):
        raise UsageError(
            f"Study {study_id} cannot go on by being accepted.",
            remedy="Have the archive put right first, then `digitizer migrate retry`.",
        )
    if codes & _OF_INSTANCES and collisions is None:
        raise UsageError(
            f"Study {study_id} holds instances that cannot go as they are.",
            remedy="Say --collisions leave or --collisions new-uid.",
        )
    if codes & _OF_INSTANCES - _COLLIDING and collisions is Collisions.NEW_UID:
        raise UsageError("A new UID does not help here.", remedy="Say --collisions leave.")


def _must_not_be_aside(study: OldStudy) -> None:
    if on_hold(study):
        raise UsageError(
            f"Study {study.id} was put aside.", remedy="Release it first: `migrate release`."
        )


def _in_review(study: OldStudy) -> OldStudy:
    if study.state is not State.REVIEW:
        raise UsageError(f"Study {study.id} is {study.state.value}, not in review.")
    return study


def _proposed(study: OldStudy) -> PatientRecord:
    """Return the patient to be taken when the person names none: one whom nothing contradicts."""
    if not study.candidates:
        raise UsageError("No patient is proposed for this study.", remedy="Name one: --patient.")
    first = study.candidates[0]
    against = [
        f"the {name.value.replace('_', ' ')} differs"
        for name in _WHO
        if Agreement.DISAGREES in (first.film_agreement.get(name), first.label_agreement.get(name))
    ]
    if any(one.code is Code.SEVERAL_IDENTITIES for one in study.reasons):
        against.append("its files name several people")
    if against:
        who = f"{first.patient.issuer}:{first.patient.patient_id}"
        raise UsageError(
            f"The first candidate is {who}, but {' and '.join(against)}.",
            remedy="Name the patient: --patient.",
        )
    return first.patient


def _exam(
    services: Services, study: OldStudy, patient: PatientRecord, accession_number: str | None
) -> ExamRecord | None:
    if accession_number == "":
        return None
    if accession_number is not None:
        return exam_named(services, patient, accession_number)
    first = study.candidates[0] if study.candidates else None
    if first is not None and first.patient == patient and first.exam is not None:
        return first.exam
    # Of somebody whose number the header did not bear: found as it would be had it borne it.
    with services.ledger.reading() as view:
        source = view.get(OlderSource, study.source_id)
    own = own_study_uid(source, study)
    found = identity.exam_of_header(study.header, own, patient, services.index)
    return None if found.reasons else found.exam


def waiting(view: Transaction) -> int:
    """Count the older studies that wait for a person."""
    counts = (view.old_studies_by_state(one.id) for one in view.old_sources())
    return sum(one.get(State.REVIEW, 0) for one in counts)


def _settle(services: Services, tx: Transaction, study: OldStudy, collisions: Collisions) -> None:
    """Leave colliding instances out, or give them UIDs of their own: minted once, then kept."""
    changed: list[OldInstance] = []
    for row in tx.old_instances(study_id=study.id, states=(State.REVIEW,)):
        if collisions is Collisions.LEAVE or row.code not in _COLLIDING:
            changed.append(replace(row, state=State.REJECTED))
            continue
        uid = tx.uid(f"old collision:{row.source_id}:{row.place}")
        changed.append(replace(row, state=State.READ, code=None, sent_uid=uid))
    tx.write_old_instances(changed)
    revive(services, tx, [row for row in changed if row.state is State.REJECTED])


def alike(services: Services, study_id: str) -> tuple[str, ...]:
    """Return a study and those in review of its source that name the same patient, it first."""
    with services.ledger.reading() as view:
        study = view.get(OldStudy, study_id)
        found = view.old_studies(source_id=study.source_id, states=(State.REVIEW,))
    codes = {why.code for why in study.reasons}
    if codes & _EACH_BY_ITSELF or study.others:
        return (study_id,)
    same = [
        one.id
        for one in found
        if one.id != study_id
        and one.header.identity == study.header.identity
        and not one.others
        and {why.code for why in one.reasons} == codes
    ]
    return (study_id, *same)


def hold(services: Services, study_id: str, *, user: str, why: str = "") -> OldStudy:
    """Put a study aside, with the reason, until it is released.

    Raises
    ------
    UsageError
        It is not in review or just decided, or a part of it is in the archive.
    ArchiveUnreachable
        Whether a part of it is there cannot be asked.
    """
    must_not_be_there(services, study_id)
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        study = tx.get(OldStudy, study_id)
        if study.state not in (State.REVIEW, State.APPROVED):
            raise UsageError(
                f"Study {study_id} is {study.state.value}; it cannot be held any more."
            )
        if tx.old_instances(study_id=study_id, states=SENT, limit=1):
            raise UsageError(f"A part of study {study_id} is in the archive already.")
        tx.unschedule(Stage.OLD_STORE, study_id)
        take_back(tx, study_id, user)
        text = (reason(Code.ON_HOLD, why or None), *study.reasons)
        aside = held(study, State.REVIEW, text, now, decision=None, confirmed=())
        aside = replace(aside, resume=State.READ)
        return tx.save(aside, event(study_id, "put_on_hold", user, reason=why))


def release(services: Services, study_id: str, *, user: str) -> OldStudy:
    """Lift a hold; the study is decided anew."""
    with services.ledger.transaction() as tx:
        study = _in_review(tx.get(OldStudy, study_id))
        rest = tuple(one for one in study.reasons if one.code is not Code.ON_HOLD)
        if len(rest) == len(study.reasons):
            raise UsageError(f"Study {study_id} is not on hold.")
        freed = replace(study, reasons=rest or (reason(Code.BELOW_THRESHOLD),))
        saved = tx.save(freed, event(study_id, "released", user))
        tx.schedule(Stage.OLD_DECIDE, study_id)
    services.waker.wake([(Stage.OLD_DECIDE, study_id)])
    return saved


def retry(services: Services, ids: Iterable[str], *, user: str) -> int:
    """Go on where held studies stopped, as if for the first time; return how many there were."""
    started: list[tuple[Stage, str]] = []
    for one in ids:
        with services.ledger.transaction() as tx:
            step = _resume(services, tx, tx.get(OldStudy, one), user)
        if step is not None:
            started.append(step)
    services.waker.wake(started)
    return len(started)


def _resume(
    services: Services, tx: Transaction, study: OldStudy, user: str
) -> tuple[Stage, str] | None:
    if study.state not in HOLDS or any(one.code is Code.ON_HOLD for one in study.reasons):
        return None
    back = study.resume or State.RECEIVED
    source = tx.get(OlderSource, study.source_id)
    peer = source.kind is SourceKind.PACS
    stage = _RESUMES.get(back) if study.decision is not None else None
    if peer and any(one.code is Code.COUNT_DIFFERS for one in study.reasons):
        stage, back = Stage.OLD_TAKE, State.READ
    if stage is None:
        stage = Stage.OLD_TAKE if peer and back is State.RECEIVED else Stage.OLD_DECIDE
    if stage is Stage.OLD_STORE:
        # What the archive refused, or held otherwise, is tried as it is.
        rows = tx.old_instances(study_id=study.id, states=(State.REVIEW,))
        tx.write_old_instances(
            replace(row, state=State.READ, code=None, note="")
            for row in rows
            if row.code is not Code.UID_COLLISION
        )
    again = event(study.id, "retried", user, state=back.value)
    tx.save(moved(study, back, services.clock.now()), again)
    tx.unschedule(stage, study.id)
    tx.schedule(stage, study.id)
    return stage, study.id
