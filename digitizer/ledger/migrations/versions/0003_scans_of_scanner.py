"""Which scanner a scan is from, to be asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0003_scans_of_scanner"
down_revision = "0002_scanner_profiles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the scanner's serial number to the scans; older scans keep theirs in the body."""
    op.add_column(
        "scan", sa.Column("scanner", sa.String(length=64), nullable=False, server_default="")
    )
    op.create_index("ix_scan_scanner_serial", "scan", ["scanner", "serial"])
