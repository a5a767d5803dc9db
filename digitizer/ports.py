"""Contact with the world, as Protocols: who implements them is named in :mod:`digitizer.wiring`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from digitizer.errors import BadRow
from digitizer.model.density import ScannerProfile
from digitizer.model.identity import ExamDays, ExamRecord, JacketRecord, PatientRecord
from digitizer.model.instance import FoundStudy, Holdings, StoredInstance
from digitizer.model.older import (
    Encoded,
    OldCommitment,
    OldInstance,
    OldStudy,
    PeerInstance,
    PeerStudy,
    PictureRow,
    Sent,
    Source,
)
from digitizer.model.overview import (
    ArchiveTally,
    Filter,
    Flow,
    Lease,
    ScannerTally,
    Standing,
    Tally,
)
from digitizer.model.raster import Pixels, Raster
from digitizer.model.reading import Reading, Testimony
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
from digitizer.model.users import Session, User

__all__ = [
    "ArchiveSink",
    "Clock",
    "FileSource",
    "Ledger",
    "OlderSources",
    "Overview",
    "PatientIndex",
    "PeerSource",
    "PictureSource",
    "Record",
    "ReviewLeases",
    "ScanDecoder",
    "Sessions",
    "SheetReader",
    "Transaction",
    "Vault",
    "Waker",
]

Record = (
    Batch
    | Jacket
    | Scan
    | Sheet
    | Capture
    | Delivery
    | Commitment
    | Verification
    | ScannerProfile
    | BlindReview
    | ClassStanding
    | User
    | Source
    | OldStudy
    | OldCommitment
    | WorkOrder
)
R = TypeVar(
    "R",
    Batch,
    Jacket,
    Scan,
    Sheet,
    Capture,
    Delivery,
    Commitment,
    Verification,
    ScannerProfile,
    BlindReview,
    ClassStanding,
    User,
    Source,
    OldStudy,
    OldCommitment,
    WorkOrder,
)


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the present time, aware, in UTC."""
        ...

    def pause(self, seconds: float) -> None:
        """Let some time pass."""
        ...


class ScanDecoder(Protocol):
    """Turns the bytes of a scan into pixels without changing one."""

    def pages(self, path: Path) -> int:
        """Count the pages; raises :class:`~digitizer.errors.BadScan`."""
        ...

    def decode(self, path: Path, page: int = 0) -> Raster:
        """Decode one page as stored; raises :class:`~digitizer.errors.BadScan`."""
        ...


class SheetReader(Protocol):
    """Finds and reads text and barcodes, with every engine there is, as independent witnesses."""

    @property
    def versions(self) -> dict[str, str]:
        """Engine names and versions, kept with the evidence."""
        ...

    def read_label(self, picture: Pixels) -> Reading:
        """Read a label or document: shape (rows, columns) or (rows, columns, 3), uint8/uint16.

        Boxes are in pixels of ``picture``.
        """
        ...

    def read_film(self, picture: Pixels, dpi: float | None = None) -> Reading:
        """Read a film's ID block and markers in any of eight orientations.

        ``picture`` is the deskewed sheet at full resolution, grey, (rows, columns); ``dpi`` its
        resolution where the scan tells it. Boxes are in pixels of ``picture``; each line tells its
        own turn and mirror.
        """
        ...


class PatientIndex(Protocol):
    """The index of patients, exams and jackets."""

    def candidates(self, testimonies: Sequence[Testimony]) -> tuple[PatientRecord, ...]:
        """Find all patients whom the testimonies may mean.

        Blocking tolerates any single wrong character; at most a few hundred come back.
        """
        ...

    def patient(self, patient_id: str, issuer: str | None = None) -> PatientRecord | None:
        """Look one patient up by number; by issuer too where given; None if absent or several."""
        ...

    def exams(self, patient: PatientRecord) -> tuple[ExamRecord, ...]:
        """List the exams of a patient."""
        ...

    def exam(self, accession_number: str, issuer: str | None = None) -> ExamRecord | None:
        """Look one exam up by its accession number."""
        ...

    def exams_matching(self, accession_numbers: Iterable[str]) -> tuple[ExamRecord, ...]:
        """Find exams whose accession number is one of these, or one character away."""
        ...

    def exams_of_study(self, study_instance_uid: str) -> tuple[ExamRecord, ...]:
        """Find the exams that are known under a Study Instance UID, of whomever."""
        ...

    def exam_days(self) -> ExamDays:
        """Tell how often the index knows several exams of one patient and day."""
        ...

    def jacket(self, name: str, box: str | None = None) -> JacketRecord | None:
        """Look a jacket up by name (and box) or by barcode."""
        ...

    def jackets_of_box(self, box: str) -> tuple[JacketRecord, ...]:
        """List the jackets that the list has in a box, in the order of their names."""
        ...

    def named(self, beginnings: Sequence[str], limit: int) -> tuple[PatientRecord, ...]:
        """Find patients who bear a name that begins so, for each of the beginnings.

        Names are asked for as they are counted (:meth:`name_counts`); former names count too.
        """
        ...

    def patient_count(self) -> int:
        """Count the patients of the index."""
        ...

    def name_counts(self, names: Iterable[str]) -> dict[str, int]:
        """Count how many patients bear each of these family or given names."""
        ...


class ArchiveSink(Protocol):
    """One archive (PACS) we store to."""

    @property
    def name(self) -> str:
        """AE title of the archive."""
        ...

    def echo(self) -> None:
        """C-ECHO; raises :class:`~digitizer.errors.ArchiveUnreachable`."""
        ...

    def find_studies(
        self, *, study_instance_uid: str = "", accession_number: str = ""
    ) -> tuple[FoundStudy, ...]:
        """C-FIND at study level by either key."""
        ...

    def store(self, path: Path) -> StoredInstance:
        """C-STORE one Part 10 file, transcoded losslessly where the archive needs it.

        Raises :class:`~digitizer.errors.ArchiveUnreachable` or
        :class:`~digitizer.errors.ArchiveRefused`.
        """
        ...

    def request_commitment(
        self, transaction_uid: str, instances: Sequence[tuple[str, str]]
    ) -> None:
        """N-ACTION for (SOP class, SOP instance) pairs; the report comes to the listener."""
        ...

    def retrieve(self, capture: Capture) -> bytes:
        """Read one instance back as a Part 10 file (C-GET)."""
        ...

    def holdings(self, study_instance_uid: str, accession_number: str) -> Holdings:
        """C-FIND what the archive holds of a study and an exam, in one association.

        Instances are asked for only where the archive has the study.
        """
        ...

    def refusals(self, kinds: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return which of (SOP class, transfer syntax) the archive does not take as they are."""
        ...

    def store_all(
        self, instances: Iterable[Encoded], kinds: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Sent]:
        """C-STORE instances one after the other in few associations, each in its own syntax.

        Where (SOP class, transfer syntax) of all are told beforehand, one association is enough.
        Yields an answer for each as it comes. Raises
        :class:`~digitizer.errors.ArchiveUnreachable` when the association breaks: what was
        answered was answered.
        """
        ...

    def retrieve_all(
        self, study_instance_uid: str, kinds: Sequence[tuple[str, str]], *, plain: bool = False
    ) -> Iterator[Encoded]:
        """C-GET a whole study; ``plain``: uncompressed."""
        ...


class FileSource(Protocol):
    """An older archive of files: a disc, a folder, an image of a disc."""

    def files(self, after: str) -> Iterator[str]:
        """Yield the places of all files in a fixed order, those behind ``after``."""
        ...

    def read(self, place: str) -> bytes:
        """Return a file; raises :class:`~digitizer.errors.BadScan` where it cannot be read."""
        ...

    def has(self, place: str) -> bool:
        """Tell whether there is such a file, in whatever capitals."""
        ...


class PictureSource(FileSource, Protocol):
    """A folder of pictures with an index file."""

    @property
    def trusts_resolution(self) -> bool:
        """Whether the resolution that the files tell is believed."""
        ...

    def is_index(self, place: str) -> bool:
        """Tell whether a file is the index file itself, or its mapping."""
        ...

    def rows_of(self, place: str) -> tuple[PictureRow, ...]:
        """Return the rows of a file; raises :class:`~digitizer.errors.BadRow` where they clash."""
        ...

    def rows(self) -> Iterator[PictureRow]:
        """Yield all rows that can be taken, in their order."""
        ...

    def without_file(self) -> Iterator[PictureRow]:
        """Yield the rows that name a file that is not there."""
        ...

    def refused(self) -> Iterator[BadRow]:
        """Yield why rows cannot be taken, in their order."""
        ...


class PeerSource(Protocol):
    """An older archive that answers over the network."""

    def studies(self, cursor: str) -> Iterator[tuple[tuple[PeerStudy, ...], str]]:
        """Yield studies part by part, each with the cursor to go on from after it."""
        ...

    def instances(self, study_instance_uid: str) -> tuple[PeerInstance, ...]:
        """List the instances of a study."""
        ...

    def fetch(self, study_instance_uid: str, wanted: Sequence[PeerInstance]) -> Iterator[bytes]:
        """Fetch instances of a study, each as a Part 10 file in the syntax the peer gives."""
        ...


class OlderSources(Protocol):
    """Opens older archives."""

    def files(self, source: Source) -> FileSource:
        """Open one that is files; raises :class:`~digitizer.errors.SourceUnreachable`."""
        ...

    def pictures(self, source: Source) -> PictureSource:
        """Open a folder of pictures; raises :class:`~digitizer.errors.SourceUnreachable`."""
        ...

    def peer(self, source: Source) -> PeerSource:
        """Open one that answers over the network."""
        ...


class Vault(Protocol):
    """Store of original scans, crops and captures, addressed by sha256."""

    def put(self, content: bytes | BinaryIO) -> tuple[str, int]:
        """Keep the bytes (fsync, rename, folder fsync); return sha256 and size.

        Raises :class:`~digitizer.errors.DiskFull`.
        """
        ...

    def path(self, sha256: str) -> Path:
        """Return a readable local path; raises :class:`~digitizer.errors.UnknownRecord`."""
        ...

    def has(self, sha256: str) -> bool:
        """Tell whether the blob is there."""
        ...


class Transaction(Protocol):
    """One unit of change: rows, events and tasks are written together or not at all."""

    def get(self, kind: type[R], id: str) -> R:
        """Load one record; raises :class:`~digitizer.errors.UnknownRecord`."""
        ...

    def add(self, record: Record, event: Event) -> None:
        """Insert a record and append its event."""
        ...

    def save(self, record: R, event: Event) -> R:
        """Write a changed record and append its event; return it with the next version.

        Raises :class:`~digitizer.errors.StaleRecord` when the version read is not the version
        stored, and :class:`~digitizer.errors.IllegalTransition` when a scan's or sheet's change of
        state is not in the table.
        """
        ...

    def record(self, event: Event) -> None:
        """Append an event alone (a look, an export, a refusal)."""
        ...

    def uid(self, purpose: str) -> str:
        """Return the UID minted for this purpose, minting it (2.25) the first time."""
        ...

    # -- queries -----------------------------------------------------------------------------

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

    # -- older archives ----------------------------------------------------------------------

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

    def old_review(self, source_id: str) -> dict[str, int]:
        """Count the studies in review by their first reason."""
        ...

    def write_old_instances(self, rows: Iterable[OldInstance]) -> None:
        """Insert instances, or write them anew where source and place are known."""
        ...

    def old_commitments(
        self, study_id: str | None = None, *, pending: bool | None = None
    ) -> tuple[OldCommitment, ...]:
        """List the commitment requests of an older study, or of all."""
        ...

    def known_uid(self, purpose: str) -> str | None:
        """Return the UID minted or kept for a purpose; None where there is none yet."""
        ...

    def bind_uid(self, purpose: str, uid: str) -> str:
        """Keep a UID for a purpose unless one was minted or kept before; return the one that is."""
        ...

    # -- tasks -------------------------------------------------------------------------------

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

    # -- what people ordered -----------------------------------------------------------------

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


class Waker(Protocol):
    """Wakes whoever does the next stage; a lost, early or doubled call is harmless."""

    def wake(self, tasks: Iterable[tuple[Stage, str]]) -> None:
        """Announce due work."""
        ...


class Overview(Protocol):
    """Where everything stands: counts and lists over all batches, paged by key."""

    def by_state(self, wanted: Filter | None = None) -> tuple[Tally, ...]:
        """Count what stands in each state; the group is empty."""
        ...

    def batch_names(self, *, after: str = "", limit: int) -> tuple[str, ...]:
        """Name batches, the newest first, those before the one called ``after``."""
        ...

    def by_batch(self, names: Sequence[str]) -> tuple[Tally, ...]:
        """Count by batch and state, of some batches."""
        ...

    def box_names(self, *, after: str | None = None, limit: int) -> tuple[str, ...]:
        """Name boxes in the order of their names; jackets without one are in the box ""."""
        ...

    def latest_boxes(self, limit: int) -> tuple[str, ...]:
        """Name the boxes into which jackets came last, the last one first."""
        ...

    def by_box(self, names: Sequence[str]) -> tuple[Tally, ...]:
        """Count by box and state, of some boxes."""
        ...

    def by_jacket(self, batch_id: str) -> dict[str, int]:
        """Count the films of each jacket of a batch that have not ended, and its unread scans."""
        ...

    def by_reason(self, wanted: Filter) -> tuple[Tally, ...]:
        """Count by first reason and state, the most frequent first."""
        ...

    def flow(self) -> Flow:
        """Tell how many films were filed, by whom, and how many of them wrongly to expect."""
        ...

    def per_hour(
        self, event: str, hours: int, now: datetime, *, by_people: bool = False
    ) -> tuple[int, ...]:
        """Count the events of a name in each of the last hours, the oldest first.

        ``by_people``: only what people did.
        """
        ...

    def archives(self) -> tuple[ArchiveTally, ...]:
        """Count commitments and read-backs by archive, in the order of their names."""
        ...

    def scanned_since(self, since: datetime) -> tuple[ScannerTally, ...]:
        """Count the scans of each scanner since then."""
        ...

    def last_change(self) -> str:
        """Return a mark that changes with every event; empty when there is none."""
        ...

    def count(self, wanted: Filter) -> int:
        """Count the rows of a filter."""
        ...

    def oldest_first(
        self, wanted: Filter, *, after: tuple[float, str] | None = None, limit: int = 50
    ) -> tuple[Standing, ...]:
        """List rows, the longest in their state first; ``after`` is the last row's key.

        The key is the time in seconds since 1970 and the subject.
        """
        ...

    def riskiest_first(
        self, wanted: Filter, *, after: tuple[float, str] | None = None, limit: int = 50
    ) -> tuple[Standing, ...]:
        """List rows, the most doubtful first; ``after`` is the last row's risk and subject."""
        ...

    def subjects(self, wanted: Filter, limit: int) -> tuple[str, ...]:
        """List the ids of a filter's rows, the longest in their state first."""
        ...

    def next_in_review(
        self, user: str, now: datetime, *, skip: tuple[str, ...], after: str = ""
    ) -> str | None:
        """Return the most doubtful film that this person may take: neither held nor another's.

        ``after`` is a film to go on from, in the order of doubt; after the last comes the first.
        """
        ...


class ReviewLeases(Protocol):
    """Who looks at a film in review: one person at a time, for as long as they are there."""

    def take(self, subject: str, holder: str, now: datetime, seconds: float) -> Lease:
        """Take the lease of a film, or keep it; return it as it then stands, perhaps another's."""
        ...

    def keep(self, subject: str, holder: str, now: datetime, seconds: float) -> bool:
        """Prolong a lease that is still ours; False when it has run out or passed to another."""
        ...

    def give_back(self, subject: str, holder: str) -> None:
        """End a lease of ours."""
        ...

    def holder(self, subject: str, now: datetime) -> Lease | None:
        """Tell who looks at a film now."""
        ...


class Sessions(Protocol):
    """Signed-in browsers, and failed tries to sign in."""

    def open(self, session: Session) -> None:
        """Keep a new session."""
        ...

    def find(self, key: str) -> Session | None:
        """Look a session up."""
        ...

    def seen(self, key: str, now: datetime) -> None:
        """Write down that a session is in use."""
        ...

    def close(self, key: str) -> None:
        """End one session."""
        ...

    def close_all(self, user: str, *, but: str = "") -> None:
        """End all sessions of a user, but one perhaps."""
        ...

    def sweep(self, before: datetime) -> None:
        """Forget browsers not seen since, and failures to sign in that are as old."""
        ...

    def failures(self, key: str) -> tuple[int, datetime | None]:
        """Tell how often signing in failed, and until when it is not to be tried."""
        ...

    def attempt(
        self, keys: Sequence[str], now: datetime, pause: Callable[[str, int], float]
    ) -> datetime | None:
        """Count a try to sign in under each key, and in the same act ask whether it may be made.

        ``pause`` returns the seconds that a key must wait after so many failures. Where a key must
        wait still, nothing is counted, and the moment is returned from which on it may be tried.
        """
        ...

    def uncount(self, key: str, now: datetime) -> None:
        """Take one failure back: this try was none."""
        ...

    def forgive(self, key: str) -> None:
        """Forget the failures: somebody has signed in."""
        ...
