"""The shape of the two documents that are scored, told in one clear line where it is wrong."""

import math
from collections.abc import Callable
from typing import Any

from digitizer.errors import UsageError

__all__ = ["check_shapes"]

_Test = Callable[[object], bool]
_REMEDY = "Give a room's truth.json, and what `ingest --json` or `batch show --json` printed."


def _text(value: object) -> bool:
    return isinstance(value, str)


def _maybe_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _maybe_number(value: object) -> bool:
    return value is None or _number(value)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _maybe_flag(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and _number(value) and value > 0


def _corners(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(one, list) and len(one) == 2 and all(map(_number, one)) for one in value)
    )


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _reasons(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict) and isinstance(one.get("code"), str) for one in value
    )


def _expected(value: object) -> bool:
    return isinstance(value, dict) and _texts(value.get("states")) and _texts(value.get("reasons"))


def _list(value: object) -> bool:
    return isinstance(value, list)


_ORIENTED: dict[str, _Test] = {
    "corners": _corners,
    "skew_deg": _maybe_number,
    "turn_deg": _maybe_number,
    "mirrored": _maybe_flag,
    "patient_id": _maybe_text,
    "issuer": _maybe_text,
    "accession_number": _maybe_text,
}
_TRUE_SCAN: dict[str, _Test] = {
    "source": _text,
    "kind": _text,
    "hazard": _maybe_text,
    "duplicate_of": _maybe_text,
    "expected": _expected,
    "films": _list,
}
_TRUE_FILM: dict[str, _Test] = {
    **_ORIENTED,
    "skew_deg": _number,
    "evidence": _text,
    "legible": _flag,
    "in_index": _flag,
}
_TOLD_SCAN: dict[str, _Test] = {
    "source": _text,
    "kind": _text,
    "state": _text,
    "reasons": _reasons,
    "films": _list,
}
_TOLD_FILM: dict[str, _Test] = {
    **_ORIENTED,
    "state": _text,
    "reasons": _reasons,
    "decided_by": _maybe_text,
}


def check_shapes(truth: object, batch: object) -> None:
    """Check that two documents are a room's truth and a batch.

    Raises
    ------
    UsageError
        Where one is not, naming the place.
    """
    if isinstance(truth, dict) and isinstance(batch, dict) and "seed" in batch and "batch" in truth:
        raise UsageError(
            "The truth and the batch are the wrong way round.",
            remedy="Give the truth first: --score TRUTH BATCH.json.",
        )
    _document("truth", truth, _TRUE_SCAN, _TRUE_FILM)
    _keys("truth", truth, {"dpi": _positive})
    _document("batch", batch, _TOLD_SCAN, _TOLD_FILM)


def _document(name: str, document: object, scan: dict[str, _Test], film: dict[str, _Test]) -> None:
    _keys(name, document, {"scans": _list})
    assert isinstance(document, dict)
    for number, one in enumerate(document["scans"], start=1):
        place = f"{name}, scan {number}"
        _keys(place, one, scan)
        for at, sheet in enumerate(one["films"], start=1):
            _keys(f"{place}, film {at}", sheet, film)


def _keys(place: str, value: Any, tests: dict[str, _Test]) -> None:
    if not isinstance(value, dict):
        raise UsageError(f"The {place} is no JSON object.", remedy=_REMEDY)
    for key, fits in tests.items():
        if key not in value:
            raise UsageError(f"The {place} has no {key!r}.", remedy=_REMEDY)
        if not fits(value[key]):
            raise UsageError(f"The {place} has a {key!r} that cannot be right.", remedy=_REMEDY)
