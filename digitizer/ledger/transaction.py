"""One transaction of the ledger: rows, their events and their tasks, together or not at all."""

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, case, delete, func, insert, select, update

from digitizer.errors import IllegalTransition, StaleRecord, UnknownRecord
from digitizer.ledger import tables
from digitizer.ledger.codec import decode, encode
from digitizer.model.film import SheetKind
from digitizer.model.reasons import Code, Reason
from digitizer.model.records import (
    Batch,
    Capture,
    Commitment,
    CommitmentState,
    Delivery,
    Event,
    Jacket,
    Scan,
    Sheet,
    Stage,
    Task,
    Verification,
)
from digitizer.model.states import TRANSITIONS, State
from digitizer.ports import Clock, R, Record

__all__ = ["SqlTransaction", "chained", "stamp", "task_of"]


def stamp(at: datetime) -> float:
    """Return seconds since 1970."""
    return at.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def chained(
    previous: str, subject: str, sequence: int, at: str, name: str, actor: str, payload: str
) -> str:
    """Return the hash of an event, which covers the hash of the one before it."""
    content = json.dumps([previous, subject, sequence, at, name, actor, payload])
    return hashlib.sha256(content.encode()).hexdigest()


def task_of(row: Row[Any]) -> Task:
    """Return a task row as a task."""
    return Task(
        stage=Stage(row.stage),
        subject=row.subject,
        due_at=_moment(row.due_at),
        attempts=row.attempts,
        lease_owner=row.lease_owner,
        lease_until=None if row.lease_until is None else _moment(row.lease_until),
        reason=Reason(Code.ARCHIVE_UNREACHABLE, row.why) if row.why else None,
    )


class SqlTransaction:
    """Implements :class:`digitizer.ports.Transaction`."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    # -- records -----------------------------------------------------------------------------

    def get(self, kind: type[R], id: str) -> R:
        """Load one record."""
        table, key = tables.TABLES[kind], tables.KEY[kind]
        row = self._connection.execute(select(table).where(table.c[key] == id)).one_or_none()
        if row is None:
            raise UnknownRecord(f"There is no {kind.__name__.lower()} {id}.")
        return _record(kind, row)

    def add(self, record: Record, event: Event) -> None:
        """Insert a record and append its event."""
        kind = type(record)
        table = tables.TABLES[kind]
        serial = self._connection.execute(
            select(func.coalesce(func.max(table.c.serial), 0) + 1)
        ).scalar_one()
        self._connection.execute(
            insert(table).values(**_columns(record), version=0, serial=serial, body=encode(record))
        )
        self.record(event)

    def save(self, record: R, event: Event) -> R:
        """Write a changed record when nobody changed it first, and append its event."""
        kind = type(record)
        table, key = tables.TABLES[kind], tables.KEY[kind]
        id = getattr(record, key)
        if isinstance(record, Scan | Sheet):
            self._check_transition(type(record), id, record.state)
        written = self._connection.execute(
            update(table)
            .where(table.c[key] == id, table.c.version == record.version)
            .values(**_columns(record), version=record.version + 1, body=encode(record))
        )
        if written.rowcount != 1:
            raise StaleRecord(f"{kind.__name__} {id} was changed by somebody else.")
        self.record(event)
        return self.get(kind, id)

    def _check_transition(self, kind: type[Scan] | type[Sheet], id: str, state: State) -> None:
        table = tables.TABLES[kind]
        row = self._connection.execute(select(table.c.state).where(table.c.id == id)).one_or_none()
        if row is None:
            raise UnknownRecord(f"There is no {kind.__name__.lower()} {id}.")
        before = State(row.state)
        if state is not before and state not in TRANSITIONS[before]:
            raise IllegalTransition(f"{kind.__name__} {id}: {before.value} to {state.value}.")

    def record(self, event: Event) -> None:
        """Append an event to its subject's chain."""
        table = tables.event
        last = self._connection.execute(
            select(table.c.sequence, table.c.hash)
            .where(table.c.subject == event.subject)
            .order_by(table.c.sequence.desc())
            .limit(1)
        ).one_or_none()
        sequence, previous = (last.sequence + 1, last.hash) if last else (0, "")
        at = (event.at or self._clock.now()).isoformat()
        payload = json.dumps(event.payload, sort_keys=True, default=str)
        values = (event.subject, sequence, at, event.name, event.actor, payload)
        self._connection.execute(
            insert(table).values(
                **dict(
                    zip(
                        ("subject", "sequence", "at", "name", "actor", "payload"),
                        values,
                        strict=True,
                    )
                ),
                hash=chained(previous, *values),
            )
        )

    def uid(self, purpose: str) -> str:
        """Return the UID minted for a purpose; minted under 2.25 the first time (PS3.5 B.2)."""
        table = tables.minted_uid
        found = self._connection.execute(
            select(table.c.uid).where(table.c.purpose == purpose)
        ).scalar_one_or_none()
        if found is None:
            found = f"2.25.{uuid.uuid4().int}"
            self._connection.execute(insert(table).values(purpose=purpose, uid=found))
        return str(found)

    # -- queries -----------------------------------------------------------------------------

    def _all(self, kind: type[R], query: Select[Any]) -> tuple[R, ...]:
        return tuple(_record(kind, row) for row in self._connection.execute(query))

    def batch_named(self, name: str) -> Batch | None:
        """Look a batch up by its name."""
        found = self._all(Batch, select(tables.batch).where(tables.batch.c.name == name))
        return found[0] if found else None

    def batches(self) -> tuple[Batch, ...]:
        """List all batches, the oldest first."""
        return self._all(Batch, select(tables.batch).order_by(tables.batch.c.serial))

    def jackets(self, batch_id: str) -> tuple[Jacket, ...]:
        """List the jackets of a batch in feeding order."""
        table = tables.jacket
        query = select(table).where(table.c.batch_id == batch_id)
        return self._all(Jacket, query.order_by(table.c.position, table.c.serial))

    def jackets_named(self, name: str, box: str | None = None) -> tuple[Jacket, ...]:
        """Find jackets by name (and box) in all batches."""
        table = tables.jacket
        query = select(table).where(table.c.name == name).order_by(table.c.serial)
        return self._all(Jacket, query if box is None else query.where(table.c.box == box))

    def scans(
        self, *, batch_id: str | None = None, jacket_id: str | None = None
    ) -> tuple[Scan, ...]:
        """List scans in feeding order."""
        table = tables.scan
        query = select(table).order_by(table.c.batch_id, table.c.position)
        if batch_id is not None:
            query = query.where(table.c.batch_id == batch_id)
        if jacket_id is not None:
            query = query.where(table.c.jacket_id == jacket_id)
        return self._all(Scan, query)

    def scan_of_source(self, batch_id: str, source: str) -> Scan | None:
        """Find the scan taken in from this path of the batch."""
        table = tables.scan
        query = select(table).where(table.c.batch_id == batch_id, table.c.source == source)
        found = self._all(Scan, query)
        return found[0] if found else None

    def first_scan_of_hash(self, sha256: str) -> Scan | None:
        """Find the scan that holds these bytes and is not itself a duplicate."""
        table = tables.scan
        query = select(table).where(table.c.sha256 == sha256, table.c.duplicate_of.is_(None))
        found = self._all(Scan, query.order_by(table.c.serial).limit(1))
        return found[0] if found else None

    def sheets(
        self,
        *,
        batch_id: str | None = None,
        jacket_id: str | None = None,
        scan_id: str | None = None,
        state: State | None = None,
        limit: int | None = None,
    ) -> tuple[Sheet, ...]:
        """List sheets in feeding order."""
        table, of = tables.sheet, tables.scan
        query = select(table).join(of, of.c.id == table.c.scan_id)
        query = query.order_by(of.c.batch_id, of.c.position, table.c.index)
        for column, value in (
            (table.c.batch_id, batch_id),
            (table.c.jacket_id, jacket_id),
            (table.c.scan_id, scan_id),
            (table.c.state, state.value if state else None),
        ):
            if value is not None:
                query = query.where(column == value)
        return self._all(Sheet, query if limit is None else query.limit(limit))

    def sheets_with_fingerprint_near(self, fingerprint: str, distance: int) -> tuple[Sheet, ...]:
        """Find sheets whose perceptual hash differs in at most ``distance`` bits.

        All fingerprints are read and compared here: 40 bytes a film, some 0.3 s at a million.
        """
        table = tables.sheet
        wanted = int(fingerprint, 16)
        rows = self._connection.execute(
            select(table.c.id, table.c.fingerprint).where(
                table.c.fingerprint != "", func.length(table.c.fingerprint) == len(fingerprint)
            )
        )
        near = [
            row.id for row in rows if (int(row.fingerprint, 16) ^ wanted).bit_count() <= distance
        ]
        return tuple(self.get(Sheet, id) for id in near)

    def captures(self, sheet_id: str) -> tuple[Capture, ...]:
        """List the captures made of a sheet, superseded ones too."""
        table = tables.capture
        return self._all(
            Capture, select(table).where(table.c.sheet_id == sheet_id).order_by(table.c.serial)
        )

    def deliveries(self, sop_instance_uid: str) -> tuple[Delivery, ...]:
        """List the attempts to store a capture."""
        table = tables.delivery
        query = select(table).where(table.c.sop_instance_uid == sop_instance_uid)
        return self._all(Delivery, query.order_by(table.c.serial))

    def commitments(
        self, *, sop_instance_uid: str | None = None, pending: bool | None = None
    ) -> tuple[Commitment, ...]:
        """List commitment requests, of one capture or all, pending ones or all."""
        table = tables.commitment
        query = select(table).order_by(table.c.serial)
        if sop_instance_uid is not None:
            query = query.where(table.c.sop_instance_uid == sop_instance_uid)
        if pending is not None:
            is_pending = table.c.state == CommitmentState.PENDING.value
            query = query.where(is_pending if pending else ~is_pending)
        return self._all(Commitment, query)

    def verifications(self, sop_instance_uid: str) -> tuple[Verification, ...]:
        """List the read-backs of a capture."""
        table = tables.verification
        query = select(table).where(table.c.sop_instance_uid == sop_instance_uid)
        return self._all(Verification, query.order_by(table.c.serial))

    def events(self, subject: str) -> tuple[Event, ...]:
        """List what happened to a subject, in order."""
        table = tables.event
        query = select(table).where(table.c.subject == subject).order_by(table.c.sequence)
        return tuple(
            Event(
                subject=row.subject,
                name=row.name,
                actor=row.actor,
                payload=json.loads(row.payload),
                at=datetime.fromisoformat(row.at),
                sequence=row.sequence,
                hash=row.hash,
            )
            for row in self._connection.execute(query)
        )

    def counts(self, batch_id: str | None = None) -> dict[str, dict[State, int]]:
        """Count own states of scans and of film sheets."""
        found: dict[str, dict[State, int]] = {}
        for name, table in (("scans", tables.scan), ("films", tables.sheet)):
            query = select(table.c.state, func.count()).group_by(table.c.state)
            if batch_id is not None:
                query = query.where(table.c.batch_id == batch_id)
            if table is tables.sheet:
                query = query.where(table.c.kind == SheetKind.FILM.value)
            found[name] = {State(state): n for state, n in self._connection.execute(query)}
        return found

    # -- tasks -------------------------------------------------------------------------------

    def schedule(self, stage: Stage, subject: str, due_at: datetime | None = None) -> None:
        """Make a stage due; a live lease is not disturbed, and what is already due stays due."""
        table = tables.task
        now = stamp(self._clock.now())
        due = stamp(due_at) if due_at else now
        changed = self._connection.execute(
            update(table)
            .where(table.c.stage == stage.value, table.c.subject == subject)
            .values(
                due_at=case((table.c.due_at <= now, table.c.due_at), else_=due),
                generation=table.c.generation + 1,
                attempts=0,
                why="",
            )
        )
        if changed.rowcount == 0:
            self._connection.execute(
                insert(table).values(
                    stage=stage.value,
                    subject=subject,
                    due_at=due,
                    attempts=0,
                    generation=0,
                    why="",
                )
            )

    def unschedule(self, stage: Stage, subject: str) -> None:
        """Delete a task that is done; one scheduled anew since its lease is freed instead."""
        table = tables.task
        mine = (table.c.stage == stage.value) & (table.c.subject == subject)
        again = table.c.leased_generation.is_not(None) & (
            table.c.leased_generation != table.c.generation
        )
        # Waits for a schedule under way elsewhere; without it, PostgreSQL would choose by the row
        # as it was and delete the row as it is. (On SQLite the transaction is alone already.)
        self._connection.execute(select(table.c.stage).where(mine).with_for_update())
        freed = self._connection.execute(
            update(table)
            .where(mine, again)
            .values(lease_owner=None, lease_until=None, leased_generation=None)
        )
        if freed.rowcount == 0:
            self._connection.execute(delete(table).where(mine))

    def task(self, stage: Stage, subject: str) -> Task | None:
        """Look up one task."""
        table = tables.task
        row = self._connection.execute(
            select(table).where(table.c.stage == stage.value, table.c.subject == subject)
        ).one_or_none()
        return None if row is None else task_of(row)

    def tasks(self, *, subjects: Iterable[str] | None = None) -> tuple[Task, ...]:
        """List tasks, of some subjects or all."""
        table = tables.task
        query = select(table).order_by(table.c.due_at)
        if subjects is not None:
            query = query.where(table.c.subject.in_(list(subjects)))
        return tuple(task_of(row) for row in self._connection.execute(query))


def _record(kind: type[R], row: Row[Any]) -> R:


    return replace(decode(kind, row.body), version=row.version)


def _columns(record: Record) -> dict[str, Any]:
    """Return the values of the columns that a record's table has beside its body."""
    table = tables.TABLES[type(record)]
    skipped = {"version", "serial", "body"}
    return {name: getattr(record, name) for name in table.c.keys() if name not in skipped}
