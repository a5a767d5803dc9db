"""Bringing a capture home: ask, store, have it committed, read it back.

``stored`` is the archive's word for one transfer; ``committed`` is its promise to keep it, believed
only as the answer to our own open transaction; ``verified`` is our own look at what it keeps.
"""

import logging
from dataclasses import replace
from datetime import timedelta

from digitizer import dicom
from digitizer.errors import BadWorld, UnknownRecord
from digitizer.model.film import SheetKind
from digitizer.model.reasons import Code, reason
from digitizer.model.records import (
    Capture,
    Commitment,
    CommitmentState,
    Delivery,
    Sheet,
    Stage,
    Verification,
)
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.ingest import identifier
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["ask_again", "commit", "commitment_answered", "read_again", "store", "verify"]

logger = logging.getLogger(__name__)


def store(services: Services, sheet_id: str) -> list[tuple[Stage, str]]:
    """Ask the archive whether the study may take the film, then send the capture."""
    sheet, capture = _load(services, sheet_id)
    conflict = _conflict(services, sheet, capture)
    if conflict:
        _ask(services, Stage.STORE, sheet_id, Code.STUDY_CONFLICT, conflict)
        return []
    answer = services.archive.store(services.vault.path(capture.sha256))
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        tx.unschedule(Stage.STORE, sheet_id)
        number = len(tx.deliveries(capture.sop_instance_uid))
        delivery = Delivery(
            id=identifier("delivery", capture.sop_instance_uid, str(number)),
            sop_instance_uid=capture.sop_instance_uid,
            archive=services.archive.name,
            at=now,
            status=answer.status,
            detail=answer.detail,
        )
        tx.add(delivery, event(capture.sop_instance_uid, "delivered", status=answer.status))
        stored = moved(tx.get(Sheet, sheet_id), State.STORED, now)
        tx.save(stored, event(sheet_id, "stored", archive=services.archive.name))
        tx.schedule(Stage.COMMIT, sheet_id)
    return [(Stage.COMMIT, sheet_id)]


def _load(services: Services, sheet_id: str) -> tuple[Sheet, Capture]:
    with services.ledger.reading() as view:
        sheet = view.get(Sheet, sheet_id)
        current = [
            one for one in view.captures(sheet_id) if one.sop_instance_uid == sheet.sop_instance_uid
        ]
    return sheet, current[0]


def _conflict(services: Services, sheet: Sheet, capture: Capture) -> str:
    """Say how the archive's own record of this study or accession number contradicts us."""
    assert sheet.decision is not None, "only decided sheets are wrapped"
    patient, exam = sheet.decision.patient, sheet.decision.exam
    found = services.archive.find_studies(study_instance_uid=capture.study_instance_uid)
    if sheet.kind is SheetKind.FILM and exam is not None and exam.accession_number:
        found += services.archive.find_studies(accession_number=exam.accession_number)
    for study in found:
        other_issuer = bool(study.issuer and patient.issuer and study.issuer != patient.issuer)
        if study.patient_id != patient.patient_id or other_issuer:
            return "The archive holds this exam under another patient number."
    return ""


def _ask(services: Services, stage: Stage, sheet_id: str, code: Code, text: str) -> None:
    """Send a sheet to review from this stage on."""
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        tx.unschedule(stage, sheet_id)
        asked = held(tx.get(Sheet, sheet_id), State.REVIEW, (reason(code, text),), now)
        tx.save(asked, event(sheet_id, "review", reasons=reason_payload(asked.reasons)))


def commit(services: Services, sheet_id: str) -> list[tuple[Stage, str]]:
    """Move on when the archive has promised, send again when it says no, ask when it is silent."""
    _, capture = _load(services, sheet_id)
    now = services.clock.now()
    deadline = timedelta(seconds=services.settings.commitment_deadline_s)
    with services.ledger.transaction() as tx:
        asked = tx.commitments(sop_instance_uid=capture.sop_instance_uid)
        sent = tx.deliveries(capture.sop_instance_uid)
        asked = tuple(one for one in asked if sent and one.requested_at >= sent[-1].at)
        if any(one.state is CommitmentState.SUCCESS for one in asked):
            tx.unschedule(Stage.COMMIT, sheet_id)
            committed = moved(tx.get(Sheet, sheet_id), State.COMMITTED, now)
            tx.save(committed, event(sheet_id, "committed", archive=services.archive.name))
            tx.schedule(Stage.VERIFY, sheet_id)
            return [(Stage.VERIFY, sheet_id)]
        if asked and asked[-1].state is CommitmentState.FAILED:
            return _send_again(services, tx, sheet_id, asked[-1])
        open_requests = [one for one in asked if one.state is CommitmentState.PENDING]
        late = [one for one in open_requests if one.requested_at + deadline <= now]
        for one in late:
            tx.save(
                replace(one, state=CommitmentState.LATE),
                event(capture.sop_instance_uid, "commitment_late", transaction=one.transaction_uid),
            )
        if len(open_requests) > len(late):
            tx.unschedule(Stage.COMMIT, sheet_id)
            tx.schedule(Stage.COMMIT, sheet_id, open_requests[-1].requested_at + deadline)
            return []
        if late:
            waiting = held(
                tx.get(Sheet, sheet_id), State.WAITING, (reason(Code.COMMITMENT_LATE),), now
            )
            tx.save(waiting, event(sheet_id, "waiting", reasons=reason_payload(waiting.reasons)))
        # Written down before it is asked: the answer may be here before the call returns.
        transaction = tx.uid(f"commitment:{capture.sop_instance_uid}:{len(asked)}:{len(sent)}")
        request = Commitment(
            transaction_uid=transaction,
            sop_instance_uid=capture.sop_instance_uid,
            sop_class_uid=capture.sop_class_uid,
            archive=services.archive.name,
            requested_at=now,
        )
        tx.add(request, event(capture.sop_instance_uid, "commitment_asked", uid=transaction))
        tx.unschedule(Stage.COMMIT, sheet_id)
        tx.schedule(Stage.COMMIT, sheet_id, now + deadline)
    try:
        services.archive.request_commitment(
            transaction, [(capture.sop_class_uid, capture.sop_instance_uid)]
        )
    except BadWorld:
        # It may have arrived all the same: an answer still counts, but none is waited for.
        _give_up(services, transaction)
        raise
    return []


def _give_up(services: Services, transaction: str) -> None:
    """Wait no longer for the answer to a request that could not be sent, unless it is here."""
    with services.ledger.transaction() as tx:
        request = tx.get(Commitment, transaction)
        if request.state is CommitmentState.PENDING:
            tx.save(
                replace(request, state=CommitmentState.LATE),
                event(request.sop_instance_uid, "commitment_not_asked", uid=transaction),
            )


def ask_again(services: Services) -> int:
    """Make due again what waits for a commitment; return how many requests there were.

    To be called when listening begins: answers may have come while nobody heard them. They count
    when they come after all.
    """
    with services.ledger.transaction() as tx:
        unheard = tx.commitments(pending=True)
        for request in unheard:
            tx.save(
                replace(request, state=CommitmentState.LATE),
                event(request.sop_instance_uid, "commitment_unheard", uid=request.transaction_uid),
            )
            tx.schedule(Stage.COMMIT, tx.get(Capture, request.sop_instance_uid).sheet_id)
    return len(unheard)


def _send_again(
    services: Services, tx: Transaction, sheet_id: str, failed: Commitment
) -> list[tuple[Stage, str]]:
    """Go back to sending: the archive says that it does not hold what it took."""
    now = services.clock.now()
    code = f"0x{failed.failure_reason or 0:04X}"
    why = reason(Code.COMMITMENT_FAILED, f"The archive says it does not hold the film ({code}).")
    wrapped = moved(tx.get(Sheet, sheet_id), State.WRAPPED, now)
    wrapped = tx.save(wrapped, event(sheet_id, "commitment_failed", code=code))
    waiting = held(wrapped, State.WAITING, (why,), now)
    tx.save(waiting, event(sheet_id, "waiting", reasons=reason_payload((why,))))
    tx.unschedule(Stage.COMMIT, sheet_id)
    delay = timedelta(seconds=services.settings.backoff_first_s * 2)
    tx.schedule(Stage.STORE, sheet_id, now + delay)
    return []


def commitment_answered(
    services: Services,
    *,
    transaction_uid: str,
    from_ae: str,
    succeeded: frozenset[str],
    failed: dict[str, int],
) -> bool:
    """Take an archive's commitment report; False when it is not an answer to a request of ours.

    Believed only for an open transaction of ours, from the AE that was asked, for the instance
    that was asked about.
    """
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        request = _request(tx, transaction_uid)
        asked = request is not None and request.archive == from_ae
        if request is None or not asked or request.sop_instance_uid not in succeeded | set(failed):
            logger.warning("commitment report not asked for", extra={"from_ae": from_ae})
            return False
        good = request.sop_instance_uid in succeeded
        answered = replace(
            request,
            state=CommitmentState.SUCCESS if good else CommitmentState.FAILED,
            failure_reason=None if good else failed[request.sop_instance_uid],
            answered_at=now,
        )
        name = "commitment_given" if good else "commitment_refused"
        tx.save(answered, event(request.sop_instance_uid, name, uid=transaction_uid))
        sheet_id = tx.get(Capture, request.sop_instance_uid).sheet_id
        tx.schedule(Stage.COMMIT, sheet_id)
    services.waker.wake([(Stage.COMMIT, sheet_id)])
    return True


def read_again(services: Services, batch_id: str | None = None) -> dict[str, tuple[str, ...]]:
    """Read every verified capture back once more; return what differs, by SOP Instance UID.

    Each look is written down as a verification with its event; no state changes.
    """
    with services.ledger.reading() as view:
        verified = view.sheets(batch_id=batch_id, state=State.VERIFIED)
    found: dict[str, tuple[str, ...]] = {}
    for sheet in verified:
        _, capture = _load(services, sheet.id)
        written = services.vault.path(capture.sha256).read_bytes()
        differences = dicom.compare(written, services.archive.retrieve(capture))
        with services.ledger.transaction() as tx:
            _look(services, tx, capture, differences)
        found[capture.sop_instance_uid] = differences
    return found


def _look(
    services: Services, tx: Transaction, capture: Capture, differences: tuple[str, ...]
) -> None:
    """Write one read-back down."""
    number = len(tx.verifications(capture.sop_instance_uid))
    verification = Verification(
        id=identifier("verification", capture.sop_instance_uid, str(number)),
        sop_instance_uid=capture.sop_instance_uid,
        archive=services.archive.name,
        at=services.clock.now(),
        method="C-GET",
        agrees=not differences,
        differences=differences,
    )
    name = "read_back_agrees" if not differences else "read_back_differs"
    tx.add(verification, event(capture.sop_instance_uid, name))


def _request(tx: Transaction, transaction_uid: str) -> Commitment | None:
    """Return our own request of that transaction while it is open."""
    try:
        request = tx.get(Commitment, transaction_uid)
    except UnknownRecord:
        return None
    return request if request.state in (CommitmentState.PENDING, CommitmentState.LATE) else None


def verify(services: Services, sheet_id: str) -> list[tuple[Stage, str]]:
    """Read the capture back and compare identity and decoded pixels with what was written."""
    _, capture = _load(services, sheet_id)
    written = services.vault.path(capture.sha256).read_bytes()
    differences = dicom.compare(written, services.archive.retrieve(capture))
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        _look(services, tx, capture, differences)
        if not differences:
            tx.unschedule(Stage.VERIFY, sheet_id)
            verified = moved(tx.get(Sheet, sheet_id), State.VERIFIED, now)
            tx.save(verified, event(sheet_id, "verified", archive=services.archive.name))
            return []
    text = f"The archive's copy differs from what was sent: {', '.join(differences)[:300]}"
    _ask(services, Stage.VERIFY, sheet_id, Code.READ_BACK_DIFFERS, text)
    return []
