"""The elements of a dataset walked over by tag and length alone (PS3.5 7.1.2, 7.1.3, 7.5, A.4)."""

import struct
from dataclasses import dataclass
from enum import Enum, unique

__all__ = ["End", "Syntax", "Walked", "bulk_size", "spans", "values", "walk"]

_LONG = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""VRs whose length has four bytes (PS3.5 table 7.1-1)."""
_SHORT_VRS = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
     b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US")
)  # fmt: skip
_SHORT = {True: struct.Struct("<HH2sH"), False: struct.Struct(">HH2sH")}
"""Group, element, VR and length of an element of the short form, by whether it is little endian."""
_SHORTEST = 8
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 32
"""Sequences within sequences; real ones nest to a dozen."""


@unique
class End(Enum):
    """How a walk ended."""

    DONE = "done"
    """At the tag to stop at, or at the end of the data, between two elements."""
    CUT_OFF = "cut off"
    """The data end within an element."""
    NONSENSE = "nonsense"
    """What stands there is no element."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """How elements are written."""

    implicit: bool
    little: bool


@dataclass(frozen=True, slots=True)
class Walked:
    """How a walk ended, and where: at the first element that was not walked over."""

    state: End
    at: int


class _CutOff(Exception):
    pass


class _Nonsense(Exception):
    pass


def walk(data: bytes, syntax: Syntax, stop: int | None) -> Walked:
    """Walk over the elements of a dataset.

    Parameters
    ----------
    data : bytes
    syntax : Syntax
    stop : int or None
        The first tag, as a number, not to walk over; None: to the end.
    """
    at, before, whole = 0, -1, len(data)
    head_at = _SHORT[syntax.little].unpack_from
    try:
        while at < whole:
            if whole - at < _SHORTEST:
                is_past = stop is not None and whole - at >= 4 and _tag(data, at, syntax) >= stop
                return Walked(End.DONE if is_past else End.CUT_OFF, at)
            group, element, vr, length = head_at(data, at)
            tag = group << 16 | element
            if stop is not None and tag >= stop:
                return Walked(End.DONE, at)
            # Most are of the short form, and files are walked by the million.
            if vr in _SHORT_VRS and not syntax.implicit and group != 0xFFFE:
                following = at + _SHORTEST + length
                if following > whole:
                    return Walked(End.CUT_OFF, at)
            else:
                _, following = _over(data, at, syntax, 0)
            if tag <= before:
                # Elements stand in rising order (PS3.5 7.1): else it is no dataset.
                return Walked(End.NONSENSE, at)
            at, before = following, tag
    except _CutOff:
        return Walked(End.CUT_OFF, at)
    except _Nonsense:
        return Walked(End.NONSENSE, at)
    return Walked(End.DONE, at)


def spans(data: bytes, syntax: Syntax) -> list[tuple[int, int, int]]:
    """Return tag, beginning and end of each element of data that were walked through before."""
    found = []
    at = 0
    while at < len(data):
        tag, end = _over(data, at, syntax, 0)
        found.append((tag, at, end))
        at = end
    return found


def values(data: bytes, syntax: Syntax) -> dict[int, bytes]:
    """Return the value of each element of data that were walked through before, by tag."""
    found = {}
    at = 0
    while at < len(data):
        tag, vr, length, value = _head(data, at, syntax)
        at = _behind(data, at, vr, length, value, syntax, 0)
        found[tag] = data[value:at]
    return found


def bulk_size(data: bytes, syntax: Syntax) -> int | None:
    """Return the length of native Pixel Data in a tail that was walked; None where encapsulated."""
    at = 0
    while at < len(data):
        tag, vr, length, value = _head(data, at, syntax)
        if tag in (0x7FE00008, 0x7FE00009, 0x7FE00010):
            return None if length == _UNDEFINED else length
        at = _behind(data, at, vr, length, value, syntax, 0)
    return None


def _tag(data: bytes, at: int, syntax: Syntax) -> int:
    group, element = struct.unpack_from("<HH" if syntax.little else ">HH", data, at)
    return int(group << 16 | element)


def _head(data: bytes, at: int, syntax: Syntax) -> tuple[int, bytes, int, int]:
    """Return tag, VR, length and the place of the value of the element at a place."""
    if len(data) - at < 8:
        raise _CutOff
    order = "<" if syntax.little else ">"
    tag = _tag(data, at, syntax)
    if tag >> 16 == 0xFFFE or syntax.implicit:
        return tag, b"", struct.unpack_from(order + "L", data, at + 4)[0], at + 8
    vr = data[at + 4 : at + 6]
    if vr in _LONG:
        if len(data) - at < 12:
            raise _CutOff
        return tag, vr, struct.unpack_from(order + "L", data, at + 8)[0], at + 12
    if vr not in _SHORT_VRS:
        raise _Nonsense
    return tag, vr, struct.unpack_from(order + "H", data, at + 6)[0], at + 8


def _over(data: bytes, at: int, syntax: Syntax, depth: int) -> tuple[int, int]:
    tag, vr, length, value = _head(data, at, syntax)
    return tag, _behind(data, at, vr, length, value, syntax, depth)


def _behind(
    data: bytes, at: int, vr: bytes, length: int, value: int, syntax: Syntax, depth: int
) -> int:
    """Return where the element ends."""
    if length != _UNDEFINED:
        if value + length > len(data):
            raise _CutOff
        return value + length
    if depth >= _DEEPEST:
        raise _Nonsense
    # UN of undefined length is a sequence in implicit VR (PS3.5 6.2.2).
    inner = Syntax(implicit=True, little=True) if vr == b"UN" else syntax
    fragments = vr in (b"OB", b"OW")
    at = value
    while True:
        tag, _, length, value = _head(data, at, inner)
        if tag == _SEQUENCE_END:
            return value
        if tag != _ITEM:
            raise _Nonsense
        at = value
        if length != _UNDEFINED:
            if value + length > len(data):
                raise _CutOff
            at = value + length
            continue
        if fragments:
            raise _Nonsense
        at = _item(data, at, inner, depth + 1)


def _item(data: bytes, at: int, syntax: Syntax, depth: int) -> int:
    """Walk over an item of undefined length; return where its delimiter ends."""
    while True:
        tag, vr, length, value = _head(data, at, syntax)
        if tag == _ITEM_END:
            return value
        at = _behind(data, at, vr, length, value, syntax, depth)
