"""A Redis of our own, for as long as it is needed."""

import os
import secrets
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from redis import Redis
from redis.exceptions import RedisError

from digitizer.errors import MissingService
from digitizer.service.supervisor import Child, Supervisor

__all__ = ["PrivateRedis"]

_START_S = 15.0
_LONGEST_SOCKET = 100
"""Paths of Unix sockets end at 107 bytes."""


class PrivateRedis:
    """Runs while it is entered: on a Unix socket, with a password, appending to disk.

    One that dies is started again on the same socket, password and data.

    Parameters
    ----------
    folder : Path
        Where it keeps its data; what a killed one left is read again.

    Raises
    ------
    MissingService
        The program is not installed, or does not come up.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder.resolve() / "redis.sock"
        self._password = secrets.token_urlsafe(24)
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """Broker URL for Celery."""
        return f"redis+socket://:{self._password}@{self._socket}?virtual_host=0"

    def __enter__(self) -> "PrivateRedis":
        program = shutil.which("redis-server")
        if program is None:
            raise MissingService(
                "The program redis-server is not installed.",
                remedy="Run scripts/setup, or set DIGITIZER_BROKER_URL.",
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        if len(str(self._socket)) > _LONGEST_SOCKET:
            short = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="digitizer-"))
            self._socket = Path(short) / "redis.sock"
        argv = [program, str(self._write_configuration())]
        child = Child(name="redis", argv=argv, env=dict(os.environ))
        try:
            self._stack.enter_context(Supervisor([child]))
            self._wait()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _write_configuration(self) -> Path:
        configuration = self._folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            "port 0\n"
            f'unixsocket "{self._socket}"\nunixsocketperm 700\n'
            f"requirepass {self._password}\n"
            f'dir "{self._folder.resolve()}"\n'
            f'logfile "{self._folder.resolve() / "redis.log"}"\nloglevel warning\n'
            'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\n'
        )
        return configuration

    def _wait(self) -> None:
        client = Redis(unix_socket_path=str(self._socket), password=self._password)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                if client.ping():
                    return
            except (RedisError, OSError):
                time.sleep(0.02)
        raise MissingService(
            "The private Redis does not come up.", remedy=f"See {self._folder / 'redis.log'}."
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
