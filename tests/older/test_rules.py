"""Rules for headers: refused when garbled, applied in order, never beyond what they may touch."""

import io

import pydicom
import pytest
from old_instances import an_instance

from digitizer import dicom
from digitizer.dicom.old_file import rewritten
from digitizer.errors import SettingsError

HEAD = 'version = "1"\n[[rule]]\nname = "r"\n'


def table(when: str, then: str) -> str:
    return f"{HEAD}when = [{when}]\nthen = {then}\n"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("nonsense", "TOML"),
        ('version = "1"\nrules = []', "rules"),
        (table('{ tag = "PatientID", equals = "1" }', '{ tag = "StudyInstanceUID", set = "1" }'),
         "may not be changed"),
        (table('{ tag = "PatientID", equals = "1" }', '{ tag = "Rows", set = "1" }'),
         "may not be changed"),
        (table('{ tag = "PatientID", equals = "1" }', '{ tag = "PixelData", set = "1" }'),
         "may not be changed"),
        (table('{ tag = "PatientID", equals = "1" }', '{ tag = "PixelSpacing", set = "1" }'),
         "may not be changed"),
        (table('{ tag = "Patience", equals = "1" }', '{ reject = "no" }'), "no keyword"),
        (table('{ tag = "PatientID", matches = "(" }', '{ reject = "no" }'), "regular expression"),
        (table('{ tag = "PatientID" }', '{ reject = "no" }'), "one of"),
        (table('{ tag = "PatientID", equals = "1" }', '{ tag = "PatientID" }'), "one of"),
        (table('{ tag = "PatientID", equals = "1" }',
               '{ tag = "PatientID", set = "1", remove = true }'), "one of"),
        (table('{ writing = "utf-8", tag = "PatientID" }', '{ reject = "no" }'), "alone"),
        (table("", '{ reject = "no" }'), "when"),
    ],
)  # fmt: skip
def test_a_garbled_rule_is_refused_with_what_is_wrong(text: str, word: str) -> None:
    """A table is checked whole before anything is changed by it."""
    with pytest.raises(SettingsError, match=word):
        dicom.read_rules(text)


@pytest.mark.parametrize(
    ("when", "then", "keyword", "value"),
    [
        ('{ tag = "PatientID", matches = "\\\\d{1,7}" }',
         '{ tag = "PatientID", pad = { to = 8, with = "0" } }', "PatientID", "04711822"),
        ('{ tag = "Modality", in = ["CT", "MR"] }',
         '{ tag = "InstitutionName", set = "St. Mary" }', "InstitutionName", "St. Mary"),
        ('{ tag = "AccessionNumber", present = false }',
         '{ tag = "AccessionNumber", copy = "StudyID" }', "AccessionNumber", "S1"),
        ('{ tag = "StudyDescription", present = true }',
         '{ tag = "StudyDescription", map = { HEAD = "CT HEAD" } }', "StudyDescription", "CT HEAD"),
        ('{ tag = "StudyID", equals = "S1" }',
         '{ tag = "ReferringPhysicianName", remove = true }', "ReferringPhysicianName", ""),
        ('{ tag = "StudyID", equals = "S2" }',
         '{ tag = "StudyID", set = "never" }', "StudyID", "S1"),
    ],
)  # fmt: skip
def test_a_rule_does_what_it_says(when: str, then: str, keyword: str, value: str) -> None:
    """Set, copy, map, pad, remove; what it does not meet stays as it is, the picture always."""
    content = an_instance(StudyID="S1", ReferringPhysicianName="WHO")
    old = dicom.examine(content)
    outcome = dicom.apply_rules(old.header, dicom.read_rules(table(when, then)))
    again = rewritten(old, outcome.header)
    assert dicom.text_of(dicom.examine(again).header, keyword) == value
    assert dicom.examine(again).pixel_sha256 == old.pixel_sha256
    assert bool(outcome.changes) is (value not in ("S1",) or keyword == "AccessionNumber")
    assert dicom.text_of(old.header, "StudyID") == "S1"


def test_rules_are_applied_in_order_and_may_refuse() -> None:
    """A rule sees what those before it did."""
    text = (
        'version = "7"\n'
        '[[rule]]\nname = "a"\nwhen = { tag = "Modality", equals = "CT" }\n'
        'then = { tag = "StudyDescription", set = "TEST" }\n'
        '[[rule]]\nname = "b"\nwhen = { tag = "StudyDescription", equals = "TEST" }\n'
        'then = { reject = "A test picture." }\n'
    )
    outcome = dicom.apply_rules(dicom.examine(an_instance()).header, dicom.read_rules(text))
    assert outcome.rejected == "A test picture."
    assert [change.rule for change in outcome.changes] == ["a (7)"]


@pytest.mark.filterwarnings("ignore")
def test_what_no_rule_covers_is_told() -> None:
    """Values that DICOM does not allow, by keyword."""
    content = an_instance(StudyDate="1962.3.10", PatientSex="woman", StudyDescription="x" * 70)
    found = dict(dicom.violations(dicom.examine(content).header))
    assert set(found) == {"StudyDate", "PatientSex", "StudyDescription"}
    assert dicom.violations(dicom.examine(an_instance()).header) == ()
    assert pydicom.dcmread(io.BytesIO(content)).StudyDate == "1962.3.10"
