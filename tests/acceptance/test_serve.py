"""`digitizer serve`: the watch folder, digitizers that store to us, commands that join, the end."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest
from orthanc_server import free_port
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from site_commands import Site
from waiting import wait_until

SCANNER = "FILMSCANNER"
REFUSED_NOT_AUTHORIZED = 0x0124


@dataclass
class Serving:
    """A running `digitizer serve` with a watch folder, a known DICOM port, and the console's."""

    site: Site
    process: "subprocess.Popen[str]"
    watched: Path
    port: int
    console: int

    def scans(self, begins: str, *, settled: bool = False) -> list[dict[str, Any]]:
        """Return the scans of the batches whose names begin so: one a day, and midnight may pass.

        With `settled`, none until all of these batches are.
        """
        names = [one["batch"] for one in self.site.here.json("batch", "list")]
        batches = [
            self.site.here.json("batch", "show", one) for one in names if one.startswith(begins)
        ]
        if settled and not all(batch["settled"] for batch in batches):
            return []
        return [scan for batch in batches for scan in batch["scans"]]

    def settled(self, begins: str, count: int) -> list[dict[str, Any]]:
        """Wait until there are so many scans and all are settled; return them."""

        def look() -> list[dict[str, Any]] | None:
            scans = self.scans(begins, settled=True)
            return scans if len(scans) == count else None

        found: list[dict[str, Any]] = wait_until(look, 150)
        return found

    def send(self, dataset: Dataset, title: str) -> int:
        """Store an instance to us, as a digitizer of that title does; return the status."""
        entity = AE(title)
        entity.add_requested_context(dataset.SOPClassUID, ExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", self.port, ae_title="DIGITIZER")
        assert association.is_established
        try:
            return int(association.send_c_store(dataset).Status)
        finally:
            association.release()


@pytest.fixture(scope="module")
def serving(small_room: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("serve")
    watched, port, console = folder / "watched", free_port(), free_port()
    watched.mkdir()
    site = Site(
        folder / "data",
        DIGITIZER_WATCH__FOLDER=str(watched),
        DIGITIZER_WATCH__STABILITY_DELAY_S="0.3",
        DIGITIZER_PIPELINE__JACKET_QUIET_S="2",
        DIGITIZER_LISTENER__PORT=str(port),
        DIGITIZER_CONSOLE__PORT=str(console),
        DIGITIZER_LISTENER__ACCEPT_FROM=f'["{SCANNER}"]',
    )
    site.here.import_index(small_room)
    process = site.start("serve")
    try:
        wait_until(lambda: (site.data / "owner.json").exists())
        yield Serving(site, process, watched, port, console)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def jacket(small_room: Path) -> Path:
    """Return the folder of one jacket."""
    return sorted(path for path in (small_room / "scans").glob("*/*") if path.is_dir())[0]


def test_what_lies_in_the_watch_folder_is_taken_and_filed(serving: Serving, jacket: Path) -> None:
    """Each scan becomes one of the day's batch, in its jacket; the files are moved to done/."""
    names = sorted(path.name for path in jacket.iterdir())
    shutil.copytree(jacket, serving.watched / "BOX-9" / "J9")
    scans = serving.settled("watch-", len(names))
    assert [scan["source"] for scan in scans] == [f"BOX-9/J9/{name}" for name in names]
    assert {(scan["box"], scan["jacket"]) for scan in scans} == {("BOX-9", "J9")}
    done = serving.watched / "BOX-9" / "J9" / "done"
    assert sorted(path.name for path in done.iterdir()) == names


def test_what_is_verified_is_read_back_beside_the_server(serving: Serving) -> None:
    """From its embedded archive, though only the server knows at which port that listens."""
    filed = [scan for scan in serving.scans("watch-") if scan["state"] == "verified"]
    told = serving.site.json("verify")
    assert told["differing"] == {}
    assert told["checked"] >= len(filed) > 0


def test_the_console_is_open_and_ready(serving: Serving) -> None:
    """In a process of its own: ledger, broker and disk are there; it shows what was filed."""

    def ask(path: str) -> str:
        try:
            with urlopen(f"http://127.0.0.1:{serving.console}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    ready = json.loads(wait_until(lambda: ask("/readyz"), 60))
    assert ready == {"ready": True, "checks": dict.fromkeys(("ledger", "broker", "disk"), "ok")}
    assert "digitizer_sheets{" in ask("/metrics")
    assert "Sign in" in ask("/")


def test_the_same_file_dropped_again_is_a_duplicate(serving: Serving, jacket: Path) -> None:
    """It is linked to the first and not filed twice."""
    before = serving.scans("watch-")
    first = sorted(jacket.iterdir())[1]
    shutil.copy(first, serving.watched / "again.tif")
    scans = serving.settled("watch-", len(before) + 1)
    (again,) = [scan for scan in scans if scan["source"] == "again.tif"]
    assert (again["state"], again["duplicate_of"]) == ("duplicate", f"BOX-9/J9/{first.name}")


def test_a_command_joins_the_server(serving: Serving, jacket: Path, tmp_path: Path) -> None:
    """`ingest --wait` on the same data folder uses the workers that run."""
    film = sorted(jacket.iterdir())[1]
    shutil.copy(film, tmp_path / "copy.tif")
    done = serving.site.run("ingest", str(tmp_path), "--batch", "joined", "--wait")
    assert "Joining process" in done.stderr
    batch = serving.site.here.json("batch", "show", "joined")
    assert [scan["state"] for scan in batch["scans"]] == ["duplicate"]


@pytest.fixture(scope="module")
def from_scanner(serving: Serving, jacket: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a film as a DICOM digitizer makes it: a Secondary Capture of another jacket."""
    other = sorted(path for path in jacket.parent.glob("*") if path.is_dir() and path != jacket)[0]
    film = next(path for path in sorted(other.iterdir())[1:] if path.suffix == ".tif")
    target = tmp_path_factory.mktemp("dicom") / "film.dcm"
    done = serving.site.run(
        *("convert", str(film), "-o", str(target), "--patient-id", "JACKET 7/../x")
    )
    assert done.returncode == 0, done.stderr
    dataset = dcmread(target)
    dataset.decompress()
    return dataset


def test_a_digitizer_that_is_not_named_may_not_store(serving: Serving, from_scanner: Any) -> None:
    """Refused as not authorized, and nothing is taken in."""
    assert serving.send(from_scanner, "STRANGER") == REFUSED_NOT_AUTHORIZED
    assert not any(
        one["batch"].startswith("dicom-") for one in serving.site.here.json("batch", "list")
    )


def test_a_scan_stored_to_us_is_claimed_like_any_other(serving: Serving, from_scanner: Any) -> None:
    """Success means that it is in the ledger; sent again it is the same scan, not another."""
    assert serving.send(from_scanner, SCANNER) == 0
    assert serving.send(from_scanner, SCANNER) == 0
    (scan,) = serving.settled("dicom-", 1)
    assert scan["jacket"] == "JACKET-7-..-x"
    assert scan["kind"] == "film"
    assert scan["state"] in ("verified", "review")


def test_asked_to_end_it_leaves_nothing_running(serving: Serving) -> None:
    """SIGTERM: exit 0, no child left, and the data folder is free."""
    children = psutil.Process(serving.process.pid).children(recursive=True)
    assert children
    serving.process.terminate()
    assert serving.process.wait(60) == 0
    assert [one for one in children if one.is_running() and one.status() != "zombie"] == []
    assert serving.site.here.json("status")["running"] is None
