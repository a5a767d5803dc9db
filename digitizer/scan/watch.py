"""The watch folder: scans are taken in as they become complete."""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchfiles import watch as system_watch

from digitizer.errors import BadWorld, MissingService, UsageError
from digitizer.scan.settings import WatchSettings
from digitizer.scan.settling import Look, Settling
from digitizer.scan.walk import FoundFile, walk

__all__ = ["Waiting", "WatchFolder"]

logger = logging.getLogger(__name__)

_OWN = frozenset({"done", "failed"})
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse", "fuse.sshfs", "9p"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is not taken yet, and why."""

    source: str
    reason: str


class WatchFolder:
    """Looks at a folder, by the system's notices or regularly, and claims what is complete.

    Parameters
    ----------
    settings : WatchSettings
        With a folder.
    check : callable
        Decodes a file to its last strip.
    claim : callable
        Takes one file in; tells whether it became a scan that can be read.
    stop : threading.Event
        Ends :meth:`run`.

    Raises
    ------
    MissingService
        The folder is not there.
    """

    def __init__(
        self,
        settings: WatchSettings,
        check: Callable[[Path], None],
        claim: Callable[[FoundFile], bool],
        stop: threading.Event | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if settings.folder is None or not settings.folder.is_dir():
            raise MissingService(
                f"The watch folder {settings.folder} is not there.",
                remedy="Make it, or name another.",
            )
        self._root = settings.folder
        self._settings = settings
        self._claim = claim
        self._stop = stop or threading.Event()
        self._monotonic = monotonic
        self._settling = Settling(settings.stability_delay_s, settings.give_up_s, check)
        self._left_in_place: dict[Path, Look] = {}

    def look(self) -> int:
        """Look at every file once; claim those that are complete. Returns how many."""
        taken = 0
        present: set[Path] = set()
        for found in walk(self._root, passed_over=_OWN):
            try:
                status = found.path.stat(follow_symlinks=False)
            except FileNotFoundError:
                # Taken away or renamed between two looks: whoever writes it is not done.
                continue
            present.add(found.path)
            look = Look(status.st_size, status.st_mtime_ns, status.st_ino)
            if self._left_in_place.get(found.path) == look:
                continue
            if self._settling.is_complete(found.path, look, self._monotonic()):
                taken += self._take(found, look)
        for gone in set(self._settling.waiting()) - present:
            self._settling.forget(gone)
        return taken

    def _take(self, found: FoundFile, look: Look) -> int:
        try:
            good = self._claim(found)
        except BadWorld as error:
            logger.warning("not taken", extra={"code": error.code})
            return 0
        self._settling.forget(found.path)
        if not self._settings.move or not self._move(found, "done" if good else "failed"):
            self._left_in_place[found.path] = look
        return 1

    def _move(self, found: FoundFile, where: str) -> bool:
        """Move a claimed file beside itself; never over another. False: it stays where it is."""
        folder = found.path.parent / where
        target = folder / found.path.name
        number = 1
        try:
            folder.mkdir(exist_ok=True)
            while target.exists():
                target = folder / f"{found.path.stem}-{number}{found.path.suffix}"
                number += 1
            found.path.rename(target)
        except OSError as error:
            # A read-only folder: what was taken is remembered instead.
            logger.warning("left in place", extra={"why": error.strerror})
            return False
        return True

    def once(self) -> int:
        """Take what is complete now: two looks, the stability delay apart."""
        taken = self.look()
        self._stop.wait(self._settings.stability_delay_s)
        return taken + self.look()

    def run(self) -> None:
        """Watch until stopped. Files found at the start wait for their delay like all others."""
        polls = self._polls()
        logger.info("watching", extra={"mode": "polling" if polls else "events"})
        pause_ms = max(50, int(self._settings.stability_delay_s * 500))
        changes = system_watch(
            self._root,
            watch_filter=None,
            stop_event=self._stop,
            rust_timeout=pause_ms,
            yield_on_timeout=True,
            force_polling=polls,
            raise_interrupt=False,
            recursive=True,
        )
        self._look_again()
        for _ in changes:
            # Also without a change: a file becomes complete by being left alone.
            self._look_again()

    def _look_again(self) -> None:
        """Look; a share that is away for a while does not end the watch."""
        try:
            self.look()
        except (OSError, UsageError) as error:
            logger.error("the watch folder cannot be looked at", extra={"why": str(error)})

    def waiting(self) -> list[Waiting]:
        """Return what waits, with the reason."""
        return [
            Waiting(path.relative_to(self._root).as_posix(), reason)
            for path, reason in self._settling.waiting().items()
        ]

    def _polls(self) -> bool:
        """Tell whether the folder lies on a share whose changes the kernel does not tell."""
        if self._settings.poll is not None:
            return self._settings.poll
        return _filesystem(self._root) in _NETWORK


def _filesystem(path: Path) -> str:
    """Return the type of the file system a path lies on (/proc/mounts)."""
    best, kind = "", ""
    real = os.path.realpath(path)
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, found, *_ = line.split()
        if (real == mount or real.startswith(mount.rstrip("/") + "/")) and len(mount) > len(best):
            best, kind = mount, found
    return kind
