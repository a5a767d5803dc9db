"""The file around a dataset: preamble and file meta information (PS3.10 7.1)."""

import struct

from digitizer.model.older import Encoded

__all__ = ["IMPLEMENTATION_CLASS_UID", "IMPLEMENTATION_VERSION_NAME", "padded", "part10"]

IMPLEMENTATION_CLASS_UID = "2.25.283715849463628219574629401837465528310"
IMPLEMENTATION_VERSION_NAME = "DIGITIZER_0_1"
_PREAMBLE = b"\0" * 128 + b"DICM"


def part10(instance: Encoded) -> bytes:
    """Return an instance as a Part 10 file; its dataset is the bytes that it is."""
    meta = b"".join(
        (
            _element(0x0001, b"OB", b"\0\1"),
            _element(0x0002, b"UI", padded(instance.sop_class_uid, b"\0")),
            _element(0x0003, b"UI", padded(instance.sop_instance_uid, b"\0")),
            _element(0x0010, b"UI", padded(instance.transfer_syntax_uid, b"\0")),
            _element(0x0012, b"UI", padded(IMPLEMENTATION_CLASS_UID, b"\0")),
            _element(0x0013, b"SH", padded(IMPLEMENTATION_VERSION_NAME, b" ")),
        )
    )
    length = _element(0x0000, b"UL", struct.pack("<L", len(meta)))
    return b"".join((_PREAMBLE, length, meta, instance.data))


def _element(number: int, vr: bytes, value: bytes) -> bytes:
    """Return an element of group 0002: always Explicit VR Little Endian (PS3.5 7.1.2)."""
    if vr == b"OB":
        return struct.pack("<HH2sHL", 0x0002, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 0x0002, number, vr, len(value)) + value


def padded(text: str, pad: bytes) -> bytes:
    """Return a text of even length (PS3.5 6.2), whatever a peer has written in it."""
    value = text.encode("latin-1", "replace")
    return value + pad * (len(value) % 2)
