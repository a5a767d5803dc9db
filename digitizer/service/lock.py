"""One process works on a data folder at a time; its lock file names it."""

import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from digitizer.errors import MissingService

__all__ = ["DataFolderLock", "Owner"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who works on a data folder.

    ``archive_port`` is that of its embedded archive, on this machine; 0 where it has none.
    """

    pid: int
    command: str
    since: str
    archive_port: int = 0

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}), since {self.since}"


class DataFolderLock:
    """Held while it is entered. The system gives it back when its process dies, however it dies.

    Parameters
    ----------
    folder : Path
        The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._named = folder / "owner.json"
        self._lock = FileLock(folder / "owner.lock")

    def __enter__(self) -> "DataFolderLock":
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise MissingService(
                f"{self._folder} is worked on by {self.named() or 'another process'}.",
                remedy="Wait for it, stop it, or use another --data-dir.",
            ) from None
        words = [Path(sys.argv[0]).name, *sys.argv[1:2]]
        since = datetime.now(UTC).isoformat(timespec="seconds")
        self._write(Owner(os.getpid(), " ".join(words), since))
        return self

    def tell_archive(self, port: int) -> None:
        """Tell those who join where our embedded archive is; we must hold the lock."""
        owner = self.named()
        assert owner is not None, "written when the lock was taken"
        self._write(replace(owner, archive_port=port))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._named.unlink(missing_ok=True)
        self._lock.release()

    def owner(self) -> Owner | None:
        """Tell who holds the lock now; None when nobody does."""
        if not self._folder.is_dir():
            return None
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return self.named()
        self._lock.release()
        return None

    def named(self) -> Owner | None:
        """Return who last took the lock and did not give it back; it may be dead."""
        try:
            told = json.loads(self._named.read_text())
            return Owner(
                int(told["pid"]),
                str(told["command"]),
                str(told["since"]),
                int(told["archive_port"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write(self, owner: Owner) -> None:
        whole = self._named.with_suffix(".new")
        whole.write_text(json.dumps(asdict(owner)))
        whole.replace(self._named)
