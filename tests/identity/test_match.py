"""JSON lines: every line is answered, in order, whatever stands in it."""

import json
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitizer import reading
from digitizer.errors import BadRow
from digitizer.identity import PolicySettings, match_lines

RULES = reading.ReadingRules()


def answers(index, lines):
    def testify(texts, barcodes, source):
        return reading.testimony_of_lines(texts, barcodes, source, RULES)

    return match_lines(lines, testify, index, PolicySettings())


def row(name, *lines, group=None):
    film = {"lines": lines, "barcodes": []}
    return json.dumps({"id": name, "jacket": None, "film": film, "group": group})


def test_lines_are_answered_in_their_order(index):
    """With groups and without."""
    rows = [row("a"), row("b", "DOE, X", group="g"), row("c", group="g"), "", row("d")]
    assert [one["id"] for one in answers(index, rows)] == ["a", "b", "c", "d"]


def test_answers_stream(index):
    """One comes before the next line is read; those of a group when the group has ended."""
    asked = []

    def lines():
        for number in count():
            asked.append(number)
            yield row(str(number), group="g" if number in (1, 2) else None)

    given_back = answers(index, lines())
    seen = [(next(given_back)["id"], len(asked)) for _ in range(4)]
    assert seen == [("0", 1), ("1", 4), ("2", 4), ("3", 4)]


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ("nonsense", None),
        ("[" * 100_000, None),
        ("{}", None),
        ('{"id": 7}', None),
        ('{"id": "a\\ud800"}', None),
        ('{"id": "x", "film": 3}', "x"),
        ('{"id": "x", "film": {"lines": [null]}}', "x"),
        ('{"id": "x", "group": 7}', "x"),
        ('{"id": "x", "header": "DOE"}', "x"),
        ('{"id": "x", "header": {"name": 7}}', "x"),
        ('{"id": "x", "header": {"surname": "DOE"}}', "x"),
        ('{"id": "x", "header": {}, "issuer": 7}', "x"),
    ],
)
def test_a_bad_line_is_answered_and_named_at_the_end(index, bad, name):
    """Those after it are answered too."""
    given_back = []
    with pytest.raises(BadRow, match="line 2"):
        given_back.extend(answers(index, [row("a"), bad, row("z")]))
    assert [one["id"] for one in given_back] == ["a", name, "z"]
    assert given_back[1]["outcome"] == "review"
    assert "line 2" in given_back[1]["reasons"][0]["text"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=st.lists(st.text(max_size=200), max_size=8))
def test_no_text_files_a_film_by_chance(index, lines):
    """Nor breaks anything."""
    (answer,) = answers(index, [row("x", *lines)])
    assert answer["outcome"] == "review"
    assert answer["reasons"]
