"""Paper among the films: reports, requisitions, and the sheets that part jackets."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.rehearsal.block import HOSPITALS
from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.label import barcode_mask, blend, card, wear_down
from digitizer.rehearsal.typography import HANDS, handwritten, line
from digitizer.rehearsal.wording import written_date, written_name

__all__ = ["SEPARATOR_CODE", "draw_report", "draw_separator"]

SEPARATOR_CODE = "DIGITIZER-SEPARATOR"
"""Content of the Code 128 on separator sheets."""

_PROSE = (
    "The heart is normal in size and configuration. The lungs are clear",
    "of active infiltrate. There is slight blunting of the left costophrenic",
    "angle which is unchanged since the previous examination.",
    "The visualized bony structures are intact. No pleural effusion.",
    "Minimal degenerative changes are noted in the thoracic spine.",
    "The trachea is in the midline. The mediastinum is not widened.",
    "There is no evidence of pneumothorax on this single view.",
    "Old healed fracture of the right seventh rib posteriorly.",
    "Calcified granuloma in the right upper lobe, stable in appearance.",
    "Comparison is made with the films of the previous admission.",
)


def draw_report(
    rng: np.random.Generator, exam: Exam, *, pixels_per_mm: float, wear: float
) -> NDArray[np.uint8]:
    """Draw the scan of a typed report of an exam, (rows, columns, 3) RGB; half a letter page."""
    pitch = pixels_per_mm
    page = card(rng, (round(190 * pitch), round(205 * pitch)), (0.94, 0.92, 0.84))
    person = exam.person
    order = rng.permutation(len(_PROSE))
    texts = [
        HOSPITALS[person.issuer],
        "DEPARTMENT OF RADIOLOGY - REPORT OF EXAMINATION",
        "",
        f"PATIENT: {written_name(rng, person, style='comma')}     NO. {person.patient_id}",
        f"DATE: {written_date(rng, exam.day, person.issuer)}     "
        f"DOB: {written_date(rng, person.birth, person.issuer, full=True)}",
        f"EXAMINATION: {exam.description}     FILM NO. {exam.accession}",
        "",
        *(_PROSE[number] for number in order[: int(rng.integers(5, 9))]),
        "",
        "IMPRESSION: No acute disease.",
    ]
    cap = 2.15 * pitch
    top = 14 * pitch
    ink = (0.14, 0.13, 0.18)
    for text in texts:
        if text:
            blend(page, line(text, "typewriter", cap), (round(top), round(16 * pitch)), ink, 0.9)
        top += cap * 2.3
    signed = handwritten("J. Ellery MD", 4 * pitch, rng, face=str(rng.choice(HANDS)))
    blend(page, signed, (round(top + 4 * pitch), round(110 * pitch)), (0.12, 0.16, 0.45), 0.9)
    return wear_down(rng, page, pitch, wear * 0.6)


def draw_separator(
    rng: np.random.Generator, *, pixels_per_mm: float, wear: float
) -> NDArray[np.uint8]:
    """Draw the scan of a separator sheet, (rows, columns, 3) RGB."""
    pitch = pixels_per_mm
    page = card(rng, (round(150 * pitch), round(205 * pitch)), (0.96, 0.96, 0.95))
    ink = (0.05, 0.05, 0.05)
    title = line("SEPARATOR SHEET", "sans-bold", 11 * pitch)
    blend(page, title, (round(18 * pitch), round(18 * pitch)), ink)
    bars = barcode_mask(SEPARATOR_CODE, round(26 * pitch), max(2, round(0.42 * pitch)))
    blend(page, bars, (round(50 * pitch), round(12 * pitch)), ink)
    note = line("Lay between jackets. Do not remove.", "sans", 3.2 * pitch)
    blend(page, note, (round(92 * pitch), round(18 * pitch)), ink)
    cv2.rectangle(page, (4, 4), (page.shape[1] - 5, page.shape[0] - 5), ink, 2)
    return wear_down(rng, page, pitch, wear * 0.4)
