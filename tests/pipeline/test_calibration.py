"""Calibrating a scanner, and captures made with its profile."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from captures import an_order
from ledger_records import scan, sheet
from pydicom import Dataset, dcmread
from pydicom.pixels import apply_modality_lut

from digitizer import wiring
from digitizer.config import Settings
from digitizer.errors import BadScan, UsageError
from digitizer.model.film import SheetKind
from digitizer.model.records import Scan
from digitizer.pipeline.calibrate import Tablet, calibrate, complaints, read_densities
from digitizer.pipeline.examine import find_on_page
from digitizer.pipeline.services import Services
from digitizer.pipeline.settings import CaptureSettings
from digitizer.pipeline.wrap import make_capture, provenance, render_sheet
from digitizer.rehearsal.scanner import SCANNERS
from digitizer.rehearsal.tablet import TABLET, scan_of_tablet, write_calibration, write_scan

DPI = 150.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("calibration")
    write_calibration(np.random.default_rng(2), made, DPI)
    return made


@pytest.fixture
def services(tmp_path: Path) -> Services:
    known = CaptureSettings(device_manufacturer="Film Scanner Works")
    return wiring.services(Settings(data_dir=tmp_path / "data", capture=known))


def faded(folder: Path, gain: float) -> Path:
    """Return a scan of the tablet under a lamp of another brightness."""
    path = folder / f"faded-{gain}.tif"
    pixels = scan_of_tablet(np.random.default_rng(7), SCANNERS["log12"], gain=gain, dpi=DPI)
    write_scan(path, pixels, DPI)
    return path


def test_a_tablet_makes_a_profile(services: Services, folder: Path) -> None:
    """Curve, usable range, pixel pitch and operator are kept, with an event that says who."""
    densities = read_densities(folder / "wedge.csv")
    tablet = Tablet(densities=densities, length_mm=22 * 80 * 0.21)
    made = calibrate(services, folder / "wedge.tif", tablet, "M2100", "joan")
    with services.ledger.reading() as view:
        (kept,) = view.profiles("M2100")
        (event,) = view.events("M2100:1")
    assert kept == made
    assert (event.name, event.actor) == ("calibrated", "joan")
    assert made.rms_od <= 0.02
    assert 3.0 <= made.usable_high <= 3.2
    assert made.pitch_mm == pytest.approx(0.21, rel=0.002)
    assert complaints(made, made.made_at, 7) == ()


def test_drift_is_told(services: Services, folder: Path, tmp_path: Path) -> None:
    """A lamp that lost a tenth reads 0.046 OD too dark: more than 0.02 at OD 1, less than 0.05."""
    tablet = Tablet(densities=TABLET)
    calibrate(services, folder / "log12.tif", tablet, "S", "joan")
    second = calibrate(services, faded(tmp_path, 0.94 * 0.9), tablet, "S", "ann")
    assert second.number == 2
    assert dict(second.drift_od)[1.0] == pytest.approx(-0.046, abs=0.015)
    (told,) = complaints(second, second.made_at, 7)
    assert "drifted" in told
    assert "OD 1.0" in told


def test_an_old_calibration_is_due(services: Services, folder: Path) -> None:
    """After so many days it is said so."""
    made = calibrate(services, folder / "log12.tif", Tablet(densities=TABLET), "S", "joan")
    later = made.made_at.replace(year=made.made_at.year + 1)
    assert "days old" in complaints(made, later, 7)[0]


def test_another_picture_is_no_calibration(services: Services, tmp_path: Path) -> None:
    """Nothing is kept of a scan in which no such strip shows."""
    shade = np.linspace(500, 50_000, 900)[None, :] * np.ones((300, 1))
    write_scan(tmp_path / "ramp.tif", shade.astype(np.uint16), DPI)
    with pytest.raises(BadScan, match="no calibration"):
        calibrate(services, tmp_path / "ramp.tif", Tablet(densities=TABLET), "S", "joan")
    with services.ledger.reading() as view:
        assert view.profiles() == ()


def test_the_list_of_another_tablet_is_no_calibration(services: Services, folder: Path) -> None:
    """Its steps do not fit the curve that they make themselves."""
    other = read_densities(folder / "wedge.csv")
    with pytest.raises(BadScan, match="list of this tablet"):
        calibrate(services, folder / "log12.tif", Tablet(densities=other), "S", "joan")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "0 steps"),
        ("step,density\n1,0.1\n2,x\n", "step 2 has no density"),
        ("step,weight\n1,0.1\n", "no column density"),
        ("0.1\n0.2\n0.3\n", "3 steps"),
        ("density\n" + "7\n" * 8, "step 1"),
        ("Step;Density\n1;0,05\n2;0,20\n", "2 steps"),
    ],
)
def test_a_bad_list_of_densities_is_told(tmp_path: Path, text: str, why: str) -> None:
    """One line says what is wrong with it."""
    path = tmp_path / "densities.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=why):
        read_densities(path)


def captured(services: Services, path: Path, scanner: str) -> Dataset:
    """Return the capture of the first sheet of a scan that lies in the vault."""
    sha256, _ = services.vault.put(path.read_bytes())
    found = find_on_page(services.decoder, path, 0).sheets[0]
    one: Scan = scan(sha256=sha256, scanner=scanner)
    film = sheet(kind=SheetKind.FILM, geometry=found.geometry)
    order = replace(an_order(), provenance=provenance(services, one, film))
    made = make_capture(film, *render_sheet(services, one, film, order))
    return dcmread(BytesIO(made.content))


def test_films_of_a_calibrated_scanner_tell_density(services: Services, folder: Path) -> None:
    """Those of another scanner, and of another polarity, stay in the scanner's own values."""
    path = folder / "log12.tif"
    calibrate(services, path, Tablet(densities=TABLET), "S", "joan")
    dataset = captured(services, path, "S")
    assert dataset.RescaleType == "OD"
    assert "optical density by the calibration of" in dataset.DerivationDescription
    digitizer = dataset.ContributingEquipmentSequence[0]
    assert digitizer.PurposeOfReferenceCodeSequence[0].CodeValue == "FILMD"
    assert digitizer.DateOfLastCalibration
    told = apply_modality_lut(dataset.pixel_array, dataset) / 1000
    middle = told[told.shape[0] // 2 - 5 : told.shape[0] // 2 + 5]
    assert np.median(middle, axis=0).min() == pytest.approx(0.05, abs=0.02)
    assert captured(services, path, "OTHER").RescaleType == "US"
    assert captured(services, folder / "inverse16.tif", "S").RescaleType == "US"
