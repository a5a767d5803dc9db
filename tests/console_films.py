"""A small library for tests of the console: patients, exams, films in review with real pictures."""

from datetime import date
from pathlib import Path

import numpy as np
import tifffile
from console_site import Console
from ledger_records import batch, happened, jacket, scan, sheet

from digitizer import wiring
from digitizer.model.film import Geometry, ScanKind
from digitizer.model.identity import (
    Agreement,
    Candidate,
    ExamRecord,
    PatientRecord,
    PersonName,
)
from digitizer.model.reading import Field, FieldName, FieldSource
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Sheet
from digitizer.model.states import State
from digitizer.model.units import Corners, Point

ANNA = PatientRecord(
    patient_id="A100200",
    issuer="MERCY",
    name=PersonName(family="MARTINEZ", given="ANNA", middle="L"),
    birth_date="1931-04-02",
    sex="F",
)
ALICE = PatientRecord(
    patient_id="A100201",
    issuer="MERCY",
    name=PersonName(family="MARTIN<B>", given="ALICE"),
    birth_date="1952-11-30",
    sex="F",
)
CHEST = ExamRecord(
    accession_number="X84-100",
    patient_id="A100200",
    issuer="MERCY",
    study_date=date(1984, 5, 29),
    modality="CR",
    description="CHEST PA",
)
HAND = ExamRecord(
    accession_number="X85-200",
    patient_id="A100200",
    issuer="MERCY",
    study_date=date(1985, 6, 1),
    modality="CR",
    description="HAND",
    laterality="L",
)
ROWS, COLUMNS = 300, 240


def film_pixels() -> np.ndarray:
    """Return a 16-bit wedge with a bright square, upper left, by which turns are told."""
    pixels = np.tile(np.linspace(2000, 60000, COLUMNS, dtype=np.uint16), (ROWS, 1))
    pixels[20:60, 20:60] = 65535
    return pixels


def fill_review(console: Console, tmp_path: Path, films: int = 3) -> list[str]:
    """Import two patients and put films of one jacket into review; returns their ids.

    The first is the most doubtful.
    """
    services = console.site.services
    index = wiring.index(console.site.settings)
    index.import_patients([ANNA, ALICE])
    index.import_exams([CHEST, HAND])
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, film_pixels(), resolution=(100, 100), resolutionunit="INCH")
    with path.open("rb") as stream:
        sha256, size = services.vault.put(stream)
    ids = []
    with services.ledger.transaction() as tx:
        tx.add(batch(), happened("b1"))
        tx.add(jacket(box="BOX-1", name="J-<i>1"), happened("j1"))
        for number in range(films):
            own = scan(
                f"s{number}",
                source=f"BOX-1/J-1/<b>{number}</b>.tif",
                position=number,
                sha256=sha256,
                size=size,
                state=State.READ,
                kind=ScanKind.FILM,
            )
            made = _sheet(number)
            tx.add(own, happened(own.id))
            tx.add(made, happened(made.id, "review", reasons=[]))
            ids.append(made.id)
    return ids


def _sheet(number: int) -> Sheet:
    corners = Corners(Point(0, 0), Point(COLUMNS, 0), Point(COLUMNS, ROWS), Point(0, ROWS))
    first, second = (0.4 + 0.1 * number, 0.3)
    return sheet(
        f"film{number}",
        scan_id=f"s{number}",
        state=State.REVIEW,
        resume=State.READ,
        reasons=(reason(Code.AMBIGUOUS, "It says <script>alert(1)</script>"),),
        geometry=Geometry(corners=corners, edges_seen=0, skew_deg=0.0, turn_deg=0, mirrored=False),
        posterior=first,
        fields={
            FieldName.FAMILY_NAME: Field(value="MARTLNEZ", confidence=0.5, source=FieldSource.FILM),
            FieldName.STUDY_DATE: Field(
                value="1984-05-29", confidence=0.9, source=FieldSource.FILM
            ),
        },
        candidates=(
            Candidate(
                patient=ANNA,
                exam=CHEST,
                weight=12.0,
                posterior=first,
                film_agreement={FieldName.FAMILY_NAME: Agreement.SIMILAR},
                label_agreement={FieldName.FAMILY_NAME: Agreement.AGREES},
            ),
            Candidate(
                patient=ALICE,
                exam=None,
                weight=3.0,
                posterior=second,
                film_agreement={FieldName.FAMILY_NAME: Agreement.DISAGREES},
                label_agreement={},
            ),
        ),
    )
