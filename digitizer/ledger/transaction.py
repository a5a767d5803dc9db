"""One transaction of the ledger: rows, their events and their tasks, together or not at all."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from digitizer.errors import IllegalTransition, StaleRecord, UnknownRecord
from digitizer.ledger import older_rows, tables
from digitizer.ledger.chain import append, events_of
from digitizer.ledger.codec import decode, encode
from digitizer.ledger.likeness import band_keys, distance_of, search_for
from digitizer.ledger.standing_rows import write_standing
from digitizer.ledger.turns import allowed, place_of
from digitizer.model.density import ScannerProfile
from digitizer.model.film import SheetKind
from digitizer.model.older import OldCommitment, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code, Reason
from digitizer.model.records import (
    Batch,
    BlindReview,
    Capture,
    ClassStanding,
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
    WorkOrder,
)
from digitizer.model.states import ENDS, OLD_TRANSITIONS, RANK, TRANSITIONS, State
from digitizer.model.users import User
from digitizer.ports import Clock, R, Record

__all__ = ["SqlTransaction", "stamp", "task_of"]

_OF_RANK = {rank: state for state, rank in RANK.items()}


def stamp(at: datetime) -> float:
    """Return seconds since 1970."""
    return at.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def task_of(row: Row[Any]) -> Task:
    """Return a task row as a task."""
    return Task(
        stage=Stage(row.stage),
        subject=row.subject,
        due_at=_moment(row.due_at),
        attempts=row.attempts,
        lease_owner=row.lease_owner,
        lease_until=None if row.lease_until is None else _moment(row.lease_until),
        reason=_reason(row.why) if row.why else None,
    )


def _reason(why: str) -> Reason:
    """Return why a task waits; the words may begin with their code: ``disk_full: ...``."""
    head, colon, words = why.partition(": ")
    if colon and head in {code.value for code in Code}:
        return Reason(Code(head), words)
    return Reason(Code.LEDGER_BUSY if "ledger" in why else Code.ARCHIVE_UNREACHABLE, why)


class SqlTransaction:
    """Implements :class:`digitizer.ports.Transaction`."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    # -- records -----------------------------------------------------------------------------

    def get(self, kind: type[R], id: str) -> R:
        """Load one record."""
        row = self._connection.execute(_ONE[kind], {"own": id}).one_or_none()
        if row is None:
            raise UnknownRecord(f"There is no {kind.__name__.lower()} {id}.")
        return _record(kind, row)

    def add(self, record: Record, event: Event) -> None:
        """Insert a record and append its event."""
        table = tables.TABLES[type(record)]
        serial = self._connection.execute(
            select(func.coalesce(func.max(table.c.serial), 0) + 1)
        ).scalar_one()
        self._connection.execute(
            insert(table),
            _columns(record) | {"version": 0, "serial": serial, "body": encode(record)},
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
            raise UnknownRecord(f"There is no {kind.__name__.lower()} {own}.")
        if before.version != record.version:
            raise StaleRecord(f"{kind.__name__} {own} was changed by somebody else.")
        if isinstance(record, Scan | Sheet | OldStudy):
            table_of = OLD_TRANSITIONS if isinstance(record, OldStudy) else TRANSITIONS
            _check_transition(kind.__name__, own, State(before.state), record.state, table_of)
        written = self._connection.execute(
            _CHANGE[kind],
            _columns(record)
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

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that can tell what to do about a row that is there already."""
        if self._connection.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

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

    def users(self) -> tuple[User, ...]:
        """List all users, the first made first."""
        return self._all(User, select(tables.account).order_by(tables.account.c.serial))

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

    def jackets_of_box(self, box: str) -> tuple[Jacket, ...]:
        """List the jackets of a box in all batches, in the order they were begun."""
        table = tables.jacket
        query = select(table).where(table.c.box == box).order_by(table.c.serial)
        return self._all(Jacket, query)

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

    def sheets_of_patient(self, issuer: str, patient_id: str) -> tuple[Sheet, ...]:
        """List the sheets decided for a patient, in whatever jacket, but those that ended."""
        table, row = tables.sheet, tables.standing.c
        query = select(table).join(tables.standing, row.subject == table.c.id)
        query = query.where(row.patient_id == patient_id, row.issuer == issuer)
        query = query.where(table.c.state.not_in([state.value for state in ENDS]))
        return self._all(Sheet, query.order_by(table.c.serial))

    def sheets_with_fingerprint_near(self, fingerprint: str, distance: int) -> tuple[Sheet, ...]:
        """Find sheets whose perceptual hash differs in at most ``distance`` bits.

        Only sheets that share bands of the hash are compared (:mod:`digitizer.ledger.likeness`).
        """
        table, band = tables.sheet, tables.sheet_band
        query = select(table.c.id, table.c.fingerprint).where(table.c.fingerprint != "")
        search = search_for(fingerprint, distance)
        if search is not None:
            alike = (
                select(band.c.sheet_id)
                .where(band.c.key.in_(search.keys))
                .group_by(band.c.sheet_id)
                .having(func.count() >= search.shared)
            )
            query = query.where(table.c.id.in_(alike))
        near = [
            row.id
            for row in self._connection.execute(query)
            if distance_of(row.fingerprint, fingerprint) <= distance
        ]
        found: list[Sheet] = []
        for ids in _chunks(near):
            wanted = select(table).where(table.c.id.in_(ids)).order_by(table.c.serial)
            found += self._all(Sheet, wanted)
        return tuple(found)

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

    def profiles(self, scanner: str | None = None) -> tuple[ScannerProfile, ...]:
        """List the calibrations of a scanner, or of all, the oldest first."""
        table = tables.scanner_profile
        query = select(table).order_by(table.c.serial)
        if scanner is not None:
            query = query.where(table.c.scanner == scanner)
        return self._all(ScannerProfile, query)

    def scanners(self) -> tuple[str, ...]:
        """List the serial numbers that scans bear; "" is the site's one digitizer."""
        return tuple(self._connection.scalars(select(tables.scan.c.scanner).distinct()))

    def latest_scans(self, scanner: str, most: int) -> tuple[Scan, ...]:
        """List the newest scans of a scanner, the newest first."""
        table = tables.scan
        query = select(table).where(table.c.scanner == scanner)
        return self._all(Scan, query.order_by(table.c.serial.desc()).limit(most))

    def filed_by_class(self) -> dict[str, tuple[int, float]]:
        """Count what was filed by itself in each class of evidence, and sum its (1 - p)."""
        table = tables.sheet
        query = select(table.c.filed_class, func.count(), func.sum(table.c.doubt))
        query = query.where(table.c.filed_class.is_not(None)).group_by(table.c.filed_class)
        rows = self._connection.execute(query)
        return {kind: (int(n), float(doubt or 0.0)) for kind, n, doubt in rows}

    def blind_reviews(
        self, *, open_only: bool = False, sheet_id: str | None = None
    ) -> tuple[BlindReview, ...]:
        """List blind reviews, of one sheet or all, the oldest first."""
        table = tables.blind_review
        query = select(table).order_by(table.c.serial)
        if open_only:
            query = query.where(table.c.answer == "")
        if sheet_id is not None:
            query = query.where(table.c.sheet_id == sheet_id)
        return self._all(BlindReview, query)

    def standings(self) -> tuple[ClassStanding, ...]:
        """List the classes of evidence that were ever stopped."""
        table = tables.class_standing
        return self._all(ClassStanding, select(table).order_by(table.c.serial))

    def verifications(self, sop_instance_uid: str) -> tuple[Verification, ...]:
        """List the read-backs of a capture."""
        table = tables.verification
        query = select(table).where(table.c.sop_instance_uid == sop_instance_uid)
        return self._all(Verification, query.order_by(table.c.serial))

    def events(self, subject: str) -> tuple[Event, ...]:
        """List what happened to a subject, in order."""
        return events_of(self._connection, subject)

    def counts(self, batch_id: str | None = None) -> dict[str, dict[State, int]]:
        """Count the states scans show (once read, that of their least advanced sheet) and films."""
        scan, sheet = tables.scan, tables.sheet
        rank = case({state.value: n for state, n in RANK.items()}, value=sheet.c.state)
        lowest = (
            select(sheet.c.scan_id, func.min(rank).label("rank"))
            .where(*([] if batch_id is None else [sheet.c.batch_id == batch_id]))
            .group_by(sheet.c.scan_id)
            .subquery()
        )
        read = scan.c.state == State.READ.value
        # A scan that is not read yet shows its own state, whatever its sheets' are.
        query = select(scan.c.state, lowest.c.rank, func.count())
        query = query.outerjoin(lowest, and_(lowest.c.scan_id == scan.c.id, read))
        films = select(sheet.c.state, func.count()).where(sheet.c.kind == SheetKind.FILM.value)
        if batch_id is not None:
            query = query.where(scan.c.batch_id == batch_id)
            films = films.where(sheet.c.batch_id == batch_id)
        scans: Counter[State] = Counter()
        for own, least, n in self._connection.execute(query.group_by(scan.c.state, lowest.c.rank)):
            scans[State(own) if least is None else _OF_RANK[least]] += n
        rows = self._connection.execute(films.group_by(sheet.c.state))
        return {"scans": dict(scans), "films": {State(state): n for state, n in rows}}

    def next_position(self, kind: type[Jacket] | type[Scan], batch_id: str) -> int:
        """Return the position behind the last jacket or scan of a batch."""
        table = tables.TABLES[kind]
        query = select(func.max(table.c.position)).where(table.c.batch_id == batch_id)
        last = self._connection.execute(query).scalar_one()
        return 0 if last is None else int(last) + 1

    # -- older archives ----------------------------------------------------------------------

    def old_source_named(self, name: str) -> Source | None:
        """Look an older archive up by its name."""
        table = tables.old_source
        found = self._all(Source, select(table).where(table.c.name == name))
        return found[0] if found else None

    def old_sources(self) -> tuple[Source, ...]:
        """List the older archives, the first added first."""
        return self._all(Source, select(tables.old_source).order_by(tables.old_source.c.serial))

    def old_studies(
        self,
        *,
        source_id: str | None = None,
        states: Sequence[State] = (),
        code: Code | None = None,
        patient: tuple[str, str] | None = None,
        uids: Sequence[str] | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> tuple[OldStudy, ...]:
        """List older studies in the order of their ids, after one; ``patient`` as (issuer, id)."""
        query = older_rows.studies(
            source_id=source_id,
            states=states,
            code=code,
            patient=patient,
            uids=uids,
            after=after,
            limit=limit,
        )
        return self._all(OldStudy, query)

    def old_studies_to_feed(self, source_id: str, limit: int) -> tuple[OldStudy, ...]:
        """List older studies that nothing was begun with."""
        return self._all(OldStudy, older_rows.studies_to_feed(source_id, limit))

    def old_studies_by_state(self, source_id: str) -> dict[State, int]:
        """Count the studies of a source by state."""
        return older_rows.studies_by_state(self._connection, source_id)

    def old_instances(
        self,
        *,
        source_id: str | None = None,
        study_id: str | None = None,
        states: Sequence[State] = (),
        code: Code | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> tuple[OldInstance, ...]:
        """List instances of older archives in the order of their places, after one of them."""
        return older_rows.instances(
            self._connection,
            source_id=source_id,
            study_id=study_id,
            states=states,
            code=code,
            after=after,
            limit=limit,
        )

    def old_instances_with_uid(self, uids: Iterable[str]) -> tuple[OldInstance, ...]:
        """Find the instances of these SOP Instance UIDs, in all sources."""
        return older_rows.instances_with_uid(self._connection, uids)

    def old_instances_at(self, source_id: str, places: Iterable[str]) -> tuple[OldInstance, ...]:
        """Return what is known of these places of a source."""
        return older_rows.instances_at(self._connection, source_id, places)

    def forget_old_instances(self, source_id: str, places: Iterable[str]) -> None:
        """Delete rows of files that a list named wrongly as missing."""
        older_rows.forget(self._connection, source_id, places)

    def old_tally(self, source_id: str) -> dict[tuple[State, str], tuple[int, int]]:
        """Count the instances of a source, and their bytes, by state and code."""
        return older_rows.tally(self._connection, source_id)

    def old_filed(self, source_id: str) -> dict[tuple[str, bool], int]:
        """Count the instances that go to the archive, by state and by whether decided."""
        return older_rows.filed(self._connection, source_id)

    def old_decided(self, study_ids: Iterable[str]) -> frozenset[str]:
        """Return which of some older studies have a patient."""
        return older_rows.decided(self._connection, study_ids)

    def old_taken_of_studies(self, source_id: str, states: Sequence[State]) -> int:
        """Count the instances in some states that belong to the studies of a source."""
        return older_rows.taken_of_studies(self._connection, source_id, states)

    def old_open_duplicates(self, source_id: str) -> int:
        """Count the duplicates of a source whose first is not verified."""
        return older_rows.open_duplicates(self._connection, source_id)

    def old_review(self, source_id: str) -> dict[str, int]:
        """Count the studies in review by their first reason."""
        return older_rows.review(self._connection, source_id)

    def write_old_instances(self, rows: Iterable[OldInstance]) -> None:
        """Insert instances, or write them anew where source and place are known."""
        older_rows.write_instances(self._connection, rows)

    def old_commitments(
        self, study_id: str | None = None, *, pending: bool | None = None
    ) -> tuple[OldCommitment, ...]:
        """List the commitment requests of an older study, or of all."""
        return self._all(OldCommitment, older_rows.commitments_of(study_id, pending=pending))

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

    # -- tasks -------------------------------------------------------------------------------

    def schedule(self, stage: Stage, subject: str, due_at: datetime | None = None) -> None:
        """Make a stage due (now by default); a live lease is not disturbed.

        Scheduled again, a task that waits moves to ``due_at``. One that is due already stays due:
        requests that keep coming cannot put it off for ever. One under a lease will be due at
        ``due_at`` when the lease ends, whatever its holder does (see :meth:`unschedule`).
        """
        now = stamp(self._clock.now())
        self._connection.execute(
            _due(self._connection.dialect.name),
            {
                "stage": stage.value,
                "subject": subject,
                "due_at": now if due_at is None else stamp(due_at),
                "now": now,
                **place_of(self._connection, stage, subject),
            },
        )

    def unschedule(self, stage: Stage, subject: str) -> None:
        """Delete a task that is done or no longer wanted.

        One that was scheduled again since its lease was taken is freed instead, to be done once
        more from the start: what asked for it may have come too late for the work just done.
        """
        mine = {"of_stage": stage.value, "of_subject": subject}
        # In this order: the deletion waits for a schedule under way elsewhere and judges the row
        # that it left; an update first would, on PostgreSQL, pass over the row as it was.
        if self._connection.execute(_DONE, mine).rowcount == 0:
            self._connection.execute(_FREED, mine)

    def task(self, stage: Stage, subject: str) -> Task | None:
        """Look up one task."""
        table = tables.task
        row = self._connection.execute(
            select(table).where(table.c.stage == stage.value, table.c.subject == subject)
        ).one_or_none()
        return None if row is None else task_of(row)

    def task_counts(self) -> dict[Stage, int]:
        """Count the tasks of each stage that has any."""
        table = tables.task
        rows = self._connection.execute(
            select(table.c.stage, func.count()).group_by(table.c.stage).order_by(table.c.stage)
        )
        return {Stage(stage): int(n) for stage, n in rows}

    def pending_commitments(self) -> int:
        """Count the commitment requests that nobody has answered."""
        table = tables.commitment
        query = select(func.count()).where(table.c.state == CommitmentState.PENDING.value)
        return int(self._connection.scalar(query) or 0)

    def tasks(self, *, subjects: Iterable[str] | None = None) -> tuple[Task, ...]:
        """List tasks, of some subjects or all, the first due first."""
        table = tables.task
        query = select(table).order_by(table.c.due_at, table.c.stage, table.c.subject)
        if subjects is None:
            return tuple(task_of(row) for row in self._connection.execute(query))
        found = [
            task_of(row)
            for some in _chunks(sorted(set(subjects)))
            for row in self._connection.execute(query.where(table.c.subject.in_(some)))
        ]
        return tuple(sorted(found, key=lambda one: (one.due_at, one.stage, one.subject)))

    # -- what people ordered -----------------------------------------------------------------

    def orders(self) -> tuple[WorkOrder, ...]:
        """List what was ever ordered of all work or of a batch."""
        return self._all(WorkOrder, select(tables.work_order).order_by(tables.work_order.c.serial))

    def hurry(self, jacket_id: str, urgent: bool) -> None:
        """Let the tasks of a jacket overtake others, or not any more."""
        row = tables.task
        mine = row.c.jacket_id == jacket_id
        self._connection.execute(update(row).where(mine).values(urgent=urgent))

    def urgent_jackets(self) -> tuple[Jacket, ...]:
        """List the jackets whose work overtakes, the first made first."""
        table = tables.jacket
        return self._all(Jacket, select(table).where(table.c.urgent).order_by(table.c.serial))

    def may_start(self, *, batch_id: str | None = None) -> int:
        """Count the tasks, of a batch or all, that no order keeps from being begun."""
        row = tables.task
        query = select(func.count()).select_from(row).where(allowed(self._connection))
        if batch_id is not None:
            query = query.where(row.c.batch_id == batch_id)
        return int(self._connection.scalar(query) or 0)


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
_TASK = tables.task
_MY_TASK = and_(_TASK.c.stage == bindparam("of_stage"), _TASK.c.subject == bindparam("of_subject"))
_AGAIN = and_(
    _TASK.c.leased_generation.is_not(None), _TASK.c.leased_generation != _TASK.c.generation
)
_DONE = delete(_TASK).where(_MY_TASK, not_(_AGAIN))
_FREED = (
    update(_TASK)
    .where(_MY_TASK)
    .values(lease_owner=None, lease_until=None, leased_generation=None, attempts=0)
)


@cache
def _due(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return the statement that makes a task due, whether it is there already or not."""
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    names = ("stage", "subject", "due_at", "batch_id", "jacket_id", "urgent")
    new = make(_TASK).values(
        {name: bindparam(name) for name in names} | {"attempts": 0, "generation": 0, "why": ""}
    )
    now = bindparam("now", type_=_TASK.c.due_at.type)
    leased = and_(_TASK.c.lease_until.is_not(None), _TASK.c.lease_until > now)
    asked = new.excluded
    return new.on_conflict_do_update(
        index_elements=["stage", "subject"],
        set_={
            "due_at": case(
                (and_(_TASK.c.due_at <= now, ~leased), _TASK.c.due_at), else_=asked.due_at
            ),
            "generation": _TASK.c.generation + 1,
            "why": "",
            **{name: asked[name] for name in ("batch_id", "jacket_id", "urgent")},
        },
    )


_CHUNK = 10_000
"""Values of one statement: below the limits of SQLite (32,766) and PostgreSQL (65,535)."""


def _chunks(values: list[str]) -> list[list[str]]:
    return [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]


def _check_transition(
    kind: str, id: str, before: State, after: State, table: Mapping[State, frozenset[State]]
) -> None:
    if after is not before and after not in table[before]:
        raise IllegalTransition(f"{kind} {id}: {before.value} to {after.value}.")


def _record(kind: type[R], row: Row[Any]) -> R:
    return replace(decode(kind, row.body), version=row.version)


def _columns(record: Record) -> dict[str, Any]:
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
