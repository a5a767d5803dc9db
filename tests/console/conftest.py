"""The real application on a real ledger."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from console_site import Browser, Console
from hand_clock import HandClock

from digitizer import config
from digitizer.console import Site
from digitizer.ledger import SqlLedger
from digitizer.model.users import Role


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated ledger without records, to be copied."""
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite"
    made = SqlLedger(f"sqlite:///{path}", HandClock(), reserve=0)
    made.migrate()
    made.close()
    return path


@pytest.fixture
def make_console(tmp_path: Path, empty_ledger: Path) -> Iterator[Callable[..., Console]]:
    made: list[Console] = []
    (tmp_path / "data").mkdir()
    shutil.copy(empty_ledger, tmp_path / "data" / "ledger.sqlite")

    def make(**settings: str) -> Console:
        environ = {f"DIGITIZER_{key}": text for key, text in settings.items()}
        site = Site.of(config.load(data_dir=tmp_path / "data", environ=environ))
        clock = HandClock(datetime.now(UTC))
        site.services = replace(site.services, clock=clock)
        made.append(Console(site, clock))
        return made[-1]

    yield make
    for one in made:
        one.site.close()
        one.site.services.ledger.close()  # type: ignore[attr-defined]


@pytest.fixture
def console(make_console: Callable[..., Console]) -> Console:
    return make_console()


@pytest.fixture
def ann(console: Console) -> Browser:
    """Return the browser of a reviewer."""
    console.add("ann", Role.REVIEWER)
    return console.sign_in("ann")


@pytest.fixture
def lea(console: Console) -> Browser:
    """Return the browser of a lead."""
    console.add("lea", Role.LEAD)
    return console.sign_in("lea")
