"""Labels and folds that hide a part of a film are told; what belongs to the film is not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from digitizer.film import find_sheets, is_covered, reading_picture
from digitizer.film.labels import hides
from digitizer.film.patches import Patch, patches_of
from digitizer.film.steps import Step
from digitizer.model.raster import Raster
from digitizer.model.units import Point
from digitizer.rehearsal.covers import COVERS, MarkedScan, cover, draw_marked_scan
from digitizer.rehearsal.population import draw_pictures_scan, draw_scan

FILMS = 4


def told(raster: Raster, texts: list[list[Point]] | None = None) -> bool:
    """Ask the first sheet of a scan."""
    picture = reading_picture(raster, find_sheets(raster).sheets[0])
    return is_covered(picture, raster.dpi, texts or [])


@pytest.fixture(scope="module")
def films() -> list[MarkedScan]:
    """Draw films with blocks of every style, markers, creases and empty windows."""
    return [draw_marked_scan((21, number), dpi=76) for number in range(FILMS)]


def test_what_hides_a_part_of_a_film_is_told(films: list[MarkedScan]) -> None:
    """On most films, whatever hides it; `make bench-film` asks a larger population."""
    found = [
        told(cover(np.random.default_rng((22, number)), scan, kind))
        for number, scan in enumerate(films)
        for kind in COVERS
    ]
    assert sum(found) >= 0.8 * len(found)


def test_nothing_is_told_of_a_film_that_hides_nothing(films: list[MarkedScan]) -> None:
    """Blocks, stickers, markers, clear windows, creases and sheets of many pictures."""
    false = [told(scan.drawn.raster) for scan in films]
    false += [told(draw_pictures_scan((21, number), dpi=76).raster) for number in range(2)]
    assert sum(false) <= 1


def test_a_label_below_which_text_is_read_hides_nothing(films: list[MarkedScan]) -> None:
    """Two lines read inside it speak against it; a film folded over says so itself."""
    covered = next(
        covered
        for number, scan in enumerate(films)
        if told(covered := cover(np.random.default_rng((22, number)), scan, "label elsewhere"))
    )
    picture = reading_picture(covered, find_sheets(covered).sheets[0])
    rows, columns = picture.pixels.shape
    everywhere = [
        [Point(x + dx, y + dy) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        for x in range(8, columns, 16)
        for y in range(8, rows, 16)
    ]
    assert not told(covered, everywhere)


def test_without_a_resolution_nothing_is_told(films: list[MarkedScan]) -> None:
    """What is as large as a label is then unknown."""
    raster = films[0].drawn.raster
    picture = reading_picture(raster, find_sheets(raster).sheets[0])
    assert not is_covered(picture, None)


PITCH = 3.0
"""Pixels a millimetre of the patches below; their picture is 300 by 240 mm."""


def step(start: tuple[float, float], end: tuple[float, float]) -> Step:
    """Return a step all of which is seen, in millimetres."""
    a, b = PITCH * np.array(start), PITCH * np.array(end)
    return Step(a, b, float(np.linalg.norm(b - a)))


def film_with(dark: np.ndarray) -> np.ndarray:
    """Return log light of an even film, dark where told."""
    return np.where(dark, -4.0, -1.0).astype(np.float32)


def test_borders_of_many_pictures_hide_nothing() -> None:
    """What lies along a sheet of pictures is theirs; a drawn one whose borders were taken."""
    assert not told(draw_pictures_scan((71, 3, 31), dpi=100, wear=0.5).raster)


def test_the_border_of_a_field_is_longer_than_any_label() -> None:
    """A dark field along the film, the picture going on over two of its sides."""
    rows, columns = np.mgrid[0:900, 0:720]
    tone = film_with((rows > 90) & (rows < 800) & (columns > 150))
    tone += np.sin(rows / 40) + np.sin(columns / 40)
    short, long = (
        Patch(tone, PITCH, (step((50, end), (50, 30)), step((50, 30), (110, 30))), dark=True)
        for end in (130, 240)
    )
    assert hides(short)
    assert not hides(long)


@pytest.mark.parametrize("printed", [True, False])
def test_paper_with_faint_lines_is_a_block_and_blank_paper_a_label(printed: bool) -> None:
    """Lines of a tenth of the contrast of print, in mottle as strong, still lie on lines."""
    rng = np.random.default_rng(3)
    tone = film_with(np.ones((900, 720), bool))
    paper = cv2.GaussianBlur(rng.standard_normal((120, 240)), (0, 0), 0.35 * PITCH)
    paper *= 0.05 / paper.std()
    if printed:
        letters = rng.random((120, 240)) < 0.6
        letters[np.arange(120) % 18 > 8] = False
        paper -= 0.06 * letters
    tone[90:210, 150:390] = paper
    sides = [step((50, 30), (130, 30)), step((130, 30), (130, 70)), step((130, 70), (50, 70)),
             step((50, 70), (50, 30))]  # fmt: skip
    patch = Patch(tone, PITCH, tuple(sides), dark=False)
    assert hides(patch) is not printed


@pytest.mark.parametrize(("gap", "hidden"), [(0, True), (12, False)])
def test_a_side_shorter_than_a_labels_is_one_from_its_corner_on(gap: int, *, hidden: bool) -> None:
    """Blank and laid by hand; lines that meet only when followed on meet by chance."""
    corner, along = np.array([50, 30]), np.array([1, 0.05])
    down = np.array([-0.05, 1])
    short, far = corner + 20 * down, corner + 60 * along
    outline = PITCH * np.array([corner, far, far + 20 * down, short])
    inside = cv2.fillPoly(np.zeros((900, 720), np.uint8), [outline.astype(np.int32)], 1)
    sides = step(short, corner), step(corner + gap * along, far)
    assert hides(Patch(film_with(inside > 0), PITCH, sides, dark=True)) is hidden


def test_a_label_over_a_corner_of_the_film_is_at_its_rim() -> None:
    tone = film_with(np.zeros((900, 720), bool))
    sides = step((80, 2), (80, 50)), step((80, 50), (3, 50))
    assert Patch(tone, PITCH, sides, dark=True).at_rim


def test_the_corner_of_an_exposed_field_is_not_at_the_rim() -> None:
    """Its sides run along the film and stop there: followed on, they do not soon leave it."""
    tone = film_with(np.zeros((900, 720), bool))
    sides = step((236, 292), (6, 292)), step((6, 292), (6, 220))
    assert not Patch(tone, PITCH, sides, dark=True).at_rim


@pytest.mark.parametrize("number", [69, 172, 173])
def test_a_plate_of_which_three_sides_show_hides_nothing(number: int) -> None:
    """Plates of markers on drawn films, one of them right beside a border of the field."""
    assert not told(draw_scan((973, 3, number), dpi=100).raster)


def test_a_label_on_a_part_of_a_block_is_told_though_its_fourth_side_is_lost() -> None:
    """As small as a plate as far as it shows; lines of text show through, and no letter."""
    key = (1011, 3, 48)
    scan = draw_marked_scan(key, dpi=100)
    assert told(cover(np.random.default_rng(key), scan, "label on a part of it"))


@pytest.mark.parametrize(("end", "inside"), [((80, 50), True), ((70, 50), False)])
def test_two_arms_that_end_together_end_at_a_side(end: tuple[int, int], inside: bool) -> None:
    tone = film_with(np.zeros((900, 720), bool))
    sides = step((80, 30), (50, 30)), step((50, 30), (50, 50)), step((50, 50), end)
    assert Patch(tone, PITCH, sides, dark=True).ends_inside is inside


def test_arms_that_reach_the_rim_go_on_beyond_it() -> None:
    tone = film_with(np.zeros((900, 720), bool))
    sides = step((1, 30), (30, 30)), step((30, 30), (30, 50)), step((30, 50), (1, 50))
    assert not Patch(tone, PITCH, sides, dark=True).ends_inside


@pytest.mark.parametrize("goes_on", [True, False])
@pytest.mark.parametrize("dark", [True, False])
def test_a_border_broken_before_its_corner_is_followed_to_it(goes_on: bool, dark: bool) -> None:
    """Only where brightness differs all the way; sides that merely point at each other do not."""
    label = np.zeros((900, 720), bool)
    label[120:300, 150:390] = True
    if not goes_on:
        label[:, 320:] = False
    tone = film_with(label) if dark else -5 - film_with(label)
    # The upper side is found as far as 18 mm before its corner at the right.
    sides = [step((50, 40), (112, 40)), step((130, 41), (130, 100))]
    steps = sides if dark else [side.reversed() for side in sides]
    found = [patch for patch in patches_of(tone, steps, PITCH) if patch.dark == dark]
    assert len(found) == (1 if goes_on else 0)


@pytest.mark.parametrize(("letters", "covers"), [(-0.6, False), (-4.6, True)])
def test_what_lies_straight_covers_where_all_below_it_is_as_much_darker(
    letters: float, covers: bool
) -> None:
    """Dense card along the film: letters that show through are darker by all that it takes away."""
    label = np.zeros((900, 720), bool)
    label[120:300, 150:390] = True
    tone = film_with(label)
    tone[40:60, 40:200] = -0.4
    for row in range(140, 280, 20):
        tone[row : row + 5, 180:360] = letters
    sides = step((50, 40), (130, 40)), step((130, 40), (130, 100)), step((130, 100), (50, 100))
    patch = Patch(tone, PITCH, sides, dark=True)
    assert patch.strokes > 0.1
    assert hides(patch) is covers


def test_a_label_is_at_the_rim_that_one_of_its_arms_reaches() -> None:
    """The other is lost on what is as dark; both are as long, and the fourth side lies beyond."""
    tone = film_with(np.zeros((900, 720), bool))
    sides = step((80, 298), (80, 200)), step((80, 200), (120, 200)), step((120, 200), (120, 220))
    assert Patch(tone, PITCH, sides, dark=True).at_rim
    assert not Patch(tone, PITCH, (step((80, 220), (80, 200)), *sides[1:]), dark=True).at_rim


@pytest.mark.parametrize(("askew", "hidden"), [(1.2, True), (0.0, False)])
def test_paper_laid_askew_is_told_by_two_sides_that_end_inside(
    askew: float, *, hidden: bool
) -> None:
    """White and mottled as paper, though its other sides are lost on white."""
    rng = np.random.default_rng(3)
    tone = film_with(np.ones((900, 720), bool))
    paper = cv2.GaussianBlur(rng.standard_normal((240, 300)), (0, 0), 0.35 * PITCH)
    tone[90:330, 150:450] = paper * 0.02 / paper.std() - 0.05
    far = 80 * np.tan(np.radians(askew))
    sides = step((50, 100), (50 + far * 3 / 4, 40)), step((52, 31), (130, 31 - far))
    assert hides(Patch(tone, PITCH, sides, dark=False)) is hidden


@pytest.mark.parametrize(("letters", "covers"), [(-0.6, False), (-3.2, True)])
def test_no_place_below_a_cover_is_brighter_than_clear_film_less_the_cover(
    letters: float, covers: bool
) -> None:
    """Letters of a flashed block are nearly clear; print that shows through paper is not."""
    label = np.zeros((900, 720), bool)
    label[120:300, 150:390] = True
    tone = film_with(label)
    tone[40:60, 40:200] = -0.4
    tone[160:166, 200:340] = letters
    tone[200:206, 200:340] = letters
    sides = [step((50, 40), (130, 41)), step((130, 40), (130, 100)), step((130, 100), (50, 100)),
             step((50, 100), (50, 40))]  # fmt: skip
    assert hides(Patch(tone, PITCH, tuple(sides), dark=True)) is covers


@pytest.mark.parametrize("key", [(973, 3, 148), (2001, 3, 89)])
def test_a_block_and_a_line_that_meets_it_hide_nothing(key: tuple[int, int, int]) -> None:
    """Between them the film is as bright as it is elsewhere."""
    assert not told(draw_marked_scan(key, dpi=100).drawn.raster)


@pytest.mark.parametrize(("seed", "number"), [(11001, 16), (11001, 30), (11001, 39), (41527, 50)])
def test_what_only_resembles_a_cover_hides_nothing(seed: int, number: int) -> None:
    """Drawn films that were told covered.

    The outline of a body before black air, and a line bent into clear film: no flap lies within
    them. Clear film beside a block: it has a picture, and paper lit from above has none. A sticker
    whose corner lies as a folded one would: the film goes on beyond the crease.
    """
    assert not told(draw_marked_scan((seed, 3, number), dpi=100, wear=0.5).drawn.raster)


@pytest.mark.parametrize(("faint", "found"), [(True, True), (False, False)])
def test_a_side_ends_at_its_corner_though_a_fainter_line_goes_on(
    *, faint: bool, found: bool
) -> None:
    """A bone's outline in line with a label's side; a border as strong is no label's."""
    rows, columns = np.mgrid[0:900, 0:720]
    inside = (columns > 300) & (rows > 300)
    beyond = (columns > 300) & (rows <= 300)
    tone = (film_with(inside) - (0.3 if faint else 3.0) * beyond).astype(np.float32)
    sides = step((100, 290), (100, 92)), step((100, 100), (200, 100))
    dark = [patch for patch in patches_of(tone, sides, PITCH) if patch.dark]
    assert bool(dark) is found


def test_of_a_label_over_the_rim_only_what_lies_on_the_film_can_be_seen() -> None:
    tone = film_with(np.zeros((900, 720), bool))
    sides = step((60, 0), (60, 40)), step((60, 40), (0, 40))
    hidden = step((60, -30), (60, 40)), step((60, 40), (-30, 40))
    whole, half = (
        Patch(tone, PITCH, (replace(a, length=3 * 40.0), replace(b, length=3 * 60.0)), dark=True)
        for a, b in (sides, hidden)
    )
    assert whole.closed == pytest.approx(0.5, abs=0.02)
    assert half.closed == pytest.approx(1.0, abs=0.03)


def test_noise_on_a_dense_label_of_which_a_corner_shows_is_no_print() -> None:
    """A drawn card over a corner of the film, as dark as the scanner sees."""
    key = (9502, 3, 51)
    scan = draw_marked_scan(key, dpi=100, wear=0.5)
    assert told(cover(np.random.default_rng(key), scan, "label on a part of it"))
