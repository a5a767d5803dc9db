"""The commands, as a user runs them."""

import io
import json
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from digitizer import cli


class Site:
    """One data folder and the command line that works on it."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.settings = {
            key: value for key, value in os.environ.items() if not key.startswith("DIGITIZER_")
        }
        self.settings |= {**settings, "DIGITIZER_DATA_DIR": str(data)}

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("digitizer")), *words],
            env=self.settings,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def json(self, *words: str, codes: tuple[int, ...] = (0,)) -> Any:
        """Run a command that prints one JSON document."""
        done = self.run(*words, "--json")
        assert done.returncode in codes, done.stderr[-2000:]
        return json.loads(done.stdout)

    def start(self, *words: str, log: Path = Path(os.devnull)) -> "subprocess.Popen[str]":
        """Start a command in a process group of its own; what it logs goes to a file."""
        with log.open("a") as stream:
            return subprocess.Popen(
                [str(Path(sys.executable).with_name("digitizer")), *words],
                env=self.settings,
                stdout=subprocess.DEVNULL,
                stderr=stream,
                text=True,
                start_new_session=True,
            )

    def with_settings(self, **settings: str) -> "Site":
        """Return the same data folder under other settings."""
        return type(self)(self.data, **{**self._own, **settings})

    @property
    def here(self) -> "SiteInProcess":
        """The same site with its commands in this process: to look often, or at many things."""
        return SiteInProcess(self.data, **self._own)

    @property
    def _own(self) -> dict[str, str]:
        return {key: text for key, text in self.settings.items() if key.startswith("DIGITIZER_")}

    def count_events(self, name: str = "%") -> int:
        """Count what the ledger has written down so far, looking past all commands."""
        ledger = self.data / "ledger.sqlite"
        if not ledger.is_file():
            return 0
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=30)) as database:
            try:
                found = database.execute("SELECT count(*) FROM event WHERE name LIKE ?", (name,))
                return int(found.fetchone()[0])
            except sqlite3.OperationalError:
                # Its tables are not made yet.
                return 0

    def import_index(self, room: Path) -> None:
        """Import the three lists of a room."""
        for name in ("patients", "exams", "jackets"):
            done = self.run(name, "import", str(room / f"{name}.csv"))
            assert done.returncode == 0, done.stderr


class SiteInProcess(Site):
    """The same commands without a process for each, which takes longer than most of them do."""

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        given = io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
        out, err = _Written(), _Written()
        with (
            _logging_as_it_was(),
            patch.dict(os.environ, self.settings, clear=True),
            patch.object(sys, "stdin", given),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = cli.run_command([*words])
        return subprocess.CompletedProcess(words, code, out.told(), err.told())


class _Written(io.TextIOWrapper):
    """What a command writes, as text or as bytes."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, "utf-8", newline="")

    def told(self) -> str:
        self.flush()
        return self._bytes.getvalue().decode()


@contextmanager
def _logging_as_it_was() -> Iterator[None]:
    """Give the log back to those who had it: a command has it write to its own standard error."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)
