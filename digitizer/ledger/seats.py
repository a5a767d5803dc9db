"""Who sits where: signed-in browsers, failed sign-ins, and who looks at which film."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, case, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from digitizer.ledger import tables
from digitizer.ledger.store import SqlLedger
from digitizer.model.overview import Lease
from digitizer.model.users import Session

__all__ = ["SqlLeases", "SqlSessions"]


class SqlSessions:
    """Implements :class:`digitizer.ports.Sessions`.

    Parameters
    ----------
    ledger : SqlLedger
        In whose database they are kept; what they do is told by events elsewhere.
    """

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger

    def open(self, session: Session) -> None:
        """Keep a new session."""
        with self._ledger.connection(writes=True) as connection:
            connection.execute(
                insert(tables.console_session).values(
                    key=session.key,
                    user=session.user,
                    csrf=session.csrf,
                    created_at=session.created_at.timestamp(),
                    seen_at=session.seen_at.timestamp(),
                )
            )

    def find(self, key: str) -> Session | None:
        """Look a session up."""
        table = tables.console_session
        with self._ledger.connection(writes=False) as connection:
            row = connection.execute(select(table).where(table.c.key == key)).one_or_none()
        if row is None:
            return None
        return Session(
            key=row.key,
            user=row.user,
            csrf=row.csrf,
            created_at=datetime.fromtimestamp(row.created_at, UTC),
            seen_at=datetime.fromtimestamp(row.seen_at, UTC),
        )

    def seen(self, key: str, now: datetime) -> None:
        """Write down that a session is in use."""
        table = tables.console_session
        with self._ledger.connection(writes=True) as connection:
            connection.execute(
                update(table).where(table.c.key == key).values(seen_at=now.timestamp())
            )

    def close(self, key: str) -> None:
        """End one session."""
        table = tables.console_session
        with self._ledger.connection(writes=True) as connection:
            connection.execute(delete(table).where(table.c.key == key))

    def close_all(self, user: str, *, but: str = "") -> None:
        """End all sessions of a user, but one perhaps."""
        table = tables.console_session
        with self._ledger.connection(writes=True) as connection:
            connection.execute(delete(table).where(table.c.user == user, table.c.key != but))

    def sweep(self, before: datetime) -> None:
        """Forget browsers not seen since, and failures to sign in that are as old."""
        table, failed = tables.console_session, tables.throttle
        # What has no token of forms is a program's, which lasts longer.
        ended = and_(table.c.seen_at < before.timestamp(), table.c.csrf != "")
        with self._ledger.connection(writes=True) as connection:
            connection.execute(delete(table).where(ended))
            connection.execute(delete(failed).where(failed.c.until < before.timestamp()))

    def failures(self, key: str) -> tuple[int, datetime | None]:
        """Tell how often signing in failed, and until when it is not to be tried."""
        table = tables.throttle
        with self._ledger.connection(writes=False) as connection:
            row = connection.execute(select(table).where(table.c.key == key)).one_or_none()
        return (0, None) if row is None else (row.failures, datetime.fromtimestamp(row.until, UTC))

    def attempt(
        self, keys: Sequence[str], now: datetime, pause: Callable[[str, int], float]
    ) -> datetime | None:
        """Count a try to sign in under each key, and in the same act ask whether it may be made.

        Many tries at the same moment wait for each other here: none passes before another counts.
        """
        table = tables.throttle
        with self._ledger.connection(writes=True) as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            for key in sorted(keys):
                connection.execute(
                    dialect.insert(table)
                    .values(key=key, failures=0, until=now.timestamp())
                    .on_conflict_do_nothing(index_elements=["key"])
                )
            query = select(table).where(table.c.key.in_(keys)).order_by(table.c.key)
            rows = connection.execute(query.with_for_update()).all()
            last = max(row.until for row in rows)
            if last > now.timestamp():
                return datetime.fromtimestamp(last, UTC)
            for row in rows:
                until = now.timestamp() + pause(row.key, row.failures + 1)
                mine = update(table).where(table.c.key == row.key)
                connection.execute(mine.values(failures=row.failures + 1, until=until))
        return None

    def uncount(self, key: str, now: datetime) -> None:
        """Take one failure back: this try was none."""
        table = tables.throttle
        fewer = case((table.c.failures > 0, table.c.failures - 1), else_=0)
        with self._ledger.connection(writes=True) as connection:
            mine = update(table).where(table.c.key == key)
            connection.execute(mine.values(failures=fewer, until=now.timestamp()))

    def forgive(self, key: str) -> None:
        """Forget the failures: somebody has signed in."""
        table = tables.throttle
        with self._ledger.connection(writes=True) as connection:
            connection.execute(delete(table).where(table.c.key == key))


class SqlLeases:
    """Implements :class:`digitizer.ports.ReviewLeases`.

    Parameters
    ----------
    ledger : SqlLedger
        In whose database they are kept.
    """

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger

    def take(self, subject: str, holder: str, now: datetime, seconds: float) -> Lease:
        """Take the lease of a film, or keep it; return it as it then stands, perhaps another's."""
        table = tables.review_lease
        until = now + timedelta(seconds=seconds)
        free = or_(table.c.until <= now.timestamp(), table.c.holder == holder)
        with self._ledger.connection(writes=True) as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            connection.execute(
                dialect.insert(table)
                .values(subject=subject, holder=holder, until=until.timestamp())
                .on_conflict_do_update(
                    index_elements=["subject"],
                    set_={"holder": holder, "until": until.timestamp()},
                    where=free,
                )
            )
            row = connection.execute(select(table).where(table.c.subject == subject)).one()
        return Lease(
            subject=subject,
            holder=row.holder,
            until=datetime.fromtimestamp(row.until, UTC),
        )

    def keep(self, subject: str, holder: str, now: datetime, seconds: float) -> bool:
        """Prolong a lease that is still ours; False when it has run out or passed to another."""
        table = tables.review_lease
        until = (now + timedelta(seconds=seconds)).timestamp()
        mine = and_(
            table.c.subject == subject,
            table.c.holder == holder,
            table.c.until > now.timestamp(),
        )
        with self._ledger.connection(writes=True) as connection:
            kept = connection.execute(update(table).where(mine).values(until=until))
        return kept.rowcount == 1

    def give_back(self, subject: str, holder: str) -> None:
        """End a lease of ours."""
        table = tables.review_lease
        with self._ledger.connection(writes=True) as connection:
            connection.execute(
                delete(table).where(table.c.subject == subject, table.c.holder == holder)
            )

    def holder(self, subject: str, now: datetime) -> Lease | None:
        """Tell who looks at a film now."""
        table = tables.review_lease
        query = select(table).where(table.c.subject == subject, table.c.until > now.timestamp())
        with self._ledger.connection(writes=False) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return Lease(
            subject=subject, holder=row.holder, until=datetime.fromtimestamp(row.until, UTC)
        )
