"""What is found or decided while a study is on its way: no picture goes to somebody else."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pydicom
import pytest
from discs import SMITH, Disc
from old_instances import an_instance, uid
from old_town import OldSite
from pydicom.uid import CTImageStorage

from digitizer import dicom
from digitizer.cli.older_words import study_words
from digitizer.errors import ArchiveUnreachable, StaleRecord, UsageError
from digitizer.model.instance import Holdings
from digitizer.model.older import OldStudy, Source
from digitizer.model.reasons import Code
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.advance import advance
from digitizer.pipeline.older import lists, reconcile, review
from digitizer.pipeline.older.columns import instance_rows
from digitizer.pipeline.older.commitment import commit
from digitizer.pipeline.older.deliver import store
from digitizer.pipeline.older.strangers import named_in
from digitizer.pipeline.stages import STAGES

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.mark.parametrize("before", [Stage.OLD_STORE, Stage.OLD_COMMIT, Stage.OLD_VERIFY])
def test_another_patients_file_found_late_is_never_sent(
    site: OldSite, disc: Disc, before: Stage
) -> None:
    """Wherever the study stands: it is asked about, and the stage that was due does nothing."""
    disc.put("1", 1)
    source, study = disc.approved()
    if before is not Stage.OLD_STORE:
        disc.do(Stage.OLD_STORE, study)
    disc.put("2", 2, **SMITH)
    disc.look_again(source)
    disc.do(before, study)
    site.work(source)
    (found,) = site.studies()
    assert found.state is State.REVIEW
    assert found.code == "several_identities"
    held = site.services.archive.holdings(uid("study", "x"), "").instances
    assert uid("instance", "x", 2) not in held


class Meanwhile:
    """An archive; something else happens once it has said what it holds."""

    def __init__(self, archive: Any, act: Callable[[], None]) -> None:
        self._archive, self._act = archive, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    def holdings(self, *asked: str) -> Holdings:
        found: Holdings = self._archive.holdings(*asked)
        self._act()
        return found


class Away:
    """An archive that is away when it is asked to commit."""

    def __init__(self, archive: Any) -> None:
        self._archive = archive

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    def request_commitment(self, *_: Any) -> None:
        raise ArchiveUnreachable("The archive does not answer.")


def test_a_commitment_that_could_not_be_asked_is_asked_soon(site: OldSite, disc: Disc) -> None:
    """Not when its answer would have been overdue; even if we end before we say that we wait."""
    disc.put("1", 1)
    _, study_id = disc.approved()
    services = site.with_archive(Away(site.services.archive)).services
    store(services, study_id)
    with pytest.raises(ArchiveUnreachable):
        commit(services, study_id)
    with services.ledger.reading() as view:
        (task,) = view.tasks(subjects=[study_id])
    assert task.stage is Stage.OLD_COMMIT
    assert (task.due_at - services.clock.now()).total_seconds() < 1


@pytest.mark.parametrize("at_once", [True, False])
def test_one_study_uid_goes_to_one_patient(site: OldSite, tmp_path: Path, at_once: bool) -> None:
    """Two discs bear it for two patients: one waits for a person, also when both go at once."""
    janes, smiths = Disc(site, tmp_path / "janes"), Disc(site, tmp_path / "smiths")
    janes.put("1", 1)
    smiths.put("1", 2, **SMITH)
    first, first_id = janes.approved()
    second = smiths.add()
    for stage in (Stage.OLD_STOCK, Stage.OLD_FEED):
        smiths.do(stage, second.id)
    (second_id,) = (one.id for one in site.studies() if one.id != first_id)
    smiths.do(Stage.OLD_DECIDE, second_id)
    other = [] if not at_once else [lambda: smiths.do(Stage.OLD_STORE, second_id)]
    slow = site.with_archive(Meanwhile(site.services.archive, lambda: other and other.pop()()))
    advance(slow.services, Stage.OLD_STORE, first_id, STAGES)
    site.work(first)
    site.work(second)
    states = {one.patient_id: (one.state, one.code) for one in site.studies()}
    late = "4711822" if at_once else "5550001"
    assert states.pop(late) == (State.REVIEW, Code.STUDY_CONFLICT.value)
    assert [state for state, _ in states.values()] == [State.VERIFIED]
    assert len(site.keeps(uid("study", "x"))) == 1


def test_what_a_person_confirmed_is_what_was_seen(site: OldSite, disc: Disc) -> None:
    """A third name found later is asked about; a decision put aside is not remembered."""
    disc.put("1", 1)
    disc.put("2", 2, PatientName="OKONKWO^J")
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    accepted: dict[str, Any] = {"user": "ann", "patient_id": "GEN:4711822"}
    with pytest.raises(UsageError, match="name several people"):
        review.accept(site.services, study.id, **accepted)
    accepted["whole"] = True
    review.accept(site.services, study.id, undo_window_s=60, **accepted)
    review.hold(site.services, study.id, user="ann")
    with pytest.raises(UsageError, match="put aside"):
        review.accept(site.services, study.id, **accepted)
    review.release(site.services, study.id, user="ann")
    site.work(source)
    assert [one.code for one in site.studies(State.REVIEW)] == ["several_identities"]
    review.accept(site.services, study.id, undo_window_s=0, **accepted)
    site.work(source)
    assert site.studies(State.VERIFIED)
    disc.put("3", 3, **SMITH)
    disc.look_again(source)
    site.work(source)
    assert [one.code for one in site.studies(State.REVIEW)] == ["several_identities"]


def test_files_of_another_patient_are_left_out_when_asked(site: OldSite, disc: Disc) -> None:
    """A study of two patients is filed for one of them; the other's files are listed."""
    disc.put("1", 1)
    disc.put("2", 2, **SMITH)
    disc.put("3", 3, PatientID="", IssuerOfPatientID="")
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    review.accept(
        site.services, study.id, user="ann", patient_id="GEN:4711822", leave_others=True,
        undo_window_s=0,
    )  # fmt: skip
    site.work(source)
    assert set(site.keeps(uid("study", "x"))) == {uid("instance", "x", n) for n in (1, 3)}
    with site.services.ledger.reading() as view:
        (left,) = view.old_instances(source_id=source.id, states=(State.REJECTED,))
    assert (left.place, left.code) == ("2", Code.NAMES_ANOTHER)
    assert "It names SMITH JOHN, GEN:5550001, 19200105." in lists.why(left)
    with site.services.ledger.reading() as view:
        told = reconcile.source_json(view, view.get(Source, source.id))
    assert told["against_release"] == [
        "instances left out because they name another patient than their study: 1"
    ]
    ((_, *cells),) = instance_rows(site.services, [left])
    assert cells[-2:] == ["", ""], "nobody has decided whose it is"


def test_a_person_sees_which_file_names_whom(site: OldSite, disc: Disc) -> None:
    """Of a study of several patients; of any other there is nothing to tell."""
    disc.put("1", 1)
    source = disc.add()
    site.work(source)
    (study,) = site.studies()
    with site.services.ledger.reading() as view:
        rows = view.old_instances(study_id=study.id)
    assert named_in(site.services, study, rows) == {}
    disc.put("2", 2, **SMITH)
    disc.look_again(source)
    site.work(source)
    (study,) = site.studies()
    with site.services.ledger.reading() as view:
        rows = view.old_instances(study_id=study.id)
    named = named_in(site.services, study, rows)
    assert {place: one.name for place, one in named.items()} == {
        "1": "OKONKWO^JANE",
        "2": "SMITH^JOHN",
    }
    document = reconcile.study_in_full_json(study, rows, named, ())
    assert "2 (SMITH^JOHN, 5550001, 19200105): " in study_words(document)
    (disc.folder / "2").unlink()
    (row,) = (row for row in rows if row.place == "2")
    site.services.vault.path(row.pack).unlink()
    assert set(named_in(site.services, study, rows)) == {"1"}


def test_a_number_alone_does_not_make_a_file_the_patients(site: OldSite, disc: Disc) -> None:
    """Another name or birth date under her number is left out as well."""
    disc.put("1", 1)
    disc.put("2", 2, PatientName="DOE^JOHN")
    disc.put("3", 3, PatientBirthDate="19500101")
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    review.accept(
        site.services, study.id, user="ann", patient_id="GEN:4711822", leave_others=True,
        undo_window_s=0,
    )  # fmt: skip
    site.work(source)
    assert set(site.keeps(uid("study", "x"))) == {uid("instance", "x", 1)}


def test_leaving_out_is_taken_back_with_the_decision(site: OldSite, disc: Disc) -> None:
    """Put aside and decided for the other patient, her files go and the first one's stay out."""
    disc.put("1", 1)
    disc.put("2", 2, **SMITH)
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    assert {one.patient.patient_id for one in study.candidates} >= {"4711822", "5550001"}
    leaving = {"user": "ann", "leave_others": True}
    review.accept(site.services, study.id, patient_id="GEN:4711822", undo_window_s=60, **leaving)  # type: ignore[arg-type]
    review.hold(site.services, study.id, user="ann")
    review.release(site.services, study.id, user="ann")
    site.work(source)
    review.accept(site.services, study.id, patient_id="GEN:5550001", undo_window_s=0, **leaving)  # type: ignore[arg-type]
    site.work(source)
    assert set(site.keeps(uid("study", "x"))) == {uid("instance", "x", 2)}


def test_each_patient_is_offered_as_the_rules_have_the_number(site: OldSite, disc: Disc) -> None:
    """A number that a rule puts right leads to its bearer, whichever file it stands in."""
    rule = (
        'version = "1"\n[[rule]]\nname = "old numbers"\n'
        'when = { tag = "PatientID", equals = "OLD-5550001" }\n'
        'then = { tag = "PatientID", map = { "OLD-5550001" = "5550001" } }\n'
    )
    rules = (*site.services.coercions(), *dicom.read_rules(rule))
    ruled = OldSite(replace(site.services, coercions=lambda: rules), site.settings, site.neighbour)
    disc.put("1", 1)
    disc.put("2", 2, PatientID="OLD-5550001", PatientName="", PatientBirthDate="", PatientSex="")
    source = disc.add()
    ruled.work(source)
    (study,) = site.studies(State.REVIEW)
    assert "5550001" in {one.patient.patient_id for one in study.candidates}


def test_no_copy_takes_the_place_of_what_was_left_out(site: OldSite, disc: Disc) -> None:
    """It names the same other patient; taken back, one of both is the copy again."""
    disc.put("1", 1)
    disc.put("2", 2, **SMITH)
    disc.put("2copy", 2, **SMITH)
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    leaving = {"user": "ann", "leave_others": True}
    review.accept(site.services, study.id, patient_id="GEN:4711822", undo_window_s=60, **leaving)  # type: ignore[arg-type]
    review.hold(site.services, study.id, user="ann")
    with site.services.ledger.reading() as view:
        states = {row.place: row.state for row in view.old_instances(source_id=source.id)}
        names = [one.name for one in view.events(study.id)]
    assert states == {"1": State.READ, "2": State.READ, "2copy": State.DUPLICATE}
    assert [name for name in names if name in ("left_out", "taken_back")] == [
        "left_out", "taken_back"]  # fmt: skip
    review.release(site.services, study.id, user="ann")
    site.work(source)
    review.accept(site.services, study.id, patient_id="GEN:4711822", undo_window_s=0, **leaving)  # type: ignore[arg-type]
    site.work(source)
    assert set(site.keeps(uid("study", "x"))) == {uid("instance", "x", 1)}


def test_who_was_left_out_is_asked_about_when_more_is_found(site: OldSite, disc: Disc) -> None:
    """Another file of hers does not go along because she was left out before."""
    disc.put("1", 1)
    disc.put("2", 2, **SMITH)
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    leaving = {"user": "ann", "patient_id": "GEN:4711822", "leave_others": True}
    review.accept(site.services, study.id, undo_window_s=0, **leaving)  # type: ignore[arg-type]
    site.work(source)
    disc.put("3", 3, **SMITH)
    disc.look_again(source)
    site.work(source)
    assert [one.code for one in site.studies(State.REVIEW)] == ["several_identities"]
    without = {**leaving, "leave_others": False, "whole": True}
    with pytest.raises(UsageError, match="left out before"):
        review.accept(site.services, study.id, undo_window_s=0, **without)  # type: ignore[arg-type]
    review.accept(site.services, study.id, undo_window_s=0, **leaving)  # type: ignore[arg-type]
    site.work(source)
    assert set(site.keeps(uid("study", "x"))) == {uid("instance", "x", 1)}


def test_what_is_found_while_files_are_looked_at_is_looked_at(
    site: OldSite, disc: Disc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a large study takes its time; what comes meanwhile nobody has seen."""
    disc.put("1", 1)
    disc.put("2", 2, **SMITH)
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    looked_at = review.strangers

    def slowly(*words: Any) -> frozenset[str]:
        found = looked_at(*words)
        disc.put("3", 3, **SMITH)
        disc.look_again(source)
        return found

    monkeypatch.setattr(review, "strangers", slowly)
    with pytest.raises(StaleRecord):
        review.accept(
            site.services, study.id, user="ann", patient_id="GEN:4711822", leave_others=True
        )
    assert site.studies(State.REVIEW)


def test_not_all_of_a_study_is_left_out(site: OldSite, disc: Disc) -> None:
    """Named by mistake, a patient of whom no file speaks ends nothing."""
    disc.put("1", 1)
    disc.put("2", 2, **SMITH)
    site.work(disc.add())
    (study,) = site.studies(State.REVIEW)
    with pytest.raises(UsageError, match="No file of study"):
        review.accept(
            site.services, study.id, user="ann", patient_id="GEN:2000000", leave_others=True
        )
    assert site.studies(State.REVIEW) == [study]


def test_no_reference_is_turned_to_another_instance(site: OldSite, tmp_path: Path) -> None:
    """What others of the study refer to gets no new UID: they would mean the one that has it."""
    first, second = Disc(site, tmp_path / "first"), Disc(site, tmp_path / "second")
    first.put("1", 1)
    site.work(first.add())
    meant = pydicom.Dataset()
    meant.ReferencedSOPClassUID = CTImageStorage
    meant.ReferencedSOPInstanceUID = uid("instance", "x", 1)
    taken = {"StudyInstanceUID": uid("study", "y"), "SeriesInstanceUID": uid("series", "y")}
    second.put("1", 1, seed=9, **taken)
    second.put("11", 11, ReferencedImageSequence=[meant], **taken)
    source = second.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    assert study.code == Code.UID_COLLISION.value
    accept = partial(
        review.accept, site.services, study.id, user="ann", patient_id="GEN:4711822",
        undo_window_s=0,
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"1 other instances .* refer"):
        accept(collisions=review.Collisions.NEW_UID)
    accept(collisions=review.Collisions.LEAVE)
    site.work(source)
    assert set(site.keeps(uid("study", "y"))) == {uid("instance", "x", 11)}


@pytest.mark.parametrize(
    "says",
    [{"PatientBirthDate": "19551224"}, {"PatientID": "9999999"}, {"PatientName": "BREWSTER^MAUD"}],
)
def test_a_patient_who_is_contradicted_must_be_named(
    site: OldSite, disc: Disc, says: dict[str, str]
) -> None:
    """Unsaid it is the first candidate, where neither number, name nor birth date differs."""
    disc.put("1", 1, **says)
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    with pytest.raises(UsageError, match="--patient"):
        review.accept(site.services, study.id, user="ann", undo_window_s=0)
    done = review.accept(
        site.services, study.id, user="ann", patient_id="GEN:4711822", undo_window_s=0
    )
    assert done.decision is not None
    assert done.decision.patient.patient_id == "4711822"


def test_nobody_accepts_what_they_have_not_seen(site: OldSite, disc: Disc) -> None:
    """A file found while a study is in review brings it up anew."""
    disc.put("1", 1, PatientName="OKONKWO^JANET")
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    disc.put("2", 2, **SMITH)
    disc.look_again(source)
    with pytest.raises(StaleRecord):
        review.accept(site.services, study.id, user="ann", undo_window_s=0)
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    assert "several_identities" in [one.code.value for one in study.reasons]
    assert reconcile.study_json(study)["others"][0]["name"] == "SMITH^JOHN"


def test_what_was_sent_is_never_written_over(site: OldSite, disc: Disc, tmp_path: Path) -> None:
    """Another disc in the drive, or a file that cannot be read just now, takes nothing away."""
    disc.put("1", 1)
    disc.put("2", 2)
    source = disc.add()
    site.work(source)
    (disc.folder / "1").write_bytes(an_instance(study="other", number=1))
    disc.look_again(source)
    site.work(source)
    with site.services.ledger.reading() as view:
        before = view.old_instances(source_id=source.id)
    disc.look_again(source)
    with site.services.ledger.reading() as view:
        assert view.old_instances(source_id=source.id) == before
        document = reconcile.source_json(view, source)
        places = [row.place for row in view.old_instances(source_id=source.id)]
    assert (document["found"], document["verified"], document["balanced"]) == (3, 3, True)
    assert [place.partition("#")[0] for place in places] == ["1", "1", "2"]


def test_one_bad_entry_stops_no_source(site: OldSite, disc: Disc) -> None:
    """A false image, a name that is no text, a list that names nonsense, a folder shut to us."""
    disc.put("1", 1)
    (disc.folder / "FALSE.ISO").write_bytes(b"\0" * 0x8001 + b"CD001" + b"\1" * 5000)
    named = os.fsencode(disc.folder) + b"/caf\xe9.dcm"
    with open(named, "wb") as file:  # noqa: PTH123 - a path of bytes
        file.write(an_instance(study="x", number=2))
    source = disc.add()
    site.work(source)
    with site.services.ledger.reading() as view:
        document = reconcile.source_json(view, view.get(Source, source.id))
    assert (document["found"], document["verified"], document["trouble"]) == (3, 2, "")
    assert document["refused"] == {"corrupt_file": 1}


def test_a_rule_leaves_out_single_instances(site: OldSite, disc: Disc) -> None:
    """The rest of the study goes, and the list says why one did not."""
    disc.put("1", 1)
    disc.put("2", 2)
    rule = (
        'version = "1"\n[[rule]]\nname = "no second"\n'
        'when = { tag = "InstanceNumber", equals = "2" }\nthen = { reject = "Not wanted." }\n'
    )
    rules = (*site.services.coercions(), *dicom.read_rules(rule))
    ruled = OldSite(replace(site.services, coercions=lambda: rules), site.settings, site.neighbour)
    source = disc.add()
    ruled.work(source)
    with site.services.ledger.reading() as view:
        document = reconcile.source_json(view, source)
        (row,) = view.old_instances(source_id=source.id, states=(State.REJECTED,))
    assert document["verified"] == 1
    assert document["refused"] == {"rule_rejected": 1}
    assert row.note == "Not wanted."


def test_every_value_is_compared() -> None:
    """Not only names and pixels: a report's words, a document, how values are to be understood."""
    meant = dicom.examine(an_instance(StudyDescription="NO FRACTURE", RescaleSlope="1"))
    same = an_instance(StudyDescription="NO FRACTURE", RescaleSlope="1", implicit=True)
    assert dicom.compare_old(meant, same) == ()
    for changed in ({"StudyDescription": "FRACTURE"}, {"RescaleSlope": "2"}, {"seed": 9}):
        values = {"StudyDescription": "NO FRACTURE", "RescaleSlope": "1", **changed}
        (named,) = dicom.compare_old(meant, an_instance(**values))
        assert named in ("StudyDescription", "RescaleSlope", "PixelData")
    missing = an_instance(StudyDescription="NO FRACTURE")
    assert dicom.compare_old(meant, missing) == ("RescaleSlope",)


def test_a_study_is_never_verified_before_its_stage(site: OldSite, disc: Disc) -> None:
    """A stage that comes late or twice finds nothing to do."""
    disc.put("1", 1)
    _, study = disc.approved()
    with site.services.ledger.transaction() as tx:
        for stage in (Stage.OLD_VERIFY, Stage.OLD_COMMIT):
            tx.schedule(stage, study)
    for stage in (Stage.OLD_VERIFY, Stage.OLD_COMMIT):
        disc.do(stage, study)
    with site.services.ledger.reading() as view:
        assert view.get(OldStudy, study).state is State.APPROVED
        assert [task.stage for task in view.tasks(subjects=[study])] == [Stage.OLD_STORE]
