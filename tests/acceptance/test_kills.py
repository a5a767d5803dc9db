"""kill -9 of workers, of Redis and of the whole command: after a restart everything settles."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from pydicom import dcmread
from site_commands import Site

PATIENCE_S = 120.0


def wait_until(what: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Wait for a condition, looking often; fail when it does not come."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError("what was waited for did not happen")


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


def settles(site: Site, room: Path) -> dict[str, Any]:
    """Run the same ingest again to its end; check that nothing is lost or doubled."""
    batch: dict[str, Any] = site.json(
        "ingest", str(room / "scans"), "--batch", "b", "--wait", "--timeout", "240", codes=(0, 3)
    )
    assert batch["settled"]
    sources = sorted(
        path.relative_to(room / "scans").as_posix()
        for path in (room / "scans").rglob("*")
        if path.is_file()
    )
    assert sorted(scan["source"] for scan in batch["scans"]) == sources
    claimed = [uid for s in batch["scans"] for uid in s["sop_instance_uids"]]
    claimed += [uid for s in batch["scans"] for f in s["films"] for uid in f["sop_instance_uids"]]
    kept = [str(dcmread(path).SOPInstanceUID) for path in (site.data / "archive").rglob("*.dcm")]
    assert max(Counter(claimed).values()) == 1
    # No instance under two UIDs, no film twice, none in the archive that nobody knows of.
    assert sorted(kept) == sorted(claimed)
    return batch


def test_killed_workers_redis_and_command_lose_nothing(site: Site, room: Path) -> None:
    """Kill a worker child, a worker parent, Redis, then the command itself, at random moments."""
    site.import_index(room)
    chance = random.Random(4)
    words = ("ingest", str(room / "scans"), "--batch", "b", "--wait", "--timeout", "200")
    for victim in ("prefork", "imaging@", "redis-server", None):
        running = site.start(*words)
        try:
            wait_until(lambda it=running: children(it.pid, "imaging@") or it.poll() is not None)
            pause = time.monotonic() + chance.uniform(2.0, 8.0)
            wait_until(
                lambda until=pause, it=running: time.monotonic() > until or it.poll() is not None
            )
            if victim is not None:
                for one in children(running.pid, "imaging@" if victim == "prefork" else victim)[
                    -1:
                ]:
                    one.kill()
                pause = time.monotonic() + 3.0
                wait_until(lambda until=pause: time.monotonic() > until)
        finally:
            for one in children(running.pid, ""):
                one.kill()
            if running.poll() is None:
                os.kill(running.pid, signal.SIGKILL)
            running.wait()
    settles(site, room)


def test_the_same_again_changes_nothing(site: Site, room: Path) -> None:
    """Taking the same folder in again finds every file taken in, and no duplicate of itself."""
    site.import_index(room)
    first = settles(site, room)
    again = settles(site, room)
    looked = site.json("verify", "--batch", "b")
    assert looked["checked"] > 0
    assert looked["differing"] == {}
    assert [(s["source"], s["state"]) for s in again["scans"]] == [
        (s["source"], s["state"]) for s in first["scans"]
    ]
