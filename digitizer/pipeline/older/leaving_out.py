"""Files of a study that name another patient: left out when a person says so, and taken back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from digitizer.errors import UsageError
from digitizer.model.identity import PatientRecord
from digitizer.model.older import OldInstance
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.steps import SENT
from digitizer.pipeline.older.writing import revive
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = [
    "leave_out",
    "left_out",
    "must_leave_some",
    "must_not_forget",
    "open_instances",
    "opened",
    "take_back",
]


def open_instances(rows: Iterable[OldInstance]) -> tuple[OldInstance, ...]:
    """Return the instances that a decision is about, copies and what was left out among them."""
    states = (State.READ, State.REVIEW, State.DUPLICATE)
    return tuple(row for row in rows if row.state in states or row.code is Code.NAMES_ANOTHER)


def must_not_forget(rows: Iterable[OldInstance], *, leave_others: bool) -> None:
    """Refuse to decide over what was left out before without a word about it."""
    if not leave_others and any(row.code is Code.NAMES_ANOTHER for row in rows):
        raise UsageError(
            "Files of this study were left out before: they name another patient.",
            remedy="Say --leave-others (or choose it): they are looked at anew for this patient. "
            "Put aside and released, all files of the study are asked about again.",
        )


def must_leave_some(
    study_id: str, patient: PatientRecord, rows: Iterable[OldInstance], others: Mapping[str, str]
) -> None:
    """Refuse to leave out all that there is: then the patient is the wrong one."""
    going = {row.place for row in rows if row.state in (State.READ, State.REVIEW, *SENT)}
    if others and going <= others.keys():
        raise UsageError(
            f"No file of study {study_id} names {patient.issuer}:{patient.patient_id}.",
            remedy="Name the patient whom some of them name, or reject the study.",
        )


def leave_out(
    services: Services,
    tx: Transaction,
    study_id: str,
    rows: Iterable[OldInstance],
    others: Mapping[str, str],
    user: str,
) -> None:
    """Leave out what names somebody else than the patient of the study: ``others`` say whom."""
    gone = [
        replace(row, state=State.REJECTED, code=Code.NAMES_ANOTHER, note=others[row.place])
        for row in rows
        if row.place in others
    ]
    tx.write_old_instances(gone)
    revive(services, tx, gone)
    tx.record(event(study_id, "left_out", user, instances=len(gone)))


def take_back(tx: Transaction, study_id: str, user: str) -> None:
    """Open again what was left out for a patient: the first of each UID, and its copies as such."""
    gone = [
        row
        for row in tx.old_instances(study_id=study_id, states=(State.REJECTED,))
        if row.code is Code.NAMES_ANOTHER
    ]
    tx.write_old_instances(opened(tx, gone))
    if gone:
        tx.record(event(study_id, "taken_back", user, instances=len(gone)))


def opened(tx: Transaction, rows: Iterable[OldInstance]) -> list[OldInstance]:
    """Return what was rejected as it stands among the bearers of its UID: first, copy, colliding.

    What a person settled about it before, a UID of its own among that, counts no more.
    """
    rows = list(rows)
    bearers: dict[str, list[OldInstance]] = {}
    for one in tx.old_instances_with_uid({row.sop_instance_uid for row in rows}):
        if one.state in (State.READ, State.REVIEW, *SENT):
            bearers.setdefault(one.sop_instance_uid, []).append(one)
    back = []
    for row in rows:
        others = bearers.setdefault(row.sop_instance_uid, [])
        first = next((one for one in others if one.data_sha256 == row.data_sha256), None)
        anew = replace(row, state=State.READ, code=None, note="", sent_uid="")
        if first is not None:
            anew = replace(anew, state=State.DUPLICATE, code=Code.DUPLICATE, note=first.place)
        elif others:
            anew = replace(anew, state=State.REVIEW, code=Code.UID_COLLISION, note=others[0].place)
        if anew.state is not State.DUPLICATE:
            others.append(anew)
        back.append(anew)
    return back


def left_out(services: Services, study_id: str) -> int:
    """Count the instances of a study that were left out because they name another patient."""
    with services.ledger.reading() as view:
        rows = view.old_instances(study_id=study_id, states=(State.REJECTED,))
    return sum(row.code is Code.NAMES_ANOTHER for row in rows)
