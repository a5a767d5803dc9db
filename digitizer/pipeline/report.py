"""A batch as the contract writes it (contract §3)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from digitizer import film
from digitizer.model.film import Geometry, Quality, ScanKind, SheetKind, TileGrid
from digitizer.model.reading import Fields
from digitizer.model.records import Batch, Jacket, Scan, Sheet, Task
from digitizer.model.states import ENDS, HOLDS, WAY, State, least_advanced
from digitizer.pipeline.changes import reason_payload
from digitizer.pipeline.orders import orders_in
from digitizer.ports import Ledger, Transaction

__all__ = [
    "batch_json",
    "fields_json",
    "film_findings_json",
    "geometry_json",
    "quality_json",
    "scan_state",
    "settled",
    "summary",
    "tiles_json",
]

_FIELD_NAMES = frozenset(
    [
        "patient_id",
        "issuer",
        "family_name",
        "given_name",
        "middle_name",
        "name_suffix",
        "birth_date",
        "sex",
        "study_date",
        "accession_number",
        "description",
        "laterality",
    ]
)
"""Fields of DESIGN §2; others are kept in the ledger only."""


def batch_json(
    ledger: Ledger, name: str, *, until: State = State.VERIFIED
) -> dict[str, Any] | None:
    """Return everything there is to say of a batch, or None when there is no such batch."""
    with ledger.reading() as view:
        batch = view.batch_named(name)
        if batch is None:
            return None
        view_of = _BatchView.load(view, batch)
        ordered = orders_in(view).json_of(batch.id)
    scans = [_scan_json(view_of, scan) for scan in view_of.scans]
    films = [film for scan in scans for film in scan["films"]]
    return {
        "batch": batch.name,
        "settled": settled(view_of.states(), until),
        "seconds": _seconds(view_of),
        "expected_wrong": _expected_wrong(view_of.sheets),
        "expected": batch.expected,
        "work": ordered,
        "counts": {
            "scans": dict(Counter(scan["state"] for scan in scans)),
            "films": dict(Counter(film["state"] for film in films)),
        },
        "jackets": _jackets_json(view_of),
        "scans": scans,
    }


def _jackets_json(view: "_BatchView") -> list[dict[str, Any]]:
    """Return each jacket with its films as counted and as the jacket list expects them."""
    counted = Counter(
        sheet.jacket_id
        for sheet in view.sheets
        if sheet.kind is SheetKind.FILM and sheet.state not in ENDS
    )
    return [
        {
            "box": jacket.box,
            "jacket": jacket.name or None,
            "films": counted[jacket.id],
            "expected_films": jacket.expected_films,
        }
        for jacket in sorted(view.jackets.values(), key=lambda one: one.position)
    ]


@dataclass(frozen=True, slots=True)
class _BatchView:
    """The rows of one batch, read at one moment."""

    batch: Batch
    scans: tuple[Scan, ...]
    sheets: tuple[Sheet, ...]
    jackets: Mapping[str, Jacket]
    first_sources: Mapping[str, str]
    sheets_of: Mapping[str, list[Sheet]]

    @classmethod
    def load(cls, view: Transaction, batch: Batch) -> "_BatchView":
        scans = view.scans(batch_id=batch.id)
        sheets = view.sheets(batch_id=batch.id)
        sheets_of: dict[str, list[Sheet]] = {}
        for sheet in sheets:
            sheets_of.setdefault(sheet.scan_id, []).append(sheet)
        here = {scan.id: scan.source for scan in scans}
        first = {
            scan.duplicate_of: here.get(scan.duplicate_of)
            or view.get(Scan, scan.duplicate_of).source
            for scan in scans
            if scan.duplicate_of
        }
        jackets = {jacket.id: jacket for jacket in view.jackets(batch.id)}
        return cls(batch, scans, sheets, jackets, first, sheets_of)

    def states(self) -> list[State]:
        return [scan_state(scan, self.sheets_of.get(scan.id, [])) for scan in self.scans]


def scan_state(scan: Scan, sheets: Iterable[Sheet]) -> State:
    """Return the state a scan shows: its own until it is read, then that of its sheets."""
    states = [sheet.state for sheet in sheets]
    if scan.state is not State.READ or not states:
        return scan.state
    return least_advanced(states)


def settled(states: Iterable[State], until: State = State.VERIFIED) -> bool:
    """Tell whether nothing more happens by itself: all at ``until`` or beyond, held or ended.

    ``waiting`` is not settled: it is tried again.
    """
    enough = set(WAY[WAY.index(until) :]) | ENDS | (HOLDS - {State.WAITING})
    return all(state in enough for state in states)


def _seconds(view: _BatchView) -> float:
    changes = [scan.changed_at for scan in view.scans]
    changes += [sheet.changed_at for sheet in view.sheets]
    last: datetime = max(changes, default=view.batch.created_at)
    return round((last - view.batch.created_at).total_seconds(), 3)


def _expected_wrong(sheets: Iterable[Sheet]) -> float:
    """Sum of (1 - p) over the films filed by themselves (DESIGN §5)."""
    filed = [one for one in sheets if one.decision and one.decision.decided_by == "auto"]
    return sum(1.0 - (one.decision.posterior or 0.0) for one in filed if one.decision)


def _scan_json(view: _BatchView, scan: Scan) -> dict[str, Any]:
    sheets = view.sheets_of.get(scan.id, [])
    jacket = view.jackets.get(scan.jacket_id)
    paper = [one for one in sheets if one.kind is not SheetKind.FILM]
    state = scan_state(scan, sheets)
    reasons = scan.reasons or tuple(one for sheet in sheets for one in sheet.reasons)
    return {
        "id": scan.id,
        "source": scan.source,
        "sha256": scan.sha256,
        "kind": (scan.kind or _kind_without_reading(scan)).value,
        "state": state.value,
        "reasons": reason_payload(dict.fromkeys(reasons)),
        "duplicate_of": view.first_sources.get(scan.duplicate_of) if scan.duplicate_of else None,
        "box": jacket.box if jacket else None,
        "jacket": (jacket.name or None) if jacket else None,
        "fields": fields_json(scan.fields),
        "quality": quality_json(scan.quality),
        "sop_instance_uids": [uid for one in paper for uid in one.instance_uids],
        "films": [_film_json(one) for one in sheets if one.kind is SheetKind.FILM],
    }


def _kind_without_reading(scan: Scan) -> ScanKind:
    """Return the kind of a scan that was not examined (yet): quarantined ones are unreadable."""
    return ScanKind.UNREADABLE if scan.state is State.QUARANTINED else ScanKind.FILM


def _film_json(sheet: Sheet) -> dict[str, Any]:
    decision = sheet.decision
    exam = decision.exam if decision else None
    return {
        "id": sheet.id,
        **film_findings_json(sheet.page, sheet.geometry, sheet.quality, sheet.fields),
        "state": sheet.state.value,
        "reasons": reason_payload(sheet.reasons),
        "patient_id": decision.patient.patient_id if decision else None,
        "issuer": decision.patient.issuer if decision else None,
        "accession_number": exam.accession_number if exam else None,
        "posterior": sheet.posterior,
        "exam_posterior": sheet.exam_posterior,
        "decided_by": decision.decided_by if decision else None,
        "study_instance_uid": decision.study_instance_uid if decision else None,
        "sop_instance_uids": list(sheet.instance_uids),
        "tiles": tiles_json(sheet.tiles, sheet.geometry),
    }


def film_findings_json(
    page: int, geometry: Geometry | None, quality: Quality, fields: Fields
) -> dict[str, Any]:
    """Return what the picture itself tells of a film."""
    return {
        "page": page,
        **geometry_json(geometry),
        "quality": quality_json(quality),
        "fields": fields_json(fields),
    }


def geometry_json(geometry: Geometry | None) -> dict[str, Any]:
    """Write a geometry as the contract does; all unknown when there is none."""
    if geometry is None:
        return {
            "corners": None, "edges_seen": 0, "skew_deg": None, "turn_deg": None,
            "mirrored": None, "size_mm": None,
        }  # fmt: skip
    size = geometry.size_mm
    return {
        "corners": [[round(float(x), 3), round(float(y), 3)] for x, y in geometry.corners],
        "edges_seen": geometry.edges_seen,
        "skew_deg": None if geometry.skew_deg is None else round(float(geometry.skew_deg), 4),
        "turn_deg": geometry.turn_deg,
        "mirrored": geometry.mirrored,
        "size_mm": None if size is None else [round(size.width, 2), round(size.height, 2)],
    }


def tiles_json(tiles: TileGrid | None, geometry: Geometry | None) -> dict[str, Any] | None:
    """Write the pictures of a sheet of many, row by row as viewed; None where it is none."""
    if tiles is None or geometry is None:
        return None
    viewed = film.tiles_as_viewed(tiles, geometry)
    return {
        "rows": viewed.rows,
        "columns": viewed.columns,
        "boxes": [[[round(x, 3), round(y, 3)] for x, y in box] for box in viewed.boxes],
        "shown": list(viewed.shown),
    }


def quality_json(quality: Quality) -> dict[str, Any]:
    """Write a quality as the contract does."""
    return {
        "flags": list(quality.flags),
        "sharpness": quality.sharpness,
        "noise": quality.noise,
        "clipped_low": quality.clipped_low,
        "clipped_high": quality.clipped_high,
        "bits": quality.bits,
        "dpi": [quality.dpi.x, quality.dpi.y] if quality.dpi else None,
        "cut_off": list(quality.cut_off),
        "clipped_at": list(quality.clipped_at),
        "columns": list(quality.columns),
        "dust": None if quality.dust is None else round(quality.dust, 2),
    }


def fields_json(fields: Fields) -> dict[str, Any]:
    """Write fields as the contract does: what was read, in one form each."""
    return {
        name.value: {
            "value": field.value,
            "confidence": round(float(field.confidence), 4),
            "from": field.source.value,
            "verified": field.verified,
        }
        for name, field in fields.items()
        if name.value in _FIELD_NAMES
    }


def summary(report: Mapping[str, Any], tasks: Iterable[Task] = ()) -> dict[str, Any]:
    """Count what a person wants to know first: states, reasons, what to do next."""
    reasons: Counter[str] = Counter()
    for scan in report["scans"]:
        for one in scan["reasons"]:
            reasons[one["code"]] += 1
    return {
        "scans": report["counts"]["scans"],
        "films": report["counts"]["films"],
        "reasons": dict(reasons.most_common()),
        "due": sum(1 for _ in tasks),
    }
