"""A line to a DICOM peer on which things go wrong, on purpose and counted.

It passes on what it hears, and can: leave out answers to C-FIND beyond a cap, as silently as some
archives do; abort every so many associations in the middle; break off over what a peer does not
know; and be away for a while.
"""

import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType

__all__ = ["BadLine"]

_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux
_P_DATA = 0x04
_ABORT = bytes((7, 0, 0, 0, 0, 4, 0, 0, 2, 0))
"""A-ABORT by the service provider, for no reason given (PS3.8 9.3.8)."""
_FIND_RESPONSE, _PENDING = 0x8020, (0xFF00, 0xFF01)
_ABORTED_AT = 6
"""PDUs of the peer after which an association is aborted: it is in the middle by then."""


class BadLine:
    """Listens while it is entered, and passes everything on to a peer.

    Parameters
    ----------
    host, port
        Of the peer.
    cap : int
        Most answers to one C-FIND; 0: all.
    abort_every : int
        Which association is aborted, counted from the first; 0: none.
    breaks_over : bytes
        What a caller may not say, else the line breaks; nothing: anything may be said.

    Attributes
    ----------
    port : int
        Where to call.
    associations, aborted, capped : int
        How many there were; how many answers were left out.
    """

    def __init__(
        self, host: str, port: int, *, cap: int = 0, abort_every: int = 0, breaks_over: bytes = b""
    ) -> None:
        self._peer = (host, port)
        self._breaks_over = breaks_over
        self._cap = cap
        self._abort_every = abort_every
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()[:2]
        self.associations = self.aborted = self.capped = 0
        self._away_until = 0.0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def __enter__(self) -> "BadLine":
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._hang_up()

    def go_away(self, seconds: float) -> None:
        """Break everything off, and answer nobody for a while."""
        self._away_until = time.monotonic() + seconds
        self._hang_up()

    def _hang_up(self) -> None:
        with self._lock:
            some = list(self._open)
        for one in some:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                if time.monotonic() < self._away_until:
                    caller.close()
                    continue
                self.associations += 1
                bad = self._abort_every and self.associations % self._abort_every == 0
                threading.Thread(target=self._serve, args=(caller, bool(bad)), daemon=True).start()

    def _serve(self, caller: socket.socket, bad: bool) -> None:
        try:
            peer = socket.create_connection(self._peer, 10)
        except OSError:
            caller.close()
            return
        pass_on = threading.Thread(target=self._ask, args=(caller, peer), daemon=True)
        with self._lock:
            for one in (caller, peer):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.add(one)
        pass_on.start()
        try:
            with suppress(OSError):
                self._answer(peer, caller, bad)
        finally:
            for one in (caller, peer):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            pass_on.join(5)
            with self._lock:
                self._open -= {caller, peer}
            caller.close()
            peer.close()

    def _ask(self, caller: socket.socket, peer: socket.socket) -> None:
        """Pass on what the caller says."""
        with suppress(OSError):
            while some := caller.recv(262_144):
                if self._breaks_over and self._breaks_over in some:
                    self.aborted += 1
                    caller.shutdown(socket.SHUT_RDWR)
                    break
                peer.sendall(some)
        with suppress(OSError):
            peer.shutdown(socket.SHUT_WR)

    def _answer(self, peer: socket.socket, caller: socket.socket, bad: bool) -> None:
        """Pass on what the peer says, PDU by PDU."""
        told, hushed, passed = 0, False, 0
        while head := _exactly(peer, 6):
            kind, _, length = struct.unpack(">BBL", head)
            body = _exactly(peer, length)
            if kind == _P_DATA and self._cap:
                command = _command_of(body)
                if command is not None:
                    told = told + 1 if command else 0
                    hushed = told > self._cap
                    self.capped += hushed
                if hushed:
                    continue
            caller.sendall(head + body)
            passed += 1
            if bad and passed >= _ABORTED_AT:
                self.aborted += 1
                caller.sendall(_ABORT)
                peer.sendall(_ABORT)
                return


def _exactly(source: socket.socket, length: int) -> bytes:
    """Return that many bytes; fewer at the end."""
    parts = bytearray()
    while len(parts) < length:
        if _QUICK_ACK is not None:  # else every message costs 40 ms
            source.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        some = source.recv(min(262_144, length - len(parts)))
        if not some:
            return b""
        parts += some
    return bytes(parts)


def _command_of(body: bytes) -> bool | None:
    """Tell of a P-DATA PDU whether it begins a pending answer to C-FIND; None: it is no command.

    The command stands in a PDU of its own, as dcmtk sends it.
    """
    if len(body) < 6 or not body[5] & 1:
        return None
    at, field, status = 6, 0, 0
    while at + 8 <= len(body):
        group, element, length = struct.unpack_from("<HHL", body, at)
        if (group, element) == (0, 0x0100):
            field = struct.unpack_from("<H", body, at + 8)[0]
        elif (group, element) == (0, 0x0900):
            status = struct.unpack_from("<H", body, at + 8)[0]
        at += 8 + length
    return field == _FIND_RESPONSE and status in _PENDING
