"""Which lines are worth a second look."""

import pytest

from digitizer.engines.twice import doubtful_number
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
