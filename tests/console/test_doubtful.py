"""Which characters a reviewer is shown as doubtful."""

import pytest

from digitizer.console.doubtful import pieces
from digitizer.model.reading import Field, FieldSource, Line, Reading
from digitizer.model.units import Point


def shown(value: str, known: str, *lines: str, source: FieldSource = FieldSource.FILM) -> str:
    """Return a value with its doubtful characters in brackets."""
    read = Field(value=value, confidence=0.5, source=source)
    box = (Point(0, 0),) * 4
    said = tuple(Line(text=one, confidence=0.9, box=box, engine=one[:1]) for one in lines)
    told = pieces(read, known, Reading(lines=said))
    return "".join(f"[{one.text}]" if one.doubtful else one.text for one in told)


@pytest.mark.parametrize(
    ("value", "known", "lines", "wanted"),
    [
        # The candidate differs in a character, or has one more.
        ("MARTLNEZ", "MARTINEZ", [], "MART[L]NEZ"),
        ("415249", "A415249", [], "[_]415249"),
        ("YILMA", "YILMAZ", [], "YILMA[_]"),
        ("VILMAZ", "Yilmaz", [], "[V]ILMAZ"),
        # The candidate is somebody else: nothing here is misread.
        ("JOHANSSON", "YILMAZ", [], "JOHANSSON"),
        ("8062761", "A415249", [], "8062761"),
        # The engines differ, whoever the candidate is.
        ("8062161", "", ["ID 8062161", "ID 8062761"], "8062[1]61"),
        ("JOHANSSON", "", ["JOHANSSON, FRANCESCA", "Joh4nsson Francesca"], "JOH[A]NSSON"),
        ("JOHANSSON", "", ["CITY GENERAL HOSPITAL"], "JOHANSSON"),
        ("1937-07-02", "", ["JUL 2 1937", "1937-07-62"], "1937-07-02"),
        ("F", "M", ["F"], "F"),
    ],
)
def test_doubtful_characters(value: str, known: str, lines: list[str], wanted: str) -> None:
    """One by one, and no more than those."""
    assert shown(value, known, *lines) == wanted


def test_what_a_person_says_is_not_doubted() -> None:
    """They have looked."""
    assert shown("MARTLNEZ", "MARTINEZ", source=FieldSource.PERSON) == "MARTLNEZ"
