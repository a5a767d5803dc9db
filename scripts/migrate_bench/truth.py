"""What the made-up archive says of itself."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Truth"]


@dataclass
class Truth:
    """What the made-up archive says of one of its parts; ``planted``: how many files are how."""

    studies: dict[str, dict[str, Any]]
    files: dict[str, dict[str, Any]]
    folder: Path

    planted: Counter[str] = field(default_factory=Counter)

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
        )
