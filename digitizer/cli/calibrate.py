"""Calibrating scanners."""

from pathlib import Path
from typing import Any

import click

from digitizer.cli.base import (
    Session,
    Verb,
    json_option,
    login_name,
    note,
    pass_session,
    print_json,
)
from digitizer.errors import UsageError
from digitizer.model.density import ScannerProfile
from digitizer.pipeline.calibrate import Tablet, complaints, read_densities
from digitizer.pipeline.calibrate import calibrate as calibrate_scanner

__all__ = ["COMMANDS"]


@click.command(cls=Verb)
@click.argument("scan_file", metavar="SCAN", type=click.Path(path_type=Path))
@click.option(
    "--densities", type=click.Path(path_type=Path), required=True,
    help="CSV of the tablet's certified densities, one step a row.",
)  # fmt: skip
@click.option("--scanner", required=True, help="Serial number of the scanner.")
@click.option("--as", "operator", help="Who calibrates; your login name by default.")
@click.option(
    "--length-mm", type=click.FloatRange(min=1), help="Length of all steps: measures the pixels."
)
@click.option(
    "--flat", type=click.Path(path_type=Path), help="Scan of an even field: measures the bed."
)
@json_option
@pass_session
def calibrate(
    session: Session,
    scan_file: Path,
    densities: Path,
    scanner: str,
    operator: str | None,
    length_mm: float | None,
    flat: Path | None,
    as_json: bool,
) -> int:
    """Fit a scanner's density curve to a scan of a step tablet."""
    for path in filter(None, (scan_file, flat)):
        if not path.is_file():
            raise UsageError(f"There is no file {path}.", remedy="Give a scan of the tablet.")
    if not 0 < len(scanner) <= 64:
        raise UsageError("A serial number has 1 to 64 characters.")
    tablet = Tablet(densities=read_densities(densities), length_mm=length_mm)
    services = session.services
    profile = calibrate_scanner(
        services, scan_file, tablet, scanner, operator or login_name(), flat=flat
    )
    found = complaints(
        profile,
        services.clock.now(),
        services.capture.calibration_days,
        services.decoder.decode(scan_file).dpi,
    )
    if as_json:
        print_json(_document(profile) | {"warnings": list(found)})
        return 0
    print(_words(profile))
    for one in found:
        note(one)
    return 0


def _document(profile: ScannerProfile) -> dict[str, Any]:
    return {
        "scanner": profile.scanner,
        "number": profile.number,
        "made_at": profile.made_at.isoformat(),
        "operator": profile.operator,
        "bits": profile.bits,
        "polarity": profile.polarity.value,
        "usable_od": [profile.usable_low, profile.usable_high],
        "rms_od": profile.rms_od,
        "worst_od": profile.worst_od,
        "uniformity_od": profile.uniformity_od,
        "pitch_mm": profile.pitch_mm,
        "drift_od": [{"at": at, "by": by} for at, by in profile.drift_od],
        "steps": [
            {
                "density": step.density,
                "value": step.value,
                "spread": step.spread,
                "noise_od": step.noise_od,
                "residual_od": step.residual_od,
            }
            for step in profile.steps
        ],
    }


def _words(profile: ScannerProfile) -> str:
    lines = [
        f"Scanner {profile.scanner}, calibration {profile.number} by {profile.operator}.",
        f"Usable from OD {profile.usable_low:.2f} to {profile.usable_high:.2f}.",
        f"Steps left out one at a time are met within {profile.rms_od:.4f} OD (root mean square), "
        f"{profile.worst_od:.4f} at most.",
    ]
    if profile.uniformity_od is not None:
        lines.append(f"The bed is even within {profile.uniformity_od:.3f} OD.")
    if profile.pitch_mm is not None:
        lines.append(f"A pixel is {profile.pitch_mm:.5f} mm.")
    lines += [f"Drift at OD {at}: {by:+.4f}." for at, by in profile.drift_od]
    lines.append("   OD    value   noise OD   off the curve")
    for step in profile.steps:
        noise = "  not told" if step.noise_od is None else f"{step.noise_od:10.4f}"
        off = "" if step.residual_od is None else f"{step.residual_od:+16.4f}"
        lines.append(f"{step.density:5.2f} {step.value:8.1f} {noise}{off}")
    return "\n".join(lines)


COMMANDS: tuple[click.Command, ...] = (calibrate,)
