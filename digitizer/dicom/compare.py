"""Comparing what an archive keeps with what was written."""

from io import BytesIO

from pydicom import Dataset, dcmread

from digitizer.dicom.pixels import decode_pixels, pixel_sha256

__all__ = ["IDENTITY", "compare"]

IDENTITY = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "IssuerOfPatientID",
    "AccessionNumber",
    "StudyDate",
    "Modality",
    "ImageLaterality",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsStored",
    "PhotometricInterpretation",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "NominalScannedPixelSpacing",
    "PixelPaddingValue",
]
"""Attributes that must come back as they were written (DESIGN §4)."""


def compare(written: bytes, read_back: bytes) -> tuple[str, ...]:
    """Name the attributes that differ, and ``PixelData`` when decoded pixels differ.

    Parameters
    ----------
    written, read_back : bytes
        Part 10 files; the transfer syntaxes may differ.
    """
    ours, theirs = dcmread(BytesIO(written)), dcmread(BytesIO(read_back))
    differences = [name for name in IDENTITY if _value(ours, name) != _value(theirs, name)]
    if pixel_sha256(decode_pixels(ours)) != pixel_sha256(decode_pixels(theirs)):
        differences.append("PixelData")
    return tuple(differences)


def _value(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value)
