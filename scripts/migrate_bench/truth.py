"""What the made-up archive says of itself."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Truth"]


@dataclass
class Truth:
    """What the made-up archive says of one of its parts.

    ``planted``: how many files are how; ``bearers``: the whole files of each SOP Instance UID;
    ``colliding``: the studies of which two files bear one.
    """

    studies: dict[str, dict[str, Any]]
    files: dict[str, dict[str, Any]]
    folder: Path

    planted: Counter[str] = field(default_factory=Counter)
    bearers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    colliding: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path, place: str = "pacs") -> "Truth":
        """Read it."""
        told = json.loads((folder / "truth.json").read_text())
        files = [one for one in told["files"] if one["place"] == place]
        return cls(
            {one["study"]: one for one in told["studies"] if one["place"] == place},
            {one["sop_instance"]: one for one in files},
            folder,
            Counter(one["fault"] for one in files),
            _bearers(files),
            {one["study"] for one in files if one["fault"] == "collision"},
        )


def _bearers(files: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in files:
        if one["fault"] not in ("missing", "truncated", "junk"):
            found.setdefault(one["sop_instance"], []).append(one)
    return found
