"""What the ledger remembers: frozen rows. A change is a new value with the next version."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from digitizer.model.film import Geometry, Quality, ScanKind, SheetKind, TileGrid
from digitizer.model.identity import Candidate, ExamRecord, PatientRecord
from digitizer.model.instance import Window
from digitizer.model.reading import NO_FIELDS, FieldName, Fields, Reading
from digitizer.model.reasons import Reason
from digitizer.model.states import State

__all__ = [
    "EVERYTHING",
    "Batch",
    "BlindReview",
    "Capture",
    "ClassStanding",
    "Commitment",
    "CommitmentState",
    "Decision",
    "Delivery",
    "Event",
    "Jacket",
    "JacketState",
    "Scan",
    "Sheet",
    "Stage",
    "Task",
    "Verification",
    "WorkMode",
    "WorkOrder",
]

EVERYTHING = "everything"
"""Id of the order that holds for all batches."""


@unique
class Stage(StrEnum):
    """Units of work; a task names its stage and its subject's id."""

    PREPARE = "prepare"
    """Scan: decode, find the sheets, judge the quality, tell the kind."""
    READ = "read"
    """Scan: read its label or its films, tell the orientation, parse the fields."""
    DECIDE = "decide"
    """Jacket: match and decide its sheets together."""
    WRAP = "wrap"
    """Sheet: render once and make the capture."""
    STORE = "store"
    """Sheet: ask the archive, send the capture, request commitment."""
    COMMIT = "commit"
    """Sheet: has the archive committed? ask again when it is late."""
    VERIFY = "verify"
    """Sheet: read the capture back and compare."""
    OLD_STOCK = "old_stock"
    """Source: look through an older archive, part by part."""
    OLD_FEED = "old_feed"
    """Source: set as many studies going as its pace and what is under way allow."""
    OLD_TAKE = "old_take"
    """Older study: fetch its instances from the peer."""
    OLD_DECIDE = "old_decide"
    """Older study: decide whose it is, by its header."""
    OLD_STORE = "old_store"
    """Older study: compare what the archive has, send the rest."""
    OLD_COMMIT = "old_commit"
    """Older study: has the archive committed?"""
    OLD_VERIFY = "old_verify"
    """Older study: read it back and compare."""


@unique
class JacketState(StrEnum):
    """Open while scans arrive, closed, decided."""

    OPEN = "open"
    CLOSED = "closed"
    DECIDED = "decided"


@unique
class WorkMode(StrEnum):
    """Whether work goes on."""

    RUNNING = "running"
    PAUSED = "paused"
    """No stage is begun; one that is under way comes to its end."""
    DRAINING = "draining"
    """Jackets of which a scan was begun go on to their end; no others are begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """What a person ordered of all work, or of one batch.

    Attributes
    ----------
    id : str
        The batch's id, or :data:`EVERYTHING`.
    """

    id: str
    mode: WorkMode
    by: str
    at: datetime
    reason: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One feeding session or one delivery of scans."""

    id: str
    name: str
    root: str
    created_at: datetime
    box: str | None = None
    expected: int | None = None
    closed: bool = False
    """No more scans will come."""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Jacket:
    """One patient's folder in one batch; ``expected_films`` is what the jacket list says."""

    id: str
    batch_id: str
    name: str
    box: str | None = None
    expected_films: int | None = None
    position: int = 0
    state: JacketState = JacketState.OPEN
    last_scan_at: datetime | None = None
    urgent: bool = False
    """Its work overtakes that of other jackets, four turns of five."""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One immutable file from a scanner.

    Attributes
    ----------
    source : str
        Path relative to the batch's root, with "/".
    position : int
        Order of feeding within the batch.
    sha256 : str or None
        Address in the vault; None where nothing could be read.
    resume : State or None
        Where to go on when a hold is lifted.
    duplicate_of : str or None
        Id of the first scan with the same bytes.
    scanner : str
        Serial number of the digitizer; empty: the site's one digitizer, if it has one.
    """

    id: str
    batch_id: str
    jacket_id: str
    source: str
    position: int
    sha256: str | None
    size: int
    received_at: datetime
    changed_at: datetime
    suffix: str = ""
    kind: ScanKind | None = None
    state: State = State.RECEIVED
    resume: State | None = None
    reasons: tuple[Reason, ...] = ()
    duplicate_of: str | None = None
    fields: Fields = field(default_factory=lambda: NO_FIELDS)
    quality: Quality = field(default_factory=Quality)
    scanner: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who a sheet belongs to and of which exam, and who said so.

    Attributes
    ----------
    decided_by : str
        ``auto`` or the name of the reviewer.
    study_instance_uid : str
        Of the index, of the archive for the accession number, or minted once.
    study_date : str
        ISO date of the exam; empty when unknown.
    """

    patient: PatientRecord
    exam: ExamRecord | None
    study_date: str
    study_instance_uid: str
    series_instance_uid: str
    posterior: float | None
    exam_posterior: float | None
    decided_by: str
    decided_at: datetime
    reason: str = ""
    evidence_class: str = ""
    """Class of the evidence, for which wrong filings are counted; empty where a person decided."""
    exam_evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One film, label or document found in a scan: what becomes a capture.

    Attributes
    ----------
    index : int
        Order among the sheets of the scan.
    fingerprint : str
        Perceptual hash of the picture (hex), to suspect the same film scanned twice.
    crops : tuple of str
        Vault addresses of label and ID-block crops (PNG), for review and replay.
    reading : Reading
        Boxes in pixels of the scan.
    tiles : TileGrid or None
        Where the pictures of a sheet of many lie.
    tile_uids : tuple of str
        SOP Instance UIDs of captures made of the pictures, beside that of the whole sheet.
    corrections : dict of FieldName to str
        What a person says stands there, where it was misread; ``fields`` say what was read.
    misfiled : str
        Why a person says that it lies in the wrong jacket; empty: nobody says so.
    adjusted_by : str
        Who set the geometry by hand; empty: it was found.
    window : Window or None
        Set by hand, in the scan's own values; None: told by the picture.
    """

    id: str
    scan_id: str
    jacket_id: str
    batch_id: str
    kind: SheetKind
    page: int
    index: int
    changed_at: datetime
    geometry: Geometry | None = None
    quality: Quality = field(default_factory=Quality)
    fields: Fields = field(default_factory=lambda: NO_FIELDS)
    reading: Reading = field(default_factory=Reading)
    crops: tuple[str, ...] = ()
    fingerprint: str = ""
    state: State = State.RECEIVED
    resume: State | None = None
    reasons: tuple[Reason, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    decision: Decision | None = None
    posterior: float | None = None
    """Of the first candidate, also while it is only a proposal."""
    exam_posterior: float | None = None
    sop_instance_uid: str | None = None
    assigned_to: str | None = None
    confirmed: tuple[str, ...] = ()
    """Codes a person has looked at and settled (``orientation_unknown`` ...)."""
    tiles: TileGrid | None = None
    tile_uids: tuple[str, ...] = ()
    corrections: dict[FieldName, str] = field(default_factory=dict)
    misfiled: str = ""
    adjusted_by: str = ""
    window: Window | None = None
    version: int = 0

    @property
    def instance_uids(self) -> tuple[str, ...]:
        """SOP Instance UIDs of its captures, the whole sheet first; none before it is wrapped."""
        return (self.sop_instance_uid, *self.tile_uids) if self.sop_instance_uid else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One instance made from a sheet; its UID never changes.

    Attributes
    ----------
    sha256 : str
        Vault address of the Part 10 file.
    pixel_sha256 : str
        Of the decoded pixels as little-endian samples; of the document for a PDF.
    """

    sop_instance_uid: str
    sop_class_uid: str
    series_instance_uid: str
    study_instance_uid: str
    sheet_id: str
    sha256: str
    pixel_sha256: str
    transfer_syntax_uid: str
    size: int
    made_at: datetime
    superseded_by: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to store one capture in one archive."""

    id: str
    sop_instance_uid: str
    archive: str
    at: datetime
    status: int | None
    """DIMSE status; None when no answer came."""
    detail: str = ""
    sha256: str = ""
    """Of the Part 10 file that was sent; empty in rows of older versions."""
    version: int = 0


@unique
class CommitmentState(StrEnum):
    """Outcome of a storage commitment request."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """One storage commitment request for one capture and its outcome."""

    transaction_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    archive: str
    """AE title asked; a report from another one is not believed."""
    requested_at: datetime
    state: CommitmentState = CommitmentState.PENDING
    failure_reason: int | None = None
    answered_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One read-back compared with what was written."""

    id: str
    sop_instance_uid: str
    archive: str
    at: datetime
    method: str
    """``C-GET``, ``C-MOVE`` or ``WADO-RS``."""
    agrees: bool
    differences: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindReview:
    """One film filed by itself, to be looked at again by somebody who does not know the decision.

    Attributes
    ----------
    evidence_class : str
        Of the decision that is measured.
    claimed : PatientRecord
        Whose film the reviewer is told it is: the patient decided or, ``planted``, another.
    answer : str
        ``same``, ``other``, or empty while it is open.
    mistaken : bool
        A second look found the reviewer wrong.
    """

    id: str
    sheet_id: str
    batch_id: str
    evidence_class: str
    claimed: PatientRecord
    planted: bool
    drawn_at: datetime
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None
    mistaken: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStanding:
    """Whether a class of evidence may file films by itself.

    Attributes
    ----------
    id : str
        The class.
    stopped : bool
        Nothing of this class is filed by itself until a person releases it.
    why, by, at
        Of the last stop or release.
    base_filed, base_doubt : int, float
        Films filed, and their expected wrong filings, at the last release: what counts afterwards
        is what is beyond.
    wrong : int
        Confirmed wrong filings, ever.
    """

    id: str
    stopped: bool = False
    why: str = ""
    by: str = ""
    at: datetime | None = None
    base_filed: int = 0
    base_doubt: float = 0.0
    wrong: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A stage that is due for a subject; leased while somebody works on it.

    One row for each (stage, subject); it is deleted by the transaction that completes the stage.
    """

    stage: Stage
    subject: str
    due_at: datetime
    attempts: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None
    reason: Reason | None = None
    """Why it waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change, appended by the transaction that made it; chained by hash per subject."""

    subject: str
    name: str
    actor: str
    """``auto``, ``system`` or a person's name."""
    payload: dict[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    sequence: int | None = None
    hash: str | None = None
    """sha256 over the previous event's hash and this event's canonical JSON."""
