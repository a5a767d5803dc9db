"""An association's connection in our own hand: question and answer go over no other thread.

pynetdicom's upper layer is a thread: each piece of a message goes through a queue to it or from it,
and each time one thread wakes the other, for which Python's lock changes hands. While studies of
many small instances were brought over, 29 of 100 samples of our processes were taken in those
threads. So who speaks over an association may have the upper layer stand still meanwhile, and send
and receive P-DATA-TF (PS3.8 9.3.5) by itself.
Whatever else the peer sends, or somebody here wants to say, is the upper layer's as before.
"""

import select
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty
from typing import Any, NoReturn

from pynetdicom.association import Association

from digitizer.dimse.quick import acknowledge_at_once
from digitizer.dimse.tls import has_come

__all__ = ["IS_COMMAND", "IS_LAST", "PIECE_HEAD", "Hand"]

IS_COMMAND, IS_LAST = 1, 2
"""Bits of the message control header (PS3.8 E.2)."""
PIECE_HEAD = 6
"""Bytes of a presentation data value before its fragment (PS3.8 9.3.5.1)."""
_HEAD = struct.Struct(">BxL")
_PIECE = struct.Struct(">LBB")
_DATA = 0x04
"""Type of a P-DATA-TF (PS3.8 9.3.1)."""
_TRANSFER = "Sta6"
"""An association that stands (PS3.8 9.2.1)."""
_INVALID = "Evt19"
_LARGEST = 1 << 24
"""Bytes of a PDU: far beyond what we say that we take, and what a peer may have us set aside."""
_AT_ONCE = 1 << 17
"""Bytes to gather before they are sent: a command goes with the first of its data."""
_LEAST_S = 0.001
"""A time limit of nothing would mean that nobody waits."""
_PATIENCE_S = 5.0
"""A turn of the upper layer takes some milliseconds, unless it hangs over what it sends."""


class Hand:
    """Sends and receives over an association that we opened, between ``take`` and ``give``.

    Parameters
    ----------
    association : Association
    silence_s : float or None
        How long the peer may take nothing of what is sent, or take over one PDU of its own.

    Raises
    ------
    RuntimeError
        From its methods: the association is over, or the peer takes too long.
    """

    def __init__(self, association: Association, silence_s: float | None) -> None:
        dul: Any = association.dul
        self._dul, self._bell = dul, dul.bell
        self._silence_s = silence_s
        self._waits = select.poll()
        self._socket: Any = None

    def take(self) -> None:
        """Have the upper layer stand still."""
        if not self._bell.stop(_PATIENCE_S):
            # It waits for the rest of something that does not come.
            self._bell.hang_up()
            self._bell.go_on()
            raise RuntimeError("the association has ended")
        transport = self._dul.socket
        self._socket = transport.socket if transport is not None else None
        if self._socket is not None:
            self._waits.register(self._socket, select.POLLIN)
            self._waits.register(self._bell, select.POLLIN)

    def give(self) -> None:
        """Let the upper layer go on; no harm where it does."""
        if self._socket is not None:
            if self._socket.fileno() >= 0:
                self._socket.settimeout(None)
            self._socket = None
            # Whoever rang meanwhile rang for it.
            self._bell.ring()
        self._bell.go_on()

    def send(self, context_id: int, contents: Sequence[tuple[int, bytes]], room: int) -> None:
        """Send a message, in as many pieces as it takes.

        Parameters
        ----------
        context_id : int
        contents : sequence of (message control header, bytes)
            Its command set and its dataset; the bit of the last piece is set here (PS3.8 E.2).
        room : int
            Bytes that the peer takes in one piece.
        """
        self._let_others_speak()
        self._socket.settimeout(self._silence_s)
        out = bytearray()
        for control, content in contents:
            for start in range(0, len(content), room):
                fragment = memoryview(content)[start : start + room]
                last = IS_LAST if start + room >= len(content) else 0
                out += _HEAD.pack(_DATA, len(fragment) + PIECE_HEAD)
                out += _PIECE.pack(len(fragment) + 2, context_id, control | last)
                out += fragment
                if len(out) >= _AT_ONCE:
                    self._write(out)
                    out = bytearray()
        self._write(out)

    def receive(self, until: float | None) -> list[tuple[int, int, memoryview]]:
        """Wait for a P-DATA-TF; return its pieces: presentation context, control header, fragment.

        Parameters
        ----------
        until : float or None
            When all of it must have come, by the monotonic clock.

        Raises
        ------
        ValueError
            It is garbled, or empty.
        """
        self._wait(until)
        kind, length = _HEAD.unpack(self._read(_HEAD.size, until))
        if length > _LARGEST:
            self._lose()
        body = self._read(length, until)
        if kind != _DATA:
            self._hand_over(_HEAD.pack(kind, length) + body)
            raise RuntimeError("the peer has broken off")
        pieces: list[tuple[int, int, memoryview]] = []
        at = 0
        while at < length or not pieces:
            if length - at < _PIECE.size:
                raise ValueError("a piece ends too early")
            size, context_id, control = _PIECE.unpack_from(body, at)
            end = at + 4 + size
            if size < 2 or end > length:
                raise ValueError("a piece is garbled")
            pieces.append((context_id, control, body[at + _PIECE.size : end]))
            at = end
        return pieces

    def _hand_over(self, pdu: bytes) -> None:
        """Have the upper layer deal with what came, when it goes on."""
        try:
            decoded, event = self._dul._decode_pdu(pdu)
        except Exception:
            # pynetdicom raises nearly anything over hostile bytes.
            self._dul.event_queue.put(_INVALID)
            return
        self._dul._recv_pdu.put(decoded)
        self._dul.event_queue.put(event)

    def _let_others_speak(self) -> None:
        """Send what others here left with the upper layer: an answer to a report, an abort."""
        machine = self._dul.state_machine
        while machine.current_state == _TRANSFER and self._dul._process_recv_primitive():
            machine.do_action(self._dul.event_queue.get_nowait())
        if machine.current_state != _TRANSFER or self._socket is None:
            raise RuntimeError("the association has ended")

    def _wait(self, until: float | None) -> None:
        """Wait until the peer says something."""
        while not has_come(self._socket):
            acknowledge_at_once(self._socket)
            left = None if until is None else max(1000 * (until - time.monotonic()), 0)
            ready = {one for one, _ in self._waits.poll(left)}
            if not ready:
                raise RuntimeError("the peer is silent")
            if self._bell.fileno() in ready:
                self._bell.silence()
                self._let_others_speak()
            if self._socket.fileno() in ready:
                return

    def _read(self, count: int, until: float | None) -> memoryview:
        found = memoryview(bytearray(count))
        at = 0
        while at < count:
            try:
                if until is not None:
                    self._socket.settimeout(max(until - time.monotonic(), _LEAST_S))
                came = self._socket.recv_into(found[at:])
            except OSError:
                came = 0
            if not came:
                self._lose()
            at += came
        return found

    def _write(self, data: bytearray) -> None:
        left = memoryview(data)
        while left:
            try:
                sent = self._socket.send(left)
            except OSError:
                # To a peer that does not read an abort could not be sent either.
                self._lose()
            left = left[sent:]

    def _lose(self) -> NoReturn:
        """Close the connection: what would come over it next is the middle of something."""
        self._dul.socket.close()
        with suppress(Empty):
            while self._dul.state_machine.current_state == _TRANSFER:
                self._dul.state_machine.do_action(self._dul.event_queue.get_nowait())
        raise RuntimeError("the connection is lost")
