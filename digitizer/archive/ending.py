"""The end of a server of ours."""

import socket
from contextlib import suppress

from pynetdicom.transport import ThreadedAssociationServer

__all__ = ["end_server"]


def end_server(server: ThreadedAssociationServer | None) -> None:
    """End a server that pynetdicom runs beside us, and its associations.

    By itself it looks twice a second whether it is to end (``socketserver``), or when somebody
    comes: a socket on which nobody can come any more wakes it.
    """
    if server is None:
        return
    if server.socket is not None:
        with suppress(OSError):  # not everywhere may a socket that listens be shut down
            server.socket.shutdown(socket.SHUT_RDWR)
    server.ae.shutdown()
