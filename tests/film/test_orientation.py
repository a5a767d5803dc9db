"""Turn and mirror: told where witnesses agree, never on the word of one that may be wrong."""

from collections.abc import Iterator

import numpy as np
import pytest

from digitizer.film import (
    OrientationWitness,
    decide_orientation,
    turn_of_chest,
    witnesses_of_reading,
)
from digitizer.model.film import TileGrid
from digitizer.model.raster import Pixels
from digitizer.model.reading import Line, Reading
from digitizer.model.reasons import Code
from digitizer.model.units import Corners, Point
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


def on_a_sheet(*texts: tuple[int, str, int]) -> tuple[tuple[str, int], ...]:
    """Return the kind and turn of the witnesses on a sheet of 2 x 2 pictures, each 100 wide.

    Parameters
    ----------
    texts : tuples of picture's number or -1 for the margin, text, turn
    """

    def at(x: float, y: float, width: float, height: float) -> tuple[Point, Point, Point, Point]:
        right, below = x + width, y + height
        return Point(x, y), Point(right, y), Point(right, below), Point(x, below)

    places = [(100.0 * column, 50 + 100.0 * row) for row in (0, 1) for column in (0, 1)]
    lines = []
    for number, text, turn in texts:
        x, y = places[number] if number >= 0 else (0.0, 0.0)
        lines.append(
            Line(text=text, confidence=0.9, box=at(x + 5, y + 5, 60, 9), engine="x", turn_deg=turn)
        )
    tiles = TileGrid(
        rows=2,
        columns=2,
        boxes=tuple(Corners(*at(*place, 100, 100)) for place in places),
        shown=(True,) * 4,
    )
    found = witnesses_of_reading(Reading(lines=tuple(lines), barcodes=()), tiles)
    return tuple((one.kind, one.turn_deg) for one in found)


def test_what_a_console_wrote_into_many_pictures_tells_their_turn() -> None:
    """It is a part of them, whatever stands in the margin; a block that lies in two is none."""
    name, block = "LOPEZ^EDITH", "MERCY MEDICAL CENTRE LOPEZ EDITH"
    of_each = [(number, name, 270) for number in range(3)]
    assert on_a_sheet(*of_each, (-1, name, 270)) == (("printed", 270),)
    assert on_a_sheet(*of_each[:2], (-1, block, 270)) == (("text", 270),)
    # A block that was flashed turned, longer than all of it: nobody is believed.
    assert on_a_sheet(*of_each, (-1, block + block, 0)) == (("text", 0),)
    printed = OrientationWitness(kind="printed", turn_deg=270, mirrored=True, letters=60)
    assert decide_orientation([printed]) == (270, True, ())
    assert decide_orientation([printed, marker(90, True)])[:2] == (None, None)


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
