"""Score a batch against a room's truth."""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from digitizer.errors import UsageError
from digitizer.rehearsal.shapes import check_shapes
from digitizer.rehearsal.tally import EvidenceClass, Hazard, Score

__all__ = ["EvidenceClass", "Hazard", "Score", "score"]

_DECIDED = ("approved", "wrapped", "stored", "committed", "verified", "waiting")
"""States in which a film's decision stands; a film that waits was decided before."""
_MM_PER_INCH = 25.4


def score(truth: dict[str, Any], batch: dict[str, Any]) -> Score:
    """Compare a batch (``batch show --json``) with a room's ``truth.json``.

    Parameters
    ----------
    truth, batch : dict
        The two documents. Scans are matched by ``source``; a prefix of folders that one of them
        has and the other lacks is no matter where the match is unique.

    Returns
    -------
    Score

    Raises
    ------
    UsageError
        One of the documents is not what it should be, or they are of different rooms.
    """
    check_shapes(truth, batch)
    told = _by_source(truth["scans"], batch["scans"])
    if truth["scans"] and batch["scans"] and not told:
        raise UsageError(
            "None of the batch's scans is in this truth.",
            remedy="Score a batch with the truth.json of the room it was made from.",
        )
    out = Score(scans_extra=len(batch["scans"]) - len(told))
    errors: dict[str, list[float]] = {"px": [], "mm": [], "skew": []}
    turns, mirrors = Counter[str](), Counter[str]()
    kinds: dict[str, Counter[str]] = {}
    full: list[bool] = []
    abstained = 0
    for true in truth["scans"]:
        out.scans += 1
        found = told.get(true["source"])
        if found is None:
            out.scans_missing += 1
            if true["hazard"]:
                out.hazards.append(
                    Hazard(true["source"], true["hazard"], "missing", (), False, "not in the batch")
                )
            continue
        if true["duplicate_of"] is None:
            kinds.setdefault(true["kind"], Counter())[found["kind"]] += 1
        pairs, extra = _pairs(true, found)
        out.films_extra += len(extra)
        for one in extra:
            if _decided(one):
                out.wrong.append(
                    f"{true['source']}: what is no film of this scan was filed to "
                    f"{one['patient_id']} {one['accession_number'] or ''}".rstrip()
                )
        for film, seen in pairs:
            out.films += 1
            if seen is not None:
                out.films_found += 1
                abstained += _geometry(truth["dpi"], film, seen, errors, turns, mirrors)
            _filing(out, true, film, seen, full)
        if true["hazard"]:
            out.hazards.append(_hazard(true, found))
        _files(out, true, found)
    out.corner_px, out.corner_mm = _spread(errors["px"]), _spread(errors["mm"])
    out.skew_deg = {**_spread(errors["skew"]), "abstained": abstained}
    out.turn, out.mirror = dict(turns), dict(mirrors)
    out.kinds = {kind: dict(counter) for kind, counter in kinds.items()}
    out.full_films = len(full)
    out.full_fraction = sum(full) / len(full) if full else None
    return out


def _by_source(
    true: Sequence[dict[str, Any]], told: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    exact = {scan["source"]: scan for scan in told}
    out: dict[str, dict[str, Any]] = {}
    for scan in true:
        source = scan["source"]
        if source in exact:
            out[source] = exact[source]
            continue
        ends = [
            one
            for name, one in exact.items()
            if name.endswith("/" + source) or source.endswith("/" + name)
        ]
        if len(ends) == 1:
            out[source] = ends[0]
    return out


def _middle(corners: Sequence[Sequence[float]]) -> tuple[float, float]:
    return sum(one[0] for one in corners) / 4, sum(one[1] for one in corners) / 4


def _pairs(
    true: dict[str, Any], found: dict[str, Any]
) -> tuple[list[tuple[dict[str, Any], dict[str, Any] | None]], list[dict[str, Any]]]:
    """Pair each true film with the nearest film found that is not yet taken; return what is left.

    A film found whose middle lies outside the true film is another one.
    """
    left = list(found["films"])
    pairs: list[tuple[dict[str, Any], dict[str, Any] | None]] = []
    for film in true["films"]:
        middle = _middle(film["corners"])
        nearest = min(
            left, key=lambda one: math.dist(middle, _middle(one["corners"])), default=None
        )
        far = max(math.dist(middle, corner) for corner in film["corners"])
        if nearest is not None and math.dist(middle, _middle(nearest["corners"])) > far:
            nearest = None
        if nearest is not None:
            left.remove(nearest)
        pairs.append((film, nearest))
    return pairs, left


def _corner_errors(
    true: Sequence[Sequence[float]], seen: Sequence[Sequence[float]], *, ordered: bool
) -> list[float]:
    if ordered:
        return [math.dist(one, other) for one, other in zip(true, seen, strict=True)]
    orders = [
        [seen[(start + step * way) % 4] for step in range(4)]
        for start in range(4)
        for way in (1, -1)
    ]
    return min(
        (
            [math.dist(one, other) for one, other in zip(true, order, strict=True)]
            for order in orders
        ),
        key=max,
    )


def _geometry(
    dpi: float,
    film: dict[str, Any],
    seen: dict[str, Any],
    errors: dict[str, list[float]],
    turns: Counter[str],
    mirrors: Counter[str],
) -> int:
    """Add one film's errors; return 1 where its skew was not told."""
    told = seen["turn_deg"] is not None and seen["mirrored"] is not None
    right = told and (seen["turn_deg"], seen["mirrored"]) == (film["turn_deg"], film["mirrored"])
    for counter, name in ((turns, "turn_deg"), (mirrors, "mirrored")):
        if seen[name] is None:
            counter["abstained"] += 1
        else:
            counter["right" if seen[name] == film[name] else "wrong"] += 1
    if film.get("real_film"):
        # The frame is all there is; where the real sheet ends within it is not known exactly.
        return int(seen["skew_deg"] is None)
    distances = _corner_errors(film["corners"], seen["corners"], ordered=right)
    errors["px"].extend(distances)
    errors["mm"].extend(one * _MM_PER_INCH / dpi for one in distances)
    if seen["skew_deg"] is None:
        return 1
    # Seen from its other side a sheet is tilted the other way; where sides were not told apart
    # the tilt on the screen is compared.
    errors["skew"].append(abs(seen["skew_deg"] - film["skew_deg"]))
    return 0


def _filing(
    out: Score,
    scan: dict[str, Any],
    film: dict[str, Any],
    seen: dict[str, Any] | None,
    full: list[bool],
) -> None:
    """Count how one film was filed."""
    name = film["evidence"]
    if name == "full" and not film["legible"]:
        name = "faint"
    group = out.evidence.setdefault(name, EvidenceClass())
    group.films += 1
    right = False
    if seen is None:
        group.other += 1
    elif _decided(seen):
        patient = (seen["patient_id"], seen["issuer"]) == (film["patient_id"], film["issuer"])
        number = film["accession_number"]
        exam = (seen["accession_number"] or None) == number
        right = patient and exam
        if seen["decided_by"] == "auto":
            group.auto_right += right
        else:
            group.by_hand += 1
            group.by_hand_wrong += not right
            right = False
        if not (patient and exam):
            group.wrong_patient += seen["decided_by"] == "auto" and not patient
            group.wrong_exam += seen["decided_by"] == "auto" and patient
            who = "" if seen["decided_by"] == "auto" else f" (by {seen['decided_by']})"
            out.wrong.append(
                f"{scan['source']}: wrong {'exam' if patient else 'patient'}{who}: "
                f"{seen['patient_id']} {seen['accession_number'] or 'no exam'}, "
                f"truly {film['patient_id']} {number or 'no exam in the index'}"
            )
    elif seen["state"] == "review":
        group.review += 1
    else:
        group.other += 1
    in_index = film["in_index"] and film["accession_number"] is not None
    if film["evidence"] == "full" and film["legible"] and in_index and _filed_rightly(scan):
        full.append(right)


def _decided(film: dict[str, Any]) -> bool:
    return film["decided_by"] is not None and film["state"] in _DECIDED


def _filed_rightly(scan: dict[str, Any]) -> bool:
    return scan["hazard"] in (None, "dpi_wrong", "two_on_bed")


def _codes(scan: dict[str, Any]) -> tuple[str, ...]:
    own = [one["code"] for one in scan["reasons"]]
    films = [one["code"] for film in scan["films"] for one in film["reasons"]]
    return tuple(dict.fromkeys([*own, *films]))


def _hazard(true: dict[str, Any], found: dict[str, Any]) -> Hazard:
    codes, state = _codes(found), found["state"]
    wanted = true["expected"]
    complaint = ""
    if state not in wanted["states"]:
        complaint = f"should be {' or '.join(wanted['states'])}"
    elif wanted["reasons"] and not set(codes) & set(wanted["reasons"]):
        complaint = f"should give {' or '.join(wanted['reasons'])}"
    elif true["duplicate_of"] and not _linked(true, found):
        complaint = "should link to its first"
    return Hazard(true["source"], true["hazard"], state, codes, not complaint, complaint)


def _linked(true: dict[str, Any], found: dict[str, Any]) -> bool:
    link = found.get("duplicate_of") or ""
    first = true["duplicate_of"]
    return bool(link) and (link.endswith(first) or first.endswith(link))


def _files(out: Score, true: dict[str, Any], found: dict[str, Any]) -> None:
    if true["duplicate_of"]:
        out.duplicates += 1
        out.duplicates_linked += found["state"] == "duplicate" and _linked(true, found)
    if true["kind"] == "unreadable":
        out.bad_files += 1
        out.quarantined += found["state"] == "quarantined"


def _spread(values: list[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "p95": None, "max": None}
    ordered = sorted(values)
    return {
        "median": round(median(ordered), 4),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 4),
        "max": round(ordered[-1], 4),
    }
