"""Scanning through SANE, with the devices that it brings along for tests."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from filelock import FileLock

from digitizer.errors import BadScan, MissingService, UsageError
from digitizer.model.units import Dpi
from digitizer.rehearsal.sources import MAMMOGRAMS, mammogram
from digitizer.scan.decoding import FileDecoder
from digitizer.scan.sane import (
    SaneScanner,
    ScannerError,
    ScanProfile,
    list_scanners,
    profile_of,
)

DEVICE = "test:0"
SMALL = ("-x", "20", "-y", "15")
ONE = ScanProfile(resolution=100, options=(*SMALL, "--test-picture", "Grid"))
FEEDER = replace(ONE, feeder=True, source="Automatic Document Feeder")


@pytest.fixture(autouse=True)
def sane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SANE know its devices for tests and no other."""
    if shutil.which("scanimage") is None:
        pytest.skip("scanimage is not installed")
    folder = tmp_path / "sane"
    folder.mkdir()
    (folder / "dll.conf").write_text("test\npnm\n")
    (folder / "test.conf").write_text("number_of_devices 2\n")
    monkeypatch.setenv("SANE_CONFIG_DIR", str(folder))


@pytest.fixture
def scanner(tmp_path: Path) -> SaneScanner:
    return SaneScanner(DEVICE, tmp_path / "locks")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "scans"


def failing(profile: ScanProfile, status: str) -> ScanProfile:
    """Return the profile with a device whose reading ends with a status."""
    told = ("--read-return-value", status)
    return replace(profile, options=(*profile.options, *told))


def test_the_scanners_are_listed() -> None:
    """Every device is named as it must be called, with maker and model."""
    found = {one.device: one for one in list_scanners()}
    assert sorted(found) == ["pnm:0", "pnm:1", "test:0", "test:1"]
    assert found["test:0"].vendor == "Noname"


def test_a_page_has_sixteen_bits(scanner: SaneScanner, folder: Path) -> None:
    """One page of 16-bit grey at the resolution asked for, readable and not blank."""
    (page,) = scanner.scan(ONE, folder)
    raster = FileDecoder().decode(page)
    assert raster.pixels.dtype == np.uint16
    assert raster.dpi is not None
    assert raster.dpi.x == pytest.approx(100, abs=0.5)
    assert int(np.ptp(raster.pixels)) > 0


def test_a_folder_may_have_any_name(scanner: SaneScanner, tmp_path: Path) -> None:
    """Its name is a person's, the name of a page is a format of C."""
    folder = tmp_path / "50%s%n 100%d"
    (page,) = scanner.scan(ONE, folder)
    assert page == folder / "scan-00001.tif"
    assert page.is_file()


def test_a_feeder_of_ten_gives_ten_pages(scanner: SaneScanner, folder: Path) -> None:
    """Each page is told when it is there, in order, and none is left half-written."""
    told: list[Path] = []
    pages = scanner.scan(FEEDER, folder, on_page=told.append)
    assert len(pages) == 10
    assert list(pages) == told == sorted(folder.iterdir())


def test_a_second_run_replaces_no_page(scanner: SaneScanner, folder: Path) -> None:
    """Scanned again, the page is a new file."""
    (first,) = scanner.scan(ONE, folder)
    before = first.read_bytes()
    (second,) = scanner.scan(ONE, folder)
    assert second != first
    assert first.read_bytes() == before


def test_a_page_taken_away_costs_no_other(scanner: SaneScanner, folder: Path) -> None:
    """When the first of two pages was taken away, the next run still replaces none."""
    first, second = (scanner.scan(ONE, folder)[0] for _ in range(2))
    second.write_bytes(b"the second film")
    first.unlink()
    scanner.scan(ONE, folder)
    assert second.read_bytes() == b"the second film"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("SANE_STATUS_JAMMED", "is jammed"),
        ("SANE_STATUS_COVER_OPEN", "has its cover open"),
        ("SANE_STATUS_IO_ERROR", "broke off"),
        ("SANE_STATUS_ACCESS_DENIED", "denies access"),
        ("SANE_STATUS_DEVICE_BUSY", "is busy"),
    ],
)
def test_a_failing_device_is_told_in_words(
    scanner: SaneScanner, folder: Path, status: str, words: str
) -> None:
    """Whoever stands at the scanner reads what is wrong and what to do, and no page stays."""
    # SANE's test device hangs on a failed read now and then; then our own time-out says so.
    profile = replace(failing(ONE, status), page_timeout_s=8.0)
    with pytest.raises(ScannerError, match=f"{words}|delivered no page") as told:
        scanner.scan(profile, folder)
    assert told.value.remedy
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("status", ["SANE_STATUS_EOF", "SANE_STATUS_NO_DOCS"])
def test_a_page_that_breaks_off_is_no_page(scanner: SaneScanner, folder: Path, status: str) -> None:
    """Ends the program with success all the same, the missing page is an error."""
    with pytest.raises((ScannerError, BadScan)):
        scanner.scan(failing(ONE, status), folder)


def test_a_depth_that_is_not_delivered_is_refused(scanner: SaneScanner, folder: Path) -> None:
    """Asked for 16 bits, a device that can only do 1 bit is not believed."""
    with pytest.raises((ScannerError, BadScan)):
        scanner.scan(replace(ONE, depth=12), folder)


def test_an_unknown_device_is_told(tmp_path: Path, folder: Path) -> None:
    """A device that is not there delivers an error and no page."""
    with pytest.raises(ScannerError):
        SaneScanner("test:77", tmp_path / "locks").scan(ONE, folder)


def test_a_scan_can_be_cancelled(scanner: SaneScanner, folder: Path) -> None:
    """Cancelled after the first page, the feeder stops; nothing half-written stays."""
    cancel = threading.Event()
    # Pages of more than a second: a signal between two pages is heard only at the next try.
    slow = ("-x", "80", "-y", "100", "--read-delay=yes", "--read-delay-duration", "200000")
    profile = replace(FEEDER, options=slow)
    with pytest.raises(ScannerError, match="cancelled"):
        scanner.scan(profile, folder, on_page=lambda _: cancel.set(), cancel=cancel)
    assert 1 <= len(list(folder.glob("*.tif"))) < 10
    assert list(folder.glob("*.part")) == []


def test_a_scanner_in_use_is_not_disturbed(
    scanner: SaneScanner, folder: Path, tmp_path: Path
) -> None:
    """While another holds the lock of the device, nobody else scans with it."""
    with FileLock(tmp_path / "locks" / "test_0.lock"), pytest.raises(ScannerError, match="used by"):
        scanner.scan(ONE, folder)


def test_without_sane_the_program_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scanimage the message says so."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingService, match="scanimage"):
        list_scanners()


def test_an_unknown_profile_is_told() -> None:
    """The message names the profiles there are."""
    with pytest.raises(UsageError) as told:
        profile_of("holiday")
    assert "film-feeder" in told.value.remedy


@pytest.fixture
def film_picture(tmp_path: Path) -> Path:
    """Return a real digitized film as an 8-bit PGM; SANE's `pnm` device delivers no more bits."""
    frame = mammogram(MAMMOGRAMS[0].name)
    small = cv2.resize(frame, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    path = tmp_path / "film.pgm"
    cv2.imwrite(str(path), (small >> (int(small.max()).bit_length() - 8)).astype(np.uint8))
    return path


def pnm_profile(picture: Path) -> ScanProfile:
    options = ("--filename", str(picture))
    return ScanProfile(depth=8, mode="Gray", resolution=100, options=options)


def test_a_real_film_is_scanned_as_it_is(tmp_path: Path, folder: Path, film_picture: Path) -> None:
    """What the device shows comes through driver and decoder with every pixel the same."""
    (page,) = SaneScanner("pnm:0", tmp_path / "locks").scan(pnm_profile(film_picture), folder)
    scanned = FileDecoder().decode(page)
    assert (scanned.bits, scanned.dpi) == (8, Dpi(100.0, 100.0))
    assert np.array_equal(scanned.pixels, cv2.imread(str(film_picture), cv2.IMREAD_UNCHANGED))


def test_a_device_that_delivers_eight_bits_for_sixteen_is_not_believed(
    tmp_path: Path, folder: Path, film_picture: Path
) -> None:
    """Asked for 16 bits, the file of 8 is refused although the program ends with success."""
    profile = replace(pnm_profile(film_picture), depth=16)
    with pytest.raises((ScannerError, BadScan)):
        SaneScanner("pnm:0", tmp_path / "locks").scan(profile, folder)
