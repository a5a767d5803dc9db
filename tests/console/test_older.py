"""Older archives in the console: figures, lists, a decision once, and nobody's markup."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from console_site import Browser, Console
from ledger_records import happened

from digitizer.ledger import SqlPatientIndex
from digitizer.model.identity import Candidate, PatientRecord, PersonName
from digitizer.model.older import OldHeader, OldInstance, OldStudy, Source, SourceKind
from digitizer.model.reasons import Code, reason
from digitizer.model.states import State

EVIL = "<script>alert(1)</script>"
ANNA = PatientRecord(
    patient_id="100", issuer="GEN", name=PersonName(family="BERG", given="ANNA"),
    birth_date="1940-01-02", sex="F",
)  # fmt: skip


@pytest.fixture
def cellar(console: Console) -> Console:
    """A source with one study in review, an instance that collides, and junk with markup."""
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
    ]  # fmt: skip
    with services.ledger.transaction() as tx:
        tx.add(source, happened("old1"))
        tx.add(study, happened("st1"))
        tx.write_old_instances(rows)
    return console


def test_every_number_has_its_list_and_markup_is_text(cellar: Console, lea: Browser) -> None:
    """What a hostile disc calls its files is shown, not obeyed."""
    text = lea.get("/older").text
    assert "disc/7" in text
    page = lea.get("/older/sources/old1").text
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    for name in re.findall(r"instances\?list=(\w+)", page):
        listed = lea.get(f"/older/sources/old1/instances?list={name}")
        assert listed.status_code == 200, name
        assert EVIL not in listed.text
    written = lea.get("/older/sources/old1/instances.csv?list=refused").text
    assert written.splitlines()[1].startswith(f"{EVIL}.exe")
    assert lea.get("/older/sources/old1/instances?list=nonsense").status_code == 409


def test_a_study_is_decided_once_and_only_as_it_was_shown(cellar: Console, ann: Browser) -> None:
    """An old version is refused; what collides must be settled."""
    page = ann.get("/older/studies/st1").text
    assert "BERG, ANNA" in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    form = {"version": version[1], "patient": "GEN:100"}
    assert ann.post("/older/studies/st1/accept", **form).status_code == 409
    form["collisions"] = "leave"
    assert ann.post("/older/studies/st1/accept", **{**form, "version": "7"}).status_code == 409
    assert ann.post("/older/studies/st1/accept", **form).status_code == 303
    assert ann.post("/older/studies/st1/accept", **form).status_code == 409
    with cellar.site.services.ledger.reading() as view:
        study = view.get(OldStudy, "st1")
        names = [one.name for one in view.events("st1")]
        left = view.old_instances(study_id="st1", states=(State.REJECTED,))
    assert study.state is State.APPROVED
    assert study.decision is not None
    assert (study.decision.decided_by, study.patient_id) == ("ann", "100")
    assert names.count("approved") == 1
    assert "viewed" in names
    assert [row.place for row in left] == ["2"]
    theirs = ann.get("/patients?number=100&issuer=GEN").text
    assert "From older archives" in theirs
