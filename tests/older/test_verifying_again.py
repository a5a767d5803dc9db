"""What is verified read back once more: what differs is told, and holds back the release."""

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from old_instances import an_instance, uid
from old_town import OldSite, an_index
from pydicom import Dataset

from digitizer import dicom
from digitizer.errors import UsageError
from digitizer.model.older import Encoded, Keep, Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.pipeline.older import lists, reconcile, review
from digitizer.pipeline.older.again import read_again
from digitizer.pipeline.older.sources import add_source

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def verified(site: OldSite, tmp_path: Path) -> Source:
    return brought_over(site, tmp_path / "storage")


def brought_over(site: OldSite, folder: Path, keep: Keep = Keep.PLACE) -> Source:
    """Return a storage folder of two studies, brought over and verified."""
    folder.mkdir()
    for study in ("a", "b"):
        (folder / study).write_bytes(an_instance(study=study, IssuerOfPatientID=""))
    source = add_source(
        site.services, "storage", SourceKind.FOLDER, str(folder), user="ann", keep=keep,
        issuer="GEN",
    )  # fmt: skip
    site.work(source)
    assert told(site, source)["verified"] == 2
    with site.services.ledger.reading() as view:
        return view.get(Source, source.id)


def told(site: OldSite, source: Source) -> dict[str, Any]:
    with site.services.ledger.reading() as view:
        return reconcile.source_json(view, view.get(Source, source.id))


def copy_of(tmp_path: Path, study: str) -> Path:
    (found,) = [
        path
        for path in (tmp_path / "archive").rglob("*.dcm")
        if pydicom.dcmread(path).SOPInstanceUID == uid("instance", study, 1)
    ]
    return found


def alter(path: Path, **values: Any) -> None:
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


class Rewriting:
    """An archive that gives everything back written anew, as some do: other bytes, same values."""

    def __init__(self, site: OldSite) -> None:
        self._archive = site.services.archive

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    def retrieve_all(self, *words: Any, **more: Any) -> Iterator[Encoded]:
        for one in self._archive.retrieve_all(*words, **more):
            dataset = pydicom.dcmread(io.BytesIO(dicom.part10(one)))
            dataset.add_new(0x00090010, "LO", "ARCHIVE")
            dataset.add_new(0x00091001, "LO", "came in here")
            yield replace(one, data=_dataset_of(dataset))


def _dataset_of(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    length = dataset.file_meta.FileMetaInformationGroupLength
    return out.getvalue()[132 + 12 + length :]


def test_an_altered_picture_ends_the_release(
    site: OldSite, verified: Source, tmp_path: Path
) -> None:
    """It waits for a person, is in a list, and is verified again when the archive is put right."""
    assert "May be released" in site.report(verified)
    path = copy_of(tmp_path, "a")
    before = path.read_bytes()
    alter(path, PixelData=bytes(640))
    found = read_again(site.services, verified)
    assert found.differing == {uid("instance", "a", 1): ("PixelData",)}
    after = told(site, verified)
    assert (after["verified"], after["differing"]) == (1, 1)
    assert after["review"] == {"read_back_differs": 1}
    (row,) = lists.listed(site.services, verified, "differing")
    assert (row.place, row.note) == ("a", "PixelData")
    assert "May not be released" in site.report(verified)
    path.write_bytes(before)
    (study,) = site.studies(State.REVIEW)
    assert review.retry(site.services, [study.id], user="ann") == 1
    site.work(verified)
    after = told(site, verified)
    assert (after["verified"], after["differing"]) == (2, 0)
    assert "May be released" in site.report(verified)


def test_what_the_archive_lost_is_sent_again(tmp_path: Path) -> None:
    """After a person has seen it, and where the archive knows nothing of it any more."""
    with OldSite.at(tmp_path) as site:
        an_index(site.services)
        source = brought_over(site, tmp_path / "storage")
        copy_of(tmp_path, "b").unlink()
        found = read_again(site.services, source)
        assert found.differing == {uid("instance", "b", 1): ("the archive does not give it back",)}
        assert told(site, source)["differing"] == 1
    with OldSite.at(tmp_path) as site:
        (study,) = site.studies(State.REVIEW)
        assert study.code == Code.READ_BACK_DIFFERS.value
        review.retry(site.services, [study.id], user="ann")
        site.work(source)
        after = told(site, source)
        assert (after["verified"], after["differing"]) == (2, 0)
        assert set(site.keeps(uid("study", "b"))) == {uid("instance", "b", 1)}


def test_what_was_filed_to_somebody_else_is_filed_anew(tmp_path: Path) -> None:
    """Not while the archive has it; deleted there, for whom the person names, and nobody else."""
    right = {"user": "ann", "patient_id": "GEN:4711823", "undo_window_s": 0}
    with OldSite.at(tmp_path) as site:
        an_index(site.services)
        source = brought_over(site, tmp_path / "storage")
        alter(copy_of(tmp_path, "b"), PatientID="4711823")
        read_again(site.services, source)
        (study,) = site.studies(State.REVIEW)
        with pytest.raises(UsageError):
            review.accept(site.services, study.id, **right)  # type: ignore[arg-type]
        copy_of(tmp_path, "b").unlink()
    with OldSite.at(tmp_path) as site:
        review.retry(site.services, [study.id], user="ann")
        site.work(source)
        (study,) = site.studies(State.REVIEW)
        with pytest.raises(UsageError):
            review.accept(site.services, study.id, user="ann")
        review.accept(site.services, study.id, **right)  # type: ignore[arg-type]
        site.work(source)
        assert told(site, source)["verified"] == 2
        assert pydicom.dcmread(copy_of(tmp_path, "b")).PatientID == "4711823"


def test_originals_that_are_gone_are_compared_with_the_ledger(
    site: OldSite, verified: Source, tmp_path: Path
) -> None:
    """Patient, UIDs and picture by what was written down; the rest is said to be not compared."""
    shutil.rmtree(tmp_path / "storage")
    assert read_again(site.services, verified).unseen == {}
    rewriting = site.with_archive(Rewriting(site))
    found = read_again(rewriting.services, verified)
    assert found.differing == {}
    assert set(found.unseen) == {uid("instance", study, 1) for study in "ab"}
    alter(copy_of(tmp_path, "a"), PixelData=bytes(640))
    alter(copy_of(tmp_path, "b"), PatientID="4711823")
    found = read_again(rewriting.services, verified)
    assert found.differing == {
        uid("instance", "a", 1): ("PixelData",),
        uid("instance", "b", 1): ("PatientID",),
    }


def test_a_vault_that_has_lost_an_original_is_no_end(site: OldSite, tmp_path: Path) -> None:
    """What the archive has is compared with the ledger then, as where a folder is gone."""
    source = brought_over(site, tmp_path / "storage", Keep.VAULT)
    with site.services.ledger.reading() as view:
        for pack in {row.pack for row in view.old_instances(source_id=source.id)}:
            site.services.vault.path(pack).unlink()
    alter(copy_of(tmp_path, "a"), PixelData=bytes(640))
    found = read_again(site.services, source)
    assert found.differing == {uid("instance", "a", 1): ("PixelData",)}


def test_rules_of_today_accuse_nobody(site: OldSite, verified: Source, tmp_path: Path) -> None:
    """What was sent by other rules is compared with the original, and so found out all the same."""
    rule = """version = "2"
[[rule]]
name = "institution"
when = [{ tag = "Modality", present = true }]
then = { tag = "InstitutionName", set = "X" }
"""
    today = site.with_archive(Rewriting(site))
    rules = (*today.services.coercions(), *dicom.read_rules(rule))
    services = replace(today.services, coercions=lambda: rules)
    assert read_again(services, verified).differing == {}
    alter(copy_of(tmp_path, "a"), StudyDescription="ANOTHER")
    alter(copy_of(tmp_path, "b"), PixelData=bytes(640))
    assert read_again(services, verified).differing == {
        uid("instance", "a", 1): ("StudyDescription",),
        uid("instance", "b", 1): ("PixelData",),
    }


def test_a_sample_is_never_empty(site: OldSite, verified: Source) -> None:
    """However small the share is; and it says what was drawn."""
    found = read_again(site.services, verified, share=0.0001, draw="today")
    assert (found.studies, found.of_studies, found.checked) == (1, 2, 1)
