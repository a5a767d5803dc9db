"""Bringing the tables up to date with Alembic, from inside the package."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from digitizer.ledger.engine import WRITES

__all__ = ["migrate"]


def migrate(engine: Engine) -> None:
    """Run all migrations in one transaction; a second process waits for the first and finds none.

    Parameters
    ----------
    engine : Engine
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as plain:
        connection = plain.execution_options(**WRITES)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                # Any number will do, as long as all our processes use the same.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(746353)")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
