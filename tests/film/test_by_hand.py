"""Geometry set by hand: what it means, and what is refused."""

import numpy as np
import pytest

from digitizer import film
from digitizer.errors import UsageError
from digitizer.model.units import Dpi, Size

FRAME, DPI = Size(rows=1000, columns=800), Dpi(100, 100)
BOX = [(100, 200), (500, 200), (500, 800), (100, 800)]


def test_what_is_set_is_listed_as_it_should_be_viewed() -> None:
    """In whatever order the corners come; turn and mirror are those of contract §4."""
    plain = film.by_hand(BOX[::-1], 0, False, FRAME, DPI)
    assert plain.corners == tuple(BOX)
    assert (plain.skew_deg, plain.turn_deg, plain.mirrored, plain.edges_seen) == (0, 0, False, 4)
    assert plain.size_mm is not None
    assert plain.size_mm.width == pytest.approx(101.6)
    turned = film.by_hand(BOX, 90, False, FRAME, DPI)
    # Turned counter-clockwise, its top is at the left of the scan.
    assert turned.corners[:2] == ((100, 800), (100, 200))
    assert film.as_scanned(turned) == film.as_scanned(plain)
    assert film.by_hand(BOX, 0, True, FRAME, DPI).corners[0] == (500, 200)
    whole = film.by_hand([(0, 0), (800, 0), (800, 1000), (0, 1000)], 0, False, FRAME, None)
    assert (whole.edges_seen, whole.size_mm) == (0, None)


@pytest.mark.parametrize("dpi", [DPI, Dpi(100, 200)])
def test_an_angle_turns_the_rectangle_about_its_middle(dpi: Dpi) -> None:
    """Square in millimetres, also where the scan's two resolutions differ."""
    flat = film.by_hand(BOX, 0, False, FRAME, dpi)
    tilted = film.by_hand(film.turned_by(flat.corners, 7.0, dpi), 0, False, FRAME, dpi)
    assert tilted.skew_deg == pytest.approx(7.0)
    assert np.mean(tilted.corners, axis=0) == pytest.approx(np.mean(flat.corners, axis=0))
    assert (tilted.size_mm, flat.size_mm) != (None, None)
    assert tilted.size_mm.height == pytest.approx(flat.size_mm.height)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("corners", "turn", "words"),
    [
        (BOX, 45, "turned by 0, 90"),
        (BOX[:3], 0, "four corners"),
        ([*BOX[:3], (float("nan"), 1)], 0, "four corners"),
        ([*BOX[:3], (-100, 800)], 0, "outside of the scan"),
        ([*BOX[:3], (100, 1e9)], 0, "outside of the scan"),
        ([*BOX[:3], (200, 800)], 0, "no rectangle"),
        ([(100, 100), (110, 100), (110, 700), (100, 700)], 0, "too small"),
        ([(100, 100)] * 4, 0, "too small"),
    ],
)
def test_what_cannot_be_a_sheet_is_refused(
    corners: list[tuple[float, float]], turn: int, words: str
) -> None:
    """In words that say what to do."""
    with pytest.raises(UsageError, match=words):
        film.by_hand(corners, turn, False, FRAME, DPI)
