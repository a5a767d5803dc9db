"""TLS of DICOM connections, by the BCP 195 profile (PS3.15 B.9): version 1.2 at least."""

import ssl

from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.dimse import tls as dimse_tls
from digitizer.errors import SettingsError

__all__ = ["client_context", "server_context"]


def client_context(settings: ArchiveSettings) -> ssl.SSLContext | None:
    """Return the context for connections we open; the archive's name is checked.

    Raises
    ------
    SettingsError
        A file cannot be used.
    """
    if not settings.tls:
        return None
    return dimse_tls.client_context(
        settings.tls_ca,
        settings.tls_certificate,
        settings.tls_key,
        whose="the archive",
        remedy="DIGITIZER_ARCHIVE__TLS_CA, __TLS_CERTIFICATE and __TLS_KEY",
    )


def server_context(settings: ListenerSettings) -> ssl.SSLContext | None:
    """Return the context for connections we accept; with ``tls_ca`` peers must show a certificate.

    Raises
    ------
    SettingsError
        A file cannot be used.
    """
    if settings.tls_certificate is None:
        return None
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        if settings.tls_ca is not None:
            context.load_verify_locations(settings.tls_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"The TLS files of our listener cannot be used: {error}.",
            remedy="Check DIGITIZER_LISTENER__TLS_CERTIFICATE, __TLS_KEY and __TLS_CA.",
        ) from error
    return context
