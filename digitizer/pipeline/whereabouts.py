"""Where everything of one patient is: films, labels and what came from older archives.

Under all numbers of hers: today's, those of before a merge, and those of whoever took hers over.
What is decided for nobody yet is told where her number stands in its header.
"""

from typing import Any

from digitizer import identity
from digitizer.model.identity import PatientRecord
from digitizer.model.older import OldHeader, OldStudy, Source
from digitizer.pipeline.older.lists import TAKEN
from digitizer.pipeline.review import patient_named
from digitizer.pipeline.services import Services

__all__ = ["patient_sought", "whereabouts"]

Number = tuple[str, str]
"""Issuer and record number."""


def patient_sought(services: Services, text: str) -> PatientRecord:
    """Look a patient up by ``NUMBER`` or ``ISSUER:NUMBER``, by a number of before a merge too.

    Raises
    ------
    UsageError
        Nobody of that number, or several.
    """
    issuer, colon, number = text.partition(":")
    if colon and services.index.patient(number, issuer) is None:
        bearers = [one for one in _bearers(services, number) if (issuer, number) in one.other_ids]
        if len(bearers) == 1:
            return bearers[0]
    return patient_named(services, text)


def whereabouts(services: Services, patient: PatientRecord) -> dict[str, Any]:
    """Return all that is filed to a patient, or bears a number of hers, with its state."""
    numbers = _numbers(services, patient)
    with services.ledger.reading() as view:
        sheets = [
            sheet for issuer, number in numbers for sheet in view.sheets_of_patient(issuer, number)
        ]
        decided = [study for number in numbers for study in view.old_studies(patient=number)]
        named = view.old_studies_naming([number for _, number in numbers])
        sources = {one.source_id: view.get(Source, one.source_id) for one in (*decided, *named)}
        open_ = [one for one in named if _names(one, sources[one.source_id], numbers)]
        counts = {
            one.id: len(view.old_instances(study_id=one.id, states=TAKEN))
            for one in (*decided, *open_)
        }
    films = [
        {
            "id": sheet.id,
            "kind": sheet.kind.value,
            "state": sheet.state.value,
            "study_instance_uid": sheet.decision.study_instance_uid if sheet.decision else None,
            "study_date": sheet.decision.study_date if sheet.decision else "",
            "sop_instance_uids": list(sheet.instance_uids),
        }
        for sheet in sheets
    ]
    older = [
        {
            "id": study.id,
            "source": sources[study.source_id].name,
            "state": study.state.value,
            "study_instance_uid": (
                study.decision.study_instance_uid if study.decision else study.study_instance_uid
            ),
            "decided": study.decision is not None,
            "patient_id": study.patient_id or study.header.patient_id,
            "reasons": [{"code": one.code.value, "text": one.text} for one in study.reasons],
            "study_date": study.header.study_date,
            "modality": study.header.modality,
            "instances": counts[study.id],
        }
        for study in (*decided, *open_)
    ]
    return {
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "numbers": [{"issuer": issuer, "patient_id": number} for issuer, number in numbers],
        "films": films,
        "older_studies": older,
    }


def _numbers(services: Services, patient: PatientRecord) -> list[Number]:
    """Return all numbers of a patient: hers, those merged into it, those it was merged into."""
    own = [(patient.issuer, patient.patient_id), *patient.other_ids]
    for one in _bearers(services, patient.patient_id):
        if own[0] in one.other_ids:
            own += [(one.issuer, one.patient_id), *one.other_ids]
    return list(dict.fromkeys(own))


def _bearers(services: Services, number: str) -> tuple[PatientRecord, ...]:
    said = identity.testimony_of_header(OldHeader(patient_id=number))
    return services.index.candidates([said])


def _names(study: OldStudy, source: Source, numbers: list[Number]) -> bool:
    """Tell whether a header of a study bears one of some numbers, of that issuer or of none."""
    for header in (study.header, *study.others):
        issuer = header.issuer or source.issuer
        for of, number in numbers:
            if header.patient_id == number and (not issuer or not of or issuer == of):
                return True
    return False
