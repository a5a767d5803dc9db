"""The archive that instances go to."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from digitizer.model.instance import FoundStudy, Holdings, StoredInstance
from digitizer.model.older import Encoded, Sent
from digitizer.model.records import Capture

__all__ = ["ArchiveSink"]


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
