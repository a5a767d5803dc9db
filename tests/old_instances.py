"""Instances of older archives for the tests, small and made to order."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

__all__ = ["an_instance", "dataset_of", "sample_files", "uid"]


def uid(*parts: object) -> str:
    """Return a UID that is the same for the same parts."""
    return str(generate_uid(entropy_srcs=[str(part) for part in parts]))


def sample_files() -> list[Path]:
    """Return all files that pydicom ships for its tests."""
    root = Path(pydicom.__file__).parent / "data" / "test_files"
    return sorted(path for path in root.rglob("*") if path.is_file())


def an_instance(
    *,
    study: str = "1",
    number: int = 1,
    charset: str = "ISO_IR 100",
    encoded: str = "latin-1",
    encapsulated: bool = False,
    implicit: bool = False,
    preamble: bool = True,
    seed: int = 0,
    **attributes: Any,
) -> bytes:
    """Return an instance of a patient, as some old machine may have written it.

    Text is written in ``encoded`` whatever ``charset`` declares.
    """
    written = Dataset()
    values = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": uid("instance", study, number),
        "StudyInstanceUID": uid("study", study),
        "SeriesInstanceUID": uid("series", study),
        "PatientID": "4711822",
        "IssuerOfPatientID": "GEN",
        "PatientName": "OKONKWO^JANE",
        "PatientBirthDate": "19310402",
        "PatientSex": "F",
        "StudyDate": "19620310",
        "StudyTime": "101500",
        "StudyID": "1",
        "SeriesNumber": "1",
        "AccessionNumber": "",
        "StudyDescription": "HEAD",
        "Modality": "CT",
        "InstanceNumber": str(number),
        **attributes,
    }
    for keyword, value in values.items():
        if value is not None:
            setattr(written, keyword, value)
    name = str(written.get("PatientName", ""))
    if charset:
        written.SpecificCharacterSet = charset
    if "PatientName" in written:
        written.PatientName = "NAME" * ((len(name.encode(encoded)) + 3) // 4)
    _picture(written, seed or number, encapsulated=encapsulated)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = (
        RLELossless
        if encapsulated
        else (ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)
    )
    written.file_meta = meta
    out = io.BytesIO()
    written.save_as(out, enforce_file_format=True)
    content = out.getvalue()
    if "PatientName" in written:
        placeholder = str(written.PatientName).encode()
        raw = name.encode(encoded).ljust(len(placeholder), b" ")
        content = content.replace(placeholder, raw, 1)
    return content if preamble else dataset_of(content)


def _picture(written: Dataset, seed: int, *, encapsulated: bool) -> None:
    if str(written.Modality) in ("SR", "KO"):
        return
    rows, columns = 16, 20
    written.Rows, written.Columns = rows, columns
    written.SamplesPerPixel, written.PixelRepresentation = 1, 0
    written.PhotometricInterpretation = "MONOCHROME2"
    written.BitsAllocated, written.BitsStored, written.HighBit = 16, 12, 11
    pixels = np.random.default_rng(seed).integers(0, 4096, (rows, columns), dtype=np.uint16)
    written.PixelData = pixels.tobytes()
    if encapsulated:
        frame = RLELosslessEncoder.encode(
            pixels, rows=rows, columns=columns, samples_per_pixel=1, number_of_frames=1,
            bits_allocated=16, bits_stored=12, photometric_interpretation="MONOCHROME2",
            pixel_representation=0,
        )  # fmt: skip
        written.PixelData = encapsulate([frame])
        written["PixelData"].is_undefined_length = True
    written["PixelData"].VR = "OB" if encapsulated else "OW"


def dataset_of(content: bytes) -> bytes:
    """Return what stands behind the file meta information."""
    length = pydicom.dcmread(io.BytesIO(content)).file_meta.FileMetaInformationGroupLength
    return content[132 + 12 + length :]
