"""Opening SQLite and PostgreSQL the way that was measured to be safe.

SQLite: write-ahead log, synchronous FULL, BEGIN IMMEDIATE for writers (a deferred transaction that
reads and then writes fails at once whatever the busy time-out), and a long busy time-out, because
writers are not queued fairly. A view for reading cannot write: query_only, or READ ONLY.

No connection crosses a fork: the pool is emptied before each, in the parent.
"""

import os
import random
import sqlite3
import time
import weakref
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from digitizer.errors import SettingsError

__all__ = ["WRITES", "open_engine"]

WRITES = {"digitizer_writes": True}
"""Execution option of a connection whose transaction will write."""

_BUSY_S = 30.0
_PAUSE_S = 0.001
"""Between two looks at the write lock."""
_MAY_WRITE = "digitizer_may_write"
"""What a connection of the pool was last told: each telling costs as much as a small query."""
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "cache_size=-65536")


def open_engine(url: str) -> Engine:
    """Return an engine for a database URL; connects to nothing yet.

    Raises
    ------
    SettingsError
        The URL is none that SQLAlchemy knows, or names another database.
    """
    remedy = "Use sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME."
    try:
        # An error's text goes to logs, and the values of a statement are patients.
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_pre_ping=not url.startswith("sqlite"),
            hide_parameters=True,
        )
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        # The URL may hold a password: only the kind of the error is told.
        raise SettingsError(
            f"The database URL cannot be used ({type(error).__name__}).", remedy=remedy
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "begin", _begin_postgres)
    else:
        raise SettingsError("The ledger runs on SQLite or PostgreSQL only.", remedy=remedy)
    _empty_before_fork(engine)
    return engine


def _empty_before_fork(engine: Engine) -> None:
    known = weakref.ref(engine)

    def empty() -> None:
        still = known()
        if still is not None:
            still.dispose()

    os.register_at_fork(before=empty)


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


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("digitizer_writes", False))


def _begin_sqlite(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    writes, known = _writes(connection), connection.info
    if known.get(_MAY_WRITE) is not writes:
        known.pop(_MAY_WRITE, None)
        driver.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        known[_MAY_WRITE] = writes
    if writes:
        _begin_writing(connection, driver)
    else:
        driver.execute("BEGIN")


def _begin_writing(connection: Connection, driver: sqlite3.Connection) -> None:
    """Take the write lock, asking often: SQLite itself sleeps up to 100 ms between two tries.

    A transaction of ours holds it for a few milliseconds.
    """
    deadline = time.monotonic() + _BUSY_S
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < deadline:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                # The low byte: busy for a moment after a crash has a code of its own.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(random.uniform(0.5, 1.5) * _PAUSE_S)
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails as SQLAlchemy tells it
    finally:
        driver.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000:.0f}")


def _begin_postgres(connection: Connection) -> None:
    if not _writes(connection):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
