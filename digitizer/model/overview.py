"""Where everything stands: what lists and counts are made of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from digitizer.model.states import State

__all__ = [
    "ArchiveTally",
    "Filter",
    "Flow",
    "Lease",
    "ScannerTally",
    "Standing",
    "Tally",
    "ThingKind",
]


@unique
class ThingKind(StrEnum):
    """What a row of the overview is: a scan nobody has read yet, or a sheet found in one."""

    SCAN = "scan"
    FILM = "film"
    LABEL = "label"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one scan or sheet stands.

    Attributes
    ----------
    since : datetime
        When it came to this state.
    risk : float
        One minus the posterior of the first candidate; 1 where there is none.
    code : str
        Its first reason; empty where there is none.
    codes : tuple of str
        All its reasons.
    source : str
        The scan's path in its batch.
    """

    subject: str
    kind: ThingKind
    batch_id: str
    batch: str
    jacket_id: str
    box: str
    jacket: str
    state: State
    since: datetime
    risk: float
    code: str
    codes: tuple[str, ...]
    source: str
    assigned_to: str | None = None
    decided_by: str | None = None
    patient_id: str = ""
    issuer: str = ""
    study_date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rows are wanted; empty means all."""

    states: tuple[State, ...] = ()
    code: str = ""
    batch_id: str = ""
    box: str | None = None
    kind: ThingKind | None = None
    patient: tuple[str, str] | None = None
    """Issuer and number of the patient the film was decided to be of."""
    study_date: str = ""
    """ISO day of the exam it was decided to be of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many stand in one state, and since when the one that has been there longest.

    ``group`` is a batch's name, a box or a reason's code, whatever was counted by.
    """

    group: str
    state: State
    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How many films were filed by themselves, by people, and how many of the former wrongly.

    Attributes
    ----------
    expected_wrong : float
        Sum of (1 - p) over the films filed by themselves.
    """

    by_itself: int
    by_people: int
    expected_wrong: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTally:
    """What one archive was asked to keep, and what was read back from it.

    Attributes
    ----------
    pending, promised, refused, late : int
        Commitment requests that nobody has answered, that were granted, that were refused, and that
        are no longer waited for.
    oldest_pending : datetime or None
        When the one that waits longest was made.
    agreed, differed : int
        Read-backs that were equal to what was written, and that were not.
    last_read_back : datetime or None
    """

    archive: str
    pending: int = 0
    promised: int = 0
    refused: int = 0
    late: int = 0
    oldest_pending: datetime | None = None
    agreed: int = 0
    differed: int = 0
    last_read_back: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerTally:
    """How many scans of one scanner came since some time; "" is the site's one digitizer."""

    scanner: str
    scans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who looks at a film in review, until when."""

    subject: str
    holder: str
    until: datetime
