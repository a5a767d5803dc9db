"""Checks of what is needed, each with what was found and what to do."""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from digitizer import wiring
from digitizer.config import Settings
from digitizer.errors import DigitizerError, MissingService
from digitizer.model.density import ScannerProfile
from digitizer.pipeline.calibrate import complaints
from digitizer.pipeline.rollers import ScannerWear, worn_scanners
from digitizer.queue.broker import broker_trouble
from digitizer.service.lock import DataFolderLock

__all__ = ["Check", "check_archive", "run_checks"]

_LEAST_FREE = 10 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; ``needed`` ones must be right for work to begin."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = True


def run_checks(settings: Settings) -> tuple[Check, ...]:
    """Look at programs, packages, folders, ports and services."""
    checks: list[Callable[[], Check]] = [
        _python,
        lambda: _tesseract(settings),
        lambda: _redis(settings),
        lambda: _program(
            "scanimage", "apt-get install sane-utils, if scanners are used here.", needed=False
        ),
        _packages,
        lambda: _folder(settings.data_dir),
        lambda: _database(settings),
        lambda: _port(settings, "listener", settings.listener.host, settings.listener.port),
        lambda: _port(settings, "console", settings.console.host, settings.console.port),
        lambda: check_archive(settings),
    ]
    return (*(check() for check in checks), *_calibrations(settings), *_rollers(settings))


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Check("python", sys.version_info >= (3, 11), found, "Use Python 3.11 or later.")


def _program(name: str, remedy: str, *, needed: bool = True) -> Check:
    where = shutil.which(name)
    return Check(name, where is not None, where or "not installed", remedy, needed)


def _tesseract(settings: Settings) -> Check:
    if not settings.engines.tesseract:
        return Check("tesseract", True, "not used")
    try:
        version = wiring.reader(settings).versions["tesseract"]
    except MissingService as error:
        return Check("tesseract", False, error.message, error.remedy)
    return Check("tesseract", True, f"{version}, {settings.engines.tesseract_language}")


def _redis(settings: Settings) -> Check:
    if not settings.broker_url:
        return _program("redis-server", "Run scripts/setup, or set DIGITIZER_BROKER_URL.")
    why = broker_trouble(settings.broker_url)
    return Check("broker", not why, why or "answers", "Start it, or correct the URL.")


def _packages() -> Check:
    names = ("rapidocr", "onnxruntime", "zxingcpp", "imagecodecs", "jpeg_ls", "pynetdicom")
    missing = [name for name in names if util.find_spec(name) is None]
    detail = f"missing: {', '.join(missing)}" if missing else "all there"
    return Check("packages", not missing, detail, "Run scripts/setup.")


def _folder(folder: Path) -> Check:
    at = folder.resolve()
    while not at.exists():
        at = at.parent
    if not os.access(at, os.W_OK):
        return Check("data folder", False, f"{folder} cannot be written", "Allow writing there.")
    free = shutil.disk_usage(at).free
    detail = f"{folder}, {free / 1e9:.0f} GB free"
    return Check("data folder", free > _LEAST_FREE, detail, "Free some room.", needed=False)


def _database(settings: Settings) -> Check:
    try:
        opened = wiring.ledger(settings)
        with opened.reading() as view:
            view.counts()
    except DigitizerError as error:
        return Check(
            "ledger", False, error.message, error.remedy or "Check DIGITIZER_DATABASE_URL."
        )
    return Check("ledger", True, opened.url.split("@")[-1])


def _port(settings: Settings, name: str, host: str, port: int) -> Check:
    if port == 0:
        return Check(name, True, f"{host}, a free port", needed=False)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            owner = DataFolderLock(settings.data_dir).owner()
            if owner is not None:
                # Most likely ours: what works on the data folder listens there.
                return Check(name, True, f"{host}:{port}, in use while {owner} works here")
            why = error.strerror or "taken"
            return Check(name, False, f"{host}:{port}: {why}", "Choose another port.", needed=False)
    return Check(name, True, f"{host}:{port}")


def _calibrations(settings: Settings) -> tuple[Check, ...]:
    """Look at the newest profile of every scanner that was calibrated here."""
    try:
        opened = wiring.ledger(settings)
        with opened.reading() as view:
            newest = {profile.scanner: profile for profile in view.profiles()}
    except DigitizerError:
        # What is wrong with the ledger is told by its own check.
        return ()
    return tuple(_calibration(settings, profile) for profile in newest.values())


def _calibration(settings: Settings, profile: ScannerProfile) -> Check:
    now = wiring.SystemClock().now()
    found = complaints(profile, now, settings.capture.calibration_days)
    detail = " ".join(found) or (
        f"usable from OD {profile.usable_low:.2f} to {profile.usable_high:.2f}, "
        f"made {profile.made_at:%Y-%m-%d}"
    )
    remedy = "Scan the step tablet and run `digitizer calibrate`."
    return Check(f"calibration of {profile.scanner}", not found, detail, remedy, needed=False)


def _rollers(settings: Settings) -> tuple[Check, ...]:
    """Look for stripes that the latest scans of a scanner have in common."""
    try:
        opened = wiring.ledger(settings)
        with opened.reading() as view:
            worn = worn_scanners(view)
    except DigitizerError:
        # What is wrong with the ledger is told by its own check.
        return ()
    return tuple(_roller(one) for one in worn if one.films)


def _roller(wear: ScannerWear) -> Check:
    name = f"rollers of {wear.scanner}" if wear.scanner else "rollers"
    places = ", ".join(str(column) for column in wear.columns) or "none"
    detail = f"stripes on the latest {wear.films} scans in columns: {places}"
    remedy = "Clean the rollers and the sensor's glass, then scan a clear film."
    return Check(name, not wear.needs_cleaning, detail, remedy, needed=False)


def check_archive(settings: Settings) -> Check:
    """Ask the archive whether it is there (C-ECHO)."""
    if not settings.archive.host:
        return Check("archive", True, "embedded, in the data folder")
    at = f"{settings.archive.ae_title} at {settings.archive.host}:{settings.archive.port}"
    try:
        wiring.archive(settings).echo()
    except DigitizerError as error:
        return Check("archive", False, f"{at}: {error.message}", error.remedy)
    return Check("archive", True, f"{at} answers C-ECHO")
