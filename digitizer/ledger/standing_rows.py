"""Writing down where a scan or a sheet stands, in the transaction that changes it."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from digitizer.ledger import tables
from digitizer.model.overview import ThingKind
from digitizer.model.reasons import Reason
from digitizer.model.records import Scan, Sheet
from digitizer.model.states import HOLDS

__all__ = ["write_standing"]

_ROW = tables.standing
# Built once: building a statement costs more than running it.
_INSERT = insert(_ROW)
_UPDATE = update(_ROW).where(_ROW.c.subject == bindparam("whose"))
_DELETE = delete(_ROW).where(_ROW.c.subject == bindparam("whose"))
_SHEETS = select(tables.sheet.c.id).where(tables.sheet.c.scan_id == bindparam("whose")).limit(1)


def write_standing(connection: Connection, record: Scan | Sheet) -> None:
    """Write the row of a scan or sheet anew; that of a scan ends when it has sheets and no hold."""
    if isinstance(record, Sheet):
        values = _of_sheet(record)
        if record.index == 0:
            # The scan was waiting for its first sheet.
            _delete(connection, record.scan_id)
    elif record.state in HOLDS or not _has_sheets(connection, record.id):
        values = _of_scan(record)
    else:
        _delete(connection, record.id)
        return
    if connection.execute(_UPDATE, values | {"whose": values["subject"]}).rowcount == 0:
        connection.execute(_INSERT, values)


def _delete(connection: Connection, subject: str) -> None:
    connection.execute(_DELETE, {"whose": subject})


def _has_sheets(connection: Connection, scan_id: str) -> bool:
    return connection.execute(_SHEETS, {"whose": scan_id}).first() is not None


def _of_scan(scan: Scan) -> dict[str, Any]:
    return {
        "subject": scan.id,
        "kind": ThingKind.SCAN.value,
        **_place(scan),
        "risk": 1.0,
        "assigned_to": None,
        "decided_by": None,
        "doubt": 0.0,
        "patient_id": "",
        "issuer": "",
        "study_date": "",
    }


def _of_sheet(sheet: Sheet) -> dict[str, Any]:
    decision = sheet.decision
    auto = decision is not None and decision.decided_by == "auto"
    return {
        "subject": sheet.id,
        "kind": sheet.kind.value,
        **_place(sheet),
        "risk": 1.0 - (sheet.posterior or 0.0),
        "assigned_to": sheet.assigned_to,
        "decided_by": decision.decided_by if decision else None,
        "doubt": 1.0 - (decision.posterior or 0.0) if decision and auto else 0.0,
        "patient_id": decision.patient.patient_id if decision else "",
        "issuer": decision.patient.issuer if decision else "",
        "study_date": decision.study_date if decision else "",
    }


def _place(record: Scan | Sheet) -> dict[str, Any]:
    return {
        "batch_id": record.batch_id,
        "jacket_id": record.jacket_id,
        "state": record.state.value,
        "since": record.changed_at.timestamp(),
        "code": record.reasons[0].code.value if record.reasons else "",
        "codes": _codes(record.reasons),
    }


def _codes(reasons: tuple[Reason, ...]) -> str:
    """Return the codes with a blank around each, so that one is found without its longer kin."""
    return "".join(f" {code} " for code in dict.fromkeys(one.code.value for one in reasons))
