"""An older instance as an archive gives it back, where what was sent cannot be made again.

Rules change, and originals may be gone: then it is compared with the original but for what a rule
is noted to have changed, or with the hash that was kept of its picture.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from digitizer.dicom.header import text_of, twin_of
from digitizer.dicom.old_file import OldFile, examine
from digitizer.dicom.returned import compare_old
from digitizer.dicom.rules import put

__all__ = ["changed_by_rule", "compare_original", "same_bulk"]

_NATIVE = frozenset(
    (DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian)
)
_PIXEL_DATA = struct.pack("<HH", 0x7FE0, 0x0010)
_UNDEFINED = 0xFFFFFFFF
_OURS = "digitizer: "


def compare_original(original: OldFile, content: bytes) -> tuple[str, ...]:
    """Name what differs between an original and the archive's copy of what was made of it.

    Text is read as the original declares it or as the copy does: a rule may have changed the
    declaration alone, or all text was written anew.
    """
    as_declared = compare_old(original, content)
    told = text_of(examine(content).header, "SpecificCharacterSet")
    if told == text_of(original.header, "SpecificCharacterSet"):
        return as_declared
    header = twin_of(original.header)
    put(header, "SpecificCharacterSet", told)
    as_copied = compare_old(replace(original, header=header), content)
    return tuple(name for name in as_declared if name in as_copied)


def changed_by_rule(came: OldFile) -> frozenset[str]:
    """Return the attributes that an instance's Original Attributes say we changed."""
    header = twin_of(came.header)
    items: Iterable[object] = header.get("OriginalAttributesSequence") or ()
    return frozenset(_keywords(items))


def _keywords(items: Iterable[object]) -> Iterator[str]:
    for item in items:
        if str(getattr(item, "ModifyingSystem", "")).startswith(_OURS):
            for before in getattr(item, "ModifiedAttributesSequence", ()):
                yield from (element.keyword for element in before)


def same_bulk(came: OldFile, sha256: str, syntax: str) -> bool | None:
    """Compare the picture of a copy with the hash that was kept of the original's.

    Parameters
    ----------
    came : OldFile
    sha256 : str
        Of Pixel Data and all behind it, as encoded; empty where there was none.
    syntax : str
        Transfer syntax of the original.

    Returns
    -------
    bool or None
        None where the two are encoded otherwise: the hash says nothing then.
    """
    if came.pixel_sha256 == sha256:
        return True
    if not (came.pixel_sha256 and sha256) or str(came.syntax) == syntax:
        native = came.syntax in _NATIVE
        return native and any(one == sha256 for one in _written_otherwise(came))
    if came.syntax in _NATIVE and syntax in _NATIVE:
        return any(one == sha256 for one in _written_otherwise(came))
    return None


def _written_otherwise(came: OldFile) -> Iterator[str]:
    """Yield the hashes that native Pixel Data has under the other names of its VR, or without."""
    tail = memoryview(came.data)[came.bulk :]
    start = 8 if came.syntax == ImplicitVRLittleEndian else 12
    if bytes(tail[:4]) != _PIXEL_DATA or len(tail) < start:
        return
    length = bytes(tail[start - 4 : start])
    if struct.unpack("<L", length)[0] == _UNDEFINED:
        return
    for vr in (b"", b"OB\0\0", b"OW\0\0"):
        written = hashlib.sha256(_PIXEL_DATA + vr + length)
        written.update(tail[start:])
        yield written.hexdigest()
