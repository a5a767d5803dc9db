"""TLS of connections that we open, by the BCP 195 profile (PS3.15 B.9): version 1.2 at least."""

import socket
import ssl
from pathlib import Path

from digitizer.errors import SettingsError

__all__ = ["client_context", "has_come"]


def client_context(
    authority: Path | None,
    certificate: Path | None,
    key: Path | None,
    *,
    whose: str,
    remedy: str,
) -> ssl.SSLContext:
    """Return a context that checks the peer's name and certificate.

    Parameters
    ----------
    authority : Path or None
        Certificates that sign the peer's, PEM; None: those that the system trusts.
    certificate, key : Path or None
        Our own, PEM, for peers that demand one.
    whose, remedy : str
        For the error: of whom, and which settings to check.

    Raises
    ------
    SettingsError
        A file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"The TLS files of {whose} cannot be used: {error}.", remedy=f"Check {remedy}."
        ) from error
    return context


def has_come(connection: socket.socket) -> bool:
    """Tell whether TLS holds what came over a connection already: no poll tells of that."""
    return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
