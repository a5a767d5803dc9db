"""The vault: blobs whole or not at all, each under its hash, never changed."""

import hashlib
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    """Mount a disk of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


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
