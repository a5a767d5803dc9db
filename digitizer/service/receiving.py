"""Scans that DICOM digitizers store to us: each ends in the same claim as any other scan.

What the digitizer's operator typed or scanned as the Patient ID names the jacket, as a folder's
name does elsewhere; where there is none, each study is a jacket. It is not read as an identifier:
whose film it is, the film itself must say.
"""

import re
import tempfile
from pathlib import Path

from digitizer.archive.listener import ReceivedScan
from digitizer.pipeline.ingest import Arrival, open_batch_of_the_day, take
from digitizer.pipeline.services import Services

__all__ = ["receive"]

_NAME = re.compile(r"[^\w.-]+")


def receive(services: Services, received: ReceivedScan, folder: Path) -> None:
    """Claim a stored instance into the batch of the day.

    Parameters
    ----------
    services : Services
    received : ReceivedScan
    folder : Path
        Where the instance lies for the moment of the claim.

    Raises
    ------
    DiskFull
        There is no room; nothing was claimed.
    """
    batch = open_batch_of_the_day(services, "dicom", f"dicom:{received.from_ae}")
    jacket = _plain(received.patient_id) or _plain(received.study_instance_uid) or "unnamed"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".dcm") as file:
        file.write(received.content)
        file.flush()
        source = f"{jacket}/{_plain(received.sop_instance_uid)}.dcm"
        take(services, batch, Arrival(path=Path(file.name), source=source, box=None, jacket=jacket))


def _plain(text: str) -> str:
    """Return a name of a folder's kind: a peer's words never reach further than that."""
    return _NAME.sub("-", text.strip()).strip(".-")[:64]
