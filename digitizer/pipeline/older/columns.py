"""Instances and studies of an older archive as rows of a table, for a spreadsheet or a program."""

from collections.abc import Iterable, Iterator

from digitizer.errors import UnknownRecord
from digitizer.model.older import OldInstance, OldStudy, Source
from digitizer.pipeline.older.lists import TAKEN
from digitizer.pipeline.services import Services

__all__ = ["INSTANCE_COLUMNS", "STUDY_COLUMNS", "instance_rows", "study_rows"]

INSTANCE_COLUMNS = (
    *("place", "sop_instance_uid", "sop_class_uid", "state", "code", "note", "sha256"),
    *("sent_as", "sent_sha256", "study", "study_instance_uid", "issuer", "patient_id"),
)
STUDY_COLUMNS = (
    *("study", "study_instance_uid", "state", "codes", "why", "told", "found", "taken"),
    *("header_issuer", "header_patient_id", "header_name", "header_birth_date", "header_sex"),
    *("header_accession_number", "study_date", "modality", "description"),
    *("issuer", "patient_id", "accession_number", "decided_by"),
)
_KNOWN = 10_000
"""Studies that are remembered: instances of one lie together, or anywhere in a storage."""
Cells = tuple[str, ...]


def instance_rows(services: Services, rows: Iterable[OldInstance]) -> Iterator[Cells]:
    """Yield instances as :data:`INSTANCE_COLUMNS`: with their study, and the patient decided."""
    known: dict[str, Cells] = {}
    for row in rows:
        if row.study_id not in known:
            if len(known) >= _KNOWN:
                known.clear()
            known[row.study_id] = _of_study(services, row.study_id)
        yield (
            row.place,
            row.sop_instance_uid,
            row.sop_class_uid,
            row.state.value,
            row.code.value if row.code else "",
            row.note,
            row.sha256,
            row.outgoing_uid if row.sent_sha256 else "",
            row.sent_sha256,
            *known[row.study_id][:2],
            # Of what is refused nobody has decided whose it is.
            *(known[row.study_id][2:] if row.state in TAKEN else ("", "")),
        )


def _of_study(services: Services, study_id: str) -> Cells:
    if not study_id:
        return ("", "", "", "")
    try:
        with services.ledger.reading() as view:
            study = view.get(OldStudy, study_id)
    except UnknownRecord:
        return (study_id, "", "", "")
    return (study.id, _study_uid(study), study.issuer, study.patient_id)


def _study_uid(study: OldStudy) -> str:
    decided = study.decision.study_instance_uid if study.decision else ""
    return decided or study.study_instance_uid


def study_rows(services: Services, source: Source, studies: Iterable[OldStudy]) -> Iterator[Cells]:
    """Yield studies as :data:`STUDY_COLUMNS`; ``told`` is how many instances the peer says.

    ``found`` and ``taken`` are counted, so that a number that the peer told leads to the studies
    of which another number came.
    """
    for study in studies:
        with services.ledger.reading() as view:
            rows = view.old_instances(study_id=study.id)
        header, decision = study.header, study.decision
        exam = decision.exam if decision else None
        yield (
            study.id,
            _study_uid(study),
            study.state.value,
            " ".join(one.code.value for one in study.reasons),
            "; ".join(one.text for one in study.reasons),
            "" if study.expected is None else str(study.expected),
            str(len(rows)),
            str(sum(row.state in TAKEN for row in rows)),
            header.issuer or source.issuer,
            header.patient_id,
            header.name,
            header.birth_date,
            header.sex,
            header.accession_number,
            header.study_date,
            header.modality,
            header.description,
            study.issuer,
            study.patient_id,
            exam.accession_number if exam else "",
            decision.decided_by if decision else "",
        )
