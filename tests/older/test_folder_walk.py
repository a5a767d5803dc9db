"""A folder is walked in one order, however many names it holds and wherever it was left."""

from pathlib import Path

import pytest

from digitizer.older.files import FolderSource


@pytest.mark.parametrize("at_once", [1, 3, 4, 1000])
def test_large_folders_are_listed_in_parts(tmp_path: Path, at_once: int) -> None:
    """What does not fit into memory at once comes in the same order, and goes on behind any."""
    names = ["b/2", "b/10", "b/c/x", "a", "b.d/1", "z", "e/f/g/h", "e/f/i", *map(str, range(7))]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    source = FolderSource(tmp_path, 1 << 20, names_at_once=at_once)
    whole = list(source.files(""))
    assert whole == sorted(names, key=lambda name: name.split("/"))
    for number, place in enumerate(whole):
        assert list(source.files(place)) == whole[number + 1 :]
