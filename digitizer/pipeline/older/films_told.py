"""How far the films of an index file are: what is told of a source without opening its files."""

from typing import Any

from digitizer.model.older import Source, SourceKind
from digitizer.model.states import ENDS, State
from digitizer.ports import Transaction

__all__ = ["SETTLED", "films_batch", "films_json", "films_settled"]

SETTLED = frozenset((State.VERIFIED, State.REVIEW, State.QUARANTINED, *ENDS))
"""States in which nothing more happens to a film by itself."""


def films_batch(source: Source) -> str:
    """Return the name of the batch of a source's films."""
    return f"{source.name} (films)"


def films_json(view: Transaction, source: Source) -> dict[str, Any] | None:
    """Return where the scans of a source's films are; None where it has none."""
    batch = view.batch_named(films_batch(source)) if source.kind is SourceKind.PICTURES else None
    if batch is None:
        return None
    scans = view.counts(batch.id)["scans"]
    return {
        "batch": batch.name,
        "scans": {state.value: n for state, n in sorted(scans.items()) if n},
    }


def films_settled(view: Transaction, source: Source) -> bool:
    """Tell whether no film of a source is under way by itself."""
    batch = view.batch_named(films_batch(source)) if source.kind is SourceKind.PICTURES else None
    if batch is None:
        return True
    scans = view.counts(batch.id)["scans"]
    return all(state in SETTLED for state, n in scans.items() if n)
