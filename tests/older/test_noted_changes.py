"""What was noted of changes: it must come back from the archive, and be told before."""

from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from old_instances import an_instance, uid
from old_town import OldSite, an_index

from digitizer import dicom
from digitizer.model.older import Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.pipeline.older.again import read_again
from digitizer.pipeline.older.plan import plan_source
from digitizer.pipeline.older.sources import add_source

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)


def added(site: OldSite, folder: Path, content: bytes) -> Source:
    folder.mkdir()
    (folder / "1").write_bytes(content)
    return add_source(
        site.services, folder.name, SourceKind.FOLDER, str(folder), user="ann", issuer="GEN"
    )


def test_an_archive_that_drops_what_was_noted_is_found_out(site: OldSite, tmp_path: Path) -> None:
    """The values are right, and nothing says any more what they were."""
    source = added(site, tmp_path / "disc", an_instance(study="a", IssuerOfPatientID=""))
    site.work(source)
    (path,) = [
        one
        for one in (tmp_path / "archive").rglob("*.dcm")
        if pydicom.dcmread(one).StudyInstanceUID == uid("study", "a")
    ]
    dataset = pydicom.dcmread(path)
    assert dataset.OriginalAttributesSequence
    del dataset.OriginalAttributesSequence
    dataset.save_as(path)
    assert read_again(site.services, source).differing == {
        uid("instance", "a", 1): ("OriginalAttributesSequence",)
    }


def test_what_is_there_already_bears_no_note_of_ours(site: OldSite, tmp_path: Path) -> None:
    """Others brought it, or it came as it should be: its values are compared, and it counts."""
    site.work(added(site, tmp_path / "first", an_instance(study="a")))
    with OldSite.at(tmp_path / "2", archive=site.settings.archive, neighbour=site.neighbour) as two:
        an_index(two.services)
        two.work(added(two, tmp_path / "second", an_instance(study="a", IssuerOfPatientID="")))
        (study,) = two.studies()
        assert (study.state, study.reasons) == (State.VERIFIED, ())
        with two.services.ledger.reading() as view:
            (row,) = view.old_instances(study_id=study.id)
        assert row.code is Code.ALREADY_THERE


def test_the_plan_tells_what_a_rule_may_not_write(site: OldSite, tmp_path: Path) -> None:
    """Beside what no rule covers: the value that stood there goes into the archive as it is."""
    rule = (
        'version = "1"\n[[rule]]\nname = "r"\nwhen = [{ tag = "StudyID", present = true }]\n'
        'then = { tag = "StudyDate", copy = "StudyID" }\n'
    )
    services = replace(site.services, coercions=lambda: dicom.read_rules(rule))
    source = added(site, tmp_path / "disc", an_instance(StudyID="S1"))
    assert plan_source(services, source)["uncovered"] == [
        {"tag": "StudyDate", "instances": 1, "example": "S1"}
    ]
