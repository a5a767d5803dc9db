"""Rules for headers: refused when garbled, applied in order, never beyond what they may touch."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from jackets import somebody
from old_instances import an_instance

from digitizer import dicom, wiring
from digitizer.config import Settings
from digitizer.dicom.old_file import rewritten
from digitizer.errors import SettingsError
from digitizer.pipeline.settings import OlderSettings

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


@pytest.mark.parametrize(
    "then",
    [
        '{ tag = "StudyDate", set = "nonsense" }',
        '{ tag = "PatientSex", set = "woman" }',
        '{ tag = "AccessionNumber", set = "12345678901234567" }',
        '{ tag = "PatientBirthDate", map = { x = "19310402", y = "31.12.1950" } }',
        '{ tag = "AccessionNumber", pad = { to = 17, with = "0" } }',
        '{ tag = "PatientBirthDate", pad = { to = 8, with = "0" } }',
        '{ tag = "SpecificCharacterSet", set = "UTF-8" }',
    ],
)
def test_a_rule_that_would_write_what_dicom_forbids_is_refused(then: str) -> None:
    """Before it is applied to anything, as far as the table itself says what is written."""
    with pytest.raises(SettingsError, match="DICOM"):
        dicom.read_rules(table('{ tag = "Modality", present = true }', then))


@pytest.mark.filterwarnings("ignore")
def test_what_dicom_forbids_is_not_set() -> None:
    """A value that comes from the header itself: what stood there stays, and it is told."""
    text = table('{ tag = "StudyID", present = true }', '{ tag = "StudyDate", copy = "StudyID" }')
    old = dicom.examine(an_instance(StudyID="S1"))
    outcome = dicom.apply_rules(old.header, dicom.read_rules(text))
    assert (outcome.changes, outcome.illegal) == ((), (("StudyDate", "S1"),))
    assert dicom.text_of(outcome.header, "StudyDate") == "19620310"


def test_a_site_knows_what_its_undeclared_text_is_written_in(tmp_path: Path) -> None:
    """Its own table comes first: what is built in takes such text for Latin-1."""
    rules = tmp_path / "rules.toml"
    rules.write_text(
        table('{ writing = "undeclared" }', '{ tag = "SpecificCharacterSet", set = "ISO_IR 126" }')
    )
    settings = Settings(data_dir=tmp_path, older=OlderSettings(rules=str(rules)))
    content = an_instance(charset="", encoded="iso8859_7", PatientName="ΠΑΠΠΑΣ^ΝΙΚΟΣ")
    outcome = dicom.apply_rules(dicom.examine(content).header, wiring.coercions(settings))
    assert dicom.header_of(outcome.header).name == "ΠΑΠΠΑΣ^ΝΙΚΟΣ"
    assert [change.after for change in outcome.changes] == ["ISO_IR 126"]


def test_text_written_in_another_set_is_a_change() -> None:
    """A name of the index that the declared set lacks: told before it is sent, and in the file."""
    czech = somebody("7100001", "ČERNÝ^JAN", "1950-01-01", "M")
    adoption = dicom.Adoption(
        patient=czech, exam=None, source="disc", at=datetime(2026, 11, 27, tzinfo=UTC)
    )
    old = dicom.examine(an_instance(PatientID="7100001", StudyDescription="MÜNCHEN"))
    (told,) = [
        change
        for change in dicom.identity_changes(old.header, adoption)
        if change.tag == "SpecificCharacterSet"
    ]
    assert (told.rule, told.before, told.after) == (
        "declared set too narrow", "ISO_IR 100", "ISO_IR 192")  # fmt: skip
    made = dicom.adopted(old, adoption, ()).instance
    assert made is not None
    written = pydicom.dcmread(io.BytesIO(dicom.part10(made)))
    assert (written.SpecificCharacterSet, str(written.PatientName)) == ("ISO_IR 192", "ČERNÝ^JAN")
    assert written.StudyDescription == "MÜNCHEN"
    before = {
        item.ModifyingSystem: item.ModifiedAttributesSequence[0]
        for item in written.OriginalAttributesSequence
    }
    assert before["digitizer: declared set too narrow"].SpecificCharacterSet == "ISO_IR 100"


def test_what_was_noted_of_changes_must_come_back() -> None:
    """Of what we sent; who had it before us need not have changed it, nor noted it."""
    adoption = dicom.Adoption(
        patient=somebody("4711822", "OKONKWO^JANE", "1931-04-02"),
        exam=None, source="disc", at=datetime(2026, 11, 27, tzinfo=UTC),
    )  # fmt: skip
    old = dicom.examine(an_instance(PatientID="4700000", PatientName="OKONKWO^JAN"))
    made = dicom.adopted(old, adoption, ()).instance
    assert made is not None
    sent = dicom.part10(made)
    meant = dicom.examine(sent)

    def given_back(change: Callable[[pydicom.Dataset], object]) -> bytes:
        came = pydicom.dcmread(io.BytesIO(sent))
        change(came)
        out = io.BytesIO()
        came.save_as(out)
        return out.getvalue()

    def added_to(came: pydicom.Dataset) -> None:
        own = pydicom.Dataset()
        own.ModifyingSystem = "ARCHIVE"
        came.OriginalAttributesSequence.insert(0, own)

    def reworded(came: pydicom.Dataset) -> None:
        (item,) = came.OriginalAttributesSequence
        item.ModifiedAttributesSequence[0].PatientID = "1"

    def taken_out(came: pydicom.Dataset) -> None:
        del came.OriginalAttributesSequence

    for change, differing in (
        (added_to, ()),
        (reworded, ("OriginalAttributesSequence",)),
        (taken_out, ("OriginalAttributesSequence",)),
    ):
        content = given_back(change)
        assert dicom.compare_old(meant, content, with_originals=True) == differing
        assert dicom.compare_old(meant, content) == ()


def test_a_rule_whose_text_the_declared_set_lacks_is_told_too() -> None:
    """Whatever sets it, the index or a site's table."""
    text = table(
        '{ tag = "Modality", equals = "CT" }', '{ tag = "StudyDescription", set = "ŁÓDŹ" }'
    )
    jane = somebody("4711822", "OKONKWO^JANE", "1931-04-02")
    adoption = dicom.Adoption(
        patient=jane, exam=None, source="disc", at=datetime(2026, 11, 27, tzinfo=UTC)
    )
    made = dicom.adopted(dicom.examine(an_instance()), adoption, dicom.read_rules(text))
    assert [change.tag for change in made.changes] == ["StudyDescription", "SpecificCharacterSet"]
