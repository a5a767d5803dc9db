"""An older instance as an archive gives it back, compared with what was sent."""

from io import BytesIO

from pydicom import Dataset, dcmread

from digitizer.dicom.header import text_of, twin_of
from digitizer.dicom.old_file import OldFile, examine, rewritten
from digitizer.dicom.pixels import decode_pixels, pixel_sha256

__all__ = ["compare_old", "same_instance"]

_IDENTITY = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyDate",
    "Modality",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsStored",
    "PixelRepresentation",
    "PhotometricInterpretation",
    "SamplesPerPixel",
)
"""What must come back as it was written; besides it everything but what an archive may add."""


def compare_old(written: OldFile, content: bytes) -> tuple[str, ...]:
    """Name the attributes that differ, and ``PixelData`` when the picture does.

    In the same transfer syntax the encoded bytes are compared; else the decoded values.

    Parameters
    ----------
    written : OldFile
        As it was sent.
    content : bytes
        The Part 10 file that came back.
    """
    came = examine(content)
    differences = [name for name in _IDENTITY if _text(written, name) != _text(came, name)]
    differences += _missing(written.header, came.header)
    if written.pixel_sha256 != came.pixel_sha256 and not _same_picture(written, came):
        differences.append("PixelData")
    return tuple(dict.fromkeys(differences))


def same_instance(one: OldFile, other: OldFile) -> bool:
    """Tell whether two datasets are one instance written twice: every value and the picture.

    A disc burnt from a PACS holds its instances in another transfer syntax, with other group
    lengths, and otherwise the same.
    """
    try:
        if _elements(one) != _elements(other):
            return False
    except Exception:
        # What cannot be decoded cannot be said to be the same.
        return False
    return one.pixel_sha256 == other.pixel_sha256 or _same_picture(one, other)


def _elements(old: OldFile) -> Dataset:
    found = twin_of(old.header)
    for tag in [tag for tag in tuple(found.keys()) if tag.element == 0]:
        del found[tag]
    found.decode()
    return found


def _text(old: OldFile, keyword: str) -> str:
    return text_of(old.header, keyword)


def _missing(written: Dataset, came: Dataset) -> list[str]:
    """Return the elements that an archive dropped; group lengths are no elements to keep."""
    return [
        str(tag)
        for tag in tuple(written.keys())
        if tag not in came and tag.element != 0 and written.get_item(tag).value
    ]


def _same_picture(written: OldFile, came: OldFile) -> bool:
    try:
        return _decoded(written) == _decoded(came)
    except Exception:
        # What cannot be decoded cannot be said to be the same.
        return False


def _decoded(old: OldFile) -> str:
    """Return the hash of the decoded pixels of an instance."""
    return pixel_sha256(decode_pixels(dcmread(BytesIO(rewritten(old)))))
