"""Bringing the tables up to date with Alembic, from inside the package."""

from pathlib import Path

from sqlalchemy import Engine, inspect

from digitizer.errors import SettingsError
from digitizer.ledger.engine import WRITES

__all__ = ["migrate"]

_LOCK = 746353
"""Any number will do, as long as all our processes use the same."""


_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Run all migrations in one transaction; a second process waits for the first and finds none.

    Where there is none to run, nobody is waited for and Alembic is not even loaded: every command
    comes by here.

    Parameters
    ----------
    engine : Engine

    Raises
    ------
    SettingsError
        The database was written by a version of this software that is newer than this one.
    """
    if _is_newest(engine):
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # A percent sign in the path would be read as an interpolation.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.connect() as plain:
        connection = plain.execution_options(**WRITES)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise SettingsError(
                    f"The ledger was written by another version: {error}",
                    remedy="Use the version that wrote it, or a newer one.",
                ) from error


def _is_newest(engine: Engine) -> bool:
    """Tell whether the tables are those of the last migration: its file has the name it bears."""
    newest = max(file.stem for file in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        versions = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
        return versions.all() == [newest]
