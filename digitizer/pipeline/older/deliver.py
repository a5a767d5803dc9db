"""Older studies into the archive: asked first, sent as they are, committed, read back."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from digitizer import dicom
from digitizer.errors import BadScan, BadWorld, StaleRecord
from digitizer.model.identity import PatientRecord
from digitizer.model.older import OldCommitment, OldInstance, OldStudy, Outgoing, Source
from digitizer.model.reasons import Code, Reason, reason
from digitizer.model.records import CommitmentState, Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.older.picture_exam import has_own_study
from digitizer.pipeline.older.steps import (
    SENT,
    again,
    begin,
    is_due,
    still,
    turn_ends,
    write_from,
)
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = [
    "adopt",
    "ask_again",
    "commit",
    "commitment_answered",
    "digest",
    "read_back",
    "store",
    "verify",
]

logger = logging.getLogger(__name__)

_REFUSALS = 5
"""Refused commitments of one study after which a person is asked."""
_AT_ONCE = 64
"""Instances after which what the archive answered is written down."""


def store(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    """Ask what the archive holds of a study, compare that, and send the rest.

    What the archive answered is written down as it comes, so that a try that breaks off goes on
    where it stopped; what it took without our hearing of it is found there and compared.
    """
    if begin(services, Stage.OLD_STORE, study_id) is None:
        return []
    study, source, _ = _load(services, study_id)
    conflict = _conflict(services, study)
    if conflict:
        return _ask(services, Stage.OLD_STORE, study_id, reason(Code.STUDY_CONFLICT, conflict))
    study, to_send = _wrapped(services, study)
    # What the archive says it lacks is sent again, whatever it finds when it is asked.
    to_ask = [row for row in to_send if row.code is not Code.COMMITMENT_FAILED]
    there = _compared(services, study, source, to_ask)
    if not _send(services, study, source, [row for row in to_send if row.place not in there]):
        return again(services, Stage.OLD_STORE, study_id)
    return _stored(services, study_id)


def _conflict(services: Services, study: OldStudy) -> str:
    """Say how the archive's own record of this study or accession number contradicts us."""
    patient = _patient(study)
    found = services.archive.find_studies(study_instance_uid=_study_uid(study))
    if number := _accession_number(study):
        found += services.archive.find_studies(accession_number=number)
    for one in found:
        other_issuer = bool(one.issuer and patient.issuer and one.issuer != patient.issuer)
        if one.patient_id != patient.patient_id or other_issuer:
            return "The archive holds this study or exam under another patient number."
    return ""


def _wrapped(services: Services, study: OldStudy) -> tuple[OldStudy, list[OldInstance]]:
    """Say, before the first instance may be in the archive, that a study is on its way there."""
    with services.ledger.transaction() as tx:
        current = still(tx, study.id, Stage.OLD_STORE)
        if current.version != study.version:
            raise StaleRecord("The study was changed by somebody else.")
        rows = tx.old_instances(study_id=study.id, states=(State.READ,))
        if current.state is not State.WRAPPED:
            sending = moved(current, State.WRAPPED, services.clock.now())
            current = tx.save(sending, event(study.id, "wrapped", instances=len(rows)))
    return current, list(rows)


def _load(services: Services, study_id: str) -> tuple[OldStudy, Source, tuple[OldInstance, ...]]:
    with services.ledger.reading() as view:
        study = view.get(OldStudy, study_id)
        return study, view.get(Source, study.source_id), view.old_instances(study_id=study_id)


def _patient(study: OldStudy) -> PatientRecord:
    assert study.decision is not None, "only decided studies are sent"
    return study.decision.patient


def _study_uid(study: OldStudy) -> str:
    assert study.decision is not None, "only decided studies are sent"
    return study.decision.study_instance_uid


def _accession_number(study: OldStudy) -> str:
    exam = study.decision.exam if study.decision else None
    return exam.accession_number if exam else study.header.accession_number


def adopt(
    services: Services, study: OldStudy, source: Source, row: OldInstance
) -> tuple[dicom.OldFile, dicom.Adopted]:
    """Make an instance as it goes into the archive, from the very bytes that were looked at.

    Raises
    ------
    BadScan
        The original has changed since it was looked at, or cannot be read any more.
    """
    assert study.decision is not None, "only decided studies are sent"
    content = original(services, source, row)
    own = has_own_study(source)
    if own and hashlib.sha256(content).hexdigest() != row.sha256:
        raise BadScan("corrupt_file", "The file has changed since it was looked at.")
    old = dicom.examine(content)
    if not own:
        if old.pixel_sha256 != row.pixel_sha256:
            raise BadScan("corrupt_file", "The vault's copy has changed since it was made.")
        decision = study.decision
        old = dicom.placed(old, decision.study_instance_uid, decision.series_instance_uid)
    adoption = dicom.Adoption(
        patient=study.decision.patient,
        exam=study.decision.exam,
        source=source.name,
        at=study.decision.decided_at,
        sop_instance_uid=row.sent_uid,
        study_date="" if own else study.decision.study_date.replace("-", ""),
    )
    return old, dicom.adopted(old, adoption, services.coercions)


def _compared(
    services: Services, study: OldStudy, source: Source, rows: Sequence[OldInstance]
) -> set[str]:
    """Compare what the archive holds already with what would be sent; return the places of it."""
    held_there = set(services.archive.find_instances(_study_uid(study)))
    double = [row for row in rows if row.outgoing_uid in held_there]
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


def _send(services: Services, study: OldStudy, source: Source, rows: Sequence[OldInstance]) -> bool:
    """Send instances for as long as the turn lasts; tell whether all had theirs."""
    until, left = turn_ends(services), len(rows)
    sending: dict[str, tuple[OldInstance, OldInstance]] = {}
    changes: list[tuple[OldInstance, OldInstance]] = []

    def outgoing() -> Iterator[Outgoing]:
        nonlocal left
        for row in rows:
            if services.clock.now() >= until:
                return
            left -= 1
            made = _made(services, study, source, row)
            if isinstance(made, OldInstance):
                changes.append((row, made))
                continue
            content, sha256 = made
            sending[row.outgoing_uid] = (row, replace(row, sent_sha256=sha256))
            yield Outgoing(
                sop_class_uid=row.sop_class_uid,
                sop_instance_uid=row.outgoing_uid,
                transfer_syntax_uid=row.transfer_syntax_uid,
                content=content,
            )

    try:
        for answer in services.archive.store_all(outgoing()):
            before, after = sending.pop(answer.sop_instance_uid)
            if answer.refused:
                after = replace(
                    after, state=State.REVIEW, code=Code.KIND_REFUSED, note=answer.refused
                )
            else:
                after = replace(after, state=State.STORED, code=None)
            changes.append((before, after))
            if len(changes) >= _AT_ONCE:
                write_from(services, study.id, changes)
    finally:
        write_from(services, study.id, changes)
    return left == 0


def _made(
    services: Services, study: OldStudy, source: Source, row: OldInstance
) -> tuple[bytes, str] | OldInstance:
    """Return an instance to send, and its hash; or its row where it cannot go, and why."""
    try:
        _, made = adopt(services, study, source, row)
        if made.rejected:
            return replace(row, state=State.REJECTED, code=Code.RULE_REJECTED, note=made.rejected)
        return made.content, dicom.examine(made.content).data_sha256
    except BadScan as error:
        return replace(row, state=State.REVIEW, code=Code(error.code), note=error.message)
    except (ValueError, RuntimeError, AttributeError):
        # Of this instance, not of the archive: the others go on.
        logger.exception("an old instance cannot be made")
        note = "It could not be written again."
        return replace(row, state=State.REVIEW, code=Code.INTERNAL_ERROR, note=note)


def _stored(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        study = still(tx, study_id, Stage.OLD_STORE)
        rows = tx.old_instances(study_id=study_id)
        refused = [row for row in rows if row.state is State.REVIEW]
        tx.unschedule(Stage.OLD_STORE, study_id)
        if refused:
            first = refused[0]
            text = f"{len(refused)} of {len(rows)}: {first.note}"
            asked = held(study, State.REVIEW, (reason(first.code or Code.KIND_REFUSED, text),), now)
            tx.save(asked, event(study_id, "review", reasons=reason_payload(asked.reasons)))
            return []
        if any(row.state is State.READ for row in rows):
            raise StaleRecord("More of this study was found meanwhile.")
        stored = [row for row in rows if row.state in SENT]
        if not stored:
            why = (reason(Code.NO_INSTANCE, "Nothing of it was left that could be sent."),)
            left_out = moved(study, State.REJECTED, now, reasons=why)
            tx.save(left_out, event(study_id, "rejected", instances=len(rows)))
            return []
        told = event(
            study_id,
            "stored",
            archive=services.archive.name,
            instances=len(stored),
            digest=digest(stored),
        )
        tx.save(moved(study, State.STORED, now), told)
        tx.schedule(Stage.OLD_COMMIT, study_id)
    return [(Stage.OLD_COMMIT, study_id)]


def digest(rows: Iterable[OldInstance]) -> str:
    """Return one hash over what was sent of some instances: their UIDs and their datasets."""
    lines = sorted(f"{row.outgoing_uid} {row.sent_sha256}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _ask(services: Services, stage: Stage, study_id: str, why: Reason) -> list[tuple[Stage, str]]:
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        study = still(tx, study_id, stage)
        tx.unschedule(stage, study_id)
        asked = held(study, State.REVIEW, (why,), now)
        tx.save(asked, event(study_id, "review", reasons=reason_payload(asked.reasons)))
    return []


def commit(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    """Move on when all is promised, send what the archive lacks again, ask when it is silent."""
    now = services.clock.now()
    deadline = timedelta(seconds=services.settings.commitment_deadline_s)
    with services.ledger.transaction() as tx:
        study = tx.get(OldStudy, study_id)
        rows = tx.old_instances(study_id=study_id)
        tx.unschedule(Stage.OLD_COMMIT, study_id)
        if not is_due(study, Stage.OLD_COMMIT):
            return []
        if any(row.state is State.READ and row.code is Code.COMMITMENT_FAILED for row in rows):
            return _again(services, tx, study)
        open_rows = [row for row in rows if row.state is State.STORED]
        if not open_rows:
            committed = moved(study, State.COMMITTED, now)
            tx.save(committed, event(study_id, "committed", archive=services.archive.name))
            tx.schedule(Stage.OLD_VERIFY, study_id)
            return [(Stage.OLD_VERIFY, study_id)]
        pending = tx.old_commitments(study_id, pending=True)
        overdue = [one for one in pending if one.requested_at + deadline <= now]
        for one in overdue:
            tx.save(
                replace(one, state=CommitmentState.LATE),
                event(study_id, "commitment_late", transaction=one.transaction_uid),
            )
        if overdue:
            waiting = held(study, State.WAITING, (reason(Code.COMMITMENT_LATE),), now)
            tx.save(waiting, event(study_id, "waiting", reasons=reason_payload(waiting.reasons)))
        elif pending:
            tx.schedule(Stage.OLD_COMMIT, study_id, pending[-1].requested_at + deadline)
            return []
        request = _request(services, tx, study, open_rows)
        tx.schedule(Stage.OLD_COMMIT, study_id, now + deadline)
    try:
        services.archive.request_commitment(
            request.transaction_uid, [(row.sop_class_uid, row.outgoing_uid) for row in open_rows]
        )
    except BadWorld:
        _give_up(services, request.transaction_uid)
        raise
    return []


def _again(services: Services, tx: Transaction, study: OldStudy) -> list[tuple[Stage, str]]:
    """Go back to sending: the archive says that it lacks what it took."""
    now = services.clock.now()
    refused = [one for one in tx.old_commitments(study.id) if one.state is CommitmentState.FAILED]
    if len(refused) >= _REFUSALS:
        text = f"The archive took it and said {len(refused)} times that it does not hold it."
        asked = held(study, State.REVIEW, (reason(Code.COMMITMENT_FAILED, text),), now)
        tx.save(asked, event(study.id, "review", reasons=reason_payload(asked.reasons)))
        return []
    tx.save(moved(study, State.APPROVED, now), event(study.id, "commitment_failed"))
    delay = timedelta(seconds=services.settings.backoff_first_s * 2)
    tx.schedule(Stage.OLD_STORE, study.id, now + delay)
    return []


def _request(
    services: Services, tx: Transaction, study: OldStudy, rows: Sequence[OldInstance]
) -> OldCommitment:
    """Write a request down before it is made: the answer may be here before the call returns."""
    before = len(tx.old_commitments(study.id))
    request = OldCommitment(
        transaction_uid=tx.uid(f"old commitment:{study.id}:{before}"),
        study_id=study.id,
        archive=services.archive.name,
        requested_at=services.clock.now(),
        asked=tuple(row.outgoing_uid for row in rows),
    )
    asked = event(study.id, "commitment_asked", uid=request.transaction_uid, instances=len(rows))
    tx.add(request, asked)
    return request


def _give_up(services: Services, transaction: str) -> None:
    """Wait no longer for the answer to a request that could not be sent, unless it is here."""
    with services.ledger.transaction() as tx:
        request = tx.get(OldCommitment, transaction)
        if request.state is CommitmentState.PENDING:
            late = replace(request, state=CommitmentState.LATE)
            tx.save(late, event(request.study_id, "commitment_not_asked", uid=transaction))


def ask_again(services: Services) -> int:
    """Make due again what waits for a commitment; to be called when listening begins."""
    with services.ledger.transaction() as tx:
        unheard = tx.old_commitments(pending=True)
        for request in unheard:
            late = replace(request, state=CommitmentState.LATE)
            told = event(request.study_id, "commitment_unheard", uid=request.transaction_uid)
            tx.save(late, told)
            tx.schedule(Stage.OLD_COMMIT, request.study_id)
    return len(unheard)


def commitment_answered(
    services: Services,
    tx: Transaction,
    request: OldCommitment,
    succeeded: frozenset[str],
    failed: dict[str, int],
) -> None:
    """Write the answer to one of our requests down, instance by instance."""
    asked = frozenset(request.asked)
    good, bad = succeeded & asked, (set(failed) & asked) - succeeded
    rows = tx.old_instances(study_id=request.study_id, states=(State.STORED,))
    changed = [replace(row, state=State.COMMITTED) for row in rows if row.outgoing_uid in good]
    changed += [
        replace(row, state=State.READ, code=Code.COMMITMENT_FAILED)
        for row in rows
        if row.outgoing_uid in bad
    ]
    tx.write_old_instances(changed)
    answered = replace(
        request,
        state=CommitmentState.FAILED if bad or good != asked else CommitmentState.SUCCESS,
        failed=tuple(sorted(bad)),
        answered_at=services.clock.now(),
    )
    name = "commitment_refused" if bad else "commitment_given"
    counted = event(
        request.study_id, name, uid=request.transaction_uid, good=len(good), bad=len(bad)
    )
    tx.save(answered, counted)
    tx.schedule(Stage.OLD_COMMIT, request.study_id)


def verify(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    """Read a study back and compare each instance with what was sent."""
    if begin(services, Stage.OLD_VERIFY, study_id) is None:
        return []
    study, source, rows = _load(services, study_id)
    to_see = [row for row in rows if row.state is State.COMMITTED]
    until = turn_ends(services)
    wrong: dict[str, str] = {}
    changes: list[tuple[OldInstance, OldInstance]] = []
    for row, differences, _ in read_back(services, study, source, to_see):
        if differences:
            wrong[row.place] = ", ".join(differences)
        else:
            changes.append((row, replace(row, state=State.VERIFIED)))
        if len(changes) >= _AT_ONCE:
            write_from(services, study_id, changes)
        if not wrong and services.clock.now() >= until:
            write_from(services, study_id, changes)
            return again(services, Stage.OLD_VERIFY, study_id)
    write_from(services, study_id, changes)
    if wrong:
        first = next(iter(wrong.values()))[:200]
        text = f"The archive's copy of {len(wrong)} instances differs from what was sent: {first}"
        return _ask(services, Stage.OLD_VERIFY, study_id, reason(Code.READ_BACK_DIFFERS, text))
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        current = still(tx, study_id, Stage.OLD_VERIFY)
        left = tx.old_instances(study_id=study_id, states=(State.READ, *SENT[:2]))
        if left:
            raise StaleRecord("More of this study was found meanwhile.")
        tx.unschedule(Stage.OLD_VERIFY, study_id)
        seen = tx.old_instances(study_id=study_id, states=(State.VERIFIED,))
        told = event(study_id, "verified", instances=len(seen), digest=digest(seen))
        tx.save(moved(current, State.VERIFIED, now), told)
    return []


def read_back(
    services: Services, study: OldStudy, source: Source, rows: Sequence[OldInstance]
) -> Iterator[tuple[OldInstance, tuple[str, ...], str]]:
    """Yield instances as the archive gives them back: what differs, and the hash of what was meant.

    First in the encoding that was sent; what does not come so, uncompressed. What does not come at
    all differs in everything.
    """
    waiting = {row.outgoing_uid: row for row in rows}
    kinds = list(dict.fromkeys((row.sop_class_uid, row.transfer_syntax_uid) for row in rows))
    for plain in (False, True):
        if not waiting:
            return
        if plain:
            kinds = [
                kind for kind in kinds if kind[0] in {r.sop_class_uid for r in waiting.values()}
            ]
        for content in services.archive.retrieve_all(_study_uid(study), kinds, plain=plain):
            try:
                came = dicom.examine(content)
            except BadScan:
                continue
            row = waiting.pop(dicom.text_of(came.header, "SOPInstanceUID"), None)
            if row is not None:
                yield (row, *_differences(services, study, source, row, content, came))
    for row in waiting.values():
        yield row, ("the archive does not give it back",), ""


def _differences(
    services: Services,
    study: OldStudy,
    source: Source,
    row: OldInstance,
    content: bytes,
    came: dicom.OldFile,
) -> tuple[tuple[str, ...], str]:
    """Compare one instance: byte for byte where it came as it was sent, else by value."""
    if row.sent_sha256 and came.data_sha256 == row.sent_sha256:
        return (), row.sent_sha256
    _, made = adopt(services, study, source, row)
    if made.rejected:
        return (made.rejected,), ""
    meant = dicom.examine(made.content)
    return dicom.compare_old(meant, content), meant.data_sha256
