"""When a file may be taken: quiet, unchanged, and whole to its last strip.

Pure: the time is an argument, so that tests need no sleep.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from digitizer.errors import BadScan

__all__ = ["Look", "Settling"]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a file tells: the same twice means that nobody writes to it."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(slots=True)
class Settling:
    """Follows the files of a folder until they are complete.

    Parameters
    ----------
    delay_s : float
        How long a file must be quiet.
    give_up_s : float
        After how long a quiet file that is not whole is let through, to be quarantined.
    check : callable
        Decodes a file to its last strip; raises :class:`~digitizer.errors.BadScan`.
    """

    delay_s: float
    give_up_s: float
    check: Callable[[Path], None]
    _seen: dict[Path, tuple[Look, float]] = field(default_factory=dict)
    _reasons: dict[Path, str] = field(default_factory=dict)

    def is_complete(self, path: Path, look: Look, now: float) -> bool:
        """Take a look at a file at a monotonic time; tell whether it may be taken."""
        before = self._seen.get(path)
        if before is None or before[0] != look:
            self._seen[path] = (look, now)
            self._reasons[path] = "The file is still being written."
            return False
        quiet = now - before[1]
        if quiet < self.delay_s:
            return False
        try:
            self.check(path)
        except BadScan as error:
            cut = error.code in ("truncated_file", "empty_file", "corrupt_file")
            if cut and quiet < self.give_up_s:
                self._reasons[path] = f"{error.message} It may still be on its way."
                return False
        except OSError as error:
            self._reasons[path] = f"The file cannot be read: {error.strerror}."
            return False
        return True

    def forget(self, path: Path) -> None:
        """Stop following a file that was taken or is gone."""
        self._seen.pop(path, None)
        self._reasons.pop(path, None)

    def waiting(self) -> dict[Path, str]:
        """Return the files that wait, each with its reason."""
        return dict(self._reasons)
