"""Pausing, draining and urgent jackets: what was ordered, and to whom a task belongs."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0007_work_orders"
down_revision = "0005_console"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_STAGES = {
    "scan": ("prepare", "read"),
    "jacket": ("decide",),
    "sheet": ("wrap", "store", "commit", "verify"),
}


def upgrade() -> None:
    """Create the tables and columns, and tell of each task of an older ledger whose it is."""
    op.create_table(
        "work_order",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_work_order"),
    )
    op.create_index("ix_work_order_serial", "work_order", ["serial"])
    op.create_table(
        "turn",
        sa.Column("pool", sa.String(length=16), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("pool", name="pk_turn"),
    )
    _add_urgent("jacket")
    op.create_index("ix_jacket_urgent", "jacket", ["urgent"])
    for name in ("batch_id", "jacket_id"):
        column = sa.Column(name, sa.String(length=80), nullable=False, server_default="")
        op.add_column("task", column)
        op.create_index(f"ix_task_{name}", "task", [name])
    _add_urgent("task")
    op.create_index("ix_task_urgent_due_at", "task", ["urgent", "due_at"])
    _tell_place()
    _tell_archives()
    op.drop_index("ix_standing_decided_by_doubt", "standing")
    columns = ["decided_by", "kind", "doubt"]
    op.create_index("ix_standing_decided_by_kind", "standing", columns)
    op.create_index("ix_standing_study_date", "standing", ["study_date", "since", "subject"])


def _tell_archives() -> None:
    """Write the archive, and whether a read-back agreed, beside what was asked and looked at."""
    for table in ("commitment", "verification"):
        name = sa.Column("archive", sa.String(length=64), nullable=False, server_default="")
        op.add_column(table, name)
    kind = sa.Boolean()
    agrees: sa.Column[bool] = sa.Column("agrees", kind, nullable=False, server_default=sa.true())
    op.add_column("verification", agrees)
    _copy("commitment", "transaction_uid", ("archive",))
    _copy("verification", "id", ("archive", "agrees"))
    op.create_index("ix_commitment_archive_state", "commitment", ["archive", "state", "serial"])
    columns = ["archive", "agrees", "serial"]
    op.create_index("ix_verification_archive_agrees", "verification", columns)


def _copy(table: str, key: str, names: tuple[str, ...]) -> None:
    """Copy values out of the records' text into columns."""
    bind = op.get_bind()
    of = sa.table(table, *map(sa.column, (key, "body", *names)))
    rows = bind.execute(sa.select(of.c[key].label("key"), of.c.body))
    changed = sa.update(of).where(of.c[key] == sa.bindparam("own"))
    while some := rows.fetchmany(_AT_ONCE):
        told = [(row.key, json.loads(row.body)["record"]) for row in some]
        values = [{"own": key, **{name: record[name] for name in names}} for key, record in told]
        bind.execute(changed, values)


def _add_urgent(table: str) -> None:
    urgent = sa.Boolean()
    op.add_column(table, sa.Column("urgent", urgent, nullable=False, server_default=sa.false()))


def _tell_place() -> None:
    """Write the batch and the jacket of its subject into each task."""
    task = sa.table("task", *map(sa.column, ("stage", "subject", "batch_id", "jacket_id")))
    for name, stages in _STAGES.items():
        columns = ("id", "batch_id") if name == "jacket" else ("id", "batch_id", "jacket_id")
        of = sa.table(name, *map(sa.column, columns))
        own = of.c.id == task.c.subject
        jacket = of.c.id if name == "jacket" else of.c.jacket_id
        op.execute(
            sa.update(task)
            .where(task.c.stage.in_(stages), sa.exists().where(own))
            .values(
                batch_id=sa.select(of.c.batch_id).where(own).scalar_subquery(),
                jacket_id=sa.select(jacket).where(own).scalar_subquery(),
            )
        )
