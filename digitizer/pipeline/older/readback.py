"""Older studies read back from the archive and compared with what was sent."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from digitizer.errors import StaleRecord
from digitizer.model.older import Encoded, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, held, moved, reason_payload
from digitizer.pipeline.older.made import study_uid
from digitizer.pipeline.older.proof import prove
from digitizer.pipeline.older.steps import (
    SENT,
    again,
    begin,
    is_due,
    loaded,
    turn_ends,
    write_from,
    write_in,
)
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["LOST", "digest", "given_back", "hold_differing", "read_back", "verify"]

LOST = "the archive does not give it back"

_NOTE = 200
_AT_ONCE = 64
"""Instances after which what was compared is written down."""


def verify(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    """Read a study back and compare each instance with what was sent."""
    if begin(services, Stage.OLD_VERIFY, study_id) is None:
        return []
    study, source, rows = loaded(services, study_id)
    to_see = [row for row in rows if row.state is State.COMMITTED]
    until = turn_ends(services)
    wrong: dict[str, tuple[str, ...]] = {}
    changes: list[tuple[OldInstance, OldInstance]] = []
    for row, differences, _ in read_back(services, study, source, to_see):
        if differences:
            wrong[row.place] = differences
        else:
            changes.append((row, _proven(row)))
        if len(changes) >= _AT_ONCE:
            write_from(services, study_id, changes)
        if not wrong and services.clock.now() >= until:
            write_from(services, study_id, changes)
            return again(services, Stage.OLD_VERIFY, study_id)
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        write_in(tx, study_id, changes)
        current = tx.get(OldStudy, study_id)
        left = tx.old_instances(study_id=study_id, states=(State.READ, *SENT[:2]))
        if is_due(current, Stage.OLD_VERIFY) and (wrong or not left):
            tx.unschedule(Stage.OLD_VERIFY, study_id)
            if wrong:
                hold_differing(tx, current, wrong, now)
                return []
            seen = tx.old_instances(study_id=study_id, states=(State.VERIFIED,))
            told = event(study_id, "verified", instances=len(seen), digest=digest(seen))
            tx.save(moved(current, State.VERIFIED, now), told)
            return []
    raise StaleRecord("The study was changed by somebody else, or more of it was found.")


def hold_differing(
    tx: Transaction, study: OldStudy, wrong: Mapping[str, tuple[str, ...]], now: datetime
) -> None:
    """Hold a study whose instances, by place, the archive has otherwise.

    Gone on with, it is compared again; what the archive has lost is asked for and sent first.
    """
    rows = [row for row in tx.old_instances(study_id=study.id) if row.place in wrong]
    tx.write_old_instances(_differing(row, wrong[row.place]) for row in rows)
    first = ", ".join(next(iter(wrong.values())))[:_NOTE]
    text = f"The archive's copy of {len(wrong)} instances differs from what was sent: {first}"
    lost = any(differences == (LOST,) for differences in wrong.values())
    why = (reason(Code.READ_BACK_DIFFERS, text),)
    asked = held(study, State.REVIEW, why, now)
    asked = replace(asked, resume=State.APPROVED if lost else State.COMMITTED)
    tx.save(asked, event(study.id, "review", reasons=reason_payload(asked.reasons)))


def _differing(row: OldInstance, differences: tuple[str, ...]) -> OldInstance:
    """Return an instance that the archive has otherwise: it is verified no more."""
    lost = differences == (LOST,)
    return replace(
        row,
        state=State.READ if lost else State.COMMITTED,
        code=Code.READ_BACK_DIFFERS,
        note=", ".join(differences)[:_NOTE],
    )


def _proven(row: OldInstance) -> OldInstance:
    """Return an instance that was compared and found equal."""
    if row.code is Code.READ_BACK_DIFFERS or row.note == LOST:
        row = replace(row, code=None, note="")
    return replace(row, state=State.VERIFIED)


def read_back(
    services: Services, study: OldStudy, source: Source, rows: Sequence[OldInstance]
) -> Iterator[tuple[OldInstance, tuple[str, ...], str]]:
    """Yield instances as the archive gives them back: what differs, and the hash of what was meant.

    What does not come at all differs in everything.
    """
    for row, came in given_back(services, study, rows):
        if came is None:
            yield row, (LOST,), ""
            continue
        proof = prove(services, study, source, row, came)
        # Before it is called verified for the first time, all of it must have been compared.
        yield row, (*proof.differences, *proof.unseen), proof.meant_sha256


def given_back(
    services: Services, study: OldStudy, rows: Sequence[OldInstance]
) -> Iterator[tuple[OldInstance, Encoded | None]]:
    """Yield instances with what the archive gives back of them; None where it gives nothing.

    First in the encoding that was sent; what does not come so, uncompressed.
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
        for came in services.archive.retrieve_all(study_uid(study), kinds, plain=plain):
            row = waiting.pop(came.sop_instance_uid, None)
            if row is not None:
                yield row, came
    for row in waiting.values():
        yield row, None


def digest(rows: Iterable[OldInstance]) -> str:
    """Return one hash over what was sent of some instances: their UIDs and their datasets."""
    lines = sorted(f"{row.outgoing_uid} {row.sent_sha256}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
