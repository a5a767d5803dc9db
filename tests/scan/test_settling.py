"""Settling: when a file may be taken, with the time as an argument."""

from collections.abc import Callable
from pathlib import Path

import pytest

from digitizer.errors import BadScan
from digitizer.scan.settling import Look, Settling

FILE = Path("film.tif")
LOOK = Look(size=100, mtime_ns=1, inode=7)


def whole(_: Path) -> None:
    return None


def broken(code: str) -> Callable[[Path], None]:
    def check(_: Path) -> None:
        raise BadScan(code, "The file is broken.")

    return check


def settling(check: Callable[[Path], None] = whole) -> Settling:
    return Settling(delay_s=5, give_up_s=120, check=check)


def test_a_file_seen_once_waits() -> None:
    """The first look never takes a file, however late it is."""
    assert not settling().is_complete(FILE, LOOK, 1000.0)


@pytest.mark.parametrize(("quiet", "taken"), [(4.9, False), (5.0, True)])
def test_a_quiet_file_is_taken_after_the_delay(quiet: float, taken: bool) -> None:
    """Unchanged for the whole delay, and not a moment less."""
    following = settling()
    following.is_complete(FILE, LOOK, 0.0)
    assert following.is_complete(FILE, LOOK, quiet) is taken


@pytest.mark.parametrize(
    "other", [Look(101, 1, 7), Look(100, 2, 7), Look(100, 1, 8)], ids=["size", "time", "inode"]
)
def test_any_change_starts_the_delay_anew(other: Look) -> None:
    """A file that grew, was touched or was replaced waits its delay again."""
    following = settling()
    following.is_complete(FILE, LOOK, 0.0)
    assert not following.is_complete(FILE, other, 6.0)
    assert not following.is_complete(FILE, other, 10.9)
    assert following.is_complete(FILE, other, 11.0)


@pytest.mark.parametrize("code", ["truncated_file", "empty_file", "corrupt_file"])
def test_a_cut_file_waits_until_it_is_given_up(code: str) -> None:
    """What may still be on its way is let through only after the long wait."""
    following = settling(broken(code))
    following.is_complete(FILE, LOOK, 0.0)
    assert not following.is_complete(FILE, LOOK, 119.9)
    assert "on its way" in following.waiting()[FILE]
    assert following.is_complete(FILE, LOOK, 120.0)


@pytest.mark.parametrize("code", ["unsupported_format", "too_large", "password_protected"])
def test_a_file_that_will_never_be_good_is_not_kept_waiting(code: str) -> None:
    """More bytes would not mend it: it is let through to be quarantined."""
    following = settling(broken(code))
    following.is_complete(FILE, LOOK, 0.0)
    assert following.is_complete(FILE, LOOK, 5.0)


def test_a_file_is_not_decoded_before_it_is_quiet() -> None:
    """The costly check runs only after the delay."""
    checked: list[Path] = []
    following = settling(checked.append)
    following.is_complete(FILE, LOOK, 0.0)
    following.is_complete(FILE, LOOK, 4.0)
    assert checked == []
    following.is_complete(FILE, LOOK, 5.0)
    assert checked == [FILE]


def test_a_forgotten_file_starts_anew() -> None:
    """A file that is gone and comes back is a new file."""
    following = settling()
    following.is_complete(FILE, LOOK, 0.0)
    following.forget(FILE)
    assert following.waiting() == {}
    assert not following.is_complete(FILE, LOOK, 100.0)


def test_a_file_that_may_not_be_read_waits_with_its_reason() -> None:
    """It keeps no other file from being taken, and says why it waits."""

    def forbidden(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    files = settling(forbidden)
    assert not files.is_complete(FILE, LOOK, 0.0)
    assert not files.is_complete(FILE, LOOK, 1000.0)
    assert files.waiting() == {FILE: "The file cannot be read: Permission denied."}
