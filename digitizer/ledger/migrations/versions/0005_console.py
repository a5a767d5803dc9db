"""The console: users, sessions, leases of films in review, and where everything stands."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005_console"
down_revision = "0004_budget"
branch_labels = None
depends_on = None

_HOLDS = ("review", "waiting", "quarantined")
_AT_ONCE = 1000


def upgrade() -> None:
    """Create the tables, and write down where the scans and sheets of an older ledger stand."""
    _create_users()
    _create_standing()
    op.create_index("ix_event_name_at", "event", ["name", "at"])
    _fill("SELECT id, body FROM sheet", _of_sheet)
    _fill(
        "SELECT id, body FROM scan WHERE state IN ('review', 'waiting', 'quarantined') "
        "OR id NOT IN (SELECT scan_id FROM sheet)",
        _of_scan,
    )


def _create_users() -> None:
    op.create_table(
        "account",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_account"),
    )
    op.create_index("ix_account_serial", "account", ["serial"])
    op.create_table(
        "console_session",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=80), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_console_session"),
        sa.ForeignKeyConstraint(["user"], ["account.name"], name="fk_console_session_user"),
    )
    op.create_index("ix_console_session_user", "console_session", ["user"])
    op.create_table(
        "throttle",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_throttle"),
    )
    op.create_table(
        "review_lease",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_review_lease"),
    )
    op.create_index("ix_review_lease_holder", "review_lease", ["holder"])


def _create_standing() -> None:
    op.create_table(
        "standing",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("batch_id", sa.String(length=80), nullable=False),
        sa.Column("jacket_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("risk", sa.Float(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("assigned_to", sa.String(length=255), nullable=True),
        sa.Column("decided_by", sa.String(length=255), nullable=True),
        sa.Column("doubt", sa.Float(), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("study_date", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_standing"),
    )
    for columns in (
        ("jacket_id", "state"),
        ("patient_id", "issuer"),
        ("decided_by", "doubt"),
    ):
        op.create_index(f"ix_standing_{'_'.join(columns)}", "standing", list(columns))
    op.create_index("ix_standing_state_code", "standing", ["state", "code", "since"])
    op.create_index("ix_standing_state_risk", "standing", ["state", "risk", "subject"])
    op.create_index("ix_standing_since", "standing", ["since", "subject"])
    op.create_index("ix_standing_state_since", "standing", ["state", "since", "subject"])
    op.create_index("ix_standing_batch_id_state", "standing", ["batch_id", "state", "since"])


def _fill(query: str, values_of: Any) -> None:
    bind = op.get_bind()
    names = (
        *("subject", "kind", "batch_id", "jacket_id", "state", "since", "risk", "code", "codes"),
        *("assigned_to", "decided_by", "doubt", "patient_id", "issuer", "study_date"),
    )
    table = sa.table("standing", *(sa.column(name) for name in names))
    rows = bind.execute(sa.text(query))
    while some := rows.fetchmany(_AT_ONCE):
        records = [json.loads(row.body)["record"] for row in some]
        bind.execute(sa.insert(table), [values_of(one) for one in records])


def _place(record: dict[str, Any]) -> dict[str, Any]:
    codes = list(dict.fromkeys(one["code"] for one in record["reasons"]))
    return {
        "subject": record["id"],
        "batch_id": record["batch_id"],
        "jacket_id": record["jacket_id"],
        "state": record["state"],
        "since": datetime.fromisoformat(record["changed_at"]).timestamp(),
        "code": codes[0] if codes else "",
        "codes": "".join(f" {code} " for code in codes),
    }


def _of_scan(record: dict[str, Any]) -> dict[str, Any]:
    return {
        **_place(record),
        "kind": "scan",
        "risk": 1.0,
        "assigned_to": None,
        "decided_by": None,
        "doubt": 0.0,
        "patient_id": "",
        "issuer": "",
        "study_date": "",
    }


def _of_sheet(record: dict[str, Any]) -> dict[str, Any]:
    decision = record.get("decision") or {}
    patient = decision.get("patient") or {}
    auto = decision.get("decided_by") == "auto"
    return {
        **_place(record),
        "kind": record["kind"],
        "risk": 1.0 - (record.get("posterior") or 0.0),
        "assigned_to": record.get("assigned_to"),
        "decided_by": decision.get("decided_by"),
        "doubt": 1.0 - (decision.get("posterior") or 0.0) if auto else 0.0,
        "patient_id": patient.get("patient_id", ""),
        "issuer": patient.get("issuer", ""),
        "study_date": decision.get("study_date", ""),
    }
