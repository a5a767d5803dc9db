"""What the header of an old instance says, as text: decoded as well as its bytes allow.

The declared character set is believed as long as the bytes can be text of it. Old archives declare
nothing and write Latin-1, or declare Latin-1 and write UTF-8 (PS3.3 C.12.1.1.2 allows neither).
"""

from collections.abc import Iterator
from enum import Enum, unique
from functools import cache

from pydicom import Dataset
from pydicom.charset import (
    convert_encodings,
    decode_bytes,
    default_encoding,
    python_encoding,
)
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS, validate_value

from digitizer.model.older import OldHeader

__all__ = [
    "TEXT_VRS",
    "Writing",
    "codecs_of",
    "declared_charsets",
    "header_of",
    "number_of",
    "raw_text",
    "text_of",
    "twin_of",
    "violations",
    "writing_of",
]

TEXT_VRS = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))
"""VRs that the character set applies to (PS3.5 6.1.2.3)."""
_MULTI_BYTE = frozenset(("ISO_IR 192", "GB18030", "GBK"))
_CHECKED = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "SH", "TM", "UI"))
_LONGEST = 1024


@unique
class Writing(Enum):
    """Whether the text of a header is what its character set says."""

    PLAIN = "plain"
    """ASCII alone."""
    AS_DECLARED = "as declared"
    UTF_8 = "utf-8"
    """UTF-8 without saying so."""
    UNDECLARED = "undeclared"
    """Beyond ASCII, not UTF-8, and no character set is declared that fits."""


_FIELDS = {
    "patient_id": "PatientID",
    "issuer": "IssuerOfPatientID",
    "name": "PatientName",
    "birth_date": "PatientBirthDate",
    "sex": "PatientSex",
    "accession_number": "AccessionNumber",
    "study_date": "StudyDate",
    "description": "StudyDescription",
    "modality": "Modality",
    "body_part": "BodyPartExamined",
}


def header_of(header: Dataset) -> OldHeader:
    """Return what a header says of patient and exam, trimmed, otherwise unchanged."""
    values = {name: text_of(header, keyword) for name, keyword in _FIELDS.items()}
    side = text_of(header, "ImageLaterality") or text_of(header, "Laterality")
    return OldHeader(**values, laterality=side)


def text_of(header: Dataset, keyword: str) -> str:
    """Return the text of an element without changing the dataset; empty where there is none."""
    raw = raw_text(header, keyword)
    if isinstance(raw, str):
        return raw.strip()[:_LONGEST]
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii").replace("\0", "").strip()[:_LONGEST]
    codecs = codecs_of(header) if dictionary_VR(keyword) in TEXT_VRS else ("ascii",)
    declared = declared_charsets(header)
    if any(name.startswith("ISO 2022") for name in declared):
        # Switched by escape sequences within the text (PS3.5 6.1.2.5).
        switched = decode_bytes(raw, convert_encodings(list(declared)), PN_DELIMS | TEXT_VR_DELIMS)
        return str(switched).strip(" \0")[:_LONGEST]
    return _decoded(raw, codecs).replace("\0", "").strip()[:_LONGEST]


def number_of(header: Dataset, keyword: str, default: int) -> int:
    """Return a number of two bytes (VR US) without changing the dataset."""
    raw = raw_text(header, keyword)
    if isinstance(raw, str):
        return int(raw) if raw.isdecimal() else default
    _, little = header.original_encoding
    return int.from_bytes(raw[:2], "big" if little is False else "little") if raw else default


def raw_text(header: Dataset, keyword: str) -> bytes | str:
    """Return an element's value as it stands: bytes while nobody has decoded it."""
    found = header.get_item(_tag(keyword))
    if found is None or found.value is None:
        return b""
    return found.value if isinstance(found.value, bytes) else str(found.value)


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def _decoded(raw: bytes, codecs: tuple[str, ...]) -> str:
    for codec in codecs:
        try:
            return raw.decode(codec)
        except (UnicodeDecodeError, LookupError):
            continue
    # What cannot be read is shown as unknown, and agrees with nothing.
    return raw.decode("ascii", "replace")


def declared_charsets(header: Dataset) -> tuple[str, ...]:
    """Return the values of Specific Character Set (0008,0005)."""
    raw = raw_text(header, "SpecificCharacterSet")
    text = raw.decode("ascii", "replace") if isinstance(raw, bytes) else raw.strip("[]'\"")
    return tuple(
        name.strip(" \0") for name in text.replace("', '", "\\").split("\\") if name.strip(" \0")
    )


def codecs_of(header: Dataset) -> tuple[str, ...]:
    """Return the Python codecs in which the text of a header is really written."""
    codecs = tuple(
        python_encoding.get(name, default_encoding) for name in declared_charsets(header)
    )
    match writing_of(header):
        case Writing.UTF_8:
            return ("utf-8",)
        case Writing.UNDECLARED:
            return ("latin-1",)
        case _:
            return codecs or ("ascii",)


def writing_of(header: Dataset) -> Writing:
    """Tell in what the text of a header is really written.

    Bytes beyond ASCII that are valid UTF-8 are UTF-8: text of another set is that by chance in
    none of a thousand cases once two such characters stand in it.
    """
    odd = [value for value in _texts(header) if not value.isascii()]
    declared = declared_charsets(header)
    if not odd:
        return Writing.PLAIN
    beyond = [name for name in declared if name not in ("ISO_IR 6", "ISO 2022 IR 6")]
    if any(name.startswith("ISO 2022") for name in beyond):
        return Writing.AS_DECLARED
    codecs = [python_encoding[name] for name in beyond if name in python_encoding]
    if any(name in _MULTI_BYTE for name in beyond) and _all_are(odd, codecs[0]):
        return Writing.AS_DECLARED
    if _all_are(odd, "utf-8"):
        return Writing.AS_DECLARED if "ISO_IR 192" in beyond else Writing.UTF_8
    # One text that is garbled is no reason to call all the others something else.
    return Writing.AS_DECLARED if beyond else Writing.UNDECLARED


def _all_are(values: list[bytes], codec: str) -> bool:
    try:
        for value in values:
            value.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _texts(header: Dataset) -> Iterator[bytes]:
    # By tag: walking over the elements themselves would decode them.
    for tag in tuple(header.keys()):
        item = header.get_item(tag)
        if not isinstance(item, RawDataElement) or not isinstance(item.value, bytes):
            continue
        if item.tag.is_private:
            # Whatever its maker meant by it.
            continue
        if (item.VR or _vr(item.tag)) in TEXT_VRS:
            yield item.value


def _vr(tag: BaseTag) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""


def twin_of(header: Dataset) -> Dataset:
    """Return a header of the same raw elements that can be changed without changing the first."""
    twin = Dataset()
    for tag in tuple(header.keys()):
        twin[tag] = header.get_item(tag)
    implicit, little = header.original_encoding
    twin.set_original_encoding(implicit, little, header.original_character_set)
    return twin


def violations(header: Dataset) -> tuple[tuple[str, str], ...]:
    """Return the elements whose text is not as its VR allows (PS3.5 6.2), by keyword, with it.

    Of the first level alone; private elements are whatever their maker meant.
    """
    found = []
    for tag in tuple(header.keys()):
        vr = _vr(tag)
        if tag.is_private or vr not in _CHECKED:
            continue
        value = text_of(header, keyword_for_tag(tag))
        try:
            for one in value.split("\\"):
                validate_value(vr, one, RAISE)
        except ValueError:
            found.append((keyword_for_tag(tag), value[:64]))
    return tuple(found)
