"""How hard rehearsal rooms are: what usual tools make of their films and labels, beside ours.

Rooms are made in a temporary folder from the seeds given. On their films jdeskew, ImageMagick and
digitizer tell the skew, on their labels Tesseract and digitizer read the record number; the truth
is the room's. A room must not be easier than a film library: the aims stand in samples/README.md.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytesseract
from jdeskew.estimator import get_angle
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from digitizer.engines import EngineSheetReader
from digitizer.errors import DigitizerError
from digitizer.model.reading import FieldName
from digitizer.pipeline.examine import find_on_page, read_sheet
from digitizer.reading import ReadingRules
from digitizer.rehearsal import make_room
from digitizer.scan.decoding import FileDecoder

Grey = NDArray[np.uint8]


@dataclass
class Skews:
    """Errors of one tool on films, in degrees; what it could not tell is no number."""

    errors: list[float] = field(default_factory=list)
    abstained: int = 0

    def add(self, told: float | None, true: float) -> None:
        """Count one answer, modulo a quarter turn."""
        if told is None:
            self.abstained += 1
        else:
            self.errors.append(abs((told - true + 45) % 90 - 45))

    def __str__(self) -> str:
        """Return median, 95 % and shares."""
        if not self.errors:
            return f"no answer on {self.abstained} films"
        middle, most = np.percentile(self.errors, [50, 95])
        far = sum(one > 1 for one in self.errors)
        return (
            f"median {middle:.3f}, 95 % {most:.3f} degrees, {far} beyond 1 degree; n = "
            f"{len(self.errors)}, {self.abstained} without an answer"
        )


@dataclass
class Reads:
    """Record numbers one reader read exactly, by the style of the label."""

    right: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    wrong: int = 0

    def add(self, style: str, *, right: bool, wrong: bool = False) -> None:
        """Count one label; *wrong* is a number given that is not the label's."""
        self.seen[style] = self.seen.get(style, 0) + 1
        self.right[style] = self.right.get(style, 0) + right
        self.wrong += wrong

    def __str__(self) -> str:
        """Return the share in all and by style."""
        right, seen = sum(self.right.values()), sum(self.seen.values())
        styles = ", ".join(
            f"{style} {self.right[style]}/{count}" for style, count in sorted(self.seen.items())
        )
        return f"{right / max(1, seen):.0%} of n = {seen} ({styles})"


def as_8_bit(path: Path, bits: int) -> Grey:
    """Return the scan as an 8-bit grey picture, its high bits as they are."""
    raster = FileDecoder().decode(path, 0)
    pixels = raster.pixels
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(np.asarray(pixels), cv2.COLOR_RGB2GRAY)
    shift = max(0, bits - 8)
    return np.asarray(pixels >> shift, dtype=np.uint8)


def of_imagemagick(picture: Grey, folder: Path) -> float | None:
    """Return what ``convert -deskew 40%`` calls the angle; counter-clockwise positive."""
    path = folder / "picture.png"
    cv2.imwrite(str(path), picture)
    done = subprocess.run(
        ["convert", str(path), "-deskew", "40%", "-format", "%[deskew:angle]", "info:"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return float(done.stdout)
    except ValueError:
        return None


def of_digitizer(path: Path) -> float | None:
    """Return the skew that digitizer finds on the first sheet of a scan."""
    try:
        sheets = find_on_page(FileDecoder(), path, 0).sheets
    except DigitizerError:
        return None
    return sheets[0].geometry.skew_deg if sheets else None


def reads_number(text: str, number: str) -> bool:
    """Tell whether a text holds the number as a word of its own."""
    return re.search(rf"(?<![A-Z0-9]){re.escape(number)}(?![A-Z0-9])", text.upper()) is not None


def read_by_digitizer(path: Path) -> str | None:
    """Return the record number that digitizer reads on a label, without any index."""
    decoder = FileDecoder()
    sheets = find_on_page(decoder, path, 0).sheets
    if not sheets:
        return None
    number = read_sheet(decoder, READER, RULES, path, sheets[0]).fields.get(FieldName.PATIENT_ID)
    return number.value if number is not None else None


READER, RULES = EngineSheetReader(), ReadingRules()


def make_rooms(folder: Path, arguments: argparse.Namespace) -> list[tuple[Path, dict[str, Any]]]:
    """Make a room a seed; return its scans and their truth."""
    scans: list[tuple[Path, dict[str, Any]]] = []
    for seed in arguments.seeds:
        room = folder / f"room-{seed}"
        started = time.perf_counter()
        made = make_room(
            room,
            jackets=arguments.jackets,
            seed=seed,
            wear=arguments.wear,
            dpi=arguments.dpi,
            mammograms=False,
        )
        seconds = time.perf_counter() - started
        print(f"seed {seed}: {made.scans} scans of {made.films} films made in {seconds:.0f} s")
        truth = json.loads((room / "truth.json").read_text("utf-8"))
        scans += [(room / "scans" / one["source"], one) for one in truth["scans"]]
    return scans


def spread(items: list[Any], most: int) -> list[Any]:
    """Return at most so many of the items, evenly taken."""
    if len(items) <= most:
        return items
    return [items[int(at)] for at in np.linspace(0, len(items) - 1, most)]


def measure_films(films: list[tuple[Path, dict[str, Any]]], folder: Path) -> dict[str, Skews]:
    """Ask each tool for the skew of each film."""
    out = {name: Skews() for name in ("jdeskew", "ImageMagick", "digitizer")}
    for path, true in track(films, "films"):
        film = true["films"][0]
        picture = as_8_bit(path, {"log12": 12, "flatbed8": 8}.get(film["scanner"], 16))
        skew = float(film["skew_deg"])
        answers = {
            "jdeskew": -float(get_angle(picture)),
            "ImageMagick": of_imagemagick(picture, folder),
            "digitizer": of_digitizer(path),
        }
        for name, told in answers.items():
            out[name].add(told, skew)
        if VERBOSE:
            print(path.name, film["scanner"], film["bed"], f"{skew:.2f}", answers)
    return out


def measure_labels(labels: list[tuple[Path, dict[str, Any]]], *, ours: bool) -> dict[str, Reads]:
    """Let each reader read each label, whole and as it is."""
    ways: dict[str, Callable[[Path], str]] = {
        "Tesseract": lambda path: str(pytesseract.image_to_string(Image.open(path))),
        "Tesseract --psm 6": lambda path: str(
            pytesseract.image_to_string(Image.open(path), config="--psm 6")
        ),
    }
    out = {name: Reads() for name in [*ways, *(["digitizer"] if ours else [])]}
    for path, true in track(labels, "labels"):
        number, style = true["label"]["patient_id"], true["label"]["style"]
        for name, read in ways.items():
            out[name].add(style, right=reads_number(read(path), number))
        if ours:
            told = read_by_digitizer(path)
            out["digitizer"].add(style, right=told == number, wrong=told not in (None, number))
    return out


VERBOSE = False


def main() -> int:
    """Measure and print."""
    global VERBOSE
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jackets", type=int, default=32, help="jackets a room")
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102])
    parser.add_argument("--dpi", type=int, default=150)
    parser.add_argument("--wear", type=float, default=0.5)
    parser.add_argument("--films", type=int, default=80, help="measure at most so many films")
    parser.add_argument("--labels", type=int, default=400, help="and so many labels")
    parser.add_argument("--no-ours", action="store_true", help="leave our own reader out: faster")
    parser.add_argument("--verbose", action="store_true", help="print every film's answers")
    parser.add_argument("--keep", type=Path, help="keep the rooms in this folder")
    arguments = parser.parse_args()
    VERBOSE = arguments.verbose
    cv2.setNumThreads(1)
    folder = Path(tempfile.mkdtemp(prefix="digitizer-rooms-"))
    try:
        scans = make_rooms(arguments.keep or folder, arguments)
        films = [one for one in scans if len(one[1]["films"]) == 1]
        labels = [one for one in scans if one[1]["kind"] == "label"]
        skews = measure_films(spread(films, arguments.films), folder)
        print(f"\nSkew of films, {arguments.dpi} dpi, wear {arguments.wear}:")
        for name, one in skews.items():
            print(f"  {name:20} {one}", flush=True)
        reads = measure_labels(spread(labels, arguments.labels), ours=not arguments.no_ours)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("Record numbers read exactly on labels:")
    for label_reader, read in reads.items():
        print(f"  {label_reader:20} {read}")
    if not arguments.no_ours:
        print(f"  digitizer gave another number than the label's on {reads['digitizer'].wrong}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
