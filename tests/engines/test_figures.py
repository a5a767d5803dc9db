"""The network that knows worn print, on numbers in faces that it was not trained on."""

import cv2
import numpy as np
import pytest

from digitizer.engines.figures import Figures
from digitizer.rehearsal.typography import line

CAP = 22.0
FACES = ("typewriter", "mono", "printer", "sans-bold")


@pytest.fixture(scope="module")
def figures():
    return Figures()


def strip(number, face, *, lost=(), cap=CAP):
    """Return a printed number on paper, parts of it (first, last row and column) lost."""
    ink = line(number, face, cap)
    for top, low, left, right in lost:
        rows, columns = ink.shape
        ink[int(top * rows) : int(low * rows), int(left * columns) : int(right * columns)] = 0
    paper = np.pad(230 - 180 * ink, 10, constant_values=230)
    return cv2.GaussianBlur(paper, (0, 0), 0.8).astype(np.uint8)


def middles(picture, count):
    """Return where signs of one width stand."""
    inked = np.flatnonzero(picture.min(axis=0) < 140)
    width = (inked[-1] - inked[0] + 1) / count
    return [inked[0] + (at + 0.5) * width for at in range(count)]


def read(seen, kind=str.isdigit):
    """Return the likeliest sign of a kind at each place."""
    return "".join(next(sign for sign, _ in one if kind(sign)) for one in seen)


@pytest.mark.parametrize("face", FACES)
def test_whole_figures_are_told(figures, face):
    """In each face, at sizes of labels scanned at 150 to 300 dpi."""
    for cap in (14.0, 22.0, 30.0):
        picture = strip("3862590174", face, cap=cap)
        assert read(figures.look(picture, middles(picture, 10))) == "3862590174", cap


def test_light_print_on_dark_ground_is_told_alike(figures):
    """Which is the ground shows in the picture."""
    picture = 255 - strip("3862590174", "mono")
    assert read(figures.look(picture, middles(picture, 10))) == "3862590174"


@pytest.mark.parametrize("off", [-0.35, 0.35])
def test_where_the_signs_stand_need_not_be_exact(figures, off):
    """RapidOCR tells it by half a sign: each sign has room before and behind it."""
    picture = strip("1171486", "typewriter")
    places = middles(picture, 7)
    width = places[1] - places[0]
    shifted = [place + off * width * (-1) ** at for at, place in enumerate(places)]
    assert read(figures.look(picture, shifted)) == "1171486"


def test_letters_and_figures_are_each_told_among_their_own(figures):
    """Which of the two stands there the form of the number tells, and other engines."""
    picture = strip("R580214", "typewriter")
    seen = figures.look(picture, middles(picture, 7))
    assert read(seen[:1], str.isalpha) == "R"
    assert read(seen[1:]) == "580214"
    for one in seen:
        assert max(chance for sign, chance in one if sign.isdigit()) == pytest.approx(1)
        assert max(chance for sign, chance in one if sign.isalpha()) == pytest.approx(1)


def test_what_lost_ink_is_doubted_more(figures):
    """An 8 without the left of its bowls is thought of as a 3, and a whole one is not."""

    def chance_of_three(lost):
        picture = strip("4418441", "mono", lost=lost)
        seen = dict(figures.look(picture, middles(strip("4418441", "mono"), 7))[3])
        return seen.get("3", 0.0)

    left_gone = [(0.1, 0.9, 3.05 / 7, 3.35 / 7)]
    assert chance_of_three(left_gone) > chance_of_three([]) + 0.2


def test_a_line_too_long_for_the_engine_is_looked_at_where_its_number_stands(figures, reader):
    """RapidOCR reads such a line squeezed along."""
    picture = strip("CHEST PA AND LATERAL VIEW " * 6 + "MRN 3862590174", "mono")
    read_so = reader.rapid.read([picture])[0]
    looks = figures.of_numbers(picture, read_so)
    assert read([one.signs for one in looks]) == "3862590174"


@pytest.mark.parametrize("places", [[3.0], [0.0, 30.0], [20.0, 40.0, 60.0], [0.0, 80.0]])
def test_any_piece_of_a_picture_is_looked_at(figures, places):
    """However small or empty."""
    for picture in (np.full((48, 80), 200, np.uint8), np.zeros((48, 80), np.uint8)):
        assert len(figures.look(picture, places)) == len(places)


@pytest.mark.parametrize(
    ("columns", "places"),
    [
        (60, [100.0, 120.0, 140.0]),
        (60, [-90.0, -70.0]),
        (60, [-5.0, 90.0]),
        (60, [10.0] * 3),
        (60, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        (9_100, [0.0, 9_000.0]),
    ],
)
def test_signs_that_do_not_stand_side_by_side_in_the_strip_are_not_looked_at(
    figures, columns, places
):
    """In what an engine lays beside a short strip it may see signs; and no number is that long."""
    assert figures.look(np.full((48, columns), 200, np.uint8), places) == []
