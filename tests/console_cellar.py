"""An older archive of a few records, for what shows them."""

from dataclasses import replace
from datetime import UTC, datetime

from console_site import Console
from ledger_records import happened

from digitizer.ledger import SqlPatientIndex
from digitizer.model.identity import Candidate, PatientRecord, PersonName
from digitizer.model.older import OldHeader, OldInstance, OldStudy, Source, SourceKind
from digitizer.model.reasons import Code, reason
from digitizer.model.states import State

__all__ = ["EVIL", "fill_cellar"]

EVIL = "<script>alert(1)</script>"
ANNA = PatientRecord(
    patient_id="100", issuer="GEN", name=PersonName(family="BERG", given="ANNA"),
    birth_date="1940-01-02", sex="F",
)  # fmt: skip


def fill_cellar(console: Console) -> None:
    """Write a source: a study in review, an instance that collides, damage, junk with markup."""
    services = console.site.services
    assert isinstance(services.index, SqlPatientIndex)
    services.index.import_patients([ANNA])
    now = datetime(2030, 1, 1, tzinfo=UTC)
    source = Source(
        id="old1", name="disc/7", kind=SourceKind.FOLDER, place="/nowhere", added_at=now,
        stocked=True,
    )  # fmt: skip
    why = (reason(Code.HEADER_DIFFERS), reason(Code.UID_COLLISION))
    study = OldStudy(
        id="st1", source_id="old1", study_instance_uid="1.2.3", changed_at=now,
        header=OldHeader(patient_id="100", name=f"BERG^{EVIL}", modality="CT"),
        state=State.REVIEW, resume=State.RECEIVED, reasons=why,
        candidates=(Candidate(patient=ANNA, exam=None, weight=1.0, posterior=0.9,
                              film_agreement={}, label_agreement={}),),
    )  # fmt: skip
    row = OldInstance(
        source_id="old1", place="1", study_id="st1", sop_instance_uid="1.2.3.4",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2", state=State.READ,
    )  # fmt: skip
    rows = [
        row,
        replace(row, place="2", state=State.REVIEW, code=Code.UID_COLLISION, note="1"),
        replace(
            row, place=f"{EVIL}.exe", study_id="", sop_instance_uid="", state=State.REJECTED,
            code=Code.NO_INSTANCE,
        ),
        replace(
            row, place="cut", study_id="", sop_instance_uid="", state=State.QUARANTINED,
            code=Code.CORRUPT_FILE,
        ),
    ]  # fmt: skip
    with services.ledger.transaction() as tx:
        tx.add(source, happened("old1"))
        tx.add(study, happened("st1"))
        tx.write_old_instances(rows)
