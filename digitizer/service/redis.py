"""A Redis of our own, for as long as it is needed."""

import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from redis import Redis
from redis.exceptions import RedisError

from digitizer.errors import MissingService
from digitizer.service.supervisor import dies_with_parent

__all__ = ["PrivateRedis"]

_START_S = 15.0
_LONGEST_SOCKET = 100
"""Paths of Unix sockets end at 107 bytes."""


class PrivateRedis:
    """Runs while it is entered: on a Unix socket, with a password, appending to disk.

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
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = folder.resolve() / "redis.sock"
        self._short: Path | None = None
        self._password = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """Broker URL for Celery."""
        return f"redis+socket://:{self._password}@{self._socket}?virtual_host=0"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    def __enter__(self) -> "PrivateRedis":
        program = shutil.which("redis-server")
        if program is None:
            raise MissingService(
                "The program redis-server is not installed.",
                remedy="Run scripts/setup, or set DIGITIZER_BROKER_URL.",
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        if len(str(self._socket)) > _LONGEST_SOCKET:
            self._short = Path(tempfile.mkdtemp(prefix="digitizer-"))
            self._socket = self._short / "redis.sock"
        self._program = program
        self.start()
        return self

    def start(self) -> None:
        """Start the server (again) on the same socket, password and data."""
        self._socket.unlink(missing_ok=True)
        configuration = self._folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            "port 0\n"
            f'unixsocket "{self._socket}"\nunixsocketperm 700\n'
            f"requirepass {self._password}\n"
            f'dir "{self._folder.resolve()}"\n'
            'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\n'
            "loglevel warning\n"
        )
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, str(configuration)],
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_parent,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        assert self._process is not None, "it was just started"
        client = Redis(unix_socket_path=str(self._socket), password=self._password)
        deadline = time.monotonic() + _START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                if client.ping():
                    return
            except (RedisError, OSError):
                time.sleep(0.02)
        raise MissingService(
            "The private Redis does not come up.", remedy=f"See {self._folder / 'redis.log'}."
        )

    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)
