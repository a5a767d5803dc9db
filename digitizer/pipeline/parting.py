"""Splitting a jacket: the films from one on become a jacket of their own, and back again.

What this never does: move a part of a scan, change a decision of a person, or touch what is wrapped
beside telling which jacket it lies in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from digitizer.errors import StaleRecord, UsageError
from digitizer.model.records import Jacket, JacketState, Scan, Sheet, Stage
from digitizer.model.states import ENDS, State
from digitizer.pipeline.changes import event, moved
from digitizer.pipeline.ingest import identifier
from digitizer.pipeline.review import sheet_or_scan
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["Parted", "join_again", "split_jacket"]

_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,80}")
_MOST_PARTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """What became of a jacket.

    Attributes
    ----------
    jacket : Jacket
        The new one.
    scans : int
        That moved to it.
    reopened : int
        Sheets that went by themselves and are decided anew.
    stand : int
        Sheets whose decision stands: a person's, or wrapped already.
    """

    jacket: Jacket
    scans: int
    reopened: int
    stand: int

    @property
    def words(self) -> str:
        """Return in words what was done, for whoever did it."""
        name = "/".join(part for part in (self.jacket.box, self.jacket.name) if part)
        told = [f"{self.scans} scans are jacket {name} now; both jackets are weighed anew."]
        if self.reopened:
            told.append(f"{self.reopened} sheets that had gone by themselves are decided again.")
        if self.stand:
            told.append(
                f"{self.stand} sheets keep their decision (a person's, or wrapped already): "
                "look at them."
            )
        return " ".join(told)


def split_jacket(
    services: Services, film_id: str, *, user: str, name: str = "", version: int | None = None
) -> Parted:
    """Make the scans of a jacket from this film's on a jacket of their own.

    What nobody has decided is weighed anew in both, and so is what went by itself and is not
    wrapped: its evidence was the whole jacket's.

    Parameters
    ----------
    services : Services
    film_id : str
        Of the first film (or scan) of the new jacket.
    user : str
    name : str
        Of the new jacket; without, the old one's with ``#2`` (or the next number that is free).
    version : int, optional
        Of the film as the person saw it.

    Raises
    ------
    UsageError
        It is the first of its jacket, or the name cannot be used.
    StaleRecord
        The film is not any more what the person saw.
    """
    with services.ledger.transaction() as tx:
        record = sheet_or_scan(tx, film_id)
        if version is not None and record.version != version:
            raise StaleRecord("It was changed while you looked at it.", remedy="Look at it again.")
        old = tx.get(Jacket, record.jacket_id)
        scans = tx.scans(jacket_id=old.id)
        first = record.scan_id if isinstance(record, Sheet) else record.id
        at = next(n for n, one in enumerate(scans) if one.id == first)
        if at == 0:
            raise UsageError(
                "This is the first of its jacket: nothing would be left of it.",
                remedy="Choose the first film that belongs to the next jacket.",
            )
        new = _opened(services, tx, old, name.strip(), user)
        moving = scans[at:]
        told = {"out_of": old.id, "into": new.id, "from_scan": first}
        _move(tx, moving, new, user, told)
        tx.record(event(old.id, "jacket_split", user, scans=[one.id for one in moving], **told))
        if isinstance(record, Sheet):
            tx.record(event(record.id, "jacket_split", user, **told))
        parted = _weigh(services, tx, (old, new), user)
    services.waker.wake([(Stage.DECIDE, old.id), (Stage.DECIDE, new.id)])
    return replace(parted, scans=len(moving), jacket=new)


def join_again(services: Services, film_id: str, *, user: str) -> Jacket:
    """Take a split back: the scans lie in the jacket that they came out of; returns it.

    Raises
    ------
    UsageError
        This person did not split this jacket off.
    """
    with services.ledger.transaction() as tx:
        record = sheet_or_scan(tx, film_id)
        new = tx.get(Jacket, record.jacket_id)
        split = next(
            (one for one in reversed(tx.events(new.id)) if one.name == "jacket_split_off"), None
        )
        if split is None or split.actor != user:
            raise UsageError("You did not split this jacket.", remedy="Ask who did.")
        old = tx.get(Jacket, str(split.payload["out_of"]))
        scans = tx.scans(jacket_id=new.id)
        told = {"out_of": new.id, "into": old.id}
        _move(tx, scans, old, user, told)
        tx.record(event(old.id, "jacket_joined", user, scans=[one.id for one in scans], **told))
        tx.record(event(new.id, "jacket_joined", user, **told))
        tx.record(event(record.id, "jacket_joined", user, **told))
        _weigh(services, tx, (old,), user)
    services.waker.wake([(Stage.DECIDE, old.id)])
    return old


def _opened(services: Services, tx: Transaction, old: Jacket, name: str, user: str) -> Jacket:
    if name and (not _NAME.fullmatch(name) or name.startswith(".")):
        raise UsageError("This cannot be the name of a jacket.", remedy="Use letters and digits.")
    taken = {one.name: one for one in tx.jackets(old.batch_id) if one.box == old.box}
    if not name:
        numbers = range(2, _MOST_PARTS)
        base = old.name.rpartition("#")[0] if re.fullmatch(r".+#\d+", old.name) else old.name
        name = next(
            made for n in numbers if _is_free(tx, taken.get(made := f"{base or 'jacket'}#{n}"))
        )
    there = taken.get(name)
    if not _is_free(tx, there):
        raise UsageError(
            "This batch has a jacket of that name already.", remedy="Choose another name."
        )
    if there is not None:
        # Split off before and joined again: the same place, used once more.
        told = event(there.id, "jacket_split_off", user, out_of=old.id)
        return tx.save(replace(there, state=JacketState.CLOSED), told)
    new = Jacket(
        id=identifier("jacket", old.batch_id, old.box or "", name),
        batch_id=old.batch_id,
        name=name,
        box=old.box,
        # Beside the old one: its neighbours are those fed before and behind.
        position=old.position,
        state=JacketState.CLOSED,
        last_scan_at=services.clock.now(),
    )
    tx.add(new, event(new.id, "jacket_split_off", user, jacket=name, box=old.box, out_of=old.id))
    return new


def _is_free(tx: Transaction, there: Jacket | None) -> bool:
    return there is None or not tx.scans(jacket_id=there.id)


def _move(
    tx: Transaction, scans: Sequence[Scan], into: Jacket, user: str, told: dict[str, str]
) -> None:
    for scan in scans:
        tx.save(replace(scan, jacket_id=into.id), event(scan.id, "moved", user, **told))
        for sheet in tx.sheets(scan_id=scan.id):
            tx.save(replace(sheet, jacket_id=into.id), event(sheet.id, "moved", user, **told))


def _weigh(services: Services, tx: Transaction, jackets: Iterable[Jacket], user: str) -> Parted:
    """Make jackets due to be decided, and open what went by itself in them."""
    now, reopened, stand, last = services.clock.now(), 0, 0, None
    for jacket in jackets:
        last = jacket
        for sheet in tx.sheets(jacket_id=jacket.id):
            decision = sheet.decision
            if decision is None or sheet.state in ENDS:
                continue
            if sheet.state is not State.APPROVED or decision.decided_by != "auto":
                stand += 1
                continue
            reopened += 1
            tx.unschedule(Stage.WRAP, sheet.id)
            again = moved(sheet, State.READ, now, decision=None)
            tx.save(again, event(sheet.id, "reopened", user, why="jacket_split"))
        tx.schedule(Stage.DECIDE, jacket.id)
    assert last is not None, "there is a jacket to be weighed"
    return Parted(jacket=last, scans=0, reopened=reopened, stand=stand)
