"""Films that look alike: told apart by their blocks, or asked about."""

import pytest

from digitizer.identity import told_apart
from digitizer.model.reading import Field, FieldName, Fields, FieldSource

BLOCK = {
    FieldName.PATIENT_ID: "H123456",
    FieldName.FAMILY_NAME: "OKONKWO",
    FieldName.STUDY_DATE: "1978-03-12",
}


def fields(**changed: str) -> Fields:
    said = {**BLOCK, **{FieldName(name): value for name, value in changed.items()}}
    return {
        name: Field(value=value, confidence=0.9, source=FieldSource.FILM)
        for name, value in said.items()
        if value
    }


def test_the_same_block_is_one_film() -> None:
    """Nothing differs."""
    assert not told_apart(fields(), fields())


def test_a_misread_block_is_still_one_film() -> None:
    """A character or two in each field is what engines do."""
    assert not told_apart(
        fields(), fields(patient_id="H128456", family_name="OK0NKWO", study_date="1978-03-17")
    )


def test_another_patients_block_is_another_film() -> None:
    """Number and name differ plainly."""
    assert told_apart(fields(), fields(patient_id="K998211", family_name="LINDQVIST"))


def test_another_exam_of_the_patient_is_another_film() -> None:
    """The date and the accession number differ plainly."""
    one = fields(accession_number="X78-01234")
    assert told_apart(one, fields(study_date="1981-11-25", accession_number="X81-77650"))


@pytest.mark.parametrize("silent", [{}, {"patient_id": "", "family_name": "", "study_date": ""}])
def test_what_is_not_read_tells_nothing(silent: dict[str, str]) -> None:
    """A silent film that looks the same is asked about."""
    assert not told_apart(fields(), fields(**silent))


def test_one_field_alone_is_not_enough() -> None:
    """It may be the other date of the sheet that was read."""
    assert not told_apart(fields(), fields(study_date="1931-01-30"))
