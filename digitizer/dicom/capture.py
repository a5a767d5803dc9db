"""The instances we write: Secondary Capture Image Storage, one sheet an instance."""

from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from digitizer.dicom import modules
from digitizer.dicom.pixels import encode_pixels, pixel_sha256, to_bytes
from digitizer.model.instance import CaptureOrder, MadeInstance, Rendered

__all__ = ["make_film", "make_label"]

IMPLEMENTATION_CLASS_UID = "2.25.283715849463628219574629401837465528310"
IMPLEMENTATION_VERSION_NAME = "DIGITIZER_0_1"


def make_film(order: CaptureOrder, rendered: Rendered) -> MadeInstance:
    """Make the capture of a film (Conversion Type DF).

    Parameters
    ----------
    order : CaptureOrder
    rendered : Rendered

    Raises
    ------
    ValueError
        A value cannot be written as its VR allows (an accession number over 16 characters).
    """
    return _make(order, rendered, conversion_type="DF")


def make_label(order: CaptureOrder, rendered: Rendered) -> MadeInstance:
    """Make the capture of a label or document (Conversion Type SD, scanned document)."""
    return _make(order, rendered, conversion_type="SD")


def _make(order: CaptureOrder, rendered: Rendered, *, conversion_type: str) -> MadeInstance:
    dataset = Dataset()
    dataset.file_meta = _file_meta(order)
    parts: list[dict[str, Any]] = [
        modules.sop_common(order, str(SecondaryCaptureImageStorage)),
        modules.patient(order),
        modules.general_study(order),
        modules.general_series(order),
        modules.sc_equipment(order, conversion_type),
        modules.general_image(order, rendered),
        modules.image_pixel(rendered),
        modules.sc_image(order, rendered),
        modules.presentation(rendered),
        modules.provenance(order),
    ]
    for part in parts:
        for keyword, value in part.items():
            setattr(dataset, keyword, value)
    encode_pixels(dataset, rendered.pixels, order.compression)
    return MadeInstance(
        content=to_bytes(dataset),
        sop_class_uid=str(SecondaryCaptureImageStorage),
        transfer_syntax_uid=str(dataset.file_meta.TransferSyntaxUID),
        pixel_sha256=pixel_sha256(rendered.pixels),
    )


def _file_meta(order: CaptureOrder) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID(order.uids.sop)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta
