"""The tables of the ledger: what is queried has a column, the rest stands in ``body`` as JSON."""

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from digitizer.model import records
from digitizer.ports import Record

__all__ = ["KEY", "TABLES", "anchor", "event", "metadata", "minted_uid", "task"]

metadata = MetaData()


def _table(name: str, key: str, *columns: Column[object] | UniqueConstraint | Index) -> Table:
    return Table(
        name,
        metadata,
        Column(key, String(80), primary_key=True),
        Column("version", Integer, nullable=False),
        Column("serial", Integer, nullable=False, index=True),
        *columns,
        Column("body", Text, nullable=False),
    )


def _text(name: str, length: int = 80, *, index: bool = False) -> Column[object]:
    return Column(name, String(length), nullable=True, index=index)


batch = _table("batch", "id", Column("name", String(255), nullable=False, unique=True))
jacket = _table(
    "jacket",
    "id",
    _text("batch_id", index=True),
    _text("box", 255),
    _text("name", 255, index=True),
    Column("position", Integer),
)
scan = _table(
    "scan",
    "id",
    _text("batch_id"),
    _text("jacket_id", index=True),
    _text("source", 4096),
    _text("sha256", 64, index=True),
    _text("state", 16),
    _text("duplicate_of"),
    Column("position", Integer),
    UniqueConstraint("batch_id", "source"),
)
sheet = _table(
    "sheet",
    "id",
    _text("batch_id"),
    _text("jacket_id", index=True),
    _text("scan_id", index=True),
    _text("kind", 16),
    _text("state", 16, index=True),
    _text("fingerprint", 128, index=True),
    Column("index", Integer),
    Index("sheet_batch_state", "batch_id", "state"),
)
capture = _table("capture", "sop_instance_uid", _text("sheet_id", index=True))
delivery = _table("delivery", "id", _text("sop_instance_uid", index=True))
commitment = _table(
    "commitment",
    "transaction_uid",
    _text("sop_instance_uid", index=True),
    _text("state", 16, index=True),
)
verification = _table("verification", "id", _text("sop_instance_uid", index=True))

TABLES: dict[type[Record], Table] = {
    records.Batch: batch,
    records.Jacket: jacket,
    records.Scan: scan,
    records.Sheet: sheet,
    records.Capture: capture,
    records.Delivery: delivery,
    records.Commitment: commitment,
    records.Verification: verification,
}
KEY: dict[type[Record], str] = {
    kind: next(iter(table.primary_key.columns)).name for kind, table in TABLES.items()
}

event = Table(
    "event",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("at", String(40), nullable=False, index=True),
    Column("name", String(40), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("payload", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
anchor = Table(
    "anchor",
    metadata,
    Column("day", Date, primary_key=True),
    Column("events", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
minted_uid = Table(
    "minted_uid",
    metadata,
    Column("purpose", String(512), primary_key=True),
    Column("uid", String(64), nullable=False, unique=True),
)
task = Table(
    "task",
    metadata,
    Column("stage", String(16), primary_key=True),
    Column("subject", String(80), primary_key=True),
    Column("due_at", Float, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("lease_owner", String(255)),
    Column("lease_until", Float),
    Column("generation", Integer, nullable=False),
    Column("leased_generation", Integer),
    Column("why", Text, nullable=False),
)
"""Times are seconds since 1970 in UTC, so that both databases compare them alike.

``generation`` grows with every ``schedule``; a stage that ends deletes its task only when nobody
has scheduled it again since the lease was taken, so no request for more work is ever lost.
"""

patient = Table(
    "patient",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issuer", String(64), nullable=False),
    Column("patient_id", String(64), nullable=False, index=True),
    Column("body", Text, nullable=False),
    UniqueConstraint("issuer", "patient_id"),
)
patient_key = Table(
    "patient_key",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("patient", Integer, primary_key=True, index=True),
)
name_count = Table(
    "patient_name",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("patient", Integer, primary_key=True, index=True),
)
exam = Table(
    "exam",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issuer", String(64), nullable=False),
    Column("accession_number", String(64), nullable=False, index=True),
    Column("patient_id", String(64), nullable=False, index=True),
    Column("body", Text, nullable=False),
    UniqueConstraint("issuer", "accession_number"),
)
exam_key = Table(
    "exam_key",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("exam", Integer, primary_key=True, index=True),
)
jacket_record = Table(
    "jacket_record",
    metadata,
    Column("box", String(255), primary_key=True),
    Column("jacket", String(255), primary_key=True),
    Column("barcode", String(255), nullable=False, index=True),
    Column("body", Text, nullable=False),
)
