"""Reading on drawn labels and film blocks with known words, beside the bare engines.

Labels and films are drawn from fixed seeds at three degrees of wear; films lie in any of the eight
ways. They go the product's own way (sheet, reading, fields, orientation); no index is asked. Each
figure stands beside how many it was measured on. Rates of wrong values count what was *stated*: a
field with a confidence of 0.8 or more. CPU time is that of one core, children included, from the
decoded scan to the fields, without finding the sheet. Handwriting counts as not legible, and so
does a field of a label of which too little is left for a person to read every sign
(digitizer/rehearsal/legibility.py), and a film block drawn faint.
"""

import argparse
import json
import re
import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytesseract
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from digitizer.engines import EngineSheetReader
from digitizer.film import find_sheets
from digitizer.model.film import Quality, SheetKind
from digitizer.model.raster import Polarity, Raster
from digitizer.pipeline.examine import FoundSheet, ReadSheet, read_sheet, whole_frame
from digitizer.reading import ReadingRules
from digitizer.rehearsal.specimens import FilmSpecimen, LabelSpecimen, draw_film, draw_jacket_label

WEARS = {"fresh": 0.1, "worn": 0.5, "bad": 0.9}
STATED = 0.8
"""Confidence from which a field counts as stated."""
AIMS = (
    "aims: label numbers 99 %, block numbers 95 %, label 1.2 s, film 0.8 s, ways 95 %, none wrong"
)
NAMES = (
    "patient_id", "family_name", "given_name", "middle_name", "name_suffix", "birth_date", "sex",
    "study_date", "accession_number", "description",
)  # fmt: skip


@dataclass(frozen=True)
class Read:
    """What was read on one specimen, beside what it bears."""

    number: int
    wear: str
    style: str
    legible: tuple[str, ...]
    marker: str | None
    true: dict[str, str]
    told: dict[str, tuple[str, float]]
    way: tuple[int | None, bool | None]
    true_way: tuple[int, bool]
    cpu: float
    lines: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    peers: dict[str, bool] = field(default_factory=dict)


class InMemory:
    """A decoder of the one scan that was drawn."""

    def __init__(self, raster: Raster) -> None:
        self._raster = raster

    def pages(self, path: Path) -> int:
        """Count the pages."""
        del path
        return 1

    def decode(self, path: Path, page: int = 0) -> Raster:
        """Return the scan."""
        del path, page
        return self._raster


def cpu_seconds() -> float:
    """Return the CPU time of this process and of the children it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


@cache
def reader() -> EngineSheetReader:
    """Return this process's reader, warm."""
    made = EngineSheetReader()
    made.read_label(np.full((200, 600), 255, np.uint8))
    return made


@cache
def rules() -> ReadingRules:
    """Return the built-in rules."""
    return ReadingRules()


@cache
def rapid() -> Any:
    """Return RapidOCR as it comes."""
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "error"})


def digitizer_reads(raster: Raster, kind: SheetKind) -> tuple[ReadSheet, float]:
    """Read a scan as the pipeline does; return what was read, and the CPU time of reading."""
    sheets = find_sheets(raster).sheets
    geometry = sheets[0] if sheets else whole_frame(raster)
    sheet = FoundSheet(page=0, kind=kind, geometry=geometry, quality=Quality())
    engines = reader()
    began = cpu_seconds()
    result = read_sheet(InMemory(raster), engines, rules(), Path(), sheet)
    return result, cpu_seconds() - began


def eight_bits(raster: Raster) -> NDArray[np.uint8]:
    """Return the scan as usual tools take it: grey, as light, stretched as a whole."""
    pixels: NDArray[Any] = raster.pixels
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    low, high = np.quantile(pixels, (0.002, 0.998))
    grey = np.clip((pixels.astype(np.float32) - low) * (255 / max(1.0, high - low)), 0, 255)
    whole = grey.astype(np.uint8)
    return 255 - whole if raster.polarity is Polarity.MONOCHROME1 else whole


def holds(text: str, number: str) -> bool:
    """Tell whether a text holds the number as a word of its own."""
    return re.search(rf"(?<![A-Z0-9]){re.escape(number)}(?![A-Z0-9])", text.upper()) is not None


def by_tesseract(picture: NDArray[np.uint8]) -> str:
    """Read a whole picture with Tesseract as it comes."""
    return str(pytesseract.image_to_string(Image.fromarray(picture)))


def by_rapidocr(picture: NDArray[np.uint8]) -> str:
    """Read a whole picture with RapidOCR as it comes."""
    found = rapid()(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    return "\n".join(found.txts or ())


PEERS: dict[str, Callable[[NDArray[np.uint8]], str]] = {
    "Tesseract": by_tesseract,
    "RapidOCR": by_rapidocr,
}


def of_peers(raster: Raster, number: str | None, *, wanted: bool) -> dict[str, bool]:
    """Tell which of the bare engines found the record number."""
    if not wanted or number is None:
        return {}
    picture = eight_bits(raster)
    return {name: holds(read(picture), number) for name, read in PEERS.items()}


def read_label(number: int, *, wear: str, seed: int, peers: int, keep: Path | None) -> Read:
    """Draw one label and read it."""
    cv2.setNumThreads(1)
    drawn: LabelSpecimen = draw_jacket_label(
        (seed, 1, list(WEARS).index(wear), number), wear=WEARS[wear]
    )
    result, cpu = digitizer_reads(drawn.raster, SheetKind.LABEL)
    legible = tuple(name for name in drawn.fields if drawn.is_legible(name))
    answer = Read(
        number, wear, drawn.style, legible, None, drawn.fields, _told(result),
        (result.geometry.turn_deg, False), (0, False), cpu, _lines(result),
        peers=of_peers(drawn.raster, drawn.fields.get("patient_id"), wanted=number < peers),
    )  # fmt: skip
    _keep(keep, f"label-{wear}-{number}", drawn.raster, answer)
    return answer


def read_film(number: int, *, wear: str, seed: int, peers: int, keep: Path | None) -> Read:
    """Draw one film and read its block; every fifth bears a part only."""
    cv2.setNumThreads(1)
    evidence = "partial" if number % 5 == 4 else "full"
    drawn: FilmSpecimen = draw_film(
        (seed, 2, list(WEARS).index(wear), number), wear=WEARS[wear], evidence=evidence
    )
    result, cpu = digitizer_reads(drawn.raster, SheetKind.FILM)
    geometry, block = result.geometry, drawn.block
    legible = tuple(block.fields) if drawn.legible and block.style != "written" else ()
    answer = Read(
        number, wear, block.style, legible, drawn.marker, dict(block.fields), _told(result),
        (geometry.turn_deg, geometry.mirrored), (drawn.turn_deg, drawn.mirrored), cpu,
        _lines(result), (*(one.code.value for one in result.reasons), f"block {block.turn_deg}"),
        of_peers(drawn.raster, block.fields.get("patient_id"), wanted=number < peers),
    )  # fmt: skip
    _keep(keep, f"film-{wear}-{number}", drawn.raster, answer)
    return answer


def _told(result: ReadSheet) -> dict[str, tuple[str, float]]:
    return {name.value: (one.value, one.confidence) for name, one in result.fields.items()}


def _lines(result: ReadSheet) -> tuple[str, ...]:
    return tuple(
        f"{one.engine[:5]} {one.turn_deg}{'m' if one.mirrored else ''} {one.confidence:.2f} "
        f"{one.text}"
        for one in result.reading.lines
    )


def _keep(folder: Path | None, name: str, raster: Raster, answer: Read) -> None:
    """Keep the picture of what was not read rightly."""
    bad = any(
        answer.told.get(key, ("",))[0] != answer.true.get(key, "")
        for key in ("patient_id", "family_name", "given_name")
        if key in answer.legible
    )
    if folder is not None and (bad or (answer.style and answer.way != answer.true_way)):
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{name}.png"), eight_bits(raster))


def same(name: str, told: str, true: str) -> bool:
    """Tell whether a value is exact; hyphens of names stand for spaces."""
    if name in ("family_name", "given_name"):
        return told.replace("-", " ") == true.replace("-", " ")
    return told == true


def share(right: int, count: int) -> str:
    """Return a share and what it is of."""
    return f"{right / count:6.1%} of {count:<4}" if count else "      - of 0   "


def print_fields(reads: list[Read]) -> None:
    """Print how many values were exact, and how many of those stated were wrong."""
    print("  field              exact where printed and legible     wrong of those stated")
    for name in NAMES:
        bearing = [one for one in reads if name in one.true and name in one.legible]
        right = sum(same(name, one.told.get(name, ("",))[0], one.true[name]) for one in bearing)
        stated = [one for one in reads if one.told.get(name, ("", 0.0))[1] >= STATED]
        wrong = sum(not same(name, one.told[name][0], one.true.get(name, "")) for one in stated)
        print(f"  {name:18} {share(right, len(bearing)):34}  {wrong} of {len(stated)}")


def print_numbers(reads: list[Read]) -> None:
    """Print exact record numbers by wear and by style, and those of the bare engines."""
    bearing = [one for one in reads if "patient_id" in one.true]

    def exact(some: Iterable[Read]) -> str:
        listed = list(some)
        right = sum(
            one.told.get("patient_id", ("",))[0] == one.true["patient_id"] for one in listed
        )
        return share(right, len(listed))

    for wear in WEARS:
        print(f"  numbers, {wear:9} {exact(r for r in bearing if r.wear == wear and _plain(r))}")
    for style in sorted({one.style for one in bearing}):
        print(f"  numbers, {style:9} {exact(one for one in bearing if one.style == style)}")
    asked = [one for one in bearing if one.peers and _plain(one)]
    for name in PEERS:
        print(f"  beside: {name:10} {share(sum(one.peers[name] for one in asked), len(asked))}")
    if asked:
        print(f"          digitizer  {exact(asked)}")


def _plain(one: Read) -> bool:
    return "patient_id" in one.legible


def print_cpu(reads: list[Read]) -> None:
    """Print the CPU time of reading one."""
    middle, most = np.percentile([one.cpu for one in reads], [50, 95])
    mean = float(np.mean([one.cpu for one in reads]))
    print(f"  CPU seconds: mean {mean:.2f}, median {middle:.2f}, 95 % within {most:.2f}")


def print_ways(films: list[Read]) -> None:
    """Print how often turn and mirror were told of films that bear a legible block or marker."""
    asked = [one for one in films if one.legible or one.marker]
    told = [one for one in asked if one.way[0] is not None]
    wrong = [one for one in films if one.way[0] is not None and one.way != one.true_way]
    print(f"  turn and mirror told    {share(len(told), len(asked))} wrong {len(wrong)}")
    why: Counter[str] = Counter()
    for one in asked:
        if one.way[0] is None:
            why[", ".join(one.reasons) + (" marker" if one.marker else "")] += 1
    for reasons, count in why.most_common(8):
        print(f"    not told: {count} {reasons}")
    for one in wrong:
        print(f"    WRONG {one.wear} {one.number}: {one.way}, truly {one.true_way}")


def print_misses(reads: list[Read], most: int) -> None:
    """Print what was read on specimens whose number or name is not exact."""
    for one in reads:
        missed = [
            f"{name}: {one.told.get(name)} for {one.true.get(name)}"
            for name in NAMES
            if not same(name, one.told.get(name, ("", 0.0))[0], one.true.get(name, ""))
            and (name in one.legible or one.told.get(name, ("", 0.0))[1] >= STATED)
        ]
        if missed and most > 0:
            most -= 1
            print(f"  -- {one.wear} {one.number} {one.style} {one.reasons}")
            for text in (*missed, *one.lines):
                print(f"       {text}")


def main() -> int:
    """Draw, read and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--labels", type=int, default=120, help="labels of each wear")
    parser.add_argument("--films", type=int, default=120, help="films of each wear")
    parser.add_argument("--wear", nargs="+", choices=sorted(WEARS), default=list(WEARS))
    parser.add_argument("--peers", type=int, default=20, help="of each, how many bare engines read")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="number of the first specimen")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--misses", type=int, default=0, help="print so many misses")
    parser.add_argument("--keep", type=Path, help="keep pictures of misses in this folder")
    parser.add_argument("--json", type=Path, help="write every answer to this file")
    arguments = parser.parse_args()
    answers: dict[str, list[Read]] = defaultdict(list)
    with ProcessPoolExecutor(arguments.workers) as pool:
        for title, read, count in (
            ("labels", read_label, arguments.labels), ("films", read_film, arguments.films)
        ):  # fmt: skip
            for wear in arguments.wear:
                work = partial(
                    read, wear=wear, seed=arguments.seed, peers=arguments.peers,
                    keep=arguments.keep,
                )  # fmt: skip
                numbers = range(arguments.first, arguments.first + count)
                answers[title] += track(pool.map(work, numbers), f"{wear} {title}", count)
    print(AIMS)
    for title, reads in answers.items():
        if not reads:
            continue
        print(f"\n{len(reads)} {title}")
        print_fields(reads)
        print_numbers(reads)
        print_cpu(reads)
        if title == "films":
            print_ways(reads)
        print_misses(reads, arguments.misses)
    if arguments.json:
        every = {title: [one.__dict__ for one in reads] for title, reads in answers.items()}
        arguments.json.write_text(json.dumps(every, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
