"""Writing in pictures that names another patient than their header: ultrasound says it loudest.

A sample is read of what may bear a name: the pictures of ultrasound and cameras, secondary
captures, and what says itself that writing is burnt in. How many were read, and how many name
somebody else, is written down.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.config import IGNORE
from pydicom.uid import UID

from digitizer import dicom, identity, reading
from digitizer.errors import BadScan
from digitizer.model.identity import PatientRecord, Verdict
from digitizer.model.older import OldInstance, OldStudy, Source
from digitizer.model.reading import FieldSource
from digitizer.model.reasons import Code, Reason, reason
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.services import Services

__all__ = ["read_pictures"]

_KINDS = ("Ultrasound", "Secondary Capture", "Photographic", "Endoscopic")
"""In the names of SOP classes whose pictures often bear a name."""
_MOST = 20
"""Instances of one study that are read; of more, as many from all over the study."""
_EVENT = "pictures_read"


def read_pictures(
    services: Services,
    source: Source,
    study: OldStudy,
    rows: Sequence[OldInstance],
    verdict: Verdict,
) -> tuple[Reason, ...]:
    """Read a sample of a study's pictures; say so when writing in one names somebody else.

    Which are read is the same whenever asked. What cannot be decoded or read says nothing.

    Parameters
    ----------
    services : Services
    source : Source
    study : OldStudy
    rows : sequence of OldInstance
        Those that are to be sent.
    verdict : Verdict
        Whose the study is, or most likely is.
    """
    patient = verdict.candidates[0].patient if verdict.candidates else verdict.patient
    share = services.older.read_pictures
    if patient is None or not share:
        return ()
    of_kind = [row for row in rows if _is_of_kind(row) and _draw(study.id, row.place) < share]
    if _draw(study.id) < share:
        of_kind += _burnt_in(services, source, rows)
    step = -(-len(of_kind) // _MOST) or 1
    read = apart = 0
    for row in of_kind[::step]:
        try:
            pictures = _ends(original(services, source, row))
        except BadScan:
            continue  # told when it is to be sent
        read += bool(pictures)
        apart += any(_names_another(services, one, patient) for one in pictures)
    _count(services, source, study, read, apart)
    if not apart:
        return ()
    text = f"Writing in {apart} of {read} pictures that were read names another patient."
    return (reason(Code.PICTURE_CONTRADICTS, text),)


def _draw(*words: str) -> float:
    """Return a number from 0 to 1 that is always the same for the same words."""
    return int(hashlib.sha256(" ".join(words).encode()).hexdigest()[:8], 16) / 0x1_0000_0000


def _is_of_kind(row: OldInstance) -> bool:
    name = UID(row.sop_class_uid, IGNORE).name
    return any(kind in name for kind in _KINDS)


def _burnt_in(
    services: Services, source: Source, rows: Sequence[OldInstance]
) -> Iterator[OldInstance]:
    """Yield the first of each series of another kind, where its header says that it bears writing.

    A conversion type says that it was made from paper, film, or a screen (PS3.3 C.8.6.1).
    """
    firsts: dict[tuple[str, str], OldInstance] = {}
    for row in rows:
        if not _is_of_kind(row):
            firsts.setdefault((row.series_instance_uid, row.sop_class_uid), row)
    for row in firsts.values():
        try:
            header = dicom.examine(original(services, source, row)).header
        except BadScan:
            continue  # told when it is to be sent
        says_so = dicom.text_of(header, "BurnedInAnnotation").upper() == "YES"
        if says_so or dicom.text_of(header, "ConversionType"):
            yield row


def _names_another(services: Services, picture: NDArray[np.uint8], patient: PatientRecord) -> bool:
    found = services.reader.read_label(picture)
    if not found.lines:
        return False
    said = reading.testimony(found, FieldSource.FILM, services.rules)
    return identity.is_apart(said, patient)


def _count(services: Services, source: Source, study: OldStudy, read: int, apart: int) -> None:
    """Write down what was read; read again, a study counts once."""
    with services.ledger.reading() as view:
        told = [one.payload for one in view.events(study.id) if one.name == _EVENT]
    before = told[-1] if told else {"read": 0, "naming_another": 0}
    if (read, apart) == (before["read"], before["naming_another"]):
        return
    with services.ledger.transaction() as tx:
        current = tx.get(Source, source.id)
        current = replace(
            current,
            pictures_read=current.pictures_read + read - before["read"],
            pictures_apart=current.pictures_apart + apart - before["naming_another"],
        )
        tx.record(event(study.id, _EVENT, read=read, naming_another=apart))
        tx.save(current, event(source.id, _EVENT, study=study.id, read=read, naming_another=apart))


def _ends(content: bytes) -> list[NDArray[np.uint8]]:
    """Return the first and the last frame as 8 bit, grey or colour; none where there are none."""
    try:
        pixels = np.asarray(dicom.decode_pixels(dcmread(BytesIO(content))))
    except Exception:
        # pydicom raises nearly anything over hostile bytes; a picture nobody can see says nothing.
        return []
    frames = [pixels]
    if pixels.ndim > 3 or (pixels.ndim == 3 and pixels.shape[-1] not in (3, 4)):
        frames = [pixels[0], pixels[-1]] if len(pixels) > 1 else [pixels[0]]
    return [one for one in map(_grey, frames) if one is not None]


def _grey(frame: NDArray[np.generic]) -> NDArray[np.uint8] | None:
    if frame.ndim not in (2, 3) or min(frame.shape[:2]) < 16:
        return None
    low, high = float(frame.min()), float(frame.max())
    if high <= low:
        return None
    scaled = ((frame.astype(np.float32) - low) * (255.0 / (high - low))).astype(np.uint8)
    return np.ascontiguousarray(scaled[..., :3] if scaled.ndim == 3 else scaled)
