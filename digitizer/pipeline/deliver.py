"""Bringing a capture home: ask, store, have it committed, read it back.

``stored`` is the archive's word for one transfer; ``committed`` is its promise to keep it, believed
only as the answer to our own open transaction; ``verified`` is our own look at what it keeps.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from digitizer import dicom
from digitizer.errors import ArchiveRefused, BadWorld, StaleRecord, UnknownRecord
from digitizer.model.film import SheetKind
from digitizer.model.older import OldCommitment
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
from digitizer.pipeline.changes import event, held, moved, reached, reason_payload
from digitizer.pipeline.ingest import identifier
from digitizer.pipeline.older import commitment as older
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["ask_again", "commit", "commitment_answered", "read_again", "store", "verify"]

logger = logging.getLogger(__name__)

_TRIES = 5
"""Times that a report is taken before the archive hears that it could not be."""


def store(services: Services, sheet_id: str) -> list[tuple[Stage, str]]:
    """Ask the archive whether the study may take the film, then send its captures.

    Each is written down when it is taken, so that a try that breaks off goes on where it stopped;
    the sheet is stored when all are.
    """
    sheet, captures = _load(services, sheet_id)
    conflict = _conflict(services, sheet, captures[0])
    if conflict:
        _ask(services, Stage.STORE, sheet_id, Code.STUDY_CONFLICT, conflict)
        return []
    for capture in captures:
        if not _is_taken(services, capture):
            _send(services, capture)
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        tx.unschedule(Stage.STORE, sheet_id)
        stored = moved(tx.get(Sheet, sheet_id), State.STORED, now)
        tx.save(stored, event(sheet_id, "stored", archive=services.archive.name))
        tx.schedule(Stage.COMMIT, sheet_id)
    return [(Stage.COMMIT, sheet_id)]


def _send(services: Services, capture: Capture) -> None:
    answer = services.archive.store(services.vault.path(capture.sha256))
    uid = capture.sop_instance_uid
    with services.ledger.transaction() as tx:
        delivery = Delivery(
            id=identifier("delivery", uid, str(len(tx.deliveries(uid)))),
            sop_instance_uid=uid,
            archive=services.archive.name,
            at=services.clock.now(),
            status=answer.status,
            detail=answer.detail,
            sha256=capture.sha256,
        )
        tx.add(delivery, event(uid, "delivered", status=answer.status))


def _is_taken(services: Services, capture: Capture) -> bool:
    """Tell whether the archive took these very bytes and does not lack them since.

    What it has promised to keep comes here once more when a person tries again what was not given
    back, or otherwise than it was sent: it may have been deleted there, and the archive is asked.
    """
    uid = capture.sop_instance_uid
    with services.ledger.reading() as view:
        sent, asked = view.deliveries(uid), _asked(view, capture)
    if not sent or (sent[-1].sha256, sent[-1].archive) != (capture.sha256, services.archive.name):
        return False
    if any(one.state is CommitmentState.FAILED for one in asked):
        return False
    if not _is_promised(asked):
        return True
    return uid in services.archive.holdings(capture.study_instance_uid, "").instances


def _asked(view: Transaction, capture: Capture) -> tuple[Commitment, ...]:
    """Return the commitment requests since a capture was last sent."""
    sent = view.deliveries(capture.sop_instance_uid)
    asked = view.commitments(sop_instance_uid=capture.sop_instance_uid)
    return tuple(one for one in asked if sent and one.requested_at >= sent[-1].at)


def _load(services: Services, sheet_id: str) -> tuple[Sheet, list[Capture]]:
    """Return a sheet and its captures, that of the whole sheet first."""
    with services.ledger.reading() as view:
        sheet = view.get(Sheet, sheet_id)
        made = {one.sop_instance_uid: one for one in view.captures(sheet_id)}
    return sheet, [made[uid] for uid in sheet.instance_uids]


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
    _, captures = _load(services, sheet_id)
    with services.ledger.transaction() as tx:
        tx.unschedule(Stage.COMMIT, sheet_id)
        sheet = tx.get(Sheet, sheet_id)
        if reached(sheet) is not State.STORED:
            # One more answer, to a request that was thought lost, has made it due again.
            return []
        asked = [(capture, _asked(tx, capture)) for capture in captures]
        unpromised = [one for one in asked if not _is_promised(one[1])]
        if not unpromised:
            committed = moved(sheet, State.COMMITTED, services.clock.now())
            tx.save(committed, event(sheet_id, "committed", archive=services.archive.name))
            tx.schedule(Stage.VERIFY, sheet_id)
            return [(Stage.VERIFY, sheet_id)]
        for _, answers in unpromised:
            if answers and answers[-1].state is CommitmentState.FAILED:
                return _send_again(services, tx, sheet, answers[-1])
        requests = _requests(services, tx, sheet, unpromised)
    for number, (capture, request) in enumerate(requests):
        try:
            services.archive.request_commitment(
                request.transaction_uid, [(capture.sop_class_uid, capture.sop_instance_uid)]
            )
        except BadWorld:
            # It may have arrived all the same: an answer still counts, but none is waited for.
            for _, unheard in requests[number:]:
                _give_up(services, unheard.transaction_uid)
            raise
    return []


def _requests(
    services: Services,
    tx: Transaction,
    sheet: Sheet,
    unpromised: Sequence[tuple[Capture, tuple[Commitment, ...]]],
) -> list[tuple[Capture, Commitment]]:
    """Write down whom to ask for what, captures with no request that may still be answered in time.

    The sheet is looked at again when the first of the answers awaited is late.
    """
    now = services.clock.now()
    deadline = timedelta(seconds=services.settings.commitment_deadline_s)
    due, late = now + deadline, False
    requests: list[tuple[Capture, Commitment]] = []
    for capture, answers in unpromised:
        pending = [one for one in answers if one.state is CommitmentState.PENDING]
        overdue = [one for one in pending if one.requested_at + deadline <= now]
        late = late or bool(overdue)
        for one in overdue:
            tx.save(
                replace(one, state=CommitmentState.LATE),
                event(one.sop_instance_uid, "commitment_late", transaction=one.transaction_uid),
            )
        if len(pending) > len(overdue):
            due = min(due, pending[-1].requested_at + deadline)
        else:
            requests.append((capture, _request_again(services, tx, capture, len(answers))))
    if late:
        waiting = held(sheet, State.WAITING, (reason(Code.COMMITMENT_LATE),), now)
        tx.save(waiting, event(sheet.id, "waiting", reasons=reason_payload(waiting.reasons)))
    tx.schedule(Stage.COMMIT, sheet.id, due)
    return requests


def _is_promised(answers: tuple[Commitment, ...]) -> bool:
    return any(one.state is CommitmentState.SUCCESS for one in answers)


def _request_again(
    services: Services, tx: Transaction, capture: Capture, before: int
) -> Commitment:
    """Write a request down before it is made: the answer may be here before the call returns."""
    uid = capture.sop_instance_uid
    sent = len(tx.deliveries(uid))
    request = Commitment(
        transaction_uid=tx.uid(f"commitment:{uid}:{before}:{sent}"),
        sop_instance_uid=uid,
        sop_class_uid=capture.sop_class_uid,
        archive=services.archive.name,
        requested_at=services.clock.now(),
    )
    tx.add(request, event(uid, "commitment_asked", uid=request.transaction_uid))
    return request


def _give_up(services: Services, transaction: str) -> None:
    """Wait no longer for the answer to a request that could not be sent, unless it is here.

    It is asked for again soon, also when we are killed before the trouble is written down.
    """
    soon = services.clock.now() + timedelta(seconds=services.settings.backoff_first_s)
    with services.ledger.transaction() as tx:
        request = tx.get(Commitment, transaction)
        if request.state is CommitmentState.PENDING:
            tx.save(
                replace(request, state=CommitmentState.LATE),
                event(request.sop_instance_uid, "commitment_not_asked", uid=transaction),
            )
            tx.schedule(Stage.COMMIT, tx.get(Capture, request.sop_instance_uid).sheet_id, soon)


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
    return len(unheard) + older.ask_again(services)


def _send_again(
    services: Services, tx: Transaction, sheet: Sheet, failed: Commitment
) -> list[tuple[Stage, str]]:
    """Go back to sending: the archive says that it does not hold what it took."""
    now = services.clock.now()
    code = f"0x{failed.failure_reason or 0:04X}"
    why = reason(Code.COMMITMENT_FAILED, f"The archive says it does not hold the film ({code}).")
    wrapped = moved(sheet, State.WRAPPED, now)
    wrapped = tx.save(wrapped, event(sheet.id, "commitment_failed", code=code))
    waiting = held(wrapped, State.WAITING, (why,), now)
    tx.save(waiting, event(sheet.id, "waiting", reasons=reason_payload((why,))))
    delay = timedelta(seconds=services.settings.backoff_first_s * 2)
    tx.schedule(Stage.STORE, sheet.id, now + delay)
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
    if _patiently(lambda: _of_older(services, transaction_uid, from_ae, succeeded, failed)):
        return True
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


def _patiently(take: Callable[[], bool]) -> bool:
    """Take a report, again where its study was changed meanwhile: no archive need repeat it."""
    for _ in range(_TRIES - 1):
        with suppress(StaleRecord):
            return take()
    return take()


def _of_older(
    services: Services,
    transaction_uid: str,
    from_ae: str,
    succeeded: frozenset[str],
    failed: dict[str, int],
) -> bool:
    """Take the report where it answers an open request for a study of an older archive."""
    with services.ledger.transaction() as tx:
        try:
            request = tx.get(OldCommitment, transaction_uid)
        except UnknownRecord:
            return False
        open_states = (CommitmentState.PENDING, CommitmentState.LATE)
        if request.archive != from_ae or request.state not in open_states:
            return False
        following = older.commitment_answered(services, tx, request, succeeded, failed)
    services.waker.wake(following)
    return True


def read_again(services: Services, batch_id: str | None = None) -> dict[str, tuple[str, ...]]:
    """Read every verified capture back once more; return what differs, by SOP Instance UID.

    Each look is written down as a verification with its event; no state changes. What the archive
    does not give back differs too, and keeps none of the others from being compared.
    """
    with services.ledger.reading() as view:
        verified = view.sheets(batch_id=batch_id, state=State.VERIFIED)
    found: dict[str, tuple[str, ...]] = {}
    for sheet in verified:
        for capture in _load(services, sheet.id)[1]:
            try:
                differences = _compared(services, capture)
            except ArchiveRefused as error:
                differences = (str(error),)
            found[capture.sop_instance_uid] = _looked(services, capture, differences)
    return found


def _compared(services: Services, capture: Capture) -> tuple[str, ...]:
    """Read a capture back; return what differs."""
    written = services.vault.path(capture.sha256).read_bytes()
    return dicom.compare(written, services.archive.retrieve(capture))


def _looked(services: Services, capture: Capture, differences: tuple[str, ...]) -> tuple[str, ...]:
    """Write down what a read-back found; return it."""
    uid = capture.sop_instance_uid
    name = "read_back_agrees" if not differences else "read_back_differs"
    with services.ledger.transaction() as tx:
        number = len(tx.verifications(uid))
        verification = Verification(
            id=identifier("verification", uid, str(number)),
            sop_instance_uid=uid,
            archive=services.archive.name,
            at=services.clock.now(),
            method="C-GET",
            agrees=not differences,
            differences=differences,
        )
        tx.add(verification, event(uid, name))
    return differences


def _request(tx: Transaction, transaction_uid: str) -> Commitment | None:
    """Return our own request of that transaction while it is open."""
    try:
        request = tx.get(Commitment, transaction_uid)
    except UnknownRecord:
        return None
    return request if request.state in (CommitmentState.PENDING, CommitmentState.LATE) else None


def verify(services: Services, sheet_id: str) -> list[tuple[Stage, str]]:
    """Read the captures back and compare identity and decoded pixels with what was written."""
    sheet, captures = _load(services, sheet_id)
    if reached(sheet) is not State.COMMITTED:
        # It was tried again from an earlier stage: what the archive holds now is not promised yet.
        with services.ledger.transaction() as tx:
            tx.unschedule(Stage.VERIFY, sheet_id)
        return []
    looks = [_looked(services, one, _compared(services, one)) for one in captures]
    differences = list(dict.fromkeys(name for look in looks for name in look))
    if not differences:
        now = services.clock.now()
        with services.ledger.transaction() as tx:
            tx.unschedule(Stage.VERIFY, sheet_id)
            sheet = tx.get(Sheet, sheet_id)
            if reached(sheet) is not State.COMMITTED:
                return []
            verified = moved(sheet, State.VERIFIED, now)
            tx.save(verified, event(sheet_id, "verified", archive=services.archive.name))
        return []
    text = f"The archive's copy differs from what was sent: {', '.join(differences)[:300]}"
    _ask(services, Stage.VERIFY, sheet_id, Code.READ_BACK_DIFFERS, text)
    return []
