"""The console as a process of its own: a page that fails stops no film."""

import socket
import sys
from collections.abc import Mapping

from digitizer.config import ConsoleSettings
from digitizer.service.supervisor import Child

__all__ = ["console_address", "console_child", "console_port", "port_is_free"]


def console_port(settings: ConsoleSettings) -> int:
    """Return the port that is set, or a free one."""
    if settings.port:
        return settings.port
    with socket.socket() as probe:
        probe.bind((settings.host, 0))
        return int(probe.getsockname()[1])


def port_is_free(host: str, port: int) -> bool:
    """Tell whether somebody else listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def console_child(environment: Mapping[str, str], port: int) -> Child:
    """Return the console as a child of a supervisor.

    Parameters
    ----------
    environment : mapping
        That of the workers (:attr:`digitizer.service.runtime.Runtime.environment`).
    port : int
    """
    return Child(
        name="console",
        argv=[sys.executable, "-m", "digitizer.console"],
        env={**environment, "DIGITIZER_CONSOLE__PORT": str(port)},
    )


def console_address(settings: ConsoleSettings, port: int) -> str:
    """Return the URL under which people reach the console."""
    scheme = "https" if settings.tls_certificate else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url or f"{scheme}://{host}:{port}/"
