"""The first tables, and the triggers that keep events and anchors as they were written."""

import sqlalchemy as sa
from alembic import op

revision = "0001_first"
down_revision = None
branch_labels = None
depends_on = None

_WRITTEN_ONCE = ("event", "anchor")
_REFUSE = "what was written here is never changed or deleted"


def upgrade() -> None:
    """Create the tables; refuse every change and deletion of an event or an anchor."""
    _create_records()
    _create_memory()
    _create_index()
    if op.get_bind().dialect.name == "sqlite":
        _refuse_on_sqlite()
    else:
        _refuse_on_postgresql()


def _refuse_on_sqlite() -> None:
    for table in _WRITTEN_ONCE:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSE}'); END"
            )


def _refuse_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION written_once() RETURNS trigger AS $$ "
        f"BEGIN RAISE EXCEPTION '{_REFUSE}'; END $$ LANGUAGE plpgsql"
    )
    for table in _WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION written_once()"
        )


def _create_records() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
        sa.UniqueConstraint("name", name="uq_batch_name"),
    )
    op.create_index("ix_batch_serial", "batch", ["serial"])
    op.create_table(
        "jacket",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=80), nullable=False),
        sa.Column("box", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_jacket_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_jacket"),
        sa.UniqueConstraint("batch_id", "box", "name", name="uq_jacket_batch_id_box_name"),
    )
    op.create_index("ix_jacket_batch_id_position", "jacket", ["batch_id", "position"])
    op.create_index("ix_jacket_name", "jacket", ["name"])
    op.create_index("ix_jacket_serial", "jacket", ["serial"])
    op.create_table(
        "scan",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=80), nullable=False),
        sa.Column("jacket_id", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=4096), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("duplicate_of", sa.String(length=80), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_scan_batch_id"),
        sa.ForeignKeyConstraint(["jacket_id"], ["jacket.id"], name="fk_scan_jacket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_scan"),
        sa.UniqueConstraint("batch_id", "source", name="uq_scan_batch_id_source"),
    )
    op.create_index("ix_scan_batch_id_position", "scan", ["batch_id", "position"])
    op.create_index("ix_scan_batch_id_state", "scan", ["batch_id", "state"])
    op.create_index("ix_scan_jacket_id", "scan", ["jacket_id"])
    op.create_index("ix_scan_serial", "scan", ["serial"])
    op.create_index("ix_scan_sha256", "scan", ["sha256"])
    op.create_table(
        "sheet",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=80), nullable=False),
        sa.Column("jacket_id", sa.String(length=80), nullable=False),
        sa.Column("scan_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=128), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_sheet_batch_id"),
        sa.ForeignKeyConstraint(["jacket_id"], ["jacket.id"], name="fk_sheet_jacket_id"),
        sa.ForeignKeyConstraint(["scan_id"], ["scan.id"], name="fk_sheet_scan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sheet"),
    )
    op.create_index("ix_sheet_batch_id_state", "sheet", ["batch_id", "state", "kind"])
    op.create_index("ix_sheet_fingerprint_id", "sheet", ["fingerprint", "id"])
    op.create_index("ix_sheet_jacket_id", "sheet", ["jacket_id"])
    op.create_index("ix_sheet_scan_id", "sheet", ["scan_id"])
    op.create_index("ix_sheet_serial", "sheet", ["serial"])
    op.create_index("ix_sheet_state", "sheet", ["state"])
    op.create_table(
        "sheet_band",
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sheet_id", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name="fk_sheet_band_sheet_id"),
        sa.PrimaryKeyConstraint("key", "sheet_id", name="pk_sheet_band"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "capture",
        sa.Column("sop_instance_uid", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name="fk_capture_sheet_id"),
        sa.PrimaryKeyConstraint("sop_instance_uid", name="pk_capture"),
    )
    op.create_index("ix_capture_serial", "capture", ["serial"])
    op.create_index("ix_capture_sheet_id", "capture", ["sheet_id"])
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sop_instance_uid"], ["capture.sop_instance_uid"], name="fk_delivery_sop_instance_uid"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_serial", "delivery", ["serial"])
    op.create_index("ix_delivery_sop_instance_uid", "delivery", ["sop_instance_uid"])
    op.create_table(
        "commitment",
        sa.Column("transaction_uid", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sop_instance_uid"],
            ["capture.sop_instance_uid"],
            name="fk_commitment_sop_instance_uid",
        ),
        sa.PrimaryKeyConstraint("transaction_uid", name="pk_commitment"),
    )
    op.create_index("ix_commitment_serial", "commitment", ["serial"])
    op.create_index("ix_commitment_sop_instance_uid", "commitment", ["sop_instance_uid"])
    op.create_index("ix_commitment_state", "commitment", ["state"])
    op.create_table(
        "verification",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sop_instance_uid"],
            ["capture.sop_instance_uid"],
            name="fk_verification_sop_instance_uid",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_verification"),
    )
    op.create_index("ix_verification_serial", "verification", ["serial"])
    op.create_index("ix_verification_sop_instance_uid", "verification", ["sop_instance_uid"])


def _create_memory() -> None:
    op.create_table(
        "event",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("subject", "sequence", name="pk_event"),
    )
    op.create_index("ix_event_at", "event", ["at"])
    op.create_table(
        "anchor",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_anchor"),
    )
    op.create_table(
        "minted_uid",
        sa.Column("purpose", sa.String(length=512), nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("purpose", name="pk_minted_uid"),
        sa.UniqueConstraint("uid", name="uq_minted_uid_uid"),
    )
    op.create_table(
        "task",
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=255), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("leased_generation", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stage", "subject", name="pk_task"),
    )
    op.create_index("ix_task_due_at", "task", ["due_at"])


def _create_index() -> None:
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_patient"),
        sa.UniqueConstraint("issuer", "patient_id", name="uq_patient_issuer_patient_id"),
    )
    op.create_index("ix_patient_patient_id", "patient", ["patient_id"])
    op.create_table(
        "patient_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("patient", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "patient", name="pk_patient_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "patient_name",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", "patient", name="pk_patient_name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "exam",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("accession_number", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exam"),
        sa.UniqueConstraint("issuer", "accession_number", name="uq_exam_issuer_accession_number"),
    )
    op.create_index("ix_exam_accession_number", "exam", ["accession_number"])
    op.create_index("ix_exam_patient_id", "exam", ["patient_id"])
    op.create_table(
        "exam_key",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("exam", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "exam", name="pk_exam_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "jacket_record",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("box", sa.String(length=255), nullable=False),
        sa.Column("jacket", sa.String(length=255), nullable=False),
        sa.Column("barcode", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jacket_record"),
        sa.UniqueConstraint("box", "jacket", name="uq_jacket_record_box_jacket"),
    )
    op.create_index("ix_jacket_record_barcode", "jacket_record", ["barcode"])
    op.create_index("ix_jacket_record_jacket", "jacket_record", ["jacket"])
    op.create_table(
        "index_recipe",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_index_recipe"),
    )
