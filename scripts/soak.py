"""Many films with random kills: nothing lost, nothing doubled, none under a wrong patient.

Rooms of films are taken in one after the other into one data folder, while workers, their parents,
Redis and the command itself are killed at random moments. What is killed is replaced, the command
is started again until its batch has settled. At the end the ledger, the archive and the truth are
compared, and the figures printed.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from pydicom import dcmread

from digitizer.rehearsal import make_room, score

DIGITIZER = str(Path(sys.executable).with_name("digitizer"))
VICTIMS = ("prefork", "imaging@", "archive@", "redis-server", "command")
JACKETS = 25
SETTLED = (0, 3)


@dataclass
class Figures:
    """What is printed at the end."""

    films: int = 0
    scans: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    claimed: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Soak; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=20.0, help="mean seconds between kills")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="digitizer-soak-"))
    chance, figures, start = random.Random(given.seed), Figures(), time.monotonic()
    try:
        number = 0
        while figures.films < given.films:
            number += 1
            _room(folder, given.seed * 1000 + number, chance, given.every, figures)
            print(f"{figures.films} films, {sum(figures.kills.values())} kills", flush=True)
        return _report(folder, figures, time.monotonic() - start)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _room(folder: Path, seed: int, chance: random.Random, every: float, figures: Figures) -> None:
    """Make a room, take it in under kills, and score what became of it."""
    room = folder / f"room-{seed}"
    make_room(room, jackets=JACKETS, seed=seed, hazards=True, dpi=86, small=True, mammograms=False)
    for index in ("patients", "exams", "jackets"):
        # Rooms are made apart: a number may be another's in an earlier one, and its row is refused.
        imported = subprocess.run(
            [*_command(folder), index, "import", str(room / f"{index}.csv")],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if imported.returncode not in (0, 1):
            raise SystemExit(f"soak: {index} cannot be imported")
    words = ["ingest", str(room / "scans"), "--batch", room.name, "--wait", "--timeout", "900"]
    while not _under_kills([*_command(folder), *words], chance, every, figures):
        pass
    shown = subprocess.run(
        [*_command(folder), "batch", "show", room.name, "--json"], check=True, capture_output=True
    )
    batch: dict[str, Any] = json.loads(shown.stdout)
    result = score(json.loads((room / "truth.json").read_text()), batch)
    figures.films += result.films
    figures.scans += len(batch["scans"])
    figures.lost += result.scans_missing + (0 if batch["settled"] else 1)
    figures.wrong += result.wrong
    figures.states.update(batch["counts"]["films"])
    figures.claimed.update(_uids(batch))
    shutil.rmtree(room)


def _command(folder: Path) -> list[str]:
    return [DIGITIZER, "--data-dir", str(folder / "data")]


def _under_kills(command: list[str], chance: random.Random, every: float, figures: Figures) -> bool:
    """Run the command and kill at random; True when it came to its end by itself."""
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while True:
        try:
            return running.wait(chance.expovariate(1 / every)) in SETTLED
        except subprocess.TimeoutExpired:
            victim = chance.choice(VICTIMS)
        if victim == "command":
            _kill_all(running)
            figures.kills[victim] += 1
            return False
        prey = [one for one in _children(running.pid) if victim in _words(one)]
        if prey:
            chance.choice(prey).kill()
            figures.kills[victim] += 1


def _children(parent: int) -> list[psutil.Process]:
    try:
        return psutil.Process(parent).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _kill_all(running: "subprocess.Popen[bytes]") -> None:
    """End the command and all it started, with no chance to tidy up."""
    started = _children(running.pid)
    running.kill()
    running.wait()
    for one in started:
        if one.is_running():
            one.kill()


def _uids(batch: dict[str, Any]) -> Iterator[str]:
    for scan in batch["scans"]:
        yield from scan["sop_instance_uids"]
        for film in scan["films"]:
            yield from film["sop_instance_uids"]


def _report(folder: Path, figures: Figures, seconds: float) -> int:
    """Compare the ledger with the archive, print, and return the exit code."""
    kept = Counter(
        str(dcmread(path, stop_before_pixels=True).SOPInstanceUID)
        for path in (folder / "data" / "archive").rglob("*.dcm")
    )
    doubled = sum(n - 1 for n in (figures.claimed + kept).values() if n > 2)
    unknown = len(kept - figures.claimed)
    missing = len(figures.claimed - kept)
    kills = ", ".join(f"{n} {victim}" for victim, n in sorted(figures.kills.items()))
    print(f"\nfilms {figures.films} in {figures.scans} scans, {seconds / 60:.0f} minutes")
    print(f"kills {sum(figures.kills.values())}: {kills}")
    print(f"films by state: {dict(figures.states)}")
    print(f"scans lost or unsettled: {figures.lost}")
    print(f"instances doubled {doubled}, in the archive only {unknown}, missing there {missing}")
    print(f"films filed wrongly: {len(figures.wrong)}")
    for text in figures.wrong:
        print(f"  {text}")
    return 1 if figures.lost or doubled or unknown or missing or figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
