"""Headers decide by themselves on an exact number, name and birth date, and on nothing less."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jackets import an_exam, somebody
from old_instances import an_instance
from old_town import an_index

from digitizer import dicom, wiring
from digitizer.config import Settings
from digitizer.identity import PolicySettings, decide_header, person_of
from digitizer.ledger import SqlPatientIndex
from digitizer.model.identity import Outcome, PersonName, Verdict
from digitizer.model.older import OldHeader
from digitizer.model.reasons import Code

JANE = OldHeader(
    patient_id="4711822",
    issuer="GEN",
    name="OKONKWO^JANE",
    birth_date="19310402",
    sex="F",
    study_date="19620310",
    modality="CT",
)
Decide = Callable[..., Verdict]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> SqlPatientIndex:
    """Return an index with all the look-alikes, and two exams of one day."""
    made = an_index(wiring.services(Settings(data_dir=tmp_path_factory.mktemp("index"))))
    exams = [
        an_exam("A900001", "4711822", "1962-03-10", "HEAD", None),
        an_exam("A900002", "5550001", "1962-03-10", "HEAD", None),
    ]
    made.import_exams([replace(exam, modality="CT") for exam in exams])
    return made


@pytest.fixture
def decide(index: SqlPatientIndex) -> Decide:
    def ask(header: OldHeader = JANE, issuer: str = "", **policy: Any) -> Verdict:
        return decide_header(header, "1.2.3", issuer, index, PolicySettings(**policy))

    return ask


def test_a_study_that_the_exam_index_knows_otherwise_is_asked_about(
    decide: Decide, index: SqlPatientIndex
) -> None:
    """Its UID is another patient's there, or its exam has another UID; also told only later."""
    theirs = replace(an_exam("A900002", "5550001", "1962-03-10", "HEAD", None), modality="CT")
    header = replace(JANE, study_date="19620311", accession_number="")
    assert decide(header).outcome is Outcome.AUTO
    index.import_exams([replace(theirs, study_instance_uid="1.2.3")])
    (why,) = decide(header).reasons
    assert why.code is Code.SEVERAL_IDENTITIES
    index.import_exams([replace(theirs, study_instance_uid="1.2.4")])
    assert decide(header).outcome is Outcome.AUTO
    own = an_exam("A900009", "4711822", "1962-03-12", "HEAD", None)
    index.import_exams([replace(own, study_instance_uid="1.2.9")])
    (why,) = decide(replace(JANE, study_date="", accession_number="A900009")).reasons
    assert why.code is Code.EXAM_AMBIGUOUS
    assert "another Study Instance UID" in why.text


def test_number_name_and_birth_date_file_by_themselves(decide: Decide) -> None:
    """However the name is written; also a former name, and a number from before a merge."""
    for name in ("OKONKWO^JANE", "Okonkwo^Jane^^^", "OKONKWO, JANE"):
        verdict = decide(replace(JANE, name=name))
        assert verdict.outcome is Outcome.AUTO, (name, verdict.reasons)
        assert verdict.patient is not None
        assert verdict.patient.patient_id == "4711822"
    merged = OldHeader(
        patient_id="8080915", name="TANAKA^YUKI", birth_date="19550808", sex="F", issuer="GEN"
    )
    assert decide(merged).patient.patient_id == "8880001"  # type: ignore[union-attr]
    former = OldHeader(
        patient_id="7770001", name="PRYOR^ROSE", birth_date="19500505", sex="F", issuer="GEN"
    )
    assert decide(former).outcome is Outcome.AUTO


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"patient_id": ""}, Code.BELOW_THRESHOLD),
        ({"patient_id": "", "name": ""}, Code.NO_IDENTIFIER),
        ({"patient_id": "4711829"}, Code.NOT_IN_INDEX),
        ({"patient_id": "4711823"}, Code.HEADER_DIFFERS),  # her twin's
        ({"patient_id": "5550001"}, Code.HEADER_DIFFERS),  # a number used twice
        ({"issuer": "OTHER"}, Code.FOREIGN_ISSUER),
        ({"name": "OKONKWO^JAN"}, Code.HEADER_DIFFERS),
        ({"name": "OKONKWO^J"}, Code.HEADER_DIFFERS),
        ({"name": "OKONKWO"}, Code.HEADER_DIFFERS),
        ({"name": "OKONKWO JANE"}, Code.HEADER_DIFFERS),
        ({"name": "JANE^OKONKWO"}, Code.HEADER_DIFFERS),
        ({"name": "OKONKWO-SMITH^JANE"}, Code.HEADER_DIFFERS),
        ({"name": ""}, Code.HEADER_DIFFERS),
        ({"birth_date": ""}, Code.HEADER_DIFFERS),
        ({"birth_date": "19310204"}, Code.HEADER_DIFFERS),
        ({"birth_date": "nonsense"}, Code.HEADER_DIFFERS),
        ({"sex": "M"}, Code.HEADER_DIFFERS),
        ({"study_date": "19300101"}, Code.IMPLAUSIBLE_DATE),
    ],
)
def test_anything_less_is_asked_about(decide: Decide, changed: dict[str, str], code: Code) -> None:
    """With a word for what is not as it must be; nobody is chosen."""
    verdict = decide(replace(JANE, **changed))
    assert verdict.outcome is Outcome.REVIEW
    assert verdict.patient is None
    assert code in [reason.code for reason in verdict.reasons], verdict.reasons


@pytest.mark.parametrize(
    ("name", "agrees"),
    [
        ("BROWN^ANN^LOUISE", True),
        ("BROWN^ANN L.", True),
        ("Brown^Ann", True),
        ("BROWN^ANN^LOUISE MAY", True),
        ("BROWN^ANN^MARIE", False),
        ("BROWN^ANN^M", False),
        ("BROWN^ANNE^LOUISE", False),
        ("BROWN^A^LOUISE", False),
        ("BROWN^LOUISE^ANN", False),
        ("BROWNE^ANN^LOUISE", False),
    ],
)
def test_further_names_may_be_missing_but_not_others(
    tmp_path: Path, name: str, agrees: bool
) -> None:
    """A second given name that differs is another person's, whatever number and birth date say."""
    index = wiring.services(Settings(data_dir=tmp_path)).index
    assert isinstance(index, SqlPatientIndex)
    ann = PersonName(family="BROWN", given="ANN", middle="LOUISE")
    index.import_patients([replace(somebody("9000001", "X^Y", "1960-06-06", "F"), name=ann)])
    header = OldHeader(
        patient_id="9000001", issuer="GEN", name=name, birth_date="19600606", sex="F"
    )
    verdict = decide_header(header, "1.2.3", "", index, PolicySettings())
    assert (verdict.outcome is Outcome.AUTO) is agrees, verdict.reasons
    assert agrees or [one.code for one in verdict.reasons] == [Code.HEADER_DIFFERS]


def test_father_and_son_are_told_apart(decide: Decide) -> None:
    """A suffix that differs is another person, whatever the number."""
    senior = OldHeader(
        patient_id="6660001", name="LINDQVIST^PAUL^^^SR", birth_date="19100303", sex="M",
        issuer="GEN",
    )  # fmt: skip
    assert decide(senior).outcome is Outcome.AUTO
    assert decide(replace(senior, name="LINDQVIST^PAUL^^^JR")).outcome is Outcome.REVIEW


def test_a_number_without_issuer_is_the_sources(decide: Decide) -> None:
    """Of a source whose issuer is known, it is one of that issuer; else of whoever has it."""
    bare = replace(JANE, issuer="")
    assert decide(bare, issuer="GEN").outcome is Outcome.AUTO
    assert decide(bare).outcome is Outcome.AUTO
    other = decide(bare, issuer="OTHER")
    assert [one.code for one in other.reasons] == [Code.FOREIGN_ISSUER]


def test_shadow_mode_decides_and_files_nothing(decide: Decide) -> None:
    """The proposal stands first among the candidates."""
    verdict = decide(shadow=True)
    assert verdict.outcome is Outcome.REVIEW
    assert [one.code for one in verdict.reasons] == [Code.SHADOW_MODE]
    assert verdict.candidates[0].patient.patient_id == "4711822"


def test_the_exam_is_found_by_number_or_by_day(decide: Decide) -> None:
    """Another patient's accession number stops the study; an unknown one stays as it is."""
    assert decide().exam.accession_number == "A900001"  # type: ignore[union-attr]
    by_number = decide(replace(JANE, accession_number="A900001"))
    assert by_number.exam is not None
    assert decide(replace(JANE, modality="SR")).exam is None
    stolen = decide(replace(JANE, accession_number="A900002"))
    assert [one.code for one in stolen.reasons] == [Code.SEVERAL_IDENTITIES]
    unknown = decide(replace(JANE, accession_number="A777777"))
    assert unknown.outcome is Outcome.AUTO
    assert unknown.exam is None
    off = decide(replace(JANE, accession_number="A900001", study_date="19630101"))
    assert [one.code for one in off.reasons] == [Code.EXAM_AMBIGUOUS]


def test_names_are_taken_apart_without_guessing() -> None:
    """Only carets or a comma say which part is which."""
    assert person_of("Doe^Jane^Q^Dr^JR=X^Y") == PersonName(
        family="DOE", given="JANE", middle="Q", suffix="JR"
    )
    assert person_of("DOE, JANE") == PersonName(family="DOE", given="JANE")
    assert person_of("JANE DOE") == PersonName(family="JANE DOE")


@pytest.mark.parametrize("encoded", ["iso8859_7", "iso8859_2", "cp1251", "cp850"])
def test_text_of_an_unknown_set_names_nobody_by_chance(
    decide: Decide, index: SqlPatientIndex, encoded: str
) -> None:
    """Undeclared, it is taken for Latin-1; number and birth date alone file nothing."""
    names = {"iso8859_7": "ΠΑΠΠΑΣ^ΝΙΚΟΣ", "cp1251": "ИВАНОВ^ИВАН"}
    name = names.get(encoded, "ČERNÝ^JIŘÍ" if encoded == "iso8859_2" else "MÜLLER^JÖRG")
    index.import_patients([somebody("7200001", name, "1950-01-01", "M")])
    old = dicom.examine(
        an_instance(
            charset="", encoded=encoded, PatientName=name, PatientID="7200001",
            PatientBirthDate="19500101", PatientSex="M",
        )
    )  # fmt: skip
    ruled = dicom.apply_rules(old.header, dicom.read_rules(dicom.BUILT_IN))
    assert decide(dicom.header_of(ruled.header)).outcome is Outcome.REVIEW
