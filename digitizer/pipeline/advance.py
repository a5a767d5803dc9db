"""Doing one stage once: lease, work, result, and what an error makes of it.

The ledger is the truth and the message only a wake-up call: a message that is early, late, doubled
or lost does no harm, because the lease is refused, taken over or found by :func:`overdue`.
"""

import logging
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from digitizer import log
from digitizer.errors import BadScan, BadWorld, StaleRecord
from digitizer.model.older import OldStudy, Source
from digitizer.model.reasons import Code, Reason, reason
from digitizer.model.records import Jacket, Scan, Sheet, Stage, Task
from digitizer.model.states import ENDS, State
from digitizer.pipeline.changes import event, held, reason_payload
from digitizer.pipeline.services import Services
from digitizer.pipeline.settings import PipelineSettings
from digitizer.ports import Transaction

__all__ = ["POOLS", "StageFunction", "advance", "backoff", "free_orphans", "overdue"]

logger = logging.getLogger(__name__)

T = TypeVar("T", Scan, Sheet, OldStudy)

_AT_ONCE = frozenset(
    {Stage.READ, Stage.COMMIT, Stage.OLD_DECIDE, Stage.OLD_COMMIT, Stage.OLD_VERIFY}
)
"""What the worker that did the stage before goes on with."""
_LONGEST_PAUSE_S = 15.0
"""Between two tries to write trouble down."""

StageFunction = Callable[[Services, str], list[tuple[Stage, str]]]
"""Does one stage for one subject; returns what is due next, to be woken."""

POOLS: tuple[tuple[Stage, ...], ...] = (
    (
        *(Stage.PREPARE, Stage.READ, Stage.DECIDE, Stage.WRAP),
        *(Stage.OLD_STOCK, Stage.OLD_FEED, Stage.OLD_TAKE, Stage.OLD_DECIDE),
    ),
    (
        *(Stage.STORE, Stage.COMMIT, Stage.VERIFY),
        *(Stage.OLD_STORE, Stage.OLD_COMMIT, Stage.OLD_VERIFY),
    ),
)
"""Stages that the same workers do, who may do one for the other."""

_SUBJECT: Mapping[
    Stage, type[Scan] | type[Sheet] | type[Jacket] | type[OldStudy] | type[Source]
] = {
    Stage.PREPARE: Scan,
    Stage.READ: Scan,
    Stage.DECIDE: Jacket,
    Stage.WRAP: Sheet,
    Stage.STORE: Sheet,
    Stage.COMMIT: Sheet,
    Stage.VERIFY: Sheet,
    Stage.OLD_STOCK: Source,
    Stage.OLD_FEED: Source,
    Stage.OLD_TAKE: OldStudy,
    Stage.OLD_DECIDE: OldStudy,
    Stage.OLD_STORE: OldStudy,
    Stage.OLD_COMMIT: OldStudy,
    Stage.OLD_VERIFY: OldStudy,
}


def advance(
    services: Services, stage: Stage, subject: str, table: Mapping[Stage, StageFunction]
) -> None:
    """Do a stage for a subject if it is due and nobody else does it; wake what follows.

    While work of urgent jackets is due, the call may be spent on that instead: what was named stays
    due, and the reaper announces it again. A scan that was just prepared is read at once by the
    same worker, while its pixels are at hand: so a scan is decoded twice in the whole way, not
    three times. An older study that was fetched is decided at once, what was sent is asked to be
    kept, and what is kept is read back.
    """
    pool = next((one for one in POOLS if stage in one), (stage,))
    ledger, who, seconds = services.ledger, services.worker, services.settings.lease_s
    task = _leased(lambda: ledger.lease_in_turn(stage, subject, pool, who, seconds))
    while task is not None:
        done = task.subject
        with log.bound(stage=task.stage.value, subject=done, attempt=task.attempts):
            following = _work(services, task, table[task.stage])
        at_hand = following[:1] in [[(one, done)] for one in _AT_ONCE]
        services.waker.wake(following[1:] if at_hand else following)
        task = _next(services, *following[0]) if at_hand else None


def _next(services: Services, stage: Stage, subject: str) -> Task | None:
    lease, seconds = services.ledger.lease, services.settings.lease_s
    return _leased(lambda: lease(stage, subject, services.worker, seconds))


def _leased(take: Callable[[], Task | None]) -> Task | None:
    try:
        return take()
    except BadWorld as error:
        # Nothing was begun; it stays due, and the reaper announces it again.
        logger.warning("no lease", extra={"code": error.code})
        return None


def _work(services: Services, task: Task, work: StageFunction) -> list[tuple[Stage, str]]:
    """Do the work of a leased task; write down what an error makes of it."""
    now = services.clock.now
    try:
        if task.attempts > services.settings.attempts:
            # Counted before the work: a task that kills its own worker ends here.
            _stop(services, task, "It was tried several times without an end.")
            return []
        if _has_ended(services, task):
            return []
        return work(services, task.subject)
    except BadScan as error:
        bad_scan = error
        _insist(services, task, lambda: _quarantine(services, task, bad_scan))
    except BadWorld as error:
        bad_world = error
        _insist(services, task, lambda: _wait(services, task, bad_world))
    except StaleRecord:
        release = services.ledger.release
        _insist(services, task, lambda: release(task, due_at=now(), count_attempt=False))
    except Exception:
        # Unknown: a mistake of ours. Tried again, then a person is asked (DESIGN §4).
        logger.exception("stage failed")
        later = now() + timedelta(seconds=1)
        _insist(services, task, lambda: services.ledger.release(task, due_at=later))
    return []


def _has_ended(services: Services, task: Task) -> bool:
    """Take a task off a film or scan that a person has ended meanwhile.

    The stages of older studies look at the study themselves before they begin.
    """
    kind = _SUBJECT[task.stage]
    if kind is not Scan and kind is not Sheet:
        return False
    with services.ledger.reading() as view:
        state = (
            view.get(Scan, task.subject) if kind is Scan else view.get(Sheet, task.subject)
        ).state
    if state not in ENDS:
        return False
    with services.ledger.transaction() as tx:
        tx.unschedule(task.stage, task.subject)
    return True


def _insist(services: Services, task: Task, write: Callable[[], None]) -> None:
    """Write trouble down however long the ledger cannot be written, while the lease is ours.

    A full disk stops the ledger as well; a lease that nobody gives back would hold the film up for
    as long as it runs, long after there is room again.
    """
    pause = services.settings.backoff_first_s
    while True:
        try:
            return write()
        except BadWorld as error:
            if task.lease_until is None or services.clock.now() >= task.lease_until:
                raise
            logger.warning("cannot be written down yet", extra={"code": error.code})
            services.clock.pause(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)


def _quarantine(services: Services, task: Task, error: BadScan) -> None:
    code = Code(error.code)
    _hold(services, task, State.QUARANTINED, reason(code, error.message), done=True)
    logger.info("quarantined", extra={"code": code.value})


def _stop(services: Services, task: Task, why: str) -> None:
    stopped = reason(Code.INTERNAL_ERROR, f"The software failed on this film. {why}")
    _hold(services, task, State.REVIEW, stopped, done=True)


def _wait(services: Services, task: Task, error: BadWorld) -> None:
    """Hold the subject as waiting and try again later, without spending an attempt."""
    since = _hold(services, task, State.WAITING, reason(Code(error.code), str(error)), done=False)
    now = services.clock.now()
    due = now + timedelta(seconds=backoff(services.settings, (now - since).total_seconds()))
    services.ledger.release(task, due_at=due, why=str(error), count_attempt=False)
    logger.info("waiting", extra={"code": error.code, "until": due.isoformat()})


def backoff(settings: PipelineSettings, waited_s: float) -> float:
    """Return the seconds to wait next: as long again as it waited so far, with jitter.

    Waiting as long again as before is exponential backoff with factor 2 that needs no counter.
    """
    wait = min(max(waited_s, settings.backoff_first_s), settings.backoff_most_s)
    return wait * random.uniform(0.75, 1.25)


def _hold(services: Services, task: Task, state: State, why: Reason, *, done: bool) -> datetime:
    """Put the task's subject into a hold; return since when it is there."""
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        if done:
            tx.unschedule(task.stage, task.subject)
        kind = _SUBJECT[task.stage]
        if kind is Jacket:
            # A jacket has no state of a film: the trouble is shown on the films it holds up.
            for sheet in tx.sheets(jacket_id=task.subject, state=State.READ):
                changed = held(sheet, state, (why,), now)
                tx.save(changed, event(sheet.id, state.value, reasons=reason_payload((why,))))
            return now
        if kind is Source:
            # A source has no state; it tells why looking through it has stopped.
            source = tx.get(Source, task.subject)
            if source.trouble != why.text:
                told = event(source.id, "stopped", reasons=reason_payload((why,)))
                tx.save(replace(source, trouble=why.text), told)
            return now
        if kind is OldStudy:
            study = tx.get(OldStudy, task.subject)
            return _held_record(tx, study, state, why, now).changed_at
        if kind is Scan:
            scan = _held_record(tx, tx.get(Scan, task.subject), state, why, now)
            if done:
                # Its jacket must not wait for it.
                tx.schedule(Stage.DECIDE, scan.jacket_id)
            return scan.changed_at
        return _held_record(tx, tx.get(Sheet, task.subject), state, why, now).changed_at


def _held_record(tx: Transaction, record: T, state: State, why: Reason, now: datetime) -> T:
    """Hold a record unless it is held for the same reason already."""
    if record.state is state and record.reasons == (why,):
        return record
    changed = held(record, state, (why,), now)
    return tx.save(changed, event(record.id, state.value, reasons=reason_payload((why,))))


def free_orphans(services: Services, is_dead: Callable[[str], bool]) -> int:
    """Free what workers held that are gone, before their leases run out; return how many.

    The attempt stays counted: a task that kills its worker is not given out for ever.
    """
    now = services.clock.now()
    orphans = [
        task
        for task in services.ledger.leased(now)
        if task.lease_owner and is_dead(task.lease_owner)
    ]
    for task in orphans:
        services.ledger.release(task, due_at=now, why="its worker died")
    return len(orphans)


def overdue(
    services: Services, limit: int = 200, *, announced: Collection[tuple[Stage, str]] = ()
) -> int:
    """Wake work that is due and that nobody does: what a lost message or a dead worker left.

    What is announced and waits for a worker is not announced again. Returns how many tasks were
    woken.
    """
    due = services.ledger.due(services.clock.now(), limit)
    lost = [(one.stage, one.subject) for one in due if (one.stage, one.subject) not in announced]
    services.waker.wake(lost)
    return len(lost)
