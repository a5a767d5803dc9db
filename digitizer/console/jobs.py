"""Work that takes longer than a page may: done in a thread, looked at from a page of its own.

A job that is cut off by the end of the process has lost nothing: each of its steps stands in the
ledger, and it can be started again.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from digitizer.errors import DigitizerError

__all__ = ["Job", "Jobs"]

logger = logging.getLogger(__name__)
_KEPT = 50


@dataclass(slots=True)
class Job:
    """One piece of longer work and how far it is."""

    id: str
    what: str
    by: str
    total: int
    seen: int = 0
    started: int = 0
    problem: str = ""
    file: bytes | None = None
    """What was made, for whoever began it; gone with the process."""
    file_name: str = ""
    over: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more is done."""
        return self.over.is_set()


class Jobs:
    """The jobs of this process."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def find(self, id: str) -> Job | None:
        """Look a job up."""
        return self._jobs.get(id)

    def latest(self, what: str) -> Job | None:
        """Return the job of these words that was begun last."""
        found = [one for one in self._jobs.values() if one.what == what]
        return found[-1] if found else None

    def start(self, what: str, by: str, total: int, steps: Iterator[tuple[int, int]]) -> Job:
        """Begin a job; each step tells how many were looked at and how many set going."""
        job = Job(id=secrets.token_urlsafe(9), what=what, by=by, total=total)
        return self._begin(job, steps)

    def make(self, what: str, by: str, file_name: str, produce: Callable[[], bytes]) -> Job:
        """Begin to make a file."""
        job = Job(id=secrets.token_urlsafe(9), what=what, by=by, total=1, file_name=file_name)

        def steps() -> Iterator[tuple[int, int]]:
            job.file = produce()
            yield 1, 1

        return self._begin(job, steps())

    def _begin(self, job: Job, steps: Iterator[tuple[int, int]]) -> Job:
        with self._lock:
            self._jobs[job.id] = job
            for old in [one for one, kept in self._jobs.items() if kept.ended][:-_KEPT]:
                del self._jobs[old]
        threading.Thread(target=_run, args=(job, steps), name=f"job-{job.id}", daemon=True).start()
        return job


def _run(job: Job, steps: Iterator[tuple[int, int]]) -> None:
    try:
        for seen, started in steps:
            job.seen += seen
            job.started += started
    except DigitizerError as error:
        job.problem = str(error)
    except Exception:
        logger.exception("job failed", extra={"job": job.what})
        job.problem = "Something went wrong; what was done so far stands."
    job.over.set()
