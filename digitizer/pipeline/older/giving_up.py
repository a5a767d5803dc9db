"""What a person does without: damaged and missing files over which a source could not be released.

The word is given for the list as the person saw it. Whatever joins or leaves the list later, the
word holds no more, and the report says so.
"""

import hashlib
from dataclasses import replace
from typing import Any

from digitizer.errors import UsageError
from digitizer.model.older import GivenUp, Source
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.lists import CODES_OF, listed_in
from digitizer.pipeline.older.release import GIVEN_UP
from digitizer.pipeline.older.sources import source_named
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = ["give_up", "given_up_json"]


def give_up(
    services: Services, name: str, what: str, *, user: str, why: str, count: int | None = None
) -> GivenUp:
    """Write down that a person does without what stands in a list of a source.

    Parameters
    ----------
    services : Services
    name : str
        Of the source.
    what : str
        Name of the list, one of :data:`~digitizer.pipeline.older.release.GIVEN_UP`.
    user, why : str
        Who says so, and why it cannot be had.
    count : int, optional
        Entries that the person saw; with another number of them nothing is written down.

    Raises
    ------
    UsageError
        The list is none of those, or empty, or has changed; no reason is given; or the source is
        still looked through.
    """
    if what not in GIVEN_UP:
        raise UsageError(
            f"Nothing is given up of the list {what}.", remedy=f"Lists: {', '.join(GIVEN_UP)}."
        )
    if not why.strip():
        raise UsageError("Say why it cannot be had.", remedy="--reason TEXT; the report prints it.")
    source = source_named(services, name)
    with services.ledger.transaction() as tx:
        current = tx.get(Source, source.id)
        if not current.stocked:
            raise UsageError(
                f"{name} has not been looked through to its end.",
                remedy=f"`digitizer migrate run {name}` first.",
            )
        found, entries = _seen(tx, current, what)
        if not found:
            raise UsageError(f"There is nothing in the list {what}.")
        if count not in (None, found):
            raise UsageError(
                f"The list {what} has {found} entries by now.", remedy="Look at it once more."
            )
        word = GivenUp(
            what=what,
            count=found,
            entries_sha256=entries,
            by=user,
            at=services.clock.now(),
            why=why,
        )
        others = tuple(one for one in current.given_up if one.what != what)
        told = event(source.id, "given_up", user, list=what, count=found, entries=entries, why=why)
        tx.save(replace(current, given_up=(*others, word)), told)
    return word


def given_up_json(view: Transaction, source: Source) -> list[dict[str, Any]]:
    """Return what is given up of a source, and whether it is still what the person saw."""
    return [
        {
            "list": word.what,
            "count": word.count,
            "by": word.by,
            "at": word.at.isoformat(),
            "reason": word.why,
            "holds": _seen(view, source, word.what) == (word.count, word.entries_sha256),
        }
        for word in source.given_up
    ]


def _seen(view: Transaction, source: Source, what: str) -> tuple[int, str]:
    """Return how many entries a list has, and a hash of what each is and why it stands there."""
    count, entries = 0, hashlib.sha256()
    for code in CODES_OF[what]:
        for row in listed_in(view, source, what, code):
            count += 1
            said = f"{code.value}\0{row.place}\0{row.sha256 or row.note}\0"
            entries.update(said.encode("utf-8", "surrogateescape"))
    return count, entries.hexdigest()
