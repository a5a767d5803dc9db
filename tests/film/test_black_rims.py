"""What cannot be told from the bed is kept as far as the film may reach, and no further."""

from dataclasses import replace

import numpy as np
import pytest
from film_phantoms import Laid, scan

from digitizer.film import find_sheets, quality
from digitizer.film.rendering import grid_of
from digitizer.film.sizes import lacking, lacking_across, lacking_along
from digitizer.model.units import SizeMm
from digitizer.rehearsal.covers import draw_marked_scan
from digitizer.rehearsal.defects import spoil
from digitizer.rehearsal.population import DrawnScan, draw_scan


def kept(scan: DrawnScan) -> list[float]:
    """Return the part of each true sheet that lies inside the best capture of it."""
    pitch = scan.scene.pixels_per_mm
    grids = [grid_of(one, scan.raster.dpi, margin=pitch) for one in find_sheets(scan.raster).sheets]
    parts = []
    for placement in scan.placements:
        steps = np.linspace(0.001, 0.999, 80)
        u, v = np.meshgrid(steps * placement.size_mm[0], steps * placement.size_mm[1])
        places = placement.to_scan(np.stack([u.ravel(), v.ravel()], axis=1)) - 0.5
        inside = []
        for grid in grids:
            x, y = np.linalg.solve(grid.matrix[:, :2], (places - grid.matrix[:, 2]).T)
            shown = (x > -0.5) & (y > -0.5) & (x < grid.columns - 0.5) & (y < grid.rows - 0.5)
            inside.append(float(shown.mean()))
        parts.append(max(inside))
    return parts


def over_mm(scan: DrawnScan) -> np.ndarray:
    """Return how far a capture reaches beyond the part of its true sheet in the frame, (4,)."""
    (sheet,), (placement,) = find_sheets(scan.raster).sheets, scan.placements
    u0, v0, u1, v1 = placement.visible_mm(scan.scene.frame)
    u, v = placement.to_sheet(np.array(sheet.corners)).T
    return np.array([u0 - u.min(), v0 - v.min(), u.max() - u1, v.max() - v1])


@pytest.mark.parametrize(("seed", "number"), [(5301, 7), (5301, 59), (5301, 123), (841, 46)])
def test_a_black_rim_that_looks_like_the_bed_is_kept(seed: int, number: int) -> None:
    """On beds of two to four films scanned in eight bits; their rims show no edge to anyone."""
    scan = draw_scan((seed, 2 + number % 3, number), sheets=2 + number % 3)
    assert min(kept(scan)) >= 0.9999


@pytest.mark.parametrize(
    ("seed", "number"),
    [
        (981, 23),  # anatomy ends along less than half of a side, 10 mm before the film
        (981, 89),  # the same, opposite to a side that fades
        (982, 111),  # two sizes of the trade would fit, each longer the one way
        (983, 149),
        (983, 139),  # 1 mm beyond a short straight line
        (8105, 29),  # an edge missed, where the other two are as far apart as a film's
        (41527, 6),  # noise on the bed, in eight bits, seemed darker places than the bed
        (984, 96),  # a rim hangs on to the next film, whose bed bears out longer edges
    ],
)
def test_what_a_doubtful_side_may_hide_is_kept(seed: int, number: int) -> None:
    """On drawn dark beds of two to four films."""
    scan = draw_scan((seed, 2 + number % 3, number), sheets=2 + number % 3, dpi=100)
    assert min(kept(scan)) >= 0.9999


def test_a_rim_too_narrow_to_measure_is_kept_beside_measured_ones() -> None:
    """A drawn film of 127 x 102 mm; the rim along one side is 1.1 mm wide."""
    sheet, _ = find_sheets(draw_scan((981, 2, 12), sheets=2, dpi=100).raster).sheets
    assert sheet.size_mm is not None
    assert sheet.size_mm.height > 101.9


@pytest.mark.parametrize(("seed", "number"), [(811, 2), (881, 386), (983, 84)])
def test_a_rim_is_kept_that_cannot_be_measured(seed: int, number: int) -> None:
    """The picture ends 2 mm before the frame, its sheet beyond; rims of 22 mm look like the bed."""
    scan = draw_scan((seed, 1, number), dpi=100)
    assert min(kept(scan)) >= 0.9999


@pytest.mark.parametrize(("seed", "number"), [(951, 178), (952, 360), (953, 226)])
def test_a_rim_blacker_than_the_bed_is_measured_like_one_that_is_alike(
    seed: int, number: int
) -> None:
    """Drawn films; so much of the rim looks unlike the bed that it hangs on to the picture."""
    assert over_mm(draw_scan((seed, 1, number), dpi=100)) == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize(("seed", "number"), [(901, 272), (901, 326), (901, 437)])
def test_a_strip_that_goes_on_beyond_a_picture_like_the_bed_tells_the_end(
    seed: int, number: int
) -> None:
    """Films whose picture melts into a bed along one side, but not the clear border beside it."""
    assert over_mm(draw_scan((seed, 1, number), dpi=100)) == pytest.approx(0.2, abs=0.7)


@pytest.mark.parametrize(("seed", "number"), [(901, 93), (951, 302)])
def test_an_edge_found_beyond_a_rim_is_not_moved_for_what_lacks_elsewhere(
    seed: int, number: int
) -> None:
    """Drawn films; of the first the rim opposite goes on to the frame, the second lacks nothing."""
    assert over_mm(draw_scan((seed, 1, number), dpi=100)) == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize(("seed", "number"), [(951, 91), (951, 282)])
def test_a_mask_is_not_widened_to_hold_the_sheet_it_is_printed_on(seed: int, number: int) -> None:
    """Drawn films on an open bed, of which one edge lies beyond the frame."""
    assert over_mm(draw_scan((seed, 1, number), dpi=100)) == pytest.approx(0.0, abs=0.3)


@pytest.mark.parametrize(("seed", "number"), [(953, 326), (953, 479)])
def test_a_rim_is_kept_of_a_film_that_goes_on_beyond_the_frame(seed: int, number: int) -> None:
    """Drawn films in eight bits: what shows between two sides is no film's width, or too long."""
    assert over_mm(draw_scan((seed, 1, number), dpi=100)).min() > -1.0


def test_what_lacks_to_a_film_that_goes_on_beyond_the_frame() -> None:
    """A film is at least as long as what shows of it."""
    assert lacking_across(239.9, 290.0, 25) is None
    assert lacking_across(239.9, 303.8, 25) == pytest.approx((14.1, 1.0), abs=0.01)
    assert lacking_across(318.7, 425.0, 25) is None
    assert lacking_across(318.7, 425.0, 40) == pytest.approx((36.9, 6.8), abs=0.01)


def test_a_film_half_of_which_shows_speaks_against_none_that_is_nearly_whole() -> None:
    """Of 178 x 430 mm, as wide as the picture, or of 180 x 240 with a rim as black as its bed."""
    assert lacking_across(177.3, 230.9, 25) == pytest.approx((2.7, 9.1), abs=0.01)
    assert lacking_across(177.3, 425.0, 25) is None
    marked = draw_marked_scan((10903, 3, 22), dpi=100).drawn
    assert over_mm(marked).min() > -1.0
    assert find_sheets(marked.raster).edge_unsure == (True,)


@pytest.mark.parametrize("kind", ["log16", "linear16"])
def test_films_with_rims_like_the_bed_stay_apart(kind: str) -> None:
    """Two films far from each other are two, also where one has no size of the trade."""
    films = [
        Laid(800, 1000, 550, 650, 0.6, border="dark", seed=3),
        Laid(690, 900, 1450, 650, -0.8, border="dark", seed=5),
    ]
    search = find_sheets(scan(films, (1300, 2000), 10**-3.17, kind=kind, noise=0.0005))
    assert search.of_two == (False, False)
    skews = [one.skew_deg for one in search.sheets]
    assert skews == [pytest.approx(0.6, abs=0.05), pytest.approx(-0.8, abs=0.05)]


def test_what_lacks_to_a_size_of_the_trade() -> None:
    """Either way up; nothing is told where no such size is near."""
    assert lacking(SizeMm(165.3, 215.6), 1) == pytest.approx((-0.2, 0.3))
    assert lacking(SizeMm(154.7, 205.9), 20) == pytest.approx((10.4, 10.0))
    assert lacking(SizeMm(205.9, 154.7), 20) == pytest.approx((10.0, 10.4))
    assert lacking(SizeMm(154.7, 205.9), 3) is None
    assert lacking(SizeMm(173.5, 123.8), 20) == pytest.approx((6.5, 6.2))
    assert lacking(SizeMm(97.7, 75.8), 25) == pytest.approx((3.9, 24.2))  # or 100 x 100
    assert lacking(SizeMm(500.0, 600.0), 20) is None


def test_a_rim_beside_a_block_is_kept() -> None:
    """The block bears the name, and is printed over the rim along a quarter of the side."""
    scan = draw_marked_scan((52639, 3, 14), dpi=100).drawn
    assert min(kept(scan)) >= 0.9999


def test_a_block_over_a_rim_that_shows_no_edge_is_kept() -> None:
    """Further down on the same film it hides half of the edge: only the block tells of the rim."""
    scan = draw_marked_scan((52639, 3, 14), dpi=100).drawn
    pixels = scan.raster.pixels.copy()
    block = pixels[30:590, :100].copy()
    pixels[20:600, :100] = pixels[1000:1580, :100]
    pixels[600:1160, :100] = block
    moved = replace(scan, raster=replace(scan.raster, pixels=pixels))
    assert min(kept(moved)) >= 0.9999
    assert find_sheets(moved.raster).edge_unsure == (True,)


def test_a_side_that_lies_otherwise_is_no_surer_than_its_opposite() -> None:
    """A shoulder ends in black along half of a side, askew: what lacks may lack there."""
    scan = draw_scan((74511, 4, 26), sheets=4, dpi=100)
    assert min(kept(scan)) >= 0.9999


def test_beside_a_grey_bed_a_doubtful_side_adds_no_wide_rim() -> None:
    """Black film is seen there; its sides are as straight as those of a mask by chance."""
    over = over_mm(draw_scan((74512, 1, 126), dpi=100))
    assert over.min() > -0.5
    assert over.max() < 6


def test_no_side_of_a_mask_is_surer_than_its_opposite() -> None:
    """Along half of one a limb ends in black; but the film goes on beyond the other as well."""
    assert min(kept(draw_scan((74514, 1, 2), dpi=100))) >= 0.9999


@pytest.mark.parametrize(("seed", "number"), [(78503, 98), (77501, 160)])
def test_a_masks_rim_that_goes_on_beyond_the_frame_is_kept(seed: int, number: int) -> None:
    """It is told from the bed by its level; of the first no edge shows anywhere."""
    assert over_mm(draw_scan((seed, 1, number), dpi=100)) == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize(("seed", "number"), [(78505, 189), (90101, 55)])
def test_what_lacks_to_a_film_may_lie_opposite_to_the_side_beyond_the_frame(
    seed: int, number: int
) -> None:
    """Rims of 9.7 mm too near to the frame to be measured, and of 4.4 mm, in eight bits."""
    scan = draw_scan((seed, 1, number), dpi=100)
    assert over_mm(scan).min() > -0.5
    assert over_mm(scan).max() < 2.0


def test_what_a_film_was_fed_too_far_is_not_sought_on_a_side_that_bows() -> None:
    """A drawn film in eight bits, 1.9 mm of which lie beyond the frame."""
    assert over_mm(draw_scan((90101, 1, 308), dpi=100)) == pytest.approx(0.0, abs=0.5)


def test_a_rim_as_wide_as_a_film_by_chance_is_no_film() -> None:
    """Of 254 x 304.8 mm, in eight bits; the mask leaves 240 mm, but 291 mm of no film as wide."""
    assert lacking_across(240.2, 290.6, 40) is None
    assert lacking_across(240.2, 290.6, 40, hidden=20.0) == pytest.approx((13.8, 14.2), abs=0.01)
    assert lacking_along(299.8, 234.5, 20) == pytest.approx(5.5)
    assert lacking_along(299.8, 260.0, 20) is None


def test_a_film_that_is_cut_off_is_not_made_whole_by_the_bed_beside_it() -> None:
    """It lacks 12 mm to a film's size; the bed beside its far side, 7 mm wide, is told by level."""
    key = (90891, 1, 10013)
    raster = spoil(np.random.default_rng(key), draw_scan(key, dpi=100), "film_cut_off")
    (sheet,) = find_sheets(raster).sheets
    assert "film_cut_off" in quality(raster, sheet).flags
