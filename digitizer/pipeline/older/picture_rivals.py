"""Rows of index files that claim one picture for different patients: none goes by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from digitizer.model.older import OldInstance, OldStudy
from digitizer.model.reasons import Code
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.steps import reopen
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["hold_firsts", "hold_rivals"]


def hold_firsts(tx: Transaction, rows: Iterable[OldInstance]) -> list[OldInstance]:
    """Hold the firsts that rows collide with, like those; return what was held.

    Which of them is right is open.
    """
    clashing = {row.sop_instance_uid: row for row in rows if row.code is Code.UID_COLLISION}
    held = [
        replace(
            one,
            state=State.REVIEW,
            code=Code.UID_COLLISION,
            note=clashing[one.sop_instance_uid].place,
        )
        for one in tx.old_instances_with_uid(clashing)
        if one.state is State.READ
    ]
    tx.write_old_instances(held)
    return held


def hold_rivals(
    services: Services, tx: Transaction, rows: Sequence[OldInstance]
) -> list[OldInstance]:
    """Return pictures that are opened again, held where another row claims one of them.

    A rival that is on its way is held as well. One that a person rejected is still another claim.
    """
    for study_id in dict.fromkeys(one.study_id for one in hold_firsts(tx, rows)):
        study = tx.get(OldStudy, study_id)
        opened = reopen(services, tx, study, Stage.OLD_DECIDE)
        if opened != study:
            tx.save(opened, event(study_id, "rival_opened"))
    claims = tx.old_instances_with_uid({row.sop_instance_uid for row in rows})
    return [_beside(row, claims) if row.state is State.READ else row for row in rows]


def _beside(row: OldInstance, claims: Iterable[OldInstance]) -> OldInstance:
    for one in claims:
        claims_it = one.sop_instance_uid == row.sop_instance_uid and one.study_id != row.study_id
        if claims_it and one.data_sha256 != row.data_sha256:
            return replace(row, state=State.REVIEW, code=Code.UID_COLLISION, note=one.place)
    return row
