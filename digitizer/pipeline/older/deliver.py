"""Older studies into the archive: asked first, compared with what is there, sent as they are."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from digitizer.errors import BadScan, StaleRecord
from digitizer.model.identity import PatientRecord
from digitizer.model.instance import FoundStudy
from digitizer.model.older import Encoded, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, moved, reached, reason_payload
from digitizer.pipeline.older.made import adopt, study_uid
from digitizer.pipeline.older.readback import digest, read_back
from digitizer.pipeline.older.steps import (
    SENT,
    again,
    ask,
    begin,
    is_due,
    loaded,
    rejected_by_person,
    still,
    turn_ends,
    unschedule,
    write_from,
    write_in,
)
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["store"]

logger = logging.getLogger(__name__)

_AT_ONCE = 64
"""Instances after which what the archive answered is written down."""
_TAKEN_BACK = "The study was taken back while it was sent."
_FOUND_MORE = "More of this study was found meanwhile."


def store(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    """Ask what the archive holds of a study, compare that, and send the rest.

    What the archive answered is written down as it comes, so that a try that breaks off goes on
    where it stopped; what it took without our hearing of it is found there and compared.
    """
    if begin(services, Stage.OLD_STORE, study_id) is None:
        return []
    study, source, _ = loaded(services, study_id)
    holdings = services.archive.holdings(study_uid(study), _accession_number(study))
    conflict = _conflict(study, holdings.studies)
    if conflict:
        return ask(services, Stage.OLD_STORE, study_id, reason(Code.STUDY_CONFLICT, conflict))
    wrapped = _wrapped(services, study)
    if wrapped is None:
        return []
    study, to_send = wrapped
    # What the archive says it lacks is sent again, whatever it finds when it is asked.
    to_ask = [row for row in to_send if row.code is not Code.COMMITMENT_FAILED]
    held_there = set(holdings.instances)
    there = _compared(
        services, study, source, [row for row in to_ask if row.outgoing_uid in held_there]
    )
    to_send = [row for row in to_send if row.place not in there]
    changes: list[tuple[OldInstance, OldInstance]] = []
    try:
        if _send(services, study, source, to_send, changes):
            return _stored(services, study, changes)
    finally:
        # Whatever became of the rest: the archive has them.
        _write_sent(services, study, changes)
    return again(services, Stage.OLD_STORE, study_id)


def _conflict(study: OldStudy, found: Iterable[FoundStudy]) -> str:
    """Say how the archive's own record of this study or accession number contradicts us."""
    patient = _patient(study)
    for one in found:
        other_issuer = bool(one.issuer and patient.issuer and one.issuer != patient.issuer)
        if one.patient_id != patient.patient_id or other_issuer:
            return "The archive holds this study or exam under another patient number."
    return ""


def _wrapped(services: Services, study: OldStudy) -> tuple[OldStudy, list[OldInstance]] | None:
    """Say, before the first instance may be in the archive, that a study is on its way there.

    None where it may not go, and a person is asked.
    """
    with services.ledger.transaction() as tx:
        current = still(tx, study.id, Stage.OLD_STORE)
        if current.version != study.version:
            raise StaleRecord("The study was changed by somebody else.")
        rows = tx.old_instances(study_id=study.id, states=(State.READ,))
        if _is_anothers(tx, current):
            text = "Another older archive's study of this UID goes under another patient number."
            tx.unschedule(Stage.OLD_STORE, study.id)
            asked = held(
                current,
                State.REVIEW,
                (reason(Code.STUDY_CONFLICT, text),),
                services.clock.now(),
            )
            tx.save(asked, event(study.id, "review", reasons=reason_payload(asked.reasons)))
            return None
        if current.state is not State.WRAPPED:
            sending = moved(current, State.WRAPPED, services.clock.now())
            current = tx.save(sending, event(study.id, "wrapped", instances=len(rows)))
    return current, list(rows)


def _is_anothers(tx: Transaction, study: OldStudy) -> bool:
    """Tell whether a study of this UID from another source is, or may be, there as another's.

    What the archive was asked before cannot tell: both may be on their way at once.
    """
    uid, patient = study_uid(study), _patient(study)
    if len(tx.old_studies(uids=(uid,))) <= 1:
        return False
    # Events of one subject wait for each other: who asks second sees what the first has written.
    tx.record(event(f"study {uid}", "claimed", study=study.id))
    return any(
        one.id != study.id
        and one.decision is not None
        and (one.issuer, one.patient_id) != (patient.issuer, patient.patient_id)
        and _may_be_there(tx, one)
        for one in tx.old_studies(uids=(uid,))
    )


def _may_be_there(tx: Transaction, study: OldStudy) -> bool:
    return reached(study) in (State.WRAPPED, *SENT) or bool(
        tx.old_instances(study_id=study.id, states=SENT, limit=1)
    )


def _patient(study: OldStudy) -> PatientRecord:
    assert study.decision is not None, "only decided studies are sent"
    return study.decision.patient


def _accession_number(study: OldStudy) -> str:
    exam = study.decision.exam if study.decision else None
    return exam.accession_number if exam else study.header.accession_number


def _compared(
    services: Services, study: OldStudy, source: Source, double: Sequence[OldInstance]
) -> set[str]:
    """Compare what the archive holds already with what would be sent; return the places of it."""
    changes = []
    for row, differences, sha256 in read_back(services, study, source, double):
        if differences:
            what = ", ".join(differences)[:200]
            after = replace(row, state=State.REVIEW, code=Code.ARCHIVE_DIFFERS, note=what)
        else:
            after = replace(row, state=State.STORED, code=Code.ALREADY_THERE, sent_sha256=sha256)
        changes.append((row, after))
    if changes:
        counted = sum(after.state is State.STORED for _, after in changes)
        write_from(services, study.id, changes)
        with services.ledger.transaction() as tx:
            tx.record(event(study.id, "already_there", instances=counted))
    return {row.place for row in double}


def _send(
    services: Services,
    study: OldStudy,
    source: Source,
    rows: Sequence[OldInstance],
    changes: list[tuple[OldInstance, OldInstance]],
) -> bool:
    """Send instances for as long as the turn lasts; tell whether all had theirs.

    What came of them is left in ``changes``, as far as it is not written down yet.
    """
    kinds = list(dict.fromkeys((row.sop_class_uid, row.transfer_syntax_uid) for row in rows))
    until, left = turn_ends(services), len(rows)
    sending: dict[str, tuple[OldInstance, OldInstance]] = {}

    def outgoing() -> Iterator[Encoded]:
        nonlocal left
        for row in rows:
            if services.clock.now() >= until:
                return
            left -= 1
            made = _made(services, study, source, row)
            if isinstance(made, OldInstance):
                changes.append((row, made))
                continue
            instance, sha256 = made
            sending[row.outgoing_uid] = (row, replace(row, sent_sha256=sha256))
            yield instance

    for answer in services.archive.store_all(outgoing(), kinds):
        before, after = sending.pop(answer.sop_instance_uid)
        if answer.refused:
            after = replace(after, state=State.REVIEW, code=Code.KIND_REFUSED, note=answer.refused)
        else:
            after = replace(after, state=State.STORED, code=None)
        changes.append((before, after))
        if len(changes) >= _AT_ONCE:
            _write_sent(services, study, changes)
    return left == 0


def _write_sent(
    services: Services, study: OldStudy, changes: list[tuple[OldInstance, OldInstance]]
) -> None:
    """Write what the archive answered, as long as the study goes to whom it was sent for.

    Raises
    ------
    StaleRecord
        It was rejected or decided anew meanwhile: then a person is told what the archive has.
    """
    if not changes:
        return
    with services.ledger.transaction() as tx:
        is_ours = _write_sent_in(services, tx, study, changes)
    changes.clear()
    if not is_ours:
        raise StaleRecord(_TAKEN_BACK)


def _write_sent_in(
    services: Services,
    tx: Transaction,
    study: OldStudy,
    changes: Sequence[tuple[OldInstance, OldInstance]],
) -> bool:
    """Write in a transaction; False where the study was taken back, which a person is told."""
    sent = sum(after.state is State.STORED for _, after in changes)
    current = tx.get(OldStudy, study.id)
    if sent and (rejected_by_person(current) or _goes_elsewhere(current, study)):
        _tell_what_is_there(services, tx, current, _patient(study), sent)
        return False
    write_in(tx, study.id, changes)
    return True


def _tell_what_is_there(
    services: Services, tx: Transaction, study: OldStudy, patient: PatientRecord, sent: int
) -> None:
    """Hold a study of which the archive has something that it should not have."""
    text = (
        f"While it was taken back, {sent} instances of it went to the archive for "
        f"{patient.issuer}:{patient.patient_id}. Have them deleted there."
    )
    unschedule(tx, study.id)
    why = (reason(Code.STUDY_CONFLICT, text),)
    asked = replace(held(study, State.REVIEW, why, services.clock.now()), resume=State.READ)
    tx.save(asked, event(study.id, "review", reasons=reason_payload(why)))


def _goes_elsewhere(current: OldStudy, study: OldStudy) -> bool:
    """Tell whether a study is decided for somebody else, or nobody, by now."""
    if current.decision is None:
        return True
    now, then = _patient(current), _patient(study)
    return (now.issuer, now.patient_id) != (then.issuer, then.patient_id)


def _made(
    services: Services, study: OldStudy, source: Source, row: OldInstance
) -> tuple[Encoded, str] | OldInstance:
    """Return an instance to send, and its hash; or its row where it cannot go, and why."""
    try:
        _, made = adopt(services, study, source, row)
        if made.instance is not None:
            assert made.instance.sop_instance_uid == row.outgoing_uid, "it goes under its own name"
            return made.instance, made.data_sha256
        return replace(row, state=State.REJECTED, code=Code.RULE_REJECTED, note=made.rejected)
    except BadScan as error:
        return replace(row, state=State.REVIEW, code=Code(error.code), note=error.message)
    except (ValueError, RuntimeError, AttributeError, AssertionError):
        # Of this instance, not of the archive: the others go on.
        logger.exception("an old instance cannot be made")
        note = "It could not be written again."
        return replace(row, state=State.REVIEW, code=Code.INTERNAL_ERROR, note=note)


def _stored(
    services: Services, study: OldStudy, changes: list[tuple[OldInstance, OldInstance]]
) -> list[tuple[Stage, str]]:
    """Write the last answers down, and that all had theirs; empties the list."""
    following = None
    with services.ledger.transaction() as tx:
        is_ours = _write_sent_in(services, tx, study, changes)
        current = tx.get(OldStudy, study.id)
        rows = tx.old_instances(study_id=study.id)
        refused = [row for row in rows if row.state is State.REVIEW]
        is_whole = bool(refused) or not any(row.state is State.READ for row in rows)
        if is_ours and is_whole and is_due(current, Stage.OLD_STORE):
            following = _ended(services, tx, current, rows, refused)
    changes.clear()
    if following is None:
        raise StaleRecord(_TAKEN_BACK if is_whole or not is_ours else _FOUND_MORE)
    return following


def _ended(
    services: Services,
    tx: Transaction,
    study: OldStudy,
    rows: Sequence[OldInstance],
    refused: Sequence[OldInstance],
) -> list[tuple[Stage, str]]:
    now = services.clock.now()
    tx.unschedule(Stage.OLD_STORE, study.id)
    if refused:
        first = refused[0]
        text = f"{len(refused)} of {len(rows)}: {first.note}"
        asked = held(study, State.REVIEW, (reason(first.code or Code.KIND_REFUSED, text),), now)
        tx.save(asked, event(study.id, "review", reasons=reason_payload(asked.reasons)))
        return []
    stored = [row for row in rows if row.state in SENT]
    if not stored:
        why = (reason(Code.NO_INSTANCE, "Nothing of it was left that could be sent."),)
        left_out = moved(study, State.REJECTED, now, reasons=why)
        tx.save(left_out, event(study.id, "rejected", instances=len(rows)))
        return []
    told = event(
        study.id,
        "stored",
        archive=services.archive.name,
        instances=len(stored),
        digest=digest(stored),
    )
    tx.save(moved(study, State.STORED, now), told)
    tx.schedule(Stage.OLD_COMMIT, study.id)
    return [(Stage.OLD_COMMIT, study.id)]
