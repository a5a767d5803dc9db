"""A small index with all the look-alikes, in a real database."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hand_clock import HandClock

from digitizer import reading
from digitizer.identity import PolicySettings, match_lines
from digitizer.ledger import SqlLedger, SqlPatientIndex
from digitizer.model.identity import ExamRecord, PatientRecord, PersonName
from digitizer.model.reading import FieldSource, Testimony

RULES = reading.ReadingRules()
Answer = dict[str, Any]
Ask = Callable[..., Answer]


def person(number: str, name: str, birth: str, sex: str = "F", **more: Any) -> PatientRecord:
    family, given, *suffix = name.split("^")
    values: dict[str, Any] = {
        "patient_id": number,
        "issuer": "GEN",
        "name": PersonName(family=family, given=given, suffix="".join(suffix)),
        "birth_date": birth,
        "sex": sex,
    }
    return PatientRecord(**(values | more))


def an_exam(number: str, patient: str, day: str, part: str = "CHEST", side: str = "") -> ExamRecord:
    return ExamRecord(
        accession_number=number,
        patient_id=patient,
        issuer="GEN",
        study_date=date.fromisoformat(day),
        description=f"{side} {part}".strip(),
        body_part=part,
        laterality=side[:1],
    )


PEOPLE = (
    person("4711822", "OKONKWO^JANE", "1931-04-02"),
    person("4711823", "OKONKWO^JOAN", "1931-04-02"),  # her twin, one digit away
    person("5550001", "SMITH^JOHN", "1920-01-05", "M"),
    person("5550002", "SMITH^JOHN", "1948-09-30", "M"),  # a namesake
    person("6660001", "LINDQVIST^PAUL^SR", "1910-03-03", "M"),
    person("6660002", "LINDQVIST^PAUL^JR", "1941-07-30", "M"),
    person(
        "7770001",
        "VANDYKE^ROSE",
        "1950-05-05",
        former_names=(PersonName(family="PRYOR", given="ROSE"),),
    ),
    person("8880001", "TANAKA^YUKI", "1955-08-08", other_ids=(("GEN", "8080915"),)),
    person("9990001", "KOWALSKI^ADAM", "1900-01-01", "M", death_date=date(1975, 6, 1)),
    person("4711822", "ROSSI^MARIO", "1933-12-12", "M", issuer="EAST"),  # another issuer's number
)  # fmt: skip
EXAMS = (
    an_exam("R78-01234", "4711822", "1978-03-12"),
    an_exam("R80-00010", "4711822", "1980-05-01", "HAND", "RIGHT"),
    an_exam("R80-00011", "4711822", "1980-05-01", "KNEE", "LEFT"),
    an_exam("R78-01240", "4711823", "1978-03-12"),
    an_exam("R70-00001", "5550001", "1970-01-02"),
    an_exam("R70-00002", "5550002", "1970-01-03"),
    an_exam("R75-00001", "6660001", "1975-02-02"),
    an_exam("R75-00002", "6660002", "1975-02-03"),
    an_exam("R79-00001", "7770001", "1979-09-09"),
    an_exam("R81-00001", "8880001", "1981-01-01"),
    an_exam("R74-00001", "9990001", "1974-04-04"),
)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> SqlPatientIndex:
    path: Path = tmp_path_factory.mktemp("index") / "ledger.sqlite"
    ledger = SqlLedger(f"sqlite:///{path}", HandClock())
    ledger.migrate()
    made = SqlPatientIndex(ledger)
    # Enough strangers that names and numbers have the weight they have in a town.
    strangers = [
        person(
            f"{2_000_000 + 7919 * n}",
            f"FAMILY{n % 97}X^GIVEN{n % 89}Y",
            f"19{n % 80 + 10}-03-0{n % 9 + 1}",
        )
        for n in range(600)
    ]
    assert not made.import_patients([*PEOPLE, *strangers]).refused
    # And exams enough to show that a day seldom holds two.
    others = [
        an_exam(
            f"S{n:06d}", one.patient_id, f"{1960 + 4 * n % 39}-{n % 12 + 1:02d}-{n % 27 + 1:02d}"
        )
        for n, one in enumerate(one for one in strangers for _ in range(9))
    ]
    assert not made.import_exams([*EXAMS, *others]).refused
    return made


def testify(lines: tuple[str, ...], barcodes: tuple[str, ...], source: FieldSource) -> Testimony:
    return reading.testimony_of_lines(lines, barcodes, source, RULES)


@pytest.fixture(scope="session")
def ask(index: SqlPatientIndex) -> Ask:
    """Decide one film by its lines, beside its jacket's lines."""

    def asked(
        *film: str, jacket: list[str] | None = None, barcodes: tuple[str, ...] = (), **policy: Any
    ) -> Answer:
        row = {
            "id": "f",
            "film": {"lines": film, "barcodes": barcodes},
            "jacket": None if jacket is None else {"lines": jacket, "barcodes": []},
        }
        answers = match_lines([json.dumps(row)], testify, index, PolicySettings(**policy))
        return next(answers)

    return asked


@pytest.fixture
def decide(tmp_path: Path) -> Callable[..., Answer]:
    """Decide a film where a patient of the film's numbers is known, and perhaps a namesake.

    Their numbers have nothing in common; both are born on one day.
    """

    def decided(film: list[str], *names: str, jacket: list[str] | None = None) -> Answer:
        ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.sqlite'}", HandClock())
        ledger.migrate()
        made = SqlPatientIndex(ledger)
        numbers = ("4711822", "9300555")
        people = [person(n, one, "1931-04-02") for n, one in zip(numbers, names, strict=False)]
        strangers = [
            person(f"{2_000_000 + 7919 * n}", f"FAMILY{n}X^GIVEN{n % 89}Y", "1950-03-01")
            for n in range(600)
        ]
        assert not made.import_patients([*people, *strangers]).refused
        exams = [an_exam("R78-01234", numbers[0], "1978-03-12")]
        exams += [
            an_exam(f"S{n:06d}", one.patient_id, f"19{60 + n % 30}-0{n % 9 + 1}-11")
            for n, one in enumerate(strangers)
        ]
        assert not made.import_exams(exams).refused
        label = None if jacket is None else {"lines": jacket, "barcodes": []}
        row = {"id": "f", "film": {"lines": film, "barcodes": []}, "jacket": label}
        return next(match_lines([json.dumps(row)], testify, made, PolicySettings()))

    return decided
