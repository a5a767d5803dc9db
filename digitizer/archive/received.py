"""Received datasets as Part 10 files, as they came."""

from io import BytesIO

from pydicom import dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import evt

__all__ = ["SYNTAXES", "received_file"]

SYNTAXES = [
    JPEGLSLossless,
    JPEG2000Lossless,
    RLELossless,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
]
"""What we take when others store to us: lossless, and readable with what is installed."""


def received_file(event: evt.Event) -> bytes:
    """Return the dataset of a C-STORE as a Part 10 file in the syntax it came in."""
    dataset = event.dataset
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = event.context.transfer_syntax
    dataset.file_meta = meta
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
