"""Calibrating a scanner: from a scan of a step tablet to a profile that captures are made with."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from digitizer import film
from digitizer.errors import BadScan, UsageError
from digitizer.film import UnfitSteps
from digitizer.model.density import ScannerProfile
from digitizer.model.instance import Rendered
from digitizer.model.raster import Polarity
from digitizer.model.units import MM_PER_INCH, Dpi
from digitizer.pipeline.changes import event
from digitizer.pipeline.services import Services

__all__ = ["Tablet", "calibrate", "complaints", "in_density", "newest", "read_densities"]

_DRIFT_LIMITS = ((1.0, 0.02), (2.5, 0.05))
"""Optical density, and the drift there from which on the scanner needs a look: what quality
programmes of film digitizers alarm on."""
_WORST_OD = 0.05
_NO_CURVE_OD = 0.1
_UNEVEN_OD = 0.03
_PITCH_OFF = 0.005
_HEADINGS = ("density", "od", "optical_density")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tablet:
    """What is certified of a step tablet.

    Attributes
    ----------
    densities : tuple of float
        Optical densities along it.
    length_mm : float or None
        From the outer end of its first step to that of its last.
    """

    densities: tuple[float, ...]
    length_mm: float | None = None


def read_densities(path: Path) -> tuple[float, ...]:
    """Read the certified densities of a tablet: one a row, in the order of its steps.

    Parameters
    ----------
    path : Path
        CSV with a column ``density`` (or ``od``), or with no header and the density last.

    Raises
    ------
    UsageError
        The file cannot be read, or a row holds no density.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UsageError(f"{path} cannot be read: {why}.") from None
    # Spreadsheets of half of Europe write semicolons, and commas in their numbers.
    if ";" in text:
        text = text.replace(",", ".").replace(";", ",")
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    column = -1
    if rows and not _is_number(rows[0][-1]):
        names = [name.strip().lower() for name in rows[0]]
        found = [name for name in _HEADINGS if name in names]
        if not found:
            raise UsageError(f"{path} has no column density.", remedy="Name it so in its header.")
        column, rows = names.index(found[0]), rows[1:]
    densities = []
    for number, row in enumerate(rows, start=1):
        cell = row[column].strip() if -len(row) <= column < len(row) else ""
        if not _is_number(cell) or not 0 <= float(cell) <= 6:
            raise UsageError(f"{path}: step {number} has no density between 0 and 6.")
        densities.append(float(cell))
    if len(densities) < 6:
        raise UsageError(f"{path} tells {len(densities)} steps; a calibration needs 6 or more.")
    return tuple(densities)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def calibrate(
    services: Services,
    path: Path,
    tablet: Tablet,
    scanner: str,
    operator: str,
    *,
    flat: Path | None = None,
) -> ScannerProfile:
    """Fit a scanner's density curve to a scan of a tablet and keep it as its next profile.

    Parameters
    ----------
    services : Services
    path : Path
        Scan of the tablet, as films are scanned: same depth, no automatic correction.
    tablet : Tablet
    scanner : str
        Serial number.
    operator : str
        Who calibrates.
    flat : Path, optional
        Scan of an even field, for the uniformity of the bed.

    Raises
    ------
    BadScan
        The scan cannot be decoded, or shows no such tablet.
    """
    raster = services.decoder.decode(path)
    try:
        strip = film.find_steps(raster, tablet.densities)
        values = [step.value for step in strip.steps]
        spreads = [step.spread for step in strip.steps]
        curve = film.fit_curve(values, tablet.densities)
    except UnfitSteps as error:
        raise BadScan(
            "unsupported_format",
            f"{path.name} is no calibration: {error}",
        ) from None
    steps = film.step_results(curve, values, spreads, tablet.densities)
    residuals = [one.residual_od for one in steps if one.residual_od is not None]
    rms = float(np.sqrt(np.mean(np.square(residuals))))
    worst = float(np.abs(residuals).max())
    if worst > _NO_CURVE_OD:
        raise BadScan(
            "unsupported_format",
            f"{path.name} is no calibration: a step misses the curve of the others by {worst:.2f} "
            "OD. Is this the list of this tablet?",
        )
    low, high = film.usable_range(steps)
    even = None
    if flat is not None:
        field = services.decoder.decode(flat)
        if (field.bits, field.polarity) != (raster.bits, raster.polarity):
            raise BadScan("unsupported_format", f"{flat.name} was scanned otherwise: other depth.")
        even = film.uniformity(field, curve)
    with services.ledger.transaction() as tx:
        earlier = tx.profiles(scanner)
        before = newest(earlier, raster.bits, raster.polarity)
        drifts = ((at, film.drift(before.curve, curve, at)) for at, _ in _DRIFT_LIMITS if before)
        number = len(earlier) + 1
        profile = ScannerProfile(
            id=f"{scanner}:{number}",
            scanner=scanner,
            number=number,
            made_at=services.clock.now(),
            operator=operator,
            bits=raster.bits,
            polarity=raster.polarity,
            curve=curve,
            steps=steps,
            usable_low=low,
            usable_high=high,
            rms_od=rms,
            worst_od=worst,
            uniformity_od=even,
            pitch_mm=tablet.length_mm / strip.length_px if tablet.length_mm else None,
            drift_od=tuple((at, by) for at, by in drifts if by is not None),
        )
        measured = {"rms_od": profile.rms_od, "usable_od": [low, high]}
        tx.add(profile, event(profile.id, "calibrated", operator, **measured))
    return profile


def complaints(
    profile: ScannerProfile, now: datetime, due_days: float, dpi: Dpi | None = None
) -> tuple[str, ...]:
    """Return what a person must know of a calibration, in plain words.

    Parameters
    ----------
    profile : ScannerProfile
    now : datetime
    due_days : float
        Age from which on it is due again.
    dpi : Dpi, optional
        What the scan of the tablet told, to be compared with the measured pitch.
    """
    found = []
    if profile.worst_od > _WORST_OD:
        found.append(
            f"One step is off the curve by {profile.worst_od:.3f} OD (more than {_WORST_OD}): "
            "clean the tablet, check its densities and scan it again."
        )
    limits = dict(_DRIFT_LIMITS)
    found += [
        f"The scanner has drifted by {by:+.3f} OD at OD {at} since its last calibration "
        f"(more than {limits[at]}): let it warm up, clean it and calibrate again."
        for at, by in profile.drift_od
        if abs(by) > limits[at]
    ]
    if profile.uniformity_od is not None and profile.uniformity_od > _UNEVEN_OD:
        found.append(
            f"The bed differs by {profile.uniformity_od:.3f} OD from place to place (more than "
            f"{_UNEVEN_OD}): clean glass and lamp."
        )
    if profile.pitch_mm is not None and dpi is not None:
        off = profile.pitch_mm / (MM_PER_INCH / max(dpi)) - 1
        if abs(off) > _PITCH_OFF:
            found.append(
                f"The scanner's pixels are {abs(off):.2%} {'larger' if off > 0 else 'smaller'} "
                "than it says: lengths measured on its films are off by as much."
            )
    age = (now - profile.made_at) / timedelta(days=1)
    if age > due_days:
        found.append(f"The calibration is {age:.0f} days old (due after {due_days:g}).")
    return tuple(found)


def newest(
    profiles: Sequence[ScannerProfile], bits: int, polarity: Polarity
) -> ScannerProfile | None:
    """Return the newest profile that holds for scans of these bits and this polarity."""
    fit = [one for one in profiles if (one.bits, one.polarity) == (bits, polarity)]
    return fit[-1] if fit else None


def in_density(
    rendered: Rendered, profiles: Sequence[ScannerProfile]
) -> tuple[Rendered, ScannerProfile | None]:
    """Return a film's capture in optical density and the profile that told it.

    Where no profile of its scanner holds for the scan, the capture is left as it is.
    """
    profile = newest(profiles, rendered.bits, rendered.polarity)
    if profile is None:
        return rendered, None
    return film.in_density(rendered, profile.curve), profile
