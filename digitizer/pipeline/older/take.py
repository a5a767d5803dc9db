"""Fetching a study of a peer: what is in hand already is not asked for again.

Of a peer that has told how many instances a study has, and of which classes, none is listed where
so many come, and it says itself that it gave them all and nothing failed: to list them costs
Orthanc 1.10 more than to send them. All else is listed, and what is missing asked for by its name.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from digitizer.errors import SourceUnreachable, StaleRecord
from digitizer.model.older import Ending, OldInstance, OldStudy, PeerInstance, Source
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.older.looking import Looked, look
from digitizer.pipeline.older.originals import PACK_BYTES, kept
from digitizer.pipeline.older.steps import again, begin, count_token, is_due, turn_ends
from digitizer.pipeline.older.writing import write
from digitizer.pipeline.services import Services
from digitizer.ports import PeerSource, Transaction

__all__ = ["place_of", "take"]

_ROUNDS = 2
"""Times that a peer is asked for what it did not give."""
_PAGE = 1000
_NOT_GIVEN = "The old archive lists it and does not give it."


def take(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    """Fetch what is not in hand; a study that stays incomplete is asked about.

    Killed in between, it goes on with what is missing: what came was written down, all but the last
    packs.
    """
    study = begin(services, Stage.OLD_TAKE, study_id)
    if study is None:
        return []
    with services.ledger.reading() as view:
        source = view.get(Source, study.source_id)
        is_known = _is_known(view, study)
    peer = services.sources.peer(source)
    if study.expected and study.classes and not is_known:
        following = _taken_whole(services, source, study, peer)
        if following is not None:
            return following
    until = turn_ends(services)
    listed = peer.instances(study.study_instance_uid, classes=study.classes)
    missing: list[PeerInstance] = []
    for tried in range(_ROUNDS):
        if tried and not all(one.sop_class_uid for one in missing):
            # What did not come as one of the study's classes is asked for as what it is.
            listed = peer.instances(study.study_instance_uid, each_class=True)
        with services.ledger.reading() as view:
            missing = _missing(view, study, listed)
        contents = peer.fetch(study.study_instance_uid, missing)
        try:
            came = _fetched(services, source, study, contents, until) if missing else []
        except SourceUnreachable:
            if tried or all(one.sop_class_uid for one in missing):
                raise
            # Some break off over an instance of a class that they have not told of the study.
            continue
        is_over = bool(came) and services.clock.now() >= until
        is_last = tried + 1 == _ROUNDS and not is_over
        with services.ledger.transaction() as tx:
            write(services, tx, source, came)
            current = tx.get(OldStudy, study_id)
            missing = _missing(tx, study, listed)
            if is_due(current, Stage.OLD_TAKE) and (not missing or is_last):
                return _done(services, tx, source, current, len(listed), missing)
        if not is_due(current, Stage.OLD_TAKE):
            raise StaleRecord(f"Study {study_id} was changed by somebody else.")
        if is_over:
            break
    return again(services, Stage.OLD_TAKE, study_id)


def _taken_whole(
    services: Services, source: Source, study: OldStudy, peer: PeerSource
) -> list[tuple[Stage, str]] | None:
    """Fetch a study that is not listed; None where nothing came.

    Where anything came and it may not be all, the next turn has it listed.
    """
    ending = Ending()
    until = turn_ends(services)
    with closing(peer.fetch_whole(study.study_instance_uid, study.classes, ending)) as contents:
        came = _fetched(services, source, study, contents, until)
    with services.ledger.transaction() as tx:
        write(services, tx, source, came)
        current = tx.get(OldStudy, study.id)
        in_hand = _in_hand(tx, study)
        is_whole = in_hand == current.expected == ending.given
        if is_whole and is_due(current, Stage.OLD_TAKE):
            return _done(services, tx, source, current, in_hand, ())
        is_known = _is_known(tx, study)
    return again(services, Stage.OLD_TAKE, study.id) if is_known else None


def _is_known(view: Transaction, study: OldStudy) -> bool:
    """Tell whether anything of a study came before, or was listed and did not come."""
    place = place_of(study, "")
    first = view.old_instances(source_id=study.source_id, after=place, limit=1)
    is_listed = any(row.place.startswith(place) for row in first)
    return is_listed or bool(view.old_instances(study_id=study.id, limit=1))


def _in_hand(tx: Transaction, study: OldStudy) -> int:
    """Count the instances that came when a study was fetched; two contents of one UID are one."""
    place = place_of(study, "")
    rows = tx.old_instances(study_id=study.id)
    return len({row.sop_instance_uid for row in rows if row.place.startswith(place)})


def place_of(study: OldStudy, sop_instance_uid: str) -> str:
    """Return the place of an instance at a peer."""
    return f"{study.study_instance_uid}/{sop_instance_uid}"


def _missing(
    view: Transaction, study: OldStudy, listed: tuple[PeerInstance, ...]
) -> list[PeerInstance]:
    places = {place_of(study, one.sop_instance_uid): one for one in listed}
    rows = view.old_instances_at(study.source_id, places)
    known = {row.place for row in rows if row.code is not Code.FILE_MISSING}
    return [one for place, one in places.items() if place not in known]


def _fetched(
    services: Services,
    source: Source,
    study: OldStudy,
    contents: Iterator[bytes],
    until: datetime,
) -> list[Looked]:
    """Keep what comes until the turn is over, pack by pack; return what is not written down yet."""
    waiting: list[Looked] = []
    try:
        for some in _packs(contents):
            _write(services, source, waiting)
            waiting = _kept(services, source, study, some)
            if services.clock.now() >= until:
                break
    except BaseException:
        _write(services, source, waiting)
        raise
    return waiting


def _write(services: Services, source: Source, looked: list[Looked]) -> None:
    """Write what was looked at; empties the list."""
    some = looked.copy()
    looked.clear()
    if some:
        with services.ledger.transaction() as tx:
            write(services, tx, source, some)


def _packs(contents: Iterator[bytes]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for content in contents:
        some.append(content)
        size += len(content)
        if size >= PACK_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _kept(
    services: Services, source: Source, study: OldStudy, contents: list[bytes]
) -> list[Looked]:
    """Look at what came and keep it in the vault."""
    looked: dict[str, tuple[Looked, bytes]] = {}
    for content in contents:
        one = look(source, "", content)
        place = place_of(study, one.instance.sop_instance_uid or one.instance.sha256)
        if place in looked and looked[place][0].instance.data_sha256 != one.instance.data_sha256:
            # Two contents under one UID: each has a row, and they collide.
            place = f"{place}#{one.instance.sha256[:12]}"
        looked[place] = (replace(one, instance=replace(one.instance, place=place)), content)
    files = [(one.instance, content) for one, content in looked.values()]
    placed = {row.place: row for row, _ in kept(services, source, files)}
    return [replace(one, instance=placed[place]) for place, (one, _) in looked.items()]


def _done(
    services: Services,
    tx: Transaction,
    source: Source,
    study: OldStudy,
    held_there: int,
    missing: Sequence[PeerInstance],
) -> list[tuple[Stage, str]]:
    now = services.clock.now()
    tx.unschedule(Stage.OLD_TAKE, study.id)
    _write_missing(tx, study, missing)
    told = max(study.expected or 0, held_there)
    if study.expected is None and source.told_instances is None:
        # A peer that tells no counts has said by its list how many there are.
        study = replace(study, expected=told)
    in_hand = held_there - len(missing)
    if in_hand < told and count_token(study) not in study.confirmed:
        text = f"The old archive says {told} instances and gave {in_hand}."
        asked = held(study, State.REVIEW, (reason(Code.COUNT_DIFFERS, text),), now)
        tx.save(asked, event(study.id, "review", reasons=reason_payload(asked.reasons)))
        return []
    tx.save(moved(study, State.READ, now), event(study.id, "fetched", instances=in_hand))
    tx.schedule(Stage.OLD_DECIDE, study.id)
    return [(Stage.OLD_DECIDE, study.id)]


def _write_missing(tx: Transaction, study: OldStudy, missing: Sequence[PeerInstance]) -> None:
    """List what the peer lists and does not give; forget what it does not list any more.

    Such a row belongs to no study: nothing of it is in hand.
    """
    rows = {
        place_of(study, one.sop_instance_uid): OldInstance(
            source_id=study.source_id,
            place=place_of(study, one.sop_instance_uid),
            sop_instance_uid=one.sop_instance_uid,
            sop_class_uid=one.sop_class_uid,
            series_instance_uid=one.series_instance_uid,
            state=State.REJECTED,
            code=Code.FILE_MISSING,
            note=_NOT_GIVEN,
        )
        for one in missing
    }
    tx.forget_old_instances(study.source_id, set(_listed_missing(tx, study)) - rows.keys())
    tx.write_old_instances(rows.values())


def _listed_missing(tx: Transaction, study: OldStudy) -> Iterator[str]:
    prefix = after = place_of(study, "")
    while rows := tx.old_instances(
        source_id=study.source_id, states=(State.REJECTED,), after=after, limit=_PAGE
    ):
        for row in rows:
            if not row.place.startswith(prefix):
                return
            if row.code is Code.FILE_MISSING:
                yield row.place
        after = rows[-1].place
