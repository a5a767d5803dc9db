"""Turn and mirror: told where witnesses agree, never on the word of one that may be wrong."""

from collections.abc import Iterator

import numpy as np
import pytest

from digitizer.film import OrientationWitness, decide_orientation, turn_of_chest
from digitizer.model.raster import Pixels
from digitizer.model.reasons import Code
from digitizer.model.units import Point
from digitizer.rehearsal.sources import RADIOGRAPHS, radiograph


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


def blocks_on_chests() -> Iterator[tuple[Pixels, list[tuple[Point, ...]]]]:
    """Yield upright chests with a block, black at the diaphragm or light at a shoulder."""
    for source in RADIOGRAPHS:
        for top, left, tone in ((0.73, 0.06, 0), (0.73, 0.5, 0), (0.06, 0.06, 255)):
            picture = radiograph(source.name).copy()
            rows, columns = picture.shape
            y0, y1 = round(top * rows), round((top + 0.22) * rows)
            x0, x1 = round(left * columns), round((left + 0.45) * columns)
            picture[y0:y1, x0:x1] = tone
            height = (y1 - y0) / 5
            lines = [
                tuple(
                    Point(x, y)
                    for y, ends in ((at, (x0, x1)), (at + height, (x1, x0)))
                    for x in ends
                )
                for at in (y0 + height, y0 + 3 * height)
            ]
            yield picture, lines


def test_a_block_does_not_turn_the_chest_it_was_printed_on() -> None:
    """In whatever way the film was scanned; taken for anatomy, blocks turn some upside down."""
    misled = 0
    for number, (picture, lines) in enumerate(blocks_on_chests()):
        without = turn_of_chest(picture)
        misled += without is not None and without[0] != 0
        quarters = number % 4
        scanned = np.ascontiguousarray(np.rot90(picture, quarters))
        boxes = [turned(box, picture.shape, quarters) for box in lines]
        assert turn_of_chest(scanned, boxes) == (90 * quarters, True), number
    assert misled > 0


def turned(box: tuple[Point, ...], shape: tuple[int, ...], quarters: int) -> tuple[Point, ...]:
    """Return a box on a picture of this shape after as many quarter turns, as numpy turns."""
    for _ in range(quarters):
        box, shape = tuple(Point(p.y, shape[1] - p.x) for p in box), shape[::-1]
    return box
