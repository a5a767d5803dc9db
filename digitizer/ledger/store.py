"""The ledger on SQLAlchemy: transactions, leases, and the chain of events."""

import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from digitizer.errors import BadWorld, DiskFull, MissingService
from digitizer.ledger import tables
from digitizer.ledger.anchors import make_anchor, verify_anchor
from digitizer.ledger.chain import intact
from digitizer.ledger.engine import WRITES, open_engine
from digitizer.ledger.migrate import migrate
from digitizer.ledger.reserve import Reserve
from digitizer.ledger.tasks import stamp, task_of
from digitizer.ledger.transaction import SqlTransaction
from digitizer.ledger.trouble import mapped_errors
from digitizer.ledger.turns import Conditions, built_once, in_turn, ready
from digitizer.model.records import Stage, Task
from digitizer.ports import Clock

__all__ = ["SqlLedger"]


class SqlLedger:
    """Implements :class:`digitizer.ports.Ledger` on SQLite or PostgreSQL.

    Beside an SQLite file a reserve is kept that is given up when the disk is full, so that what
    happened can still be written down; it is taken again when there is room.

    Parameters
    ----------
    url : str
        SQLAlchemy URL.
    clock : Clock
    reserve : int
        Bytes of the reserve; 0 for none.

    Raises
    ------
    SettingsError
        The URL cannot be used.
    """

    def __init__(self, url: str, clock: Clock, *, reserve: int = 16 << 20) -> None:
        self.url = url
        self._engine = open_engine(url)
        self._clock = clock
        weakref.finalize(self, self._engine.dispose)
        file = self._engine.url.database
        kept = self._engine.dialect.name == "sqlite" and file not in (None, "", ":memory:")
        self._reserve = Reserve(Path(f"{file}.reserve"), reserve if kept else 0)

    def migrate(self) -> None:
        """Bring the tables up to date; safe when several processes start at once.

        Raises
        ------
        MissingService
            The database cannot be reached or opened.
        """
        try:
            with mapped_errors():
                migrate(self._engine)
        except DiskFull:
            self._reserve.give_up()
            raise
        except BadWorld as error:
            raise MissingService(
                f"The ledger cannot be opened: {error.message}",
                remedy="Check that the data folder can be written, or DIGITIZER_DATABASE_URL.",
            ) from error
        self._reserve.take()

    def close(self) -> None:
        """Give up the connections that wait to be used again."""
        self._engine.dispose()

    @contextmanager
    def connection(self, *, writes: bool) -> Iterator[Connection]:
        """Open a connection with one transaction around everything done on it."""
        try:
            with mapped_errors(), self._engine.connect() as plain:
                connection = plain.execution_options(**(WRITES if writes else {}))
                with connection.begin():
                    yield connection
        except DiskFull:
            self._reserve.give_up()
            raise

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
        with self.connection(writes=True) as connection:
            now = self._clock.now()
            return _leased(connection, (stage, subject), ready(connection), owner, now, seconds)

    def lease_in_turn(
        self, stage: Stage, subject: str, pool: Iterable[Stage], owner: str, seconds: float
    ) -> Task | None:
        """Lease what has its turn among the due tasks of some stages (:mod:`.turns`)."""
        with self.connection(writes=True) as connection:
            now = self._clock.now()
            is_ready = ready(connection)
            chosen = in_turn(connection, stage, subject, tuple(pool), is_ready, stamp(now))
            return _leased(connection, chosen, is_ready, owner, now, seconds)

    def release(
        self, task: Task, *, due_at: datetime, why: str = "", count_attempt: bool = True
    ) -> None:
        """Give a lease back; the task is due again at ``due_at``.

        Nothing happens when the lease has passed to another. Where the task was scheduled anew
        meanwhile, it is due when that asked for.
        """
        row = tables.task
        again = row.c.generation != row.c.leased_generation
        spent = 0 if count_attempt else 1
        mine = and_(
            row.c.stage == task.stage.value,
            row.c.subject == task.subject,
            row.c.lease_owner == task.lease_owner,
        )
        with self.connection(writes=True) as connection:
            connection.execute(
                update(row)
                .where(mine)
                .values(
                    due_at=case((again, row.c.due_at), else_=stamp(due_at)),
                    attempts=case(
                        (row.c.attempts >= spent, row.c.attempts - spent), else_=row.c.attempts
                    ),
                    lease_owner=None,
                    lease_until=None,
                    leased_generation=None,
                    why=why,
                )
            )

    def due(self, now: datetime, limit: int = 1000) -> tuple[Task, ...]:
        """List tasks due and not under a live lease, those of urgent jackets first."""
        row = tables.task
        found: list[Task] = []
        with self.connection(writes=False) as connection:
            conditions = ready(connection)
            # One after the other: together they would be sorted anew, all of them, each time.
            for urgent in (row.c.urgent, ~row.c.urgent):
                query = select(row).where(urgent, *conditions)
                query = query.order_by(row.c.due_at, row.c.stage, row.c.subject)
                rows = connection.execute(query.limit(limit - len(found)), {"at": stamp(now)})
                found += [task_of(one) for one in rows]
        return tuple(found)

    def leased(self, now: datetime) -> tuple[Task, ...]:
        """List tasks under a live lease."""
        query = select(tables.task).where(tables.task.c.lease_until > stamp(now))
        with self.connection(writes=False) as connection:
            return tuple(task_of(one) for one in connection.execute(query))

    def verify_chain(self, subject: str) -> bool:
        """Tell whether the events of a subject still hash to what was written."""
        with self.connection(writes=False) as connection:
            return intact(connection, subject)

    def subjects(self, after: str = "", limit: int = 1000) -> tuple[str, ...]:
        """List subjects that have events, in the order of their names, after one of them."""
        row = tables.event
        query = select(row.c.subject).where(row.c.subject > after).distinct()
        with self.connection(writes=False) as connection:
            return tuple(connection.execute(query.order_by(row.c.subject).limit(limit)).scalars())

    def anchor(self, day: date) -> str:
        """Hash all events of a day (UTC) and the anchor before it; keep and return the hash.

        Printed or deposited elsewhere, it proves later that no event of that day was changed,
        added or left out. Asked again, it returns what was kept.

        Raises
        ------
        UsageError
            The day has not been over for an hour.
        """
        with self.connection(writes=True) as connection:
            return make_anchor(connection, day, self._clock.now())

    def verify_anchor(self, day: date) -> bool:
        """Tell whether the events of a day still hash to its anchor; False without one."""
        with self.connection(writes=False) as connection:
            return verify_anchor(connection, day)


def _leased(
    connection: Connection,
    chosen: tuple[Stage, str],
    is_ready: Conditions,
    owner: str,
    now: datetime,
    seconds: float,
) -> Task | None:
    stage, subject = chosen
    taken = connection.execute(
        _take(is_ready),
        {
            "at": stamp(now),
            "stage_chosen": stage.value,
            "subject_chosen": subject,
            "owner": owner,
            "until": stamp(now + timedelta(seconds=seconds)),
        },
    ).one_or_none()
    return None if taken is None else task_of(taken)


@built_once
def _take(is_ready: Conditions) -> ReturningUpdate[Any]:
    row = tables.task
    chosen = row.c.stage == bindparam("stage_chosen"), row.c.subject == bindparam("subject_chosen")
    return (
        update(row)
        .where(*chosen, *is_ready)
        .values(
            attempts=row.c.attempts + 1,
            lease_owner=bindparam("owner"),
            lease_until=bindparam("until"),
            leased_generation=row.c.generation,
        )
        .returning(*row.c)
    )
