"""The watch folder, looked at with a time that is set by hand."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import imagecodecs
import pytest
from captures import noise

from digitizer.errors import BadWorld, MissingService
from digitizer.scan.decoding import FileDecoder
from digitizer.scan.settings import WatchSettings
from digitizer.scan.walk import FoundFile
from digitizer.scan.watch import WatchFolder

PICTURE = bytes(imagecodecs.png_encode(noise(16, (20, 30))))


@dataclass
class Desk:
    """A watch folder, what was claimed from it, and what the next claim answers."""

    root: Path
    move: bool = True
    now: float = 0.0
    answer: bool | BadWorld = True
    claimed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = WatchSettings(folder=self.root, move=self.move)
        self.folder = WatchFolder(
            settings, FileDecoder().check, self.claim, monotonic=lambda: self.now
        )

    def claim(self, found: FoundFile) -> bool:
        if isinstance(self.answer, BadWorld):
            raise self.answer
        self.claimed.append(found.source)
        return self.answer

    def look_after(self, seconds: float) -> int:
        self.now += seconds
        return self.folder.look()

    def put(self, name: str, content: bytes = PICTURE) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "watch").mkdir()
    return Desk(tmp_path / "watch")


def test_a_quiet_whole_file_is_taken_and_moved(desk: Desk) -> None:
    """It is claimed once, after the delay, and lies in done/ as it was."""
    path = desk.put("box/jacket/film.png")
    assert desk.look_after(0) == 0
    assert desk.look_after(5) == 1
    assert desk.claimed == ["box/jacket/film.png"]
    assert not path.exists()
    assert (path.parent / "done" / "film.png").read_bytes() == PICTURE


def test_a_taken_file_is_not_taken_again(desk: Desk) -> None:
    """What lies in done/ is ours and no longer a scan to take."""
    desk.put("film.png")
    desk.look_after(0)
    desk.look_after(5)
    assert [desk.look_after(5), desk.look_after(5)] == [0, 0]
    assert desk.claimed == ["film.png"]


def test_a_file_that_could_not_be_read_is_moved_to_failed(desk: Desk) -> None:
    """When the claim says that it is no scan, it lies in failed/."""
    desk.put("film.png", b"no picture at all")
    desk.answer = False
    desk.look_after(0)
    assert desk.look_after(5) == 1
    assert (desk.root / "failed" / "film.png").exists()


def test_a_growing_file_waits(desk: Desk) -> None:
    """While bytes arrive between looks nothing is taken, and the reason can be asked for."""
    for length in (50, 100, 200):
        desk.put("film.png", PICTURE[:length])
        assert desk.look_after(5) == 0
    (waits,) = desk.folder.waiting()
    assert (waits.source, waits.reason) == ("film.png", "The file is still being written.")
    desk.put("film.png")
    assert desk.look_after(5) == 0
    assert desk.look_after(5) == 1


def test_a_stalled_copy_waits_and_is_taken_when_whole(desk: Desk) -> None:
    """A cut file that is quiet is not taken; finished, it is."""
    desk.put("film.png", PICTURE[:200])
    assert [desk.look_after(0), desk.look_after(5), desk.look_after(60)] == [0, 0, 0]
    desk.put("film.png")
    assert [desk.look_after(5), desk.look_after(5)] == [0, 1]


def test_a_cut_file_is_given_up_in_the_end(desk: Desk) -> None:
    """After the long wait it is handed over, to be quarantined where somebody sees it."""
    desk.put("film.png", PICTURE[:200])
    desk.look_after(0)
    assert [desk.look_after(119), desk.look_after(1)] == [0, 1]


@pytest.mark.parametrize(
    "name",
    ["a.tif.part", "a.tif.partial", "a.tmp", "a.filepart", ".a.png", "~a.png", "Thumbs.db"],
)
def test_partial_and_foreign_names_are_passed_over(desk: Desk, name: str) -> None:
    """A name that says "not finished" or "not a scan" is never taken."""
    desk.put(name)
    desk.look_after(0)
    assert desk.look_after(500) == 0
    assert desk.folder.waiting() == []


def test_a_renamed_file_is_taken_under_its_last_name(desk: Desk) -> None:
    """Written as .part and renamed, it is taken once, after its own delay."""
    part = desk.put("a.png.part")
    desk.look_after(10)
    part.rename(desk.root / "a.png")
    assert [desk.look_after(10), desk.look_after(5)] == [0, 1]
    assert desk.claimed == ["a.png"]


def test_links_are_not_followed(desk: Desk, tmp_path: Path) -> None:
    """A link to a file outside is not taken."""
    outside = tmp_path / "outside.png"
    outside.write_bytes(PICTURE)
    (desk.root / "link.png").symlink_to(outside)
    desk.look_after(0)
    assert desk.look_after(500) == 0


def test_files_are_taken_in_natural_order(desk: Desk) -> None:
    """Film 2 comes before film 10."""
    for name in ("film10.png", "film2.png", "film1.png"):
        desk.put(name)
    desk.look_after(0)
    assert desk.look_after(5) == 3
    assert desk.claimed == ["film1.png", "film2.png", "film10.png"]


def test_a_file_of_a_name_in_done_replaces_none(desk: Desk) -> None:
    """The second file of one name is kept beside the first."""
    for content in (PICTURE, bytes(imagecodecs.png_encode(noise(8, (9, 9))))):
        desk.put("film.png", content)
        desk.look_after(5)
        assert desk.look_after(5) == 1
    assert (desk.root / "done" / "film.png").read_bytes() == PICTURE
    assert (desk.root / "done" / "film-1.png").exists()


def test_what_could_not_be_claimed_is_tried_again(desk: Desk) -> None:
    """A full disk or a busy ledger leaves the file where it is, for the next look."""
    path = desk.put("film.png")
    desk.answer = BadWorld("disk_full", "The disk is full.")
    desk.look_after(0)
    assert desk.look_after(5) == 0
    assert path.exists()
    desk.answer = True
    assert desk.look_after(5) == 1


def test_without_moving_a_file_is_taken_once(tmp_path: Path) -> None:
    """Left in place, it is remembered, until it changes."""
    desk = Desk(tmp_path, move=False)
    path = desk.put("film.png")
    desk.look_after(0)
    assert [desk.look_after(5), desk.look_after(5), desk.look_after(5)] == [1, 0, 0]
    assert path.exists()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with one film that nobody, not even root, can write to."""
    folder = tmp_path / "share"
    folder.mkdir()
    (folder / "film.png").write_bytes(PICTURE)
    if os.geteuid() != 0:
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)
        return
    mount = ["mount", "--bind", str(folder), str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("root writes everywhere, and mounting is not permitted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_folder_is_taken_from_once(read_only: Path) -> None:
    """Where nothing can be moved, a file is taken once and left."""
    desk = Desk(read_only)
    desk.look_after(0)
    assert [desk.look_after(5), desk.look_after(5)] == [1, 0]
    assert desk.claimed == ["film.png"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """Watching what is not there is an error at once."""
    with pytest.raises(MissingService):
        Desk(tmp_path / "nowhere")
