"""A disk that is full while a room is taken in: it says so, and goes on when there is room."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from site_commands import Site
from small_disk import fill, mounted
from waiting import wait_until

SETTLED = (0, 3)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", 96) as place:
        yield place


@pytest.fixture
def site(disk: Path, small_room: Path) -> Site:
    """Return a data folder on the small disk, with the room's index."""
    made = Site(disk / "data")
    made.import_index(small_room)
    return made


def command(room: Path, seconds: int) -> tuple[str, ...]:
    words = ("ingest", str(room / "scans"), "--batch", "b", "--wait", "--timeout")
    return (*words, str(seconds))


def everything_settled(site: Site, room: Path) -> dict[str, Any]:
    batch: dict[str, Any] = site.json("batch", "show", "b")
    assert batch["settled"], batch["counts"]
    assert len(batch["scans"]) == len(scans_of(room))
    assert "verified" in {scan["state"] for scan in batch["scans"]}
    return batch


def test_a_disk_full_from_the_start_is_one_clear_line(
    site: Site, disk: Path, small_room: Path
) -> None:
    """Nothing is taken in; with room again the same command, not waiting, takes everything in."""
    fill(disk)
    done = site.run(*command(small_room, 30))
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.strip().splitlines()
    assert "disk is full" in line
    (disk / "filler").unlink()
    taken = site.json("ingest", str(small_room / "scans"), "--batch", "b")
    assert {scan["state"] for scan in taken["scans"]} == {"received"}
    assert len(taken["scans"]) == len(scans_of(small_room))


def scans_of(room: Path) -> list[Path]:
    return [path for path in (room / "scans").rglob("*") if path.is_file()]


def test_a_disk_that_fills_up_in_mid_run_loses_nothing(
    site: Site, disk: Path, small_room: Path, tmp_path: Path
) -> None:
    """Films are read, then the disk is full; with room again everything settles, once."""
    log = tmp_path / "log"
    running = site.start(*command(small_room, 200), log=log)
    try:
        wait_until(lambda: site.count_events("read") >= 3 or running.poll() is not None)
        fill(disk)
        wait_until(lambda: "disk_full" in log.read_text() or running.poll() is not None)
        (disk / "filler").unlink()
        assert running.wait(220) in SETTLED
    finally:
        running.kill()
        running.wait()
    batch = everything_settled(site, small_room)
    reasons = {one["code"] for scan in batch["scans"] for one in scan["reasons"]}
    assert "internal_error" not in reasons
