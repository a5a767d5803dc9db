"""What is looked at, and how often: effort that brings nothing is not made."""

import numpy as np
import pytest

from digitizer import reading
from digitizer.model.reading import FieldSource

WHO = {"patient_id": "4711822", "birth_date": "1931-04-02"}


@pytest.fixture
def looks(reader, monkeypatch):
    """Longest sides that the detector sees, and how many lines of what width the recogniser."""
    seen = {"find": [], "read": [], "widths": []}
    find, read = reader.rapid.find, reader.rapid.read

    def finding(picture):
        seen["find"].append(max(picture.shape))
        return find(picture)

    def reads(lines):
        seen["read"].append(len(lines))
        seen["widths"] += [48 * line.shape[1] / line.shape[0] for line in lines]
        return read(lines)

    monkeypatch.setattr(reader.rapid, "find", finding)
    monkeypatch.setattr(reader.rapid, "read", reads)
    return seen


def told(found):
    said = reading.parse(found, FieldSource.FILM, reading.ReadingRules())
    return {name.value: one.value for name, one in said.items() if name.value in WHO}


SMALL = round(169.33 * 960 / 430)
"""Of 1000 rows at 150 dpi, 169 mm, the detector sees as many a millimetre as of 430 mm."""


def test_a_small_film_is_looked_at_no_finer_than_a_long_one(reader, pictures, looks):
    """One line is no block: the whole film is looked at, once."""
    reader.read_film(pictures.film_of(pictures.drawn(("4711822",))), 150.0)
    assert looks["find"].count(SMALL) == 1
    assert max(looks["find"]) < 960


def test_of_a_film_whose_block_is_read_whole_no_more_is_looked_at(reader, pictures, looks):
    """The block bears the strongest strokes: what holds them, and then the place itself."""
    film = pictures.film_of(pictures.drawn())
    assert told(reader.read_film(film, 150.0)) == WHO
    first, place = looks["find"]
    assert first < 0.6 * SMALL
    assert place != SMALL


def test_a_block_fainter_than_all_about_it_is_found_on_the_whole_film(reader, pictures, looks):
    """A pattern with edges in every direction outshines it: in that part no line is seen."""
    film = pictures.film_of(pictures.drawn(ink=95, paper=135))
    cells = np.indices((400, 800)).sum(axis=0) // 12 % 2
    film[500:900, 25:825] = 40 + 180 * cells
    assert told(reader.read_film(film, 150.0)) == WHO
    assert SMALL in looks["find"]


def test_a_sharp_line_that_tells_who_it_is_ends_the_search_where_it_stands(reader, pictures, looks):
    """Part of a block: what else is as sharp has strokes as strong, and was looked at with it."""
    film = pictures.film_of(pictures.drawn(("HOSP NO: 4711822",)))
    assert told(reader.read_film(film, 150.0)) == {"patient_id": "4711822"}
    # Two parts with strong strokes, and the place once; set narrower it would be seen thrice more.
    assert len(looks["find"]) == 3
    assert SMALL not in looks["find"]


def test_a_sharp_line_that_tells_of_nobody_does_not_end_the_search(reader, pictures, looks):
    """It may be the one line of a block that is not worn."""
    reader.read_film(pictures.film_of(pictures.drawn(("CITY GENERAL HOSPITAL",))), 150.0)
    assert looks["find"].count(SMALL) == 1


def test_a_place_that_was_read_is_not_looked_at_again(reader, pictures, looks):
    """One line is no block, so the whole film is looked at; there it is found again."""
    reader.read_film(pictures.film_of(pictures.drawn(("4711822",))), 150.0)
    assert looks["find"][-1] == SMALL


@pytest.mark.parametrize("dpi", [None, 1200.0])
def test_a_film_whose_resolution_is_wrong_or_not_known_is_read(reader, pictures, dpi):
    """A picture too small to see text on is not the last one looked at."""
    assert told(reader.read_film(pictures.film_of(pictures.drawn()), dpi)) == WHO


def test_a_wrong_way_is_told_by_the_beginning_of_its_longest_line(reader, pictures, looks):
    """Mirrored: four line heights in the wrong and in the right way, then two whole lines."""
    film = pictures.film_of(pictures.in_way(pictures.drawn(), 0, True))
    found = reader.read_film(film)
    assert {line.turn_deg for line in found.lines if line.mirrored} == {0}
    assert looks["read"][:3] == [1, 1, 2]
    whole = 48 * 4.2 / 1.2 + 2
    assert max(looks["widths"][:2]) < whole < min(looks["widths"][2:4])


def test_the_side_on_which_lines_begin_tells_the_way_tried_first(reader, pictures, looks):
    """Upside down their ends are ragged on the left: that way is tried before upright."""
    reader.read_film(pictures.film_of(pictures.in_way(pictures.drawn(), 180, False)))
    assert looks["read"][:2] == [1, 2]


def test_paper_is_read_upright_at_once(reader, pictures, looks):
    """Two lines tell that it is, and then those not yet read follow."""
    found = reader.read_label(pictures.drawn())
    assert {line.turn_deg for line in found.lines} == {0}
    assert looks["read"] == [2, 1, 1]


def test_the_search_ends_with_a_sharp_line_though_it_says_nothing_known(reader, pictures, looks):
    """A name without comma is no caption, date or number; print as sharp is seen at once."""
    block = pictures.drawn(("PRIYA T OBRIEN",))
    found = reader.read_film(pictures.film_of(block), 150.0)
    assert {line.text for line in found.lines} == {"PRIYA T OBRIEN"}
    assert looks["find"].count(SMALL) == 1
    assert max(looks["find"]) < 960
