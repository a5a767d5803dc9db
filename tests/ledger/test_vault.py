"""The vault: blobs whole or not at all, each under its hash, never changed."""

import fcntl
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_disk import mounted

from digitizer.errors import DiskFull, UnknownRecord
from digitizer.ledger import FolderVault

CONTENT = b"film" * 1000
ADDRESS = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(tmp_path / "vault", reserve=4096)


def blobs(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and path.name != ".reserve"]


def test_a_blob_comes_back_as_it_was_put(vault: FolderVault) -> None:
    """The address is the sha256, and the file holds the very bytes."""
    assert vault.put(CONTENT) == (ADDRESS, len(CONTENT))
    assert vault.path(ADDRESS).read_bytes() == CONTENT


def test_a_stream_is_kept_like_bytes(vault: FolderVault) -> None:
    """A stream longer than one chunk gets the address of its bytes."""
    long = bytes(range(256)) * 10_000
    assert vault.put(io.BytesIO(long)) == (hashlib.sha256(long).hexdigest(), len(long))
    assert vault.verify(hashlib.sha256(long).hexdigest())


def test_has_tells_what_is_there(vault: FolderVault) -> None:
    """A blob is there after it was put and not before."""
    assert not vault.has(ADDRESS)
    vault.put(CONTENT)
    assert vault.has(ADDRESS)


def test_a_kept_blob_is_read_only(vault: FolderVault) -> None:
    """Nobody has the right to write to a blob."""
    vault.put(CONTENT)
    assert vault.path(ADDRESS).stat().st_mode & 0o777 == 0o444


def test_the_same_content_is_kept_once(vault: FolderVault, tmp_path: Path) -> None:
    """Put again, the blob is neither doubled nor written anew, and nothing temporary stays."""
    vault.put(CONTENT)
    before = vault.path(ADDRESS).stat()
    assert vault.put(CONTENT) == (ADDRESS, len(CONTENT))
    after = vault.path(ADDRESS).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert blobs(tmp_path / "vault") == [vault.path(ADDRESS)]


def test_a_changed_blob_does_not_verify(vault: FolderVault) -> None:
    """One flipped bit shows."""
    vault.put(CONTENT)
    assert vault.verify(ADDRESS)
    path = vault.path(ADDRESS)
    path.chmod(0o644)
    path.write_bytes(bytes([CONTENT[0] ^ 1]) + CONTENT[1:])
    assert not vault.verify(ADDRESS)


def test_a_missing_blob_does_not_verify(vault: FolderVault) -> None:
    """What is not there is not whole."""
    assert not vault.verify(ADDRESS)


@pytest.mark.parametrize(
    "address", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 33, "ab" * 32 + "\n"]
)
def test_a_bad_address_is_refused(vault: FolderVault, address: str) -> None:
    """What is no lower-case sha256 names no file."""
    assert not vault.has(address)
    with pytest.raises(UnknownRecord):
        vault.path(address)


def test_an_absent_blob_has_no_path(vault: FolderVault) -> None:
    """A good address of nothing raises UnknownRecord."""
    with pytest.raises(UnknownRecord):
        vault.path(ADDRESS)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "small", megabytes=1) as place:
        yield place


def test_a_full_disk_keeps_nothing_of_the_blob(small_disk: Path) -> None:
    """DiskFull is raised, nothing half-written stays, and what was there is whole."""
    vault = FolderVault(small_disk, reserve=4096)
    vault.put(CONTENT)
    with pytest.raises(DiskFull):
        vault.put(bytes(2 << 20))
    assert blobs(small_disk) == [vault.path(ADDRESS)]
    assert vault.verify(ADDRESS)


def test_a_full_disk_gives_the_reserve_up(small_disk: Path) -> None:
    """The room kept aside is there for others once the disk was full."""
    vault = FolderVault(small_disk, reserve=64 << 10)
    assert (small_disk / ".reserve").stat().st_size == 64 << 10
    with pytest.raises(DiskFull):
        vault.put(bytes(2 << 20))
    assert not (small_disk / ".reserve").exists()


def test_after_a_full_disk_the_vault_goes_on(small_disk: Path) -> None:
    """A blob that fits is kept although one before it did not."""
    vault = FolderVault(small_disk, reserve=4096)
    with pytest.raises(DiskFull):
        vault.put(bytes(2 << 20))
    vault.put(CONTENT)
    assert vault.verify(ADDRESS)


def test_the_reserve_is_taken_again_when_there_is_room(small_disk: Path) -> None:
    """The next blob that finds plenty of room restores what was given up."""
    vault = FolderVault(small_disk, reserve=64 << 10)
    with pytest.raises(DiskFull):
        vault.put(bytes(2 << 20))
    assert not (small_disk / ".reserve").exists()
    vault.put(CONTENT)
    assert (small_disk / ".reserve").stat().st_size == 64 << 10


def test_a_blob_of_the_wrong_size_is_replaced(vault: FolderVault) -> None:
    """What a failing disk cut short is mended by putting the bytes again."""
    vault.put(CONTENT)
    path = vault.path(ADDRESS)
    path.unlink()
    path.write_bytes(CONTENT[:10])
    assert vault.put(CONTENT) == (ADDRESS, len(CONTENT))
    assert vault.verify(ADDRESS)


def test_what_a_killed_process_left_is_swept(vault: FolderVault, tmp_path: Path) -> None:
    """An old temporary file goes at the next start; a young one, or one being written, stays."""
    root = tmp_path / "vault"
    old, young, held = (root / f".new-{name}" for name in ("old", "young", "held"))
    for path in (old, young, held):
        path.write_bytes(b"half")
    for path in (old, held):
        os.utime(path, (0, 0))
    with held.open("rb") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        FolderVault(root, reserve=4096)
        assert [path.exists() for path in (old, young, held)] == [False, True, True]


def test_a_vault_without_reserve_keeps_none(tmp_path: Path) -> None:
    """Nothing is kept aside where nothing is asked for."""
    FolderVault(tmp_path / "v", reserve=0).put(CONTENT)
    assert not (tmp_path / "v" / ".reserve").exists()
