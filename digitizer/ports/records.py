"""Records of the ledger, each change written with its event."""

from typing import Protocol, TypeVar

from digitizer.model.density import ScannerProfile
from digitizer.model.older import OldCommitment, OldStudy, Source
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
    Verification,
    WorkOrder,
)
from digitizer.model.users import User

__all__ = ["R", "Record", "Records"]

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


class Records(Protocol):
    """What is done with one record."""

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

    def known_uid(self, purpose: str) -> str | None:
        """Return the UID minted or kept for a purpose; None where there is none yet."""
        ...

    def bind_uid(self, purpose: str, uid: str) -> str:
        """Keep a UID for a purpose unless one was minted or kept before; return the one that is."""
        ...
