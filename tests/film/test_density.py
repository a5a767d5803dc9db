"""Density: the curve of a real wedge, what of it may be used, and captures that lose no value."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from captures import an_order
from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.pixels import apply_modality_lut

from digitizer import dicom
from digitizer.film import drift, fit_curve, in_density, render, step_results, usable_range
from digitizer.film.density import UnfitSteps, od_of, value_of
from digitizer.film.geometry import make_geometry
from digitizer.film.tablet import find_steps
from digitizer.model.density import DensityCurve
from digitizer.model.instance import Rendered, Window
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.rehearsal.edges import draw_outline
from digitizer.rehearsal.scanner import SCANNERS, Scanner, digitize
from digitizer.rehearsal.scene import BEDS, lay
from digitizer.rehearsal.sheet import Sheet
from digitizer.rehearsal.tablet import TABLET, WEDGE, scan_of_tablet

DENSITIES, VALUES, SPREADS = (list(one) for one in zip(*WEDGE, strict=True))


@cache
def curve_of(name: str) -> DensityCurve:
    """Calibrate one of the rehearsal's scanners."""
    return calibrated(SCANNERS[name])[0]


@cache
def calibrated(scanner: Scanner) -> tuple[DensityCurve, tuple[float, float]]:
    """Return a scanner's curve and what of it is usable, from a scan of the tablet."""
    pixels = scan_of_tablet(np.random.default_rng(3), scanner, gain=0.94)
    polarity = Polarity.MONOCHROME1 if scanner.white_is_zero else Polarity.MONOCHROME2
    raster = Raster(pixels=pixels, bits=scanner.bits, polarity=polarity, dpi=Dpi(150, 150))
    found = find_steps(raster, TABLET).steps
    values, spreads = [step.value for step in found], [step.spread for step in found]
    curve = fit_curve(values, TABLET)
    return curve, usable_range(step_results(curve, values, spreads, TABLET))


def test_a_real_wedge_is_met_by_the_curve_without_the_step() -> None:
    """Left out one at a time: 0.02 OD root mean square, 0.05 at most, from OD 0.21 to 2.99."""
    curve = fit_curve(VALUES, DENSITIES)
    steps = step_results(curve, VALUES, SPREADS, DENSITIES)
    misses = np.array([one.residual_od for one in steps if 0.21 <= one.density <= 2.99])
    assert len(misses) == 19
    assert np.sqrt(np.mean(misses**2)) <= 0.02
    assert np.abs(misses).max() <= 0.05


def test_the_usable_range_is_the_noise_not_the_brochure() -> None:
    """The wedge goes to OD 3.60, but there a pixel's noise is four times the limit."""
    curve = fit_curve(VALUES, DENSITIES)
    low, high = usable_range(step_results(curve, VALUES, SPREADS, DENSITIES))
    assert low == 0.04
    assert 3.0 <= high <= 3.2


def test_the_curve_is_monotone_over_all_values() -> None:
    """Every brighter value is less dense, between the steps and beyond them."""
    curve = fit_curve(VALUES, DENSITIES)
    assert (np.diff(od_of(curve, np.arange(1, 65536))) < 0).all()


def test_value_and_density_are_each_others_way_back() -> None:
    """A density found from its value is the density."""
    curve = fit_curve(VALUES, DENSITIES)
    for density in (0.1, 1.0, 2.5, 3.3):
        assert od_of(curve, np.array([value_of(curve, density)]))[0] == pytest.approx(
            density, abs=1e-3
        )


def test_steps_the_scanner_cannot_tell_are_left_out() -> None:
    """A scanner that ends at OD 2 has no noise to tell beyond, and no range there."""
    densities = np.arange(12) * 0.3
    values = np.maximum(250 * 10 ** (-densities / 2), 25.0)
    curve = fit_curve(list(values), list(densities))
    steps = step_results(curve, list(values), [1.0] * 12, list(densities))
    assert [one.noise_od is None for one in steps] == [False] * 8 + [True] * 4
    assert usable_range(steps)[1] < 2.1


def test_too_few_steps_are_no_curve() -> None:
    """A calibration needs six steps that differ."""
    with pytest.raises(UnfitSteps, match="Only 3 steps"):
        fit_curve([250, 200, 100, 100, 100, 100, 100], [0, 0.3, 0.6, 0.9, 1.2, 1.5, 1.8])


def test_a_lamp_that_fades_is_drift() -> None:
    """Ten percent less light is 0.046 OD more, at any density."""
    before = fit_curve(VALUES, DENSITIES)
    now = fit_curve([0.9 * value for value in VALUES], DENSITIES)
    for density in (1.0, 2.5):
        found = drift(before, now, density)
        assert found == pytest.approx(np.log10(0.9), abs=0.004)
    assert drift(before, now, 4.0) is None


def rendered(values: np.ndarray, bits: int, polarity: Polarity, padding: int | None) -> Rendered:
    return Rendered(
        pixels=values, bits=bits, polarity=polarity, padding=padding, window=Window(900.0, 800.0)
    )


CASES = {
    "log12": (12, Polarity.MONOCHROME2, np.arange(300, 4000), None),
    "inverse16": (16, Polarity.MONOCHROME1, np.arange(2_500, 52_000), None),
    "linear16": (16, Polarity.MONOCHROME2, np.arange(60, 61_000), "table"),
}


@pytest.mark.parametrize("name", CASES)
def test_no_value_of_the_scanner_is_lost(name: str) -> None:
    """Different values stay different, and the instance tells the density of each."""
    bits, polarity, every, kind = CASES[name]
    curve = curve_of(name)
    pixels = np.resize(every, (260, 240)).astype(np.uint16)
    padding = 10 if polarity is Polarity.MONOCHROME2 else 60_000
    pixels[0, 0] = padding
    shown = in_density(rendered(pixels, bits, polarity, padding), curve)
    assert len(np.unique(shown.pixels)) == len(np.unique(pixels))
    assert (shown.density.table is not None) == (kind == "table")
    made = dicom.make_film(an_order(), shown)
    dataset = dcmread(DicomBytesIO(made.content))
    assert dataset.PhotometricInterpretation == "MONOCHROME1"
    assert dataset.PresentationLUTShape == "INVERSE"
    told = apply_modality_lut(dataset.pixel_array, dataset) / 1000
    inside = pixels != padding
    assert np.abs(told - od_of(curve, pixels))[inside].max() < 0.0011
    assert dataset.PixelPaddingValue == dataset.pixel_array[0, 0]
    assert (dataset.pixel_array != dataset.PixelPaddingValue)[inside].all()


def test_the_padding_lies_just_beyond_the_darkest_film() -> None:
    """It dazzles nobody."""
    pixels = np.resize(np.arange(300, 4000), (100, 100)).astype(np.uint16)
    pixels[0] = 10
    shown = in_density(rendered(pixels, 12, Polarity.MONOCHROME2, 10), curve_of("log12"))
    assert shown.padding == shown.pixels[1:].max() + 1


def test_the_window_shows_the_same_film() -> None:
    """Its ends are the densities of the ends it had in the scanner's values."""
    curve = curve_of("log12")
    pixels = np.resize(np.arange(300, 4000), (100, 100)).astype(np.uint16)
    shown = in_density(rendered(pixels, 12, Polarity.MONOCHROME2, None), curve).window
    ends = sorted(1000 * od_of(curve, np.array([500, 1300])))
    assert [shown.center - shown.width / 2, shown.center + shown.width / 2] == pytest.approx(
        ends, abs=0.2
    )


QUIET = replace(SCANNERS["flatbed8"], shot=5e-5, dark=1e-5)
"""A scanner of eight bits of which most steps of the tablet show no noise at all."""


@pytest.mark.parametrize(
    ("scanner", "reach"),
    [
        (SCANNERS["linear16"], 2.4),
        (SCANNERS["log12"], 2.4),
        (SCANNERS["inverse16"], 2.4),
        (SCANNERS["flatbed8"], 1.2),
        (QUIET, 1.9),
    ],
    ids=["linear16", "log12", "inverse16", "flatbed8", "quiet"],
)
@pytest.mark.parametrize("bed", ["dark", "open"])
def test_a_films_density_comes_back(scanner: Scanner, reach: float, bed: str) -> None:
    """From the film's own density, scanned, straightened and stored: 0.02 OD within the range.

    That is asked at its dark end, too: a range is not usable where it promises more.
    """
    curve, (low, high) = calibrated(scanner)
    assert low <= 0.05
    assert high > reach
    rng = np.random.default_rng(5)
    pitch, size = 150 / 25.4, (120.0, 150.0)
    rows, columns = (round(side * pitch) for side in size[::-1])
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    density = 1.6 + 1.4 * np.sin(x / 61) * np.cos(y / 83)
    sheet = Sheet(np.asarray(density, np.float32), size, pitch, (0.0, 0.0, *size))
    scene = lay(
        sheet,
        draw_outline(rng, size, 0.0),
        theta_deg=1.3,
        mirrored=False,
        margins_mm=(10.0,) * 4,
        bed=BEDS[bed],
        wear=0.0,
    )
    pixels = digitize(rng, scene, scanner, gain=0.94)
    polarity = Polarity.MONOCHROME1 if scanner.white_is_zero else Polarity.MONOCHROME2
    raster = Raster(pixels=pixels, bits=scanner.bits, polarity=polarity, dpi=Dpi(150, 150))
    corners = scene.laid[0].placement.corners(scene.frame)
    shown = in_density(
        render(raster, make_geometry(corners, 4, raster.dpi, skew_known=True), margin_mm=0.0),
        curve,
    )
    dataset = dcmread(DicomBytesIO(dicom.make_film(an_order(), shown).content))
    told = apply_modality_lut(dataset.pixel_array, dataset) / 1000
    inner = np.s_[40:-40, 40:-40]
    true = density[: told.shape[0], : told.shape[1]][inner]
    misses = told[:rows, :columns][inner] - true
    for begin in (low, high - 0.2):
        within = (true >= begin) & (true <= high)
        assert np.count_nonzero(within) > 10_000
        assert np.sqrt(np.mean(misses[within] ** 2)) <= 0.02
