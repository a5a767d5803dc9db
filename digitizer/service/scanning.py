"""A scanner's sheets as scans of a batch: from a command or from the console alike."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from digitizer.model.records import Batch
from digitizer.pipeline.ingest import Arrival, take
from digitizer.pipeline.services import Services
from digitizer.scan.sane import SaneScanner, profile_of

__all__ = ["scan_in"]


def scan_in(
    services: Services,
    data_dir: Path,
    batch: Batch,
    *,
    device: str,
    profile: str,
    jacket: str | None,
    box: str | None = None,
    source: str | None = None,
    serial: str = "",
    taken: Callable[[Path], None] = lambda _page: None,
) -> int:
    """Scan one sheet, or the feeder, and take each page in as it comes; return how many.

    Parameters
    ----------
    device : str
        As SANE lists it.
    profile : str
        ``film``, ``film-feeder`` or ``label``.
    source : str, optional
        The scanner's source, where the profile's is not its name.
    serial : str
        Serial number of the scanner, as it was calibrated.
    taken : callable
        Told of each page.

    Raises
    ------
    ScannerError
        The scanner did not deliver; what it had delivered before is taken in.
    """
    wanted = profile_of(profile)
    if source is not None:
        wanted = replace(wanted, source=source)
    folder = data_dir / "scanned" / batch.id / (jacket or "")

    def claim(page: Path) -> None:
        named = "/".join(part for part in (box, jacket, page.name) if part)
        arrival = Arrival(path=page, source=named, box=box, jacket=jacket, scanner=serial)
        take(services, batch, arrival)
        taken(page)

    return len(SaneScanner(device, data_dir / "scanners").scan(wanted, folder, on_page=claim))
