"""An old PACS brought over into an archive, beside movescu and storescu on the same peers.

Makes an old archive with known truth, loads its PACS part into one Orthanc, and brings it over
into another with ``digitizer migrate``: once on a good line for the time it takes, beside dcmtk's
movescu and storescu on the same files and peers; once on a bad line (C-FIND capped at 100, every
200th association aborted, the peer away for a minute, the command and its workers killed) for what
comes of it. Its discs and its storage folder are brought over too, killed on the way, and a large
folder is walked. Then every instance of the new archive is compared with the file it was made from,
and every study with the truth.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from orthanc_server import Orthanc, free_port  # noqa: E402

from digitizer.rehearsal.old import BadLine, make_archive  # noqa: E402

DIGITIZER = str(Path(sys.executable).with_name("digitizer"))
TITLE, NAME = "DIGITIZER", "old-pacs"
CAP, ABORT_EVERY = 100, 200
KILLED_AT = (0.07, 0.2)
"""Shares of the instances: early, so that one process goes a long way and shows its memory."""
MARKS = (1000, 2000, 5000, 10_000, 18_000)
"""Instances stored at which memory is told."""
FLAT = 1.15
PAGES = 64 << 20
"""SQLite's cache of the ledger's pages, which fills up as the ledger grows."""
_LOOK_S = 5.0
AIM = 0.8
STUDIES_AT_ONCE = 500
# Else every message of theirs waits for the acknowledgement of the one before, 40 ms on Linux.
os.environ["TCP_NODELAY"] = "1"  # dcmtk, Orthanc in it, on either side
SENT = ("stored", "committed", "verified")


@dataclass
class Truth:
    """What the made-up archive says of one of its parts; ``planted``: how many files are how."""

    studies: dict[str, dict[str, Any]]
    files: dict[str, dict[str, Any]]
    folder: Path

    planted: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, folder: Path, place: str = "pacs") -> "Truth":
        """Read it."""
        told = json.loads((folder / "truth.json").read_text())
        files = [one for one in told["files"] if one["place"] == place]
        return cls(
            {one["study"]: one for one in told["studies"] if one["place"] == place},
            {one["sop_instance"]: one for one in files},
            folder,
            Counter(one["fault"] for one in files),
        )


@dataclass
class Memory:
    """Resident memory of a process and its children: instances stored, all together, the most."""

    seen: list[tuple[int, int, int]] = field(default_factory=list)

    def sample(self, pid: int, stored: int) -> None:
        """Look at a process and all that it started."""
        total = most = 0
        for one in _family(pid):
            try:
                size = one.memory_info().rss
            except psutil.Error:
                continue
            total, most = total + size, max(most, size)
        self.seen.append((stored, total, most))


def main() -> int:
    """Bring an old PACS over; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--made", type=Path, help="an archive made before")
    parser.add_argument(
        "--only", choices=("speed", "faults", "files", "walk"), help="one part of it"
    )
    parser.add_argument("--away", type=float, default=60.0, help="seconds that the peer is away")
    parser.add_argument("--files", type=int, default=20_000, help="in the folder to be walked")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="digitizer-migrate-"))
    failures: list[str] = []
    try:
        made = given.made or folder / "made"
        if given.only in (None, "walk"):
            failures += _walk(folder, given.files)
        if given.made is None and given.only != "walk":
            make_archive(made, studies=given.studies, seed=given.seed)
        if given.only in (None, "files"):
            failures += _files(folder, made)
        if given.only not in ("files", "walk"):
            truth = Truth.read(made)
            print(f"{len(truth.studies)} studies, {len(truth.files)} instances at the old PACS")
            listen, reports = free_port(), free_port()
            with Orthanc(folder / "old", listen, TITLE) as old:
                _load(old, truth)
                if given.only != "faults":
                    failures += _speed(folder, old, listen, reports, truth)
                if given.only != "speed":
                    failures += _faults(folder, old, truth, given.away)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def _load(old: Orthanc, truth: Truth) -> None:
    url = f"http://127.0.0.1:{old.http_port}/instances"
    for one in truth.files.values():
        content = (truth.folder / one["path"]).read_bytes()
        urlopen(Request(url, data=content, method="POST"), timeout=30).close()
    held = old.rest("/statistics")["CountInstances"]
    assert held == len(truth.files), f"the old PACS took {held} of {len(truth.files)} instances"


# -- speed ----------------------------------------------------------------------------------------


def _speed(folder: Path, old: Orthanc, listen: int, reports: int, truth: Truth) -> list[str]:
    """Compare by instances moved from one archive and into the other, each counted, a second."""
    with _target(folder / "target-dcmtk", reports) as target:
        moving, storing, cpu, moved, stored = _dcmtk(folder / "moved", old, listen, target, truth)
    plain = (moved + stored) / (moving + storing)
    print(f"dcmtk: movescu {moved} instances in {moving:.0f} s, storescu {stored} in {storing:.0f}"
          f" s: {plain:.1f} moves a second, {cpu:.0f} s of CPU")  # fmt: skip
    port = free_port()
    with _target(folder / "target-speed", port) as target:
        site = Site(folder / "data-speed", target, port)
        site.index(truth.folder)
        site.add(old.dicom_port)
        started, before = time.monotonic(), _cpu()
        site.run()
        seconds, cpu = time.monotonic() - started, _cpu() - before
        there = site.all_there_at - started
        told = site.told()
    moves = told["found"] + told["stored"]
    print(f"digitizer migrate: {told['found']} fetched, {told['stored']} stored in {there:.0f} s, "
          f"{told['verified']} committed and verified in {seconds:.0f} s: {moves / there:.1f} and "
          f"{moves / seconds:.1f} moves a second, {cpu:.0f} s of CPU")  # fmt: skip
    slow, whole = moves / there / plain, moves / seconds / plain
    print(f"throughput beside dcmtk: {slow:.2f} until all is stored, hashed, decided and written "
          f"down (aim: {AIM:.2f}); {whole:.2f} with commitment, reading back and asking the old "
          "PACS once more")  # fmt: skip
    return [*site.print_memory(), *([f"throughput: {slow:.2f} of dcmtk's"] if slow < AIM else [])]


def _cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _dcmtk(
    folder: Path, old: Orthanc, listen: int, target: Orthanc, truth: Truth
) -> tuple[float, float, float, int, int]:
    """Move all into a folder, as many studies by one movescu as it takes, then store the folder.

    Returns the seconds of either, of CPU, and how many instances came where.
    """
    folder.mkdir()
    started, before = time.monotonic(), _cpu()
    studies = list(truth.studies)
    for at in range(0, len(studies), STUDIES_AT_ONCE):
        uids = "\\".join(studies[at : at + STUDIES_AT_ONCE])
        subprocess.run(
            ["movescu", "-S", "-aet", TITLE, "-aem", TITLE, "-aec", old.ae_title, "+xa", "-pdu",
             "131072", "+P", str(listen), "-od", str(folder), "-k", "0008,0052=STUDY",
             "-k", f"0020,000d={uids}", "127.0.0.1", str(old.dicom_port)],
            check=False, capture_output=True,
        )  # fmt: skip
    moving = time.monotonic() - started
    moved = sum(1 for _ in folder.iterdir())
    subprocess.run(
        ["storescu", "-aet", TITLE, "-aec", target.ae_title, "+sd", "+r", "-nh", "-pdu", "131072",
         "-xf", str(_proposals(folder.parent, truth)), "Any", "127.0.0.1", str(target.dicom_port),
         str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    storing = time.monotonic() - started - moving
    there = int(target.rest("/statistics")["CountInstances"])
    return moving, storing, _cpu() - before, moved, there


def _proposals(folder: Path, truth: Truth) -> Path:
    """Write what storescu proposes: each class in each syntax it comes in."""
    kinds = sorted({(one["sop_class"], one["syntax"]) for one in truth.files.values()})
    syntaxes = sorted({syntax for _, syntax in kinds})
    lines = ["[[TransferSyntaxes]]"]
    for at, syntax in enumerate(syntaxes):
        lines += [f"[S{at}]", f"TransferSyntax1 = {syntax}"]
    lines += ["[[PresentationContexts]]", "[Any]"]
    for at, (sop_class, syntax) in enumerate(kinds, 1):
        lines.append(f"PresentationContext{at} = {sop_class}\\S{syntaxes.index(syntax)}")
    lines += ["[[Profiles]]", "[Any]", "PresentationContexts = Any", ""]
    path = folder / "proposals.cfg"
    path.write_text("\n".join(lines))
    return path


@contextmanager
def _target(folder: Path, reports: int) -> Iterator[Orthanc]:
    with Orthanc(folder, reports, TITLE) as target:
        yield target


# -- the product ----------------------------------------------------------------------------------


class Site:
    """A data folder, and the commands given in it."""

    def __init__(self, folder: Path, target: Orthanc, reports: int) -> None:
        self.memory = Memory()
        self._name = NAME
        self.all_there_at = 0.0
        self._target = target
        self._environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "DIGITIZER_DATA_DIR": str(folder),
            "DIGITIZER_ARCHIVE__HOST": target.host,
            "DIGITIZER_ARCHIVE__PORT": str(target.dicom_port),
            "DIGITIZER_ARCHIVE__AE_TITLE": target.ae_title,
            "DIGITIZER_LISTENER__PORT": str(reports),
            "DIGITIZER_LISTENER__AE_TITLE": TITLE,
            "DIGITIZER_PIPELINE__UNDO_WINDOW_S": "0",
        }

    def command(self, *words: str) -> str:
        """Give a command; returns what it prints."""
        done = subprocess.run(
            [DIGITIZER, *words], env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 3), f"{words}: {done.returncode} {done.stderr[-2000:]}"
        return done.stdout

    def index(self, made: Path) -> None:
        """Import the index that was made up with the archive."""
        for what in ("patients", "exams"):
            self.command(what, "import", str(made / f"{what}.csv"))

    def add(self, port: int) -> None:
        """Name the old PACS."""
        self.name(f"ORTHANC@127.0.0.1:{port}", "pacs", NAME)

    def name(self, place: str, kind: str, name: str, *more: str) -> None:
        """Name an older archive; it is the one to speak of from now on."""
        self._name = name
        self.command(
            "migrate", "add", place, "--kind", kind, "--name", name, "--issuer", "CITYGEN",
            "--as", "bench", *more,
        )  # fmt: skip

    def start(self) -> "subprocess.Popen[bytes]":
        """Begin bringing it over."""
        return subprocess.Popen(
            [DIGITIZER, "migrate", "run", self._name, "--timeout", "86400", "--json"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def run(self, running: "subprocess.Popen[bytes] | None" = None) -> None:
        """Bring it over to the end, with an eye on memory."""
        running = running or self.start()
        while running.poll() is None:
            self.look(running)
            time.sleep(1)
        assert running.returncode in (0, 3), f"migrate run: {running.returncode}"

    def look(self, running: "subprocess.Popen[bytes]") -> int:
        """Note the memory; returns how many instances the archive has by now."""
        stored = int(self._target.rest("/statistics")["CountInstances"])
        if not self.memory.seen or stored != self.memory.seen[-1][0]:
            self.all_there_at = time.monotonic()
        self.memory.sample(running.pid, stored)
        return stored

    def told(self) -> dict[str, Any]:
        """Return the reconciliation."""
        found: dict[str, Any] = json.loads(self.command("migrate", "show", self._name, "--json"))
        return found

    def studies(self) -> list[dict[str, Any]]:
        """Return the studies as they stand."""
        found: list[dict[str, Any]] = json.loads(
            self.command("migrate", "studies", self._name, "--json")
        )
        return found

    def print_memory(self) -> list[str]:
        """Print the memory on the way; returns what is wrong with it."""
        most = {at: self._most_around(at) for at in MARKS}
        told = ", ".join(f"{_mib(size)} at {at}" for at, size in most.items() if size)
        seen = self.memory.seen
        last = max((stored for stored, _, _ in seen), default=0)
        end = max((size for stored, _, size in seen if stored >= 0.9 * last), default=0)
        total = max((size for _, size, _ in seen), default=0)
        print(f"memory of the largest process by instances stored: {told}; {_mib(end)} in the last "
              f"tenth, up to {last}; all together at most {_mib(total)}")  # fmt: skip
        first = most[MARKS[0]]
        if first and last >= MARKS[-2] and end > FLAT * first:
            return [f"memory: {end / first:.2f} of what it was at {MARKS[0]} (aim: {FLAT})"]
        return []

    def _most_around(self, mark: int) -> int:
        """Return what the largest process took around a count of instances."""
        near = [size for stored, _, size in self.memory.seen if abs(stored - mark) <= mark // 5]
        return max(near, default=0)


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


# -- files ----------------------------------------------------------------------------------------


def _files(folder: Path, made: Path) -> list[str]:
    """Bring discs and a storage folder over, killed on the way; every planted fault in its list."""
    failures: list[str] = []
    port = free_port()
    with _target(folder / "target-files", port) as target:
        site = Site(folder / "data-files", target, port)
        site.index(made)
        seen: dict[str, dict[str, Any]] = {}
        for place, kind in (("discs", "disc"), ("storage", "storage")):
            truth = Truth.read(made, place)
            seen |= truth.files
            site.name(str(made / place), kind, place)
            for share in KILLED_AT:
                running = site.start()
                before = site.look(running)
                _wait_for(site, running, before + int(len(truth.files) * share))
                _kill(running)
            site.run()
            told, planted = site.told(), truth.planted
            there = [path for path in (made / place).rglob("*") if path.is_file()]
            lists = sum(path.name == "DICOMDIR" for path in there)
            refused = Counter(told["refused"])
            expected = {
                "found": (told["found"], len(there)),
                "missing": (told["missing"], planted["missing"]),
                "truncated": (refused["truncated_file"], planted["truncated"]),
                "duplicates": (refused["duplicate"], planted["duplicate"]),
                "no instance": (
                    refused["no_instance"] + refused["empty_file"], planted["junk"] + lists
                ),
                "colliding": (told["colliding"], planted["collision"]),
                "found are taken or refused": (
                    told["found"], told["taken"] + sum(refused.values())
                ),
                "balanced": (told["balanced"], True),
                "settled": (told["settled"], True),
                "stored are verified": (told["stored"], told["verified"]),
            }  # fmt: skip
            numbers = {what: is_ for what, (is_, _) in expected.items() if is_ is not True}
            print(f"{place}: planted {dict(planted)}; {numbers}; filed {told['filed']}, stored "
                  f"{told['stored']}; studies {told['studies']}, review {told['review']}; killed "
                  f"{len(KILLED_AT)} times")  # fmt: skip
            failures += [
                f"{place}: {what}: {is_} instead of {be}"
                for what, (is_, be) in expected.items()
                if is_ != be
            ]
            failures += _decided(site.studies(), truth)
        failures += _untouched(target, Truth({}, seen, made))
    return failures


# -- a large folder -------------------------------------------------------------------------------


def _walk(folder: Path, count: int) -> list[str]:
    """Look through an archive's own storage, killed half way: what it takes, and in what memory."""
    storage = folder / "walked"
    _fill(storage, count)
    port = free_port()
    with _target(folder / "target-walk", port) as target:
        site = Site(folder / "data-walk", target, port)
        # No study is started at any hour: the folder is looked through, that is all.
        site.name(str(storage), "storage", "walked", "--pace", "00-24:0")
        found = seconds = 0.0
        for share in (0.5, 1.0):
            started, before, running = time.monotonic(), found, site.start()
            while found < share * count or (share == 1.0 and not site.told()["stocked"]):
                assert running.poll() is None, f"migrate run ended: {running.returncode}"
                time.sleep(_LOOK_S)
                found = site.told()["found"]
                site.memory.sample(running.pid, int(found))
            seconds += time.monotonic() - started
            print(f"walked: {found - before:.0f} files more in {time.monotonic() - started:.0f} s")
            _kill(running)
        told = site.told()
    first = max(size for at, _, size in site.memory.seen if at <= count / 5)
    last = max(size for at, _, size in site.memory.seen if at >= 0.9 * count)
    print(f"walked: {told['found']} of {count} files, {count / seconds:.0f} a second with a kill "
          f"and two starts; memory of the largest process {_mib(first)} in the first fifth, "
          f"{_mib(last)} in the last tenth")  # fmt: skip
    failures = [] if told["found"] == count else [f"walked: {told['found']} of {count} found"]
    if last > FLAT * first + PAGES:
        failures.append(f"walked: memory {_mib(last)} after {_mib(first)}")
    return failures


def _fill(storage: Path, count: int) -> None:
    """Write small instances, ten to a study, under hashed names as archives keep them."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    marks = {"SOPInstanceUID": "1.2.3.1", "SeriesInstanceUID": "1.2.3.2",
             "StudyInstanceUID": "1.2.3.3", "PatientID": "4"}  # fmt: skip
    width = 20
    for keyword, mark in marks.items():
        setattr(dataset, keyword, mark.ljust(width, "0"))
    dataset.PatientName, dataset.StudyDate, dataset.Modality = "DOE^JANE", "20030405", "CT"
    dataset.Rows = dataset.Columns = 8
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.SamplesPerPixel, dataset.PixelRepresentation, dataset.HighBit = 1, 0, 7
    dataset.PhotometricInterpretation, dataset.PixelData = "MONOCHROME2", bytes(64)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    template = out.getvalue()
    for number in range(count):
        content = template
        values = number, number // 10, number // 10, number // 40
        for mark, value in zip(marks.values(), values, strict=True):
            new = mark + str(value + 1).rjust(width - len(mark), "0")
            content = content.replace(mark.ljust(width, "0").encode(), new.encode())
        name = hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()
        path = storage / name[:2] / name[2:4] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


# -- faults ---------------------------------------------------------------------------------------


def _faults(folder: Path, old: Orthanc, truth: Truth, away: float) -> list[str]:
    port = free_port()
    with (
        _target(folder / "target-faults", port) as target,
        BadLine("127.0.0.1", old.dicom_port, cap=CAP, abort_every=ABORT_EVERY) as line,
    ):
        site = Site(folder / "data-faults", target, port)
        site.index(truth.folder)
        site.add(line.port)
        kills = 0
        for share in KILLED_AT:
            running = site.start()
            _wait_for(site, running, int(len(truth.files) * share))
            _kill(running)
            kills += 1
            if kills == 1:
                line.go_away(away)
        site.run()
        told, studies = site.told(), site.studies()
        failures = [*_reconciled(told, truth), *_decided(studies, truth), *site.print_memory()]
        failures += _untouched(target, truth)
    print(f"line: {line.associations} associations, {line.aborted} aborted, {line.capped} answers "
          f"left out, away for {away:.0f} s; killed {kills} times")  # fmt: skip
    return failures


def _wait_for(site: Site, running: "subprocess.Popen[bytes]", count: int) -> None:
    while running.poll() is None and site.look(running) < count:
        time.sleep(0.5)


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def _kill(running: "subprocess.Popen[bytes]") -> None:
    """Kill the command and all that it started, at once and without a word."""
    for one in reversed(_family(running.pid)):
        try:
            one.send_signal(signal.SIGKILL)
        except psutil.Error:
            continue
    running.wait()


def _reconciled(told: dict[str, Any], truth: Truth) -> list[str]:
    """Compare the reconciliation with the truth, to the instance."""
    kept = {name: told[name] for name in ("found", "taken", "filed", "stored", "verified")}
    print(f"reconciliation: told {told['told']}, {kept}, refused {told['refused']}, colliding "
          f"{told['colliding']}, studies {told['studies']}, review {told['review']}")  # fmt: skip
    expected = {
        "studies told": (told["told"]["studies"], len(truth.studies)),
        "instances told": (told["told"]["instances"], len(truth.files)),
        "instances found": (told["found"], len(truth.files)),
        "balanced": (told["balanced"], True),
        "settled": (told["settled"], True),
        "stored are verified": (told["stored"], told["verified"]),
    }
    return [f"{what}: {is_} instead of {be}" for what, (is_, be) in expected.items() if is_ != be]


def _decided(studies: list[dict[str, Any]], truth: Truth) -> list[str]:
    """Compare what became of each study with whose it is and what is wrong with it."""
    failures = []
    by_fault: dict[str, Counter[str]] = {}
    wrong = 0
    for one in studies:
        true = truth.studies[one["study_instance_uid"]]
        code = one["reasons"][0]["code"] if one["reasons"] else ""
        by_fault.setdefault(true["fault"] or "none", Counter())[code or one["state"]] += 1
        decided = f"{one['issuer']}:{one['patient_id']}" if one["patient_id"] else None
        if decided and decided != true["patient"]:
            wrong += 1
            failures.append(f"study {one['study_instance_uid']} ({true['fault']}): wrong patient")
        if true["expect"] == "review" and one["state"] in SENT:
            failures.append(f"study with {true['fault'] or 'unknown patient'} went by itself")
        if true["code"] and code != true["code"]:
            print(f"  {true['fault']}: held for {code or 'nothing'} instead of {true['code']}")
    by_itself = sum(one["state"] == "verified" for one in studies)
    print(f"studies: {by_itself} of {len(studies)} by themselves, {wrong} to a wrong patient")
    for fault, became in sorted(by_fault.items()):
        print(f"  {fault}: {dict(became)}")
    return failures


def _untouched(target: Orthanc, truth: Truth) -> list[str]:
    """Compare Pixel Data of every instance in the archive with its file's."""
    failures = []
    seen: Counter[str] = Counter()
    recoded = 0
    for key in target.rest("/instances"):
        url = f"http://127.0.0.1:{target.http_port}/instances/{key}/file"
        with urlopen(url, timeout=30) as answer:
            dataset = dcmread(BytesIO(answer.read()))
        uid = str(dataset.SOPInstanceUID)
        seen[uid] += 1
        true = truth.files.get(uid)
        if true is None:
            failures.append(f"{uid} is none of the old PACS")
            continue
        data = dataset.get("PixelData")
        told = hashlib.sha256(data).hexdigest() if data is not None else ""
        if told == true["pixels"]:
            continue
        stored = dcmread(truth.folder / true["path"])
        if (dataset.pixel_array == stored.pixel_array).all():
            recoded += 1  # the same values, written in another order of bytes
        else:
            failures.append(f"{uid} ({true['syntax']}): altered")
    twice = sum(count > 1 for count in seen.values())
    print(f"archive: {len(seen)} instances, {twice} twice, {recoded} with other bytes and the same "
          f"values, {sum('altered' in one for one in failures)} altered")  # fmt: skip
    return failures


if __name__ == "__main__":
    sys.exit(main())
