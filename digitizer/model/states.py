"""States of a film and the one table that says which change is allowed."""

from collections.abc import Iterable, Mapping
from enum import StrEnum, unique
from itertools import pairwise
from types import MappingProxyType

__all__ = [
    "ENDS",
    "HOLDS",
    "OLD_TRANSITIONS",
    "OLD_WAY",
    "RANK",
    "TRANSITIONS",
    "WAY",
    "State",
    "least_advanced",
]


@unique
class State(StrEnum):
    """Where a scan or a sheet is."""

    RECEIVED = "received"
    PREPARED = "prepared"
    READ = "read"
    MATCHED = "matched"
    APPROVED = "approved"
    WRAPPED = "wrapped"
    STORED = "stored"
    COMMITTED = "committed"
    VERIFIED = "verified"
    REVIEW = "review"
    WAITING = "waiting"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


WAY = (
    State.RECEIVED,
    State.PREPARED,
    State.READ,
    State.MATCHED,
    State.APPROVED,
    State.WRAPPED,
    State.STORED,
    State.COMMITTED,
    State.VERIFIED,
)
"""The one way through, in order."""

HOLDS = frozenset({State.REVIEW, State.WAITING, State.QUARANTINED})
"""Beside the way; a hold remembers where to resume."""

ENDS = frozenset({State.DUPLICATE, State.REJECTED, State.SUPERSEDED})
"""Beside the way for good."""

_EVERYWHERE = HOLDS | ENDS


def _table() -> dict[State, frozenset[State]]:
    table: dict[State, frozenset[State]] = {
        state: frozenset({following}) | _EVERYWHERE for state, following in pairwise(WAY)
    }
    # An archive that lost what it stored is sent to again; a correction starts anew.
    table[State.STORED] |= {State.WRAPPED}
    table[State.COMMITTED] |= {State.WRAPPED}
    table[State.VERIFIED] = frozenset({State.SUPERSEDED, State.REVIEW, State.WRAPPED})
    # Late evidence reopens what nobody has wrapped yet; undo takes a decision back.
    table[State.MATCHED] |= {State.READ}
    table[State.APPROVED] |= {State.READ, State.MATCHED}
    for hold in HOLDS:
        table[hold] = frozenset(WAY[:-1]) | _EVERYWHERE - {hold}
    # An archive that was away when a film was to be read back is read when it is there again.
    table[State.WAITING] |= {State.VERIFIED}
    table[State.DUPLICATE] = frozenset()
    table[State.REJECTED] = frozenset({State.RECEIVED, State.READ})
    table[State.SUPERSEDED] = frozenset()
    return table


TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(_table())
"""State to the states it may change to."""

OLD_WAY = (
    State.RECEIVED,
    State.READ,
    State.APPROVED,
    State.WRAPPED,
    State.STORED,
    State.COMMITTED,
    State.VERIFIED,
)
"""The way of a study of an older archive: nothing is prepared or matched apart. It is wrapped from
the first of its instances that may be in the archive on."""


def _old_table() -> dict[State, frozenset[State]]:
    table = {state: frozenset({following}) | _EVERYWHERE for state, following in pairwise(OLD_WAY)}
    # What lies in files is at hand when it is found.
    table[State.RECEIVED] |= {State.APPROVED}
    table[State.VERIFIED] = frozenset(_EVERYWHERE)
    # Instances that were found later, or that the archive lost, are sent after the others; late
    # ones, and a decision taken back, make it undecided again.
    for state in OLD_WAY[2:]:
        table[state] |= {State.READ, State.APPROVED}
    for hold in HOLDS:
        table[hold] = frozenset(OLD_WAY) | _EVERYWHERE - {hold}
    # Rejected while it was being sent, it waits for a person all the same.
    table[State.REJECTED] = frozenset({State.RECEIVED, State.READ, State.REVIEW})
    table[State.DUPLICATE] = frozenset({State.READ})
    table[State.SUPERSEDED] = frozenset()
    return table


OLD_TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(_old_table())
"""The same for studies of older archives."""

RANK: Mapping[State, int] = {
    state: rank
    for rank, state in enumerate(
        (
            *(State.QUARANTINED, State.REVIEW, State.WAITING),
            *WAY,
            *(State.SUPERSEDED, State.REJECTED, State.DUPLICATE),
        )
    )
}
"""How far advanced a state is. Holds come before the way (they need somebody), ends after it."""


def least_advanced(states: Iterable[State]) -> State:
    """Return the state a scan shows for its films: that of the least advanced.

    Parameters
    ----------
    states : iterable of State
        At least one.
    """
    return min(states, key=RANK.__getitem__)
