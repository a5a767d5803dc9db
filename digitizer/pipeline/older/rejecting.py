"""Studies of older archives that a person ends, and opens again: nothing is rejected for ever."""

from dataclasses import replace

from digitizer.errors import UsageError
from digitizer.model.older import OldStudy, Source, SourceKind
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Stage
from digitizer.model.states import HOLDS, State
from digitizer.pipeline.changes import event, moved, reached
from digitizer.pipeline.older.leaving_out import opened
from digitizer.pipeline.older.made import study_uid
from digitizer.pipeline.older.picture_rivals import hold_rivals
from digitizer.pipeline.older.steps import SENT, rejected_by_person, unschedule
from digitizer.pipeline.older.writing import revive
from digitizer.pipeline.services import Services

__all__ = ["must_not_be_there", "open_again", "reject"]

_OPEN = (State.READ, State.REVIEW)


def reject(services: Services, study_id: str, *, user: str, why: str = "") -> OldStudy:
    """End a study: nothing of it goes into the archive. The originals stay.

    Raises
    ------
    UsageError
        It is not held, or a part of it may be in the archive.
    ArchiveUnreachable
        Whether a part of it is in the archive cannot be asked.
    """
    must_not_be_there(services, study_id)
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        study = tx.get(OldStudy, study_id)
        if study.state not in HOLDS | {State.APPROVED}:
            raise UsageError(
                f"Study {study_id} is {study.state.value}; only what is held can be rejected."
            )
        if tx.old_instances(study_id=study_id, states=SENT, limit=1) or _is_going(study):
            raise UsageError(
                f"A part of study {study_id} may be in the archive already.",
                remedy="Have it removed there first; rejecting it here would hide it.",
            )
        unschedule(tx, study_id)
        rows = tx.old_instances(study_id=study_id, states=(*_OPEN, State.DUPLICATE))
        gone = [
            replace(
                row,
                state=State.REJECTED,
                code=row.code if row.state is State.REVIEW else Code.REJECTED_BY_PERSON,
            )
            for row in rows
        ]
        tx.write_old_instances(gone)
        # Nothing of the study is filed any more: they are no other patient's than it.
        tx.write_old_instances(
            replace(row, code=Code.REJECTED_BY_PERSON, note="")
            for row in tx.old_instances(study_id=study_id, states=(State.REJECTED,))
            if row.code is Code.NAMES_ANOTHER
        )
        text = (reason(Code.REJECTED_BY_PERSON, why or None),)
        ended = moved(study, State.REJECTED, now, reasons=text)
        saved = tx.save(ended, event(study_id, "rejected", user, reason=why, instances=len(rows)))
        revive(services, tx, [row for row in rows if row.state in _OPEN])
    return saved


def must_not_be_there(services: Services, study_id: str) -> None:
    """Refuse to take back a study that was on its way when more of it was found, and arrived.

    Raises
    ------
    UsageError
        The archive holds some of it.
    ArchiveUnreachable
        It cannot be asked.
    """
    with services.ledger.reading() as view:
        study = view.get(OldStudy, study_id)
        names = [one.name for one in view.events(study_id) if one.name in ("wrapped", "stored")]
        uids = {row.outgoing_uid for row in view.old_instances(study_id=study_id, states=_OPEN)}
    if names[-1:] != ["wrapped"] or study.decision is None:
        return
    if uids & set(services.archive.holdings(study_uid(study), "").instances):
        raise UsageError(
            f"A part of study {study_id} is in the archive already.",
            remedy="Have it removed there first; taking it back here would hide it.",
        )


def _is_going(study: OldStudy) -> bool:
    """Tell whether a study is on its way to the archive, or waits on it."""
    return reached(study) is State.WRAPPED


def open_again(services: Services, study_id: str, *, user: str, why: str = "") -> OldStudy:
    """Take back that a person rejected a study: it is decided anew, and nothing said of it counts.

    What another bearer of its UIDs has taken the place of meanwhile is its copy now, or collides
    with it. A study of a peer that was never fetched to its end is fetched first.

    Raises
    ------
    UsageError
        No person has rejected it.
    """
    with services.ledger.transaction() as tx:
        study = tx.get(OldStudy, study_id)
        if not rejected_by_person(study):
            raise UsageError(f"Study {study_id} was not rejected by a person.")
        rows = tx.old_instances(study_id=study_id)
        back = opened(tx, [row for row in rows if row.state is State.REJECTED])
        source = tx.get(Source, study.source_id)
        if source.kind is SourceKind.PICTURES:
            back = hold_rivals(services, tx, back)
        tx.write_old_instances(back)
        # That some of it is missing is asked about: its peer may be gone.
        unasked = not rows or study.expected is None
        in_part = source.kind is SourceKind.PACS and unasked
        stage = Stage.OLD_TAKE if in_part else Stage.OLD_DECIDE
        told = event(study_id, "opened_again", user, reason=why, instances=len(back))
        now = services.clock.now()
        anew = moved(study, State.READ, now, decision=None, confirmed=())
        saved = tx.save(anew, told)
        tx.schedule(stage, study_id)
    services.waker.wake([(stage, study_id)])
    return saved
