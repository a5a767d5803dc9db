"""Migrations: they end at the tables of the code, from any start, with any number of starters."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hand_clock import HandClock
from ledger_records import execute_plainly
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from digitizer.errors import MissingService, SettingsError
from digitizer.ledger import SqlLedger
from digitizer.ledger.tables import metadata


def test_migrations_end_at_the_tables_of_the_code(database: str) -> None:
    """Nobody changed a table without a migration, types and indexes included."""
    engine = create_engine(database, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_tables_of_keys_are_their_own_index(database: str) -> None:
    """On SQLite the keys lie in the tree of their primary key alone, not twice."""
    engine = create_engine(database, poolclass=NullPool)
    if engine.dialect.name != "sqlite":
        pytest.skip("a matter of SQLite")
    with engine.connect() as connection:
        for table in ("patient_key", "exam_key", "patient_name", "sheet_band"):
            query = f"SELECT sql FROM sqlite_schema WHERE name = '{table}'"
            assert "WITHOUT ROWID" in connection.exec_driver_sql(query).scalar_one()


def test_migrating_again_changes_nothing(database: str) -> None:
    """A second start finds nothing to do."""
    ledger = SqlLedger(database, HandClock(), reserve=0)
    ledger.migrate()
    ledger.migrate()
    names = inspect(create_engine(database, poolclass=NullPool)).get_table_names()
    assert set(names) == {*metadata.tables, "alembic_version"}


def test_a_ledger_of_a_newer_version_is_told(database: str) -> None:
    """An old program does not write to tables that it does not know."""
    execute_plainly(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SettingsError, match="another version"):
        SqlLedger(database, HandClock(), reserve=0).migrate()


@pytest.mark.parametrize("url", ["nonsense", "mysql://a@b/c", "sqlite3:///x", "oracle://x"])
def test_a_url_of_no_use_is_told_without_its_password(url: str) -> None:
    """Other databases and typing errors are settings to be mended."""
    with pytest.raises(SettingsError, match="sqlite:///PATH"):
        SqlLedger(url, HandClock())


def test_a_database_that_cannot_be_opened_is_a_missing_service(tmp_path: Path) -> None:
    """A folder that is not there, a server that is not there."""
    for url in (
        f"sqlite:///{tmp_path}/nowhere/ledger.sqlite",
        f"postgresql+psycopg://digitizer@/postgres?host={tmp_path}",
    ):
        with pytest.raises(MissingService):
            SqlLedger(url, HandClock(), reserve=0).migrate()
