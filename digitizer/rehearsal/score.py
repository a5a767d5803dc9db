"""Score a batch against a room's truth."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

__all__ = ["EvidenceClass", "Hazard", "Score", "score"]

_FILED = ("wrapped", "approved", "stored", "committed", "verified")
_MM_PER_INCH = 25.4


@dataclass(slots=True)
class EvidenceClass:
    """How films with one kind of evidence ended; *right* and *wrong* count filings by itself."""

    films: int = 0
    auto_right: int = 0
    wrong_patient: int = 0
    wrong_exam: int = 0
    review: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class Hazard:
    """One planted hazard and how it ended."""

    source: str
    hazard: str
    state: str
    reasons: tuple[str, ...]
    as_expected: bool
    complaint: str = ""


@dataclass(slots=True)
class Score:
    """A batch beside the truth.

    Attributes
    ----------
    scans, scans_missing : int
        Scans of the truth; those that the batch does not have.
    films, films_found, films_extra : int
        Films of the truth; those found; those found where none is.
    corner_px, corner_mm : dict
        ``median``, ``p95`` and ``max`` of the distance of a corner from its true place. A film
        whose orientation is wrong or not told is compared without regard to which corner is which.
    skew_deg : dict
        The same of the absolute error of the skew; ``abstained`` films gave none.
    turn, mirror : dict
        Films ``right``, ``wrong``, ``abstained``.
    kinds : dict
        True kind, then told kind, then number of scans.
    evidence : dict of EvidenceClass
        By class of evidence on the film.
    full_fraction : float or None
        Of the films with a full, legible block, filed rightly, patient and exam in the index: the
        part filed by itself and rightly.
    full_films : int
        How many those are.
    wrong : list of str
        Films filed by itself to a wrong patient or exam.
    hazards : list of Hazard
        Every planted hazard.
    duplicates, duplicates_linked : int
        Byte-identical copies; those linked to their first.
    bad_files, quarantined : int
        Unreadable files; those quarantined.
    """

    scans: int = 0
    scans_missing: int = 0
    films: int = 0
    films_found: int = 0
    films_extra: int = 0
    corner_px: dict[str, float | None] = field(default_factory=dict)
    corner_mm: dict[str, float | None] = field(default_factory=dict)
    skew_deg: dict[str, float | None] = field(default_factory=dict)
    turn: dict[str, int] = field(default_factory=dict)
    mirror: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, dict[str, int]] = field(default_factory=dict)
    evidence: dict[str, EvidenceClass] = field(default_factory=dict)
    full_fraction: float | None = None
    full_films: int = 0
    wrong: list[str] = field(default_factory=list)
    hazards: list[Hazard] = field(default_factory=list)
    duplicates: int = 0
    duplicates_linked: int = 0
    bad_files: int = 0
    quarantined: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the plain table."""
        return _table(self)


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
    """
    out = Score()
    told = _by_source(truth["scans"], batch["scans"])
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
        out.films_extra += max(0, len(found["films"]) - len(true["films"]))
        for film, seen in _pairs(true, found):
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
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Pair each true film with the nearest film found that is not yet taken."""
    left = list(found["films"])
    for film in true["films"]:
        if not left:
            yield film, None
            continue
        middle = _middle(film["corners"])
        nearest = min(left, key=lambda one: math.dist(middle, _middle(one["corners"])))
        left.remove(nearest)
        yield film, nearest


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
    by_itself = seen is not None and seen["decided_by"] == "auto" and seen["state"] in _FILED
    right = False
    if seen is None:
        group.other += 1
    elif by_itself:
        patient = (seen["patient_id"], seen["issuer"]) == (film["patient_id"], film["issuer"])
        number = film["accession_number"]
        exam = (seen["accession_number"] or None) == number
        right = patient and exam
        group.auto_right += right
        group.wrong_patient += not patient
        group.wrong_exam += patient and not exam
        if not right:
            what = "exam" if patient else "patient"
            out.wrong.append(
                f"{scan['source']}: wrong {what}: {seen['patient_id']} {seen['accession_number']}, "
                f"truly {film['patient_id']} {number}"
            )
    elif seen["state"] == "review":
        group.review += 1
    else:
        group.other += 1
    in_index = film["in_index"] and film["accession_number"] is not None
    if film["evidence"] == "full" and film["legible"] and in_index and _filed_rightly(scan):
        full.append(right)


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


def _numbers(values: dict[str, float | None], unit: str) -> str:
    told = ", ".join(
        f"{name} {value:g} {unit}".strip()
        for name, value in values.items()
        if value is not None and name != "abstained"
    )
    return told or "nothing to compare"


def _counts(values: dict[str, int]) -> str:
    return ", ".join(f"{values.get(name, 0)} {name}" for name in ("right", "wrong", "abstained"))


def _table(one: Score) -> str:
    rows: list[tuple[str, str]] = [
        ("Scans", f"{one.scans} ({one.scans_missing} missing from the batch)"),
        ("Films found", f"{one.films_found} of {one.films} ({one.films_extra} that are none)"),
        ("Corners", f"{_numbers(one.corner_px, 'px')}; {_numbers(one.corner_mm, 'mm')}"),
        ("Skew", f"{_numbers(one.skew_deg, 'deg')}; {one.skew_deg.get('abstained', 0)} not told"),
        ("Turn", _counts(one.turn)),
        ("Mirror", _counts(one.mirror)),
    ]
    for kind, told in sorted(one.kinds.items()):
        seen = ", ".join(f"{count} as {name}" for name, count in sorted(told.items()))
        rows.append((f"Kind {kind}", seen))
    for name in ("full", "partial", "faint", "none"):
        group = one.evidence.get(name)
        if group is not None:
            rows.append(
                (
                    f"Evidence {name}",
                    f"{group.films} films: {group.auto_right} filed right, "
                    f"{group.wrong_patient} wrong patient, {group.wrong_exam} wrong exam, "
                    f"{group.review} for review, {group.other} else",
                )
            )
    part = "none of them here" if one.full_fraction is None else f"{one.full_fraction:.0%}"
    rows += [
        ("Full evidence filed", f"{part} of {one.full_films}"),
        ("Duplicates linked", f"{one.duplicates_linked} of {one.duplicates}"),
        ("Bad files told", f"{one.quarantined} of {one.bad_files}"),
        ("Hazards as expected", f"{sum(h.as_expected for h in one.hazards)} of {len(one.hazards)}"),
    ]
    out = [f"{name:<20} {value}" for name, value in rows]
    out += [f"  WRONG   {text}" for text in one.wrong]
    out += [
        f"  HAZARD  {h.hazard} {h.source}: {h.state} ({', '.join(h.reasons)}): {h.complaint}"
        for h in one.hazards
        if not h.as_expected
    ]
    return "\n".join(out)
