"""Made-up records, and a way past the ledger, for its tests."""

from hand_clock import HandClock
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from digitizer.model.film import SheetKind
from digitizer.model.records import Batch, Event, Jacket, Scan, Sheet

NOON = HandClock().at


def execute_plainly(url: str, *statements: str) -> None:
    """Run statements past the ledger, each by itself."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def happened(subject: str, name: str = "changed", **payload: object) -> Event:
    return Event(subject=subject, name=name, actor="system", payload=payload)


def batch(id: str = "b1", name: str = "monday") -> Batch:
    return Batch(id=id, name=name, root="/scans", created_at=NOON)


def jacket(id: str = "j1", name: str = "J-1", **more: object) -> Jacket:
    return Jacket(**{"id": id, "batch_id": "b1", "name": name, **more})  # type: ignore[arg-type]


def scan(id: str = "s1", **more: object) -> Scan:
    values: dict[str, object] = {
        "id": id,
        "batch_id": "b1",
        "jacket_id": "j1",
        "source": f"{id}.tif",
        "position": 0,
        "sha256": "a" * 64,
        "size": 1,
        "received_at": NOON,
        "changed_at": NOON,
    }
    return Scan(**(values | more))  # type: ignore[arg-type]


def sheet(id: str = "h1", **more: object) -> Sheet:
    values: dict[str, object] = {
        "id": id,
        "scan_id": "s1",
        "jacket_id": "j1",
        "batch_id": "b1",
        "kind": SheetKind.FILM,
        "page": 0,
        "index": 0,
        "changed_at": NOON,
    }
    return Sheet(**(values | more))  # type: ignore[arg-type]
