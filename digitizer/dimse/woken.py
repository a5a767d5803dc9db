"""An association's connection served when there is something to do, instead of every millisecond.

pynetdicom's upper layer looks at the network and at what is to be sent, sleeps for a millisecond,
and looks again (pynetdicom 3.0.4, ``DULServiceProvider.run_reactor``): time is lost with each
message and its answer, and computing with each association, idle ones too.
Here it waits for either, and wakes at once; and it stands still while somebody else has the
connection in hand (:mod:`.hand`).
"""

import select
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from pynetdicom.association import Association

from digitizer.dimse.quick import acknowledge_at_once

__all__ = ["Bell", "break_off", "give_back", "wake_by_events"]

_LONGEST_WAIT_S = 0.1
"""Between two looks at pynetdicom's timers, which wake nobody."""


class Bell:
    """Waits for an association's connection, or for somebody in this process who rings.

    Raises
    ------
    RuntimeError
        The connection is lost already.
    """

    def __init__(self, association: Association) -> None:
        self._dul = association.dul
        transport = self._dul.socket
        if transport is None or transport.socket is None:
            raise RuntimeError("the connection is lost")
        self._transport, self._connection = transport, transport.socket
        self._waits = select.poll()
        try:
            self._waits.register(self._connection, select.POLLIN)
        except ValueError as error:
            # The upper layer closes it first and forgets it then.
            raise RuntimeError("the connection is lost") from error
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._waits.register(self._ear, select.POLLIN)
        self._look = self._dul._is_transport_event
        self._changed = threading.Condition()
        self._is_stopped = self._stands = False

    def fileno(self) -> int:
        """Return what to wait at for somebody who rings."""
        return self._ear.fileno()

    def ring(self) -> None:
        """Wake who waits, or who is about to."""
        # Full: it has been rung often enough. Closed: nobody waits any more.
        with suppress(BlockingIOError, OSError):
            self._mouth.send(b"\0")

    def silence(self) -> None:
        """Have it rung no more, until somebody rings again."""
        with suppress(BlockingIOError, OSError):
            self._ear.recv(4096)

    def look(self) -> bool:
        """Wait until there is something to do; then do as pynetdicom does. For the upper layer."""
        if self._transport.socket is not None:
            acknowledge_at_once(self._transport.socket)
        if not self._is_stopped and self._is_idle():
            self._waits.poll(1000 * _LONGEST_WAIT_S)
            self.silence()
        if not self._is_stopped:
            return self._look()
        with self._changed:
            self._stands = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._is_stopped)
            self._stands = False
        return False

    def stop(self, patience_s: float) -> bool:
        """Have the upper layer stand still; tell whether it does."""
        until = time.monotonic() + patience_s
        with self._changed:
            self._is_stopped = True
            self.ring()
            try:
                while not self._stands and self._dul.is_alive() and time.monotonic() < until:
                    self._changed.wait(_LONGEST_WAIT_S)
            except BaseException:
                # Nobody would let it go on: the process could not even end.
                self._is_stopped = False
                raise
            return self._stands

    def go_on(self) -> None:
        """Let the upper layer go on."""
        with self._changed:
            self._is_stopped = False
            self._changed.notify_all()

    def hang_up(self) -> None:
        """End the connection under whoever waits for something to come over it."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the descriptors back: pynetdicom forgets a connection that the peer has reset."""
        self._ear.close()
        self._mouth.close()
        self._connection.close()

    def _is_idle(self) -> bool:
        dul = self._dul
        return (
            dul.event_queue.empty()
            and dul.to_provider_queue.empty()
            and not dul._kill_thread
            # Waiting for the peer to close the connection: pynetdicom closes it itself.
            and dul.state_machine.current_state != "Sta13"
            # TLS may hold what came already.
            and not self._transport.ready
        )


def wake_by_events(association: Association) -> None:
    """Have an association that was just established served so.

    Raises
    ------
    RuntimeError
        Its connection is lost already.
    """
    dul: Any = association.dul
    bell = Bell(association)
    send, stop = dul.send_pdu, dul.stop_dul

    def send_pdu(primitive: Any) -> None:
        send(primitive)
        bell.ring()

    def stop_dul() -> bool:
        if dul.state_machine.current_state == "Sta1":  # idle: it may end
            dul._kill_thread = True
            bell.go_on()
            bell.ring()
        return bool(stop())

    dul.send_pdu, dul.stop_dul, dul._is_transport_event = send_pdu, stop_dul, bell.look
    dul._run_loop_delay = 0.0
    dul.bell = bell


def break_off(association: Association) -> None:
    """Abort an association; one whose connection is closed is only to be ended."""
    if association.dul.state_machine.current_state == "Sta1":
        association.kill()
    else:
        association.abort()


def give_back(association: Association) -> None:
    """Give back what it took to serve an association that has ended."""
    bell = getattr(association.dul, "bell", None)
    if bell is not None:
        bell.close()
