"""The tables of the ledger: what is queried has a column, the rest stands in ``body`` as JSON."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from digitizer.model import older, records
from digitizer.model.density import ScannerProfile
from digitizer.model.users import User
from digitizer.ports import Record

__all__ = [
    "KEY",
    "TABLES",
    "account",
    "anchor",
    "blind_review",
    "class_standing",
    "console_session",
    "event",
    "exam",
    "exam_key",
    "index_recipe",
    "jacket_record",
    "metadata",
    "minted_uid",
    "old_instance",
    "old_source",
    "old_study",
    "patient",
    "patient_key",
    "patient_name",
    "review_lease",
    "scanner_profile",
    "sheet_band",
    "standing",
    "task",
    "throttle",
    "turn",
    "work_order",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


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


def _of(name: str, parent: str, *, index: bool = True) -> Column[object]:
    """Return a column that names a record of another table, which must be there."""
    return Column(name, String(80), ForeignKey(parent), nullable=False, index=index)


batch = _table("batch", "id", Column("name", String(255), nullable=False, unique=True))
jacket = _table(
    "jacket",
    "id",
    _of("batch_id", "batch.id", index=False),
    Column("box", String(255), nullable=False),
    Column("name", String(255), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("urgent", Boolean, nullable=False, server_default=false(), index=True),
    UniqueConstraint("batch_id", "box", "name"),
    Index("ix_jacket_batch_id_position", "batch_id", "position"),
)
"""A jacket without a box has the box "", so that its name is unique in the batch all the same."""
scan = _table(
    "scan",
    "id",
    _of("batch_id", "batch.id", index=False),
    _of("jacket_id", "jacket.id"),
    Column("source", String(4096), nullable=False),
    _text("sha256", 64, index=True),
    Column("state", String(16), nullable=False),
    _text("duplicate_of"),
    Column("position", Integer, nullable=False),
    Column("scanner", String(64), nullable=False, server_default=""),
    UniqueConstraint("batch_id", "source"),
    Index("ix_scan_batch_id_state", "batch_id", "state"),
    Index("ix_scan_batch_id_position", "batch_id", "position"),
    Index("ix_scan_scanner_serial", "scanner", "serial"),
)
sheet = _table(
    "sheet",
    "id",
    _of("batch_id", "batch.id", index=False),
    _of("jacket_id", "jacket.id"),
    _of("scan_id", "scan.id"),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("fingerprint", String(128), nullable=False),
    Column("index", Integer, nullable=False),
    _text("filed_class", 40),
    Column("doubt", Float, nullable=True),
    Index("ix_sheet_batch_id_state", "batch_id", "state", "kind"),
    Index("ix_sheet_filed_class_doubt", "filed_class", "doubt"),
    Index("ix_sheet_fingerprint_id", "fingerprint", "id"),
)
"""``filed_class`` and ``doubt`` (1 - p) are set while a decision of the machine's own stands."""
sheet_band = Table(
    "sheet_band",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("sheet_id", String(80), ForeignKey("sheet.id"), primary_key=True),
    sqlite_with_rowid=False,
)
"""Sixteen bits of a sheet's fingerprint each, to find sheets like it (:mod:`.likeness`)."""
capture = _table("capture", "sop_instance_uid", _of("sheet_id", "sheet.id"))
delivery = _table("delivery", "id", _of("sop_instance_uid", "capture.sop_instance_uid"))
commitment = _table(
    "commitment",
    "transaction_uid",
    _of("sop_instance_uid", "capture.sop_instance_uid"),
    Column("state", String(16), nullable=False, index=True),
    Column("archive", String(64), nullable=False, server_default=""),
    Index("ix_commitment_archive_state", "archive", "state", "serial"),
)
verification = _table(
    "verification",
    "id",
    _of("sop_instance_uid", "capture.sop_instance_uid"),
    Column("archive", String(64), nullable=False, server_default=""),
    Column("agrees", Boolean, nullable=False, server_default=true()),
    Index("ix_verification_archive_agrees", "archive", "agrees", "serial"),
)
scanner_profile = _table(
    "scanner_profile",
    "id",
    Column("scanner", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    UniqueConstraint("scanner", "number"),
)
blind_review = _table(
    "blind_review",
    "id",
    _of("sheet_id", "sheet.id"),
    Column("answer", String(8), nullable=False, index=True),
)
class_standing = _table("class_standing", "id")
work_order = _table("work_order", "id", Column("mode", String(16), nullable=False))

account = _table("account", "name")
"""Who works with the console; ``user`` is a word of SQL."""

old_source = _table("old_source", "id", Column("name", String(255), nullable=False, unique=True))
old_study = _table(
    "old_study",
    "id",
    _of("source_id", "old_source.id", index=False),
    Column("study_instance_uid", String(64), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("code", String(40), nullable=False),
    Column("patient_id", String(64), nullable=False),
    Column("issuer", String(64), nullable=False),
    UniqueConstraint("source_id", "study_instance_uid"),
    Index("ix_old_study_source_id_state", "source_id", "state", "code", "id"),
    Index("ix_old_study_patient_id_issuer", "patient_id", "issuer"),
)
"""``patient_id`` and ``issuer`` are what was decided; empty before."""
old_commitment = _table(
    "old_commitment",
    "transaction_uid",
    _of("study_id", "old_study.id"),
    Column("state", String(16), nullable=False, index=True),
)

TABLES: dict[type[Record], Table] = {
    records.Batch: batch,
    records.Jacket: jacket,
    records.Scan: scan,
    records.Sheet: sheet,
    records.Capture: capture,
    records.Delivery: delivery,
    records.Commitment: commitment,
    records.Verification: verification,
    ScannerProfile: scanner_profile,
    records.BlindReview: blind_review,
    records.ClassStanding: class_standing,
    records.WorkOrder: work_order,
    User: account,
    older.Source: old_source,
    older.OldStudy: old_study,
    older.OldCommitment: old_commitment,
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
    Index("ix_event_name_at", "name", "at"),
)
anchor = Table(
    "anchor",
    metadata,
    Column("day", Date, primary_key=True),
    Column("events", Integer, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One hash a day over the events of that day and over the anchor before it."""
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
    Column("batch_id", String(80), nullable=False, server_default="", index=True),
    Column("jacket_id", String(80), nullable=False, server_default="", index=True),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Index("ix_task_urgent_due_at", "urgent", "due_at"),
)
"""Times are seconds since 1970 in UTC, so that both databases compare them alike.

``generation`` grows with every ``schedule``; a stage that ends deletes its task only when nobody
has scheduled it again since the lease was taken, so no request for more work is ever lost.
``batch_id``, ``jacket_id`` and ``urgent`` are those of its subject, for pauses and turns.
"""
turn = Table(
    "turn",
    metadata,
    Column("pool", String(16), primary_key=True),
    Column("taken", Integer, nullable=False),
)
"""How many turns were shared out between urgent jackets and others, for each pool of workers."""

old_instance = Table(
    "old_instance",
    metadata,
    Column("source_id", String(80), ForeignKey("old_source.id"), primary_key=True),
    Column("place", String(1024), primary_key=True),
    Column("study_id", String(80), nullable=False),
    Column("sop_instance_uid", String(64), nullable=False),
    Column("sop_class_uid", String(64), nullable=False),
    Column("series_instance_uid", String(64), nullable=False),
    Column("transfer_syntax_uid", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(40), nullable=False),
    Column("note", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("data_sha256", String(64), nullable=False),
    Column("pixel_sha256", String(64), nullable=False),
    Column("pack", String(64), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("sent_uid", String(64), nullable=False),
    Column("sent_sha256", String(64), nullable=False),
    Index("ix_old_instance_study_id", "study_id", "place"),
    Index("ix_old_instance_sop_instance_uid", "sop_instance_uid"),
    Index("ix_old_instance_source_id_state", "source_id", "state", "code", "place"),
)
"""A row for every file of an older archive; a million of them, hence no body and no event each.

The events of a study tell what was done with its instances, by number and by one hash over them.
"""

patient = Table(
    "patient",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("issuer", String(64), nullable=False),
    Column("patient_id", String(64), nullable=False, index=True),
    Column("body", Text, nullable=False),
    UniqueConstraint("issuer", "patient_id"),
)
patient_key = Table(
    "patient_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("patient", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Blocking keys as 64-bit hashes: some twenty a patient. Two keys of one hash cost a candidate."""
patient_name = Table(
    "patient_name",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("patient", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
exam = Table(
    "exam",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("issuer", String(64), nullable=False),
    Column("accession_number", String(64), nullable=False, index=True),
    Column("patient_id", String(64), nullable=False, index=True),
    Column("body", Text, nullable=False),
    UniqueConstraint("issuer", "accession_number"),
)
exam_key = Table(
    "exam_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("exam", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
index_recipe = Table(
    "index_recipe",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(64), nullable=False),
)
"""Tells by which rules the blocking keys were made; other rules make them all anew."""
jacket_record = Table(
    "jacket_record",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("box", String(255), nullable=False),
    Column("jacket", String(255), nullable=False, index=True),
    Column("barcode", String(255), nullable=False, index=True),
    Column("body", Text, nullable=False),
    UniqueConstraint("box", "jacket"),
)

standing = Table(
    "standing",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("batch_id", String(80), nullable=False),
    Column("jacket_id", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", Float, nullable=False),
    Column("risk", Float, nullable=False),
    Column("code", String(40), nullable=False),
    Column("codes", Text, nullable=False),
    Column("assigned_to", String(255)),
    Column("decided_by", String(255)),
    Column("doubt", Float, nullable=False),
    Column("patient_id", String(64), nullable=False),
    Column("issuer", String(64), nullable=False),
    Column("study_date", String(10), nullable=False),
    Index("ix_standing_state_code", "state", "code", "since"),
    Index("ix_standing_state_risk", "state", "risk", "subject"),
    Index("ix_standing_since", "since", "subject"),
    Index("ix_standing_state_since", "state", "since", "subject"),
    Index("ix_standing_batch_id_state", "batch_id", "state", "since"),
    Index("ix_standing_jacket_id_state", "jacket_id", "state"),
    Index("ix_standing_patient_id_issuer", "patient_id", "issuer"),
    Index("ix_standing_study_date", "study_date", "since", "subject"),
    Index("ix_standing_decided_by_kind", "decided_by", "kind", "doubt"),
)
"""What lists and counts need of scans and sheets, written with them (:mod:`.standings`).

A scan has a row until it is read; its sheets have theirs from then on.
"""
review_lease = Table(
    "review_lease",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("holder", String(255), nullable=False, index=True),
    Column("until", Float, nullable=False),
)
console_session = Table(
    "console_session",
    metadata,
    Column("key", String(64), primary_key=True),
    _of("user", "account.name"),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
)
throttle = Table(
    "throttle",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", Float, nullable=False),
)
"""Failed sign-ins, by hash of the name or address they were tried with."""
