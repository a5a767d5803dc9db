"""Many values in few statements."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

__all__ = ["VALUES_AT_ONCE", "in_batches", "insert_all"]

VALUES_AT_ONCE = 10_000
"""Values of one statement: below the limits of SQLite (32,766) and PostgreSQL (65,535)."""

T = TypeVar("T")


def in_batches(values: Iterable[T], size: int = VALUES_AT_ONCE) -> Iterator[list[T]]:
    """Yield lists of at most ``size`` values."""
    iterator = iter(values)
    while together := list(islice(iterator, size)):
        yield together


def insert_all(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows, their values in the order of ``columns``.

    PostgreSQL is given each column as one array: an answer for each row cost the import of an
    index most of its time.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in columns]
        together = select(func.unnest(*arrays).table_valued(*columns).render_derived())
        of_columns = map(list, zip(*rows, strict=True))
        connection.execute(
            insert(table).from_select(columns, together),
            dict(zip(columns, of_columns, strict=True)),
        )
    else:
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
