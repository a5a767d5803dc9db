"""Looked-at instances written to the ledger with their studies: new, known, double or colliding."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from digitizer.model.older import OldHeader, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.ingest import identifier
from digitizer.pipeline.older.looking import Looked
from digitizer.pipeline.older.steps import SENT, rejected_by_person, reopen
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["names_another", "revive", "study_id_of", "with_others", "write"]

_MOST_OTHERS = 50


def study_id_of(source: Source, study_instance_uid: str) -> str:
    """Return the id of a study of a source: the same however often it is found."""
    return identifier("old study", source.id, study_instance_uid)


def write(
    services: Services, tx: Transaction, source: Source, looked: Sequence[Looked]
) -> list[OldInstance]:
    """Write what was looked at; return the rows as written.

    A place that is known with the same bytes is left as it is. An instance that is known elsewhere
    with the same dataset is a ``duplicate``; with another one it collides and waits for a person.
    """
    fresh = _unknown(tx, source, looked)
    aside = [
        _beside(one, before) for one, before in fresh if before is not None and _is_kept(before)
    ]
    fresh_rows = [one for one, before in fresh if before is None or not _is_kept(before)]
    fresh_rows += [one for one, _ in _unknown(tx, source, aside)]
    firsts = _firsts(tx, fresh_rows)
    rows = []
    for one in fresh_rows:
        row = one.instance
        if one.header is not None:
            row = replace(row, study_id=study_id_of(source, one.study_instance_uid))
            row = _judged(row, firsts)
        rows.append(row)
    tx.write_old_instances(rows)
    _write_studies(services, tx, source, fresh_rows, rows)
    return rows


def _unknown(
    tx: Transaction, source: Source, looked: Sequence[Looked]
) -> list[tuple[Looked, OldInstance | None]]:
    """Return what is not known as it is, each with what is known of its place."""
    known = {
        row.place: row
        for row in tx.old_instances_at(source.id, [one.instance.place for one in looked])
    }
    pairs = [(one, known.get(one.instance.place)) for one in looked]
    return [(one, before) for one, before in pairs if not _is_known(one.instance, before)]


def _is_known(row: OldInstance, known: OldInstance | None) -> bool:
    if known is None or known.code is Code.FILE_MISSING:
        return False
    if not row.sha256:
        # That a file cannot be read just now says nothing of what was read of it before.
        return bool(known.sha256)
    if row.data_sha256:
        return known.data_sha256 == row.data_sha256
    return known.sha256 == row.sha256 and known.code is row.code


def _is_kept(known: OldInstance) -> bool:
    """Tell whether a row is never replaced: it was sent, or its original lies in the vault."""
    return known.state in SENT or bool(known.pack)


def _beside(one: Looked, known: OldInstance) -> Looked:
    """Return what was looked at under a place of its own: another disc may be in the drive."""
    place = f"{known.place}#{one.instance.sha256[:12]}"
    return replace(one, instance=replace(one.instance, place=place))


def _firsts(tx: Transaction, looked: Iterable[Looked]) -> dict[str, OldInstance]:
    """Return the first known bearer of each SOP Instance UID."""
    uids = {one.instance.sop_instance_uid for one in looked if one.header is not None}
    found: dict[str, OldInstance] = {}
    for row in tx.old_instances_with_uid(uids):
        if row.state in (State.DUPLICATE, State.REJECTED, State.QUARANTINED):
            continue
        before = found.get(row.sop_instance_uid)
        if before is None or before.code is Code.UID_COLLISION:
            found[row.sop_instance_uid] = row
    return found


def _judged(row: OldInstance, firsts: dict[str, OldInstance]) -> OldInstance:
    first = firsts.setdefault(row.sop_instance_uid, row)
    if (first.source_id, first.place) == (row.source_id, row.place):
        return row
    if first.data_sha256 == row.data_sha256:
        return replace(row, state=State.DUPLICATE, code=Code.DUPLICATE, note=first.place)
    return replace(row, state=State.REVIEW, code=Code.UID_COLLISION, note=first.place)


def _write_studies(
    services: Services,
    tx: Transaction,
    source: Source,
    looked: Sequence[Looked],
    rows: Sequence[OldInstance],
) -> None:
    """Add the studies that are new, and note in others what is new of them."""
    by_study: dict[str, list[tuple[Looked, OldInstance]]] = {}
    for one, row in zip(looked, rows, strict=True):
        if one.header is not None:
            by_study.setdefault(one.study_instance_uid, []).append((one, row))
    there = {
        study.study_instance_uid: study
        for study in tx.old_studies(source_id=source.id, uids=tuple(by_study))
    }
    for uid, found in by_study.items():
        headers = list(dict.fromkeys(one.header for one, _ in found if one.header is not None))
        study = there.get(uid)
        if study is None:
            new = OldStudy(
                id=study_id_of(source, uid),
                source_id=source.id,
                study_instance_uid=uid,
                header=headers[0],
                changed_at=services.clock.now(),
            )
            # Of somebody else too: a study with two patients is decided by a person.
            new = with_others(new, headers)
            tx.add(new, event(new.id, "found", source=source.name, instances=len(found)))
            continue
        changed = with_others(_seen(study, headers[0]), headers)
        more = any(row.state in (State.READ, State.REVIEW) for _, row in found)
        if rejected_by_person(study):
            _reject_too(tx, [row for _, row in found])
        elif more and study.state is not State.RECEIVED:
            # A peer's study is decided when all of it was fetched.
            fetching = tx.task(Stage.OLD_TAKE, study.id) is not None
            changed = changed if fetching else reopen(services, tx, changed, Stage.OLD_DECIDE)
        if changed != study:
            tx.save(changed, event(study.id, "found_more", instances=len(found)))


def _reject_too(tx: Transaction, rows: Sequence[OldInstance]) -> None:
    """Leave out what is found later of a study that a person rejected."""
    note = "Its study was rejected."
    tx.write_old_instances(
        replace(row, state=State.REJECTED, code=Code.REJECTED_BY_PERSON, note=note)
        for row in rows
        if row.state in (State.READ, State.REVIEW)
    )


def revive(services: Services, tx: Transaction, gone: Sequence[OldInstance]) -> None:
    """Let the next bearer of a UID take the place of a first that will not go to the archive.

    Its duplicates, and what collided with it, waited on it; now one of them is the first.
    """
    for uid in dict.fromkeys(row.sop_instance_uid for row in gone if row.sop_instance_uid):
        bearers = sorted(
            tx.old_instances_with_uid([uid]), key=lambda row: (row.source_id, row.place)
        )
        if any(row.state in (State.READ, *SENT) for row in bearers):
            continue
        for row in bearers:
            collides = row.state is State.REVIEW and row.code is Code.UID_COLLISION
            if not (collides or row.state is State.DUPLICATE):
                continue
            study = tx.get(OldStudy, row.study_id)
            if rejected_by_person(study):
                continue
            first = replace(row, state=State.READ, code=None, note="", sent_uid="")
            tx.write_old_instances([first])
            opened = reopen(services, tx, study, Stage.OLD_DECIDE)
            if opened != study:
                tx.save(opened, event(study.id, "revived", uid=uid))
            break


def _seen(study: OldStudy, header: OldHeader) -> OldStudy:
    """Return a study that a peer told under its first file's header; both count if they differ.

    A peer need not tell all that a file says: what it leaves out is no other patient.
    """
    if not study.told:
        return study
    told = study.header
    others = (told,) if names_another(told, header) else ()
    return replace(study, header=header, told=False, others=others)


def names_another(told: OldHeader, header: OldHeader) -> bool:
    """Tell whether a peer names another patient than a header; what one leaves out says nothing."""
    pairs = ((told.patient_id, header.patient_id), (told.name, header.name))
    return any(one and other and one != other for one, other in pairs)


def with_others(study: OldStudy, headers: Iterable[OldHeader]) -> OldStudy:
    """Return a study that some headers name other patients of as well."""
    others = list(study.others)
    seen = {study.header.identity, *(one.identity for one in others)}
    for header in headers:
        if header.identity not in seen and len(others) < _MOST_OTHERS:
            others.append(header)
            seen.add(header.identity)
    return replace(study, others=tuple(others))
