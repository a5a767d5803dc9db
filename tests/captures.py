"""Orders and pictures from which tests make instances."""

from datetime import UTC, date, datetime

import numpy as np

from digitizer import dicom
from digitizer.model.identity import ExamRecord, PatientRecord, PersonName
from digitizer.model.instance import (
    CaptureOrder,
    Compression,
    MadeInstance,
    Provenance,
    Rendered,
    Uids,
    Window,
)
from digitizer.model.raster import Pixels, Polarity
from digitizer.model.units import Spacing

__all__ = ["a_capture", "an_order", "noise", "rendered"]

_SCANNED = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def an_order(
    *,
    uids: Uids | None = None,
    patient_id: str = "123",
    birth_date: str = "1950-01-02",
    accession: str = "X78-1",
    body_part: str = "CHEST",
    laterality: str = "",
    compression: Compression = Compression.JPEG_LS,
) -> CaptureOrder:
    """Return an order for a chest film of 1978."""
    return CaptureOrder(
        uids=uids or Uids("2.25.1", "2.25.2", "2.25.3"),
        instance_number=1,
        made_at=_SCANNED,
        patient=PatientRecord(
            patient_id=patient_id,
            issuer="H",
            name=PersonName(family="DOE", given="JANE"),
            birth_date=birth_date,
            sex="F",
        ),
        exam=ExamRecord(
            accession_number=accession,
            patient_id=patient_id,
            issuer="H",
            study_date=date(1978, 1, 2),
            body_part=body_part,
        ),
        body_part=body_part,
        laterality=laterality,
        compression=compression,
        provenance=Provenance(scan_sha256="ab" * 32, scanned_at=_SCANNED, software_version="0.1"),
    )


def noise(bits: int, shape: tuple[int, ...] = (301, 203), seed: int = 0) -> Pixels:
    """Return incompressible samples that use the whole range, ends included."""
    samples = np.random.default_rng(seed).integers(0, 1 << bits, shape)
    pixels: Pixels = samples.astype(np.uint8) if bits <= 8 else samples.astype(np.uint16)
    pixels.flat[0], pixels.flat[1] = 0, (1 << bits) - 1
    return pixels


def rendered(pixels: Pixels, bits: int, polarity: Polarity) -> Rendered:
    """Return a rendered sheet of these pixels."""
    return Rendered(
        pixels=pixels,
        bits=bits,
        polarity=polarity,
        spacing=Spacing(0.169, 0.169),
        window=Window(1000, 500),
    )


def a_capture(order: CaptureOrder | None = None) -> MadeInstance:
    """Return a small 16-bit film."""
    sheet = rendered(noise(16), 16, Polarity.MONOCHROME2)
    return dicom.make_film(order or an_order(), sheet)
