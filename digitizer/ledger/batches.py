"""Many values in few statements."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["VALUES_AT_ONCE", "in_batches"]

VALUES_AT_ONCE = 10_000
"""Values of one statement: below the limits of SQLite (32,766) and PostgreSQL (65,535)."""

T = TypeVar("T")


def in_batches(values: Iterable[T], size: int = VALUES_AT_ONCE) -> Iterator[list[T]]:
    """Yield lists of at most ``size`` values."""
    iterator = iter(values)
    while together := list(islice(iterator, size)):
        yield together
