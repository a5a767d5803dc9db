"""Records of the ledger: loaded, added and changed, each change with its event."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from digitizer.errors import IllegalTransition, StaleRecord, UnknownRecord
from digitizer.ledger import tables
from digitizer.ledger.chain import append
from digitizer.ledger.codec import decode, encode
from digitizer.ledger.likeness import band_keys
from digitizer.ledger.standing_rows import write_standing
from digitizer.model.older import OldStudy
from digitizer.model.records import Event, Jacket, Scan, Sheet
from digitizer.model.states import OLD_TRANSITIONS, TRANSITIONS, State
from digitizer.ports import Clock, R, Record

__all__ = ["Records", "columns_of"]


def _unknown(kind: type[Record], id: str) -> UnknownRecord:
    """Name what is not there in the words of people at work."""
    if kind is Sheet:
        return UnknownRecord(
            f"There is no film {id}.", remedy="`digitizer review list` shows the ids of films."
        )
    return UnknownRecord(f"There is no {kind.__name__.lower()} {id}.")


class Records:
    """Implements :class:`digitizer.ports.Records`."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def get(self, kind: type[R], id: str) -> R:
        """Load one record."""
        row = self._connection.execute(_ONE[kind], {"own": id}).one_or_none()
        if row is None:
            raise _unknown(kind, id)
        return _record(kind, row)

    def add(self, record: Record, event: Event) -> None:
        """Insert a record and append its event."""
        table = tables.TABLES[type(record)]
        serial = self._connection.execute(
            select(func.coalesce(func.max(table.c.serial), 0) + 1)
        ).scalar_one()
        self._connection.execute(
            insert(table),
            columns_of(record) | {"version": 0, "serial": serial, "body": encode(record)},
        )
        if isinstance(record, Sheet):
            self._mark(record.id, "", record.fingerprint)
        if isinstance(record, Scan | Sheet):
            write_standing(self._connection, record)
        self.record(event)

    def save(self, record: R, event: Event) -> R:
        """Write a changed record when nobody changed it first, and append its event."""
        kind = type(record)
        own = getattr(record, tables.KEY[kind])
        before = self._connection.execute(_JUDGED[kind], {"own": own}).one_or_none()
        if before is None:
            raise _unknown(kind, own)
        if before.version != record.version:
            raise StaleRecord(f"{kind.__name__} {own} was changed by somebody else.")
        if isinstance(record, Scan | Sheet | OldStudy):
            table_of = OLD_TRANSITIONS if isinstance(record, OldStudy) else TRANSITIONS
            _check_transition(kind.__name__, own, State(before.state), record.state, table_of)
        written = self._connection.execute(
            _CHANGE[kind],
            columns_of(record)
            | {"version": record.version + 1, "body": encode(record)}
            | {"own": own, "seen_version": record.version},
        )
        if written.rowcount != 1:
            raise StaleRecord(f"{kind.__name__} {own} was changed by somebody else.")
        if isinstance(record, Sheet) and before.fingerprint != record.fingerprint:
            self._mark(own, before.fingerprint, record.fingerprint)
        if isinstance(record, Scan | Sheet):
            write_standing(self._connection, record)
        self.record(event)
        return replace(record, version=record.version + 1)

    def _mark(self, sheet_id: str, before: str, after: str) -> None:
        """Keep the bands of a fingerprint, by which sheets like it are found."""
        table = tables.sheet_band
        if before:
            self._connection.execute(
                delete(table).where(
                    table.c.key.in_(band_keys(before)), table.c.sheet_id == sheet_id
                )
            )
        if after:
            rows = [{"key": key, "sheet_id": sheet_id} for key in band_keys(after)]
            self._connection.execute(insert(table), rows)

    def record(self, event: Event) -> None:
        """Append an event to its subject's chain."""
        append(self._connection, event, event.at or self._clock.now())

    def uid(self, purpose: str) -> str:
        """Return the UID minted for a purpose; minted under 2.25 the first time (PS3.5 B.2).

        Two who mint for one purpose at the same time get the same: the second waits, and reads.
        """
        table = tables.minted_uid
        query = select(table.c.uid).where(table.c.purpose == purpose)
        found = self._connection.execute(query).scalar_one_or_none()
        if found is None:
            minted = f"2.25.{uuid.uuid4().int}"
            self._connection.execute(
                self._insert(table)
                .values(purpose=purpose, uid=minted)
                .on_conflict_do_nothing(index_elements=["purpose"])
            )
            found = self._connection.execute(query).scalar_one()
        return str(found)

    def known_uid(self, purpose: str) -> str | None:
        """Return the UID minted or kept for a purpose; None where there is none yet."""
        table = tables.minted_uid
        query = select(table.c.uid).where(table.c.purpose == purpose)
        return self._connection.execute(query).scalar_one_or_none()

    def bind_uid(self, purpose: str, uid: str) -> str:
        """Keep a UID for a purpose unless one was minted or kept before; return the one that is."""
        self._connection.execute(
            self._insert(tables.minted_uid)
            .values(purpose=purpose, uid=uid)
            .on_conflict_do_nothing()
        )
        return self.uid(purpose)

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that can tell what to do about a row that is there already."""
        if self._connection.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    def _all(self, kind: type[R], query: Select[Any]) -> tuple[R, ...]:
        return tuple(_record(kind, row) for row in self._connection.execute(query))


# Built once: building a statement costs more than running it.
_MINE = {
    kind: table.c[tables.KEY[kind]] == bindparam("own") for kind, table in tables.TABLES.items()
}
_ONE = {kind: select(table).where(_MINE[kind]) for kind, table in tables.TABLES.items()}
_JUDGED = {
    kind: select(
        *(table.c[name] for name in ("version", "state", "fingerprint") if name in table.c)
    ).where(_MINE[kind])
    for kind, table in tables.TABLES.items()
}
"""What decides whether a record may be changed."""
_CHANGE = {
    kind: update(table).where(_MINE[kind], table.c.version == bindparam("seen_version"))
    for kind, table in tables.TABLES.items()
}


def _check_transition(
    kind: str, id: str, before: State, after: State, table: Mapping[State, frozenset[State]]
) -> None:
    if after is not before and after not in table[before]:
        raise IllegalTransition(f"{kind} {id}: {before.value} to {after.value}.")


def _record(kind: type[R], row: Row[Any]) -> R:
    return replace(decode(kind, row.body), version=row.version)


def columns_of(record: Record) -> dict[str, Any]:
    """Return the values of the columns that a record's table has beside its body."""
    table = tables.TABLES[type(record)]
    skipped = {"version", "serial", "body"}
    if isinstance(record, Sheet):
        skipped |= {"filed_class", "doubt"}
    values = {
        column.name: getattr(record, column.name)
        for column in table.columns
        if column.name not in skipped
    }
    if isinstance(record, Sheet):
        decision = record.decision
        values |= {"filed_class": None, "doubt": None}
        if decision is not None and decision.decided_by == "auto":
            values["filed_class"] = decision.evidence_class or "earlier"
            values["doubt"] = 1.0 - (decision.posterior or 0.0)
    if isinstance(record, Jacket):
        values["box"] = record.box or ""
    return values
