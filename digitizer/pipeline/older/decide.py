"""Whose an older study is: the same index, policy and promises as for a film (DESIGN §5)."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from digitizer import dicom, identity
from digitizer.errors import BadScan, SourceUnreachable, StaleRecord
from digitizer.model.identity import Outcome, Verdict
from digitizer.model.older import OldHeader, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code, Reason, reason
from digitizer.model.records import Decision, Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.jacket import evidence
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.older.picture_exam import (
    decided_uids,
    own_study_uid,
    parted_from,
)
from digitizer.pipeline.older.pictures import read_pictures
from digitizer.pipeline.older.steps import (
    SENT,
    begin,
    count_token,
    identities_token,
    still,
    write_from,
)
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["approve", "asked_of_instances", "decide", "ruled_header"]

_MOST_READ = 200
"""Instances that are read to find out who is named: more would hold a large study up."""
_NO_FIRST = (State.REVIEW, State.DUPLICATE, State.REJECTED, State.QUARANTINED)
"""States of instances that stand for no other."""


def decide(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    """Decide a study by its header, or ask a person and say why."""
    study = begin(services, Stage.OLD_DECIDE, study_id)
    if study is None:
        return []
    with services.ledger.reading() as view:
        source = view.get(Source, study.source_id)
        rows = view.old_instances(study_id=study_id)
    rows = _without_copies(services, study_id, rows)
    to_send = [row for row in rows if row.state is State.READ]
    asked = asked_of_instances(study, rows)
    verdict = Verdict(film_id=study_id, outcome=Outcome.REVIEW)
    if to_send:
        ruled, rejected = _first_readable(services, source, to_send)
        verdict = identity.decide_header(
            ruled, own_study_uid(source, study), source.issuer, services.index, services.policy
        )
        if study.others:
            verdict = _offering_all(services, source, study, to_send, verdict)
        with services.ledger.reading() as view:
            if parted_from(view, source, study, verdict.patient, verdict.exam):
                text = "Films of this exam are in a study of their own already."
                asked += (reason(Code.EXAM_AMBIGUOUS, text),)
        if rejected:
            asked += (reason(Code.RULE_REJECTED, rejected),)
        else:
            asked += read_pictures(services, source, study, to_send, verdict)
    return _written(services, study, rows, verdict, asked)


def _offering_all(
    services: Services,
    source: Source,
    study: OldStudy,
    rows: Iterable[OldInstance],
    verdict: Verdict,
) -> Verdict:
    """Offer whom each header of a study names, not only the one that was asked for first."""
    found = list(verdict.candidates)
    for header in _each_ruled(services, source, study, rows):
        other = identity.decide_header(
            header, own_study_uid(source, study), source.issuer, services.index, services.policy
        )
        known = {(one.patient.issuer, one.patient.patient_id) for one in found}
        found += [
            one
            for one in other.candidates[:1]
            if (one.patient.issuer, one.patient.patient_id) not in known
        ]
    return replace(verdict, candidates=tuple(found))


def _each_ruled(
    services: Services, source: Source, study: OldStudy, rows: Iterable[OldInstance]
) -> Iterator[OldHeader]:
    """Yield the headers that name different patients, each once, as the rules have them.

    One that none of the first instances bears, or a peer alone has told, is taken as it was told.
    """
    told = {one.identity: one for one in (study.header, *study.others)}
    for row in islice(rows, _MOST_READ):
        if not told:
            return
        try:
            old = dicom.examine(original(services, source, row))
        except BadScan:
            continue  # told when it is to be sent
        if told.pop(dicom.header_of(old.header).identity, None) is not None:
            outcome = dicom.apply_rules(old.header, services.coercions())
            yield dicom.header_of(outcome.header)
    yield from told.values()


def _without_copies(
    services: Services, study_id: str, rows: tuple[OldInstance, ...]
) -> tuple[OldInstance, ...]:
    """Take those that collide with what is the same, written otherwise, for the copies they are."""
    colliding = [row for row in rows if row.code is Code.UID_COLLISION]
    colliding = [row for row in colliding if row.state is State.REVIEW]
    if not colliding:
        return rows
    uids = [row.sop_instance_uid for row in colliding]
    with services.ledger.reading() as view:
        bearers = view.old_instances_with_uid(uids)
        sources = {one.id: one for one in view.old_sources()}
    copies = {}
    for row in colliding:
        for first in bearers:
            if first.sop_instance_uid != row.sop_instance_uid or first.state in _NO_FIRST:
                continue
            if _is_copy(services, sources[first.source_id], first, sources[row.source_id], row):
                copies[row.place] = replace(row, state=State.DUPLICATE, code=Code.DUPLICATE)
    write_from(
        services, study_id, [(row, copies[row.place]) for row in rows if row.place in copies]
    )
    return tuple(copies.get(row.place, row) for row in rows)


def _is_copy(
    services: Services, of: Source, first: OldInstance, source: Source, row: OldInstance
) -> bool:
    try:
        one = dicom.examine(original(services, of, first))
        other = dicom.examine(original(services, source, row))
    except (BadScan, SourceUnreachable):
        return False
    return dicom.same_instance(one, other)


def ruled_header(services: Services, source: Source, row: OldInstance) -> tuple[OldHeader, str]:
    """Return the header of an instance after the rules, and why a rule refuses it."""
    old = dicom.examine(original(services, source, row))
    outcome = dicom.apply_rules(old.header, services.coercions())
    return dicom.header_of(outcome.header), outcome.rejected


def _first_readable(
    services: Services, source: Source, rows: Sequence[OldInstance]
) -> tuple[OldHeader, str]:
    """Return the header of the first instance that can be read; the others are told by themselves.

    Raises
    ------
    BadScan
        None can be read.
    """
    for row in rows[:-1]:
        with suppress(BadScan):
            return ruled_header(services, source, row)
    return ruled_header(services, source, rows[-1])


def asked_of_instances(study: OldStudy, rows: tuple[OldInstance, ...]) -> tuple[Reason, ...]:
    """Return what must be asked about a study's instances, and no person has settled yet."""
    asked: list[Reason] = []
    if study.others and identities_token(study) not in study.confirmed:
        names = ", ".join(one.name or "nobody" for one in (study.header, *study.others))
        text = f"Its files, or what tells of them, name different patients: {names}."
        asked.append(reason(Code.SEVERAL_IDENTITIES, text))
    told = study.expected or 0
    if len(rows) < told and count_token(study) not in study.confirmed:
        text = f"The old archive says {told} instances and gave {len(rows)} that can be used."
        asked.append(reason(Code.COUNT_DIFFERS, text))
    colliding = [row for row in rows if row.state is State.REVIEW]
    if colliding:
        text = (
            f"{len(colliding)} of {len(rows)} bear the UID of another instance with other content."
        )
        asked.append(reason(colliding[0].code or Code.UID_COLLISION, text))
    return tuple(asked)


def _written(
    services: Services,
    study: OldStudy,
    rows: tuple[OldInstance, ...],
    verdict: Verdict,
    asked: tuple[Reason, ...],
) -> list[tuple[Stage, str]]:
    now = services.clock.now()
    nothing_new = not any(row.state is State.READ for row in rows)
    # What a person decided stays; so does what all was sent by, of which no more came.
    is_decided = study.decision is not None and (nothing_new or study.decision.decided_by != "auto")
    reasons = asked if is_decided else (*asked, *verdict.reasons)
    with services.ledger.transaction() as tx:
        current = still(tx, study.id, Stage.OLD_DECIDE)
        if current.version != study.version or tx.old_instances(study_id=study.id) != rows:
            raise StaleRecord("More of this study was found meanwhile.")
        tx.unschedule(Stage.OLD_DECIDE, study.id)
        if not any(row.state in (State.READ, State.REVIEW, *SENT) for row in rows):
            _ended(tx, current, rows, now)
            return []
        current = replace(
            current, candidates=verdict.candidates, posterior=verdict.posterior or None
        )
        if reasons:
            review = held(current, State.REVIEW, reasons, now)
            payload = {**evidence(verdict), "reasons": reason_payload(reasons)}
            tx.save(review, event(study.id, "review", "auto", **payload))
            return []
        if is_decided:
            _set_going(services, tx, current, "auto", 0.0)
        else:
            approve(services, tx, current, verdict, user="auto")
    return [(Stage.OLD_STORE, study.id)]


def _ended(tx: Transaction, study: OldStudy, rows: tuple[OldInstance, ...], now: datetime) -> None:
    """End a study of which nothing is left to be sent."""
    double = any(row.state is State.DUPLICATE for row in rows)
    state = State.DUPLICATE if double else State.REJECTED
    why = (
        reason(Code.DUPLICATE, "All of it was found before.")
        if double
        else reason(Code.NO_INSTANCE, "Nothing of it is left that can be sent.")
    )
    ended = moved(study, state, now, reasons=(why,))
    tx.save(ended, event(study.id, state.value, instances=len(rows)))


def approve(
    services: Services,
    tx: Transaction,
    study: OldStudy,
    verdict: Verdict,
    *,
    user: str,
    why: str = "",
    undo_window_s: float = 0.0,
) -> OldStudy:
    """Decide a study; sending it is due, after the undo window where a person decided."""
    patient = verdict.patient
    assert patient is not None, "a decision names a patient"
    exam = verdict.exam
    source = tx.get(Source, study.source_id)
    study_uid, series_uid = decided_uids(tx, source, study, patient, exam)
    decided = replace(
        study,
        decision=Decision(
            patient=patient,
            exam=exam,
            study_date=str(exam.study_date or "") if exam else "",
            study_instance_uid=study_uid,
            series_instance_uid=series_uid,
            posterior=verdict.posterior,
            exam_posterior=None,
            decided_by=user,
            decided_at=services.clock.now(),
            reason=why,
            evidence_class="header" if user == "auto" else "",
        ),
    )
    return _set_going(services, tx, decided, user, undo_window_s, **evidence(verdict))


def _set_going(
    services: Services,
    tx: Transaction,
    study: OldStudy,
    user: str,
    undo_window_s: float,
    **told: object,
) -> OldStudy:
    now = services.clock.now()
    assert study.decision is not None
    patient = study.decision.patient
    approved = event(
        study.id,
        "approved",
        user,
        patient_id=patient.patient_id,
        issuer=patient.issuer,
        reason=study.decision.reason,
        **told,
    )
    saved = tx.save(moved(study, State.APPROVED, now), approved)
    tx.schedule(Stage.OLD_STORE, study.id, now + timedelta(seconds=undo_window_s))
    return saved
