"""What is due, and what people ordered of it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, delete, func, not_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from digitizer.ledger import tables
from digitizer.ledger.batches import in_batches
from digitizer.ledger.records import Records
from digitizer.ledger.turns import allowed, place_of
from digitizer.model.reasons import Code, Reason
from digitizer.model.records import CommitmentState, Jacket, Stage, Task, WorkOrder

__all__ = ["Tasks", "stamp", "task_of"]


def stamp(at: datetime) -> float:
    """Return seconds since 1970."""
    return at.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def task_of(row: Row[Any]) -> Task:
    """Return a task row as a task."""
    return Task(
        stage=Stage(row.stage),
        subject=row.subject,
        due_at=_moment(row.due_at),
        attempts=row.attempts,
        lease_owner=row.lease_owner,
        lease_until=None if row.lease_until is None else _moment(row.lease_until),
        reason=_reason(row.why) if row.why else None,
    )


def _reason(why: str) -> Reason:
    """Return why a task waits; the words may begin with their code: ``disk_full: ...``."""
    head, colon, words = why.partition(": ")
    if colon and head in {code.value for code in Code}:
        return Reason(Code(head), words)
    return Reason(Code.LEDGER_BUSY if "ledger" in why else Code.ARCHIVE_UNREACHABLE, why)


class Tasks(Records):
    """Implements :class:`digitizer.ports.Tasks`."""

    def schedule(self, stage: Stage, subject: str, due_at: datetime | None = None) -> None:
        """Make a stage due (now by default); a live lease is not disturbed.

        Scheduled again, a task that waits moves to ``due_at``. One that is due already stays due:
        requests that keep coming cannot put it off for ever. One under a lease will be due at
        ``due_at`` when the lease ends, whatever its holder does (see :meth:`unschedule`).
        """
        now = stamp(self._clock.now())
        self._connection.execute(
            _due(self._connection.dialect.name),
            {
                "stage": stage.value,
                "subject": subject,
                "due_at": now if due_at is None else stamp(due_at),
                "now": now,
                **place_of(self._connection, stage, subject),
            },
        )

    def unschedule(self, stage: Stage, subject: str) -> None:
        """Delete a task that is done or no longer wanted.

        One that was scheduled again since its lease was taken is freed instead, to be done once
        more from the start: what asked for it may have come too late for the work just done.
        """
        mine = {"of_stage": stage.value, "of_subject": subject}
        # In this order: the deletion waits for a schedule under way elsewhere and judges the row
        # that it left; an update first would, on PostgreSQL, pass over the row as it was.
        if self._connection.execute(_DONE, mine).rowcount == 0:
            self._connection.execute(_FREED, mine)

    def task(self, stage: Stage, subject: str) -> Task | None:
        """Look up one task."""
        table = tables.task
        row = self._connection.execute(
            select(table).where(table.c.stage == stage.value, table.c.subject == subject)
        ).one_or_none()
        return None if row is None else task_of(row)

    def task_counts(self) -> dict[Stage, int]:
        """Count the tasks of each stage that has any."""
        table = tables.task
        rows = self._connection.execute(
            select(table.c.stage, func.count()).group_by(table.c.stage).order_by(table.c.stage)
        )
        return {Stage(stage): int(n) for stage, n in rows}

    def pending_commitments(self) -> int:
        """Count the commitment requests that nobody has answered."""
        table = tables.commitment
        query = select(func.count()).where(table.c.state == CommitmentState.PENDING.value)
        return int(self._connection.scalar(query) or 0)

    def tasks(self, *, subjects: Iterable[str] | None = None) -> tuple[Task, ...]:
        """List tasks, of some subjects or all, the first due first."""
        table = tables.task
        query = select(table).order_by(table.c.due_at, table.c.stage, table.c.subject)
        if subjects is None:
            return tuple(task_of(row) for row in self._connection.execute(query))
        found = [
            task_of(row)
            for some in in_batches(sorted(set(subjects)))
            for row in self._connection.execute(query.where(table.c.subject.in_(some)))
        ]
        return tuple(sorted(found, key=lambda one: (one.due_at, one.stage, one.subject)))

    def orders(self) -> tuple[WorkOrder, ...]:
        """List what was ever ordered of all work or of a batch."""
        return self._all(WorkOrder, select(tables.work_order).order_by(tables.work_order.c.serial))

    def hurry(self, jacket_id: str, urgent: bool) -> None:
        """Let the tasks of a jacket overtake others, or not any more."""
        row = tables.task
        mine = row.c.jacket_id == jacket_id
        self._connection.execute(update(row).where(mine).values(urgent=urgent))

    def urgent_jackets(self) -> tuple[Jacket, ...]:
        """List the jackets whose work overtakes, the first made first."""
        table = tables.jacket
        return self._all(Jacket, select(table).where(table.c.urgent).order_by(table.c.serial))

    def may_start(self, *, batch_id: str | None = None) -> int:
        """Count the tasks, of a batch or all, that no order keeps from being begun."""
        row = tables.task
        query = select(func.count()).select_from(row).where(allowed(self._connection))
        if batch_id is not None:
            query = query.where(row.c.batch_id == batch_id)
        return int(self._connection.scalar(query) or 0)


# Built once: building a statement costs more than running it.
_TASK = tables.task
_MY_TASK = and_(_TASK.c.stage == bindparam("of_stage"), _TASK.c.subject == bindparam("of_subject"))
_AGAIN = and_(
    _TASK.c.leased_generation.is_not(None), _TASK.c.leased_generation != _TASK.c.generation
)
_DONE = delete(_TASK).where(_MY_TASK, not_(_AGAIN))
_FREED = (
    update(_TASK)
    .where(_MY_TASK)
    .values(lease_owner=None, lease_until=None, leased_generation=None, attempts=0)
)


@cache
def _due(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return the statement that makes a task due, whether it is there already or not."""
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    names = ("stage", "subject", "due_at", "batch_id", "jacket_id", "urgent")
    new = make(_TASK).values(
        {name: bindparam(name) for name in names} | {"attempts": 0, "generation": 0, "why": ""}
    )
    now = bindparam("now", type_=_TASK.c.due_at.type)
    leased = and_(_TASK.c.lease_until.is_not(None), _TASK.c.lease_until > now)
    asked = new.excluded
    return new.on_conflict_do_update(
        index_elements=["stage", "subject"],
        set_={
            "due_at": case(
                (and_(_TASK.c.due_at <= now, ~leased), _TASK.c.due_at), else_=asked.due_at
            ),
            "generation": _TASK.c.generation + 1,
            "why": "",
            **{name: asked[name] for name in ("batch_id", "jacket_id", "urgent")},
        },
    )
