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

__all__ = ["QUICK"]

_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux


def _opened(event: evt.Event) -> None:
    _set(event, socket.TCP_NODELAY)
    _acknowledge(event)


def _acknowledge(event: evt.Event) -> None:
    """Have what comes next acknowledged at once: the system forgets the wish after a while."""
    if _QUICK_ACK is not None:
        _set(event, _QUICK_ACK)


def _set(event: evt.Event, option: int) -> None:
    transport = event.assoc.dul.socket
    connection = transport.socket if transport is not None else None
    if connection is not None:
        with suppress(OSError):  # closed meanwhile
            connection.setsockopt(socket.IPPROTO_TCP, option, 1)


QUICK: tuple[tuple[Any, Any], ...] = (
    (evt.EVT_CONN_OPEN, _opened),
    (evt.EVT_DATA_SENT, _acknowledge),
    (evt.EVT_DATA_RECV, _acknowledge),
)
"""Event handlers to bind to an association, or to a server."""
