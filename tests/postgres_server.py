"""A PostgreSQL server of our own, on a Unix socket, gone when the tests are over."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["programs", "running_postgres"]


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server on this machine, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


@contextmanager
def running_postgres() -> Iterator[str]:
    """Run a server with an empty data folder; yield the URL of its database ``postgres``."""
    binaries = programs()
    assert binaries is not None, "PostgreSQL is not installed"
    # Not below a folder that only root may enter: the server refuses to run as root.
    folder = tempfile.mkdtemp(dir="/tmp")
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    try:
        subprocess.run(
            [
                *(binaries / "initdb", "-D", f"{folder}/data", "-U", "digitizer", "-A", "trust"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            **user,
        )
        with Path(folder, "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    *(binaries / "postgres", "-D", f"{folder}/data", "-k", folder),
                    *("-c", "listen_addresses=", "-c", "fsync=off"),
                ],
                stdout=log,
                stderr=log,
                **user,
            )
        try:
            _wait(server, binaries, folder)
            yield f"postgresql+psycopg://digitizer@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: "subprocess.Popen[bytes]", binaries: Path, folder: str) -> None:
    deadline = time.monotonic() + 30
    asked = [str(binaries / "pg_isready"), "-h", folder, "-d", "postgres", "-q"]
    while subprocess.run(asked, check=False).returncode != 0:
        told = Path(folder, "log").read_text()
        assert server.poll() is None, told
        assert time.monotonic() < deadline, told
