"""Turn and mirror: told where witnesses agree, never on the word of one that may be wrong."""

import pytest

from digitizer.film import OrientationWitness, decide_orientation
from digitizer.model.reasons import Code


def text(turn: int, mirrored: bool = False) -> OrientationWitness:
    return OrientationWitness(kind="text", turn_deg=turn, mirrored=mirrored, letters=60)


def marker(turn: int, mirrored: bool = False) -> OrientationWitness:
    return OrientationWitness(kind="marker", turn_deg=turn, mirrored=mirrored, letters=1)


@pytest.mark.parametrize(
    ("witnesses", "chest", "told"),
    [
        ([text(90), marker(90)], None, (90, False)),
        ([text(0, True), marker(0, True)], None, (0, True)),
        # A clear chest tells the turn whichever way the block was flashed.
        ([text(180)], (0, True), (0, False)),
        ([text(270, True)], (270, False), (270, True)),
        # A chest that only leans that way, and the marker that lay on the cassette.
        ([text(180), marker(0)], (0, False), (0, False)),
    ],
)
def test_witnesses_that_agree_tell_it(
    witnesses: list[OrientationWitness],
    chest: tuple[int, bool] | None,
    told: tuple[int, bool],
) -> None:
    """Text tells the side, and one more of the picture's own tells the turn."""
    turn, mirrored, reasons = decide_orientation(witnesses, chest)
    assert (turn, mirrored) == told
    assert reasons == ()


@pytest.mark.parametrize(
    ("witnesses", "chest"),
    [
        ([], None),
        ([], (90, True)),
        ([text(90)], None),
        ([text(180)], (0, False)),
        ([text(0), marker(270)], (0, False)),
        ([text(180), marker(0)], None),
    ],
)
def test_one_witness_alone_tells_nothing(
    witnesses: list[OrientationWitness], chest: tuple[int, bool] | None
) -> None:
    """The film is left as scanned and a person is asked."""
    turn, mirrored, reasons = decide_orientation(witnesses, chest)
    assert (turn, mirrored) == (None, None)
    assert [one.code for one in reasons] == [Code.ORIENTATION_UNKNOWN]


def test_text_and_marker_on_other_sides_contradict() -> None:
    """One of them is mirrored against the other: nobody but a person can tell which."""
    turn, mirrored, reasons = decide_orientation([text(0), marker(0, True)], (0, True))
    assert (turn, mirrored) == (None, None)
    assert Code.MARKER_CONTRADICTS in {one.code for one in reasons}
