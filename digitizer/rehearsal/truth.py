"""The truth about a scan, as it stands in ``truth.json``."""

from collections.abc import Sequence
from typing import Any

from digitizer.rehearsal.geometry import Placement
from digitizer.rehearsal.plan import Film, Item, Jacket
from digitizer.rehearsal.tiling import Lattice

__all__ = ["film_truth", "scan_truth"]

_FREE = ["verified", "review"]

_EXPECTED: dict[str, tuple[list[str], list[str]]] = {
    "misfiled_stranger": (["review"], ["film_contradicts_jacket", "several_identities"]),
    "misfiled_sibling": (["review"], ["film_contradicts_jacket", "several_identities"]),
    "misfiled_run": (["review"], ["film_contradicts_jacket", "several_identities"]),
    "same_film_twice": (["review"], ["same_film_suspected"]),
    "byte_duplicate": (["duplicate"], []),
    "truncated": (["quarantined"], ["truncated_file", "corrupt_file"]),
    "empty": (["quarantined"], ["empty_file"]),
    "garbage": (["quarantined"], ["unsupported_format", "corrupt_file"]),
    "blank": (["review"], ["blank"]),
    "document": (_FREE, []),
    "separator": (["rejected"], ["separator"]),
    "not_in_index": (
        ["review"],
        ["not_in_index", "no_candidate", "film_contradicts_jacket", "several_identities"],
    ),
    "jacket_not_in_index": (["review"], []),
}
"""Per hazard: the final states allowed, and codes of which one at least should be given."""


def film_truth(
    film: Film,
    placement: Placement | None,
    frame: tuple[int, int],
    *,
    corners: Sequence[Sequence[float]] | None = None,
    legible: bool = False,
    marker: str | None = None,
    hazard: str | None = None,
    bed: str = "feed",
    scanner: str = "linear16",
    lattice: Lattice | None = None,
) -> dict[str, Any]:
    """Return the truth about one film in a scan.

    Parameters
    ----------
    film : Film
        Whose it is and what its block says.
    placement : Placement, optional
        How it lies; without one the whole frame is film, upright.
    frame : tuple of int
        Rows and columns of the scan.
    corners : sequence, optional
        Where there is no placement.
    legible : bool
        Whether a person can read the block.
    marker : str, optional
        Side marker laid on the film; the picture under it may bear its own.
    hazard, bed, scanner : str, optional
        For sorting scores.
    lattice : Lattice, optional
        Where the pictures of a sheet of many are.
    """
    exam = film.exam
    size: list[float] | None = None
    skew, turn, mirrored, edges = 0.0, 0, False, 0
    if placement is not None:
        u0, v0, u1, v1 = placement.visible_mm(frame)
        size = [round(u1 - u0, 3), round(v1 - v0, 3)]
        corners = placement.corners(frame).tolist()
        edges = placement.edges_seen(frame)
        skew, turn, mirrored = placement.skew_deg, placement.turn_deg, placement.mirrored
    return {
        "page": 0,
        "corners": [[round(float(x), 3), round(float(y), 3)] for x, y in corners or ()],
        "skew_deg": round(skew, 4),
        "turn_deg": turn,
        "mirrored": mirrored,
        "size_mm": size,
        "edges_seen": edges,
        "patient_id": exam.person.patient_id,
        "issuer": exam.person.issuer,
        "in_index": film.known,
        "accession_number": exam.accession if exam.indexed and film.known else None,
        "study_date": exam.day.isoformat(),
        "evidence": film.block.evidence,
        "legible": legible,
        "block_style": film.block.style,
        "block_fields": film.block.fields,
        "marker": marker,
        "hazard": hazard,
        "bed": bed,
        "scanner": scanner,
        "real_film": film.mammogram is not None,
        "tiles": _tiles_truth(lattice, placement),
    }


def _tiles_truth(lattice: Lattice | None, placement: Placement | None) -> dict[str, Any] | None:
    """Return where the pictures of a sheet lie in the scan, row by row as viewed."""
    if lattice is None or placement is None:
        return None
    boxes = [placement.to_scan(box).round(3).tolist() for box in lattice.boxes]
    return {
        "rows": lattice.rows,
        "columns": lattice.columns,
        "boxes": boxes,
        "shown": [not empty for empty in lattice.empty],
        "framed": lattice.framed,
    }


def scan_truth(
    jacket: Jacket,
    item: Item,
    source: str,
    films: list[dict[str, Any]],
    *,
    label: dict[str, str] | None = None,
    duplicate_of: str | None = None,
    same_film_as: str | None = None,
) -> dict[str, Any]:
    """Return the truth about one scan, with the states in which it may end."""
    states: list[str] = _FREE
    reasons: list[str] = []
    if item.hazard in _EXPECTED:
        states, reasons = _EXPECTED[item.hazard]
    elif item.kind == "film" and all(film["evidence"] == "none" for film in films):
        states, reasons = ["review"], ["film_silent"]
    return {
        "source": source,
        "kind": item.kind,
        "box": jacket.box,
        "jacket": jacket.name,
        "hazard": item.hazard,
        "duplicate_of": duplicate_of,
        "same_film_as": same_film_as,
        "expected": {"states": list(states), "reasons": list(reasons)},
        "label": label,
        "films": films,
    }
