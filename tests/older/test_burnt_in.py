"""Writing in the pictures of a study: read wherever it may stand, and counted."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from old_instances import an_instance
from old_town import OldSite
from pydicom.uid import (
    CTImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from digitizer.model.older import OldStudy, Source, SourceKind
from digitizer.model.records import Stage
from digitizer.pipeline.advance import advance
from digitizer.pipeline.older import reconcile
from digitizer.pipeline.older.sources import add_source
from digitizer.pipeline.stages import STAGES

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)
SMITH = ("Name: SMITH, JOHN", "Patient ID: 5550001", "DOB: 1920-01-05")
JANE = ("Name: OKONKWO, JANE", "Patient ID: 4711822", "DOB: 1931-04-02")


def frame(*lines: str) -> np.ndarray[Any, Any]:
    picture = np.zeros((260, 900), np.uint8)
    picture[0, 0] = 255
    for number, line in enumerate(lines, start=1):
        cv2.putText(picture, line, (30, 75 * number), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 255, 3)
    return picture


def picture(number: int, kind: str, *frames: np.ndarray[Any, Any], **more: str) -> bytes:
    """Return an instance of Jane's with pictures of some writing."""
    made = pydicom.dcmread(io.BytesIO(an_instance(number=number, SOPClassUID=kind, **more)))
    made.Rows, made.Columns = frames[0].shape
    made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
    if len(frames) > 1:
        made.NumberOfFrames = len(frames)
    made.PixelData = np.stack(frames).tobytes()
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def decided(site: OldSite, folder: Path, *contents: bytes, share: float = 1.0) -> OldStudy:
    """Have the study of some instances decided; nothing is sent."""
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
    older = replace(site.services.older, read_pictures=share)
    services = replace(site.services, older=older)
    source = add_source(services, folder.name, SourceKind.FOLDER, str(folder), user="ann")
    advance(services, Stage.OLD_STOCK, source.id, STAGES)
    advance(services, Stage.OLD_FEED, source.id, STAGES)
    (study,) = site.studies()
    advance(services, Stage.OLD_DECIDE, study.id, STAGES)
    (study,) = site.studies()
    return study


def told(site: OldSite, study: OldStudy) -> dict[str, int]:
    with site.services.ledger.reading() as view:
        found: dict[str, int] = reconcile.source_json(view, view.get(Source, study.source_id))[
            "pictures"
        ]
    return found


CT = str(CTImageStorage)
SILENT = frame()


@pytest.mark.parametrize(
    ("contents", "read"),
    [
        ((picture(1, UltrasoundImageStorage, SILENT),
          picture(2, UltrasoundImageStorage, frame(*SMITH))), 2),
        ((picture(1, UltrasoundMultiFrameImageStorage, SILENT, SILENT, frame(*SMITH)),), 1),
        ((picture(1, CT, SILENT),
          picture(2, SecondaryCaptureImageStorage, frame(*SMITH), Modality="CT")), 1),
        ((picture(1, CT, frame(*SMITH), BurnedInAnnotation="YES"),), 1),
        ((picture(1, CT, frame(*SMITH), ConversionType="SD"),), 1),
    ],
)  # fmt: skip
def test_a_name_is_found_wherever_it_stands(
    site: OldSite, tmp_path: Path, contents: tuple[bytes, ...], read: int
) -> None:
    """In a later instance or frame, in a capture among others, or where the header says so."""
    study = decided(site, tmp_path / "disc", *contents)
    assert study.code == "picture_contradicts"
    assert told(site, study) == {"read": read, "naming_another": 1}
    with site.services.ledger.reading() as view:
        assert [one.payload for one in view.events(study.id) if one.name == "pictures_read"] == [
            {"read": read, "naming_another": 1}
        ]


def test_what_names_the_patient_or_nobody_is_counted_and_goes(
    site: OldSite, tmp_path: Path
) -> None:
    """Read, and nothing was found; of a plain CT nothing is read."""
    study = decided(
        site,
        tmp_path / "disc",
        picture(1, UltrasoundImageStorage, frame(*JANE)),
        picture(2, UltrasoundImageStorage, SILENT),
        picture(3, CT, frame(*SMITH)),
    )
    assert study.decision is not None
    assert told(site, study) == {"read": 2, "naming_another": 0}


def test_none_are_read_where_none_are_asked_for(site: OldSite, tmp_path: Path) -> None:
    """A share of nought."""
    content = picture(1, UltrasoundImageStorage, frame(*SMITH))
    study = decided(site, tmp_path / "disc", content, share=0.0)
    assert study.decision is not None
    assert told(site, study) == {"read": 0, "naming_another": 0}
