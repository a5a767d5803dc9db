"""A place of work with an index, for older archives."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from discs import Disc
from old_town import OldSite, an_index

from digitizer import wiring
from digitizer.config import Settings
from digitizer.ledger import SqlLedger


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ledger of a town with its people and nothing else, to be copied."""
    folder = tmp_path_factory.mktemp("town")
    services = wiring.services(Settings(data_dir=folder))
    an_index(services)
    assert isinstance(services.ledger, SqlLedger)
    services.ledger.close()
    return folder / "ledger.sqlite"


@pytest.fixture
def site(tmp_path: Path, town: Path) -> Iterator[OldSite]:
    (tmp_path / "data").mkdir()
    shutil.copy(town, tmp_path / "data" / "ledger.sqlite")
    with OldSite.at(tmp_path) as made:
        yield made


@pytest.fixture
def disc(site: OldSite, tmp_path: Path) -> Disc:
    return Disc(site, tmp_path / "disc")
