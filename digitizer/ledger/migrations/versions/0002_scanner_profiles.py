"""Calibrations of scanners."""

import sqlalchemy as sa
from alembic import op

revision = "0002_scanner_profiles"
down_revision = "0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of scanner profiles."""
    op.create_table(
        "scanner_profile",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("scanner", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scanner_profile"),
        sa.UniqueConstraint("scanner", "number", name="uq_scanner_profile_scanner_number"),
    )
    op.create_index("ix_scanner_profile_serial", "scanner_profile", ["serial"])
