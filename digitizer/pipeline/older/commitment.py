"""Storage commitment of older studies: one request for all instances that are not promised yet."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from digitizer.errors import BadWorld
from digitizer.model.older import OldCommitment, OldInstance, OldStudy
from digitizer.model.reasons import Code, reason
from digitizer.model.records import CommitmentState, Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.older.steps import is_due
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["ask_again", "commit", "commitment_answered"]

_REFUSALS = 5
"""Refused commitments of one study after which a person is asked."""


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
        if _lacks_some(rows):
            return _again(services, tx, study)
        open_rows = [row for row in rows if row.state is State.STORED]
        if not open_rows:
            return _committed(services, tx, study)
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


def _lacks_some(rows: Iterable[OldInstance]) -> bool:
    """Tell whether the archive said of some that it does not hold them."""
    return any(row.state is State.READ and row.code is Code.COMMITMENT_FAILED for row in rows)


def _committed(services: Services, tx: Transaction, study: OldStudy) -> list[tuple[Stage, str]]:
    """Move on: all is promised."""
    committed = moved(study, State.COMMITTED, services.clock.now())
    tx.save(committed, event(study.id, "committed", archive=services.archive.name))
    tx.schedule(Stage.OLD_VERIFY, study.id)
    return [(Stage.OLD_VERIFY, study.id)]


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
    """Wait no longer for the answer to a request that could not be sent, unless it is here.

    It is asked for again soon, also when we are killed before the trouble is written down.
    """
    soon = services.clock.now() + timedelta(seconds=services.settings.backoff_first_s)
    with services.ledger.transaction() as tx:
        request = tx.get(OldCommitment, transaction)
        if request.state is CommitmentState.PENDING:
            late = replace(request, state=CommitmentState.LATE)
            tx.save(late, event(request.study_id, "commitment_not_asked", uid=transaction))
            tx.schedule(Stage.OLD_COMMIT, request.study_id, soon)


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
) -> list[tuple[Stage, str]]:
    """Write the answer to one of our requests down, instance by instance; return what is due."""
    asked = frozenset(request.asked)
    good, bad = succeeded & asked, (set(failed) & asked) - succeeded
    rows = tx.old_instances(study_id=request.study_id)
    told = [_told(row, good, bad) for row in rows]
    tx.write_old_instances(after for row, after in zip(rows, told, strict=True) if after != row)
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
    study = tx.get(OldStudy, request.study_id)
    is_promised = not _lacks_some(told) and not any(row.state is State.STORED for row in told)
    if is_promised and is_due(study, Stage.OLD_COMMIT):
        tx.unschedule(Stage.OLD_COMMIT, study.id)
        return _committed(services, tx, study)
    tx.schedule(Stage.OLD_COMMIT, study.id)
    return [(Stage.OLD_COMMIT, study.id)]


def _told(row: OldInstance, good: Collection[str], bad: Collection[str]) -> OldInstance:
    """Return an instance as the archive's answer leaves it."""
    if row.state is not State.STORED:
        return row
    if row.outgoing_uid in good:
        return replace(row, state=State.COMMITTED)
    if row.outgoing_uid in bad:
        return replace(row, state=State.READ, code=Code.COMMITMENT_FAILED)
    return row
