"""Older archives in the ledger: their studies, and a row for every instance."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Row, Select, bindparam, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from digitizer.ledger import tables
from digitizer.ledger.batches import in_batches
from digitizer.model.older import OldInstance
from digitizer.model.reasons import Code
from digitizer.model.records import CommitmentState
from digitizer.model.states import State

__all__ = [
    "commitments_of",
    "filed",
    "forget",
    "instances",
    "instances_at",
    "instances_with_uid",
    "open_duplicates",
    "reasons",
    "studies",
    "studies_by_state",
    "studies_naming",
    "studies_to_feed",
    "tally",
    "write_instances",
]

_ROW = tables.old_instance
_FIELDS = tuple(one.name for one in fields(OldInstance))
_AT_ONCE = 500
"""Values of one statement: few rows are in hand at a time."""


def write_instances(connection: Connection, rows: Iterable[OldInstance]) -> None:
    """Insert instances, or write them anew where they are known by source and place."""
    values = [_values(row) for row in rows]
    if values:
        connection.execute(_upsert(connection.dialect.name), values)


@cache
def _upsert(dialect: str) -> Executable:
    """Return the statement for one row; built once, it is run for each."""
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(_ROW)
    changed = {
        column.name: statement.excluded[column.name]
        for column in _ROW.columns
        if column.name not in ("source_id", "place")
    }
    return statement.on_conflict_do_update(index_elements=["source_id", "place"], set_=changed)


def _values(row: OldInstance) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _FIELDS}
    return {**values, "state": row.state.value, "code": row.code.value if row.code else ""}


def _instance(row: Row[Any]) -> OldInstance:
    values = dict(row._mapping)
    values["state"] = State(values["state"])
    values["code"] = Code(values["code"]) if values["code"] else None
    return OldInstance(**values)


def instances(
    connection: Connection,
    *,
    source_id: str | None = None,
    study_id: str | None = None,
    states: Sequence[State] = (),
    code: Code | None = None,
    after: str = "",
    limit: int | None = None,
) -> tuple[OldInstance, ...]:
    """List instances in the order of their places, after one of them."""
    told = {
        "of_source": source_id,
        "of_study": study_id,
        "in_states": [state.value for state in states] or None,
        "with_code": code.value if code else None,
        "after": after or None,
        "most": limit,
    }
    asked = {name: value for name, value in told.items() if value is not None}
    return _found(connection, _listing(frozenset(asked)), asked)


_CONDITIONS = {
    "of_source": _ROW.c.source_id == bindparam("of_source"),
    "of_study": _ROW.c.study_id == bindparam("of_study"),
    "in_states": _ROW.c.state.in_(bindparam("in_states", expanding=True)),
    "with_code": _ROW.c.code == bindparam("with_code"),
    "after": _ROW.c.place > bindparam("after"),
    "at_places": _ROW.c.place.in_(bindparam("at_places", expanding=True)),
    "of_uids": _ROW.c.sop_instance_uid.in_(bindparam("of_uids", expanding=True)),
}


@cache
def _listing(asked: frozenset[str]) -> Select[Any]:
    """Return the statement for some conditions: to build it costs as much as to run it."""
    query = select(_ROW).order_by(_ROW.c.place)
    query = query.where(*(_CONDITIONS[name] for name in sorted(asked & _CONDITIONS.keys())))
    return query.limit(bindparam("most")) if "most" in asked else query


def _found(
    connection: Connection, query: Select[Any], values: Mapping[str, Any]
) -> tuple[OldInstance, ...]:
    return tuple(_instance(row) for row in connection.execute(query, values))


def instances_with_uid(connection: Connection, uids: Iterable[str]) -> tuple[OldInstance, ...]:
    """Find the instances of these SOP Instance UIDs, in all sources."""
    found: list[OldInstance] = []
    query = _listing(frozenset(("of_uids",)))
    for some in in_batches(sorted(set(uids)), _AT_ONCE):
        found += _found(connection, query, {"of_uids": some})
    return tuple(found)


def instances_at(
    connection: Connection, source_id: str, places: Iterable[str]
) -> tuple[OldInstance, ...]:
    """Return the instances that are known of some places of a source."""
    found: list[OldInstance] = []
    query = _listing(frozenset(("of_source", "at_places")))
    for some in in_batches(places, _AT_ONCE):
        found += _found(connection, query, {"of_source": source_id, "at_places": some})
    return tuple(found)


def forget(connection: Connection, source_id: str, places: Iterable[str]) -> None:
    """Delete the rows of some places of a source."""
    for some in in_batches(places, _AT_ONCE):
        query = delete(_ROW).where(_ROW.c.source_id == source_id, _ROW.c.place.in_(some))
        connection.execute(query)


def tally(connection: Connection, source_id: str) -> dict[tuple[State, str], tuple[int, int]]:
    """Count the instances of a source, and their bytes, by state and code."""
    query = select(_ROW.c.state, _ROW.c.code, func.count(), func.sum(_ROW.c.size))
    query = query.where(_ROW.c.source_id == source_id).group_by(_ROW.c.state, _ROW.c.code)
    rows = connection.execute(query)
    return {(State(state), code): (int(n), int(size or 0)) for state, code, n, size in rows}


def filed(connection: Connection, source_id: str) -> dict[tuple[str, bool], int]:
    """Count the instances that go to the archive, by state and by whether a patient is decided."""
    study = tables.old_study
    decided = study.c.patient_id != ""
    going = (State.READ, State.STORED, State.COMMITTED, State.VERIFIED)
    query = select(_ROW.c.state, decided, func.count()).join(study, study.c.id == _ROW.c.study_id)
    query = query.where(_ROW.c.source_id == source_id)
    query = query.where(_ROW.c.state.in_([state.value for state in going]))
    rows = connection.execute(query.group_by(_ROW.c.state, decided))
    return {(state, bool(is_decided)): int(n) for state, is_decided, n in rows}


def decided(connection: Connection, study_ids: Iterable[str]) -> frozenset[str]:
    """Return which of some studies have a patient."""
    study, found = tables.old_study, set[str]()
    for some in in_batches(sorted(study_ids), _AT_ONCE):
        query = select(study.c.id).where(study.c.id.in_(some))
        found |= set(connection.scalars(query.where(study.c.patient_id != "")))
    return frozenset(found)


def taken_of_studies(connection: Connection, source_id: str, states: Sequence[State]) -> int:
    """Count the instances in some states that belong to studies of their own source."""
    study = tables.old_study
    query = select(func.count()).select_from(study).where(study.c.source_id == source_id)
    query = query.join(_ROW, _ROW.c.study_id == study.c.id)
    query = query.where(_ROW.c.state.in_([state.value for state in states]))
    return int(connection.scalar(query) or 0)


def open_duplicates(connection: Connection, source_id: str) -> int:
    """Count the duplicates of a source whose first is not verified."""
    first = _ROW.alias("first")
    verified = select(first.c.place).where(
        first.c.sop_instance_uid == _ROW.c.sop_instance_uid,
        first.c.state == State.VERIFIED.value,
    )
    query = select(func.count()).where(_ROW.c.source_id == source_id)
    query = query.where(_ROW.c.state == State.DUPLICATE.value, ~verified.exists())
    return int(connection.scalar(query) or 0)


def reasons(connection: Connection, source_id: str, state: State) -> dict[str, int]:
    """Count the studies in a state by their first reason."""
    table = tables.old_study
    query = select(table.c.code, func.count()).where(table.c.source_id == source_id)
    query = query.where(table.c.state == state.value).group_by(table.c.code)
    return {code: int(n) for code, n in connection.execute(query.order_by(table.c.code))}


def studies(
    *,
    source_id: str | None = None,
    states: Sequence[State] = (),
    code: Code | None = None,
    patient: tuple[str, str] | None = None,
    uids: Sequence[str] | None = None,
    after: str = "",
    limit: int | None = None,
) -> Select[Any]:
    """Select studies in the order of their ids, after one of them."""
    table = tables.old_study
    query = select(table).order_by(table.c.id)
    if source_id is not None:
        query = query.where(table.c.source_id == source_id)
    if states:
        query = query.where(table.c.state.in_([state.value for state in states]))
    if code is not None:
        query = query.where(table.c.code == code.value)
    if patient is not None:
        query = query.where(table.c.issuer == patient[0], table.c.patient_id == patient[1])
    if uids is not None:
        query = query.where(table.c.study_instance_uid.in_(uids))
    if after:
        query = query.where(table.c.id > after)
    return query if limit is None else query.limit(limit)


def studies_naming(numbers: Sequence[str]) -> Select[Any]:
    """Select studies without a patient in whose headers one of some record numbers stands."""
    table = tables.old_study
    said = (f'"patient_id":{json.dumps(number, ensure_ascii=False)}' for number in numbers)
    named = or_(*(table.c.body.contains(one, autoescape=True) for one in said))
    return select(table).where(table.c.patient_id == "", named).order_by(table.c.id)


def studies_to_feed(source_id: str, limit: int) -> Select[Any]:
    """Select studies that nothing was begun with, the first found first."""
    table, task = tables.old_study, tables.task
    begun = select(task.c.subject).where(task.c.subject == table.c.id).exists()
    query = select(table).where(table.c.source_id == source_id)
    query = query.where(table.c.state == State.RECEIVED.value, ~begun)
    return query.order_by(table.c.serial).limit(limit)


def studies_by_state(connection: Connection, source_id: str) -> dict[State, int]:
    """Count the studies of a source by state."""
    table = tables.old_study
    query = select(table.c.state, func.count()).where(table.c.source_id == source_id)
    return {State(state): int(n) for state, n in connection.execute(query.group_by(table.c.state))}


def commitments_of(study_id: str | None, *, pending: bool | None = None) -> Select[Any]:
    """Select the commitment requests of a study, or of all; pending ones or all."""
    table = tables.old_commitment
    query = select(table).order_by(table.c.serial)
    if study_id is not None:
        query = query.where(table.c.study_id == study_id)
    if pending is not None:
        is_pending = table.c.state == CommitmentState.PENDING.value
        query = query.where(is_pending if pending else ~is_pending)
    return query
