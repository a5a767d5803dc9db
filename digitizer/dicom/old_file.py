"""Instances that others wrote: looked through without decoding, written again without touching.

What is read here is the header only; Pixel Data and all behind it stay the bytes they are. Whether
a file is whole is told by walking its elements (PS3.5 7.1, A.4), not by what a reader forgives.
"""

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from pydicom import Dataset
from pydicom.config import IGNORE
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from digitizer.dicom.directory import DIRECTORY_CLASS
from digitizer.dicom.elements import End, Syntax, bulk_size, spans, values, walk
from digitizer.dicom.header import number_of, text_of
from digitizer.dicom.part10 import part10
from digitizer.errors import BadScan
from digitizer.model.older import Encoded

__all__ = [
    "OldFile",
    "check_changed",
    "encoded",
    "examine",
    "is_directory",
    "is_whole_directory",
    "rewritten",
    "spliced",
    "with_header",
]

_PREAMBLE = 128
_BULK = 0x7FE00000
"""Pixel Data, its float forms and their offset tables stand in this group, after all else."""
_CLASS, _SYNTAX = 0x00020002, 0x00020010
"""Media Storage SOP Class UID and Transfer Syntax UID."""
_RECORDS = 0x00041220
"""Directory Record Sequence: what a DICOMDIR names."""
_LARGEST_INFLATED = 512 << 20
_DIGITS = 8
_LONGEST_UID = 64
_OF_NO_PATIENT = re.compile(
    "Palette|Hanging Protocol|Implant|Directory|Defined Procedure Protocol|Inventory|Substance"
)
"""In the names of SOP classes whose instances belong to no study (PS3.4 GG.3)."""
_TOO_EARLY = "The file ends too early."
_UID = frozenset("0123456789.")


@dataclass(frozen=True, eq=False)
class OldFile:
    """One instance as it came.

    Attributes
    ----------
    header : Dataset
        All elements before group 7FE0, raw; treat as read-only.
    data : bytes
        The dataset, without preamble and file meta information, inflated where it was deflated.
    bulk : int
        Where in ``data`` group 7FE0 begins; its length where there is none.
    syntax : UID
        Transfer syntax, as told or found out.
    """

    header: Dataset
    data: bytes
    bulk: int
    syntax: UID

    @property
    def data_sha256(self) -> str:
        """Hash of the dataset: the same however the file around it was written."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def pixel_sha256(self) -> str:
        """Hash of Pixel Data and all behind it, as encoded; empty where there is none."""
        tail = memoryview(self.data)[self.bulk :]
        return hashlib.sha256(tail).hexdigest() if len(tail) else ""


def examine(content: bytes) -> OldFile:
    """Read the header of a Part 10 file, or of a bare dataset without preamble.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    BadScan
        ``unsupported_format``: it is no DICOM instance; ``truncated_file``: it ends too early;
        ``corrupt_file``: it cannot be read through; ``empty_file``.
    """
    if not content:
        raise BadScan("empty_file", "The file is empty.")
    start, meta = _meta(content)
    told = UID(_told(meta, _SYNTAX), IGNORE)
    data = content[start:]
    if start and not data:
        raise BadScan("truncated_file", _TOO_EARLY)
    if told == DeflatedExplicitVRLittleEndian:
        data = _inflated(data)
    syntax: UID = told or _guessed(data)
    form = _form(syntax)
    end = walk(data, form, stop=_BULK)
    if end.state is End.NONSENSE and syntax == ExplicitVRLittleEndian:
        # Some wrote implicit VR under this name; most readers do not mind.
        other = walk(data, _form(ImplicitVRLittleEndian), stop=_BULK)
        if other.state is End.DONE:
            syntax = UID(str(ImplicitVRLittleEndian))
            form, end = _form(syntax), other
    if end.state is End.NONSENSE:
        if start or _names_an_instance(data[: end.at], syntax):
            raise BadScan(
                "corrupt_file", "The file cannot be read through: its elements are garbled."
            )
        raise BadScan("unsupported_format", "This is no DICOM file.")
    if not _is_uid(str(syntax)):
        raise BadScan("corrupt_file", "The file tells no usable transfer syntax.")
    header = _parsed(data[: end.at], syntax)
    _check_instance(header, meta, is_cut=end.state is End.CUT_OFF)
    data = _without_padding(data, end.at, form)
    if end.at == len(data) and end.state is End.DONE and _is_picture(header):
        raise BadScan("truncated_file", "The file ends before its picture.")
    if end.state is End.CUT_OFF or not _is_whole(data, end.at, form, header):
        raise BadScan("truncated_file", _TOO_EARLY)
    return OldFile(header=header, data=data, bulk=end.at, syntax=syntax)


def is_directory(content: bytes) -> bool:
    """Tell whether a file is the list of a disc (DICOMDIR): by its class, not by its name."""
    if content[_PREAMBLE : _PREAMBLE + 4] != b"DICM":
        return False
    try:
        return _told(_meta(content)[1], _CLASS) == DIRECTORY_CLASS
    except BadScan:
        return False


def is_whole_directory(content: bytes) -> bool:
    """Tell whether the list of a disc ends as it says: cut off, it names a part of the files."""
    start, meta = _meta(content)
    data = content[start:]
    forms = (_form(UID(_told(meta, _SYNTAX), IGNORE)), _form(ImplicitVRLittleEndian))
    return any(_holds_records(data, form) for form in forms)


def _holds_records(data: bytes, form: Syntax) -> bool:
    before, behind = (walk(data, form, stop=tag) for tag in (_RECORDS, _RECORDS + 1))
    end = walk(data, form, stop=None)
    is_at_end = end.state is End.DONE or not data[end.at :].strip(b"\0")
    return behind.at > before.at and is_at_end


def _form(syntax: UID) -> Syntax:
    return Syntax(implicit=syntax == ImplicitVRLittleEndian, little=syntax != ExplicitVRBigEndian)


def _meta(content: bytes) -> tuple[int, dict[int, bytes]]:
    """Return where the dataset begins, and the file meta information; 0 and nothing without.

    Of the latter the values by tag: the two UIDs that are wanted need no parser.
    """
    if content[_PREAMBLE : _PREAMBLE + 4] != b"DICM":
        return 0, {}
    form = Syntax(implicit=False, little=True)
    end = walk(content[_PREAMBLE + 4 :], form, stop=0x00030000)
    if end.state is End.CUT_OFF:
        raise BadScan("truncated_file", _TOO_EARLY)
    start = _PREAMBLE + 4 + end.at
    return start, values(content[_PREAMBLE + 4 : start], form)


def _told(meta: dict[int, bytes], tag: int) -> str:
    """Return a UID of the file meta information, or nothing."""
    return meta.get(tag, b"").decode("ascii", "replace").replace("\0", "").strip()


def _inflated(data: bytes) -> bytes:
    """Return a deflated dataset (PS3.5 A.5) inflated, within reason."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflate.decompress(data, _LARGEST_INFLATED)
    except zlib.error:
        raise BadScan("corrupt_file", "The file cannot be inflated.") from None
    if inflate.unconsumed_tail:
        raise BadScan("too_large", "The file is larger than allowed once it is inflated.")
    if not inflate.eof:
        raise BadScan("truncated_file", _TOO_EARLY)
    return found


def _guessed(data: bytes) -> UID:
    """Tell the syntax of a dataset that does not say: by the look of its first element."""
    if len(data) < 8:
        raise BadScan("unsupported_format", "This is no DICOM file.")
    group, _, vr = struct.unpack("<HH2s", data[:6])
    explicit = vr.isalpha() and vr.isupper()
    if explicit:
        return (
            ExplicitVRBigEndian if group >= 0x0100 and group & 0xFF == 0 else ExplicitVRLittleEndian
        )
    return ImplicitVRLittleEndian


def _parsed(data: bytes, syntax: UID) -> Dataset:
    """Return raw elements that were walked through before."""
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    try:
        found = read_dataset(BytesIO(data), implicit, little)
    except Exception:
        # pydicom raises nearly anything over hostile bytes; to whoever delivers it is all the same.
        raise BadScan("corrupt_file", "The file cannot be read through.") from None
    found.set_original_encoding(implicit, little, found._character_set)
    return found


def _names_an_instance(data: bytes, syntax: UID) -> bool:
    try:
        return bool(text_of(_parsed(data, syntax), "SOPInstanceUID"))
    except BadScan:
        return False


def _check_instance(header: Dataset, meta: dict[int, bytes], *, is_cut: bool) -> None:
    """Refuse what bears no UIDs: it can be named to no archive (PS3.3 C.12.1).

    Unless its class belongs to no patient it may be a picture all the same: damaged, and nothing
    that may be thrown away unseen.
    """
    told = text_of(header, "SOPClassUID") or _told(meta, _CLASS)
    for name in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if _is_uid(text_of(header, name)):
            continue
        if not (meta or told):
            raise BadScan("unsupported_format", "This is no DICOM file.")
        if is_cut:
            raise BadScan("truncated_file", _TOO_EARLY)
        is_nobodys = bool(_OF_NO_PATIENT.search(UID(told, IGNORE).name))
        code = "unsupported_format" if is_nobodys else "corrupt_file"
        raise BadScan(code, f"The file bears no usable {name}.")


def _is_uid(value: str) -> bool:
    """Tell whether a text can be a UID (PS3.5 9.1)."""
    return 0 < len(value) <= _LONGEST_UID and set(value) <= _UID


def _without_padding(data: bytes, bulk: int, form: Syntax) -> bytes:
    """Return the data without noughts behind the last element: discs are copied by sectors."""
    end = walk(data[bulk:], form, stop=None)
    rest = bulk + end.at
    if end.state is End.DONE or data[rest:].strip(b"\0"):
        return data
    return data[:rest]


def _is_whole(data: bytes, bulk: int, form: Syntax, header: Dataset) -> bool:
    """Tell whether what follows the header ends as it says, and holds all of the picture."""
    if bulk == len(data):
        return True
    end = walk(data[bulk:], form, stop=None)
    if end.state is not End.DONE:
        return False
    size = bulk_size(data[bulk:], form)
    return size is None or size >= _least_size(header)


def _is_picture(header: Dataset) -> bool:
    """Tell whether an instance is of a class of pictures, or describes one: it must hold one then.

    So a file that is cut off between two elements is told as well, unless it is no picture.
    """
    if text_of(header, "PixelDataProviderURL"):
        return False
    named = "Image Storage" in UID(text_of(header, "SOPClassUID"), IGNORE).name
    return named or number_of(header, "Rows", 0) > 0


def _least_size(header: Dataset) -> int:
    """Return how many bytes native Pixel Data has at least (PS3.5 8.1.1)."""
    rows, columns = number_of(header, "Rows", 0), number_of(header, "Columns", 0)
    samples = number_of(header, "SamplesPerPixel", 1)
    bits = number_of(header, "BitsAllocated", 8)
    told = text_of(header, "NumberOfFrames")
    frames = int(told) if told.isdecimal() and len(told) < _DIGITS else 1
    if text_of(header, "PhotometricInterpretation") == "YBR_FULL_422":
        samples = 2
    return rows * columns * samples * frames * bits // 8


def encoded(old: OldFile, data: bytes, sop_instance_uid: str = "") -> Encoded:
    """Return a dataset as it travels in an instance's syntax, under its own UID or another."""
    if old.syntax == DeflatedExplicitVRLittleEndian:
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = deflate.compress(data) + deflate.flush()
        data += b"\0" * (len(data) % 2)
    return Encoded(
        sop_class_uid=text_of(old.header, "SOPClassUID"),
        sop_instance_uid=sop_instance_uid or text_of(old.header, "SOPInstanceUID"),
        transfer_syntax_uid=str(old.syntax),
        data=data,
    )


def rewritten(old: OldFile, header: Dataset | None = None) -> bytes:
    """Return the instance as a Part 10 file, with another header or its own, byte for byte.

    Parameters
    ----------
    old : OldFile
    header : Dataset, optional
        See :func:`with_header`.
    """
    if header is None:
        return part10(encoded(old, old.data))
    return part10(encoded(old, with_header(old, header), text_of(header, "SOPInstanceUID")))


def with_header(old: OldFile, header: Dataset) -> bytes:
    """Return the dataset with another header.

    Pixel Data and all behind it are the bytes that they were; elements of the header that were not
    changed are still raw and are written as they were.
    """
    return _written(header, old.syntax, ("iso8859",)) + old.data[old.bulk :]


def spliced(
    old: OldFile, patch: Dataset, removed: frozenset[int], codecs: tuple[str, ...]
) -> bytes:
    """Return the dataset with some elements of its header put in place of what stood there.

    Every other byte is the one it was, but for the lengths of changed groups.

    Parameters
    ----------
    old : OldFile
    patch : Dataset
        Elements that are new or other.
    removed : frozenset of int
        Tags to leave out.
    codecs : tuple of str
        Python codecs of the header's character set, where the patch declares none.
    """
    form = _form(old.syntax)
    new = _written(patch, old.syntax, codecs)
    pieces = {tag: new[start:end] for tag, start, end in spans(new, form)}
    # The length of a group that is another now would be wrong; it need not be told (PS3.5 7.2).
    stale = {tag & 0xFFFF0000 for tag in (*pieces, *removed)}
    kept = {
        tag: old.data[start:end]
        for tag, start, end in spans(old.data[: old.bulk], form)
        if tag not in removed and tag not in stale
    }
    kept |= pieces
    return b"".join(kept[tag] for tag in sorted(kept)) + old.data[old.bulk :]


def check_changed(old: OldFile, data: bytes) -> None:
    """Walk over a dataset with another header, up to the Pixel Data that it had.

    Raises
    ------
    BadScan
        ``corrupt_file``: it cannot be walked over, or Pixel Data are not where they must be.
    """
    end = walk(data, _form(old.syntax), stop=_BULK)
    behind = len(data) - (len(old.data) - old.bulk)
    if end.state is not End.DONE or end.at != behind:
        raise BadScan("corrupt_file", "With what is changed it could not be read any more.")


def _written(header: Dataset, syntax: UID, codecs: tuple[str, ...]) -> bytes:
    out = DicomBytesIO()
    out.is_implicit_VR = syntax == ImplicitVRLittleEndian
    out.is_little_endian = syntax != ExplicitVRBigEndian
    write_dataset(out, header, list(codecs))
    return bytes(out.getvalue())
