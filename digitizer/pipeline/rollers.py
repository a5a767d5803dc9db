"""Stripes that a scanner leaves on film after film: time to clean its rollers and its glass.

One stripe on one film may be the film's own; the same column on several films is the scanner's.
Two real digitizers that scanned the same films differed twenty to four in such columns
(bolton-brush/scanner-comparison).
"""

from collections import Counter
from dataclasses import dataclass

from digitizer.model.records import Scan
from digitizer.ports import Transaction

__all__ = ["ScannerWear", "wear_of", "worn_scanners"]

_LATEST = 60
"""Scans that are looked at: an hour of feeding."""
_SAME = 2
"""Columns by which one stripe may shift from film to film."""
_FILMS = 3
"""Films on which a stripe must show to be the scanner's."""
_MOST = 4
"""Columns of stripes from which on the rollers should be cleaned; one element may just be dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerWear:
    """What a scanner's latest scans have in common.

    Attributes
    ----------
    scanner : str
        Serial number; empty for the site's one digitizer.
    films : int
        How many scans were looked at.
    columns : tuple of int
        Columns in which a stripe shows on several of them.
    """

    scanner: str
    films: int
    columns: tuple[int, ...]

    @property
    def needs_cleaning(self) -> bool:
        """Whether there are more stripes than an element or two that died."""
        return len(self.columns) >= _MOST


def worn_scanners(view: Transaction) -> tuple[ScannerWear, ...]:
    """Look at the latest scans of every scanner that scans bear the number of."""
    return tuple(wear_of(one, view.latest_scans(one, _LATEST)) for one in view.scanners())


def wear_of(scanner: str, scans: tuple[Scan, ...]) -> ScannerWear:
    """Find the columns in which a stripe shows on several scans.

    A stripe may shift by a column or two; each scan counts once for each stripe.
    """
    films = Counter(column for scan in scans for column in set(scan.quality.columns))
    columns: list[int] = []
    for column, _ in sorted(films.items(), key=lambda item: (-item[1], item[0])):
        if any(abs(column - one) <= _SAME for one in columns):
            continue
        near = sum(
            any(abs(column - one) <= _SAME for one in scan.quality.columns) for scan in scans
        )
        if near >= _FILMS:
            columns.append(column)
    return ScannerWear(scanner=scanner, films=len(scans), columns=tuple(sorted(columns)))
