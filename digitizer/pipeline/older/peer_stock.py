"""Asking an old PACS for its studies: what it has, and when asked again what changed since.

A study that has more instances than before is fetched again, one that it tells under another
patient is decided again, and one that it does not tell any more is noted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from digitizer.errors import StaleRecord
from digitizer.model.older import OldStudy, PeerStudy, Source
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.steps import reopen
from digitizer.pipeline.older.take import place_of
from digitizer.pipeline.older.writing import names_another, study_id_of, with_others
from digitizer.pipeline.services import Services
from digitizer.ports import PeerSource, Transaction

__all__ = ["stock_peer"]

_BEGINS = frozenset(("stock_again", "asked_again"))
"""Events with which asking again begins."""
_GONE = "not_told_any_more"
_PAGE = 1000


def stock_peer(services: Services, source: Source, until: datetime) -> bool:
    """Ask a peer for its studies, part by part; tell whether the end was reached."""
    peer = services.sources.peer(source)
    passed, before = "", source.cursor
    try:
        for found, cursor in peer.studies(source.cursor):
            if found:
                grown = _grown(services, source, peer, found)
                _write_part(services, source, before, found, cursor, grown)
                before = cursor
            # Most questions find nothing: where to go on is written once for many of them.
            passed = "" if found else cursor
            if services.clock.now() >= until:
                return False
    finally:
        if passed:
            _write_part(services, source, before, (), passed, {})
            before = passed
    with services.ledger.transaction() as tx:
        current = _still(tx, source, before)
        gone = list(_gone(tx, source))
        for study in gone:
            if tx.events(study.id)[-1].name != _GONE:
                tx.record(event(study.id, _GONE, source=source.name))
        ended = replace(current, stocked=True, trouble="", gone=len(gone))
        tx.save(ended, event(source.id, "stocked", studies=ended.told_studies, gone=len(gone)))
    return True


def _grown(
    services: Services, source: Source, peer: PeerSource, found: Sequence[PeerStudy]
) -> Mapping[str, int]:
    """Return which known studies hold instances that are new, and how many they hold now.

    Of a peer that tells counts that is told by them; one that tells none lists its instances.
    """
    uncounted = [one.study_instance_uid for one in found if one.instances is None]
    with services.ledger.reading() as view:
        known = view.old_studies(source_id=source.id, uids=uncounted) if uncounted else ()
    grown = {}
    for study in known:
        if study.state is State.RECEIVED:
            continue  # not fetched yet
        listed = peer.instances(study.study_instance_uid)
        places = {place_of(study, one.sop_instance_uid) for one in listed}
        with services.ledger.reading() as view:
            there = {row.place for row in view.old_instances_at(source.id, places)}
        if places - there:
            grown[study.study_instance_uid] = len(places)
    return grown


def _write_part(
    services: Services,
    source: Source,
    before: str,
    found: tuple[PeerStudy, ...],
    cursor: str,
    grown: Mapping[str, int],
) -> None:
    """Write down what a part of a peer's stock holds, and where to go on behind it."""
    with services.ledger.transaction() as tx:
        current = _still(tx, source, before)
        studies, instances, known = _write_told(services, tx, source, found, grown)
        unknown = current.told_studies and current.told_instances is None
        if unknown or any(one.instances is None for one in found):
            told_instances = None
        else:
            told_instances = (current.told_instances or 0) + instances
        current = replace(
            current,
            cursor=cursor,
            told_studies=(current.told_studies or 0) + studies,
            told_instances=told_instances,
        )
        told = event(source.id, "looked_through", studies=len(found), again=known)
        tx.save(current, told)
        if studies:
            tx.schedule(Stage.OLD_FEED, source.id)
    if studies:
        services.waker.wake([(Stage.OLD_FEED, source.id)])


def _still(tx: Transaction, source: Source, before: str) -> Source:
    """Return a source whose stock was written up to a cursor.

    Raises
    ------
    StaleRecord
        It is asked by another worker, or anew: what is told now may be of an earlier asking.
    """
    current = tx.get(Source, source.id)
    if current.stocked or current.cursor != before:
        raise StaleRecord(f"The stock of {source.name} is taken by somebody else.")
    return current


def _write_told(
    services: Services,
    tx: Transaction,
    source: Source,
    found: tuple[PeerStudy, ...],
    grown: Mapping[str, int],
) -> tuple[int, int, list[str]]:
    """Add studies that a peer tells; those that have changed are fetched or decided again.

    Returns how many studies and instances it tells that it had not told before, and the ids of
    those that it had.
    """
    studies = instances = 0
    now = services.clock.now()
    uids = tuple(one.study_instance_uid for one in found)
    there = {one.study_instance_uid: one for one in tx.old_studies(source_id=source.id, uids=uids)}
    for one in found:
        study = there.get(one.study_instance_uid)
        if study is None:
            study = OldStudy(
                id=study_id_of(source, one.study_instance_uid),
                source_id=source.id,
                study_instance_uid=one.study_instance_uid,
                header=one.header,
                changed_at=now,
                expected=one.instances,
                classes=one.classes,
                told=True,
            )
            tx.add(study, event(study.id, "found", source=source.name, told=one.instances))
            studies, instances = studies + 1, instances + (one.instances or 0)
            continue
        count = grown.get(one.study_instance_uid, one.instances)
        if count is not None and one.instances is not None:
            studies += not _was_told(tx, study)
            instances += count - (study.expected or 0)
        _write_changed(services, tx, study, one, count)
    return studies, instances, [one.id for one in there.values()]


def _was_told(tx: Transaction, study: OldStudy) -> bool:
    """Tell whether a peer told a study before, or a file of another one alone bore its UID."""
    return study.expected is not None or any("told" in one.payload for one in tx.events(study.id))


def _write_changed(
    services: Services, tx: Transaction, study: OldStudy, told: PeerStudy, count: int | None
) -> None:
    """Have a known study fetched again that has another count, decided again under another name.

    A patient whom neither its files nor an earlier answer named speaks against what was decided.
    """
    recounted = count is not None and count != study.expected
    renamed = all(names_another(told.header, one) for one in (study.header, *study.others))
    if not (recounted or renamed):
        return
    changed = replace(study, expected=count, classes=told.classes) if recounted else study
    if renamed:
        changed = (
            replace(changed, header=told.header)
            if changed.told
            else with_others(changed, [told.header])
        )
    if study.state is not State.RECEIVED:
        changed = reopen(services, tx, changed, Stage.OLD_TAKE)
    tx.save(changed, event(study.id, "told_anew", told=count, another_patient=renamed))


def _gone(tx: Transaction, source: Source) -> Iterator[OldStudy]:
    """Yield the studies that were told before, and not since the peer was asked again."""
    again = set[str]()
    for one in reversed(tx.events(source.id)):
        if one.name in _BEGINS:
            began = one.at
            break
        again.update(one.payload.get("again", ()))
    else:
        return  # asked for the first time
    after = ""
    while page := tx.old_studies(source_id=source.id, after=after, limit=_PAGE):
        after = page[-1].id
        for study in page:
            if study.id not in again and _is_older(tx, study, began):
                yield study


def _is_older(tx: Transaction, study: OldStudy, began: datetime | None) -> bool:
    """Tell whether a study was found before an asking began; of it, it is new."""
    found = tx.events(study.id)[0].at
    return found is None or began is None or found < began
