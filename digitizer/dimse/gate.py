"""A gate at which pynetdicom's reactor really waits while answers are awaited elsewhere.

pynetdicom pauses the reactor of an association before it sends a request, and looks at a flag to
see that it is paused. The flag is up for a moment in every turn of the reactor, paused or not, so
that now and then the reactor goes on and takes the answer for a request of its own: the answer is
lost, and the requestor waits until its time is out (pynetdicom 3.0.4,
``Association._run_reactor``).
Here ``clear`` returns only when the reactor stands at the gate, and it leaves only when it sees the
gate open.
"""

import threading

from pynetdicom.association import Association

__all__ = ["Gate", "close_gate"]

_LONGEST_TURN_S = 1.0
"""A turn of the reactor takes some milliseconds; longer than this it is not alive any more."""


class Gate(threading.Event):
    """Replaces the event by which pynetdicom pauses a reactor; ``reactor`` is its thread."""

    def __init__(self, reactor: threading.Thread) -> None:
        super().__init__()
        self._reactor = reactor
        self._changed = threading.Condition()
        self._is_open = True
        self._held = False

    def is_set(self) -> bool:
        """Tell whether the gate is open."""
        return self._is_open

    def set(self) -> None:
        """Open it."""
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Close it; returns when the reactor stands at it."""
        with self._changed:
            self._is_open = False
            if threading.current_thread() is not self._reactor and self._reactor.is_alive():
                self._changed.wait_for(lambda: self._held, _LONGEST_TURN_S)

    def wait(self, timeout: float | None = None) -> bool:
        """Stand at it until it is open; for the reactor."""
        with self._changed:
            self._held = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_open, timeout)
            self._held = False
            return self._is_open


def close_gate(association: Association) -> None:
    """Give an association that was just established the gate."""
    association._reactor_checkpoint = Gate(association)
