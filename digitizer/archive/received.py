"""Received datasets as Part 10 files, as they came."""

from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import evt

from digitizer.dicom import part10
from digitizer.model.older import Encoded

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
    """Return the dataset of a C-STORE as a Part 10 file: the very bytes that came, in their syntax.

    Raises
    ------
    AttributeError
        It bears no UIDs.
    """
    dataset = event.dataset
    return part10(
        Encoded(
            sop_class_uid=str(dataset.SOPClassUID),
            sop_instance_uid=str(dataset.SOPInstanceUID),
            transfer_syntax_uid=str(event.context.transfer_syntax),
            data=event.encoded_dataset(include_meta=False),
        )
    )
