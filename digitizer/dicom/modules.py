"""One function a module of PS3.3, each returning its attributes by keyword.

Unknown stays empty (type 2) or absent (type 3): nothing is invented.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.valuerep import PersonName as DicomName

from digitizer.model.film import Geometry
from digitizer.model.identity import PatientRecord, PersonName
from digitizer.model.instance import CaptureOrder, DensityScale, Rendered, TileSource
from digitizer.model.raster import Polarity
from digitizer.model.reading import FieldName

_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_UNPAIRED = frozenset(
    [
        "ABDOMEN",
        "CHEST",
        "CSPINE",
        "COCCYX",
        "FACE",
        "HEAD",
        "LSPINE",
        "MEDIASTINUM",
        "NECK",
        "PELVIS",
        "SACRUM",
        "SKULL",
        "SPINE",
        "SSPINE",
        "STERNUM",
        "THORAX",
        "TSPINE",
        "WHOLEBODY",
    ]
)
"""Body parts of CID 4 (PS3.16) that have no side."""

_LIMIT = {"SH": 16, "LO": 64, "CS": 16, "PN": 64}


def _words(value: str, vr: str) -> str:
    """Return text without control characters and backslashes, cut to what its VR allows."""
    return _CONTROL.sub(" ", value).strip()[: _LIMIT[vr]].strip()


def _number(value: str, vr: str, name: str) -> str:
    """Return an identifier as it is; never cut, never cleaned.

    Raises
    ------
    ValueError
        It does not fit its VR (PS3.5 6.2).
    """
    if len(value) > _LIMIT[vr] or _CONTROL.search(value):
        raise ValueError(f"{name} does not fit {vr} ({_LIMIT[vr]} characters at most)")
    return value


def _day(day: date | None) -> str:
    return day.strftime("%Y%m%d") if day else ""


def _full_date(text: str) -> str:
    """Return an ISO date as DA; partial dates are no DA and stay empty (DESIGN §6)."""
    return text.replace("-", "") if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else ""


def is_unpaired(body_part: str) -> bool:
    """Tell whether a body part (CID 4) has no side."""
    return body_part.upper() in _UNPAIRED


def person(name: PersonName | None) -> str:
    """Return a name as PN (PS3.5 6.2); empty for nobody."""
    if name is None:
        return ""
    parts = (name.family, name.given, name.middle, "", name.suffix)
    clean = [_words(part, "PN").replace("^", " ").replace("=", " ") for part in parts]
    return str(DicomName("^".join(clean).rstrip("^")))


def sop_common(order: CaptureOrder, sop_class_uid: str) -> dict[str, Any]:
    """SOP Common (PS3.3 C.12.1); Barcode Value is a part of it."""
    attributes: dict[str, Any] = {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": sop_class_uid,
        "SOPInstanceUID": order.uids.sop,
        "InstanceCreationDate": _day(order.made_at.astimezone()),
        "InstanceCreationTime": order.made_at.astimezone().strftime("%H%M%S"),
    }
    if order.barcode:
        attributes["BarcodeValue"] = _CONTROL.sub(" ", order.barcode)[:1024]
    return attributes


def patient(order: CaptureOrder) -> dict[str, Any]:
    """Patient (PS3.3 C.7.1.1)."""
    who: PatientRecord | None = order.patient
    attributes: dict[str, Any] = {
        "PatientName": person(who.name if who else None),
        "PatientID": _number(who.patient_id, "LO", "Patient ID") if who else "",
        "PatientBirthDate": _full_date(who.birth_date) if who else "",
        "PatientSex": who.sex if who and who.sex in ("M", "F", "O") else "",
    }
    if who and who.issuer:
        attributes["IssuerOfPatientID"] = _number(who.issuer, "LO", "Issuer of Patient ID")
    return attributes


def general_study(order: CaptureOrder) -> dict[str, Any]:
    """General Study (PS3.3 C.7.2.1): the date is the exam's, never the scan's."""
    day = order.study_date or (order.exam.study_date if order.exam else None)
    accession = order.exam.accession_number if order.exam else ""
    attributes: dict[str, Any] = {
        "StudyInstanceUID": order.uids.study,
        "StudyDate": _day(day),
        "StudyTime": "",
        "ReferringPhysicianName": "",
        "StudyID": "",
        "AccessionNumber": _number(accession, "SH", "Accession Number"),
    }
    if order.description:
        attributes["StudyDescription"] = _words(order.description, "LO")
    return attributes


def general_series(order: CaptureOrder) -> dict[str, Any]:
    """General Series (PS3.3 C.7.3.1): laterality stands in the image, not here (DESIGN §6)."""
    attributes: dict[str, Any] = {
        "SeriesInstanceUID": order.uids.series,
        "SeriesNumber": order.series_number,
        "Modality": order.modality,
    }
    if order.series_description:
        attributes["SeriesDescription"] = _words(order.series_description, "LO")
    if order.body_part:
        attributes["BodyPartExamined"] = _words(order.body_part.upper(), "CS")
    if not order.laterality and not is_unpaired(order.body_part):
        # Type 2C: required while the body part may be a paired one; empty: it is not known.
        attributes["Laterality"] = ""
    return attributes


def sc_equipment(order: CaptureOrder, conversion_type: str) -> dict[str, Any]:
    """SC Equipment (PS3.3 C.8.6.1) and General Equipment (C.7.5.1)."""
    told = order.provenance
    attributes: dict[str, Any] = {
        "ConversionType": conversion_type,
        "Manufacturer": _words(told.device_manufacturer, "LO"),
        "SecondaryCaptureDeviceSoftwareVersions": f"digitizer {told.software_version}",
    }
    if told.institution:
        attributes["InstitutionName"] = _words(told.institution, "LO")
    if told.device_manufacturer:
        attributes["SecondaryCaptureDeviceManufacturer"] = _words(told.device_manufacturer, "LO")
    if told.device_model:
        attributes["SecondaryCaptureDeviceManufacturerModelName"] = _words(told.device_model, "LO")
    return attributes


def general_image(order: CaptureOrder, rendered: Rendered) -> dict[str, Any]:
    """General Image (PS3.3 C.7.6.1) with the derivation from the raw scan (C.7.6.1.1.3)."""
    local = order.made_at.astimezone()
    attributes: dict[str, Any] = {
        "InstanceNumber": order.instance_number,
        "PatientOrientation": "",
        "ContentDate": _day(local),
        "ContentTime": local.strftime("%H%M%S"),
        "ImageType": ["DERIVED", "SECONDARY"],
        "BurnedInAnnotation": "YES",
        "LossyImageCompression": "00",
        "DerivationDescription": _derivation(order, rendered),
    }
    if order.cut_from is not None:
        attributes["SourceImageSequence"] = [_source(order.cut_from)]
    if rendered.resampled:
        attributes["DerivationCodeSequence"] = [_code("113085", "DCM", "Spatial resampling")]
    if order.laterality in ("L", "R", "B"):
        attributes["ImageLaterality"] = order.laterality
    return attributes


def _derivation(order: CaptureOrder, rendered: Rendered) -> str:
    told, done = order.provenance, ["sheet cut out of its scan"]
    if order.cut_from is not None:
        done.insert(0, order.cut_from.part)
    where: Geometry | None = told.geometry
    if where is not None:
        if rendered.resampled and where.skew_deg:
            done.append(f"straightened by {where.skew_deg:.3f} degrees in one resampling")
        if where.turn_deg:
            done.append(f"turned by {where.turn_deg} degrees")
        if where.mirrored:
            done.append("mirrored back")
    if rendered.density is not None and told.last_calibration is not None:
        done.append(f"optical density by the calibration of {told.last_calibration}")
    return f"{'; '.join(done)}; raw scan sha256 {told.scan_sha256}"[:1024]


def _source(whole: TileSource) -> Dataset:
    """Refer to the whole sheet (PS3.3 C.7.6.1.1.4, CID 7202)."""
    item = Dataset()
    item.ReferencedSOPClassUID = whole.sop_class_uid
    item.ReferencedSOPInstanceUID = whole.sop_instance_uid
    purpose = _code("121322", "DCM", "Source image for image processing operation")
    item.PurposeOfReferenceCodeSequence = [purpose]
    return item


def multi_frame(labels: Sequence[str]) -> dict[str, Any]:
    """Multi-frame (PS3.3 C.7.6.6) and SC Multi-frame Vector (C.8.6.4): pages with their labels."""
    attributes: dict[str, Any] = {"NumberOfFrames": len(labels)}
    if len(labels) > 1:
        attributes["FrameIncrementPointer"] = [0x00182001, 0x00182002]
        attributes["PageNumberVector"] = list(range(1, len(labels) + 1))
        attributes["FrameLabelVector"] = [_words(label, "SH") for label in labels]
    return attributes


def image_pixel(rendered: Rendered) -> dict[str, Any]:
    """Image Pixel (PS3.3 C.7.6.3); padding per General Equipment (C.7.5.1.1.2)."""
    pixels = rendered.pixels
    allocated = 8 if pixels.dtype == np.uint8 else 16
    attributes: dict[str, Any] = {
        "SamplesPerPixel": 3 if pixels.ndim == 3 else 1,
        "PhotometricInterpretation": rendered.polarity.value,
        "Rows": int(pixels.shape[0]),
        "Columns": int(pixels.shape[1]),
        "BitsAllocated": allocated,
        "BitsStored": allocated if pixels.ndim == 3 else rendered.bits,
        "HighBit": (allocated if pixels.ndim == 3 else rendered.bits) - 1,
        "PixelRepresentation": 0,
    }
    if pixels.ndim == 3:
        attributes["PlanarConfiguration"] = 0
    elif rendered.padding is not None:
        attributes["PixelPaddingValue"] = rendered.padding
    return attributes


def sc_image(order: CaptureOrder, rendered: Rendered) -> dict[str, Any]:
    """SC Image (PS3.3 C.8.6.2): nominal spacing, row first; never Pixel Spacing uncalibrated."""
    scanned = order.provenance.scanned_at.astimezone()
    attributes: dict[str, Any] = {
        "DateOfSecondaryCapture": _day(scanned),
        "TimeOfSecondaryCapture": scanned.strftime("%H%M%S"),
    }
    if rendered.spacing is not None:
        pitch = (rendered.spacing.row_mm, rendered.spacing.column_mm)
        attributes["NominalScannedPixelSpacing"] = [f"{value:.8g}" for value in pitch]
    return attributes


def presentation(rendered: Rendered) -> dict[str, Any]:
    """Modality LUT (C.11.1), VOI LUT (C.11.2) and Presentation LUT Shape of grey captures."""
    if rendered.polarity is Polarity.RGB:
        return {}
    inverse = rendered.polarity is Polarity.MONOCHROME1
    attributes = _modality_lut(rendered.density) | {
        "PresentationLUTShape": "INVERSE" if inverse else "IDENTITY"
    }
    if rendered.window is not None:
        attributes["WindowCenter"] = f"{rendered.window.center:.8g}"
        attributes["WindowWidth"] = f"{max(rendered.window.width, 1):.8g}"
    return attributes


def _modality_lut(density: DensityScale | None) -> dict[str, Any]:
    """Modality LUT (PS3.3 C.11.1): the values as they are, or thousandths of optical density."""
    if density is None:
        return {"RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US"}
    if density.table is None:
        return {
            "RescaleIntercept": f"{density.intercept:.8g}",
            "RescaleSlope": f"{density.slope:.8g}",
            "RescaleType": "OD",
        }
    item = Dataset()
    # 65536 entries are written as 0 (C.11.1.1).
    item.add_new("LUTDescriptor", "US", [density.table.size % 65536, 0, 16])
    item.ModalityLUTType = "OD"
    item.add_new("LUTData", "OW", density.table.astype("<u2").tobytes())
    return {"ModalityLUTSequence": [item]}


def provenance(order: CaptureOrder) -> dict[str, Any]:
    """Contributing Equipment (C.12.1.1.5) and Original Attributes (C.12.1.1.9)."""
    told = order.provenance
    equipment = []
    if told.device_manufacturer:
        digitizer = _equipment("FILMD", "Film Digitizer", told.device_manufacturer)
        digitizer.ManufacturerModelName = _words(told.device_model, "LO")
        digitizer.DeviceSerialNumber = _words(told.device_serial, "LO")
        if told.last_calibration:
            digitizer.DateOfLastCalibration = _day(told.last_calibration)
        equipment.append(digitizer)
    software = _equipment("109102", "Processing Equipment", "digitizer")
    software.SoftwareVersions = told.software_version
    software.ContributionDateTime = moment(order.made_at)
    equipment.append(software)
    attributes: dict[str, Any] = {"ContributingEquipmentSequence": equipment}
    changed = _coerced(order)
    if changed is not None:
        item = Dataset()
        item.ModifiedAttributesSequence = [changed]
        item.AttributeModificationDateTime = moment(order.made_at)
        item.ModifyingSystem = "digitizer"
        item.SourceOfPreviousValues = "film or jacket"
        item.ReasonForTheAttributeModification = "COERCE"
        attributes["OriginalAttributesSequence"] = [item]
    return attributes


def _coerced(order: CaptureOrder) -> Dataset | None:
    """Return what film or jacket said where the index says otherwise."""
    read, who, item = order.provenance.read, order.patient, Dataset()
    if who is None:
        return None
    said = {name: field.value for name, field in read.items()}
    number = said.get(FieldName.PATIENT_ID)
    if number and number != who.patient_id:
        item.PatientID = _words(number, "LO")
    family = said.get(FieldName.FAMILY_NAME)
    given = said.get(FieldName.GIVEN_NAME, "")
    if family and (family, given) != (who.name.family, who.name.given):
        item.PatientName = person(PersonName(family=family, given=given))
    born = _full_date(said.get(FieldName.BIRTH_DATE, ""))
    if born and born != _full_date(who.birth_date):
        item.PatientBirthDate = born
    accession = said.get(FieldName.ACCESSION_NUMBER)
    if accession and order.exam and accession != order.exam.accession_number:
        item.AccessionNumber = _words(accession, "SH")
    return item if len(item) else None


def _equipment(code: str, meaning: str, manufacturer: str) -> Dataset:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [_code(code, "DCM", meaning)]
    item.Manufacturer = _words(manufacturer, "LO")
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def moment(at: datetime) -> str:
    """Return a time as DT, local, with its offset (PS3.5 6.2)."""
    return at.astimezone().strftime("%Y%m%d%H%M%S%z")
