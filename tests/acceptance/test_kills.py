"""kill -9 of workers, of Redis, of the archive and of the whole command: everything settles."""

import random
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from orthanc_server import Orthanc, free_port
from pydicom import dcmread
from site_commands import Site
from waiting import wait_until

SETTLED = (0, 3)


def children(parent: int, word: str) -> list[psutil.Process]:
    """Return the descendants of a process whose command holds a word."""
    try:
        found = psutil.Process(parent).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    named = []
    for one in found:
        try:
            if word in " ".join(one.cmdline()):
                named.append(one)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return named


def ingest(site: Site, room: Path) -> "subprocess.Popen[str]":
    """Start taking the room in."""
    return site.start("ingest", str(room / "scans"), "--batch", "b", "--wait", "--timeout", "200")


def kill_all(running: "subprocess.Popen[str]") -> None:
    """End a command and all it started, with no chance to tidy up."""
    mine = children(running.pid, "")
    if running.poll() is None:
        running.kill()
    running.wait()
    for one in mine:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue


def settled(site: Site, room: Path) -> dict[str, Any]:
    """Return the batch; check that nothing is lost, doubled or still on its way."""
    batch: dict[str, Any] = site.here.json("batch", "show", "b")
    assert batch["settled"], batch["counts"]
    sources = sorted(
        path.relative_to(room / "scans").as_posix()
        for path in (room / "scans").rglob("*")
        if path.is_file()
    )
    assert sorted(scan["source"] for scan in batch["scans"]) == sources
    states = Counter(film["state"] for scan in batch["scans"] for film in scan["films"])
    assert states["verified"] >= 1
    assert not [
        one for scan in batch["scans"] for one in scan["reasons"] if one["code"] == "internal_error"
    ]
    return batch


def claimed_uids(batch: dict[str, Any]) -> list[str]:
    """Return the SOP Instance UIDs of all captures of a batch, each once."""
    uids = [uid for scan in batch["scans"] for uid in scan["sop_instance_uids"]]
    uids += [
        uid for s in batch["scans"] for film in s["films"] for uid in film["sop_instance_uids"]
    ]
    assert max(Counter(uids).values()) == 1
    return sorted(uids)


def kept_by_embedded(site: Site) -> list[str]:
    """Return the SOP Instance UIDs that lie in the embedded archive."""
    kept = [str(dcmread(path).SOPInstanceUID) for path in (site.data / "archive").rglob("*.dcm")]
    return sorted(kept)


def test_killed_parts_are_replaced_while_the_run_goes_on(site: Site, small_room: Path) -> None:
    """A worker's child, a worker, the archive's worker, Redis: the same run ends by itself."""
    site.here.import_index(small_room)
    running = ingest(site, small_room)
    try:
        for number, victim in enumerate(("prefork", "imaging@", "archive@", "redis-server"), 1):
            wait_until(
                lambda enough=number: (
                    site.count_events("prepared") >= enough or running.poll() is not None
                )
            )
            assert running.poll() is None, f"it ended before {victim} was killed"
            (prey, *_) = reversed(wait_until(lambda word=victim: children(running.pid, word)))
            prey.kill()
        wait_until(lambda: running.poll() is not None, 200)
        assert running.returncode in SETTLED
    finally:
        kill_all(running)
    assert claimed_uids(settled(site, small_room)) == kept_by_embedded(site)


def test_a_killed_command_goes_on_where_it_was(site: Site, small_room: Path) -> None:
    """Killed with all its parts at three random moments, the same command ends the work.

    Once more it finds every file taken in, no duplicate of itself, and changes nothing.
    """
    site.here.import_index(small_room)
    chance = random.Random(4)
    for _ in range(3):
        seen = site.count_events()
        more = chance.randint(5, 60)
        running = ingest(site, small_room)
        try:
            wait_until(
                lambda run=running, enough=seen + more: (
                    site.count_events() >= enough or run.poll() is not None
                )
            )
        finally:
            kill_all(running)
    states = []
    for _ in range(2):
        running = ingest(site, small_room)
        try:
            assert running.wait(200) in SETTLED
        finally:
            kill_all(running)
        batch = settled(site, small_room)
        assert claimed_uids(batch) == kept_by_embedded(site)
        states.append([(scan["source"], scan["state"]) for scan in batch["scans"]])
    assert states[0] == states[1]
    looked = site.json("verify", "--batch", "b")
    assert looked["checked"] > 0
    assert looked["differing"] == {}


def test_a_killed_archive_is_waited_for(site: Site, small_room: Path, tmp_path: Path) -> None:
    """Orthanc killed in mid-run and started again holds every film once, and all are verified."""
    listener = free_port()
    with Orthanc(tmp_path / "orthanc", listener, "DIGITIZER") as orthanc:
        site = site.with_settings(
            DIGITIZER_ARCHIVE__HOST=orthanc.host,
            DIGITIZER_ARCHIVE__PORT=str(orthanc.dicom_port),
            DIGITIZER_ARCHIVE__AE_TITLE=orthanc.ae_title,
            DIGITIZER_LISTENER__PORT=str(listener),
            # What it was asked just before its end it will never answer.
            DIGITIZER_PIPELINE__COMMITMENT_DEADLINE_S="10",
        )
        site.here.import_index(small_room)
        running = ingest(site, small_room)
        try:
            wait_until(lambda: site.count_events("stored") >= 1 or running.poll() is not None)
            orthanc.kill()
            wait_until(lambda: site.count_events("waiting") >= 1 or running.poll() is not None)
            orthanc.start()
            assert running.wait(200) in SETTLED
        finally:
            kill_all(running)
        kept = sorted(one["SOPInstanceUID"] for one in orthanc.instances())
    assert claimed_uids(settled(site, small_room)) == kept
