"""A crease is an edge like a cut, and tells no angle: other sides must bear it out."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from film_phantoms import Laid, scan

from digitizer.film import find_sheets
from digitizer.film.edges import NO_SIDE, Side
from digitizer.film.found import FoundSheet, Page
from digitizer.film.rectangle import agreeing, common_angle, rectangle
from digitizer.film.rivals import made_whole
from digitizer.model.raster import Raster
from digitizer.rehearsal.covers import cover, draw_marked_scan
from digitizer.rehearsal.defects import spoil
from digitizer.rehearsal.population import draw_scan

SHAPE = (1100, 1000)
ONES = np.ones(2)


def side(angle_deg, weight=1.0):
    a = np.radians(angle_deg)
    return Side(
        seen=True,
        soft=False,
        point=np.zeros(2),
        direction=np.array([np.cos(a), np.sin(a)]),
        weight=weight,
        support=1.0,
        length=100.0,
        width=3.0,
        bow=0.1,
    )


def folded(film, place, normal_deg, bed=0.3, flap=0):
    """Scan a film beyond whose crease the bed shows, with a second layer so many pixels deep."""
    raster = scan([film], SHAPE, bed)
    empty = scan([], SHAPE, bed, seed=5).pixels
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32) + 0.5
    a = np.radians(normal_deg)
    beyond = (x - place[0]) * np.cos(a) + (y - place[1]) * np.sin(a)
    layered = np.where(beyond > -flap, raster.pixels * 0.3, raster.pixels)
    share = np.clip(beyond + 0.5, 0, 1)
    pixels = layered * (1 - share) + empty * share
    blurred = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 0.45)
    return Raster(
        pixels=np.clip(blurred, 0, 65535).round().astype(np.uint16),
        bits=raster.bits,
        polarity=raster.polarity,
        dpi=raster.dpi,
    )


def skew_told(raster):
    (sheet,) = find_sheets(raster).sheets
    return sheet.skew_deg


@pytest.mark.parametrize("normal", [200.0, 225.0, 250.0, -20.0, 45.0])
@pytest.mark.parametrize("bed", [1.2, 0.3])
def test_a_lone_crease_across_a_corner_tells_no_angle(normal, bed):
    """All edges of the film lie beyond the frame: what shows is the crease of a corner."""
    film = Laid(1500, 1700, 500, 550, 0.3)
    a = np.radians(normal)
    place = (500 + 380 * np.cos(a), 550 + 380 * np.sin(a))
    (sheet,) = find_sheets(folded(film, place, normal, bed)).sheets
    assert sheet.skew_deg is None
    corners = np.array(sheet.corners)
    assert corners.min() >= 0
    assert (corners <= SHAPE[::-1]).all()


def test_the_drawn_corner_that_was_taken_for_a_side_tells_no_angle():
    """A feed that crops, and a corner folded over: the angle of the crease was told, 19 degrees."""
    key = (5202, 3, 18)
    raster = cover(np.random.default_rng(key), draw_marked_scan(key), "corner folded")
    (sheet,) = find_sheets(raster).sheets
    assert sheet.skew_deg is None
    rows, columns = raster.pixels.shape
    left, top = np.min(sheet.corners, axis=0)
    right, bottom = np.max(sheet.corners, axis=0)
    assert left <= 1
    assert top <= 1
    assert right >= columns - 1
    assert bottom >= rows - 1


@pytest.mark.parametrize("skew", [-0.6, 0.2, 0.6])  # straight, its grid would be bands
def test_one_side_that_lies_as_films_are_fed_tells_the_angle(skew):
    film = Laid(1500, 1700, 850, 550, skew)
    assert skew_told(scan([film], SHAPE, 0.3)) == pytest.approx(skew, abs=0.1)


def test_one_side_with_a_flap_behind_it_tells_no_angle():
    """It may be the crease of a folded side, which lies a degree or two askew."""
    film = Laid(1500, 1700, 500, 550, 0.0)
    assert skew_told(folded(film, (120, 550), 181.1, flap=150)) is None


@pytest.mark.parametrize("askew", [-3.0, -1.5, 1.5, 2.5])
def test_a_folded_side_is_outvoted_by_the_others(askew):
    """And no film is cut away where the crease runs outwards."""
    film = Laid(620, 780, 500, 550, 0.8, radius=0)
    (sheet,) = find_sheets(folded(film, (260, 550), 180 - 0.8 + askew)).sheets
    assert sheet.skew_deg == pytest.approx(0.8, abs=0.05)
    end = 260 - np.tan(np.radians(abs(askew))) * 380
    assert np.min(np.array(sheet.corners)[:, 0]) < end + 12


def test_a_film_whose_flap_is_as_black_as_the_bed_is_kept_in_one_piece():
    """A drawn side folded over: two scraps were found, and what was black between them was lost."""
    key = (3001, 3, 43)
    raster = cover(np.random.default_rng(key), draw_marked_scan(key), "side folded")
    search = find_sheets(raster)
    (sheet,) = search.sheets
    assert search.of_two == (True,)
    assert sheet.skew_deg is None
    (left, top), (right, bottom) = (edge(sheet.corners, axis=0) for edge in (np.min, np.max))
    # Of 240 by 180 mm 716 pixels each way are left; in the black nothing tells where they end.
    rows, columns = raster.pixels.shape
    assert (left, top, right, bottom) == pytest.approx((0, 0, columns, rows), abs=1)


@pytest.mark.parametrize(
    ("number", "left_top", "right_bottom"),
    [
        # Both ends of the side stand out beyond the edge of the flap.
        (8, (46, 166), (991, 1217)),
        # Black kept around the picture hid what hung out, but not all of it.
        (4, (29, 129), (980, 742)),
    ],
)
def test_a_folded_film_that_hangs_out_of_the_sheet_is_kept_whole_and_told(
    number, left_top, right_bottom
):
    """Drawn sides folded over, as black as the bed: 7.5 and 2.8 % of these films were lost."""
    key = (7103, 3, number)
    raster = cover(np.random.default_rng(key), draw_marked_scan(key), "side folded")
    search = find_sheets(raster)
    (sheet,) = search.sheets
    assert search.of_two == (True,)
    assert sheet.skew_deg is None
    corners = np.array(sheet.corners)
    # A millimetre around what was found is kept.
    room = 4
    assert (corners.min(axis=0) <= np.array(left_top) + room).all()
    assert (corners.max(axis=0) >= np.array(right_bottom) - room).all()


def test_a_black_rim_is_kept_where_a_corner_is_folded():
    """The bed is nearly as black; with its rim the film has its size of the trade, 24 x 30 cm."""
    key = (4001, 3, 28)
    raster = cover(np.random.default_rng(key), draw_marked_scan(key), "corner folded")
    (sheet,) = find_sheets(raster).sheets
    assert (sheet.size_mm.width, sheet.size_mm.height) == pytest.approx((300, 240), abs=1)


@pytest.mark.parametrize(
    ("gap", "aside", "against"),
    [(1.0, 0.0, True), (5.0, 0.0, False), (1.0, 250.0, False), (-4.0, 0.0, True)],
)
def test_what_lies_nearer_than_hands_lay_films_is_one_thing(gap, aside, against):
    """Along half of the shorter side at least: corners may come near to each other."""
    one = at_corner(0.0, np.array([300.0, 300.0]), 280.0)
    shift = np.array([300.0 + gap, aside])
    other = replace(one, corners=one.corners * [0.4, 0.5] + shift)
    assert one.lies_against(other, ONES * 0.999) is against
    assert other.lies_against(one, ONES * 0.999) is against
    assert not one.lies_against(other, ONES)


def test_what_lies_between_two_parts_of_one_thing_is_of_it():
    """A small part between large ones joins all three; where each has its room, none is joined."""
    tone = np.zeros((400, 900), np.float32)
    scale = ONES * 0.999
    page = Page(full=tone.astype(np.uint16), light=tone, tone=tone, reduction=ONES, top=1.0,
                density=False, encoded=False, pitch=1.0, scale=scale)  # fmt: skip

    def whole(gap):
        some = at_corner(0.0, np.array([300.0, 300.0]), 280.0)
        left, parts = 0.0, []
        for width in (300.0, 60.0, 280.0):
            right = left + width
            ends = np.array([[left, 0], [right, 0], [right, 300], [left, 300]])
            parts.append(replace(some, corners=ends, rim=ends))
            left = right + gap
        return made_whole(parts, page)

    (one,) = whole(1.0)
    assert one.joined
    assert [other.joined for other in whole(9.0)] == [False] * 3


def test_a_crease_and_one_side_contradict_each_other():
    """Nothing tells which of the two is a cut edge."""
    film = Laid(1200, 1700, 500, 950, 0.2)
    raster = scan([film], SHAPE, 0.3)
    assert skew_told(raster) == pytest.approx(0.2, abs=0.05)
    assert skew_told(folded(film, (150, 550), 183.0)) is None


@pytest.mark.parametrize(
    ("angles", "kept"),
    [
        ((0.1, 90.0, 0.0, 87.0), 3),
        ((0.1, 90.0, 92.5), 2),
        ((0.1, 0.9), 2),
        ((0.1, 3.0), 0),
        ((0.1, 90.0, 3.0, 93.1), 0),
        ((20.0,), 1),
        ((44.9, -44.9), 2),
        ((), 0),
    ],
)
def test_most_sides_must_agree_modulo_a_quarter_turn(angles, kept):
    assert len(agreeing([side(angle) for angle in angles], ONES)) == kept


def test_a_side_that_most_contradict_has_no_part_in_the_angle_however_long_it_is():
    sides = [side(0.2), side(90.2), side(3.0, weight=50.0)]
    assert np.degrees(common_angle(sides, ONES)) == pytest.approx(0.2, abs=1e-6)


FRAME = np.array([[0, 0], [1000, 0], [1000, 800], [0, 800]], dtype=np.float64)


def at_corner(angle_deg, apex, length):
    """Return a sheet at the frame's top left, of which the right and the bottom side show."""
    a = np.radians(angle_deg)
    along, down = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
    right = replace(side(angle_deg + 90), point=apex - down * length / 2, length=length)
    bottom = replace(side(angle_deg + 180), point=apex - along * length / 2, length=length)
    sides = (NO_SIDE, right, bottom, NO_SIDE)
    corners = rectangle(sides, a, ONES, FRAME)
    return FoundSheet(
        corners=corners,
        sides=sides,
        believed=1.0,
        edge=2 * length,
        beside=0.0,
        rim=corners,
        glow=1.0,
    )


def test_bands_along_the_frame_give_no_angle():
    """The lamp flickers over a dark bed, on which a film lies at two degrees."""
    key = (9501, 1, 10069)
    scan = draw_scan(key, dpi=100, wear=0.5)
    assert skew_told(spoil(np.random.default_rng(key), scan, "banding")) is None


@pytest.mark.parametrize(
    ("angle", "apex", "length", "witnesses"),
    [
        # A film laid crooked, a flap as small as those of folded corners, and a film fed straight.
        (8.0, (700, 600), 550, 2),
        (10.0, (240, 200), 200, 0),
        (0.5, (240, 200), 200, 2),
        # Two creases that would meet beyond the frame.
        (20.0, (1100, 700), 550, 0),
    ],
)
def test_two_sides_far_askew_must_be_long_and_meet(angle, apex, length, witnesses):
    sheet = at_corner(angle, np.array(apex, dtype=np.float64), float(length))
    assert sheet.witnesses(ONES, FRAME) == witnesses


SCALE = np.full(2, 0.25)
"""Millimetres per pixel of that frame: 250 by 200 mm."""


def strip(apart_mm, length=600.0, askew=0.0, **looks):
    """Return a sheet at five degrees of which only the left and the right side show."""
    right = replace(side(95.0), length=length, **looks)
    left = replace(side(275.0 + askew), length=length, **looks)
    a = np.radians(5.0)
    far = np.array([np.cos(a), np.sin(a)]) * apart_mm / SCALE
    middle = FRAME.mean(axis=0)
    sides = (
        NO_SIDE,
        replace(right, point=middle + far / 2),
        NO_SIDE,
        replace(left, point=middle - far / 2),
    )
    corners = rectangle(sides, a, SCALE, FRAME)
    return FoundSheet(
        corners=corners, sides=sides, believed=1.0, edge=2 * length, beside=0.0, rim=corners, glow=1
    )


@pytest.mark.parametrize(
    ("sheet", "witnesses"),
    [
        (strip(180.0), 2),
        (strip(180.0, askew=0.1), 2),
        # Less than a film is left between creases, and they are not parallel.
        (strip(170.0), 0),
        (strip(180.0, askew=0.4), 0),
        # The flaps of two corners; a collimator's borders.
        (strip(180.0, length=250.0), 0),
        (strip(180.0, soft=True), 0),
    ],
)
def test_two_opposite_sides_tell_an_angle_as_far_apart_as_a_films(sheet, witnesses):
    assert sheet.witnesses(SCALE, FRAME) == witnesses
    assert sheet.witnesses(ONES, FRAME) == 0


def test_the_long_cuts_of_a_film_as_black_as_its_bed_tell_how_it_lies():
    """Drawn films on a dark bed by an eight-bit scanner, the other sides lost in the bed.

    The second is lost so far that where it ends is unknown: all of the frame is kept.
    """
    for number in (30, 98):
        scan = draw_scan((52639, 1, number), dpi=100, wear=0.5)
        true = scan.placements[0]
        (sheet,) = find_sheets(scan.raster).sheets
        assert sheet.skew_deg is not None
        off = (sheet.skew_deg - true.theta_deg + 45) % 90 - 45
        assert abs(off) < 0.03
        held = np.array(sheet.corners, dtype=np.float32)
        room = [
            cv2.pointPolygonTest(held, (float(x), float(y)), True)
            for x, y in true.corners(scan.scene.frame)
        ]
        assert min(room) > -scan.scene.pixels_per_mm


def test_what_lies_across_a_larger_sheet_tells_no_angle():
    """A flap lies on its film; films lie beside each other."""
    large = at_corner(0.0, np.array([700.0, 600.0]), 550.0)
    flap = at_corner(10.0, np.array([300.0, 300.0]), 280.0)
    straight = at_corner(0.4, np.array([300.0, 300.0]), 280.0)
    assert flap.is_crossed_by(large, ONES)
    assert not large.is_crossed_by(flap, ONES)
    assert not straight.is_crossed_by(large, ONES)
    assert not large.is_crossed_by(large, ONES)
