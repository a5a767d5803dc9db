"""Where everything stands: what lists and counts are made of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from digitizer.model.states import State

__all__ = ["Filter", "Flow", "Lease", "Standing", "Tally", "ThingKind"]


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
class Lease:
    """Who looks at a film in review, until when."""

    subject: str
    holder: str
    until: datetime
