"""Bringing the tables up to date with Alembic, from inside the package."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine

from digitizer.errors import SettingsError
from digitizer.ledger.engine import WRITES

__all__ = ["migrate"]

_LOCK = 746353
"""Any number will do, as long as all our processes use the same."""


def migrate(engine: Engine) -> None:
    """Run all migrations in one transaction; a second process waits for the first and finds none.

    Parameters
    ----------
    engine : Engine

    Raises
    ------
    SettingsError
        The database was written by a version of this software that is newer than this one.
    """
    config = Config()
    # A percent sign in the path would be read as an interpolation.
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
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
