"""Scanners, through SANE's ``scanimage`` as a process of its own.

The exit code is not believed: on a full disk, a broken-off feed or an impossible depth the program
ends with 0. What is believed is the decoded file: depth, size and resolution as asked for.
"""

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from digitizer.errors import BadScan, MissingService, UsageError
from digitizer.scan.decoding import FileDecoder

__all__ = [
    "SaneScanner",
    "ScanProfile",
    "Scanner",
    "ScannerError",
    "list_scanners",
    "profile_of",
]

_STATUS = {
    1: ("does not support this setting", "Choose another profile."),
    2: ("was cancelled", "Scan again."),
    3: ("is busy", "Wait until the other scan has ended."),
    4: ("refuses a setting", "Check the profile's resolution and source."),
    5: ("has no more sheets", ""),
    6: ("is jammed", "Open the feeder, take the film out, and scan it again."),
    7: ("has no sheet in its feeder", "Put the films in."),
    8: ("has its cover open", "Close the cover."),
    9: ("broke off", "Switch it off and on, and scan again."),
    10: ("is out of memory", "Scan at a lower resolution."),
    11: ("denies access", "Allow this user to use the scanner."),
}
_FEEDER_EMPTY = (5, 7)
_PATIENCE_S = 60
_LIST = "%d|%v|%m|%t%n"
_OPTION = re.compile(r"\s+--([a-z][a-z-]*)")


class ScannerError(MissingService):
    """The scanner did not deliver; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """One device that SANE finds."""

    device: str
    vendor: str
    model: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProfile:
    """How to scan. TIFF always: JPEG would cut 16 bits to 8 and lose some of those."""

    depth: int = 16
    mode: str = "Gray"
    resolution: int = 300
    source: str = ""
    feeder: bool = False
    page_timeout_s: float = 180.0
    options: tuple[str, ...] = ()


def list_scanners() -> tuple[Scanner, ...]:
    """List the scanners; raises :class:`~digitizer.errors.MissingService` without SANE."""
    found = []
    for line in _asked("-f", _LIST):
        parts = line.split("|")
        if len(parts) == 4:
            found.append(Scanner(*parts))
    return tuple(found)


def _asked(*words: str) -> list[str]:
    """Return what the program says to a question, line by line."""
    try:
        done = subprocess.run(
            [_program(), *words], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ScannerError(
            f"No scanner answered in {_PATIENCE_S} seconds.", remedy="Switch it off and on."
        ) from None
    return done.stdout.splitlines()


def _program() -> str:
    program = shutil.which("scanimage")
    if program is None:
        raise MissingService("The program scanimage is not installed.", remedy="Run scripts/setup.")
    return program


class SaneScanner:
    """One device; only one process scans with it at a time.

    Parameters
    ----------
    device : str
        SANE's name of the device.
    lock_folder : Path
        Where the lock lies that names who scans.
    """

    def __init__(self, device: str, lock_folder: Path) -> None:
        self._device = device
        lock_folder.mkdir(parents=True, exist_ok=True)
        safe = "".join(sign if sign.isalnum() else "_" for sign in device)
        self._lock = FileLock(lock_folder / f"{safe}.lock")
        self._owner = lock_folder / f"{safe}.json"

    def scan(
        self,
        profile: ScanProfile,
        folder: Path,
        *,
        on_page: Callable[[Path], None] = lambda _: None,
        cancel: threading.Event | None = None,
    ) -> tuple[Path, ...]:
        """Scan one sheet, or all that lie in the feeder, into a folder.

        Parameters
        ----------
        on_page : callable
            Called with each page when it is complete and checked.
        cancel : Event, optional
            Set to stop.

        Raises
        ------
        ScannerError
            The device did not deliver; pages delivered before are kept.
        BadScan
            A page is not what was asked for (``scanner_depth``, ``scanner_resolution``, truncated).
        """
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise ScannerError(
                f"The scanner is used by {self._who()}.", remedy="Wait until that scan has ended."
            ) from None
        try:
            self._owner.write_text(
                json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat()})
            )
            return self._run(profile, folder, on_page, cancel or threading.Event())
        finally:
            self._owner.unlink(missing_ok=True)
            self._lock.release()
            for left in folder.glob("*.part"):
                left.unlink()

    def _options(self) -> frozenset[str]:
        """Return the names of the device's active options; not every device has a mode or depth.

        One that cannot be asked for is judged by what arrives, like all the others.
        """
        told = _asked("-d", self._device, "-A")
        lines = (line for line in told if "[inactive]" not in line)
        return frozenset(found[1] for found in map(_OPTION.match, lines) if found)

    def _who(self) -> str:
        try:
            told = json.loads(self._owner.read_text())
        except (OSError, ValueError):
            return "another process"
        return f"process {told.get('pid')} since {told.get('since')}"

    def _run(
        self,
        profile: ScanProfile,
        folder: Path,
        on_page: Callable[[Path], None],
        cancel: threading.Event,
    ) -> tuple[Path, ...]:
        folder.mkdir(parents=True, exist_ok=True)
        # Behind the highest number there is: pages may have been taken away, none is replaced.
        start = 1 + max((_number(page) for page in folder.glob("scan-*.tif")), default=0)
        wanted = {
            "mode": profile.mode,
            "depth": str(profile.depth),
            "resolution": str(profile.resolution),
            "source": profile.source,
        }
        known = self._options()
        argv = [
            *(_program(), "-d", self._device, "--format=tiff"),
            *(f"--{name}={value}" for name, value in wanted.items() if value and name in known),
            *profile.options,
            # The name is a format of C: a folder named by a person has no place in it.
            *("--batch=scan-%05d.tif", f"--batch-start={start}", "--batch-print"),
            *(() if profile.feeder else ("--batch-count=1",)),
        ]
        # Its chatter is not kept: nobody empties the pipe, and after a thousand pages it is full.
        process = subprocess.Popen(
            argv,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        pages: list[Path] = []
        try:
            for name in _lines(process, profile.page_timeout_s, cancel):
                page = folder / name
                _check(page, profile)
                pages.append(page)
                on_page(page)
        finally:
            _end(process)
        self._judge(process, bool(pages), profile, cancel)
        return tuple(pages)

    def _judge(
        self,
        process: subprocess.Popen[str],
        delivered: bool,
        profile: ScanProfile,
        cancel: threading.Event,
    ) -> None:
        if cancel.is_set():
            raise ScannerError("The scan was cancelled.", remedy="Scan again.")
        code = process.returncode
        if delivered and (code == 0 or (profile.feeder and code in _FEEDER_EMPTY)):
            return
        if code == 0:
            raise ScannerError("The scanner delivered nothing.", remedy="Scan again.")
        what, remedy = _STATUS.get(code, (f"failed (status {code})", "Scan again."))
        raise ScannerError(f"The scanner {what}.", remedy=remedy)


def _number(page: Path) -> int:
    """Return the number in a page's name; 0 for a name that is not ours."""
    digits = page.stem.removeprefix("scan-")
    return int(digits) if digits.isdecimal() else 0


def _lines(
    process: subprocess.Popen[str], timeout_s: float, cancel: threading.Event
) -> Iterator[str]:
    """Yield the program's lines; end it when a page takes too long or somebody cancels."""
    told: queue.Queue[str | None] = queue.Queue()
    assert process.stdout is not None, "it was piped"
    stream = process.stdout

    def read() -> None:
        with stream:
            for line in stream:
                told.put(line.strip())
        told.put(None)

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + timeout_s
    while not cancel.is_set():
        try:
            line = told.get(timeout=0.1)
        except queue.Empty:
            if time.monotonic() < deadline:
                continue
            raise ScannerError(
                f"The scanner delivered no page in {timeout_s:.0f} seconds.",
                remedy="Switch it off and on, and scan again.",
            ) from None
        if line is None:
            process.wait(timeout_s)
            return
        if line:
            deadline = time.monotonic() + timeout_s
            yield line


def _end(process: subprocess.Popen[str]) -> None:
    """Stop the program if it still runs: politely, firmly, for good."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue


def _check(page: Path, profile: ScanProfile) -> None:
    """Believe only the decoded file."""
    raster = FileDecoder().decode(page)
    if raster.pixels.dtype.itemsize * 8 < profile.depth:
        raise BadScan(
            "scanner_depth",
            f"The scanner delivered {raster.bits} bits, {profile.depth} were asked for.",
            remedy="Check the scanner's settings.",
        )
    if raster.dpi is None or any(abs(dpi - profile.resolution) > 1 for dpi in raster.dpi):
        raise BadScan(
            "scanner_resolution",
            "The scanner delivered another resolution than asked for.",
            remedy="Choose a resolution the scanner has.",
        )


def profile_of(name: str) -> ScanProfile:
    """Return a built-in profile; raises :class:`~digitizer.errors.UsageError` for others."""
    profiles = {
        "film": ScanProfile(),
        "film-feeder": ScanProfile(feeder=True, source="Automatic Document Feeder"),
        "label": ScanProfile(depth=8, mode="Color"),
    }
    if name not in profiles:
        raise UsageError(f"There is no profile {name}.", remedy=f"One of: {', '.join(profiles)}.")
    return profiles[name]
