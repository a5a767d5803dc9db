"""Ledgers on both databases, with a clock that is set by hand."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hand_clock import HandClock
from ledger_records import batch, execute_plainly, happened, jacket, scan, sheet
from postgres_server import programs, running_postgres
from sqlalchemy import make_url

from digitizer.ledger import SqlLedger


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres() as url:
        yield url


def create_database(server: str, statement: str) -> str:
    """Create a database of a new name on a server (``%s`` in the statement); return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    execute_plainly(server, statement % name)
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database of this test's own, without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.sqlite"
    return create_database(request.getfixturevalue("postgres"), "CREATE DATABASE %s")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated file without records, to be copied."""
    path = tmp_path_factory.mktemp("template") / "ledger.sqlite"
    made = SqlLedger(f"sqlite:///{path}", HandClock(), reserve=0)
    made.migrate()
    made.close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """Return the name of a migrated database without records, to be copied."""
    url = create_database(postgres, "CREATE DATABASE %s")
    made = SqlLedger(url, HandClock())
    made.migrate()
    made.close()
    return str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a migrated database of this test's own, without records."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "ledger.sqlite")
        return f"sqlite:///{path}"
    template = request.getfixturevalue("postgres_template")
    server = request.getfixturevalue("postgres")
    return create_database(server, f"CREATE DATABASE %s TEMPLATE {template}")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def ledger(database: str, clock: HandClock) -> Iterator[SqlLedger]:
    opened = SqlLedger(database, clock, reserve=0)
    yield opened
    opened.close()


@pytest.fixture
def filled(ledger: SqlLedger) -> SqlLedger:
    """Return a ledger that holds one batch, jacket, scan and sheet."""
    with ledger.transaction() as tx:
        for record in (batch(), jacket(), scan(), sheet()):
            tx.add(record, happened(record.id, "added"))
    return ledger
