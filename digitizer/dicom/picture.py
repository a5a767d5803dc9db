"""Finished pictures and documents wrapped as they are: Secondary Capture, or Encapsulated PDF.

What stands in the header is what the index file's row says, word for word; nothing is invented.
Made again from the same file and row they are the same to the byte.
"""

from dataclasses import dataclass
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID, EncapsulatedPDFStorage, SecondaryCaptureImageStorage

from digitizer.dicom import modules
from digitizer.dicom.capture import file_meta
from digitizer.dicom.header import twin_of
from digitizer.dicom.old_file import OldFile, examine, rewritten
from digitizer.dicom.pixels import encode_pixels, to_bytes
from digitizer.dicom.rules import put
from digitizer.model.instance import Compression, Rendered, Uids
from digitizer.model.older import OldHeader

__all__ = ["PictureOrder", "make_document", "make_picture", "placed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOrder:
    """All that is needed to wrap a picture besides its pixels.

    Attributes
    ----------
    uids : Uids
        Study and series stand in for those of the exam until it is decided (:func:`placed`).
    header : OldHeader
        What the row says.
    conversion_type : str
        PS3.3 C.8.6.1.1: DF (digitized film), DI, SD (scanned document) ...
    sha256 : str
        Of the file the picture comes from.
    derivation : str
        What was done to it: nothing, or turned as its file says.
    lossy : float or None
        How much smaller the file is than its values where it is a JPEG, whose values are not those
        it was once made of; 0: known to be lossless; None: nobody knows.
    """

    uids: Uids
    instance_number: int
    header: OldHeader
    conversion_type: str
    sha256: str
    software_version: str
    institution: str = ""
    derivation: str = "picture wrapped as it is"
    lossy: float | None = None
    compression: Compression = Compression.JPEG_LS


def make_picture(order: PictureOrder, rendered: Rendered) -> bytes:
    """Wrap one picture: its values as they are, losslessly encoded.

    Raises
    ------
    ValueError
        A value of the row cannot be written as its VR allows.
    """
    dataset = _begun(order, str(SecondaryCaptureImageStorage), order.header.modality or "OT")
    for part in (
        _image(order),
        modules.image_pixel(rendered),
        modules.presentation(rendered),
    ):
        _set(dataset, part)
    if rendered.spacing is not None:
        pitch = (rendered.spacing.row_mm, rendered.spacing.column_mm)
        dataset.NominalScannedPixelSpacing = [f"{value:.8g}" for value in pitch]
    encode_pixels(dataset, rendered.pixels, order.compression)
    return to_bytes(dataset)


def make_document(order: PictureOrder, content: bytes) -> bytes:
    """Wrap a PDF as it is: Encapsulated PDF (PS3.3 A.45.1, C.24.2).

    Raises
    ------
    ValueError
        A value of the row cannot be written as its VR allows.
    """
    # The row's modality is that of the exam's pictures; this is a document about it.
    dataset = _begun(order, str(EncapsulatedPDFStorage), "DOC")
    _set(
        dataset,
        {
            "InstanceNumber": order.instance_number,
            "ContentDate": "",
            "ContentTime": "",
            "AcquisitionDateTime": "",
            "BurnedInAnnotation": "YES",
            "DocumentTitle": order.header.description[:64],
            "ConceptNameCodeSequence": [],
            "MIMETypeOfEncapsulatedDocument": "application/pdf",
            "EncapsulatedDocumentLength": len(content),
            "EncapsulatedDocument": content + b"\0" * (len(content) % 2),
        },
    )
    return to_bytes(dataset)


def placed(old: OldFile, study_uid: str, series_uid: str) -> OldFile:
    """Return a wrapped picture in the study and series of the exam that was decided."""
    header = twin_of(old.header)
    put(header, "StudyInstanceUID", study_uid)
    put(header, "SeriesInstanceUID", series_uid)
    return examine(rewritten(old, header))


def _set(dataset: Dataset, part: dict[str, Any]) -> None:
    for keyword, value in part.items():
        setattr(dataset, keyword, value)


def _begun(order: PictureOrder, sop_class: str, modality: str) -> Dataset:
    """Return what pictures and documents have in common: whose, which exam, how it came to be."""
    dataset = Dataset()
    dataset.file_meta = file_meta(sop_class, order.uids.sop)
    said = order.header
    attributes: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": UID(sop_class),
        "SOPInstanceUID": order.uids.sop,
        "PatientName": said.name,
        "PatientID": said.patient_id,
        "PatientBirthDate": said.birth_date,
        "PatientSex": said.sex,
        "StudyInstanceUID": order.uids.study,
        "StudyDate": said.study_date,
        "StudyTime": "",
        "ReferringPhysicianName": "",
        "StudyID": "",
        "AccessionNumber": said.accession_number,
        "SeriesInstanceUID": order.uids.series,
        "SeriesNumber": 1,
        "Modality": modality,
        "ConversionType": order.conversion_type,
        "Manufacturer": "",
        "SecondaryCaptureDeviceSoftwareVersions": f"digitizer {order.software_version}",
    }
    optional = {
        "IssuerOfPatientID": said.issuer,
        "StudyDescription": said.description,
        "InstitutionName": order.institution,
    }
    _set(dataset, attributes | {key: value for key, value in optional.items() if value})
    return dataset


def _image(order: PictureOrder) -> dict[str, Any]:
    """General Image (PS3.3 C.7.6.1), and what General Series says of the part that is shown."""
    said = order.header
    told = f"{order.derivation}; file sha256 {order.sha256}"
    attributes: dict[str, Any] = {
        "InstanceNumber": order.instance_number,
        "PatientOrientation": "",
        "ImageType": ["DERIVED", "SECONDARY"],
        "BurnedInAnnotation": "YES",
        "DerivationDescription": told[:1024],
    }
    if said.body_part:
        attributes["BodyPartExamined"] = said.body_part
    if said.laterality:
        attributes["ImageLaterality"] = said.laterality
    elif not modules.is_unpaired(said.body_part):
        # Type 2C: required while the body part may be a paired one; empty: it is not known.
        attributes["Laterality"] = ""
    if order.lossy:
        attributes["LossyImageCompression"] = "01"
        attributes["LossyImageCompressionRatio"] = f"{order.lossy:.6g}"
        attributes["LossyImageCompressionMethod"] = "ISO_10918_1"
    elif order.lossy is not None:
        attributes["LossyImageCompression"] = "00"
    return attributes
