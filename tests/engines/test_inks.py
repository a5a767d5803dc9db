"""Coloured stamps and pen strokes are looked for only where there are some."""

import numpy as np
from numpy.typing import NDArray

from digitizer.engines.inks import covered, without_coloured_ink
from digitizer.model.reading import Line
from digitizer.model.units import Point

PEN, PRINT, CARD = (40, 60, 140), (30, 30, 33), (205, 170, 120)
LINE = np.array([(40, 90), (410, 90), (410, 114), (40, 114)], np.float32)


def scanned(
    *, stroke: bool, ink: tuple[int, int, int] = PRINT, strength: float = 1.0, grain: float = 3.0
) -> NDArray[np.uint8]:
    """Return print on white paper, with grain, that a pen stroke may cross."""
    scan = np.full((300, 460, 3), 235.0)
    if stroke:
        scan[:, 300:312] += strength * (np.array(PEN) - scan[:, 300:312])
    scan[100:104, 50:400] = ink
    scan += np.random.default_rng(4).normal(0, grain, scan.shape)
    return np.clip(scan, 0, 255).astype(np.uint8)


def on_card(scan: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a paper that lies on brown card."""
    card = np.full((500, 660, 3), CARD, np.uint8)
    card[: scan.shape[0], : scan.shape[1]] = scan
    return card


def marked(scan: NDArray[np.uint8], line: NDArray[np.float32] = LINE, room: float = 0.0) -> bool:
    """Tell whether a mark lies where a line stands."""
    faded = without_coloured_ink(scan, [line], room)
    return faded is not None and bool(faded.marks.any())


def test_a_label_without_coloured_marks_is_not_looked_at_twice() -> None:
    """Black on white, though there is grain."""
    assert without_coloured_ink(scanned(stroke=False), [LINE]) is None


def test_neither_grain_nor_the_card_about_a_label_is_a_mark() -> None:
    """A stroke is."""
    near = LINE.copy()
    near[1:3, 0] = 440
    assert not marked(on_card(scanned(stroke=False, grain=12)), near)
    assert not marked(scanned(stroke=False, grain=30))
    assert marked(on_card(scanned(stroke=True)), near)


def test_a_pale_mark_is_seen_beneath_the_grain() -> None:
    """The channels of grain alone differ as much, pixel by pixel."""
    assert marked(scanned(stroke=True, strength=0.25, grain=12))


def test_a_pale_mark_fades_where_nothing_else_is_coloured() -> None:
    """It is less coloured than what is looked for without knowing where the lines are."""
    scan = scanned(stroke=True, strength=0.18)
    faded = without_coloured_ink(scan, [LINE])
    assert faded is not None

    def contrast(grey: NDArray[np.generic]) -> float:
        return float(np.mean(grey[90:98, 200:290]) - np.mean(grey[90:98, 304:308]))

    assert contrast(faded.grey) < 0.5 * contrast(scan @ np.array([0.299, 0.587, 0.114]))


def test_a_mark_beside_the_lines_counts_only_where_more_may_stand_there() -> None:
    """A number that was not found may lie under it."""
    left = LINE.copy()
    left[1:3, 0] = 250
    assert not marked(scanned(stroke=True), left)
    assert marked(scanned(stroke=True), left, room=3)


def test_coloured_print_is_no_mark() -> None:
    """No mark is told from it either."""
    assert not marked(scanned(stroke=False, ink=PEN))


def test_the_signs_under_a_mark_are_told() -> None:
    """The stroke lies across the column of pixels from 300 to 312 of a line from 40 to 410."""
    faded = without_coloured_ink(scanned(stroke=True), [LINE])
    assert faded is not None
    a, b, c, d = (Point(float(x), float(y)) for x, y in LINE)
    read = Line(text="MRN: 4755278", confidence=0.9, box=(a, b, c, d), engine="rapidocr")
    # It stands 8.4 to 8.8 of twelve signs from the left; each may stand half a sign aside.
    assert covered(read, faded.marks).covered == (7, 8, 9)
    assert covered(read, np.zeros_like(faded.marks)).covered == ()


def test_a_pen_stroke_fades_and_print_below_it_stays() -> None:
    """The stroke is nearer to the paper than to the print."""
    found = without_coloured_ink(scanned(stroke=True), [LINE])
    assert found is not None
    faded = found.grey
    stroke, crossing = faded[200:, 304:308], faded[101:103, 304:308]
    paper = faded[200:, 50:250]
    assert np.median(paper) - np.median(stroke) < 40
    assert np.median(paper) - np.median(crossing) > 150


def test_beside_coloured_marks_grain_grows_no_stronger() -> None:
    """The lightest of three channels would have more of it than their mean, and be lighter."""
    scan = scanned(stroke=True)
    faded = without_coloured_ink(scan, [LINE])
    assert faded is not None
    beside = np.s_[150:, 20:250]
    grey = scan[beside] @ np.array([0.299, 0.587, 0.114])
    assert np.std(faded.grey[beside]) < 1.2 * np.std(grey)
