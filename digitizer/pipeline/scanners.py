"""How the scanners are: what they bring, what ails their scans, and what is due."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from digitizer.model.density import ScannerProfile
from digitizer.model.records import Scan
from digitizer.pipeline.calibrate import complaints
from digitizer.pipeline.rollers import ScannerWear, wear_of
from digitizer.pipeline.services import Services
from digitizer.ports import Overview

__all__ = ["ScannerHealth", "scanners_health"]

_LATEST = 60
"""Scans whose defects are counted: an hour of feeding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerHealth:
    """One scanner.

    Attributes
    ----------
    scanner : str
        Serial number; empty for the site's one digitizer.
    last_day, last_week : int
        Scans of the last 24 hours, and of the last seven days.
    last_seen : datetime or None
        When its newest scan came; None where it was only calibrated.
    looked_at : int
        The newest scans, whose defects are counted.
    defects : tuple of (str, int)
        Complaints about quality and on how many of these, the most frequent first.
    calibrated_at : datetime or None
    complaints : tuple of str
        Of its calibration: what is due, what has drifted.
    """

    scanner: str
    last_day: int
    last_week: int
    last_seen: datetime | None
    looked_at: int
    defects: tuple[tuple[str, int], ...]
    wear: ScannerWear
    calibrated_at: datetime | None
    complaints: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether nothing has to be done."""
        return not self.complaints and not self.wear.needs_cleaning


def scanners_health(services: Services, overview: Overview) -> tuple[ScannerHealth, ...]:
    """Look at every scanner that scans bear the number of, or that was calibrated here."""
    now = services.clock.now()
    day, week = (
        {one.scanner: one.scans for one in overview.scanned_since(now - timedelta(days=days))}
        for days in (1, 7)
    )
    with services.ledger.reading() as view:
        profiles = {one.scanner: one for one in view.profiles()}
        latest = {name: view.latest_scans(name, _LATEST) for name in {*view.scanners(), *profiles}}
    return tuple(
        _health(services, name, latest[name], profiles.get(name), now, day, week)
        for name in sorted(latest)
    )


def _health(
    services: Services,
    name: str,
    scans: tuple[Scan, ...],
    profile: ScannerProfile | None,
    now: datetime,
    day: dict[str, int],
    week: dict[str, int],
) -> ScannerHealth:
    defects = Counter(flag for scan in scans for flag in set(scan.quality.flags))
    due_days = services.capture.calibration_days
    return ScannerHealth(
        scanner=name,
        last_day=day.get(name, 0),
        last_week=week.get(name, 0),
        last_seen=scans[0].received_at if scans else None,
        looked_at=len(scans),
        defects=tuple(defects.most_common(4)),
        wear=wear_of(name, scans),
        calibrated_at=profile.made_at if profile else None,
        complaints=tuple(complaints(profile, now, due_days)) if profile else (),
    )
