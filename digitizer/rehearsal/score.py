"""Scoring a batch against the truth of its room."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Score", "score"]


@dataclass(slots=True)
class Score:
    """What a run got right and wrong; every difference is named."""

    scans: int = 0
    films: int = 0
    kinds_wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    corner_px: list[float] = field(default_factory=list)
    skew_deg: list[float] = field(default_factory=list)
    turns: Counter[str] = field(default_factory=Counter)
    filed_right: int = 0
    filed_wrong: list[str] = field(default_factory=list)
    legible: int = 0
    legible_filed: int = 0
    by_evidence: dict[str, Counter[str]] = field(default_factory=dict)
    hazards_right: int = 0
    hazards_wrong: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the score as JSON would have it."""
        return {
            "scans": self.scans,
            "films": self.films,
            "missing": self.missing,
            "kinds_wrong": self.kinds_wrong,
            "corner_px": _spread(self.corner_px),
            "skew_deg": _spread(self.skew_deg),
            "orientation": dict(self.turns),
            "filed_right": self.filed_right,
            "filed_wrong": self.filed_wrong,
            "legible": self.legible,
            "legible_filed": self.legible_filed,
            "legible_rate": self.legible_filed / self.legible if self.legible else None,
            "by_evidence": {kind: dict(of) for kind, of in self.by_evidence.items()},
            "hazards_right": self.hazards_right,
            "hazards_wrong": self.hazards_wrong,
        }

    def __str__(self) -> str:
        """Return the score in words."""
        corner, skew = _spread(self.corner_px), _spread(self.skew_deg)
        rate = f"{self.legible_filed} of {self.legible}"
        lines = [
            "Against the truth of the room:",
            f"  scans {self.scans}, films {self.films}, lost {len(self.missing)}, "
            f"kinds mistaken {len(self.kinds_wrong)}",
            f"  filed by itself: {self.filed_right} right, {len(self.filed_wrong)} wrong",
            f"  of films with a full legible block, in the index and in their place: {rate}",
            f"  corners: median {corner['median']}, worst {corner['max']} pixels",
            f"  skew: median {skew['median']}, worst {skew['max']} degrees",
            f"  orientation: {dict(self.turns)}",
            f"  hazards that ended where they should: {self.hazards_right}, "
            f"elsewhere {len(self.hazards_wrong)}",
        ]
        lines += [
            f"    {one}"
            for one in (*self.filed_wrong, *self.hazards_wrong, *self.kinds_wrong, *self.missing)
        ]
        return "\n".join(lines)


def _spread(values: list[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "max": None}
    return {"median": round(float(np.median(values)), 3), "max": round(max(values), 3)}


def score(truth: dict[str, Any], batch: dict[str, Any]) -> Score:
    """Compare a batch (contract §3) with the truth of its room (contract §9)."""
    result = Score()
    found = {scan["source"]: scan for scan in batch["scans"]}
    for wanted in truth["scans"]:
        scan = found.get(wanted["source"])
        if scan is None:
            result.missing.append(f"{wanted['source']}: not in the batch")
            continue
        result.scans += 1
        _scan(result, wanted, scan)
    return result


def _scan(result: Score, wanted: dict[str, Any], scan: dict[str, Any]) -> None:
    name = wanted["source"]
    if scan["state"] != "duplicate" and scan["kind"] != wanted["kind"]:
        result.kinds_wrong.append(f"{name}: {scan['kind']}, is {wanted['kind']}")
    expected = wanted.get("expected") or {}
    hazard = wanted.get("hazard")
    if expected.get("states"):
        codes = {one["code"] for one in scan["reasons"]}
        fits = scan["state"] in expected["states"]
        told = not expected.get("reasons") or bool(codes & set(expected["reasons"]))
        if fits and told:
            result.hazards_right += bool(hazard)
        elif hazard:
            result.hazards_wrong.append(
                f"{name} ({hazard}): {scan['state']} {sorted(codes)}, expected {expected}"
            )
    if scan["state"] == "duplicate":
        return
    for truth_film, film in _paired(wanted["films"], scan["films"]):
        result.films += 1
        _film(result, f"{name} ({hazard})", hazard, truth_film, film)


def _paired(
    wanted: list[dict[str, Any]], found: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pair each true film with the found one whose centre is nearest, once."""
    left = [film for film in found if film["corners"]]
    pairs = []
    for film in wanted:
        if not left:
            break
        centre = np.mean(film["corners"], axis=0)
        nearest = min(
            left,
            key=lambda one, at=centre: float(  # type: ignore[misc]
                np.linalg.norm(np.mean(one["corners"], axis=0) - at)
            ),
        )
        left.remove(nearest)
        pairs.append((film, nearest))
    return pairs


def _film(
    result: Score, name: str, hazard: str | None, wanted: dict[str, Any], film: dict[str, Any]
) -> None:
    true, seen = np.array(wanted["corners"]), np.array(film["corners"])
    # Whatever their order: orientation is scored by itself.
    distances = np.linalg.norm(seen[:, None] - true[None], axis=2)
    result.corner_px.append(float(distances.min(axis=1).max()))
    if film["skew_deg"] is not None and wanted["skew_deg"] is not None:
        result.skew_deg.append(abs(film["skew_deg"] - wanted["skew_deg"]))
    told = (film["turn_deg"], film["mirrored"])
    right = told == (wanted["turn_deg"], wanted["mirrored"])
    result.turns["not told" if None in told else "right" if right else "wrong"] += 1
    evidence = result.by_evidence.setdefault(wanted["evidence"], Counter())
    evidence[film["state"]] += 1
    counts = (
        wanted["evidence"] == "full"
        and wanted["legible"]
        and wanted["accession_number"] is not None
        and hazard in (None, "two_on_bed", "dpi_wrong")
    )
    result.legible += counts
    if film["decided_by"] == "auto":
        same = film["patient_id"] == wanted["patient_id"]
        exam = film["accession_number"] in (None, wanted["accession_number"])
        if same and exam:
            result.filed_right += 1
            result.legible_filed += counts
        else:
            result.filed_wrong.append(f"{name}: filed for another {'exam' if same else 'patient'}")
