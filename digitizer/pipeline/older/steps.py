"""Whose turn it is: a stage works on a study only while the study is where the stage begins.

A study may change under a stage: files of another patient are found, a person holds it, another
worker was faster. Every stage looks before its work and again in the transaction that ends it, and
what it writes of instances it writes only where they are as they were.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from digitizer.errors import StaleRecord
from digitizer.model.older import OldInstance, OldStudy, Source
from digitizer.model.reasons import Code, Reason
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = [
    "SENT",
    "again",
    "ask",
    "begin",
    "count_token",
    "identities_token",
    "is_due",
    "loaded",
    "on_hold",
    "rejected_by_person",
    "reopen",
    "still",
    "turn_ends",
    "unschedule",
    "write_from",
    "write_in",
]

SENT = (State.STORED, State.COMMITTED, State.VERIFIED)
_TURN_S = 600.0
_OWN = {
    Stage.OLD_TAKE: (State.RECEIVED, State.READ),
    Stage.OLD_DECIDE: (State.RECEIVED, State.READ),
    Stage.OLD_STORE: (State.APPROVED, State.WRAPPED),
    Stage.OLD_COMMIT: (State.STORED,),
    Stage.OLD_VERIFY: (State.COMMITTED,),
}
_UNDECIDED = (Stage.OLD_TAKE, Stage.OLD_DECIDE)
_LATER = (Stage.OLD_STORE, Stage.OLD_COMMIT, Stage.OLD_VERIFY)


def on_hold(study: OldStudy) -> bool:
    """Tell whether a person put a study aside."""
    return any(one.code is Code.ON_HOLD for one in study.reasons)


def rejected_by_person(study: OldStudy) -> bool:
    """Tell whether a person ended a study; one of which nothing was left ended by itself."""
    by_person = any(one.code is Code.REJECTED_BY_PERSON for one in study.reasons)
    return study.state is State.REJECTED and by_person


def is_due(study: OldStudy, stage: Stage) -> bool:
    """Tell whether a study is where a stage begins."""
    if study.state in (State.REVIEW, State.QUARANTINED):
        # What was found since may be decided otherwise; what a person put aside stays there.
        return stage in _UNDECIDED and not on_hold(study)
    where = study.resume if study.state is State.WAITING else study.state
    return where in _OWN[stage]


def begin(services: Services, stage: Stage, study_id: str) -> OldStudy | None:
    """Return the study when it is where the stage begins; else take the task off it."""
    with services.ledger.reading() as view:
        study = view.get(OldStudy, study_id)
    if is_due(study, stage):
        return study
    with services.ledger.transaction() as tx:
        if not is_due(tx.get(OldStudy, study_id), stage):
            tx.unschedule(stage, study_id)
    return None


def still(tx: Transaction, study_id: str, stage: Stage) -> OldStudy:
    """Return the study as it is now.

    Raises
    ------
    StaleRecord
        It is not any more where the stage began.
    """
    current = tx.get(OldStudy, study_id)
    if not is_due(current, stage):
        raise StaleRecord(f"Study {study_id} was changed by somebody else.")
    return current


def turn_ends(services: Services) -> datetime:
    """Return when a turn of work ends: well before its lease does."""
    seconds = min(_TURN_S, services.settings.lease_s * 2 / 3)
    return services.clock.now() + timedelta(seconds=seconds)


def again(services: Services, stage: Stage, study_id: str) -> list[tuple[Stage, str]]:
    """Leave the rest to another turn, with a lease of its own."""
    with services.ledger.transaction() as tx:
        still(tx, study_id, stage)
        # Scheduled once more and then done: the task is due again, from the start.
        tx.schedule(stage, study_id)
        tx.unschedule(stage, study_id)
    return [(stage, study_id)]


def reopen(services: Services, tx: Transaction, study: OldStudy, stage: Stage) -> OldStudy:
    """Return a study of which more was found, to be fetched or decided anew; ``stage`` is due.

    What was to be done with it before is not done any more. Put aside by a person, it is decided
    when it is released; rejected by one, it stays so.
    """
    if on_hold(study) or rejected_by_person(study):
        return study
    for later in _LATER:
        tx.unschedule(later, study.id)
    tx.schedule(stage, study.id)
    if is_due(study, stage):
        return study
    return moved(study, State.READ, services.clock.now())


def unschedule(tx: Transaction, study_id: str) -> None:
    """Take all that was to be done with a study off the list."""
    for stage in (*_UNDECIDED, *_LATER):
        tx.unschedule(stage, study_id)


def write_from(
    services: Services, study_id: str, changes: list[tuple[OldInstance, OldInstance]]
) -> None:
    """Write instances that are still as they were before; empties the list."""
    if changes:
        with services.ledger.transaction() as tx:
            write_in(tx, study_id, changes)
        changes.clear()


def write_in(
    tx: Transaction, study_id: str, changes: Sequence[tuple[OldInstance, OldInstance]]
) -> None:
    """Write instances in a transaction; see :func:`write_from`."""
    now = {row.place: row.state for row in tx.old_instances(study_id=study_id)}
    tx.write_old_instances(
        after for before, after in changes if now.get(before.place) is before.state
    )


def identities_token(study: OldStudy) -> str:
    """Return what a person confirms who has seen the patients that a study's files name."""
    said = sorted("|".join(one.identity) for one in (study.header, *study.others))
    return f"several_identities {_short(said)}"


def count_token(study: OldStudy) -> str:
    """Return what a person confirms who lets a study go that its peer gave in part."""
    return f"count_differs {study.expected}"


def _short(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def loaded(services: Services, study_id: str) -> tuple[OldStudy, Source, tuple[OldInstance, ...]]:
    """Return a study with its source and its instances."""
    with services.ledger.reading() as view:
        study = view.get(OldStudy, study_id)
        return study, view.get(Source, study.source_id), view.old_instances(study_id=study_id)


def ask(services: Services, stage: Stage, study_id: str, why: Reason) -> list[tuple[Stage, str]]:
    """Hold a study for a person from this stage on."""
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        study = still(tx, study_id, stage)
        tx.unschedule(stage, study_id)
        asked = held(study, State.REVIEW, (why,), now)
        tx.save(asked, event(study_id, "review", reasons=reason_payload(asked.reasons)))
    return []
