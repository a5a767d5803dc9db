"""What is looked at, and how often: effort that brings nothing is not made."""

import pytest

from digitizer import reading
from digitizer.model.reading import FieldSource

WHO = {"patient_id": "4711822", "birth_date": "1931-04-02"}


@pytest.fixture
def looks(reader, monkeypatch):
    """Longest sides that the detector sees, and numbers of lines that the recogniser is given."""
    seen = {"find": [], "read": []}
    find, read = reader.rapid.find, reader.rapid.read

    def finding(picture):
        seen["find"].append(max(picture.shape))
        return find(picture)

    def reads(lines):
        seen["read"].append(len(lines))
        return read(lines)

    monkeypatch.setattr(reader.rapid, "find", finding)
    monkeypatch.setattr(reader.rapid, "read", reads)
    return seen


def told(found):
    said = reading.parse(found, FieldSource.FILM, reading.ReadingRules())
    return {name.value: one.value for name, one in said.items() if name.value in WHO}


def test_a_small_film_is_looked_at_no_finer_than_a_long_one(reader, pictures, looks):
    """Of 1000 rows at 150 dpi, 169 mm, the detector sees as many a millimetre as of 430 mm."""
    film = pictures.film_of(pictures.drawn())
    assert told(reader.read_film(film, 150.0)) == WHO
    assert looks["find"][0] == round(169.33 * 960 / 430)


@pytest.mark.parametrize("dpi", [None, 1200.0])
def test_a_film_whose_resolution_is_wrong_or_not_known_is_read(reader, pictures, dpi):
    """A picture too small to see text on is not the last one looked at."""
    assert told(reader.read_film(pictures.film_of(pictures.drawn()), dpi)) == WHO


def test_a_wrong_way_is_told_by_its_longest_line(reader, pictures, looks):
    """Upside down: one line in the wrong way, two in the right one, then those not yet read."""
    found = reader.read_label(pictures.in_way(pictures.drawn(), 180, False))
    assert {line.turn_deg for line in found.lines} == {180}
    assert looks["read"] == [1, 1, 1, 1, 1]
