"""Pixels out of files, without changing one.

What this decides: whether a file is a picture, whole, and small enough to decode. What it never
does: fill a missing row, apply an orientation tag, reduce a depth. Every file is hostile: sizes are
checked from the header before memory is taken, and whatever a decoder raises becomes a
:class:`~digitizer.errors.BadScan`.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from digitizer.errors import BadScan
from digitizer.model.raster import Raster
from digitizer.scan import decode_dicom, decode_pdf, decode_picture, decode_tiff
from digitizer.scan.settings import DecodeSettings

__all__ = ["DecodeSettings", "FileDecoder"]

_Pages = Callable[[Path], int]
_Decode = Callable[[Path, int, DecodeSettings], Raster]

_READERS: dict[str, tuple[_Pages, _Decode]] = {
    "tiff": (decode_tiff.pages, decode_tiff.decode),
    "png": (decode_picture.pages, decode_picture.decode),
    "jpeg": (decode_picture.pages, decode_picture.decode),
    "jpeg2000": (decode_picture.pages, decode_picture.decode),
    "pdf": (decode_pdf.pages, decode_pdf.decode),
    "dicom": (decode_dicom.pages, decode_dicom.decode),
}

_MAGIC = (
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"),
    (0, b"\xff\x4f\xff\x51", "jpeg2000"),
    (0, b"%PDF-", "pdf"),
    (128, b"DICM", "dicom"),
)


class FileDecoder:
    """Implements :class:`digitizer.ports.ScanDecoder`; remembers the page it decoded last.

    The last page is kept because preparing and reading a scan follow each other in one worker.
    """

    def __init__(self, settings: DecodeSettings | None = None) -> None:
        self._settings = settings or DecodeSettings()
        self._last: tuple[tuple[str, int, int, int], Raster] | None = None

    def pages(self, path: Path) -> int:
        """Count the pages.

        Raises
        ------
        BadScan
            ``empty_file``, ``unsupported_format``, ``corrupt_file``, ``too_large`` ...
        """
        count, _ = _READERS[_format(path)]
        with _foreign_errors():
            number = count(path)
        if number < 1:
            raise BadScan("corrupt_file", "The file holds no page.")
        if number > self._settings.max_pages:
            raise BadScan(
                "too_large",
                f"The file has {number} pages.",
                remedy="Raise DIGITIZER_DECODE__MAX_PAGES if they are really films.",
            )
        return number

    def decode(self, path: Path, page: int = 0) -> Raster:
        """Decode one page as stored.

        Raises
        ------
        BadScan
            The file cannot be taken as a scan.
        """
        status = path.stat()
        key = (str(path), status.st_ino, status.st_mtime_ns, page)
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        _, decode = _READERS[_format(path)]
        with _foreign_errors():
            raster = decode(path, page, self._settings)
        self._last = (key, raster)
        return raster

    def check(self, path: Path) -> None:
        """Decode every page to its last strip; raises :class:`~digitizer.errors.BadScan`."""
        for page in range(self.pages(path)):
            _, decode = _READERS[_format(path)]
            with _foreign_errors():
                decode(path, page, self._settings)


def _format(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(132)
    if not head:
        raise BadScan("empty_file", "The file is empty.")
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    raise BadScan("unsupported_format", "The file is not a picture we can read.")


@contextmanager
def _foreign_errors() -> Iterator[None]:
    """Turn whatever a decoder says of a bad file into one of our reasons.

    Decoders of hostile bytes raise nearly every exception there is; all mean the same here.
    """
    try:
        yield
    except BadScan:
        raise
    except MemoryError as error:
        raise BadScan("too_large", "The picture needs more memory than there is.") from error
    except (EOFError, struct.error) as error:
        raise BadScan("truncated_file", "The file ends too early.") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise BadScan(_code_of(error), "The file is damaged.") from error
    except Exception as error:
        raise BadScan(_code_of(error), "The file is damaged.") from error


def _code_of(error: Exception) -> str:
    words = str(error).lower()
    cut = ("truncated", "end of file", "eof", "premature", "too short", "not enough", "incomplete",
           "less than expected", "fewer", "unexpected end", "overrun", "missing")  # fmt: skip
    return "truncated_file" if any(word in words for word in cut) else "corrupt_file"
