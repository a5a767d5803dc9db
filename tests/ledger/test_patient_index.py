"""The patient index: imported once, found again whatever one character was read wrong."""

import traceback
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
from hand_clock import HandClock
from ledger_records import execute_plainly
from sqlalchemy.exc import SQLAlchemyError

from digitizer.errors import BadRow, BadWorld
from digitizer.ledger import ImportReport, SqlLedger, SqlPatientIndex
from digitizer.model import reading
from digitizer.model.identity import ExamRecord, JacketRecord, PatientRecord, PersonName


def person(
    number: str = "4711822", issuer: str = "GEN", family: str = "SMITH", **more: object
) -> PatientRecord:
    values: dict[str, object] = {
        "patient_id": number,
        "issuer": issuer,
        "name": PersonName(family=family, given="JOHN"),
        "birth_date": "1931-04-02",
    }
    return PatientRecord(**(values | more))  # type: ignore[arg-type]


def an_exam(number: str = "A100234", patient: str = "4711822", issuer: str = "") -> ExamRecord:
    return ExamRecord(
        accession_number=number, patient_id=patient, issuer=issuer, study_date=date(1987, 3, 2)
    )


def read(**fields: str) -> reading.Testimony:
    return reading.Testimony(
        fields={
            reading.FieldName(name): reading.Field(
                value=value, confidence=0.9, source=reading.FieldSource.FILM
            )
            for name, value in fields.items()
        }
    )


def told(report: ImportReport) -> tuple[int, int, int, list[str]]:
    return report.added, report.changed, report.unchanged, [str(row) for row in report.refused]


@pytest.fixture
def index(ledger: SqlLedger) -> SqlPatientIndex:
    return SqlPatientIndex(ledger)


def numbers(found: Iterable[PatientRecord]) -> list[str]:
    return [one.patient_id for one in found]


# -- imports ---------------------------------------------------------------------------------


def test_importing_again_changes_only_what_differs(index: SqlPatientIndex) -> None:
    """New, changed and equal rows are told apart."""
    first = [person("1000001"), person("1000002")]
    assert told(index.import_patients(first)) == (2, 0, 0, [])
    again = [person("1000001"), person("1000002", family="SMYTHE"), person("1000003")]
    assert told(index.import_patients(again)) == (1, 1, 1, [])
    assert index.patient("1000002") == again[1]
    assert index.patient_count() == 3


def test_many_are_stored_as_they_are_written(index: SqlPatientIndex) -> None:
    """Signs that mean something in SQL or in an array of PostgreSQL are signs of a name."""
    names = ["O'HARA", 'D"ARC', "A,B", "{A}", "BACK\\SLASH", "NULL", "MÜLLER", "%(key)s", " "]
    records = [person(f"100000{at}", family=name) for at, name in enumerate(names)]
    assert told(index.import_patients(records)) == (len(names), 0, 0, [])
    assert [index.patient(one.patient_id) for one in records] == records


def test_an_error_of_the_database_names_no_patient(index: SqlPatientIndex, database: str) -> None:
    """Its text, and that of its causes, may reach a log or a terminal."""
    index.import_patients([person("1000000")])
    execute_plainly(database, "DROP TABLE patient_name")
    asked = [person("1000001", family="OKONKWO")]
    with pytest.raises((SQLAlchemyError, BadWorld)) as caught:
        index.import_patients(asked)
    told = "".join(traceback.format_exception(caught.value))
    assert "patient_name" in told
    assert "OKONKWO" not in told


def test_a_dry_run_tells_and_changes_nothing(index: SqlPatientIndex) -> None:
    """The counts are those of the run that follows."""
    rows: list[PatientRecord | BadRow] = [
        person("1000001"),
        BadRow(3, "patient_id is empty"),
        person("1000001"),
    ]
    dry = told(index.import_patients(rows, dry_run=True))
    assert index.patient_count() == 0
    assert told(index.import_patients(rows)) == dry == (1, 0, 1, ["line 3: patient_id is empty"])


def test_a_row_that_contradicts_an_earlier_one_is_refused(index: SqlPatientIndex) -> None:
    """Two people under one number: the second row is refused by its line; the rest is taken."""
    rows: list[PatientRecord | BadRow] = [
        person("1"),
        BadRow(3, "bad"),
        person("1", family="JONES"),
        person("2"),
    ]
    report = index.import_patients(rows)
    assert told(report)[0] == 2
    assert [row.line for row in report.refused] == [3, 4]
    kept = index.patient("1")
    assert kept is not None
    assert kept.name.family == "SMITH"


def test_an_interrupted_import_keeps_what_it_had(
    index: SqlPatientIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed before the power went is there, and the next run finishes."""
    monkeypatch.setattr("digitizer.ledger.imports._ROWS", 10)
    everyone = [person(f"{number:07d}") for number in range(35)]

    def cut_off() -> Iterable[PatientRecord]:
        yield from everyone[:25]
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        index.import_patients(cut_off())
    assert index.patient_count() == 20
    assert told(index.import_patients(everyone)) == (15, 0, 20, [])


def test_an_exam_takes_the_issuer_of_its_patient(index: SqlPatientIndex) -> None:
    """An exam list without issuers still belongs to one patient and no other."""
    index.import_patients([person()])
    assert told(index.import_exams([an_exam()])) == (1, 0, 0, [])
    assert told(index.import_exams([an_exam()])) == (0, 0, 1, [])
    assert index.exams(person()) == (replace(an_exam(), issuer="GEN"),)
    assert index.exams(person(issuer="OTHER")) == ()


def test_an_exam_of_nobody_and_one_of_two_are_refused(index: SqlPatientIndex) -> None:
    """A number under two issuers names nobody unless the issuer is told."""
    index.import_patients([person("7"), person("7", "OTHER")])
    rows = [an_exam("A1", "8"), an_exam("A2", "7"), an_exam("A3", "7", "OTHER")]
    assert told(index.import_exams(rows)) == (
        *(1, 0, 0),
        [
            "line 2: no patient of that number is in the index",
            "line 3: several patients bear that number; name the issuer",
        ],
    )


# -- candidates ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    ["4711822", "4711B22", "471I822", "411822", "47118225", "4-711822"],
    ids=["right", "last but two", "middle", "one missing", "one added", "with a dash"],
)
def test_a_number_with_one_wrong_character_finds_its_patient(
    index: SqlPatientIndex, number: str
) -> None:
    """The right one is first among a thousand of neighbouring numbers."""
    index.import_patients(
        person(f"{value}", family=f"F{value}") for value in range(4_710_000, 4_711_000)
    )
    index.import_patients([person()])
    assert "4711822" in numbers(index.candidates([read(patient_id=number)]))


def test_a_misread_number_is_not_lost_among_namesakes(index: SqlPatientIndex) -> None:
    """A rare key counts for more than one shared with hundreds."""
    index.import_patients(
        person(f"9{value:06d}", birth_date=f"19{value % 90:02d}-01-01") for value in range(500)
    )
    index.import_patients([person("4711822", family="SMIHT")])
    said = read(patient_id="4711823", family_name="SMITH", given_name="JOHN")
    assert numbers(index.candidates([said]))[0] == "4711822"


def test_former_names_and_other_numbers_find_their_bearer(index: SqlPatientIndex) -> None:
    """What was merged or married away is still on old films."""
    old = PersonName(family="VANDYKE", given="JOHN")
    index.import_patients([person("1", former_names=(old,), other_ids=(("OLD", "8080915"),))])
    assert numbers(index.candidates([read(family_name="VANDYKE", given_name="JOHN")])) == ["1"]
    assert numbers(index.candidates([read(patient_id="8080915")])) == ["1"]


def test_a_changed_patient_is_found_by_what_is_true_now(index: SqlPatientIndex) -> None:
    """Keys of the row as it was are gone."""
    index.import_patients([person("1")])
    index.import_patients([person("1", family="QUAYLE", birth_date="1950-01-01")])
    assert index.candidates([read(family_name="SMITH", given_name="JOHN")]) == ()
    assert numbers(index.candidates([read(family_name="QUAYLE", given_name="JOHN")])) == ["1"]
    assert index.name_counts(["SMITH", "QUAYLE", "JOHN"]) == {"QUAYLE": 1, "JOHN": 1}


def test_nothing_read_finds_nobody(index: SqlPatientIndex) -> None:
    """Also where somebody's birth date is unknown."""
    index.import_patients([person(birth_date="")])
    assert index.candidates([]) == ()
    assert index.candidates([reading.Testimony()]) == ()


def test_keys_made_by_other_rules_are_made_anew(
    index: SqlPatientIndex, ledger: SqlLedger, database: str
) -> None:
    """After an update that changes the rules, everybody is still found."""
    index.import_patients([person()])
    index.import_exams([an_exam()])
    execute_plainly(
        database,
        "DELETE FROM patient_key",
        "DELETE FROM exam_key",
        "UPDATE index_recipe SET value = 'of an older version'",
    )
    updated = SqlPatientIndex(ledger)
    assert numbers(updated.candidates([read(patient_id="4711822")])) == ["4711822"]
    assert len(updated.exams_matching(["A100234"])) == 1


# -- look-ups --------------------------------------------------------------------------------


def test_a_number_of_two_issuers_is_nobodys(index: SqlPatientIndex) -> None:
    """Unless the issuer is told."""
    index.import_patients([person("7"), person("7", "OTHER")])
    assert index.patient("7") is None
    assert index.patient("7", "OTHER") == person("7", "OTHER")
    assert index.patient("8") is None


def test_accession_numbers_are_matched_give_or_take_a_character(index: SqlPatientIndex) -> None:
    """The exact one first."""
    index.import_patients([person()])
    index.import_exams(an_exam(number) for number in ("A100234", "A100235", "B999999"))
    found = index.exams_matching(["A100235"])
    assert [one.accession_number for one in found] == ["A100235", "A100234"]
    assert index.exams_matching([]) == ()
    exact = index.exam("A100234")
    assert exact is not None
    assert exact.patient_id == "4711822"
    assert index.exam("A10023") is None


def test_jackets_are_found_by_name_box_and_barcode(index: SqlPatientIndex) -> None:
    """The box decides between jackets of one name; a barcode needs no box."""
    index.import_jackets(
        [
            JacketRecord(jacket="J1", box="A", patient_id="1"),
            JacketRecord(jacket="J1", box="B", barcode="*77*", patient_id="2"),
            JacketRecord(jacket="J2", patient_id="3"),
        ]
    )

    def of(name: str, box: str | None = None) -> str | None:
        found = index.jacket(name, box)
        return found.patient_id if found else None

    assert (of("J1", "A"), of("J1", "B"), of("J1"), of("J1", "C")) == ("1", "2", None, None)
    assert (of("J2"), of("J2", "A"), of("*77*"), of("*77*", "A")) == ("3", "3", "2", "2")
    assert (of(""), of("J9")) == (None, None)


def test_two_processes_see_one_index(index: SqlPatientIndex, database: str) -> None:
    """What one imported the other finds."""
    index.import_patients([person()])
    other = SqlPatientIndex(SqlLedger(database, HandClock(), reserve=0))
    assert other.patient("4711822") == person()


def test_what_is_asked_at_once_is_answered_from_one_view(
    index: SqlPatientIndex, database: str
) -> None:
    """An import meanwhile is seen afterwards, also where one asks at once within another."""
    index.import_patients([person()])
    other = SqlPatientIndex(SqlLedger(database, HandClock(), reserve=0))
    with index.at_once():
        assert index.patient_count() == 1
        other.import_patients([person("4711823")])
        with index.at_once():
            assert index.patient("4711823") is None
        assert index.patient_count() == 1
        assert numbers(index.candidates([read(patient_id="4711823")])) == ["4711822"]
    assert index.patient("4711823") == person("4711823")
