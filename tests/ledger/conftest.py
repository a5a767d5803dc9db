"""Ledgers on both databases, with a clock that is set by hand."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hand_clock import HandClock
from ledger_records import batch, happened, jacket, scan, sheet
from postgres_server import programs, running_postgres
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from digitizer.ledger import SqlLedger


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database of this test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite"
    server = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def ledger(database: str, clock: HandClock) -> Iterator[SqlLedger]:
    opened = SqlLedger(database, clock, reserve=0)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def filled(ledger: SqlLedger) -> SqlLedger:
    """Return a ledger that holds one batch, jacket, scan and sheet."""
    with ledger.transaction() as tx:
        for record in (batch(), jacket(), scan(), sheet()):
            tx.add(record, happened(record.id, "added"))
    return ledger
