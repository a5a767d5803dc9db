"""A cellar of discs and folders brought over: every file accounted for, every picture untouched."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from jackets import an_exam
from ledger_records import sheet
from old_instances import an_instance, uid
from old_town import PEOPLE, OldSite, an_index
from pycdlib import PyCdlib
from pydicom.fileset import FileSet

from digitizer import dicom
from digitizer.cli.older_words import source_words
from digitizer.errors import ArchiveUnreachable, UsageError
from digitizer.ledger import SqlPatientIndex
from digitizer.model.identity import Outcome, Verdict
from digitizer.model.older import Encoded, Keep, Sent, Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.advance import advance
from digitizer.pipeline.jacket import decision_of
from digitizer.pipeline.older import lists, reconcile, review
from digitizer.pipeline.older.plan import CHANGE_COLUMNS, change_rows, plan_source
from digitizer.pipeline.older.review import Collisions
from digitizer.pipeline.older.sources import add_source
from digitizer.pipeline.stages import STAGES

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
    # pydicom's file set leaves its temporary folder to be cleaned up with it.
    pytest.mark.filterwarnings("ignore:.*finalize:pytest.PytestUnraisableExceptionWarning"),
]


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for place, content in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def added(site: OldSite, place: Path, *, keep: Keep = Keep.VAULT, issuer: str = "") -> Source:
    return add_source(
        site.services, place.name, SourceKind.FOLDER, str(place), user="ann", keep=keep,
        issuer=issuer,
    )  # fmt: skip


def told(site: OldSite, source: Source) -> dict[str, Any]:
    with site.services.ledger.reading() as view:
        return reconcile.source_json(view, view.get(Source, source.id))


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_disc_is_brought_over_whole(site: OldSite, tmp_path: Path) -> None:
    """What is sound is filed, what is not is listed with why, and the disc stays as it was."""
    another_id = pydicom.Dataset()
    another_id.PatientID = "OLD2"
    jane = [an_instance(study="jane", number=n, encapsulated=n == 2) for n in range(1, 4)]
    disc = written(
        tmp_path / "disc 7",
        {
            "IMAGES/A1": jane[0],
            "IMAGES/A2": jane[1],
            "IMAGES/A3": jane[2],
            "IMAGES/A3 COPY": jane[2],
            "IMAGES/B1": an_instance(study="cut", PatientID="5550001")[:-100],
            "IMAGES/C1": an_instance(
                study="bare", PatientID="8080915", PatientName="TANAKA^YUKI",
                PatientBirthDate="19550808", implicit=True, preamble=False,
                OtherPatientIDs="OLD1", OtherPatientIDsSequence=[another_id],
            ),
            "IMAGES/D1": an_instance(study="stranger", IssuerOfPatientID="ELSEWHERE"),
            "AUTORUN.INF": b"[autorun]\nopen=viewer.exe\n",
            "VIEWER.EXE": b"MZ" + b"\0" * 5000,
            "EMPTY": b"",
        },
    )  # fmt: skip
    before = hashes(disc)
    source = added(site, disc)
    site.work(source)
    assert hashes(disc) == before
    document = told(site, source)
    assert document["found"] == 10
    assert document["refused"] == {
        "duplicate": 1, "empty_file": 1, "no_instance": 2, "truncated_file": 1,
    }  # fmt: skip
    assert (document["taken"], document["filed"], document["verified"]) == (5, 4, 4)
    assert document["review"] == {"foreign_issuer": 1}
    assert document["balanced"]
    assert document["settled"]
    kept = site.keeps(uid("study", "jane"))
    for content in jane:
        old = dicom.examine(content)
        came = dicom.examine(kept[dicom.text_of(old.header, "SOPInstanceUID")])
        assert came.pixel_sha256 == old.pixel_sha256
        assert came.syntax == old.syntax
    yuki = pydicom.dcmread(io.BytesIO(next(iter(site.keeps(uid("study", "bare")).values()))))
    assert (yuki.PatientID, yuki.IssuerOfPatientID) == ("8880001", "GEN")
    before_merge = yuki.OriginalAttributesSequence[0]
    assert before_merge.ModifiedAttributesSequence[0].PatientID == "8080915"
    assert before_merge.ModifyingSystem == "digitizer: patient index"
    assert before_merge.SourceOfPreviousValues == "disc 7"
    assert before_merge.ReasonForTheAttributeModification == "COERCE"
    # What else bears the former number is kept, where no archive searches.
    former = yuki.OriginalAttributesSequence[1]
    assert former.ModifyingSystem == "digitizer: former patient"
    (kept_ids,) = former.ModifiedAttributesSequence
    assert kept_ids.OtherPatientIDs == "OLD1"
    assert kept_ids.OtherPatientIDsSequence[0].PatientID == "OLD2"
    assert "OtherPatientIDs" not in yuki
    assert "OtherPatientIDsSequence" not in yuki


def test_every_number_leads_to_its_list(site: OldSite, tmp_path: Path) -> None:
    """The lists hold as many rows as the numbers say, each with its reason."""
    disc = written(
        tmp_path / "numbers",
        {"1": an_instance(study="x"), "2": an_instance(study="x")[:-9], "3": b"junk" * 99},
    )
    source = added(site, disc)
    site.work(source)
    document = told(site, source)
    rows = {name: list(lists.listed(site.services, source, name)) for name in lists.LISTS}
    for name in (
        *("found", "taken", "filed", "stored", "committed", "verified"),
        *("missing", "colliding", "held"),
    ):
        assert len(rows[name]) == document[name], name
    assert [row.place for row in rows["refused"]] == ["2", "3"]
    assert len(rows["refused"]) == sum(document["refused"].values())
    with pytest.raises(UsageError, match="Lists"):
        next(lists.listed(site.services, source, "nonsense"))


def test_numbers_that_do_not_add_up_are_told(site: OldSite, tmp_path: Path) -> None:
    """An instance whose study is gone is not rounded away."""
    files = {str(n): an_instance(study="x", number=n) for n in (1, 2)}
    source = added(site, written(tmp_path / "odd", files))
    site.work(source)
    assert told(site, source)["balanced"]
    row = next(lists.listed(site.services, source, "verified"))
    with site.services.ledger.transaction() as tx:
        tx.write_old_instances([replace(row, study_id="nowhere")])
    assert not told(site, source)["balanced"]
    assert "do not add up" in source_words(told(site, source))


def test_a_discs_own_list_is_held_to_account(site: OldSite, tmp_path: Path) -> None:
    """Files it names that are not there are named; files it does not name are taken too."""
    disc = tmp_path / "listed"
    files = FileSet()
    for number in (1, 2, 3):
        files.add(pydicom.dcmread(io.BytesIO(an_instance(study="listed", number=number))))
    files.write(disc)
    made = sorted(path for path in disc.rglob("*") if path.is_file() and path.name != "DICOMDIR")
    made[0].unlink()
    made[1].rename(made[1].with_name(made[1].name.lower()))
    (disc / "EXTRA").write_bytes(an_instance(study="listed", number=9))
    source = added(site, disc)
    site.work(source)
    document = told(site, source)
    assert (document["found"], document["missing"], document["verified"]) == (4, 1, 3)
    missing = list(lists.listed(site.services, source, "missing"))
    assert [row.place for row in missing] == [made[0].relative_to(disc).as_posix()]
    notes = {row.place: row.note for row in lists.listed(site.services, source, "verified")}
    assert [place for place, note in notes.items() if "does not name it" in note] == ["EXTRA"]


def test_an_image_of_a_disc_is_read_without_mounting(site: OldSite, tmp_path: Path) -> None:
    """With the long names it has; the image itself stays where it is."""
    image = PyCdlib()
    image.new(joliet=3)
    image.add_directory("/IMAGES", joliet_path="/images")
    for number in (1, 2):
        content = an_instance(study="iso", number=number)
        image.add_fp(
            io.BytesIO(content), len(content), f"/IMAGES/IM{number}.;1",
            joliet_path=f"/images/picture {number}.dcm",
        )  # fmt: skip
    folder = tmp_path / "images"
    folder.mkdir()
    image.write(str(folder / "disc.bin"))
    image.close()
    source = added(site, folder, keep=Keep.PLACE)
    site.work(source)
    assert told(site, source)["verified"] == 2
    places = [row.place for row in lists.listed(site.services, source, "found")]
    assert places == [f"disc.bin//images/picture {number}.dcm" for number in (1, 2)]


def test_a_collision_waits_for_a_person_and_overwrites_nothing(
    site: OldSite, tmp_path: Path
) -> None:
    """Sent under a new UID the old one stays in the instance; left out it is listed."""
    first = an_instance(study="one", number=1)
    other = an_instance(study="one", number=1, seed=77, StudyDescription="OTHER")
    third = an_instance(study="one", number=1, seed=99)
    source = added(site, written(tmp_path / "a", {"1": first}))
    site.work(source)
    again = added(site, written(tmp_path / "b", {"2": other, "3": first}))
    more = added(site, written(tmp_path / "c", {"4": third}))
    for one in (again, more):
        site.work(one)
    held = site.studies(State.REVIEW)
    assert [one.code for one in held] == ["uid_collision", "uid_collision"]
    assert (told(site, again)["colliding"], told(site, again)["held"]) == (1, 0)
    (colliding,) = lists.listed(site.services, again, "colliding")
    assert lists.why(colliding).endswith("bears the same UID. The other: 1")
    assert told(site, again)["refused"] == {"duplicate": 1}
    by_source = {one.source_id: one.id for one in held}
    with pytest.raises(UsageError, match="collisions"):
        review.accept(site.services, by_source[again.id], user="ann", patient_id="GEN:4711822")
    for of, how in ((again, Collisions.NEW_UID), (more, Collisions.LEAVE)):
        review.accept(
            site.services, by_source[of.id], user="ann", patient_id="GEN:4711822", collisions=how,
            undo_window_s=0.0,
        )  # fmt: skip
        site.work(of)
    kept = site.keeps(uid("study", "one"))
    assert len(kept) == 2
    (named,) = lists.listed(site.services, again, "renamed")
    assert (named.place, named.outgoing_uid in kept) == ("2", True)
    assert not list(lists.listed(site.services, more, "renamed"))
    own = uid("instance", "one", 1)
    assert dicom.examine(kept[own]).pixel_sha256 == dicom.examine(first).pixel_sha256
    renamed = pydicom.dcmread(io.BytesIO(next(c for u, c in kept.items() if u != own)))
    assert renamed.StudyDescription == "OTHER"
    originals = renamed.OriginalAttributesSequence
    changed = [one for one in originals if one.ModifyingSystem == "digitizer: UID collision"]
    assert changed[0].ModifiedAttributesSequence[0].SOPInstanceUID == own
    assert told(site, more)["refused"] == {"uid_collision": 1}


def test_what_the_archive_holds_is_compared_not_sent_again(site: OldSite, tmp_path: Path) -> None:
    """The same content is there already; other content under the UID is a person's."""
    same, other = an_instance(study="there"), an_instance(study="else", seed=5)
    site.work(added(site, written(tmp_path / "first", {"1": same, "2": other})))
    late = an_instance(study="else", seed=6)
    beside = OldSite.at(tmp_path / "2", archive=site.settings.archive, neighbour=site.neighbour)
    with beside as second:
        # Another ledger before the same archive: what this one does not know is found there.
        an_index(second.services)
        again = added(second, written(tmp_path / "again", {"1": same, "2": late}))
        second.work(again)
        document = told(second, again)
        assert document["already_there"] == 1
        (there,) = lists.listed(second.services, again, "already_there")
        assert there.code is Code.ALREADY_THERE
        assert document["review"] == {"archive_differs": 1}
    (kept,) = site.keeps(uid("study", "else")).values()
    assert dicom.examine(kept).pixel_sha256 == dicom.examine(other).pixel_sha256


def test_a_disc_burnt_from_another_source_is_a_copy(site: OldSite, tmp_path: Path) -> None:
    """The same values and picture in another transfer syntax collide with nothing."""
    site.work(added(site, written(tmp_path / "first", {"1": an_instance(study="burnt")})))
    again = an_instance(study="burnt", implicit=True)
    packed = an_instance(study="burnt", encapsulated=True)
    source = added(site, written(tmp_path / "burnt", {"1": again, "2": packed}))
    site.work(source)
    document = told(site, source)
    assert document["refused"] == {"duplicate": 2}
    assert document["studies"] == {"duplicate": 1}


class Breaking:
    """Stands between us and an archive that goes away after some instances, then comes back."""

    def __init__(self, archive: Any, after: int) -> None:
        self._archive, self._left, self.broke = archive, after, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    def store_all(
        self, instances: Iterable[Encoded], kinds: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Sent]:
        for answer in self._archive.store_all(instances, kinds):
            if self._left == 0:
                # Taken, but we never hear of it.
                self._left = -1
                self.broke += 1
                raise ArchiveUnreachable("The association was broken off.")
            self._left -= 1
            yield answer


def test_an_archive_that_breaks_off_gets_nothing_twice(site: OldSite, tmp_path: Path) -> None:
    """What it took without our hearing of it is found there, compared, and not sent again."""
    files = {str(n): an_instance(study="long", number=n) for n in range(1, 8)}
    source = added(site, written(tmp_path / "long", files))
    breaking = Breaking(site.services.archive, after=3)
    site.with_archive(breaking).work(source)
    document = told(site, source)
    assert breaking.broke == 1
    assert (document["verified"], document["already_there"]) == (7, 1)
    assert len(site.keeps(uid("study", "long"))) == 7


def test_a_folder_that_changed_is_found_out(site: OldSite, tmp_path: Path) -> None:
    """Originals that stay at their place are sent as they were looked at, or not at all."""
    folder = written(tmp_path / "place", {"1": an_instance(study="p")})
    source = added(site, folder, keep=Keep.PLACE)
    services = site.services
    with services.ledger.reading() as view:
        task = view.tasks(subjects=[source.id])[0]
    advance(services, task.stage, task.subject, STAGES)
    (folder / "1").write_bytes(an_instance(study="p", seed=4))
    site.work(source)
    (study,) = site.studies()
    assert study.state is State.REVIEW
    assert study.code == Code.CORRUPT_FILE.value
    assert services.archive.holdings(uid("study", "p"), "").instances == ()


def test_the_plan_shows_each_change_before_anything_is_sent(site: OldSite, tmp_path: Path) -> None:
    """With examples, what no rule covers, and nothing written."""
    source = added(
        site,
        written(
            tmp_path / "plan",
            {"1": an_instance(study="plan", PatientName="MÜLLER^X", charset="", encoded="utf-8")},
        ),
    )
    site.work(source)
    before = told(site, source)
    document = plan_source(site.services, source)
    assert document["looked_at"] == 1
    changes = {(one["rule"], one["tag"]): one for one in document["changes"]}
    declared = changes["UTF-8 not declared (built-in 1)", "SpecificCharacterSet"]
    assert declared["examples"] == [{"before": "", "after": "ISO_IR 192"}]
    assert document["archive_refuses"] == []
    assert told(site, source) == before


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS.*:UserWarning")
def test_a_plan_of_all_is_a_table_before_anything_is_looked_through(
    site: OldSite, tmp_path: Path
) -> None:
    """Each change of each instance, also of a folder that is merely named; nothing is written."""
    files = {
        **{str(n): an_instance(study="sex", number=n, PatientSex=f"Female{n}") for n in range(5)},
        "5": an_instance(study="merged", PatientID="8080915", PatientName="TANAKA^YUKI",
                         PatientBirthDate="19550808", PatientSex="F"),
        "6": b"junk" * 99,
    }  # fmt: skip
    source = added(site, written(tmp_path / "named", files))
    before = told(site, source)
    document = plan_source(site.services, source, every=True)
    assert (document["looked_at"], document["studies"]) == (6, 2)
    rows = [
        dict(zip(CHANGE_COLUMNS, row, strict=True))
        for row in change_rows(site.services, source, every=True)
    ]
    numbers = [row for row in rows if row["tag"] == "PatientID"]
    assert [(row["place"], row["before"], row["after"]) for row in numbers] == [
        ("5", "8080915", "8880001")
    ]
    uncovered = [row for row in rows if row["rule"] == "covered by no rule"]
    assert {row["place"] for row in uncovered} | {
        row["place"] for row in rows if row["tag"] == "PatientSex"
    } == {"0", "1", "2", "3", "4"}
    assert told(site, source) == before
    advance(site.services, Stage.OLD_STOCK, source.id, STAGES)
    with site.services.ledger.reading() as view:
        stocked = view.get(Source, source.id)
    assert stocked.stocked
    after = [tuple(row.values()) for row in rows]
    assert sorted(change_rows(site.services, stocked, every=True)) == sorted(after)
    site.work(source)
    left = {place for _, place, *_ in change_rows(site.services, stocked, every=True)}
    assert left == {"0", "1", "2", "3", "4"}, "what was sent is planned no more"


def test_film_and_digital_of_one_exam_meet_under_one_study(site: OldSite, tmp_path: Path) -> None:
    """A film of the exam that is decided later joins the study that came from the disc."""
    services = site.services
    assert isinstance(services.index, SqlPatientIndex)
    exam = replace(an_exam("A1", "4711822", "1962-03-10", "HEAD", None), modality="CT")
    services.index.import_exams([exam])
    site.work(added(site, written(tmp_path / "meet", {"1": an_instance(study="meet")})))
    (study,) = site.studies(State.VERIFIED)
    assert study.decision is not None
    assert study.decision.exam == exam
    (kept,) = site.keeps(uid("study", "meet")).values()
    assert pydicom.dcmread(io.BytesIO(kept)).AccessionNumber == "A1"
    film = Verdict(
        film_id="f", outcome=Outcome.AUTO, patient=study.decision.patient, exam=exam, posterior=1.0
    )
    with services.ledger.transaction() as tx:
        of_the_film = decision_of(services, tx, sheet(), film, "auto")
    assert of_the_film.study_instance_uid == uid("study", "meet")


def test_film_and_digital_meet_after_a_persons_decision_too(site: OldSite, tmp_path: Path) -> None:
    """Accepted for somebody whom nothing proposed, a study is still of the exam it names."""
    services = site.services
    assert isinstance(services.index, SqlPatientIndex)
    exam = replace(an_exam("A3", "4711822", "1962-03-10", "HEAD", None), modality="CT")
    services.index.import_exams([exam])
    content = an_instance(study="named", PatientID="99", AccessionNumber="A3")
    site.work(added(site, written(tmp_path / "named", {"1": content})))
    (study,) = site.studies(State.REVIEW)
    accepted = review.accept(services, study.id, user="ann", patient_id="GEN:4711822")
    assert accepted.decision is not None
    assert accepted.decision.exam == exam
    film = Verdict(film_id="f", outcome=Outcome.AUTO, patient=PEOPLE[0], exam=exam, posterior=1.0)
    with services.ledger.transaction() as tx:
        of_the_film = decision_of(services, tx, sheet(), film, "auto")
    assert of_the_film.study_instance_uid == uid("study", "named")


def test_a_study_whose_film_came_first_is_asked_about(site: OldSite, tmp_path: Path) -> None:
    """The film has a study already: the exam is not silently parted in two."""
    services = site.services
    assert isinstance(services.index, SqlPatientIndex)
    exam = replace(an_exam("A2", "4711822", "1962-03-10", "HEAD", None), modality="CT")
    services.index.import_exams([exam])
    film = Verdict(film_id="f", outcome=Outcome.AUTO, patient=PEOPLE[0], exam=exam, posterior=1.0)
    with services.ledger.transaction() as tx:
        decision_of(services, tx, sheet(), film, "auto")
    site.work(added(site, written(tmp_path / "late", {"1": an_instance(study="late")})))
    (study,) = site.studies(State.REVIEW)
    assert study.reasons[0].code is Code.EXAM_AMBIGUOUS
    assert "Films of this exam" in study.reasons[0].text
