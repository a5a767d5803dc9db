"""What the list of a disc (DICOMDIR, PS3.3 F, PS3.10 8.6) says is there."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from pydicom import dcmread
from pydicom.multival import MultiValue

from digitizer.errors import BadScan

__all__ = ["DIRECTORY_CLASS", "Listed", "listed_files"]

DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
"""Media Storage Directory Storage."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One file that a disc's list names: where, and which instance it is said to be."""

    place: str
    sop_instance_uid: str


def listed_files(content: bytes, place: str) -> tuple[Listed, ...]:
    """Return the files that a DICOMDIR names.

    Parameters
    ----------
    content : bytes
    place : str
        Where the DICOMDIR lies in its source; its names are relative to that folder.

    Raises
    ------
    BadScan
        It cannot be read.
    """
    folder = place.rpartition("/")[0]
    try:
        records = dcmread(BytesIO(content), force=True).get("DirectoryRecordSequence") or []
        found = []
        for record in records:
            told = record.get("ReferencedFileID")
            parts = list(told) if isinstance(told, MultiValue) else [told] if told else []
            if not parts:
                continue
            path = PurePosixPath(*[str(part).strip() for part in parts])
            uid = str(record.get("ReferencedSOPInstanceUIDInFile", "") or "")
            found.append(Listed(f"{folder}/{path}".lstrip("/") if folder else str(path), uid))
    except Exception:
        # pydicom raises nearly anything over hostile bytes; to whoever delivers it is all the same.
        raise BadScan("corrupt_file", "The disc's own list cannot be read.") from None
    return tuple(dict.fromkeys(found))
