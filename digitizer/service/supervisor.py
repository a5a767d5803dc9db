"""Child processes: started, watched, restarted when they die, stopped by id."""

import ctypes
import logging
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

__all__ = ["Child", "Supervisor", "dies_with_parent"]

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_LOOK_S = 0.5
_PATIENCE_S = 15.0
_LONGEST_PAUSE_S = 30.0
_libc = ctypes.CDLL(None)


def dies_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends (Linux ``prctl``)."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process to keep running."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]


class Supervisor:
    """Keeps its children running while it is entered; a child that dies is started again.

    Restarts wait twice as long each time a child dies early, up to half a minute.
    """

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = {child.name: child for child in children}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._pause = dict.fromkeys(self._children, 0.0)
        self._due = dict.fromkeys(self._children, 0.0)
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> "Supervisor":
        # Started by the watching thread: a child's parent, for the kernel, is a thread, and the
        # child would be ended with a thread that ends before.
        self._watcher.start()
        return self

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the children that run."""
        return {name: one.pid for name, one in self._running.items() if one.poll() is None}

    def _watch(self) -> None:
        while not self._stop.is_set():
            now = time.monotonic()
            for name, child in self._children.items():
                process = self._running.get(name)
                if process is not None and process.poll() is None:
                    continue
                if process is not None:
                    logger.error("child died", extra={"child": name, "rc": process.returncode})
                    del self._running[name]
                    self._pause[name] = min(max(0.5, self._pause[name] * 2), _LONGEST_PAUSE_S)
                    self._due[name] = now + self._pause[name]
                elif now >= self._due[name]:
                    self._running[name] = subprocess.Popen(
                        list(child.argv),
                        env=dict(child.env),
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        preexec_fn=dies_with_parent,
                        start_new_session=True,
                    )
            self._stop.wait(_LOOK_S)
        self._end_all()

    def _end_all(self) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE_S
        for name, process in self._running.items():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("child killed", extra={"child": name})
                process.kill()
                process.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._watcher.join()
