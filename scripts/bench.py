"""Speed on one 14x17 in film at 300 dpi, 16 bit, beside the floor and beside the usual script.

The floor is what the libraries cannot go below: decode, one cubic resampling, JPEG-LS, fsync. The
script is what a user would otherwise write: ImageMagick, Tesseract, img2dcm, storescu. Read the
ratios; single times tell of the machine.
"""

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import cv2
import imagecodecs
import numpy as np
import tifffile

from digitizer import __version__, dicom, film
from digitizer.engines import EngineSheetReader
from digitizer.ledger import FolderVault
from digitizer.model.instance import CaptureOrder, Provenance, Uids
from digitizer.pipeline.examine import find_on_page, read_sheet
from digitizer.reading import ReadingRules
from digitizer.rehearsal import make_room
from digitizer.scan.decoding import FileDecoder

RUNS = 3


def timed(work: Callable[[], object], runs: int = RUNS) -> tuple[float, float]:
    """Return the median wall and CPU seconds of some runs, children included."""
    walls, cpus = [], []
    for _ in range(runs):
        before = [
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        start = time.perf_counter()
        work()
        walls.append(time.perf_counter() - start)
        after = [
            resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ]
        cpus.append(
            sum(
                b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime
                for a, b in zip(before, after, strict=True)
            )
        )
    return float(np.median(walls)), float(np.median(cpus))


def biggest_film(folder: Path) -> Path:
    """Make a room at 300 dpi and return its largest 16-bit film, as uncompressed TIFF."""
    make_room(folder / "room", jackets=2, seed=12, dpi=300, mammograms=False)
    scans = sorted((folder / "room" / "scans").rglob("*.tif"), key=lambda one: -one.stat().st_size)
    for scan in scans:
        raster = FileDecoder().decode(scan)
        if raster.bits == 16 and not raster.is_colour:
            target = folder / "film.tif"
            tifffile.imwrite(target, raster.pixels, photometric="minisblack",
                             resolution=(300, 300), resolutionunit="INCH")  # fmt: skip
            return target
    raise SystemExit("bench: the room holds no 16-bit film")


def floor(source: Path, folder: Path) -> None:
    """Decode, resample once, encode, write through: straight through the libraries."""
    pixels = tifffile.imread(source)
    rows, columns = pixels.shape
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), 1.2, 1.0)
    warped = cv2.warpAffine(pixels, turn, (columns, rows), flags=cv2.INTER_CUBIC)
    coded = imagecodecs.jpegls_encode(warped, out=warped.nbytes * 2)
    target = folder / "floor.jls"
    with target.open("wb") as out:
        out.write(coded)
        out.flush()
        os.fsync(out.fileno())


def script(source: Path, folder: Path, port: int) -> None:
    """Do what a user would otherwise write; the archive listens on a port of this machine."""
    straight, jpeg = folder / "s.tif", folder / "s.jpg"
    convert = ["convert", str(source), "-deskew", "40%", "-fuzz", "10%", "-trim", "+repage"]
    for command in (
        [*convert, "-normalize", str(straight)],
        ["tesseract", str(straight), str(folder / "s"), "--psm", "11"],
        ["convert", str(straight), "-depth", "8", str(jpeg)],
        ["img2dcm", str(jpeg), str(folder / "s.dcm")],
        [
            "storescu",
            "-aet",
            "BENCH",
            "-aec",
            "ARCHIVE",
            "-xy",
            "127.0.0.1",
            str(port),
            str(folder / "s.dcm"),
        ],
    ):
        subprocess.run(command, capture_output=True, check=True)


@contextmanager
def receiver() -> Iterator[int]:
    """Run dcmtk's storescp, which takes everything and keeps nothing; yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(["storescp", "--ignore", "+xa", str(port)])
    try:
        while subprocess.run(["echoscu", "127.0.0.1", str(port)], capture_output=True).returncode:
            if process.poll() is not None:
                raise SystemExit("bench: storescp does not come up")
        yield port
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    """Measure and print."""
    cv2.setNumThreads(1)
    decoder, reader, rules = FileDecoder(), EngineSheetReader(), ReadingRules()
    folder = Path(tempfile.mkdtemp(prefix="digitizer-bench-"))
    try:
        source = biggest_film(folder)
        raster = decoder.decode(source)
        print(f"one film of {raster.size.columns} x {raster.size.rows}, 16 bit, one process\n")
        vault = FolderVault(folder / "vault")
        sheet = find_on_page(decoder, source, 0).sheets[0]
        read = read_sheet(decoder, reader, rules, source, sheet)
        order = CaptureOrder(
            uids=Uids(*(f"2.25.{uuid4().int}" for _ in range(3))),
            instance_number=1,
            made_at=datetime.now(UTC),
            provenance=Provenance(
                scan_sha256="0" * 64, scanned_at=datetime.now(UTC), software_version=__version__
            ),
        )

        def find() -> object:
            return find_on_page(FileDecoder(), source, 0)

        def claim() -> object:
            with source.open("rb") as stream:
                return FolderVault(folder / f"v{uuid4().hex}", reserve=0).put(stream)

        def wrap() -> object:
            rendered = film.render(FileDecoder().decode(source), read.geometry)
            return vault.put(dicom.make_film(order, rendered).content)

        stages = {
            "floor": timed(lambda: floor(source, folder)),
            "claim": timed(claim),
            "find (decode 1)": timed(find),
            "read": timed(lambda: read_sheet(decoder, reader, rules, source, sheet)),
            "wrap (decode 2)": timed(wrap),
        }
        with receiver() as port:
            stages["script"] = timed(lambda: script(source, folder, port), 1)
        base = stages["floor"]
        print(f"{'':18}{'wall s':>8}{'CPU s':>8}{'CPU / floor':>13}")
        for name, (wall, cpu) in stages.items():
            print(f"{name:18}{wall:8.2f}{cpu:8.2f}{cpu / base[1]:13.2f}")
        work = [stages[name] for name in ("claim", "find (decode 1)", "wrap (decode 2)")]
        without = sum(cpu for _, cpu in work)
        whole = without + stages["read"][1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\nCPU up to wrapped without reading: {without / base[1]:.2f} x the floor (aim 1.5)")
        print(f"CPU of reading: {stages['read'][1]:.2f} s (aim 2)")
        print(f"CPU a film in all: {whole:.2f} s; {60 / whole:.0f} films a minute and core")
        print(f"CPU of the script / ours: {stages['script'][1] / whole:.1f}")
        cores = os.cpu_count() or 1
        faster = stages["script"][0] * cores / whole
        print(
            f"throughput with {cores} processes / the script's, film by film: {faster:.1f} (aim 5)"
        )
        print(f"peak memory of this process: {peak:.0f} MiB (aim 1024)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
