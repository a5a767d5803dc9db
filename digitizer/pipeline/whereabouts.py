"""Where everything of one patient is: films, labels and what came from older archives."""

from typing import Any

from digitizer.model.identity import PatientRecord
from digitizer.model.older import Source
from digitizer.pipeline.older.reconcile import TAKEN
from digitizer.pipeline.services import Services

__all__ = ["whereabouts"]


def whereabouts(services: Services, patient: PatientRecord) -> dict[str, Any]:
    """Return all that is filed to a patient, whatever it came from, with its state."""
    with services.ledger.reading() as view:
        sheets = view.sheets_of_patient(patient.issuer, patient.patient_id)
        studies = view.old_studies(patient=(patient.issuer, patient.patient_id))
        sources = {one.source_id: view.get(Source, one.source_id) for one in studies}
        counts = {one.id: len(view.old_instances(study_id=one.id, states=TAKEN)) for one in studies}
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
            "study_instance_uid": study.study_instance_uid,
            "study_date": study.header.study_date,
            "modality": study.header.modality,
            "instances": counts[study.id],
        }
        for study in studies
    ]
    return {
        "patient_id": patient.patient_id,
        "issuer": patient.issuer,
        "films": films,
        "older_studies": older,
    }
