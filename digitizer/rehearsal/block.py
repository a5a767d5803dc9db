"""The identification block of a film: flashed, typed or stuck on."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.rehearsal.exams import Exam
from digitizer.rehearsal.people import CITY
from digitizer.rehearsal.sheet import BASE_FOG, Sheet
from digitizer.rehearsal.typography import HANDS, handwritten, lines
from digitizer.rehearsal.wording import caption, written_date, written_name

__all__ = ["HOSPITALS", "Block", "print_block", "write_block"]

HOSPITALS = {CITY: "CITY GENERAL HOSPITAL", "MERCY": "MERCY MEDICAL CENTRE"}
_UNDER_FORMER_NAME = 0.4
"""Share of the films of those who changed their name that bear the old one."""
_PARTIAL = (
    ("family_name", "study_date"),
    ("patient_id",),
    ("patient_id", "study_date"),
    ("family_name",),
    ("accession_number", "study_date"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """What a block says: its lines, and the fields they bear in the contract's one form."""

    lines: tuple[str, ...]
    fields: dict[str, str] = field(default_factory=dict)
    evidence: str = "none"
    turn_deg: int = 0
    style: str = "none"


def _fields(exam: Exam) -> dict[str, str]:
    person = exam.person
    every = {
        "family_name": person.family,
        "given_name": person.given,
        "middle_name": person.middle,
        "name_suffix": person.suffix,
        "patient_id": person.patient_id,
        "birth_date": person.birth.isoformat(),
        "sex": person.sex,
        "study_date": exam.day.isoformat(),
        "accession_number": exam.accession,
        "description": exam.description,
    }
    return {name: value for name, value in every.items() if value}


def write_block(rng: np.random.Generator, exam: Exam, evidence: str) -> Block:
    """Compose a block's lines.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    exam : Exam
        Whose film this is, and of when.
    evidence : str
        ``full``, ``partial``, ``faint`` or ``none``.
    """
    if evidence == "none":
        return Block(())
    if exam.person.former and rng.random() < _UNDER_FORMER_NAME:
        family, _, given = exam.person.former[0].partition("^")
        former = replace(exam.person, family=family, given=given or exam.person.given)
        exam = replace(exam, person=former)
    every = _fields(exam)
    if evidence == "partial":
        wanted = set(_PARTIAL[int(rng.integers(len(_PARTIAL)))])
    else:
        wanted = {"family_name", "patient_id", "birth_date", "study_date", "accession_number"}
        if rng.random() < 0.15:
            wanted.discard("birth_date")
        if rng.random() < 0.25:
            wanted.discard("accession_number")
        if rng.random() < 0.5:
            wanted.add("sex")
        if rng.random() < 0.6:
            wanted.add("description")
    if "family_name" in wanted:
        wanted |= {"given_name", "middle_name", "name_suffix"}
    texts = _compose(rng, exam, wanted)
    if "family_name" in wanted and not any(
        exam.person.middle and f" {exam.person.middle}" in one.replace("^", " ") for one in texts
    ):
        wanted.discard("middle_name")
    bears = {name: value for name, value in every.items() if name in wanted}
    turn = int(rng.choice([0, 90, 180, 270], p=[0.7, 0.1, 0.12, 0.08]))
    style = str(rng.choice(["flashed", "dark", "sticker", "written"], p=[0.5, 0.2, 0.22, 0.08]))
    if evidence == "full" and style == "written":
        style = "flashed"
    return Block(tuple(texts), bears, evidence, turn, style)


def _compose(rng: np.random.Generator, exam: Exam, wanted: set[str]) -> list[str]:
    person = exam.person
    captions = 0.45
    number = name = birth = when = ""
    if "family_name" in wanted:
        name = caption(rng, "name", chance=captions / 2) + written_name(rng, person)
    if "patient_id" in wanted:
        number = caption(rng, "patient_id", chance=captions) + person.patient_id
    if "birth_date" in wanted:
        birth = (caption(rng, "birth_date", chance=0.85) or "DOB ") + written_date(
            rng, person.birth, person.issuer, full=True
        )
    if "sex" in wanted:
        birth = f"{birth} {caption(rng, 'sex', chance=captions)}{person.sex}".strip()
    if "study_date" in wanted:
        when = caption(rng, "study_date", chance=captions) + written_date(
            rng, exam.day, person.issuer
        )
    if "accession_number" in wanted:
        told = caption(rng, "accession_number", chance=captions) + exam.accession
        when = f"{when}  {told}".strip()
    texts = [name, number, birth, when]
    if name and number and rng.random() < 0.3 and len(name) + len(number) < 30:
        texts = [f"{name}  {number}", birth, when]
    if "description" in wanted:
        texts.append(exam.description)
    if len(wanted) > 2 and rng.random() < 0.55:
        texts.insert(0 if rng.random() < 0.8 else len(texts), HOSPITALS[person.issuer])
    return [text for text in texts if text]


def print_block(
    rng: np.random.Generator, sheet: Sheet, block: Block, *, wear: float, corner: int | None = None
) -> bool:
    """Put the block into a corner of the sheet's density map.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    sheet : Sheet
        Changed in place.
    block : Block
        What to print; nothing for one without lines.
    wear : float
        0 to 1: lowers contrast, blurs.
    corner : int, optional
        0 to 3 for top-left, top-right, bottom-right, bottom-left; by chance without.

    Returns
    -------
    bool
        Whether a person can read it.
    """
    if not block.lines:
        return False
    pitch = sheet.pixels_per_mm
    cap = float(rng.uniform(2.6, 3.6)) * pitch
    ink = _ink(rng, block, cap)
    pad_y, pad_x = round(cap * 0.9), round(cap * 1.1)
    ink = np.pad(ink, ((pad_y, pad_y), (pad_x, pad_x)))
    blur = float(rng.uniform(0.03, 0.12)) * cap * (0.4 + 1.2 * wear)
    ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), max(0.3, blur)), dtype=np.float32)
    place, ink = _position(rng, sheet, ink, block, corner)
    contrast, legible = _develop(rng, place, ink, block, wear)
    return legible and contrast > 0.3


def _ink(rng: np.random.Generator, block: Block, cap: float) -> NDArray[np.float32]:
    if block.style == "written":
        face = str(rng.choice(HANDS))
        drawn = [handwritten(text, cap * 1.25, rng, face=face) for text in block.lines]
        width = max(one.shape[1] for one in drawn)
        rows = [np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in drawn]
        return np.vstack(rows).astype(np.float32)
    faces = {
        "flashed": ("typewriter", "mono-bold", "narrow"),
        "dark": ("mono", "typewriter", "sans"),
        "sticker": ("printer", "sans-bold", "printer-bold"),
    }[block.style]
    return lines(list(block.lines), str(rng.choice(faces)), cap)


def _position(
    rng: np.random.Generator,
    sheet: Sheet,
    ink: NDArray[np.float32],
    block: Block,
    corner: int | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the part of the density map under the block, and the ink fitted to it."""
    rows, columns = sheet.density.shape
    ink = np.ascontiguousarray(np.rot90(ink, block.turn_deg // 90))
    shrink = min(1.0, 0.8 * rows / ink.shape[0], 0.8 * columns / ink.shape[1])
    if shrink < 1:
        ink = np.asarray(
            cv2.resize(ink, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.float32
        )
    if corner is None:
        corner = int(rng.choice(4, p=[0.3, 0.35, 0.2, 0.15]))
    gap_x, gap_y = (round(float(rng.uniform(3.5, 9)) * sheet.pixels_per_mm) for _ in range(2))
    left = gap_x if corner in (0, 3) else columns - gap_x - ink.shape[1]
    top = gap_y if corner in (0, 1) else rows - gap_y - ink.shape[0]
    return sheet.density[top : top + ink.shape[0], left : left + ink.shape[1]], ink


def _develop(
    rng: np.random.Generator,
    place: NDArray[np.float32],
    ink: NDArray[np.float32],
    block: Block,
    wear: float,
) -> tuple[float, bool]:
    """Turn ink into density by the block's style; return its contrast in OD and legibility."""
    worn = 1 - 0.45 * wear * float(rng.random())
    grain = rng.standard_normal(place.shape, dtype=np.float32) * np.float32(0.012)
    if block.style == "flashed":
        back, text = float(rng.uniform(1.5, 2.7)), float(rng.uniform(0.25, 0.5))
    elif block.style == "dark":
        back, text = BASE_FOG + float(rng.uniform(0.02, 0.1)), float(rng.uniform(1.2, 2.4))
    elif block.style == "sticker":
        back, text = float(rng.uniform(0.75, 1.1)), float(rng.uniform(1.9, 2.4))
        fibre = cv2.GaussianBlur(grain, (0, 0), 2.2)
        grain = grain + np.asarray(fibre, np.float32) * np.float32(8.0)
    else:
        # White pencil on dark film, dark ink on clear film.
        back = float(np.median(place))
        text = back - 0.9 if back > 1.2 else back + 1.1
    contrast = (text - back) * worn
    if block.evidence == "faint":
        if block.style != "written":
            back = float(rng.uniform(1.4, 2.4)) if text < back else float(rng.uniform(0.4, 0.9))
        size = float(rng.uniform(0.05, 0.16)) * (1.3 - 0.6 * wear)
        contrast = size if contrast > 0 else -size
    if block.style == "written" or (block.evidence == "faint" and block.style != "sticker"):
        place += ink * np.float32(contrast)
    else:
        place[:] = np.float32(back) + ink * np.float32(contrast) + grain
    return abs(contrast), block.evidence != "faint"
