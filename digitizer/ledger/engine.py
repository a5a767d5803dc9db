"""Opening SQLite and PostgreSQL the way that was measured to be safe.

SQLite: write-ahead log, synchronous FULL, BEGIN IMMEDIATE for writers (a deferred transaction that
reads and then writes fails at once whatever the busy time-out), and a long busy time-out, because
writers are not queued fairly.
"""

import errno
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from digitizer.errors import BadWorld, DiskFull, SettingsError, StaleRecord

__all__ = ["WRITES", "mapped_errors", "open_engine"]

WRITES = {"digitizer_writes": True}
"""Execution option of a connection whose transaction will write."""

_BUSY_S = 30.0
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON")


def open_engine(url: str) -> Engine:
    """Return an engine; without a pool, so that a forked worker shares no connection.

    Raises
    ------
    SettingsError
        The URL is none that SQLAlchemy knows, or names another database.
    """
    try:
        engine = create_engine(url, poolclass=NullPool)
    except Exception as error:
        raise SettingsError(
            f"The database URL cannot be used: {type(error).__name__}.",
            remedy="Use sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME.",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name != "postgresql":
        raise SettingsError("The ledger runs on SQLite or PostgreSQL only.")
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000:.0f}")
    _write_ahead(connection)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Switch to the write-ahead log; two that switch a new file at once get "locked" unwaited."""
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("digitizer_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn the database's errors into ours: a full disk, a lost race, a database that is away."""
    try:
        yield
    except IntegrityError as error:
        raise StaleRecord("Somebody else wrote the same record first.") from error
    except OperationalError as error:
        raise _operational(error) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("The disk of the ledger is full.") from error
        raise


def _operational(error: DBAPIError) -> Exception:
    original = error.orig
    if isinstance(original, sqlite3.OperationalError):
        if getattr(original, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return DiskFull("The disk of the ledger is full.")
        return BadWorld("ledger_busy", f"The ledger is busy: {original}.")
    if getattr(original, "sqlstate", "") in ("40001", "40P01"):
        return StaleRecord("Two transactions met; this one is tried again.")
    return BadWorld("ledger_busy", "The database does not answer.")
