"""The truth about corners is where the film was drawn."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digitizer.rehearsal import make_room
from digitizer.rehearsal.edges import Outline, draw_outline
from digitizer.rehearsal.scene import BEDS, Scene, lay, light
from digitizer.rehearsal.sheet import Sheet
from digitizer.scan.decoding import FileDecoder

SIZE = (180.0, 120.0)
PITCH = 4.0


def plain(theta: float, *, mirrored: bool, margins: tuple[float, float, float, float]) -> Scene:
    """Lay an evenly dark sheet with straight sides on the open bed."""
    columns, rows = (round(side * PITCH) for side in SIZE)
    sheet = Sheet(np.full((rows, columns), 1.5, np.float32), SIZE, PITCH, (0, 0, *SIZE))
    flat = tuple(np.zeros(round(side / 0.25) + 2, np.float32) for side in (SIZE[1], SIZE[0]) * 2)
    outline = Outline(SIZE, (flat[0], flat[1], flat[2], flat[3]), 0.0)
    return lay(
        sheet, outline, theta_deg=theta, mirrored=mirrored, margins_mm=margins,
        bed=BEDS["open"], wear=0.0,
    )  # fmt: skip


def seen(scene: Scene) -> NDArray[np.float64]:
    """Return the light of a scene."""
    rng = np.random.default_rng(0)
    return np.vstack(list(light(rng, scene))).astype(np.float64)


def sample(picture: NDArray[Any], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values at points [x, y] from the outer corner, linear between pixel centres."""
    x, y = points[..., 0] - 0.5, points[..., 1] - 0.5
    column = np.clip(np.floor(x).astype(int), 0, picture.shape[1] - 2)
    row = np.clip(np.floor(y).astype(int), 0, picture.shape[0] - 2)
    a, b = x - column, y - row
    upper = picture[row, column] * (1 - a) + picture[row, column + 1] * a
    lower = picture[row + 1, column] * (1 - a) + picture[row + 1, column + 1] * a
    return np.asarray(upper * (1 - b) + lower * b)


def edge_offsets(
    picture: NDArray[Any], corners: NDArray[np.float64], reach: float
) -> list[NDArray[np.float64]]:
    """Return, for each side, how far outside of its true line the steepest change lies, in px."""
    out = []
    middle = corners.mean(0)
    steps = np.arange(-reach, reach + 1e-9, 0.1)
    for at in range(4):
        start, end = corners[at], corners[(at + 1) % 4]
        along = (end - start) / np.linalg.norm(end - start)
        normal = np.array([along[1], -along[0]])
        normal *= np.sign(np.dot((start + end) / 2 - middle, normal))
        places = start + (end - start) * np.linspace(0.25, 0.75, 60)[:, None]
        profile = sample(picture, places[:, None] + steps[:, None] * normal)
        change = np.abs(profile[:, 10:] - profile[:, :-10])
        out.append(steps[:-10][change.argmax(1)] + 0.5)
    return out


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("theta", [0.0, 2.3, 91.7, 178.2, -93.0])
def test_corners_are_where_the_edges_are_drawn(theta: float, mirrored: bool) -> None:
    """On a plain sheet within a quarter of a pixel, however it lies."""
    scene = plain(theta, mirrored=mirrored, margins=(9.0, 12.0, 15.0, 7.0))
    corners = scene.laid[0].placement.corners(scene.frame)
    for offsets in edge_offsets(seen(scene), corners, 4.0):
        assert abs(float(np.median(offsets))) < 0.25


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("theta", [0.4, 90.3, 179.6, 270.5])
def test_corners_say_which_way_the_film_lies(theta: float, mirrored: bool) -> None:
    """The contract's rules (section 4) applied to the corners give turn, skew and mirror back."""
    scene = plain(theta, mirrored=mirrored, margins=(5.0, 5.0, 5.0, 5.0))
    top_left, top_right, bottom_right, bottom_left = scene.laid[0].placement.corners(scene.frame)
    up_x, up_y = (top_left + top_right) / 2 - (bottom_left + bottom_right) / 2
    told = np.degrees(np.arctan2(-up_x, -up_y))
    assert (told - theta + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)
    placement = scene.laid[0].placement
    turn = round(told / 90) * 90 % 360
    assert placement.turn_deg == turn
    assert placement.skew_deg == pytest.approx((told - turn + 180) % 360 - 180)
    one, other = top_right - top_left, bottom_left - top_left
    assert (one[0] * other[1] - one[1] * other[0] < 0) == mirrored


@pytest.mark.parametrize("hidden", range(4))
def test_a_hidden_side_lies_through_the_outermost_film_in_the_frame(hidden: int) -> None:
    """The corners span the smallest rectangle along the sheet that holds the film in the frame."""
    margins = [8.0] * 4
    margins[hidden] = -6.0
    scene = plain(0.8, mirrored=False, margins=(margins[0], margins[1], margins[2], margins[3]))
    placement = scene.laid[0].placement
    rows, columns = scene.frame
    # Film at every pixel corner of the frame, by the outline itself.
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0))
    places = placement.to_sheet(np.column_stack([x.ravel(), y.ravel()]))
    u, v = places[:, 0].astype(np.float32), places[:, 1].astype(np.float32)
    inside = places[scene.laid[0].outline.depth_mm(u, v) >= 0]
    corners = placement.to_sheet(placement.corners(scene.frame))
    assert np.allclose(inside.min(0), corners.min(0), atol=1.0 / PITCH)
    assert np.allclose(inside.max(0), corners.max(0), atol=1.0 / PITCH)
    assert placement.edges_seen(scene.frame) == 3


def test_worn_sides_run_along_their_straight_lines() -> None:
    """Bow and fray of a side without a curl have no mean and no slope of their own."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        outline = draw_outline(rng, (240.0, 180.0), 1.0)
        if outline.curls:
            continue
        for side in outline.offsets:
            slope, mean = np.polyfit(np.linspace(-1, 1, len(side)), side, 1)
            assert abs(slope) < 0.01
            assert abs(mean) < 0.01
            assert float(np.abs(side).max()) > 0.02


def test_corners_of_a_whole_room_lie_on_its_films(tmp_path: Path) -> None:
    """On finished scans of every response: no side is off by more than wear bends it."""
    room = tmp_path / "room"
    make_room(room, jackets=5, seed=6, dpi=100, small=True, mammograms=False)
    truth = json.loads((room / "truth.json").read_text())
    middles = []
    for scan in truth["scans"]:
        if not scan["films"] or scan["films"][0]["edges_seen"] < 4:
            continue
        raster = FileDecoder().decode(room / "scans" / scan["source"], 0)
        picture = np.asarray(raster.pixels, np.float64)
        for offsets in edge_offsets(picture, np.array(scan["films"][0]["corners"]), 4.0):
            middles.append(float(np.median(offsets)))
    assert len(middles) >= 16
    assert abs(float(np.median(middles))) < 0.5
    assert float(np.percentile(np.abs(middles), 90)) < 2.5


def test_beds_show_on_none_to_four_sides(tmp_path: Path) -> None:
    """A feeder hides sides, a bed shows them."""
    room = tmp_path / "room"
    make_room(room, jackets=12, seed=1, dpi=50, small=True, mammograms=False)
    truth = json.loads((room / "truth.json").read_text())
    sides = {film["edges_seen"] for scan in truth["scans"] for film in scan["films"]}
    assert {0, 4} <= sides
    assert len(sides) >= 4
