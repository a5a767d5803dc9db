"""A gate at which pynetdicom's reactor stands for as long as an association of ours is used.

The reactor of an association serves what the peer asks for. Where only we ask it is in the way:
pynetdicom pauses it before each request and looks at a flag to see that it is paused, and the flag
is up for a moment in every turn of the reactor, paused or not. So now and then the reactor goes on
and takes the answer for a request of its own: the answer is lost, and the requestor waits until its
time is out (pynetdicom 3.0.4, ``Association._run_reactor``).
Here it stands from the start to the end. What the peer says unasked in between, a release or an
abort, waits in ``dul.to_user_queue``: :mod:`.message` and :mod:`.kept` look there.
"""

import threading
from contextlib import suppress
from queue import Empty
from typing import Any

from pynetdicom.association import Association

__all__ = ["Gate", "close_gate", "open_gate"]

_LONGEST_TURN_S = 1.0
"""A turn of the reactor takes some milliseconds; longer than this it is not alive any more."""


class Gate(threading.Event):
    """Replaces the event by which pynetdicom pauses the reactor of an association, its thread."""

    def __init__(self, association: threading.Thread) -> None:
        super().__init__()
        self._reactor: Any = association
        self._changed = threading.Condition()
        self._is_open = self._held = False

    def is_set(self) -> bool:
        """Tell whether the gate is open."""
        return self._is_open

    def set(self) -> None:
        """Leave it closed: pynetdicom says this after each request, and there may be another."""

    def open(self) -> None:
        """Let the reactor pass, now and for ever."""
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Return when the reactor stands at it."""
        with self._changed:
            if threading.current_thread() is not self._reactor and self._reactor.is_alive():
                self._changed.wait_for(lambda: self._held or self._is_open, _LONGEST_TURN_S)
        # The flag that pynetdicom waits for goes down when a report was served meanwhile.
        self._reactor._is_paused = True

    def wait(self, timeout: float | None = None) -> bool:
        """Stand at it until it is open; for the reactor."""
        with self._changed:
            self._held = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_open, timeout)
            self._held = False
            return self._is_open


def close_gate(association: Association) -> None:
    """Give an association that was just established the gate, with the reactor standing at it."""
    gate = Gate(association)
    association._reactor_checkpoint = gate
    gate.clear()


def open_gate(association: Association) -> None:
    """Let the reactor of an association that has ended run to its end, and serve nothing more."""
    with suppress(Empty):
        while True:
            association.dimse.msg_queue.get_nowait()
    gate = association._reactor_checkpoint
    if isinstance(gate, Gate):
        gate.open()
