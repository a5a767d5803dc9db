"""A flat folder has no directories that name jackets: labels and separators begin them."""

from dataclasses import replace

from digitizer.model.film import ScanKind
from digitizer.model.records import Jacket, JacketState, Scan, Stage
from digitizer.pipeline.changes import event
from digitizer.pipeline.ingest import identifier
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["split"]


def split(
    services: Services, tx: Transaction, pile: Jacket, scans: tuple[Scan, ...]
) -> list[tuple[Stage, str]] | None:
    """Deal the scans of a flat folder out to jackets, in feeding order.

    A separator or a label begins a new jacket; labels that follow each other are of one jacket.
    Returns the decisions that are due, or None when the pile is already one jacket's.
    """
    following: list[tuple[Stage, str]] = []
    current: Jacket | None = None
    begun = len([one for one in tx.jackets(pile.batch_id) if one.name and one.box == pile.box])
    previous: ScanKind | None = None
    for scan in scans:
        begins = scan.kind is ScanKind.SEPARATOR or (
            scan.kind is ScanKind.LABEL and previous not in (ScanKind.LABEL, ScanKind.SEPARATOR)
        )
        if current is None or begins:
            begun += 1
            current = _new(services, tx, pile, begun)
            following.append((Stage.DECIDE, current.id))
        previous = scan.kind
        _move(tx, scan, current)
    for _, jacket_id in following:
        tx.schedule(Stage.DECIDE, jacket_id)
    return following


def _new(services: Services, tx: Transaction, pile: Jacket, number: int) -> Jacket:
    name = f"jacket-{number:04d}"
    jacket = Jacket(
        id=identifier("jacket", pile.batch_id, pile.box or "", name),
        batch_id=pile.batch_id,
        name=name,
        box=pile.box,
        position=tx.next_position(Jacket, pile.batch_id),
        state=JacketState.CLOSED,
        last_scan_at=services.clock.now(),
    )
    tx.add(jacket, event(jacket.id, "jacket_opened", jacket=name, box=pile.box, out_of=pile.id))
    return jacket


def _move(tx: Transaction, scan: Scan, jacket: Jacket) -> None:
    tx.save(replace(scan, jacket_id=jacket.id), event(scan.id, "dealt", jacket=jacket.id))
    for sheet in tx.sheets(scan_id=scan.id):
        tx.save(replace(sheet, jacket_id=jacket.id), event(sheet.id, "dealt", jacket=jacket.id))
