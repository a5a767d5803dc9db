"""Records to JSON and back: every field, every type, or an error."""

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

__all__ = ["decode", "encode"]

T = TypeVar("T")


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def encode(record: object) -> str:
    """Return a record as JSON text."""
    return _adapter(type(record)).dump_json(record).decode()


def decode(kind: type[T], text: str) -> T:
    """Return the record that JSON text holds; raises ``ValueError`` when it does not fit."""
    decoded: T = _adapter(kind).validate_json(text)
    return decoded
