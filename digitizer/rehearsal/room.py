"""Make a rehearsal room: scans, index tables and the truth about them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitizer.errors import UsageError
from digitizer.rehearsal.block import print_block
from digitizer.rehearsal.edges import Outline, draw_outline
from digitizer.rehearsal.exams import write_tables
from digitizer.rehearsal.label import draw_label, write_label
from digitizer.rehearsal.paper import draw_report, draw_separator
from digitizer.rehearsal.plan import MANY_PICTURES, Film, Item, Jacket, draw_plan
from digitizer.rehearsal.scanner import SCANNERS, digitize, write_jpeg, write_png, write_tiff
from digitizer.rehearsal.scene import BEDS, Scene, lay_one, lay_pair
from digitizer.rehearsal.sheet import SIZES, SMALL_SIZES, Sheet, add_marker, expose
from digitizer.rehearsal.sources import MAMMOGRAMS, RADIOGRAPHS, mammogram
from digitizer.rehearsal.tablet import write_calibration
from digitizer.rehearsal.tiling import Lattice, print_pictures
from digitizer.rehearsal.truth import film_truth, scan_truth

__all__ = ["Room", "make_room"]

Pixels = NDArray[Any]
_MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Room:
    """What was made.

    Attributes
    ----------
    out : Path
        The room's folder.
    jackets, scans, films, patients, exams : int
        How many.
    """

    out: Path
    jackets: int
    scans: int
    films: int
    patients: int
    exams: int

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return {**asdict(self), "out": str(self.out)}


def make_room(
    out: Path,
    *,
    jackets: int,
    seed: int,
    hazards: bool = False,
    wear: float = 0.5,
    dpi: int = 150,
    small: bool = False,
    mammograms: bool = True,
    on_scan: Callable[[int, int], None] | None = None,
) -> Room:
    """Write a film room with known truth into a folder.

    Parameters
    ----------
    out : Path
        A new or empty folder.
    jackets : int
        How many jackets; hazards may add one.
    seed : int
        The same seed makes the same room.
    hazards : bool
        Plant misfiled films, duplicates, bad files and the like.
    wear : float
        0 (as new) to 1 (terrible).
    dpi : int
        Resolution of the scans.
    small : bool
        Small sheets only, few in a jacket: for samples and tests.
    mammograms : bool
        Put two real digitized mammograms into one jacket.
    on_scan : callable, optional
        Called after each scan with how many are made and how many there will be.

    Returns
    -------
    Room

    Raises
    ------
    UsageError
        The folder is not empty or cannot be written, or a number is out of range.
    MissingService
        A type face or a sample picture is not installed.
    """
    _check(out, jackets, wear, dpi)
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, 0])
    plan = draw_plan(
        rng,
        jackets=jackets,
        hazards=hazards,
        wear=wear,
        most_films=3 if small else 5,
        mammograms=mammograms,
        rng_of_pictures=np.random.default_rng([seed, 3]),
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_tables(out, plan.people, plan.exams, plan.rows)
        write_calibration(np.random.default_rng([seed, 1]), out / "calibration", dpi)
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written: {error.strerror}.", remedy="Name a folder you may write."
        ) from None
    maker = _Maker(out / "scans", seed, wear, dpi, SMALL_SIZES if small else SIZES)
    total = sum(len(jacket.items) for jacket in plan.jackets)
    scans: list[dict[str, Any]] = []
    for jacket in plan.jackets:
        for scan in maker.jacket(jacket):
            scans.append(scan)
            if on_scan is not None:
                on_scan(len(scans), total)
    head = {"seed": seed, "dpi": dpi, "wear": wear, "hazards": hazards, "jackets": jackets}
    text = json.dumps({**head, "scans": scans}, indent=1)
    (out / "truth.json").write_text(text + "\n", encoding="utf-8")
    films = sum(len(scan["films"]) for scan in scans)
    indexed = sum(exam.indexed for exam in plan.exams)
    return Room(out, len(plan.jackets), len(scans), films, len(plan.people), indexed)


def _check(out: Path, jackets: int, wear: float, dpi: int) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder.", remedy="Name a new folder.")
    if not 1 <= jackets <= 100_000:
        raise UsageError("A room has 1 to 100000 jackets.", remedy="Give --jackets such a number.")
    if not 0 <= wear <= 1:
        raise UsageError("Wear runs from 0 to 1.", remedy="Give --wear such a number.")
    if not 50 <= dpi <= 600:
        raise UsageError("Rooms are made at 50 to 600 dpi.", remedy="Give --dpi such a number.")


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A film drawn, and what is on it: a block one can read, a side marker."""

    sheet: Sheet
    outline: Outline
    legible: bool
    marker: str | None
    lattice: Lattice | None = None


class _Maker:
    """Draws jackets one after the other, and keeps what must be scanned twice."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        wear: float,
        dpi: int,
        sizes: tuple[tuple[float, float], ...],
    ) -> None:
        self.folder, self.seed, self.wear, self.dpi, self.sizes = folder, seed, wear, dpi, sizes
        self.pitch = dpi / _MM_PER_INCH
        self.scans = 0
        self.first_scan: dict[int, str] = {}

    def jacket(self, jacket: Jacket) -> Iterator[dict[str, Any]]:
        """Draw the scans of a jacket one by one; yield their truth."""
        place = self.folder / jacket.box / jacket.name
        place.mkdir(parents=True)
        for number, item in enumerate(jacket.items):
            yield self._item(jacket, item, place, number + 1)

    def _item(self, jacket: Jacket, item: Item, place: Path, number: int) -> dict[str, Any]:
        if item.hazard == MANY_PICTURES:
            # Not counted: what the others look like must not depend on it.
            rng = np.random.default_rng([self.seed, 4, item.films[0].number])
        else:
            self.scans += 1
            rng = np.random.default_rng([self.seed, 2, self.scans])
        stem = place / f"{number:04d}"
        if item.hazard == "byte_duplicate" and item.repeats is not None:
            return self._copy(jacket, item, stem)
        if item.kind == "film":
            path, films = self._film(rng, item, stem)
        elif item.kind == "unreadable":
            path, films = self._unreadable(rng, item, stem), []
        elif item.kind == "blank":
            path, films = self._blank(rng, stem), []
        else:
            path, films = None, []
        label: dict[str, str] | None = None
        if path is None:
            path, label = self._paper(rng, jacket, item, stem)
        source = path.relative_to(self.folder).as_posix()
        for film in item.films:
            self.first_scan.setdefault(film.number, source)
        earlier = self.first_scan[item.repeats] if item.repeats is not None else None
        return scan_truth(jacket, item, source, films, label=label, same_film_as=earlier)

    def _copy(self, jacket: Jacket, item: Item, stem: Path) -> dict[str, Any]:
        assert item.repeats is not None
        earlier = self.first_scan[item.repeats]
        path = stem.with_suffix(Path(earlier).suffix)
        path.write_bytes((self.folder / earlier).read_bytes())
        source = path.relative_to(self.folder).as_posix()
        return scan_truth(jacket, item, source, [], duplicate_of=earlier)

    def _film(
        self, rng: np.random.Generator, item: Item, stem: Path
    ) -> tuple[Path, list[dict[str, Any]]]:
        if item.films[0].mammogram is not None:
            return self._mammogram(rng, item.films[0], stem)
        drawn = [self._sheet(film, pair=len(item.films) > 1) for film in item.films]
        if len(drawn) == 1:
            scene = lay_one(rng, drawn[0].sheet, drawn[0].outline, self.wear)
        else:
            one, other = drawn
            tilts = [float(rng.normal(0, 1.5)) for _ in range(2)]
            scene = lay_pair(
                (
                    (one.sheet, one.outline, tilts[0]),
                    (other.sheet, other.outline, tilts[1]),
                ),
                gap_mm=float(rng.uniform(12, 25)),
                margin_mm=float(rng.uniform(10, 20)),
                bed=BEDS["open" if rng.random() < 0.6 else "dark"],
                wear=self.wear,
            )
        shares = [0.42, 0.22, 0.18, 0.18]
        scanner = SCANNERS[str(rng.choice(list(SCANNERS), p=shares))]
        pixels = digitize(rng, scene, scanner)
        dpi: float | None = self.dpi
        if item.hazard == "dpi_wrong":
            dpi = None if rng.random() < 0.5 else 72.0
        if not scanner.white_is_zero and rng.random() < 0.15:
            path = stem.with_suffix(".png")
            write_png(path, pixels, dpi=dpi)
        else:
            path = stem.with_suffix(".tif")
            write_tiff(rng, path, pixels, dpi=dpi, white_is_zero=scanner.white_is_zero)
        films = [
            film_truth(
                film,
                laid.placement,
                scene.frame,
                legible=made.legible,
                marker=made.marker,
                hazard=item.hazard,
                bed=scene.bed.name,
                scanner=scanner.name,
                lattice=made.lattice,
            )
            for film, laid, made in zip(item.films, scene.laid, drawn, strict=True)
        ]
        return path, films

    def _sheet(self, film: Film, *, pair: bool) -> "_Drawn":
        """Draw the film itself; the same film is the same sheet however often it is scanned."""
        rng = np.random.default_rng([self.seed, 1, film.number])
        if film.pictures is not None:
            return self._pictures(rng, film, film.pictures)
        source = RADIOGRAPHS[film.source]
        sizes = SMALL_SIZES if pair else self.sizes
        short, long = sizes[int(rng.integers(len(sizes)))]
        upright = not source.child and rng.random() < 0.2
        size = (short, long) if upright else (long, short)
        sheet = expose(rng, source, size, self.pitch, self.wear)
        marker: str | None = None
        if rng.random() < 0.3:
            marker = "L" if rng.random() < 0.5 else "R"
            initials = "".join(rng.choice(list("ABCDEHJKMPRST"), 2)) if rng.random() < 0.6 else ""
            add_marker(rng, sheet, marker, initials)
        legible = print_block(rng, sheet, film.block, wear=self.wear)
        return _Drawn(sheet, draw_outline(rng, size, self.wear), legible, marker)

    def _pictures(self, rng: np.random.Generator, film: Film, kind: str) -> "_Drawn":
        """Draw a sheet of many pictures with the block above them."""
        short, long = self.sizes[int(rng.integers(len(self.sizes)))]
        size = (short, long) if rng.random() < 0.7 else (long, short)
        person = film.exam.person
        words = (f"{person.family}^{person.given}", person.patient_id, film.exam.day.isoformat())
        sheet, lattice = print_pictures(
            rng, size, self.pitch, self.wear, kind=kind, strip_mm=26.0, words=words
        )
        legible = print_block(rng, sheet, film.block, wear=self.wear, corner=int(rng.integers(2)))
        return _Drawn(sheet, draw_outline(rng, size, self.wear), legible, None, lattice)

    def _mammogram(
        self, rng: np.random.Generator, film: Film, stem: Path
    ) -> tuple[Path, list[dict[str, Any]]]:
        """Write the whole digitizer frame, reduced by area to the room's resolution."""
        assert film.mammogram is not None
        picture = MAMMOGRAMS[film.mammogram]
        frame = mammogram(picture.name)
        scale = min(1.0, picture.pitch_mm * self.pitch)
        columns, rows = (round(side * scale) for side in (frame.shape[1], frame.shape[0]))
        small = cv2.resize(frame, (columns, rows), interpolation=cv2.INTER_AREA)
        dpi = _MM_PER_INCH / picture.pitch_mm * columns / frame.shape[1]
        path = stem.with_suffix(".tif")
        write_tiff(rng, path, small, dpi=dpi)
        corners = [[0, 0], [columns, 0], [columns, rows], [0, rows]]
        return path, [film_truth(film, None, (rows, columns), corners=corners)]

    def _unreadable(self, rng: np.random.Generator, item: Item, stem: Path) -> Path:
        path = stem.with_suffix(".tif")
        if item.hazard == "empty":
            path.write_bytes(b"")
        elif item.hazard == "garbage":
            path.write_bytes(rng.bytes(int(rng.integers(20_000, 60_000))))
        else:
            # A film whose transfer broke off.
            source = RADIOGRAPHS[int(rng.integers(len(RADIOGRAPHS)))]
            size = SMALL_SIZES[0][::-1]
            sheet = expose(rng, source, size, self.pitch, self.wear)
            scene = lay_one(rng, sheet, draw_outline(rng, size, self.wear), self.wear)
            write_tiff(rng, path, digitize(rng, scene, SCANNERS["linear16"]), dpi=self.dpi)
            whole = path.read_bytes()
            path.write_bytes(whole[: int(len(whole) * float(rng.uniform(0.3, 0.7)))])
        return path

    def _blank(self, rng: np.random.Generator, stem: Path) -> Path:
        bed = BEDS[str(rng.choice(["open", "dark", "grey"]))]
        shape = (round(250 * self.pitch), round(200 * self.pitch))
        scene = Scene(shape, bed, (), self.pitch, self.wear)
        path = stem.with_suffix(".tif")
        write_tiff(rng, path, digitize(rng, scene, SCANNERS["linear16"]), dpi=self.dpi)
        return path

    def _paper(
        self, rng: np.random.Generator, jacket: Jacket, item: Item, stem: Path
    ) -> tuple[Path, dict[str, str] | None]:
        fields: dict[str, str] | None = None
        if item.kind == "separator":
            picture = draw_separator(rng, pixels_per_mm=self.pitch, wear=self.wear)
        elif item.kind == "document":
            assert item.exam is not None
            picture = draw_report(rng, item.exam, pixels_per_mm=self.pitch, wear=self.wear)
        else:
            barcode = None
            if rng.random() < 0.45:
                person = jacket.person
                barcode = jacket.barcode if rng.random() < 0.5 else person.patient_id
            label = write_label(rng, jacket.person, jacket.exams, barcode, self.wear)
            fields = {**label.fields, "style": label.style}
            if barcode is not None:
                fields["barcode"] = barcode
            picture = draw_label(rng, label, pixels_per_mm=self.pitch, wear=self.wear)
        pixels: Pixels = picture
        if rng.random() < 0.3:
            pixels = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return _write_paper(rng, stem, pixels, self.dpi), fields


def _write_paper(rng: np.random.Generator, stem: Path, pixels: Pixels, dpi: int) -> Path:
    kind = str(rng.choice([".jpg", ".png", ".tif"], p=[0.5, 0.25, 0.25]))
    path = stem.with_suffix(kind)
    if kind == ".tif":
        write_tiff(rng, path, pixels, dpi=dpi)
    elif kind == ".png":
        write_png(path, pixels, dpi=dpi)
    else:
        write_jpeg(path, pixels, dpi=dpi, quality=int(rng.integers(72, 93)))
    return path
