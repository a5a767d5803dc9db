"""Messages without idle waits on the network.

A DIMSE message is several small pieces. Nagle's algorithm holds the second back until the first is
acknowledged, and acknowledgements are put off for 40 ms: a C-ECHO to Orthanc then takes 45 ms, and
2 ms without (both ends on one host). So our pieces are sent at once, and the peer's acknowledged at
once, where the system can.
"""

import socket
from contextlib import suppress
from typing import Any

from pynetdicom import evt

__all__ = ["QUICK", "QUICK_START", "acknowledge_at_once"]

_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux


def _opened(event: evt.Event) -> None:
    connection = _connection(event)
    if connection is not None:
        with suppress(OSError):  # closed meanwhile
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        acknowledge_at_once(connection)


def _moved(event: evt.Event) -> None:
    connection = _connection(event)
    if connection is not None:
        acknowledge_at_once(connection)


def _connection(event: evt.Event) -> socket.socket | None:
    transport = event.assoc.dul.socket
    return transport.socket if transport is not None else None


def acknowledge_at_once(connection: socket.socket) -> None:
    """Have what comes next acknowledged at once: the system forgets the wish after a while."""
    if _QUICK_ACK is not None:
        with suppress(OSError):  # closed meanwhile
            connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)


QUICK_START: tuple[tuple[Any, Any], ...] = ((evt.EVT_CONN_OPEN, _opened),)
"""Event handlers to bind to an association that sees to the rest itself (:mod:`.woken`)."""
QUICK: tuple[tuple[Any, Any], ...] = (
    *QUICK_START,
    (evt.EVT_DATA_SENT, _moved),
    (evt.EVT_DATA_RECV, _moved),
)
"""Event handlers to bind to any other association, or to a server."""
