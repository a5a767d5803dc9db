"""Where everything of an older archive is, to the instance: every number leads to its list.

What was found is what was taken and what was refused, with nothing left over; what was taken is
what waits, what a person must look at, and what is filed. Differences are never rounded away.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from digitizer.model.older import OldHeader, OldInstance, OldStudy, Source
from digitizer.model.reasons import Code
from digitizer.model.records import Event
from digitizer.model.states import State
from digitizer.pipeline.older.films_told import films_json, films_settled
from digitizer.pipeline.older.giving_up import given_up_json
from digitizer.pipeline.older.history import history_json
from digitizer.pipeline.older.lists import LISTS, NO_FILES, REFUSED, STORED, TAKEN
from digitizer.pipeline.older.release import DAMAGED, against_release
from digitizer.ports import Transaction

__all__ = ["settled", "source_json", "study_in_full_json", "study_json"]

_SETTLED = frozenset(
    (State.VERIFIED, State.REVIEW, State.QUARANTINED, State.DUPLICATE, State.REJECTED)
)
Tally = Mapping[tuple[State, str], tuple[int, int]]
"""Instances and their bytes, by state and code."""


def source_json(view: Transaction, source: Source) -> dict[str, Any]:
    """Return the reconciliation of a source."""
    tally = view.old_tally(source.id)
    missing = _count(tally, (State.REJECTED,), Code.FILE_MISSING.value)
    rows_refused = _count(tally, (State.REJECTED,), Code.ROW_REFUSED.value)
    found = _count(tally, (*TAKEN, *REFUSED)) - missing - rows_refused
    refused = Counter[str]()
    for (state, code), (n, _) in tally.items():
        if state in REFUSED and code not in NO_FILES:
            refused[code or state.value] += n
    taken = _count(tally, TAKEN)
    filed = sum(n for (_, decided), n in view.old_filed(source.id).items() if decided)
    filed += _count(tally, STORED, Code.FILM_SCAN.value)
    colliding = _count(tally, (State.REVIEW,), Code.UID_COLLISION.value)
    studies = view.old_studies_by_state(source.id)
    told = {
        "id": source.id,
        "source": source.name,
        "kind": source.kind.value,
        "place": source.place,
        "keep": source.keep.value,
        "stocked": source.stocked,
        "asked_again": source.checked_at is not None,
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
        "stored": _count(tally, STORED),
        "already_there": sum(
            n for (_, code), (n, _) in tally.items() if code == Code.ALREADY_THERE.value
        ),
        "committed": _count(tally, STORED[1:]),
        "verified": _count(tally, STORED[2:]),
        "differing": _count(tally, LISTS["differing"], Code.READ_BACK_DIFFERS.value),
        "bytes": sum(size for _, size in tally.values()),
        "balanced": found == taken + sum(refused.values()) and _adds_up(view, source, taken, tally),
        "studies": {state.value: n for state, n in sorted(studies.items())},
        "review": view.old_reasons(source.id, State.REVIEW),
        "waiting": view.old_reasons(source.id, State.WAITING),
        "films": films_json(view, source),
        "settled": settled(view, source),
        "trouble": source.trouble,
        "open_duplicates": view.old_open_duplicates(source.id),
        "given_up": given_up_json(view, source),
    }
    return told | {"against_release": against_release(told)}


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


def study_json(study: OldStudy) -> dict[str, Any]:
    """Return one study: the header's words beside the candidates', and what was decided."""
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
                "name": one.patient.name.text,
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
    }


def study_in_full_json(
    study: OldStudy,
    rows: Iterable[OldInstance],
    named: Mapping[str, OldHeader],
    events: Iterable[Event],
) -> dict[str, Any]:
    """Return one study with its instances and its history.

    ``named`` are the headers of instances, by place, where they name several patients.
    """
    return study_json(study) | {
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
                "names": _header(named[row.place]) if row.place in named else None,
            }
            for row in rows
        ],
        "history": history_json(events),
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
