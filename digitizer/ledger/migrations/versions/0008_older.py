"""Older digital archives: sources, their studies, instances and commitments."""

import sqlalchemy as sa
from alembic import op

revision = "0008_older"
down_revision = "0007_work_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _record("old_source", "id", sa.Column("name", sa.String(length=255), nullable=False),
            sa.UniqueConstraint("name", name="uq_old_source_name"))  # fmt: skip
    _record(
        "old_study",
        "id",
        _text("source_id", 80),
        _text("study_instance_uid", 64),
        _text("state", 16),
        _text("code", 40),
        _text("patient_id", 64),
        _text("issuer", 64),
        sa.ForeignKeyConstraint(["source_id"], ["old_source.id"], name="fk_old_study_source_id"),
        sa.UniqueConstraint(
            "source_id", "study_instance_uid", name="uq_old_study_source_id_study_instance_uid"
        ),
    )
    _record(
        "old_commitment",
        "transaction_uid",
        _text("study_id", 80),
        _text("state", 16),
        sa.ForeignKeyConstraint(["study_id"], ["old_study.id"], name="fk_old_commitment_study_id"),
    )
    _create_instances()
    for table, columns in (
        ("old_study", ("study_instance_uid",)),
        ("old_study", ("patient_id", "issuer")),
        ("old_commitment", ("study_id",)),
        ("old_commitment", ("state",)),
        ("old_instance", ("sop_instance_uid",)),
    ):
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
    op.create_index("ix_old_study_source_id_state", "old_study",
                    ["source_id", "state", "code", "id"])  # fmt: skip
    op.create_index("ix_old_instance_study_id", "old_instance", ["study_id", "place"])
    op.create_index("ix_old_instance_source_id_state", "old_instance",
                    ["source_id", "state", "code", "place"])  # fmt: skip


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _record(name: str, key: str, *columns: sa.Column[str] | sa.Constraint) -> None:
    op.create_table(
        name,
        _text(key, 80),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        *columns,
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(key, name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_serial", name, ["serial"])


def _create_instances() -> None:
    op.create_table(
        "old_instance",
        _text("source_id", 80),
        _text("place", 1024),
        _text("study_id", 80),
        _text("sop_instance_uid", 64),
        _text("sop_class_uid", 64),
        _text("series_instance_uid", 64),
        _text("transfer_syntax_uid", 64),
        _text("state", 16),
        _text("code", 40),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _text("sha256", 64),
        _text("data_sha256", 64),
        _text("pixel_sha256", 64),
        _text("pack", 64),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        _text("sent_uid", 64),
        _text("sent_sha256", 64),
        sa.PrimaryKeyConstraint("source_id", "place", name="pk_old_instance"),
        sa.ForeignKeyConstraint(["source_id"], ["old_source.id"], name="fk_old_instance_source_id"),
    )
