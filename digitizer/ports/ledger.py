"""The ledger: one transaction, and who works on what."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from digitizer.model.density import ScannerProfile
from digitizer.model.older import OldCommitment, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code
from digitizer.model.records import (
    Batch,
    BlindReview,
    Capture,
    ClassStanding,
    Commitment,
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
from digitizer.model.states import State
from digitizer.model.users import User
from digitizer.ports.records import Records

__all__ = ["FilmQueries", "Ledger", "OlderQueries", "Tasks", "Transaction"]


class FilmQueries(Protocol):
    """Questions about films: batches, jackets, scans, sheets and their captures."""

    def batch_named(self, name: str) -> Batch | None:
        """Look a batch up by its name."""
        ...

    def batches(self) -> tuple[Batch, ...]:
        """List all batches, the oldest first."""
        ...

    def users(self) -> tuple[User, ...]:
        """List all users of the console, the first made first."""
        ...

    def jackets(self, batch_id: str) -> tuple[Jacket, ...]:
        """List the jackets of a batch in feeding order."""
        ...

    def jackets_named(self, name: str, box: str | None = None) -> tuple[Jacket, ...]:
        """Find jackets by name (and box) in all batches."""
        ...

    def jackets_of_box(self, box: str) -> tuple[Jacket, ...]:
        """List the jackets of a box in all batches, in the order they were begun."""
        ...

    def scans(
        self, *, batch_id: str | None = None, jacket_id: str | None = None
    ) -> tuple[Scan, ...]:
        """List scans in feeding order."""
        ...

    def scan_of_source(self, batch_id: str, source: str) -> Scan | None:
        """Find the scan taken in from this path of the batch."""
        ...

    def first_scan_of_hash(self, sha256: str) -> Scan | None:
        """Find the scan that holds these bytes and is not itself a duplicate."""
        ...

    def sheets(
        self,
        *,
        batch_id: str | None = None,
        jacket_id: str | None = None,
        scan_id: str | None = None,
        state: State | None = None,
        limit: int | None = None,
    ) -> tuple[Sheet, ...]:
        """List sheets in feeding order (scan position, then index)."""
        ...

    def sheets_of_patient(self, issuer: str, patient_id: str) -> tuple[Sheet, ...]:
        """List the sheets decided for a patient, in whatever jacket, but those that ended."""
        ...

    def sheets_with_fingerprint_near(self, fingerprint: str, distance: int) -> tuple[Sheet, ...]:
        """Find sheets whose perceptual hash differs in at most ``distance`` bits."""
        ...

    def captures(self, sheet_id: str) -> tuple[Capture, ...]:
        """List the captures made of a sheet, superseded ones too."""
        ...

    def deliveries(self, sop_instance_uid: str) -> tuple[Delivery, ...]:
        """List the attempts to store a capture."""
        ...

    def commitments(
        self, *, sop_instance_uid: str | None = None, pending: bool | None = None
    ) -> tuple[Commitment, ...]:
        """List commitment requests, of one capture or all, pending ones or all."""
        ...

    def profiles(self, scanner: str | None = None) -> tuple[ScannerProfile, ...]:
        """List the calibrations of a scanner, or of all, the oldest first."""
        ...

    def scanners(self) -> tuple[str, ...]:
        """List the serial numbers that scans bear; "" is the site's one digitizer."""
        ...

    def latest_scans(self, scanner: str, most: int) -> tuple[Scan, ...]:
        """List the newest scans of a scanner, the newest first."""
        ...

    def filed_by_class(self) -> dict[str, tuple[int, float]]:
        """Count what was filed by itself in each class of evidence, and sum its (1 - p)."""
        ...

    def blind_reviews(
        self, *, open_only: bool = False, sheet_id: str | None = None
    ) -> tuple[BlindReview, ...]:
        """List blind reviews, of one sheet or all, the oldest first."""
        ...

    def standings(self) -> tuple[ClassStanding, ...]:
        """List the classes of evidence that were ever stopped."""
        ...

    def verifications(self, sop_instance_uid: str) -> tuple[Verification, ...]:
        """List the read-backs of a capture."""
        ...

    def events(self, subject: str) -> tuple[Event, ...]:
        """List what happened to a subject, in order."""
        ...

    def counts(self, batch_id: str | None = None) -> dict[str, dict[State, int]]:
        """Count the states that ``scans`` show, and those of ``films`` (the film sheets).

        A scan shows its own state until it is read, then that of its least advanced sheet.
        """
        ...

    def next_position(self, kind: type[Jacket] | type[Scan], batch_id: str) -> int:
        """Return the position behind the last jacket or scan of a batch."""
        ...


class OlderQueries(Protocol):
    """Questions about older archives, and the rows of their instances."""

    def old_source_named(self, name: str) -> Source | None:
        """Look an older archive up by its name."""
        ...

    def old_sources(self) -> tuple[Source, ...]:
        """List the older archives, the first added first."""
        ...

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
        ...

    def old_studies_naming(self, numbers: Sequence[str]) -> tuple[OldStudy, ...]:
        """List older studies of nobody yet that a record number stands in, whoever issued it."""
        ...

    def old_studies_to_feed(self, source_id: str, limit: int) -> tuple[OldStudy, ...]:
        """List older studies that nothing was begun with."""
        ...

    def old_studies_by_state(self, source_id: str) -> dict[State, int]:
        """Count the studies of a source by state."""
        ...

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
        ...

    def old_instances_with_uid(self, uids: Iterable[str]) -> tuple[OldInstance, ...]:
        """Find the instances of these SOP Instance UIDs, in all sources."""
        ...

    def old_instances_at(self, source_id: str, places: Iterable[str]) -> tuple[OldInstance, ...]:
        """Return what is known of these places of a source."""
        ...

    def forget_old_instances(self, source_id: str, places: Iterable[str]) -> None:
        """Delete rows of files that a list named wrongly as missing."""
        ...

    def old_tally(self, source_id: str) -> dict[tuple[State, str], tuple[int, int]]:
        """Count the instances of a source, and their bytes, by state and code."""
        ...

    def old_filed(self, source_id: str) -> dict[tuple[str, bool], int]:
        """Count the instances that go to the archive, by state and by whether decided."""
        ...

    def old_decided(self, study_ids: Iterable[str]) -> frozenset[str]:
        """Return which of some older studies have a patient."""
        ...

    def old_taken_of_studies(self, source_id: str, states: Sequence[State]) -> int:
        """Count the instances in some states that belong to the studies of a source."""
        ...

    def old_open_duplicates(self, source_id: str) -> int:
        """Count the duplicates of a source whose first is not verified."""
        ...

    def old_reasons(self, source_id: str, state: State) -> dict[str, int]:
        """Count the studies of a source that are in a state by their first reason."""
        ...

    def write_old_instances(self, rows: Iterable[OldInstance]) -> None:
        """Insert instances, or write them anew where source and place are known."""
        ...

    def old_commitments(
        self, study_id: str | None = None, *, pending: bool | None = None
    ) -> tuple[OldCommitment, ...]:
        """List the commitment requests of an older study, or of all."""
        ...


class Tasks(Protocol):
    """What is due, and what people ordered of it."""

    def schedule(self, stage: Stage, subject: str, due_at: datetime | None = None) -> None:
        """Make a stage due (now by default); scheduling it again only moves ``due_at``."""
        ...

    def unschedule(self, stage: Stage, subject: str) -> None:
        """Delete the task of a stage that is done or no longer wanted."""
        ...

    def task(self, stage: Stage, subject: str) -> Task | None:
        """Look up one task."""
        ...

    def task_counts(self) -> dict[Stage, int]:
        """Count the tasks of each stage that has any."""
        ...

    def pending_commitments(self) -> int:
        """Count the commitment requests that nobody has answered."""
        ...

    def tasks(self, *, subjects: Iterable[str] | None = None) -> tuple[Task, ...]:
        """List tasks, of some subjects or all."""
        ...

    def orders(self) -> tuple[WorkOrder, ...]:
        """List what was ever ordered of all work or of a batch, resumed ones too."""
        ...

    def hurry(self, jacket_id: str, urgent: bool) -> None:
        """Let the tasks of a jacket overtake others, or not any more."""
        ...

    def urgent_jackets(self) -> tuple[Jacket, ...]:
        """List the jackets whose work overtakes, the first made first."""
        ...

    def may_start(self, *, batch_id: str | None = None) -> int:
        """Count the tasks, of a batch or all, that no order keeps from being begun."""
        ...


class Transaction(Records, FilmQueries, OlderQueries, Tasks, Protocol):
    """One unit of change: rows, events and tasks are written together or not at all."""


class Ledger(Protocol):
    """The database: the truth about everything."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a write transaction; commits at the end, rolls back on an exception."""
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """Open a consistent read-only view."""
        ...

    def lease(self, stage: Stage, subject: str, owner: str, seconds: float) -> Task | None:
        """Take the lease of a due task and count the attempt, in a transaction of its own.

        None when there is no such task, it is not due yet, somebody else holds a live lease, or
        people have paused its work.
        """
        ...

    def lease_in_turn(
        self, stage: Stage, subject: str, pool: Iterable[Stage], owner: str, seconds: float
    ) -> Task | None:
        """Do the same for whatever is its turn among the due tasks of some stages.

        While a task of an urgent jacket is due, four turns of five go to the oldest of these and
        the fifth to another; else the turn is that of the task named.
        """
        ...

    def release(
        self, task: Task, *, due_at: datetime, why: str = "", count_attempt: bool = True
    ) -> None:
        """Give a lease back; the task is due again at ``due_at``."""
        ...

    def due(self, now: datetime, limit: int = 1000) -> tuple[Task, ...]:
        """List tasks due, not under a live lease and not paused (for the reaper).

        Those of urgent jackets come first, then the oldest.
        """
        ...

    def leased(self, now: datetime) -> tuple[Task, ...]:
        """List tasks under a live lease (for the reaper)."""
        ...

    def verify_chain(self, subject: str) -> bool:
        """Tell whether the events of a subject still hash to what was written."""
        ...
