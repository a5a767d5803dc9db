"""What tells a label from a block where both lie straight, or both bear print."""

import cv2
import numpy as np
import pytest

from digitizer.film import is_covered
from digitizer.film.labels import hides
from digitizer.film.patches import patches_of
from digitizer.film.pictures import ReadingPicture
from digitizer.film.steps import Step
from digitizer.model.units import Dpi

PITCH = 3
DPI = Dpi(PITCH * 25.4, PITCH * 25.4)
SHAPE = (300 * PITCH, 240 * PITCH)


def softly_shaded() -> np.ndarray:
    """Natural log light of a film without an edge."""
    coarse = np.random.default_rng(3).uniform(-4.2, -0.3, (5, 4)).astype(np.float32)
    return cv2.resize(coarse, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)


def printed(shape: tuple[int, int], share: float) -> np.ndarray:
    """Strokes a millimetre thick over a part of a patch, from its upper side."""
    ink = np.zeros(shape, np.float32)
    apart = 6 * PITCH
    lines = range(apart, round(apart + share * shape[0]), apart)
    for row in lines:
        for column in range(apart, shape[1] - apart, 3 * PITCH):
            ink[row : row + 3 * PITCH, column : column + PITCH] = 1
    return ink


def laid(
    size_mm: tuple[int, int], corner_mm: tuple[int, int], level: float, *, mottle: float = 0.0,
    print_: float = 0.0, ink: float = -0.8, askew: float = 0.0,
) -> ReadingPicture:  # fmt: skip
    """Lay an opaque patch on the film: its top left corner and its level in log light."""
    film = softly_shaded()
    columns, rows = (side * PITCH for side in size_mm)
    rng = np.random.default_rng(5)
    fibre = cv2.GaussianBlur(rng.standard_normal((rows, columns), dtype=np.float32), (0, 0), 1.0)
    patch = level + fibre * np.float32(mottle / fibre.std())
    patch += np.float32(ink) * printed((rows, columns), print_)
    x, y = (side * PITCH for side in corner_mm)
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), askew, 1.0)
    turn[:, 2] += x, y
    share = cv2.warpAffine(np.ones_like(patch), turn, SHAPE[::-1])
    flat = cv2.warpAffine(patch, turn, SHAPE[::-1], borderMode=cv2.BORDER_REPLICATE)
    light = np.exp(film) * (1 - share) + np.exp(flat) * share
    pixels = np.clip(light * 60000, 1, 65535).astype(np.uint16)
    return ReadingPicture(pixels, np.eye(2, 3))


@pytest.mark.parametrize(("mottle", "paper"), [(0.06, True), (0.0, False)])
def test_bright_paper_with_a_word_on_it_is_known_by_its_mottle(mottle: float, paper: bool) -> None:
    """A clear window that bears a name lies as straight and is as bright, but it is even."""
    picture = laid((70, 45), (-4, -4), 0.0, mottle=mottle, print_=0.05)
    assert is_covered(picture, DPI) is paper


@pytest.mark.parametrize(("words", "covers"), [(0.05, True), (0.9, False)])
def test_what_is_dense_and_straight_covers_unless_it_bears_text(words: float, covers: bool) -> None:
    picture = laid((70, 45), (80, 60), -7.0, print_=words, ink=1.5)
    assert is_covered(picture, DPI) is covers


@pytest.mark.parametrize(("askew", "covers"), [(5.0, True), (0.0, False)])
def test_print_does_not_speak_for_what_is_dense_and_askew_at_the_rim(
    askew: float, covers: bool
) -> None:
    picture = laid((80, 60), (-6, -6), -7.0, print_=0.9, ink=1.5, askew=askew)
    assert is_covered(picture, DPI) is covers


@pytest.mark.parametrize(("askew", "covers"), [(0.0, False), (5.0, True)])
def test_what_is_straight_and_larger_than_a_postcard_is_a_picture(
    askew: float, covers: bool
) -> None:
    picture = laid((180, 100), (30, 90), -7.0, askew=askew)
    assert is_covered(picture, DPI) is covers


@pytest.mark.parametrize(
    ("layer", "arm_mm", "folded"), [(0.75, 14.0, False), (1.2, 14.0, True), (0.75, 20.0, True)]
)
def test_a_short_faint_corner_is_no_fold(layer: float, arm_mm: float, folded: bool) -> None:
    """The film's own corner, mirrored by a crease; bones cross at right angles too."""
    pitch = 3.0
    ends = np.array([[45.0, 0.0], [0.0, 60.0]]) * pitch
    way = ends[1] - ends[0]
    normal = np.array([-way[1], way[0]]) / np.linalg.norm(way)
    apex = 2 * float(ends[0] @ normal) * normal
    tone = np.full((600, 540), -2.0, np.float32)
    flap = np.rint(np.array([ends[0], apex, ends[1]])).astype(np.int32)
    cv2.fillConvexPoly(tone, flap, -2.0 - layer)
    arms = [apex + (end - apex) * arm_mm * pitch / np.linalg.norm(end - apex) for end in ends]
    steps = (
        Step(arms[0], apex, arm_mm * pitch),
        Step(apex, arms[1], arm_mm * pitch),
    )
    (patch,) = (one for one in patches_of(tone, steps, pitch) if one.dark)
    assert patch.height == pytest.approx(layer, abs=0.1)
    assert hides(patch) is folded
