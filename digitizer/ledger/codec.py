"""Records to JSON and back: every field of every type, or an error; never a changed value.

The text begins with the number of its format, so that a later version can tell what it reads.
Fields that a later version adds have defaults; a field that nobody knows is an error.
"""

from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import PydanticSerializationError

from digitizer.model.records import Scan, Sheet

__all__ = ["FORMAT", "decode", "encode"]

FORMAT = 1
_HEAD, _TAIL = f'{{"format":{FORMAT},"record":', "}"

T = TypeVar("T")

# The settings reach plain dataclasses only from a type around them: hence the list of one.
# What is no finite number would become null without a word; as a constant it fails to decode.
_CONFIG = ConfigDict(strict=True, extra="forbid", ser_json_inf_nan="constants", allow_inf_nan=False)
_SUSPECT = ("NaN", "Infinity")


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(list[kind], config=_CONFIG)  # type: ignore[valid-type]
    return _ADAPTERS[kind]


def encode(record: object) -> str:
    """Return a record as JSON text.

    Raises
    ------
    ValueError
        A value is not of its field's type, or no finite number.
    """
    try:
        written = _adapter(type(record)).dump_json([_plain(record)], warnings="error")
    except PydanticSerializationError as error:
        raise ValueError(f"{type(record).__name__} holds a value that cannot be kept.") from error
    body = written.decode()
    if any(word in body for word in _SUSPECT):
        _adapter(type(record)).validate_json(body)
    return f"{_HEAD}{body[1:-1]}{_TAIL}"


def _plain(record: object) -> object:
    """Return a record whose fields are a dict, not a read-only view of one."""
    if isinstance(record, Scan | Sheet) and not isinstance(record.fields, dict):
        return replace(record, fields=dict(record.fields))
    return record


def decode(kind: type[T], text: str) -> T:
    """Return the record that JSON text holds.

    Raises
    ------
    ValueError
        The text is of another format, or does not fit the type.
    """
    if not (text.startswith(_HEAD) and text.endswith(_TAIL)):
        raise ValueError(f"This {kind.__name__} was written by another version.")
    found: list[T] = _adapter(kind).validate_json(f"[{text[len(_HEAD) : -len(_TAIL)]}]")
    if len(found) != 1:
        raise ValueError(f"This is not one {kind.__name__}.")
    return found[0]
