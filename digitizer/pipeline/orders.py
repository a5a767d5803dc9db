"""What leads order of the work: pause it, let it drain, go on; and which jackets overtake.

An order is a row of the ledger. Leases are given by it (:mod:`digitizer.ledger.turns`), so nothing
has to be told to workers, and an order outlives every process.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.records import EVERYTHING, Jacket, WorkMode, WorkOrder
from digitizer.pipeline.changes import event
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["Orders", "order", "orders_in", "set_urgent"]

_EVENTS: Mapping[WorkMode, str] = {
    WorkMode.RUNNING: "work_resumed",
    WorkMode.PAUSED: "work_paused",
    WorkMode.DRAINING: "work_draining",
}
_STRICTEST = (WorkMode.PAUSED, WorkMode.DRAINING)


@dataclass(frozen=True, slots=True)
class Orders:
    """What is in force: of everything, and of batches by their id."""

    of: Mapping[str, WorkOrder]

    def mode(self, batch_id: str = EVERYTHING) -> WorkMode:
        """Return the mode of a batch, or of everything: the stricter of the two that hold."""
        modes = {self.of[one].mode for one in (EVERYTHING, batch_id) if one in self.of}
        return next((mode for mode in _STRICTEST if mode in modes), WorkMode.RUNNING)

    def words(self, batch_id: str = EVERYTHING) -> str:
        """Say who ordered what holds for a batch, or for everything; empty while it runs."""
        mode = self.mode(batch_id)
        for subject in (EVERYTHING, batch_id):
            one = self.of.get(subject)
            if one is not None and one.mode is mode and mode is not WorkMode.RUNNING:
                what = "All work" if subject == EVERYTHING else "This batch"
                did = "is paused" if mode is WorkMode.PAUSED else "is draining"
                why = f": {one.reason}" if one.reason else ""
                return f"{what} {did}, ordered by {one.by}{why}"
        return ""

    def json(self) -> dict[str, Any] | None:
        """Return the order that holds for everything, as `status --json` writes it."""
        return _json(self.of.get(EVERYTHING))

    def json_of(self, batch_id: str) -> dict[str, Any]:
        """Return the mode that holds for a batch, and the batch's own order."""
        return {"mode": self.mode(batch_id).value, "order": _json(self.of.get(batch_id))}


def _json(one: WorkOrder | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "mode": one.mode.value,
        "by": one.by,
        "at": one.at.isoformat(),
        "reason": one.reason,
    }


def orders_in(view: Transaction) -> Orders:
    """Read what is in force."""
    return Orders({one.id: one for one in view.orders() if one.mode is not WorkMode.RUNNING})


def order(
    services: Services, mode: WorkMode, *, by: str, batch: str | None = None, reason: str = ""
) -> WorkOrder:
    """Pause, drain or resume a batch, or everything.

    What is under way comes to the end of its stage. Draining finishes the jackets of which a scan
    was begun; scans that arrive meanwhile are kept safe and not begun.

    Parameters
    ----------
    services : Services
    mode : WorkMode
    by : str
        Who orders it.
    batch : str, optional
        Name of the batch; everything by default.
    reason : str
        Why, for those who wonder.

    Raises
    ------
    UnknownRecord
        There is no such batch.
    """
    now = services.clock.now()
    with services.ledger.transaction() as tx:
        subject = EVERYTHING
        if batch is not None:
            found = tx.batch_named(batch)
            if found is None:
                raise UnknownRecord(
                    f"There is no batch {batch}.", remedy="`digitizer batch list` shows the names."
                )
            subject = found.id
        what = event(subject, _EVENTS[mode], by, reason=reason)
        before = next((one for one in tx.orders() if one.id == subject), None)
        if before is None:
            made = WorkOrder(id=subject, mode=mode, by=by, at=now, reason=reason)
            tx.add(made, what)
            return made
        return tx.save(replace(before, mode=mode, by=by, at=now, reason=reason), what)


def set_urgent(services: Services, jackets: Iterable[str], urgent: bool, *, by: str) -> int:
    """Let jackets overtake others, or not any more; return how many changed.

    Parameters
    ----------
    services : Services
    jackets : iterable of str
        Ids.
    urgent : bool
    by : str
        Who orders it.

    Raises
    ------
    UsageError
        None was named.
    """
    chosen = tuple(dict.fromkeys(jackets))
    if not chosen:
        raise UsageError("Name a jacket.", remedy="Give BOX/JACKET, or JACKET where it is unique.")
    changed = 0
    with services.ledger.transaction() as tx:
        for jacket_id in chosen:
            jacket = tx.get(Jacket, jacket_id)
            if jacket.urgent is not urgent:
                name = "jacket_urgent" if urgent else "jacket_not_urgent"
                tx.save(replace(jacket, urgent=urgent), event(jacket_id, name, by))
                tx.hurry(jacket_id, urgent)
                changed += 1
    return changed
