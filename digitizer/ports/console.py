"""What the console asks: where everything stands, and who looks at what."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from digitizer.model.overview import (
    ArchiveTally,
    Filter,
    Flow,
    Lease,
    ScannerTally,
    Standing,
    Tally,
)
from digitizer.model.users import Session

__all__ = ["Overview", "ReviewLeases", "Sessions"]


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
