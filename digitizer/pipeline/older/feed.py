"""Setting studies of a source going: as many as its pace and what is under way allow.

Whatever is behind (a slow archive, a full disk, a reviewer's weekend) holds back what is in front:
the studies under way are counted, not the messages. Those of a peer are set going while others are
still asked for: a peer tells its studies whole.
"""

from dataclasses import replace
from datetime import timedelta

from digitizer.model.older import Source, SourceKind
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.films import follow_films
from digitizer.pipeline.older.pace import read_pace
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["feed"]

_UNDER_WAY = (
    *(State.READ, State.APPROVED, State.WRAPPED, State.STORED, State.COMMITTED),
    State.WAITING,
)
_LOOK_AGAIN_S = 1.0
_FILMS_A_SECOND, _LONGEST_PAUSE_S = 200, 10.0
_BEFORE_ASKING_AGAIN_S = 1.0


def feed(services: Services, source_id: str) -> list[tuple[Stage, str]]:
    """Schedule the next studies; come again as long as there are any.

    When a peer's last study has come to its end, the peer is asked once more for everything: what
    changed or came meanwhile is fetched as well.
    """
    now = services.clock.now()
    started: list[tuple[Stage, str]] = []
    with services.ledger.reading() as view:
        source = view.get(Source, source_id)
    films = follow_films(services, source) if source.kind is SourceKind.PICTURES else 0
    with services.ledger.transaction() as tx:
        source = tx.get(Source, source_id)
        tx.unschedule(Stage.OLD_FEED, source_id)
        is_told = source.stocked or source.kind is SourceKind.PACS
        if source.paused or not is_told:
            return []
        begun = _begun(tx)
        room = services.older.under_way - begun - _under_way(tx, source_id)
        stage = Stage.OLD_TAKE if source.kind is SourceKind.PACS else Stage.OLD_DECIDE
        due = read_pace(source.options.get("pace", "")).due(now, source.paced_until)
        if due is not None:
            room = min(room, due[0])
        next_ones = tx.old_studies_to_feed(source_id, room) if room > 0 else ()
        # Of the same SOP classes one after the other: so one association serves several.
        for study in sorted(next_ones, key=lambda one: one.classes):
            tx.schedule(stage, study.id)
            started.append((stage, study.id))
        if due is not None and started:
            source = replace(source, paced_until=due[1])
            source = tx.save(source, event(source_id, "set_going", studies=len(started)))
        states = tx.old_studies_by_state(source_id)
        left = states.get(State.RECEIVED, 0)
        busy = bool(left) or any(states.get(state, 0) for state in _UNDER_WAY)
        if left or films:
            # Following many films takes its time: they are looked at the less often.
            pause = _LOOK_AGAIN_S + min(films / _FILMS_A_SECOND, _LONGEST_PAUSE_S)
            tx.schedule(Stage.OLD_FEED, source_id, now + timedelta(seconds=pause))
        elif source.kind is SourceKind.PACS and source.stocked and source.checked_at is None:
            if busy:
                later = now + timedelta(seconds=_BEFORE_ASKING_AGAIN_S)
                tx.schedule(Stage.OLD_FEED, source_id, later)
            else:
                again = replace(source, stocked=False, cursor="", checked_at=now)
                tx.save(again, event(source_id, "asked_again"))
                tx.schedule(Stage.OLD_STOCK, source_id)
                started.append((Stage.OLD_STOCK, source_id))
    return started


def _begun(tx: Transaction) -> int:
    counts = tx.task_counts()
    return counts.get(Stage.OLD_TAKE, 0) + counts.get(Stage.OLD_DECIDE, 0)


def _under_way(tx: Transaction, source_id: str) -> int:
    states = tx.old_studies_by_state(source_id)
    return sum(states.get(state, 0) for state in _UNDER_WAY)
