"""What a calibration found of one scanner: which optical density each of its values stands for."""

from dataclasses import dataclass
from datetime import datetime

from digitizer.model.raster import Polarity

__all__ = ["DensityCurve", "ScannerProfile", "StepResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DensityCurve:
    """Monotone curve from pixel values to optical density, through measured knots.

    Attributes
    ----------
    values : tuple of float
        Mean pixel values of the knots as stored in the file, strictly rising.
    densities : tuple of float
        Optical densities at the knots, strictly rising or strictly falling.
    logarithmic : bool
        Whether the curve runs over the logarithm of the value (scanners linear in light) or over
        the value itself (scanners linear in density).
    """

    values: tuple[float, ...]
    densities: tuple[float, ...]
    logarithmic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One step of the tablet as measured.

    Attributes
    ----------
    density : float
        Certified optical density.
    value, spread : float
        Mean and standard deviation of the pixel values inside the step.
    noise_od : float or None
        The same spread in optical density; None where the scanner does not tell the step from the
        one before.
    residual_od : float or None
        Density from the curve fitted without this step, less the certified one; None for the first
        and the last, which no curve without them reaches.
    """

    density: float
    value: float
    spread: float
    noise_od: float | None
    residual_od: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerProfile:
    """One calibration of one scanner; a later one has the next number and replaces nothing.

    Attributes
    ----------
    id : str
        ``scanner:number``.
    scanner : str
        Serial number of the digitizer.
    number : int
        From 1, for each scanner.
    bits, polarity
        Of the scans it holds for: others are left uncalibrated.
    usable_low, usable_high : float
        Optical densities between which the noise of one pixel stays within the limit.
    rms_od, worst_od : float
        Of the residuals of the steps left out one at a time.
    uniformity_od : float or None
        Peak to peak over the bed, from a scan of an even field; None: not measured.
    pitch_mm : float or None
        From a known length; None: not measured.
    drift_od : tuple of (float, float)
        Optical density and by how much the values that meant it before now mean another.
    """

    id: str
    scanner: str
    number: int
    made_at: datetime
    operator: str
    bits: int
    polarity: Polarity
    curve: DensityCurve
    steps: tuple[StepResult, ...]
    usable_low: float
    usable_high: float
    rms_od: float
    worst_od: float
    uniformity_od: float | None = None
    pitch_mm: float | None = None
    drift_od: tuple[tuple[float, float], ...] = ()
    version: int = 0
