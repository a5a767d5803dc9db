"""A rehearsal room, and an empty data folder."""

from pathlib import Path

import pytest
from site_commands import Site

from digitizer.rehearsal import make_room


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a rehearsal room with every hazard."""
    folder = tmp_path_factory.mktemp("rehearsal") / "room"
    make_room(folder, jackets=4, seed=5, hazards=True, dpi=150, small=True, mammograms=False)
    return folder


@pytest.fixture(scope="session")
def small_room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a room of two jackets in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("rehearsal") / "small"
    make_room(folder, jackets=2, seed=8, dpi=120, wear=0.2, small=True, mammograms=False)
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return an empty data folder on embedded defaults."""
    return Site(tmp_path / "data")
