"""A place of work with an index, for older archives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from discs import Disc
from old_town import OldSite, an_index


@pytest.fixture
def site(tmp_path: Path) -> Iterator[OldSite]:
    with OldSite.at(tmp_path) as made:
        an_index(made.services)
        yield made


@pytest.fixture
def disc(site: OldSite, tmp_path: Path) -> Disc:
    return Disc(site, tmp_path / "disc")
