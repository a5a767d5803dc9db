"""The lists behind the numbers of an older archive: which instances each number counts."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import islice

from digitizer.errors import UsageError
from digitizer.model.older import OldInstance, Source
from digitizer.model.reasons import CODES, Code
from digitizer.model.states import State
from digitizer.pipeline.older.release import DAMAGED
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = [
    "CODES_OF",
    "LISTS",
    "NO_FILES",
    "REFUSED",
    "STORED",
    "TAKEN",
    "listed",
    "listed_in",
    "page_of",
    "why",
]

REFUSED = (State.QUARANTINED, State.DUPLICATE, State.REJECTED)
TAKEN = (State.READ, State.REVIEW, State.STORED, State.COMMITTED, State.VERIFIED)
"""States of what goes into the archive, or may; the rest is refused."""
STORED = (State.STORED, State.COMMITTED, State.VERIFIED)
LISTS: Mapping[str, tuple[State, ...]] = {
    "found": (*TAKEN, *REFUSED),
    "taken": TAKEN,
    "refused": REFUSED,
    "damaged": REFUSED,
    "filed": (State.READ, *STORED),
    "stored": STORED,
    "already_there": STORED,
    "committed": STORED[1:],
    "verified": STORED[2:],
    "differing": (State.READ, State.COMMITTED),
    "colliding": (State.REVIEW,),
    "held": (State.REVIEW,),
    "renamed": TAKEN,
    "duplicate": (State.DUPLICATE,),
    "open_duplicates": (State.DUPLICATE,),
    "missing": (State.REJECTED,),
    "rows_refused": (State.REJECTED,),
    "no_row": (State.REJECTED,),
    "link_outside": (State.REJECTED,),
    "names_another": (State.REJECTED,),
}
"""Lists of instances by name, and the states they hold."""
CODES_OF: Mapping[str, tuple[Code, ...]] = {
    "damaged": tuple(sorted(Code(one) for one in DAMAGED)),
    "already_there": (Code.ALREADY_THERE,),
    "differing": (Code.READ_BACK_DIFFERS,),
    "colliding": (Code.UID_COLLISION,),
    "missing": (Code.FILE_MISSING,),
    "rows_refused": (Code.ROW_REFUSED,),
    "no_row": (Code.NO_ROW,),
    "link_outside": (Code.LINK_OUTSIDE,),
    "names_another": (Code.NAMES_ANOTHER,),
}
"""Lists that hold instances of these reasons alone."""
_ONLY: Mapping[str, Callable[[OldInstance], bool]] = {
    "held": lambda row: row.code is not Code.UID_COLLISION,
    "renamed": lambda row: bool(row.sent_uid),
}
"""What else must be so of the instances of a list: held are those that the archive does not take or
has otherwise, or that cannot be made; renamed, those that go under UIDs of ours after a collision.
"""
NO_FILES = {Code.FILE_MISSING: "missing", Code.ROW_REFUSED: "rows_refused"}
"""Codes of entries that stand for no file, and the list that each has for itself."""
_PAGE = 1000
_KEPT_BESIDE = "It does not go into the archive; it is kept in the vault."


def listed(
    services: Services, source: Source, name: str, *, code: Code | None = None, after: str = ""
) -> Iterator[OldInstance]:
    """Yield the instances behind a number of the reconciliation, in the order of their places.

    Parameters
    ----------
    services : Services
    source : Source
    name : str
        Of the list.
    code : Code, optional
        Only those of this reason.
    after : str
        Only those behind this place.

    Raises
    ------
    UsageError
        There is no list of that name.
    """
    while True:
        with services.ledger.reading() as view:
            rows, last = _some(view, source, name, code, after)
        yield from rows
        if not last:
            return
        after = last


def listed_in(
    view: Transaction, source: Source, name: str, code: Code | None = None
) -> Iterator[OldInstance]:
    """Yield the instances behind a number as one view has them; see :func:`listed`."""
    after = ""
    while True:
        rows, after = _some(view, source, name, code, after)
        yield from rows
        if not after:
            return


def _some(
    view: Transaction, source: Source, name: str, code: Code | None, after: str
) -> tuple[list[OldInstance], str]:
    """Return some instances of a list and the place they end at; an empty one after the last."""
    if name not in LISTS:
        raise UsageError(f"There is no list {name}.", remedy=f"Lists: {', '.join(LISTS)}.")
    only = CODES_OF.get(name, ())
    # Asked for by its reason a list of few is found among a million of others.
    asked = only[0] if code is None and len(only) == 1 else code
    rows = view.old_instances(
        source_id=source.id, states=LISTS[name], code=asked, after=after, limit=_PAGE
    )
    whose = {row.study_id for row in rows} if name == "filed" else set()
    decided = view.old_decided(whose)
    open_ = _open(view, rows) if name == "open_duplicates" else None
    found = [
        row
        for row in rows
        if _belongs(row, name)
        and (name != "filed" or _is_filed(row, decided))
        and (open_ is None or row.sop_instance_uid in open_)
    ]
    return found, rows[-1].place if rows else ""


def _belongs(row: OldInstance, name: str) -> bool:
    own = NO_FILES.get(row.code) if row.code else None
    return (
        own == (name if name in NO_FILES.values() else None)
        and (name not in CODES_OF or row.code in CODES_OF[name])
        and (name not in _ONLY or _ONLY[name](row))
    )


def _open(view: Transaction, rows: Iterable[OldInstance]) -> set[str]:
    """Return the UIDs of which no bearer is verified."""
    uids = {row.sop_instance_uid for row in rows}
    bearers = view.old_instances_with_uid(uids)
    return uids - {one.sop_instance_uid for one in bearers if one.state is State.VERIFIED}


def _is_filed(row: OldInstance, decided: Container[str]) -> bool:
    """Tell whether it is decided whose an instance is; a film is when it is in the archive."""
    if row.code is Code.FILM_SCAN:
        return row.state in STORED
    return row.study_id in decided


def page_of(
    services: Services,
    source: Source,
    name: str,
    *,
    after: str,
    limit: int,
    code: Code | None = None,
) -> list[OldInstance]:
    """Return some of the instances behind a number, those after a place.

    Raises
    ------
    UsageError
        There is no list of that name.
    """
    return list(islice(listed(services, source, name, code=code, after=after), limit))


def why(row: OldInstance) -> str:
    """Say why an instance is not on its way, in words; of a second bearer of a UID, beside whom."""
    words = CODES[row.code].text if row.code else ""
    if row.code in (Code.DUPLICATE, Code.UID_COLLISION) and row.note:
        return f"{words} The other: {row.note}"
    if row.code is Code.NAMES_ANOTHER and row.note:
        return f"{words} {row.note}"
    if row.code is Code.NO_INSTANCE and row.pack:
        return f"{row.note or words} {_KEPT_BESIDE}"
    return row.note or words
