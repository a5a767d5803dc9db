"""Which due task may be begun, and whose turn it is: pauses, draining, and urgent jackets.

What people ordered stands in ``work_order``; all that takes a lease or looks for due work asks
here, so that a pause holds for workers, the reaper and every command, and outlives them all.

An urgent jacket overtakes, and nothing starves: of five turns that a pool of workers takes while
work of both kinds is due, four go to urgent jackets and one to the others.
"""

from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    false,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from digitizer.ledger import tables
from digitizer.model.records import EVERYTHING, Stage, WorkMode
from digitizer.model.states import State

__all__ = ["Conditions", "allowed", "built_once", "in_turn", "place_of", "ready"]

_TASK = tables.task.c
_TURNS = 5
"""Of so many turns the last one goes to jackets that are not urgent."""
Conditions = tuple[ColumnElement[bool], ...]
S = TypeVar("S")

_UNORDERED: Conditions = (
    _TASK.due_at <= bindparam("at"),
    or_(_TASK.lease_until.is_(None), _TASK.lease_until <= bindparam("at")),
)
_ORDERS = select(tables.work_order.c.id, tables.work_order.c.mode).where(
    tables.work_order.c.mode != WorkMode.RUNNING.value
)
_BEGUN = (State.PREPARED, State.READ, State.REVIEW, State.WAITING)
"""States of a scan on which work was begun."""
_IN_A_JACKET = {
    Stage.PREPARE: tables.scan,
    Stage.READ: tables.scan,
    Stage.DECIDE: tables.jacket,
    Stage.WRAP: tables.sheet,
    Stage.STORE: tables.sheet,
    Stage.COMMIT: tables.sheet,
    Stage.VERIFY: tables.sheet,
}
"""Where the subjects of the stages of film stand; those of older archives are in no jacket."""


def place_of(connection: Connection, stage: Stage, subject: str) -> dict[str, Any]:
    """Return the batch, the jacket and the urgency of a task's subject, as columns of the task."""
    found = None
    if stage in _IN_A_JACKET:
        found = connection.execute(_place(stage), {"own": subject}).one_or_none()
    if found is None:
        return {"batch_id": "", "jacket_id": "", "urgent": False}
    return {"batch_id": found.batch_id, "jacket_id": found.id, "urgent": found.urgent}


@cache
def _place(stage: Stage) -> Select[Any]:
    """Return the query of a subject's jacket; built once, it is asked with every task."""
    jacket = tables.jacket.c
    table = _IN_A_JACKET[stage]
    query = select(jacket.id, jacket.batch_id, jacket.urgent).where(table.c.id == bindparam("own"))
    if table is not tables.jacket:
        query = query.join(table, table.c.jacket_id == jacket.id)
    return query


def allowed(connection: Connection) -> ColumnElement[bool]:
    """Return the condition that no order keeps a task from being begun."""
    ordered = _ordered(connection)
    return true() if ordered is None else ordered


def _ordered(connection: Connection) -> ColumnElement[bool] | None:
    """Return the condition that orders make; None where there are none."""
    modes = {row.id: WorkMode(row.mode) for row in connection.execute(_ORDERS)}
    if not modes:
        return None
    if modes.get(EVERYTHING) is WorkMode.PAUSED:
        return false()
    conditions: list[ColumnElement[bool]] = []
    paused = [one for one, mode in modes.items() if mode is WorkMode.PAUSED]
    if paused:
        conditions.append(_TASK.batch_id.not_in(paused))
    draining = [one for one, mode in modes.items() if mode is WorkMode.DRAINING]
    if draining:
        new = and_(_TASK.stage == Stage.PREPARE.value, not_(_is_begun()))
        if EVERYTHING in draining:
            new = or_(new, _TASK.stage == Stage.OLD_FEED.value)
        else:
            new = and_(new, _TASK.batch_id.in_(draining))
        conditions.append(not_(new))
    return and_(true(), *conditions)


def _is_begun() -> ColumnElement[bool]:
    """Return the condition that work was begun on a scan of the task's jacket.

    A jacket is decided when all its scans are read: one half of it would be stuck.
    """
    scan = tables.scan
    states = [state.value for state in _BEGUN]
    begun = select(scan.c.id).where(scan.c.jacket_id == _TASK.jacket_id, scan.c.state.in_(states))
    return begun.correlate(tables.task).exists()


def ready(connection: Connection) -> Conditions:
    """Return the conditions that a task is due at ``at``, not under a live lease, and allowed."""
    ordered = _ordered(connection)
    return _UNORDERED if ordered is None else (*_UNORDERED, ordered)


def built_once(build: Callable[[Conditions], S]) -> Callable[[Conditions], S]:
    """Have a statement on ready tasks built once for all times without orders, which are most.

    To build it takes longer than to run it, and it is run with every task.
    """

    @cache
    def unordered() -> S:
        return build(_UNORDERED)

    @wraps(build)
    def built(is_ready: Conditions) -> S:
        return unordered() if is_ready is _UNORDERED else build(is_ready)

    return built


def in_turn(
    connection: Connection,
    stage: Stage,
    subject: str,
    pool: Sequence[Stage],
    is_ready: Conditions,
    at: float,
) -> tuple[Stage, str]:
    """Return which ready task of a pool has its turn: the one named where nothing is urgent."""
    now = {"at": at, "pool": [one.value for one in pool]}
    urgent = _first(connection, _urgent(is_ready), now)
    if urgent is None:
        return stage, subject
    named = {**now, "stage_named": stage.value, "subject_named": subject}
    other = _first(connection, _named(is_ready), named) or _first(
        connection, _others(is_ready), now
    )
    if other is None:
        return urgent
    return urgent if _next_turn(connection, min(pool).value) % _TURNS else other


@built_once
def _urgent(is_ready: Conditions) -> Select[Any]:
    return _in_order(_TASK.urgent, *is_ready)


@built_once
def _others(is_ready: Conditions) -> Select[Any]:
    return _in_order(not_(_TASK.urgent), *is_ready)


@built_once
def _named(is_ready: Conditions) -> Select[Any]:
    named = _TASK.stage == bindparam("stage_named"), _TASK.subject == bindparam("subject_named")
    return _in_order(not_(_TASK.urgent), *named, *is_ready)


def _in_order(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Select the task due first; one that another worker is just taking is passed over."""
    pool = _TASK.stage.in_(bindparam("pool", expanding=True))
    query = select(_TASK.stage, _TASK.subject).where(*conditions, pool)
    query = query.order_by(_TASK.due_at, _TASK.stage, _TASK.subject).limit(1)
    return query.with_for_update(skip_locked=True)


def _first(
    connection: Connection, query: Select[Any], values: dict[str, Any]
) -> tuple[Stage, str] | None:
    row = connection.execute(query, values).one_or_none()
    return None if row is None else (Stage(row.stage), row.subject)


def _next_turn(connection: Connection, pool: str) -> int:
    table = tables.turn
    postgres = connection.dialect.name == "postgresql"
    insert = (postgresql.insert if postgres else sqlite.insert)(table)
    connection.execute(
        insert.values(pool=pool, taken=0).on_conflict_do_nothing(index_elements=["pool"])
    )
    counted = update(table).where(table.c.pool == pool).values(taken=table.c.taken + 1)
    return int(connection.execute(counted.returning(table.c.taken)).scalar_one())
