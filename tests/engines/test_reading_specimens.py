"""A small part of `make bench-reading`: drawn labels and films, read as the pipeline does."""

from pathlib import Path

import pytest

from digitizer.film import find_sheets
from digitizer.model.film import Quality, SheetKind
from digitizer.pipeline.examine import FoundSheet, read_sheet
from digitizer.reading import ReadingRules
from digitizer.rehearsal.specimens import draw_film, draw_jacket_label

RULES = ReadingRules()
STATED = 0.8
"""Confidence from which a field is shown as sure."""
WRITTEN = [(1, 142, 0.5), (2, 4, 0.9), (2, 11, 0.9), (2, 18, 0.9), (2, 115, 0.9)]
"""Labels and logs written by hand of which numbers or dates are misread."""


class Drawn:
    """A decoder of one drawn scan."""

    def __init__(self, raster):
        self.raster = raster

    def pages(self, path):
        return 1

    def decode(self, path, page=0):
        return self.raster


def read(reader, raster, kind):
    sheet = find_sheets(raster).sheets[0]
    found = FoundSheet(page=0, kind=kind, geometry=sheet, quality=Quality())
    result = read_sheet(Drawn(raster), reader, RULES, Path("drawn"), found)
    return result, {name.value: field.value for name, field in result.fields.items()}


@pytest.mark.slow
@pytest.mark.parametrize("wear", [0.1, 0.5])
def test_record_numbers_of_labels_are_read(reader, wear):
    """All of them, typed, printed or stamped."""
    missed = []
    for number in range(5):
        label = draw_jacket_label((21, 1, number), wear=wear)
        if label.style == "written":
            continue
        _, said = read(reader, label.raster, SheetKind.LABEL)
        if said.get("patient_id") != label.fields["patient_id"]:
            missed.append((number, label.fields["patient_id"], said.get("patient_id")))
    assert missed == []


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "wear"), [((1512, 1, 2, 26), 0.9), ((1603, 1, 1, 25), 0.5)])
def test_a_number_under_a_stamp_is_found(reader, seed, wear):
    """The detector takes it and the stamp across it for no line, and parts them set narrower."""
    label = draw_jacket_label(seed, wear=wear)
    _, said = read(reader, label.raster, SheetKind.LABEL)
    assert said["patient_id"] == label.fields["patient_id"]


@pytest.mark.slow
@pytest.mark.parametrize(("level", "number", "wear"), WRITTEN)
def test_a_number_or_date_misread_from_handwriting_is_not_stated(reader, level, number, wear):
    """It is told with little confidence or not at all, so that a person is asked."""
    label = draw_jacket_label((404, 1, level, number), wear=wear)
    assert label.style == "written"
    result, said = read(reader, label.raster, SheetKind.LABEL)
    sure = {name.value: one.confidence for name, one in result.fields.items()}
    names = ("patient_id", "birth_date", "study_date", "accession_number")
    misread = {name for name in names if name in said and said[name] != label.fields.get(name)}
    assert misread
    assert all(sure[name] < STATED for name in misread)


@pytest.mark.slow
def test_blocks_are_read_and_no_film_is_turned_wrongly(reader):
    """In all eight ways, however the block was flashed."""
    told = 0
    for number in range(6):
        film = draw_film((21, 2, number), wear=0.5)
        result, said = read(reader, film.raster, SheetKind.FILM)
        if film.legible:
            assert said.get("patient_id") == film.block.fields["patient_id"]
        way = result.geometry.turn_deg, result.geometry.mirrored
        assert way in {(None, None), (film.turn_deg, film.mirrored)}
        told += way[0] is not None
    assert told >= 5


@pytest.mark.slow
@pytest.mark.parametrize("number", [4, 26, 33])
def test_a_block_blurred_until_its_lines_run_together_is_found(reader, number):
    """Whose film it is is read: as they are, the detector does not part its lines.

    The block of film 26 has a marker in the far corner, which alone was found before.
    """
    film = draw_film((777, 2, 2, number), wear=0.9)
    _, said = read(reader, film.raster, SheetKind.FILM)
    names = ("patient_id", "family_name", "birth_date")
    assert any(said.get(name) == film.block.fields[name] for name in names)


def test_the_same_seed_draws_the_same_film():
    """So that a figure can be had again."""
    one, other = (draw_film((3, 4), wear=0.5, dpi=50) for _ in range(2))
    assert (one.raster.pixels == other.raster.pixels).all()
    assert (one.block, one.turn_deg, one.mirrored) == (other.block, other.turn_deg, other.mirrored)
