"""The database's errors in our words: full, busy, away, lost race, or a record that is missing."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from digitizer.errors import BadWorld, DiskFull, StaleRecord, UnknownRecord

__all__ = ["mapped_errors"]

_FULL = "The disk of the ledger is full."
_LATER = "Try again; if it lasts, look whether another program holds the ledger."
# PostgreSQL Appendix A: error codes.
_SERIALIZATION_FAILURE, _DEADLOCK_DETECTED = "40001", "40P01"
_FOREIGN_KEY_VIOLATION = "23503"
_DISK_FULL = "53100"


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn errors of the database into ours.

    Raises
    ------
    StaleRecord
        A lost race: a unique value taken meanwhile, a serialization failure, a deadlock.
    UnknownRecord
        A record names another that is not there.
    DiskFull
        SQLITE_FULL, ENOSPC, EDQUOT, or PostgreSQL's disk_full.
    BadWorld
        ``ledger_busy``: locked for longer than the busy time-out, or no connection.
    """
    try:
        yield
    except IntegrityError as error:
        raise _integrity(error) from error
    except (OperationalError, InterfaceError) as error:
        raise _operational(error) from error
    except PoolTimeout as error:
        raise BadWorld(
            "ledger_busy", "All connections to the ledger are in use.", remedy=_LATER
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(_FULL) from error
        raise


def _integrity(error: IntegrityError) -> Exception:
    original = error.orig
    code = getattr(original, "sqlite_errorcode", None)
    if (
        code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
        or getattr(original, "sqlstate", "") == _FOREIGN_KEY_VIOLATION
    ):
        return UnknownRecord("A record names another that is not in the ledger.")
    return StaleRecord("Somebody else wrote the same record first.")


def _operational(error: DBAPIError) -> Exception:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return DiskFull(_FULL)
        return BadWorld("ledger_busy", f"The ledger cannot be used now: {original}.", remedy=_LATER)
    state = getattr(original, "sqlstate", None)
    if state in (_SERIALIZATION_FAILURE, _DEADLOCK_DETECTED):
        return StaleRecord("Two transactions met; this one must be tried again.")
    if state == _DISK_FULL:
        return DiskFull(_FULL)
    return BadWorld("ledger_busy", "The database does not answer.", remedy=_LATER)
