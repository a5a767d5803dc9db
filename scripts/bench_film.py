"""Geometry and defects on drawn films with known truth, beside other tools on the same films.

Accuracy is printed with its coverage: what could not be told, and of how many. Every film differs
in bed, response, size, skew, edges and wear; the seed is told, so that a figure can be had again.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from deskew import determine_skew
from jdeskew.estimator import get_angle
from numpy.typing import NDArray
from rich.progress import track

from digitizer.film import find_sheets, find_tiles, is_covered, quality, reading_picture, two_in_one
from digitizer.film.rendering import grid_of
from digitizer.model.film import Geometry, TileGrid
from digitizer.model.raster import Raster
from digitizer.rehearsal.covers import COVERS, cover, draw_marked_scan
from digitizer.rehearsal.defects import DEFECTS, can_have, coarsened, spoil
from digitizer.rehearsal.geometry import Placement
from digitizer.rehearsal.population import DrawnScan, draw_pictures_scan, draw_scan
from digitizer.rehearsal.tiling import agrees

FINE_DPI = 160.0
"""Fine enough for all that needs no more than a chest."""
COARSE = "low_resolution"
Told = TypeVar("Told")

PEERS = ("jdeskew", "deskew", "ImageMagick")


@dataclass(frozen=True)
class Answer:
    """What was told of one film, and the truth of it."""

    seed: tuple[int, ...]
    kind: str
    edges: int
    skew_error: float | None
    corner_mm: float
    kept: float
    peers: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Spoilt:
    """What one film is complained about for, and how far its angle is off, by the defect given.

    None: no angle was told.
    """

    seed: tuple[int, ...]
    flags: dict[str, tuple[str, ...]]
    skew_errors: dict[str, float | None]


@dataclass(frozen=True)
class Bed:
    """What was told of one bed."""

    seed: tuple[int, ...]
    kind: str
    true: int
    found: int
    answers: tuple[Answer, ...]


def away(told: float, true: float) -> float:
    """Return how far two angles differ, modulo a quarter turn."""
    return abs((told - true + 45) % 90 - 45)


def box_of(geometry: Geometry) -> NDArray[np.float64]:
    """Return the corners as an array, (4, 2)."""
    return np.array(geometry.corners, dtype=np.float64)


def nearest(truth: NDArray[np.float64], found: Iterable[Geometry]) -> Geometry | None:
    """Return the sheet whose middle is nearest to the true one's."""
    middle = truth.mean(axis=0)
    return min(found, key=lambda one: float(np.hypot(*(box_of(one).mean(axis=0) - middle))),
               default=None)  # fmt: skip


def corner_error(truth: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Return the mean distance of the corners, whichever is named the first."""
    ways = [np.roll(one, n, axis=0) for one in (found, found[::-1]) for n in range(4)]
    return min(float(np.linalg.norm(way - truth, axis=1).mean()) for way in ways)


def kept_part(scan: DrawnScan, placement: Placement, geometry: Geometry) -> float:
    """Return the part of the sheet in the frame that lies inside the capture."""
    rows, columns = scan.raster.pixels.shape
    steps = np.linspace(0.0005, 0.9995, 160)
    u, v = np.meshgrid(steps * placement.size_mm[0], steps * placement.size_mm[1])
    places = placement.to_scan(np.stack([u.ravel(), v.ravel()], axis=1))
    shown = places[((places >= 0) & (places <= [columns, rows])).all(axis=1)]
    grid = grid_of(geometry, scan.raster.dpi, margin=scan.scene.pixels_per_mm)
    back = np.linalg.inv(grid.matrix[:, :2])
    x, y = back @ (shown - 0.5 - grid.matrix[:, 2]).T
    inside = (x >= -0.5) & (y >= -0.5) & (x <= grid.columns - 0.5) & (y <= grid.rows - 0.5)
    return float(inside.mean())


def measure(number: int, *, seed: int, sheets: int, dpi: float, wear: float, peers: bool) -> Bed:
    """Draw one scan and ask all of its sheets."""
    cv2.setNumThreads(1)
    if sheets > 1:
        sheets = 2 + number % 3
    key = (seed, sheets, number)
    scan = draw_scan(key, sheets=sheets, dpi=dpi, wear=wear)
    kind = f"{scan.scene.bed.name}/{scan.scanner.name}"
    found = find_sheets(scan.raster).sheets
    answers = []
    for placement in scan.placements:
        truth = placement.corners(scan.scene.frame)
        geometry = nearest(truth, found)
        if geometry is None:
            continue
        told = geometry.skew_deg
        answers.append(
            Answer(
                seed=key,
                kind=kind,
                edges=placement.edges_seen(scan.scene.frame),
                skew_error=None if told is None else away(told, placement.theta_deg),
                corner_mm=corner_error(truth, box_of(geometry)) / scan.scene.pixels_per_mm,
                kept=kept_part(scan, placement, geometry),
                peers=ask_peers(scan, placement.theta_deg) if peers and sheets == 1 else {},
            )
        )
    return Bed(key, kind, len(scan.placements), len(found), tuple(answers))


def flags_of(number: int, *, seed: int, dpi: float, wear: float, only: tuple[str, ...]) -> Spoilt:
    """Return what is complained about on a drawn film as it is, and with each defect named."""
    cv2.setNumThreads(1)
    key = (seed, 1, 10_000 + number)
    scan = draw_scan(key, dpi=dpi, wear=wear)
    true = scan.placements[0].theta_deg
    found = {"": judged(scan.raster, true)}
    for defect in only:
        if defect != COARSE and can_have(scan, defect):
            found[defect] = judged(spoil(np.random.default_rng(key), scan, defect), true)
    if COARSE in only:
        # Drawn finer, a film lies otherwise.
        finer = draw_scan(key, dpi=max(dpi, FINE_DPI), wear=wear)
        true = finer.placements[0].theta_deg
        found["fine"] = judged(finer.raster, true)
        found[COARSE] = judged(coarsened(np.random.default_rng(key), finer.raster), true)
    return Spoilt(
        key,
        {name: flags for name, (flags, _) in found.items()},
        {name: error for name, (_, error) in found.items()},
    )


def judged(raster: Raster, true_deg: float) -> tuple[tuple[str, ...], float | None]:
    """Return the complaints about the first sheet of a scan, and how far its angle is off."""
    search = find_sheets(raster)
    if not search.sheets:
        return quality(raster, None).flags, None
    found = quality(raster, search.sheets[0])
    flags = (two_in_one(found) if search.of_two[0] else found).flags
    told = search.sheets[0].skew_deg
    return flags, None if told is None else away(told, true_deg)


@dataclass(frozen=True)
class Covered:
    """Whether a part of a film is told to be hidden, and how far its angle is off, by cover."""

    seed: tuple[int, ...]
    told: dict[str, bool]
    skew_errors: dict[str, float | None]


def covers_of(number: int, *, seed: int, dpi: float, wear: float) -> Covered:
    """Ask a film as it is, and under each cover.

    Films without a block and sheets of many pictures are asked as well.
    """
    cv2.setNumThreads(1)
    key = (seed, 3, number)
    scan = draw_marked_scan(key, dpi=dpi, wear=wear)
    plain = draw_scan(key, dpi=dpi, wear=wear)
    pictures = draw_pictures_scan(key, dpi=dpi, wear=wear)
    found = {
        "as it is": looked_over(scan.drawn),
        "without a block": looked_over(plain),
        "many pictures": looked_over(pictures),
    }
    for kind in COVERS:
        hidden = cover(np.random.default_rng(key), scan, kind)
        found[kind] = looked_over(replace(scan.drawn, raster=hidden))
    return Covered(
        key,
        {name: told for name, (told, _) in found.items()},
        {name: error for name, (_, error) in found.items()},
    )


def looked_over(scan: DrawnScan) -> tuple[bool, float | None]:
    """Ask the first sheet of a scan, and how far its angle is off; nothing is read for it."""
    sheets = find_sheets(scan.raster).sheets
    if not sheets:
        return False, None
    told = sheets[0].skew_deg
    error = None if told is None else away(told, scan.placements[0].theta_deg)
    return is_covered(reading_picture(scan.raster, sheets[0]), scan.raster.dpi), error


def report_covers(answers: list[Covered], worst: int) -> None:
    """Print how often labels and folds are told, by kind, and told where there are none."""
    films = [one.told for one in answers]
    told = sum(one[kind] for one in films for kind in COVERS)
    print(f"\n{len(films)} films with a block, each as it is and covered in {len(COVERS)} ways:")
    for kind in COVERS:
        print(f"  {kind:22} told on {sum(one[kind] for one in films)} of {len(films)}")
    print(f"  all                    told on {told / len(films) / len(COVERS):.1%}")
    for kind in ("as it is", "without a block", "many pictures"):
        print(f"  false alarm, {kind:16} {sum(one[kind] for one in films)} of {len(films)}")
    report_angles(answers, worst)
    if worst:
        for kind in films[0]:
            wrong = [one.seed for one in answers if one.told[kind] is not (kind in COVERS)]
            print(f"    wrong, {kind}: {wrong[:worst]}")


def report_angles(films: Sequence[Spoilt | Covered], worst: int) -> None:
    """Print how far the angles of spoilt films are off: none may be beyond one degree."""
    told = [
        (error, one.seed, name)
        for one in films
        for name, error in one.skew_errors.items()
        if error is not None
    ]
    asked = sum(len(one.skew_errors) for one in films)
    wrong = sorted((one for one in told if one[0] > 1), reverse=True)
    print(f"  skew: {spread([error for error, *_ in told])}; answered {len(told) / asked:.1%} of "
          f"{asked}; beyond 1 degree: {len(wrong)}")  # fmt: skip
    for error, seed, name in wrong[:worst]:
        print(f"    {seed} {name}: {error:.2f} degrees off")


def report_defects(films: list[Spoilt], only: tuple[str, ...], worst: int) -> None:
    """Print how often each defect is told, and told where it is not; name some of the errors."""
    print(f"\n{len(films)} films, each as it is and with {', '.join(only)}:")
    for defect in only:
        plain = "fine" if defect == COARSE else ""
        told = [one for one in films if defect in one.flags]
        missed = [one.seed for one in told if defect not in one.flags[defect]]
        false = [one.seed for one in films if defect in one.flags[plain]]
        if told:
            print(f"  {defect:15} told on {1 - len(missed) / len(told):.1%} of {len(told)}, "
                  f"false alarm on {len(false) / len(films):.1%}")  # fmt: skip
        if worst and (missed or false):
            print(f"    missed {missed[:worst]}, false {false[:worst]}")
    report_angles(films, worst)


@dataclass(frozen=True)
class Pictures:
    """What was told of a sheet of many pictures, and of an ordinary scan's films."""

    seed: tuple[int, ...]
    bordered: bool
    whole: bool
    told: bool
    right: bool
    films: int
    false: int


def pictures_of(number: int, *, seed: int, dpi: float, wear: float) -> Pictures:
    """Look for the pictures on a drawn sheet of many, and on ordinary films."""
    cv2.setNumThreads(1)
    key = (seed, 2, number)
    scan = draw_pictures_scan(key, dpi=dpi, wear=wear)
    found = lattices_of(scan.raster)
    grid = found[0] if len(found) == 1 else None
    assert scan.lattice is not None
    right = grid is not None and agrees(scan.lattice, scan.placements[0], np.array(grid.boxes))
    ordinary = lattices_of(draw_scan(key, sheets=1 + number % 4, dpi=dpi, wear=wear).raster)
    false = sum(one is not None for one in ordinary)
    return Pictures(
        key, scan.lattice.framed, len(found) == 1, grid is not None, right, len(ordinary), false
    )


def lattices_of(raster: Raster) -> list[TileGrid | None]:
    """Return the lattice, or None, of every sheet that is found."""
    sheets = find_sheets(raster).sheets
    return [find_tiles(reading_picture(raster, one), raster.dpi) for one in sheets]


def report_pictures(sheets: list[Pictures]) -> None:
    """Print how often lattices are right, not told, and told where there is none."""
    print(f"\n{len(sheets)} sheets of many pictures:")
    for name, of in (("with borders", True), ("black in black", False)):
        some = [one for one in sheets if one.bordered is of]
        if not some:
            continue
        told = [one for one in some if one.told]
        whole = np.mean([one.whole for one in some])
        right = np.mean([one.right for one in some])
        sure = np.mean([one.right for one in told])
        print(f"  {name:15} right on {right:.1%} of {len(some)}, told on "
              f"{len(told) / len(some):.1%}, right where told {sure:.1%}; "
              f"sheet found whole {whole:.1%}")  # fmt: skip
    films = sum(one.films for one in sheets)
    false = sum(one.false for one in sheets)
    print(f"  false alarm on {false} of {films} ordinary films")


def ask_peers(scan: DrawnScan, true: float) -> dict[str, float | None]:
    """Return the errors of other tools on the same film, eight bits of it."""
    pixels = scan.raster.pixels.astype(np.float32)
    top = max(float(np.quantile(pixels, 0.999)), 1.0)
    grey = np.clip(pixels * (255 / top), 0, 255).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.png"
        cv2.imwrite(str(path), grey)
        done = subprocess.run(
            ["convert", str(path), "-deskew", "40%", "-format", "%[deskew:angle]", "info:"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    told = {
        "jdeskew": -float(get_angle(grey)),
        "deskew": determine_skew(grey),
        "ImageMagick": float(done.stdout) if done.stdout.strip() else None,
    }
    return {
        name: None if angle is None else away(float(angle), true) for name, angle in told.items()
    }


def spread(errors: list[float]) -> str:
    """Return the quantiles of errors."""
    if not errors:
        return "no answer"
    middle, most, nearly = np.quantile(errors, [0.5, 0.95, 0.995])
    return f"median {middle:.4f}, 95 % {most:.3f}, 99.5 % {nearly:.3f}, most {max(errors):.3f}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--films", type=int, default=240)
    parser.add_argument("--beds", type=int, default=120, help="scans of two to four films")
    parser.add_argument("--defects", type=int, default=60, help="films to be spoilt")
    parser.add_argument("--only", nargs="+", choices=(*DEFECTS, COARSE), metavar="DEFECT",
                        default=(*DEFECTS, COARSE), help="of the defects, only these")  # fmt: skip
    parser.add_argument("--covers", type=int, default=40, help="films to be covered or folded")
    parser.add_argument("--pictures", type=int, default=100, help="sheets of many pictures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dpi", type=float, default=100.0)
    parser.add_argument("--wear", type=float, default=0.5)
    parser.add_argument("--processes", type=int, help="as many as there are cores unless told")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--worst", type=int, default=0, help="name so many of the worst")
    given = parser.parse_args()
    only = tuple(given.only)
    shared = {"seed": given.seed, "dpi": given.dpi, "wear": given.wear}
    with ProcessPoolExecutor(given.processes) as pool:
        asked = partial(ask, pool)
        one = partial(measure, sheets=1, peers=not given.no_peers, **shared)
        if singles := asked(one, given.films, "films"):
            report_films(singles)
        few = partial(measure, sheets=2, peers=False, **shared)
        if beds := asked(few, given.beds, "beds"):
            report_beds(beds)
        if given.worst and (singles or beds):
            name_worst(singles, beds, given.worst)
        spoilt = partial(flags_of, only=only, **shared)
        if films := asked(spoilt, given.defects, "defects"):
            report_defects(films, only, given.worst)
        if covers := asked(partial(covers_of, **shared), given.covers, "covers"):
            report_covers(covers, given.worst)
        if sheets := asked(partial(pictures_of, **shared), given.pictures, "pictures"):
            report_pictures(sheets)
    return 0


def ask(pool: Executor, one: Callable[[int], Told], count: int, name: str) -> list[Told]:
    """Ask so many of one kind; each part is printed when it is done, so that a stop loses none."""
    if not count:
        return []
    sys.stdout.flush()
    return list(track(pool.map(one, range(count)), name, count))


def report_films(singles: list[Bed]) -> None:
    """Print the figures of films that lie alone."""
    films = [answer for bed in singles for answer in bed.answers]
    clear = [one for one in films if one.edges >= 2]
    told = [one.skew_error for one in clear if one.skew_error is not None]
    print(f"{len(films)} films alone, {len(clear)} with two edges or more in the frame")
    print(f"skew, two edges: {spread(told)} degrees; answered {len(told) / len(clear):.1%}")
    for name in PEERS:
        theirs = [one.peers[name] for one in clear if one.peers.get(name) is not None]
        if theirs:
            print(f"  {name:12} {spread([float(e) for e in theirs if e is not None])}")
    every = [one.skew_error for one in films if one.skew_error is not None]
    wrong = sum(error > 1 for error in every)
    print(f"skew, all: {spread(every)}; answered {len(every) / len(films):.1%}; "
          f"beyond 1 degree: {wrong}")  # fmt: skip
    corners = np.array([one.corner_mm for one in films])
    near = np.array([one.corner_mm for one in clear])
    print(
        f"corners within 0.5 mm: {np.mean(near <= 0.5):.1%} with two edges, "
        f"{np.mean(corners <= 0.5):.1%} of all; 95 % {np.quantile(near, 0.95):.2f} mm"
    )
    kept = [one.kept >= 0.9999 for one in films]
    print(f"no film cut away: {np.mean(kept):.1%} of films")
    alone = np.mean([bed.found == 1 for bed in singles])
    print(f"one sheet found where there is one: {alone:.1%}")


def report_beds(beds: list[Bed]) -> None:
    """Print the figures of films that lie beside others."""
    right = np.mean([bed.found == bed.true for bed in beds])
    pieces = [answer for bed in beds for answer in bed.answers]
    print(f"\n{len(beds)} beds of two to four films: number right on {right:.1%}")
    angles = [one.skew_error for one in pieces if one.skew_error is not None]
    few = [one.corner_mm <= 0.5 for one in pieces]
    print(f"  skew: {spread(angles)}; corners within 0.5 mm: {np.mean(few):.1%}")
    whole = sum(one.kept >= 0.9999 for one in pieces)
    wrong = sum(error > 1 for error in angles)
    print(f"  answered on {len(angles)} of {len(pieces)}; beyond 1 degree: {wrong}; "
          f"no film cut away: {whole} of {len(pieces)}")  # fmt: skip


def name_worst(singles: list[Bed], beds: list[Bed], most: int) -> None:
    """Name what went worst, to be drawn again and looked at."""
    films = sorted((a for bed in singles for a in bed.answers), key=lambda one: -one.corner_mm)
    for one in films[:most]:
        print(one.seed, one.kind, one.edges, one.skew_error, round(one.corner_mm, 2), one.kept)
    pieces = sorted((a for bed in beds for a in bed.answers), key=lambda one: -one.corner_mm)
    for one in pieces[:most]:
        print(one.seed, one.kind, one.edges, one.skew_error, round(one.corner_mm, 2), one.kept)
    miscounted = [bed for bed in [*singles, *beds] if bed.found != bed.true]
    for bed in miscounted[:most]:
        print(bed.seed, bed.kind, f"{bed.found} for {bed.true}")
    silent = [a for bed in singles for a in bed.answers if a.skew_error is None and a.edges >= 2]
    for one in silent[:most]:
        print(one.seed, one.kind, one.edges, "no skew told")
    cut = [a for bed in (*singles, *beds) for a in bed.answers if a.kept < 0.9999]
    for one in cut[:most]:
        print(one.seed, one.kind, one.edges, "cut away", round(1 - one.kept, 5))
    print(Counter(bed.kind for bed in miscounted))


if __name__ == "__main__":
    sys.exit(main())
