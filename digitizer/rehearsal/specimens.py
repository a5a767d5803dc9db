"""Single labels and films with known words, drawn in memory: for measuring the reading of them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi
from digitizer.rehearsal.block import Block, print_block, write_block
from digitizer.rehearsal.edges import draw_outline
from digitizer.rehearsal.exams import Accessions, Exam, chest_exams
from digitizer.rehearsal.label import draw_label_over, draw_worn_label, write_label
from digitizer.rehearsal.legibility import LEGIBLE
from digitizer.rehearsal.people import Person, people
from digitizer.rehearsal.scanner import SCANNERS, digitize
from digitizer.rehearsal.scene import lay_one
from digitizer.rehearsal.sheet import SIZES, add_marker, expose
from digitizer.rehearsal.sources import RADIOGRAPHS

__all__ = [
    "FilmSpecimen",
    "LabelSpecimen",
    "draw_film",
    "draw_jacket_label",
    "draw_relabelled",
    "invent_patient",
]

_CHILD_DAYS = 365 * 8


@dataclass(frozen=True, slots=True, eq=False)
class LabelSpecimen:
    """The scan of a label, and what it says.

    Attributes
    ----------
    raster : Raster
    fields : dict
        What the label bears, in the contract's one form.
    style : str
        ``typed``, ``printed``, ``stamped`` or ``written``.
    barcode : str or None
        Content of its barcode.
    seen : dict
        For each printed field the contrast of its worst sign, as
        :func:`digitizer.rehearsal.label.draw_worn_label` tells it.
    """

    raster: Raster
    fields: dict[str, str]
    style: str
    barcode: str | None
    seen: dict[str, float]

    def is_legible(self, name: str) -> bool:
        """Tell whether a person can read every sign of a printed field.

        Of a field that was not measured: whether all those can be read that were.
        """
        worst = min(self.seen.values(), default=0.0)
        return self.seen.get(name, worst) >= LEGIBLE


@dataclass(frozen=True, slots=True, eq=False)
class FilmSpecimen:
    """The scan of a film, what its block says, and how it lies.

    Attributes
    ----------
    raster : Raster
    block : Block
    legible : bool
        Whether a person can read the block.
    marker : str or None
        The lead marker that lies on the film.
    turn_deg, mirrored : int, bool
        As in the contract's geometry.
    """

    raster: Raster
    block: Block
    legible: bool
    marker: str | None
    turn_deg: int
    mirrored: bool


def draw_jacket_label(
    seed: tuple[int, ...],
    *,
    wear: float,
    dpi: float = 150.0,
    barcode: bool = False,
    of: tuple[Person, list[Exam]] | None = None,
) -> LabelSpecimen:
    """Draw the scan of one jacket's label.

    Parameters
    ----------
    seed : tuple of int
        The same seed draws the same label.
    wear : float
        0 (as new) to 1.
    dpi : float
    barcode : bool
        Whether a barcode with the jacket's or the patient's number may stand below.
    of : tuple of Person and list of Exam, optional
        Whose label; somebody invented without.
    """
    rng = np.random.default_rng(seed)
    person, exams = of or invent_patient(rng)
    code: str | None = None
    if barcode and rng.random() < 0.45:
        code = f"JK{int(rng.integers(100000, 999999))}"
        code = code if rng.random() < 0.5 else person.patient_id
    label = write_label(rng, person, exams, code, wear)
    pixels, seen = draw_worn_label(rng, label, pixels_per_mm=dpi / 25.4, wear=wear)
    raster = Raster(pixels=pixels, bits=8, polarity=Polarity.MONOCHROME2, dpi=Dpi(dpi, dpi))
    fields = dict(label.fields)
    if any(f" {person.middle}" in one.replace("^", " ") for one in label.lines if person.middle):
        fields["middle_name"] = person.middle
    if len(label.log) == 1:
        # A log of one exam names it; of several, none is the label's own.
        fields["study_date"] = exams[0].day.isoformat()
        fields["description"] = exams[0].description
    return LabelSpecimen(raster, fields, label.style, code, seen)


def draw_relabelled(
    seed: tuple[int, ...],
    older: tuple[Person, list[Exam]],
    newer: tuple[Person, list[Exam]],
    *,
    wear: float,
    dpi: float = 150.0,
) -> Raster:
    """Draw the scan of a jacket whose label was stuck over part of another patient's.

    The same seed draws the same scan; neither label is written by hand.
    """
    rng = np.random.default_rng(seed)
    pair = []
    for person, exams in (older, newer):
        label = write_label(rng, person, exams, None, wear)
        pair.append(replace(label, style="printed") if label.style == "written" else label)
    pixels = draw_label_over(rng, pair[0], pair[1], pixels_per_mm=dpi / 25.4, wear=wear)
    return Raster(pixels=pixels, bits=8, polarity=Polarity.MONOCHROME2, dpi=Dpi(dpi, dpi))


def draw_film(
    seed: tuple[int, ...],
    *,
    wear: float,
    dpi: float = 150.0,
    evidence: str = "full",
    of: Exam | None = None,
) -> FilmSpecimen:
    """Draw the scan of one film, laid in any of the eight ways alike.

    Parameters
    ----------
    seed : tuple of int
        The same seed draws the same film.
    wear : float
        0 (as new) to 1.
    dpi : float
    evidence : str
        What its block says: ``full``, ``partial``, ``faint`` or ``none``.
    of : Exam, optional
        Of which exam; of an invented one without. The picture is a chest in any case.
    """
    rng = np.random.default_rng(seed)
    exam = of or invent_patient(rng)[1][0]
    child = (exam.day - exam.person.birth).days < _CHILD_DAYS
    fitting = [one for one in RADIOGRAPHS if one.child is child]
    source = fitting[int(rng.integers(len(fitting)))]
    short, long = SIZES[int(rng.integers(len(SIZES)))]
    size = (short, long) if not source.child and rng.random() < 0.2 else (long, short)
    pitch = dpi / 25.4
    sheet = expose(rng, source, size, pitch, wear)
    marker: str | None = None
    if rng.random() < 0.3:
        marker = "L" if rng.random() < 0.5 else "R"
        initials = "".join(rng.choice(list("ABCDEHJKMPRST"), 2)) if rng.random() < 0.6 else ""
        add_marker(rng, sheet, marker, initials)
    block = write_block(rng, exam, evidence)
    legible = print_block(rng, sheet, block, wear=wear)
    scene = lay_one(rng, sheet, draw_outline(rng, size, wear), wear)
    scanner = SCANNERS[str(rng.choice(list(SCANNERS)))]
    pixels = digitize(rng, scene, scanner)
    placement = scene.laid[0].placement
    quarters, flipped = int(rng.integers(4)), bool(rng.random() < 0.3)
    pixels, turn = _moved(pixels, placement.turn_deg, quarters, flipped=flipped)
    polarity = Polarity.MONOCHROME1 if scanner.white_is_zero else Polarity.MONOCHROME2
    bits = 8 if scanner.bits == 8 else 16
    return FilmSpecimen(
        Raster(pixels=pixels, bits=bits, polarity=polarity, dpi=Dpi(dpi, dpi)),
        block,
        legible,
        marker,
        turn,
        placement.mirrored != flipped,
    )


def invent_patient(rng: np.random.Generator) -> tuple[Person, list[Exam]]:
    """Invent one person (often with a look-alike elsewhere) and a few exams."""
    crowd = people(rng, 4)
    person = crowd[int(rng.integers(len(crowd)))]
    count = int(rng.integers(1, 4))
    return person, chest_exams(rng, person, count, Accessions(), missing=0.0)


def _moved(
    pixels: NDArray[Any], turn_deg: int, quarters: int, *, flipped: bool
) -> tuple[NDArray[Any], int]:
    """Lay a scan otherwise: over its other side first, then turned by quarters.

    Returns
    -------
    ndarray
        The scan moved.
    int
        The turn its film has then; a film seen from its other side is turned the other way.
    """
    if flipped:
        pixels, turn_deg = pixels[:, ::-1], -turn_deg
    return np.ascontiguousarray(np.rot90(pixels, quarters)), (turn_deg + 90 * quarters) % 360
