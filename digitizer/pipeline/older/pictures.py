"""Writing in a picture that names another patient than its header: ultrasound says it loudest."""

from io import BytesIO

import numpy as np
from pydicom import dcmread

from digitizer import dicom, identity, reading
from digitizer.model.identity import Verdict
from digitizer.model.older import OldInstance, Source
from digitizer.model.reading import FieldSource
from digitizer.model.reasons import Code, Reason, reason
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.services import Services

__all__ = ["says_another"]


def says_another(
    services: Services, source: Source, row: OldInstance, verdict: Verdict
) -> tuple[Reason, ...]:
    """Read the first picture of an instance; say so when it names somebody else.

    What cannot be decoded or read says nothing.
    """
    picture = _first_picture(original(services, source, row))
    patient = verdict.candidates[0].patient if verdict.candidates else verdict.patient
    if picture is None or patient is None:
        return ()
    found = services.reader.read_label(picture)
    if not found.lines:
        return ()
    said = reading.testimony(found, FieldSource.FILM, services.rules)
    if not identity.is_apart(said, patient):
        return ()
    return (reason(Code.PICTURE_CONTRADICTS),)


def _first_picture(content: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None":
    """Return the first frame as 8 bit, grey or colour; None where there is none to be had."""
    try:
        pixels = np.asarray(dicom.decode_pixels(dcmread(BytesIO(content))))
    except Exception:
        # pydicom raises nearly anything over hostile bytes; a picture nobody can see says nothing.
        return None
    while pixels.ndim > 3 or (pixels.ndim == 3 and pixels.shape[-1] not in (3, 4)):
        pixels = pixels[0]
    if pixels.ndim not in (2, 3) or min(pixels.shape[:2]) < 16:
        return None
    low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        return None
    scaled = (pixels.astype(np.float32) - low) * (255.0 / (high - low))
    return np.ascontiguousarray(
        scaled.astype(np.uint8)[..., :3] if scaled.ndim == 3 else scaled.astype(np.uint8)
    )
