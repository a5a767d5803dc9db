"""What would become of the rows of an index file, shown before anything is read or sent."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from digitizer import __version__, dicom, identity
from digitizer.errors import BadRow
from digitizer.model.identity import Outcome, Verdict
from digitizer.model.instance import Compression, Rendered, Uids
from digitizer.model.older import OldHeader, PictureRow, Source
from digitizer.model.raster import Polarity
from digitizer.model.reasons import Code, reason
from digitizer.pipeline.older.wrapping import exam_key
from digitizer.pipeline.services import Services
from digitizer.ports import PictureSource

__all__ = ["plan_rows", "readings_of_rows"]

_SHOWN = 1000
_NO_UIDS = Uids("2.25.1", "2.25.2", "2.25.3")


def plan_rows(services: Services, source: Source, *, every: bool = False) -> dict[str, Any]:
    """Decide the exams of an index file by their rows; nothing is written and nothing sent.

    Parameters
    ----------
    services : Services
    source : Source
    every : bool
        Tell of every exam; else of those alone that a person would be asked about, the first
        thousand.
    """
    folder = services.sources.pictures(source)
    asked = Counter[str]()
    told: list[dict[str, Any]] = []
    seen: set[str] = set()
    rows = films = by_itself = 0
    all_films = source.options.get("films") == "yes"
    for row in folder.rows():
        rows += 1
        if row.film or all_films:
            films += 1
            continue
        key = exam_key(source, row.place, row.header)
        if key in seen:
            continue
        seen.add(key)
        verdict = _decided(services, source, row)
        if verdict.reasons:
            asked[verdict.reasons[0].code.value] += 1
        else:
            by_itself += 1
        if every or (verdict.reasons and len(told) < _SHOWN):
            told.append(_told(row, verdict))
    return {
        "rows": rows,
        "films": films,
        "exams": len(seen),
        "by_itself": by_itself,
        "review": dict(asked.most_common()),
        "decisions": told,
        "rows_refused": [
            {"line": bad.line, "text": bad.message.partition(": ")[2]} for bad in folder.refused()
        ],
        "files_missing": [{"line": row.line, "file": row.place} for row in folder.without_file()],
        "files_without_row": _without_row(folder),
    }


def readings_of_rows(services: Services, source: Source) -> Iterator[tuple[PictureRow, OldHeader]]:
    """Yield the rows that are decided by themselves, each with its words after the rules.

    What is the scan of a film is decided by what is read on it, and what a rule refuses by nobody.
    """
    all_films = source.options.get("films") == "yes"
    for row in services.sources.pictures(source).rows():
        if row.film or all_films:
            continue
        ruled, rejected = _ruled(services, row.header)
        if not rejected:
            yield row, ruled


def _decided(services: Services, source: Source, row: PictureRow) -> Verdict:
    ruled, rejected = _ruled(services, row.header)
    if rejected:
        why = (reason(Code.RULE_REJECTED, rejected),)
        return Verdict(film_id="", outcome=Outcome.REVIEW, reasons=why)
    return identity.decide_header(ruled, "", source.issuer, services.index, services.policy)


def _ruled(services: Services, header: OldHeader) -> tuple[OldHeader, str]:
    """Return a row's words after the rules, which see them as they will stand in the instance."""
    order = dicom.PictureOrder(
        uids=_NO_UIDS,
        instance_number=1,
        header=header,
        conversion_type="DI",
        sha256="",
        software_version=__version__,
        compression=Compression.NONE,
    )
    dot = np.zeros((1, 1), np.uint8)
    made = dicom.make_picture(
        order, Rendered(pixels=dot, bits=8, polarity=Polarity.MONOCHROME2, resampled=False)
    )
    outcome = dicom.apply_rules(dicom.examine(made).header, services.coercions())
    return dicom.header_of(outcome.header), outcome.rejected


def _told(row: PictureRow, verdict: Verdict) -> dict[str, Any]:
    patient = verdict.patient or (verdict.candidates[0].patient if verdict.candidates else None)
    exam = verdict.exam or (verdict.candidates[0].exam if verdict.candidates else None)
    return {
        "line": row.line,
        "file": row.place,
        "outcome": verdict.outcome.value,
        "patient_id": patient.patient_id if patient else None,
        "issuer": patient.issuer if patient else None,
        "accession_number": exam.accession_number if exam else None,
        "posterior": verdict.posterior,
        "reasons": [{"code": one.code.value, "text": one.text} for one in verdict.reasons],
    }


def _without_row(folder: PictureSource) -> list[str]:
    found = []
    for place in folder.files(""):
        try:
            if folder.is_index(place) or folder.rows_of(place):
                continue
        except BadRow:
            pass
        found.append(place)
    return found
