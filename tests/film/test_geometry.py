import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitizer.film import orient
from digitizer.film.geometry import is_mirrored, make_geometry, theta_of
from digitizer.film.rectangle import listed
from digitizer.model.units import Dpi


def rectangle(skew, width=300.0, height=400.0, centre=(500.0, 600.0)):
    a = np.radians(skew)
    u, v = np.array([np.cos(a), -np.sin(a)]), np.array([np.sin(a), np.cos(a)])
    w, h = u * width / 2, v * height / 2
    return np.array(centre) + np.array([-w - h, w - h, w + h, -w + h])


@given(skew=st.floats(-44, 44), turn=st.sampled_from([0, 90, 180, 270]), mirrored=st.booleans())
def test_everything_follows_from_the_corners_as_the_contract_says(skew, turn, mirrored):
    scanned = make_geometry(rectangle(skew), 4, Dpi(100, 100), skew_known=True)
    viewed = orient(scanned, turn, mirrored)
    tl, tr, br, bl = np.array(viewed.corners)
    up = (tl + tr) / 2 - (bl + br) / 2
    theta = np.degrees(np.arctan2(-up[0], -up[1]))
    turned = round(theta / 90) * 90
    assert turned % 360 == turn == viewed.turn_deg
    assert theta - turned == pytest.approx(skew, abs=1e-6)
    assert viewed.skew_deg == pytest.approx(skew, abs=1e-6)
    (ax, ay), (bx, by) = tr - tl, bl - tl
    area = ax * by - ay * bx
    assert bool(area < 0) is mirrored
    assert is_mirrored(viewed.corners) is mirrored
    assert viewed.mirrored is mirrored
    # Size is as viewed.
    assert viewed.size_mm.width == pytest.approx(np.linalg.norm(tr - tl) * 0.254)
    assert viewed.size_mm.height == pytest.approx(np.linalg.norm(bl - tl) * 0.254)
    assert {tuple(point) for point in viewed.corners} == {tuple(p) for p in scanned.corners}


def test_a_film_whose_top_lies_at_the_left_is_turned_by_90():
    viewed = orient(make_geometry(rectangle(0), 4, None, skew_known=True), 90, False)
    assert viewed.corners.top_left.x < viewed.corners.bottom_left.x
    assert viewed.corners.top_left.y > viewed.corners.top_right.y


def test_counter_clockwise_is_positive():
    # The right end of the top side lies higher: turned counter-clockwise on the screen.
    corners = make_geometry(
        np.array([[0, 10], [100, 0], [110, 100], [10, 110.0]]), 4, None, skew_known=True
    ).corners
    assert theta_of(corners) > 0


@given(skew=st.floats(-44, 44), roll=st.integers(0, 3), reverse=st.booleans())
def test_corners_in_any_order_are_listed_as_scanned(skew, roll, reverse):
    true = rectangle(skew)
    mixed = np.roll(true, roll, axis=0)
    assert np.allclose(listed(mixed[::-1] if reverse else mixed), true)
