"""Is the file whole? Told from its structure, before any decoder sees it.

Decoders fill what is missing: libjpeg with grey, libtiff and others with black, and a chain of TIFF
pages that ends in nothing just looks shorter. Film is evidence, so a file that ends too early is
refused by the plan it carries itself. Nothing is allocated here but the file's own bytes.
"""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from digitizer.errors import BadScan

__all__ = ["check_jpeg", "check_jpeg2000", "check_pdf", "check_png", "check_tiff"]

_MOST_DIRECTORIES = 4096
_MOST_ENTRIES = 4096
_PNG_LARGEST_CHUNK = 2**31 - 1


def _truncated(what: str) -> BadScan:
    return BadScan("truncated_file", f"The file ends before its last {what}.")


def check_tiff(path: Path) -> int:
    """Follow the chain of image file directories (TIFF 6.0, section 2) and count them.

    Raises
    ------
    BadScan
        ``truncated_file`` where a directory lies beyond the end of the file, ``corrupt_file`` where
        the chain runs in a circle or a directory is absurd.
    """
    length = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = len(head) > 3 and 43 in (head[2], head[3])
        if len(head) < (16 if big else 8):
            raise _truncated("directory")
        offset = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
        count_format, entry, next_format = ("Q", 20, "Q") if big else ("H", 12, "I")
        width, step = struct.calcsize(count_format), struct.calcsize(next_format)
        seen: set[int] = set()
        while offset:
            if offset in seen or len(seen) >= _MOST_DIRECTORIES:
                raise BadScan("corrupt_file", "The pages of the file run in a circle.")
            seen.add(offset)
            if offset + width > length:
                raise _truncated("directory")
            stream.seek(offset)
            entries = struct.unpack(order + count_format, stream.read(width))[0]
            if not 1 <= entries <= _MOST_ENTRIES:
                raise BadScan("corrupt_file", "The file is damaged.")
            end = offset + width + entries * entry
            if end + step > length:
                raise _truncated("directory")
            stream.seek(end)
            offset = struct.unpack(order + next_format, stream.read(step))[0]
    return len(seen)


def check_png(path: Path) -> None:
    """Follow the chunks to IEND and verify their checksums (PNG, ISO/IEC 15948, section 5).

    libpng only warns of pixels that do not match theirs.
    """
    length = path.stat().st_size
    place = 8
    with path.open("rb") as stream:
        while True:
            stream.seek(place)
            head = stream.read(8)
            if len(head) < 8:
                raise _truncated("row")
            size, kind = struct.unpack(">I4s", head)
            if size > _PNG_LARGEST_CHUNK or not kind.isalpha():
                raise BadScan("corrupt_file", "The file is damaged.")
            place += 12 + size
            if place > length:
                raise _truncated("row")
            if _checksum(stream, kind, size) != stream.read(4):
                raise BadScan("corrupt_file", "The file is damaged.")
            if kind == b"IEND":
                return


def _checksum(stream: BinaryIO, kind: bytes, size: int) -> bytes:
    value = zlib.crc32(kind)
    while size > 0:
        piece = stream.read(min(size, 1 << 20))
        value = zlib.crc32(piece, value)
        size -= len(piece)
    return struct.pack(">I", value)


def check_jpeg(content: bytes) -> None:
    """Demand an end-of-image marker behind the last scan (ITU-T T.81, B.2.1)."""
    if content.rfind(b"\xff\xd9") < max(2, content.rfind(b"\xff\xda")):
        raise _truncated("row")


def check_jpeg2000(content: bytes) -> None:
    """Demand an end-of-codestream marker behind the first tile (ISO/IEC 15444-1, A.4.4)."""
    first = content.find(b"\xff\x90")
    if first < 0 or content.find(b"\xff\xd9", len(content) - 64) < first:
        raise _truncated("tile")


def check_pdf(path: Path) -> None:
    """Demand the end-of-file mark in the last kilobyte (ISO 32000-1, 7.5.5)."""
    length = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, length - 1024))
        if b"%%EO" not in stream.read():
            raise _truncated("page")
