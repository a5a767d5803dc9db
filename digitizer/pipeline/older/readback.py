"""Older studies read back from the archive and compared with what was sent."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from digitizer import dicom
from digitizer.errors import BadScan, StaleRecord
from digitizer.model.older import Encoded, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event, moved
from digitizer.pipeline.older.made import adopt, study_uid
from digitizer.pipeline.older.steps import (
    SENT,
    again,
    ask,
    begin,
    loaded,
    still,
    turn_ends,
    write_from,
)
from digitizer.pipeline.services import Services

__all__ = ["digest", "read_back", "verify"]

_AT_ONCE = 64
"""Instances after which what was compared is written down."""


def verify(services: Services, study_id: str) -> list[tuple[Stage, str]]:
    """Read a study back and compare each instance with what was sent."""
    if begin(services, Stage.OLD_VERIFY, study_id) is None:
        return []
    study, source, rows = loaded(services, study_id)
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
        return ask(services, Stage.OLD_VERIFY, study_id, reason(Code.READ_BACK_DIFFERS, text))
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
        for came in services.archive.retrieve_all(study_uid(study), kinds, plain=plain):
            row = waiting.pop(came.sop_instance_uid, None)
            if row is not None:
                yield (row, *_differences(services, study, source, row, came))
    for row in waiting.values():
        yield row, ("the archive does not give it back",), ""


def _differences(
    services: Services, study: OldStudy, source: Source, row: OldInstance, came: Encoded
) -> tuple[tuple[str, ...], str]:
    """Compare one instance: byte for byte where it came as it was sent, else by value."""
    if row.sent_sha256 and hashlib.sha256(came.data).hexdigest() == row.sent_sha256:
        return (), row.sent_sha256
    _, made = adopt(services, study, source, row)
    if made.instance is None:
        return (made.rejected,), ""
    meant = dicom.examine(dicom.part10(made.instance))
    try:
        return dicom.compare_old(meant, dicom.part10(came)), made.data_sha256
    except BadScan as error:
        return (f"it cannot be read: {error}",), made.data_sha256


def digest(rows: Iterable[OldInstance]) -> str:
    """Return one hash over what was sent of some instances: their UIDs and their datasets."""
    lines = sorted(f"{row.outgoing_uid} {row.sent_sha256}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
