"""Where the archive is, and who we are to it."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ArchiveSettings", "ListenerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSettings:
    """The archive we store to; without a host, the embedded one."""

    host: str = ""
    """Address of the archive; empty: the embedded archive in the data folder."""
    port: int = 0
    """DICOM port of the archive."""
    ae_title: str = "ARCHIVE"
    """AE title of the archive."""
    tls: bool = False
    """Speak TLS (BCP 195) with the archive."""
    tls_ca: Path | None = None
    """Certificates that sign the archive's, PEM."""
    tls_certificate: Path | None = None
    """Our own certificate, PEM."""
    tls_key: Path | None = None
    """Our own private key, PEM."""
    timeout_s: float = 30.0
    """Seconds to wait for an answer of the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Our own DICOM entity: commitment reports and scans from DICOM digitizers arrive there."""

    host: str = "127.0.0.1"
    """Address we listen on; the archive must be able to reach it."""
    port: int = 0
    """Port we listen on; 0: a free one."""
    ae_title: str = "DIGITIZER"
    """Our AE title."""
    accept_from: tuple[str, ...] = ()
    """AE titles of the DICOM digitizers that may store scans to us; nobody else may."""
    tls_certificate: Path | None = None
    """Certificate of our listener, PEM; with it the listener speaks TLS only."""
    tls_key: Path | None = None
    """Private key of our listener, PEM."""
    tls_ca: Path | None = None
    """Certificates that sign those of our peers, PEM; with it peers must show one."""
