"""Classes of evidence, what was filed in each, and blind reviews."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004_budget"
down_revision = "0003_scans_of_scanner"
branch_labels = None
depends_on = None

_EARLIER = "earlier"
"""Class of what was filed before classes were told apart."""


def upgrade() -> None:
    """Create the tables; tell of each sheet whether the machine filed it."""
    op.add_column("sheet", sa.Column("filed_class", sa.String(length=40), nullable=True))
    op.add_column("sheet", sa.Column("doubt", sa.Float(), nullable=True))
    op.create_index("ix_sheet_filed_class_doubt", "sheet", ["filed_class", "doubt"])
    op.create_table(
        "blind_review",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.String(length=80), nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_blind_review"),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name="fk_blind_review_sheet_id"),
    )
    for column in ("serial", "sheet_id", "answer"):
        op.create_index(f"ix_blind_review_{column}", "blind_review", [column])
    op.create_table(
        "class_standing",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_class_standing"),
    )
    op.create_index("ix_class_standing_serial", "class_standing", ["serial"])
    _classify()


def _classify() -> None:
    sheet = sa.table(
        "sheet", sa.column("id"), sa.column("body"), sa.column("filed_class"), sa.column("doubt")
    )
    connection = op.get_bind()
    last = ""
    while True:
        query = sa.select(sheet.c.id, sheet.c.body).where(sheet.c.id > last)
        rows = connection.execute(query.order_by(sheet.c.id).limit(1000)).all()
        if not rows:
            return
        for row in rows:
            decision = json.loads(row.body)["record"].get("decision")
            if decision is not None and decision["decided_by"] == "auto":
                doubt = 1.0 - (decision["posterior"] or 0.0)
                found = sheet.update().where(sheet.c.id == row.id)
                connection.execute(found.values(filed_class=_EARLIER, doubt=doubt))
        last = rows[-1].id
