"""What may be taken for the bed, and what may not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from film_phantoms import DPI, Laid, corner_errors, scan

from digitizer.film import edge_unsure, find_sheets, quality
from digitizer.film.bed import grow_bed, reaches_ceiling_inside
from digitizer.film.edges import NO_SIDE
from digitizer.film.found import FoundSheet
from digitizer.film.rectangle import rough_rectangle
from digitizer.film.sizes import may_be_framed
from digitizer.model.film import ScanKind
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import Dpi, Point, SizeMm
from digitizer.rehearsal.covers import cover, draw_marked_scan
from digitizer.rehearsal.defects import spoil
from digitizer.rehearsal.population import draw_pictures_scan, draw_scan
from digitizer.rehearsal.sources import RADIOGRAPHS, radiograph

SHAPE = (1100, 1000)


def changed(raster, pixels, dpi=None):
    return Raster(
        pixels=np.ascontiguousarray(pixels),
        bits=raster.bits,
        polarity=raster.polarity,
        dpi=dpi or raster.dpi,
    )


def lone(skew=2.0, **looks):
    return Laid(620, 780, 500, 550, skew, **looks)


@pytest.mark.parametrize("skew", [-9.0, -3.0, 3.0, 9.0])
def test_no_film_is_lost_where_a_skewed_sheet_leaves_the_frame(skew):
    """The side beyond the frame runs through the outermost film in it, not through its rim."""
    film = Laid(620, 780, 500, 550, skew, radius=0, bow=0)
    cut = 400
    raster = scan([film], SHAPE)
    (sheet,) = find_sheets(changed(raster, raster.pixels[:, cut:])).sheets
    along, down = film.axes
    outline = film.corners - [cut, 0]
    # Where the top and bottom sides enter the frame, or the film's own corners.
    at_frame = [
        point + along * (-point[0] / along[0]) if point[0] < 0 else point
        for point in (outline[0], outline[3])
    ]
    leftmost = min(float(point @ along) for point in at_frame)
    corners = np.array(sheet.corners)
    assert sheet.skew_deg == pytest.approx(skew, abs=0.03)
    assert corners[0] @ along == pytest.approx(leftmost, abs=1.0)
    assert corners[3] @ along == pytest.approx(leftmost, abs=1.0)
    assert corners[0] @ down == pytest.approx(outline[0] @ down, abs=1.0)


@pytest.mark.parametrize("number", [241, 429])
def test_a_penumbra_is_no_edge_however_film_like_its_width(number):
    """A drawn film fills the frame; what its collimator left chances to be as wide as a film."""
    raster = draw_scan((871, 1, number), dpi=100).raster
    search = find_sheets(raster)
    (sheet,) = search.sheets
    assert sheet.edges_seen == 0
    assert search.edge_unsure == (False,)
    rows, columns = raster.pixels.shape
    assert np.max(sheet.corners, axis=0) == pytest.approx([columns, rows], abs=8)
    assert np.min(sheet.corners, axis=0) == pytest.approx([0, 0], abs=8)


@pytest.mark.parametrize(("number", "size"), [(117, (240.0, 180.0)), (245, (431.8, 355.6))])
def test_cut_edges_that_meet_are_no_borders_within_a_penumbra_or_a_lone_line(number, size):
    """Drawn films: a clear rim left by a collimator, and a mask of which one side shows."""
    (sheet,) = find_sheets(draw_scan((891, 1, number), dpi=100).raster).sheets
    assert sheet.edges_seen == 3
    assert (sheet.size_mm.width, sheet.size_mm.height) == pytest.approx(size, abs=1.0)


@pytest.mark.parametrize(("seed", "number"), [(871, 402), (951, 27)])
def test_a_lone_line_along_the_frame_holds_what_lies_within_penumbrae(seed, number):
    """Drawn films of which one edge shows, straight along the frame; a clear rim is within it."""
    scan = draw_scan((seed, 1, number), dpi=100)
    (sheet,) = find_sheets(scan.raster).sheets
    truth = scan.placements[0].corners(scan.scene.frame)
    assert np.max(sheet.corners, axis=0) == pytest.approx(truth.max(axis=0), abs=2)
    assert np.min(sheet.corners, axis=0) == pytest.approx(truth.min(axis=0), abs=2)


def test_black_around_what_no_film_measures_is_film_where_the_frame_is_as_large_as_one():
    """A drawn film, 6.8 mm longer than the frame; what lies within its black has square corners."""
    raster = draw_scan((971, 1, 182), dpi=100).raster
    (sheet,) = find_sheets(raster).sheets
    rows, columns = raster.pixels.shape
    assert sheet.edges_seen == 0
    assert np.min(sheet.corners, axis=0) == pytest.approx([0, 0], abs=20)
    assert np.max(sheet.corners, axis=0) == pytest.approx([columns, rows], abs=20)
    assert np.min(sheet.corners) <= 0


def test_two_edges_as_far_apart_as_a_films_are_no_bone():
    """A drawn film on grey; its third side is like the bed, the fourth beyond the frame."""
    (sheet,) = find_sheets(draw_scan((972, 1, 183), dpi=100).raster).sheets
    assert sheet.edges_seen == 3
    assert sheet.skew_deg == pytest.approx(0.23, abs=0.02)


@pytest.mark.parametrize("source", RADIOGRAPHS[:3], ids=lambda one: one.name)
def test_the_size_of_a_frame_that_a_film_fills_proves_no_sheet_within(source):
    """Clear along one side and half of the next: what is left chances to be nearly as large."""
    picture = cv2.resize(radiograph(source.name), (300, 419), interpolation=cv2.INTER_AREA)
    light = 10 ** -(0.5 + 1.8 * (1 - picture / np.float32(255)))
    light[:, :8] = light[:4, :120] = 0.75
    light += np.random.default_rng(0).normal(0, 0.002, light.shape)
    pixels = (light * 60000).clip(0, 65535).astype(np.uint16)
    raster = Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2, dpi=Dpi(60, 60))
    (sheet,) = find_sheets(raster).sheets
    assert np.array(sheet.corners).tolist() == [[0, 0], [300, 0], [300, 419], [0, 419]]


@pytest.mark.parametrize(
    ("seed", "number"),
    [
        (972, 3),  # two sides of a small film fade into the bed
        (972, 67),  # a spine as grey as the bed cuts a piece off
        (972, 68),  # black beside a limb makes a bay
        (981, 43),  # all but a corner of one side is as grey as the bed
        (983, 113),  # two sides of a film in a mask fade
    ],
)
def test_films_that_look_like_the_bed_in_part_are_each_found(seed, number):
    """Drawn beds of two to four films."""
    sheets = 2 + number % 3
    scan = draw_scan((seed, sheets, number), sheets=sheets, dpi=100)
    found = find_sheets(scan.raster).sheets
    assert len(found) == sheets
    assert sum(sheet.skew_deg is None for sheet in found) <= (seed == 983)


def test_a_bay_of_bed_within_a_film_is_none_of_its_sides():
    """Its rim is straighter than the film's own side, but lies behind that."""
    piece = np.zeros((400, 500), np.uint8)
    piece[60:340, 80:440] = 255
    piece[60:200, 60:80] = 255
    piece[110:, 380:410] = 0
    (outline,), _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    laid = rough_rectangle([np.asarray(outline, np.int32)], piece.shape)
    assert laid.corners[:, 0].min() < 82
    assert laid.corners[:, 0].max() == pytest.approx(439, abs=1)
    assert laid.shown == (True, True, True, True)


def test_black_before_light_in_the_corners_is_film():
    """A drawn film whose edges lie beyond the frame, its mask as straight as cut, corners round."""
    raster = draw_scan((891, 1, 51), dpi=100).raster
    (sheet,) = find_sheets(raster).sheets
    rows, columns = raster.pixels.shape
    assert sheet.edges_seen == 0
    assert sheet.skew_deg == pytest.approx(0.196, abs=0.03)
    assert np.max(sheet.corners, axis=0) == pytest.approx([columns, rows], abs=8)


@pytest.mark.parametrize(
    "key",
    [
        (8101, 3, 12),  # the frame is the film, its rim clear
        (8101, 3, 32),  # one edge shows, straight along the frame
        (9101, 2, 2),  # two short edges show
        (9101, 2, 67),  # black pictures on black film, clear bed
        (9101, 2, 93),  # the bed is nearly as bright as the rim
        (9101, 2, 218),  # black pictures on a dark bed, a row's rim lost
        (9201, 2, 76),  # the block beside them was measured too
        (9201, 2, 178),  # black film on a dark bed: a line of pictures ends in it
        (9201, 2, 185),  # black pictures on a clear bed, one of them as long as a film
        (9301, 2, 110),  # noisy fans on black film, each for itself of no film's size
        (10902, 2, 48),  # its clear rim goes on to the frame and was taken for the bed
    ],
)
def test_a_sheet_of_many_pictures_is_not_cut_to_them(key):
    """Drawn sheets: the outline of the pictures is longer than what shows of the sheet's own."""
    scan = draw_pictures_scan(key, dpi=100)
    (sheet,) = find_sheets(scan.raster).sheets
    frame = [scan.raster.size.columns, scan.raster.size.rows]
    truth = np.clip(scan.placements[0].corners(scan.scene.frame), 0, frame)
    assert (np.min(sheet.corners, axis=0) < truth.min(axis=0) + 2).all()
    assert (np.max(sheet.corners, axis=0) > truth.max(axis=0) - 2).all()


def laid(corners, measured=(True, True, True, True)):
    """Return a sheet as found, with these sides measured."""
    corners = np.array(corners, float)
    sides = [replace(NO_SIDE, seen=seen, weight=float(seen)) for seen in measured]
    return FoundSheet(corners, tuple(sides), 1.0, 0.0, 0.0, corners, 0.0)


def test_a_sheet_is_widened_along_its_own_angle():
    """By what another bed measures beyond it, in millimetres where pixels are not square."""
    turn = np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    scale = np.array([0.25, 0.5])
    box = np.array([[0, 0], [40, 0], [40, 60], [0, 60]], float)
    sheet = laid(box @ turn.T / scale)
    beyond = np.array([[55, 5], [50, 58]]) @ turn.T / scale
    wider = sheet.widened_to(beyond, scale)
    assert wider.unsure
    assert (wider.corners * scale @ turn).round(9).tolist() == [[0, 0], [55, 0], [55, 60], [0, 60]]


def test_only_sides_that_were_measured_are_edges_and_end_at_the_frame():
    frame = np.array([[0, 0], [30, 0], [30, 50], [0, 50]], float)
    sheet = laid([[-10, 5], [40, 5], [40, 45], [-10, 45]], (True, False, False, False))
    assert [edge.tolist() for edge in sheet.edges_in(frame)] == [[[0, 5], [30, 5]]]
    assert sheet.is_beside(np.array([15.0, 2.0]), 2.5)
    assert not sheet.is_beside(np.array([15.0, 3.0]), 2.5)


def test_pictures_of_no_films_size_are_not_kept_without_what_lies_beside_them():
    """Black film on a dark bed: the outline of one of its pictures was taken for the sheet."""
    raster = draw_pictures_scan((9301, 2, 143), dpi=75).raster
    found = find_sheets(raster)
    assert found.edge_unsure == (True,)
    assert found.sheets[0].corners[2] == Point(raster.size.columns, raster.size.rows)


def test_clear_film_a_shade_below_a_clipped_bed_is_none():
    """What would bend the bed's surface towards it is the film's own border."""
    tone = np.full((300, 400), 0.001, np.float32)
    tone[30:250, 25:380] = -0.065
    tone[38:242, 30:375] = -1.2
    bed = grow_bed(tone, 0.001, 0.0)
    assert bed.mask[:29].all()
    assert not bed.mask[31:249, 26:379].any()


@pytest.mark.parametrize("ratio", [2, 3])
def test_unequal_resolutions_do_not_hide_a_skewed_sheet(ratio):
    """Sheets are searched on square pixels: sheared corners are no obstacle."""
    film = lone(8.0, radius=0)
    raster = scan([film], SHAPE)
    tall = np.repeat(raster.pixels, ratio, axis=0)
    found = find_sheets(changed(raster, tall, Dpi(DPI, ratio * DPI)))
    (sheet,) = found.sheets
    assert sheet.edges_seen == 4
    assert sheet.skew_deg == pytest.approx(8.0, abs=0.06)


@pytest.mark.parametrize("bed", [1.3, 0.3])
def test_an_unsharp_scan_still_shows_its_edges(bed):
    """On a bed that nothing on a film resembles, an edge may be as wide as the blur."""
    film = lone()
    raster = scan([film], SHAPE, bed)
    blurred = cv2.GaussianBlur(raster.pixels, (0, 0), 2.0)
    (sheet,) = find_sheets(changed(raster, blurred)).sheets
    assert sheet.edges_seen == 4
    assert corner_errors(sheet, film).max() < 2.5


@pytest.mark.parametrize("kind", ["log12", "inverse16", "flatbed8"])
def test_edges_lie_where_half_of_the_light_is_whatever_the_response(kind):
    """In log light a blurred edge of dense film seems to lie pixels further in."""
    film = lone(radius=0, bow=0, border="black")
    (sheet,) = find_sheets(scan([film], SHAPE, 0.85, kind=kind)).sheets
    assert corner_errors(sheet, film).max() < 1.0


@pytest.mark.parametrize("level", [200, 30000])
def test_a_seam_of_the_lid_is_not_an_edge(level):
    """A strip along the frame leaves the rest of the page, but a sheet's edges outweigh it."""
    film = lone(1.5)
    raster = scan([film], SHAPE)
    pixels = raster.pixels.copy()
    pixels[:18] = level
    (sheet,) = find_sheets(changed(raster, pixels)).sheets
    assert corner_errors(sheet, film).max() < 2.0


def test_a_sticker_at_the_frame_is_not_the_bed():
    """A short edge on a small level part of the frame bears out nothing."""
    film = Laid(620, 780, 640, 550, 1.5)
    raster = scan([film], SHAPE)
    pixels = raster.pixels[:, :840].copy()
    pixels[400:520, 760:] = 20000
    (sheet,) = find_sheets(changed(raster, pixels)).sheets
    assert sheet.edges_seen == 3
    assert sheet.skew_deg == pytest.approx(1.5, abs=0.05)


def test_tape_between_two_films_does_not_make_them_one():
    """What hangs together narrowly is cut where the edges then bear out more."""
    films = [Laid(380, 520, 230, 400, -1.0, seed=1), Laid(380, 520, 680, 400, 2.0, seed=2)]
    raster = scan(films, (800, 920))
    pixels = raster.pixels.copy()
    pixels[380:410, 380:520] = 22000
    sheets = find_sheets(changed(raster, pixels)).sheets
    assert len(sheets) == 2
    for sheet, film in zip(sheets, films, strict=True):
        assert corner_errors(sheet, film).max() < 2.0


@pytest.mark.parametrize("bed", [1.2, 0.0007])
@pytest.mark.parametrize("second", [(420, 640, -1.3), (560, 480, 2.4), (600, 690, 3.1)])
def test_two_films_that_touch_are_not_turned_by_the_angle_of_one(bed, second):
    """Nothing tells which of both angles to take: none is told, and no film is cut away."""
    width, height, skew = second
    first = Laid(600, 700, 450, 600, 0.3, seed=1)
    other = Laid(width, height, 750 + width / 2 - 12, 590, skew, seed=2)
    (sheet,) = find_sheets(scan([first, other], (1200, 1600), bed)).sheets
    assert sheet.skew_deg is None
    left, top = np.min(sheet.corners, axis=0)
    right, bottom = np.max(sheet.corners, axis=0)
    # Their corners are rounded.
    reach = np.array([*first.corners, *other.corners])
    assert (reach > [left - 4, top - 4]).all()
    assert (reach < [right + 4, bottom + 4]).all()


def test_one_side_cut_askew_leaves_a_film_its_angle():
    film = Laid(620, 780, 500, 550, 0.8, radius=0)
    raster = scan([film], SHAPE)
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    cut = x > 790 + (y - 550) * np.tan(np.radians(1.9))
    bed = int(np.median(raster.pixels[:60]))
    sheets = find_sheets(
        changed(raster, np.where(cut, bed, raster.pixels).astype(raster.pixels.dtype))
    ).sheets
    assert [sheet.skew_deg for sheet in sheets] == [pytest.approx(0.8, abs=1.0)]


@pytest.mark.parametrize("angle", [5.0, 12.0, -27.0])
def test_a_straight_bone_gives_no_angle(angle):
    """Parallel lines without a corner are no sheet, and tell no skew."""
    y, x = np.mgrid[0:900, 0:800].astype(np.float32)
    a = np.radians(angle)
    across = np.abs((x - 400) * np.sin(a) + (y - 450) * np.cos(a))
    bone = 1 / (1 + np.exp((across - 90) / 2.5))
    light = 10 ** -(2.6 - 1.8 * bone)
    noise = np.random.default_rng(0).normal(0, 1e-4, light.shape)
    pixels = np.clip((light + noise) * 65535, 0, 65535).astype(np.uint16)
    raster = Raster(pixels=pixels, bits=16, polarity=Polarity.MONOCHROME2, dpi=Dpi(DPI, DPI))
    assert all(sheet.skew_deg is None for sheet in find_sheets(raster).sheets)


@pytest.mark.parametrize("level", [242, 128])
def test_dust_and_a_hair_leave_a_bed_blank(level):
    """What is narrow and lies on level ground is neither print nor film."""
    rng = np.random.default_rng(3)
    bed = np.clip(rng.normal(level, 2, SHAPE), 0, 255).astype(np.uint8)
    for x, y in rng.integers(0, 1000, (50, 2)):
        cv2.circle(bed, (int(x), int(y)), 2, level // 2, -1)
    cv2.line(bed, (90, 0), (420, 1099), level // 2, 2)
    raster = Raster(pixels=bed, bits=8, polarity=Polarity.MONOCHROME2, dpi=Dpi(DPI, DPI))
    assert find_sheets(raster).kind is ScanKind.BLANK


@pytest.mark.parametrize("source", RADIOGRAPHS, ids=lambda one: one.name)
def test_a_radiograph_that_fills_the_frame_is_not_paper(source):
    """The ground of paper is flat; anatomy shades everywhere, however light and lettered it is."""
    page = radiograph(source.name)[60:-60, 60:-60]
    raster = Raster(pixels=page.copy(), bits=8, polarity=Polarity.MONOCHROME2, dpi=Dpi(DPI, DPI))
    assert find_sheets(raster).kind is ScanKind.FILM


def test_a_label_stuck_on_a_jacket_of_another_tone_is_paper():
    """Flat tones side by side are paper too."""
    page = np.full((700, 900), 180, np.uint8)
    page[150:500, 150:700] = 236
    for line in range(5):
        place = (180, 220 + 60 * line)
        cv2.putText(page, "CITY HOSPITAL 60313", place, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 60, 3)
    raster = Raster(pixels=page, bits=8, polarity=Polarity.MONOCHROME2, dpi=Dpi(DPI, DPI))
    assert find_sheets(raster).kind is ScanKind.LABEL


def test_a_film_that_fills_the_frame_is_not_cut_to_its_mask():
    film = Laid(1400, 1700, 700, 850, 0.1, border="mask", bow=0.3)
    (found,) = find_sheets(scan([film], (1690, 1390), bed=0.0007)).sheets
    assert found.edges_seen == 0
    assert np.abs(np.array(found.corners) - [[0, 0], [1390, 0], [1390, 1690], [0, 1690]]).max() < 6


@pytest.mark.parametrize(
    ("width", "looks"),
    [
        (748, {"radius": 16, "bow": 0.15}),  # 190 mm, which no film has; 4 mm round
        (945, {"radius": 0, "bow": 0.45}),  # 24 cm
    ],
)
def test_a_film_cut_off_on_a_dark_bed_is_no_printed_mask(width, looks):
    """Straight as its sides are, its corners are round, or it is as wide as a film."""
    frame = width + 100
    film = Laid(width, 1000, frame / 2, 550, 0.5, border="clear", **looks)
    raster = scan([film], (1100, frame), bed=0.0007)
    (sheet,) = find_sheets(changed(raster, raster.pixels[400:])).sheets
    assert sheet.edges_seen == 3
    assert sheet.skew_deg == pytest.approx(0.5, abs=0.03)
    assert sheet.size_mm.width == pytest.approx(width / DPI * 25.4, abs=0.5)


def test_what_is_longer_than_any_film_is_no_mask_on_one():
    film = Laid(800, 1860, 450, 980, 0.5, radius=0, bow=0, border="clear")
    (sheet,) = find_sheets(scan([film], (1960, 900), bed=0.0007)).sheets
    assert sheet.edges_seen == 4
    assert corner_errors(sheet, film).max() < 1.0


def in_line(height, gap, askew=0.0):
    """Two sheets of 24 cm, the second fed behind the first."""
    first = Laid(945, height, 600, 100 + height / 2, 0.3, radius=0)
    _, down = first.axes
    x, y = np.array([first.x, first.y]) + (height + gap) * down
    second = Laid(945, height, x, y, 0.3 + askew, radius=0)
    return scan([first, second], (round(200 + gap + 2 * height), 1250), bed=0.0007)


@pytest.mark.parametrize(
    ("height", "askew", "fed"),
    [(900, 0.0, True), (900, 0.6, False), (1181, 0.0, False)],
)
def test_two_sheets_between_the_same_lines_are_of_one_feed(height, askew, fed):
    """Where they overlap they are as dark as the bed; films of 24 x 30 cm lie side by side."""
    search = find_sheets(in_line(height, 60, askew))
    assert search.of_two == (fed, fed)
    assert all(sheet.edges_seen == 4 for sheet in search.sheets)
    assert [sheet.skew_deg for sheet in search.sheets] == pytest.approx(
        [0.3, 0.3 + askew], abs=0.03
    )


@pytest.mark.parametrize(("block", "sheets"), [(True, 1), (False, 2)])
def test_clear_film_is_no_bed_between_pictures_and_their_block(*, block, sheets):
    """An ID block tells: narrower than any film. Two small films lie on a bed of their own."""
    per_mm = 60 / 25.4
    pixels = np.full((600, 520), 57000.0)
    wide, high = (82, 26) if block else (102, 76)
    for left, top, width, height in ((12, 12, 170, 84), (20, 120, wide, high)):
        rows = slice(round(top * per_mm), round((top + height) * per_mm))
        pixels[rows, round(left * per_mm) : round((left + width) * per_mm)] = 20000
    pixels += np.random.default_rng(5).normal(0, 250, pixels.shape)
    raster = Raster(
        pixels=cv2.GaussianBlur(pixels, (0, 0), 0.7).astype(np.uint16),
        bits=16,
        polarity=Polarity.MONOCHROME2,
        dpi=Dpi(60, 60),
    )
    found = find_sheets(raster).sheets
    assert len(found) == sheets


def test_a_frame_kept_whole_says_so_where_a_line_within_is_as_sharp_as_a_cut():
    """A drawn film that fills the frame but for a side folded over: bed is kept beside it."""
    key = (3001, 3, 36)
    raster = cover(np.random.default_rng(key), draw_marked_scan(key), "side folded")
    search = find_sheets(raster)
    assert search.sheets[0].edges_seen == 0
    assert search.edge_unsure == (True,)
    assert "edge_unsure" in edge_unsure(quality(raster, search.sheets[0])).flags


@pytest.mark.parametrize(
    ("frame", "between", "framed"),
    [
        ((362, 435), (347, 404), True),
        ((362, 435), (355.6, 404), False),
        ((174, 210), (None, None), False),
        ((212, 162), (203, None), True),
    ],
)
def test_a_frame_cropped_to_a_film_leaves_it_little_room(frame, between, framed):
    """Edges as far apart as the film's own are its own: a flap may have made it shorter."""
    assert may_be_framed(SizeMm(*frame), between) is framed


def beside_truth(drawn, sheet):
    """Return how far a film's true corners lie within what was found, in pixels, and the angle."""
    (place,) = drawn.placements
    outline = np.array(sheet.corners, dtype=np.float32)
    inside = [
        cv2.pointPolygonTest(outline, (float(x), float(y)), True)
        for x, y in place.corners(drawn.scene.frame)
    ]
    return inside, abs((sheet.skew_deg - place.theta_deg + 45) % 90 - 45)


@pytest.mark.parametrize("key", [(74511, 1, 140), (74503, 1, 124), (74503, 1, 141)])
def test_no_border_on_a_film_outshines_the_scanner(key):
    """Drawn films on a saturated bed that shows on one side or two, with some line within them."""
    drawn = draw_scan(key, dpi=100)
    (sheet,) = find_sheets(drawn.raster).sheets
    inside, angle_off = beside_truth(drawn, sheet)
    assert np.abs(inside).max() < 2
    assert angle_off < 0.05


@pytest.mark.parametrize("number", [10001, 10014, 10022, 10029, 10030])
def test_an_over_exposed_scan_keeps_the_clear_rim_that_shines_like_its_bed(number):
    """Drawn films whose clear rim and bed are both beyond the range: only the picture stands out.

    As they were scanned, within the range, they are found as they are.
    """
    key = (73463, 1, number)
    drawn = draw_scan(key, dpi=100)
    (place,) = drawn.placements
    raster = spoil(np.random.default_rng(key), drawn, "clipped_high")
    search = find_sheets(raster)
    (sheet,) = search.sheets
    inside, angle_off = beside_truth(drawn, sheet)
    assert min(inside) > -1.0
    assert angle_off < 0.1
    assert search.edge_unsure == (True,)
    found = quality(raster, sheet)
    assert "clipped_high" in found.flags
    assert found.clipped_at
    within = find_sheets(drawn.raster)
    assert within.edge_unsure == (False,)
    width, height = sorted(place.size_mm)
    assert sorted((within.sheets[0].size_mm.width, within.sheets[0].size_mm.height)) == (
        pytest.approx([width, height], abs=1.0)
    )


@pytest.mark.parametrize(
    ("burnt", "over"), [(np.s_[200, 45:255], False), (np.s_[200:214, 60:74], True)]
)
def test_a_line_at_the_ceiling_is_no_film_beyond_the_range(burnt, over):
    """A saturated bed around film, and away from the film's edge a lost line, or a burnt place."""
    light = np.ones((400, 300), np.float32)
    light[30:370, 30:270] = 0.3
    # Where it is torn the bed shines through.
    light[30:34, 100:160] = 1.0
    light[burnt] = 1.0
    bed = grow_bed(np.log(light), 0.0, 0.0)
    assert bed is not None
    assert reaches_ceiling_inside(bed, light) is over


def test_a_collimators_border_within_a_mask_is_no_sheets_edge() -> None:
    """A drawn film on a dark bed: two cuts of it show, as straight as a mask's, in its own size."""
    scan = draw_scan((90777, 1, 1099), dpi=100)
    search = find_sheets(scan.raster)
    (sheet,) = search.sheets
    assert sheet.edges_seen == 2
    u, v = scan.placements[0].to_sheet(np.array(sheet.corners)).T
    width, height = scan.placements[0].size_mm
    assert (u.min(), u.max()) == pytest.approx((0, width), abs=0.5)
    assert (v.min(), v.max()) == pytest.approx((0, height), abs=3)
