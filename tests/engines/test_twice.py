"""Which lines are worth a second look."""

import pytest

from digitizer.engines.twice import bears_number, doubtful_number
from digitizer.model.reading import Line
from digitizer.model.units import Point

BOX = (Point(0, 0), Point(9, 0), Point(9, 2), Point(0, 2))


@pytest.mark.parametrize(
    ("others", "doubted"),
    [
        (["MRN 168548"], False),
        (["MRN 168 548 01/21/1947"], False),
        (["NAME: DOE MRN168548"], False),
        # A number of which the first engine lost a sign is another number.
        (["MRN 1685484"], True),
        (["MRN 4168548"], True),
        ([], True),
    ],
)
def test_a_number_that_another_engine_read_longer_is_looked_at_again(
    others: list[str], *, doubted: bool
) -> None:
    """The engine itself doubts nothing."""
    line = Line(text="MRN 168548", confidence=1.0, box=BOX, engine="rapidocr")
    assert doubtful_number(line, others) is doubted


@pytest.mark.parametrize(
    ("text", "bears"),
    [
        ("MRN 168548", True),
        ("NAME: DOE, JANE NO. B-168548", True),
        ("DOB: 06-12-1981", False),
        ("NOV 20,1959", False),
        ("07/19/1986 CHEST AP", False),
        ("HOSPITAL", False),
    ],
)
def test_a_date_is_no_number_that_a_label_bears(text: str, *, bears: bool) -> None:
    """A label of which dates and words alone were found is looked at again."""
    assert bears_number(text) is bears
