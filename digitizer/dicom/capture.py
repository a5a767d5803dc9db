"""The instances we write: Secondary Capture Image Storage, one sheet an instance.

The pictures of a sheet of many become frames of one instance where DICOM allows it.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from digitizer.dicom import modules
from digitizer.dicom.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from digitizer.dicom.pixels import encode_pixels, pixel_sha256, to_bytes
from digitizer.model.instance import CaptureOrder, MadeInstance, Rendered
from digitizer.model.raster import Pixels, Polarity

__all__ = ["file_meta", "frames_class", "make_film", "make_frames", "make_label"]


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


def frames_class(rendered: Rendered) -> str | None:
    """Return the SOP class that may hold such pictures as frames, or None where none may.

    Grayscale Byte takes 8 bits, Grayscale Word 9 to 16, both MONOCHROME2 alone, with no other
    Rescale than 1, 0, US, and digitized film must tell its spacing (PS3.3 A.8.3.4, A.8.4.4,
    C.8.6.3).
    """
    if (
        rendered.polarity is not Polarity.MONOCHROME2
        or rendered.density is not None
        or rendered.spacing is None
    ):
        return None
    if rendered.pixels.dtype == np.uint8 and rendered.bits == 8:
        return str(MultiFrameGrayscaleByteSecondaryCaptureImageStorage)
    if rendered.pixels.dtype == np.uint16 and rendered.bits > 8:
        return str(MultiFrameGrayscaleWordSecondaryCaptureImageStorage)
    return None


def make_frames(
    order: CaptureOrder, pictures: Sequence[Rendered], labels: Sequence[str]
) -> MadeInstance:
    """Make one multi-frame capture of the pictures of a sheet, in their order.

    Parameters
    ----------
    order : CaptureOrder
    pictures : sequence of Rendered
        Alike in size and in all but their pixels; :func:`frames_class` has a class for them.
    labels : sequence of str
        Of each frame, at most 16 characters.

    Raises
    ------
    ValueError
        No class may hold these pictures as frames.
    """
    first = pictures[0]
    sop_class = frames_class(first)
    if sop_class is None:
        raise ValueError("no multi-frame class may hold such pictures")
    pixels = cast(Pixels, np.stack([one.pixels for one in pictures]))
    return _make(order, first, conversion_type="DF", frames=(sop_class, pixels, labels))


def _make(
    order: CaptureOrder,
    rendered: Rendered,
    *,
    conversion_type: str,
    frames: tuple[str, Pixels, Sequence[str]] | None = None,
) -> MadeInstance:
    dataset = Dataset()
    sop_class, pixels = str(SecondaryCaptureImageStorage), rendered.pixels
    if frames is not None:
        sop_class, pixels = frames[:2]
    dataset.file_meta = file_meta(sop_class, order.uids.sop)
    parts: list[dict[str, Any]] = [
        modules.sop_common(order, sop_class),
        modules.patient(order),
        modules.general_study(order),
        modules.general_series(order),
        modules.sc_equipment(order, conversion_type),
        modules.general_image(order, rendered),
        modules.image_pixel(rendered),
        modules.sc_image(order, rendered),
        modules.presentation(rendered),
        modules.provenance(order),
        modules.multi_frame(frames[2]) if frames else {},
    ]
    for part in parts:
        for keyword, value in part.items():
            setattr(dataset, keyword, value)
    encode_pixels(dataset, pixels, order.compression)
    return MadeInstance(
        content=to_bytes(dataset),
        sop_class_uid=sop_class,
        transfer_syntax_uid=str(dataset.file_meta.TransferSyntaxUID),
        pixel_sha256=pixel_sha256(pixels),
    )


def file_meta(sop_class: str, sop_instance_uid: str) -> FileMetaDataset:
    """Return the file meta information of an instance that we make (PS3.10 7.1)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta
