"""The ledger on SQLAlchemy: transactions, leases, and the chain of events."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from digitizer.ledger import tables
from digitizer.ledger.engine import WRITES, mapped_errors, open_engine
from digitizer.ledger.migrate import migrate
from digitizer.ledger.transaction import SqlTransaction, chained, stamp, task_of
from digitizer.model.records import Stage, Task
from digitizer.ports import Clock

__all__ = ["SqlLedger"]

_NO_LEASE = None


class SqlLedger:
    """Implements :class:`digitizer.ports.Ledger` on SQLite or PostgreSQL.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.
    clock : Clock

    Raises
    ------
    SettingsError
        The URL cannot be used.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self.url = url
        self._engine = open_engine(url)
        self._clock = clock

    def migrate(self) -> None:
        """Bring the tables up to date; safe when several processes start at once."""
        with mapped_errors():
            migrate(self._engine)

    @contextmanager
    def connection(self, *, writes: bool) -> Iterator[Connection]:
        """Open a connection with one transaction around everything done on it."""
        with mapped_errors(), self._engine.connect() as plain:
            connection = plain.execution_options(**(WRITES if writes else {}))
            with connection.begin():
                if not writes and self._engine.dialect.name == "postgresql":
                    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                yield connection

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Open a write transaction."""
        with self.connection(writes=True) as connection:
            yield SqlTransaction(connection, self._clock)

    @contextmanager
    def reading(self) -> Iterator[SqlTransaction]:
        """Open a consistent read-only view."""
        with self.connection(writes=False) as connection:
            yield SqlTransaction(connection, self._clock)

    def lease(self, stage: Stage, subject: str, owner: str, seconds: float) -> Task | None:
        """Take the lease of a due task and count the attempt; None when it cannot be had."""
        now = self._clock.now()
        row = tables.task
        free = or_(row.c.lease_until.is_(_NO_LEASE), row.c.lease_until <= stamp(now))
        with self.connection(writes=True) as connection:
            taken = connection.execute(
                update(row)
                .where(row.c.stage == stage.value, row.c.subject == subject)
                .where(row.c.due_at <= stamp(now), free)
                .values(
                    attempts=row.c.attempts + 1,
                    lease_owner=owner,
                    lease_until=stamp(now + timedelta(seconds=seconds)),
                    leased_generation=row.c.generation,
                )
            )
            if taken.rowcount != 1:
                return None
            found = connection.execute(
                select(row).where(row.c.stage == stage.value, row.c.subject == subject)
            ).one()
            return task_of(found)

    def release(
        self, task: Task, *, due_at: datetime, why: str = "", count_attempt: bool = True
    ) -> None:
        """Give a lease back; the task is due again at ``due_at``.

        Nothing happens when the task was scheduled anew, or leased by another, meanwhile.
        """
        row = tables.task
        values: dict[str, Any] = {
            "lease_owner": None,
            "lease_until": None,
            "leased_generation": None,
            "why": why,
        }
        if not count_attempt:
            values["attempts"] = row.c.attempts - 1
        mine = (
            (row.c.stage == task.stage.value)
            & (row.c.subject == task.subject)
            & (row.c.lease_owner == task.lease_owner)
        )
        with self.connection(writes=True) as connection:
            connection.execute(
                update(row)
                .where(mine, row.c.generation == row.c.leased_generation)
                .values(due_at=stamp(due_at))
            )
            connection.execute(update(row).where(mine).values(**values))

    def due(self, now: datetime, limit: int = 1000) -> tuple[Task, ...]:
        """List tasks due and not under a live lease, the oldest first."""
        row = tables.task
        free = or_(row.c.lease_until.is_(_NO_LEASE), row.c.lease_until <= stamp(now))
        with self.connection(writes=False) as connection:
            found = connection.execute(
                select(row).where(row.c.due_at <= stamp(now), free).order_by(row.c.due_at).limit(limit)
            )
            return tuple(task_of(one) for one in found)

    def verify_chain(self, subject: str) -> bool:
        """Tell whether the events of a subject still hash to what was written."""
        row = tables.event
        with self.connection(writes=False) as connection:
            found = connection.execute(
                select(row).where(row.c.subject == subject).order_by(row.c.sequence)
            )
            previous = ""
            for number, one in enumerate(found):
                expected = chained(
                    previous, one.subject, number, one.at, one.name, one.actor, one.payload
                )
                if one.sequence != number or one.hash != expected:
                    return False
                previous = one.hash
        return True

    def anchor(self, day: date) -> str:
        """Hash the last event of every subject touched on a day, and keep the hash.

        Printed or deposited elsewhere, it proves later that no event of that day was changed.
        """
        row = tables.event
        start = day.isoformat()
        end = (day + timedelta(days=1)).isoformat()
        with self.connection(writes=True) as connection:
            found = connection.execute(
                select(row.c.subject, row.c.sequence, row.c.hash)
                .where(row.c.at >= start, row.c.at < end)
                .order_by(row.c.subject, row.c.sequence)
            ).all()
            digest = hashlib.sha256()
            for one in found:
                digest.update(f"{one.subject}:{one.sequence}:{one.hash}\n".encode())
            value = digest.hexdigest()
            connection.execute(delete(tables.anchor).where(tables.anchor.c.day == day))
            connection.execute(
                insert(tables.anchor).values(day=day, events=len(found), hash=value)
            )
            return value
