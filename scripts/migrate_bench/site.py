"""The product: a data folder and the commands given in it, and the archives around it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
from orthanc_server import Orthanc

from migrate_bench.memory import Memory, family
from migrate_bench.truth import Truth

__all__ = ["NAME", "TITLE", "Site", "kill", "kill_at", "load", "opened_target", "wait_for"]

DIGITIZER = str(Path(sys.executable).with_name("digitizer"))
TITLE, NAME = "DIGITIZER", "old-pacs"


def load(old: Orthanc, truth: Truth) -> None:
    """Load what was made up into the old PACS."""
    url = f"http://127.0.0.1:{old.http_port}/instances"
    for one in truth.files.values():
        content = (truth.folder / one["path"]).read_bytes()
        urlopen(Request(url, data=content, method="POST"), timeout=30).close()
    held = old.rest("/statistics")["CountInstances"]
    assert held == len(truth.files), f"the old PACS took {held} of {len(truth.files)} instances"


@contextmanager
def opened_target(folder: Path, reports: int) -> Iterator[Orthanc]:
    """Open the archive that all goes into."""
    with Orthanc(folder, reports, TITLE) as target:
        yield target


class Site:
    """A data folder, and the commands given in it."""

    def __init__(self, folder: Path, target: Orthanc, reports: int) -> None:
        self.memory = Memory()
        self._name = NAME
        self.all_there_at = 0.0
        self._target = target
        self._environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "DIGITIZER_DATA_DIR": str(folder),
            "DIGITIZER_ARCHIVE__HOST": target.host,
            "DIGITIZER_ARCHIVE__PORT": str(target.dicom_port),
            "DIGITIZER_ARCHIVE__AE_TITLE": target.ae_title,
            "DIGITIZER_LISTENER__PORT": str(reports),
            "DIGITIZER_LISTENER__AE_TITLE": TITLE,
            "DIGITIZER_PIPELINE__UNDO_WINDOW_S": "0",
        }

    def command(self, *words: str) -> str:
        """Give a command; returns what it prints."""
        done = subprocess.run(
            [DIGITIZER, *words], env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 3), f"{words}: {done.returncode} {done.stderr[-2000:]}"
        return done.stdout

    def index(self, made: Path) -> None:
        """Import the index that was made up with the archive."""
        for what in ("patients", "exams"):
            self.command(what, "import", str(made / f"{what}.csv"))

    def add(self, port: int) -> None:
        """Name the old PACS."""
        self.name(f"ORTHANC@127.0.0.1:{port}", "pacs", NAME)

    def name(self, place: str, kind: str, name: str, *more: str) -> None:
        """Name an older archive; it is the one to speak of from now on."""
        self._name = name
        self.command(
            "migrate", "add", place, "--kind", kind, "--name", name, "--issuer", "CITYGEN",
            "--as", "bench", *more,
        )  # fmt: skip

    def start(self) -> "subprocess.Popen[bytes]":
        """Begin bringing it over."""
        return subprocess.Popen(
            [DIGITIZER, "migrate", "run", self._name, "--timeout", "86400", "--json"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def run(self, running: "subprocess.Popen[bytes] | None" = None) -> None:
        """Bring it over to the end, with an eye on memory."""
        running = running or self.start()
        while running.poll() is None:
            self.look(running)
            time.sleep(1)
        assert running.returncode in (0, 3), f"migrate run: {running.returncode}"

    def look(self, running: "subprocess.Popen[bytes]") -> int:
        """Note the memory; returns how many instances the archive has by now."""
        stored = int(self._target.rest("/statistics")["CountInstances"])
        if not self.memory.seen or stored != self.memory.seen[-1][0]:
            self.all_there_at = time.monotonic()
        self.memory.sample(running.pid, stored)
        return stored

    def told(self) -> dict[str, Any]:
        """Return the reconciliation."""
        found: dict[str, Any] = json.loads(self.command("migrate", "show", self._name, "--json"))
        return found

    def studies(self) -> list[dict[str, Any]]:
        """Return the studies as they stand."""
        found: list[dict[str, Any]] = json.loads(
            self.command("migrate", "studies", self._name, "--json")
        )
        return found

    def events(self, name: str) -> int:
        """Count what the ledger has written down of one name, looking past all commands."""
        ledger = Path(self._environment["DIGITIZER_DATA_DIR"]) / "ledger.sqlite"
        if not ledger.is_file():
            return 0
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=30)) as database:
            found = database.execute("SELECT count(*) FROM event WHERE name = ?", (name,))
            return int(found.fetchone()[0])


def wait_for(site: Site, running: "subprocess.Popen[bytes]", count: int) -> None:
    """Wait until the archive has a count of instances, or the command has ended."""
    while running.poll() is None and site.look(running) < count:
        time.sleep(0.5)


def kill_at(site: Site, event: str) -> list[str]:
    """Bring it over until the ledger has one event more of a name, and kill it in that moment."""
    before, running, looked = site.events(event), site.start(), 0.0
    while running.poll() is None and site.events(event) == before:
        if time.monotonic() - looked >= 1:
            site.look(running)
            looked = time.monotonic()
        time.sleep(0.05)
    if running.poll() is not None:
        return [f"it came to its end before it could be killed at {event}"]
    kill(running)
    return []


def kill(running: "subprocess.Popen[bytes]") -> None:
    """Kill the command and all that it started, at once and without a word."""
    for one in reversed(family(running.pid)):
        try:
            one.send_signal(signal.SIGKILL)
        except psutil.Error:
            continue
    running.wait()
