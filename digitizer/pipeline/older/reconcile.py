"""Where everything of an older archive is, to the instance: every number leads to its list.

What was found is what was taken and what was refused, with nothing left over; what was taken is
what waits, what a person must look at, and what is filed. Differences are never rounded away.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from digitizer.errors import UsageError
from digitizer.model.older import OldHeader, OldInstance, OldStudy, Source
from digitizer.model.reasons import CODES, Code
from digitizer.model.states import State
from digitizer.pipeline.older.films import films_json, films_settled
from digitizer.pipeline.older.release import DAMAGED
from digitizer.pipeline.services import Services
from digitizer.ports import Transaction

__all__ = [
    "LISTS",
    "TAKEN",
    "listed",
    "page_of",
    "settled",
    "source_json",
    "study_json",
    "why",
]

_REFUSED = (State.QUARANTINED, State.DUPLICATE, State.REJECTED)
TAKEN = (State.READ, State.REVIEW, State.STORED, State.COMMITTED, State.VERIFIED)
"""States of what goes into the archive, or may; the rest is refused."""
_STORED = (State.STORED, State.COMMITTED, State.VERIFIED)
LISTS: Mapping[str, tuple[State, ...]] = {
    "found": (*TAKEN, *_REFUSED),
    "taken": TAKEN,
    "refused": _REFUSED,
    "damaged": _REFUSED,
    "filed": (State.READ, *_STORED),
    "stored": _STORED,
    "already_there": _STORED,
    "committed": _STORED[1:],
    "verified": _STORED[2:],
    "differing": (State.READ, State.COMMITTED),
    "colliding": (State.REVIEW,),
    "held": (State.REVIEW,),
    "renamed": TAKEN,
    "duplicate": (State.DUPLICATE,),
    "open_duplicates": (State.DUPLICATE,),
    "missing": (State.REJECTED,),
    "rows_refused": (State.REJECTED,),
}
"""Lists of instances by name, and the states they hold."""
_ONLY: Mapping[str, Callable[[OldInstance], bool]] = {
    "damaged": lambda row: row.code is not None and row.code.value in DAMAGED,
    "already_there": lambda row: row.code is Code.ALREADY_THERE,
    "differing": lambda row: row.code is Code.READ_BACK_DIFFERS,
    "colliding": lambda row: row.code is Code.UID_COLLISION,
    "held": lambda row: row.code is not Code.UID_COLLISION,
    "renamed": lambda row: bool(row.sent_uid),
}
"""What else must be so of the instances of a list: held are those that the archive does not take or
has otherwise, or that cannot be made; renamed, those that go under UIDs of ours after a collision.
"""
_NO_FILES = {Code.FILE_MISSING: "missing", Code.ROW_REFUSED: "rows_refused"}
"""Codes of entries that stand for no file, and the list that each has for itself."""
_SETTLED = frozenset(
    (State.VERIFIED, State.REVIEW, State.QUARANTINED, State.DUPLICATE, State.REJECTED)
)
_PAGE = 1000
_KEPT_BESIDE = "It does not go into the archive; it is kept in the vault."
Tally = Mapping[tuple[State, str], tuple[int, int]]
"""Instances and their bytes, by state and code."""


def source_json(view: Transaction, source: Source) -> dict[str, Any]:
    """Return the reconciliation of a source."""
    tally = view.old_tally(source.id)
    missing = _count(tally, (State.REJECTED,), Code.FILE_MISSING.value)
    rows_refused = _count(tally, (State.REJECTED,), Code.ROW_REFUSED.value)
    found = _count(tally, (*TAKEN, *_REFUSED)) - missing - rows_refused
    refused = Counter[str]()
    for (state, code), (n, _) in tally.items():
        if state in _REFUSED and code not in _NO_FILES:
            refused[code or state.value] += n
    taken = _count(tally, TAKEN)
    filed = sum(n for (_, decided), n in view.old_filed(source.id).items() if decided)
    filed += _count(tally, _STORED, Code.FILM_SCAN.value)
    colliding = _count(tally, (State.REVIEW,), Code.UID_COLLISION.value)
    studies = view.old_studies_by_state(source.id)
    return {
        "id": source.id,
        "source": source.name,
        "kind": source.kind.value,
        "place": source.place,
        "keep": source.keep.value,
        "stocked": source.stocked,
        "paused": source.paused,
        "issuer": source.issuer,
        "options": dict(sorted(source.options.items())),
        "told": {"studies": source.told_studies, "instances": source.told_instances},
        "gone": source.gone,
        "pictures": {"read": source.pictures_read, "naming_another": source.pictures_apart},
        "found": found,
        "missing": missing,
        "rows_refused": rows_refused,
        "taken": taken,
        "refused": dict(sorted(refused.items())),
        "damaged": sum(n for code, n in refused.items() if code in DAMAGED),
        "colliding": colliding,
        "held": _count(tally, (State.REVIEW,)) - colliding,
        "filed": filed,
        "stored": _count(tally, _STORED),
        "already_there": sum(
            n for (_, code), (n, _) in tally.items() if code == Code.ALREADY_THERE.value
        ),
        "committed": _count(tally, _STORED[1:]),
        "verified": _count(tally, _STORED[2:]),
        "differing": _count(tally, LISTS["differing"], Code.READ_BACK_DIFFERS.value),
        "bytes": sum(size for _, size in tally.values()),
        "balanced": found == taken + sum(refused.values()) and _adds_up(view, source, taken, tally),
        "studies": {state.value: n for state, n in sorted(studies.items())},
        "review": view.old_review(source.id),
        "films": films_json(view, source),
        "settled": settled(view, source),
        "trouble": source.trouble,
        "open_duplicates": view.old_open_duplicates(source.id),
    }


def _adds_up(
    view: Transaction,
    source: Source,
    taken: int,
    tally: Mapping[tuple[State, str], tuple[int, int]],
) -> bool:
    """Compare with what is counted by study: each taken instance belongs to one that is there."""
    of_studies = view.old_taken_of_studies(source.id, TAKEN)
    return taken == of_studies + _count(tally, TAKEN, Code.FILM_SCAN.value)


def _count(
    tally: Mapping[tuple[State, str], tuple[int, int]],
    states: tuple[State, ...],
    code: str | None = None,
) -> int:
    return sum(
        n for (state, why), (n, _) in tally.items() if state in states and code in (None, why)
    )


def settled(view: Transaction, source: Source) -> bool:
    """Tell whether nothing of a source is under way: all is verified, ended, or a person's."""
    if not source.stocked:
        return False
    states = view.old_studies_by_state(source.id)
    return set(states) <= _SETTLED and films_settled(view, source)


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
    if name not in LISTS:
        raise UsageError(f"There is no list {name}.", remedy=f"Lists: {', '.join(LISTS)}.")
    while True:
        with services.ledger.reading() as view:
            rows = view.old_instances(
                source_id=source.id, states=LISTS[name], code=code, after=after, limit=_PAGE
            )
            whose = {row.study_id for row in rows} if name == "filed" else set()
            decided = view.old_decided(whose)
            open_ = _open(view, rows) if name == "open_duplicates" else None
        if not rows:
            return
        after = rows[-1].place
        for row in rows:
            own = _NO_FILES.get(row.code) if row.code else None
            if own != (name if name in _NO_FILES.values() else None):
                continue
            if name in _ONLY and not _ONLY[name](row):
                continue
            if name == "filed" and not _is_filed(row, decided):
                continue
            if open_ is not None and row.sop_instance_uid not in open_:
                continue
            yield row


def _open(view: Transaction, rows: Iterable[OldInstance]) -> set[str]:
    """Return the UIDs of which no bearer is verified."""
    uids = {row.sop_instance_uid for row in rows}
    bearers = view.old_instances_with_uid(uids)
    return uids - {one.sop_instance_uid for one in bearers if one.state is State.VERIFIED}


def _is_filed(row: OldInstance, decided: Container[str]) -> bool:
    """Tell whether it is decided whose an instance is; a film is when it is in the archive."""
    if row.code is Code.FILM_SCAN:
        return row.state in _STORED
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
    if row.code is Code.NO_INSTANCE and row.pack:
        return f"{row.note or words} {_KEPT_BESIDE}"
    return row.note or words


def study_json(study: OldStudy, rows: tuple[OldInstance, ...] = ()) -> dict[str, Any]:
    """Return one study: the header's words beside the candidates', and its instances."""
    decision = study.decision
    return {
        "id": study.id,
        "study_instance_uid": decision.study_instance_uid if decision else study.study_instance_uid,
        "state": study.state.value,
        "reasons": [{"code": one.code.value, "text": one.text} for one in study.reasons],
        "header": _header(study.header),
        "others": [_header(one) for one in study.others],
        "expected": study.expected,
        "candidates": [
            {
                "patient_id": one.patient.patient_id,
                "issuer": one.patient.issuer,
                "family_name": one.patient.name.family,
                "given_name": one.patient.name.given,
                "birth_date": one.patient.birth_date,
                "sex": one.patient.sex,
                "accession_number": one.exam.accession_number if one.exam else None,
                "posterior": one.posterior,
                "agreement": {name.value: how.value for name, how in one.film_agreement.items()},
            }
            for one in study.candidates
        ],
        "patient_id": decision.patient.patient_id if decision else None,
        "issuer": decision.patient.issuer if decision else None,
        "accession_number": decision.exam.accession_number if decision and decision.exam else None,
        "decided_by": decision.decided_by if decision else None,
        "posterior": study.posterior,
        "instances": [
            {
                "place": row.place,
                "sop_instance_uid": row.sop_instance_uid,
                "sent_as": row.outgoing_uid,
                "sop_class_uid": row.sop_class_uid,
                "state": row.state.value,
                "code": row.code.value if row.code else None,
                "note": row.note,
                "sha256": row.sha256,
            }
            for row in rows
        ],
    }


def _header(told: OldHeader) -> dict[str, str]:
    return {
        "patient_id": told.patient_id,
        "issuer": told.issuer,
        "name": told.name,
        "birth_date": told.birth_date,
        "sex": told.sex,
        "accession_number": told.accession_number,
        "study_date": told.study_date,
        "description": told.description,
        "modality": told.modality,
    }
