"""Instances that wait on the disk until somebody takes them."""

import os
import tempfile
import threading
from types import TracebackType

__all__ = ["Spool"]


class Spool:
    """A file without a name: nothing of it stays behind, also when we are killed.

    Instances come in by one thread or several and are taken by one; the room of those taken is
    given back whenever none is waiting.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="digitizer-")  # noqa: SIM115 - closed by exit
        self._lock = threading.Lock()
        self._end = self._waiting = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def put(self, content: bytes) -> tuple[int, int]:
        """Keep an instance; returns the ticket by which it is taken."""
        with self._lock:
            place, view = self._end, memoryview(content)
            while view:
                view = view[os.pwrite(self._file.fileno(), view, self._end) :]
                self._end = place + len(content) - len(view)
            self._waiting += 1
        return place, len(content)

    def take(self, ticket: tuple[int, int]) -> bytes:
        """Return an instance and forget it."""
        place, length = ticket
        parts = bytearray()
        while some := os.pread(self._file.fileno(), length - len(parts), place + len(parts)):
            parts += some
        assert len(parts) == length, "what was put is there"
        with self._lock:
            self._waiting -= 1
            if not self._waiting:
                self._file.truncate(0)
                self._end = 0
        return bytes(parts)
