"""A breaker for each destination: an archive that is down is asked seldom, not by every film."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from digitizer.errors import ArchiveUnreachable
from digitizer.model.instance import FoundStudy, Holdings, StoredInstance
from digitizer.model.older import Encoded, Sent
from digitizer.model.records import Capture
from digitizer.ports import ArchiveSink, Clock

__all__ = ["GuardedArchive"]

T = TypeVar("T")
_FAILURES = 3
_PAUSE = timedelta(seconds=5)


class GuardedArchive:
    """Implements :class:`digitizer.ports.ArchiveSink` around another one.

    After three failures in a row to reach it, calls fail at once for five seconds.
    """

    def __init__(self, archive: ArchiveSink, clock: Clock) -> None:
        self._archive = archive
        self._clock = clock
        self._failures = 0
        self._closed_until: datetime | None = None

    @property
    def name(self) -> str:
        """AE title of the archive."""
        return self._archive.name

    def _guarded(self, call: Callable[[], T]) -> T:
        if self._closed_until is not None and self._clock.now() < self._closed_until:
            raise ArchiveUnreachable("The archive did not answer several times; it rests a moment.")
        try:
            result = call()
        except ArchiveUnreachable:
            self._failures += 1
            if self._failures >= _FAILURES:
                self._closed_until = self._clock.now() + _PAUSE
            raise
        self._failures, self._closed_until = 0, None
        return result

    def echo(self) -> None:
        """C-ECHO."""
        self._guarded(self._archive.echo)

    def find_studies(
        self, *, study_instance_uid: str = "", accession_number: str = ""
    ) -> tuple[FoundStudy, ...]:
        """C-FIND at study level."""
        return self._guarded(
            lambda: self._archive.find_studies(
                study_instance_uid=study_instance_uid, accession_number=accession_number
            )
        )

    def store(self, path: Path) -> StoredInstance:
        """C-STORE."""
        return self._guarded(lambda: self._archive.store(path))

    def request_commitment(
        self, transaction_uid: str, instances: Sequence[tuple[str, str]]
    ) -> None:
        """N-ACTION."""
        self._guarded(lambda: self._archive.request_commitment(transaction_uid, instances))

    def retrieve(self, capture: Capture) -> bytes:
        """C-GET."""
        return self._guarded(lambda: self._archive.retrieve(capture))

    def holdings(self, study_instance_uid: str, accession_number: str) -> Holdings:
        """C-FIND at study and image level."""
        return self._guarded(lambda: self._archive.holdings(study_instance_uid, accession_number))

    def refusals(self, kinds: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Ask which kinds are not taken."""
        return self._guarded(lambda: self._archive.refusals(kinds))

    def store_all(
        self, instances: Iterable[Encoded], kinds: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Sent]:
        """C-STORE many."""
        return self._guarded_each(self._archive.store_all(instances, kinds))

    def retrieve_all(
        self, study_instance_uid: str, kinds: Sequence[tuple[str, str]], *, plain: bool = False
    ) -> Iterator[Encoded]:
        """C-GET a study."""
        return self._guarded_each(
            self._archive.retrieve_all(study_instance_uid, kinds, plain=plain)
        )

    def _guarded_each(self, answers: Iterator[T]) -> Iterator[T]:
        """Yield what comes of a call that answers many times, each guarded like a call."""
        done = object()
        while True:
            answer = self._guarded(lambda: next(answers, done))
            if answer is done:
                return
            yield answer  # type: ignore[misc]
