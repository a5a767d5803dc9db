"""Where everything of a patient is: under all numbers of hers, decided or not."""

from pathlib import Path

import numpy as np
import pytest
from jackets import somebody
from old_instances import an_instance, uid
from old_town import PEOPLE, OldSite
from PIL import Image

from digitizer.cli.older_words import where_words
from digitizer.ledger import SqlPatientIndex
from digitizer.model.older import SourceKind
from digitizer.pipeline.older.sources import add_source
from digitizer.pipeline.whereabouts import patient_sought, whereabouts

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
]
JANE = PEOPLE[0]


def test_what_waits_in_review_and_what_was_merged_is_told(site: OldSite, tmp_path: Path) -> None:
    """By her number in the header; under the old number and the new one alike."""
    disc = tmp_path / "disc"
    disc.mkdir()
    (disc / "1").write_bytes(an_instance(study="filed"))
    (disc / "2").write_bytes(an_instance(study="open", PatientBirthDate=""))
    (disc / "3").write_bytes(an_instance(study="foreign", IssuerOfPatientID="ELSEWHERE"))
    (disc / "4").write_bytes(an_instance(study="other", PatientID="5550001"))
    source = add_source(site.services, "disc", SourceKind.FOLDER, str(disc), user="ann")
    site.work(source)

    def told(text: str) -> dict[str, tuple[str, bool]]:
        found = whereabouts(site.services, patient_sought(site.services, text))
        return {
            one["study_instance_uid"]: (one["state"], one["decided"])
            for one in found["older_studies"]
        }

    hers = {uid("study", "filed"): ("verified", True), uid("study", "open"): ("review", False)}
    assert told("GEN:4711822") == hers
    words = where_words(whereabouts(site.services, JANE))
    assert "bears 4711822, decided for nobody yet" in words
    index = site.services.index
    assert isinstance(index, SqlPatientIndex)
    merged = somebody(
        "4711999", "OKONKWO^JANE", "1931-04-02", other_ids=(("GEN", "4711822"), ("OLD", "3322110"))
    )
    index.import_patients([merged])
    assert told("GEN:4711999") == hers
    assert told("GEN:4711822") == hers
    assert patient_sought(site.services, "OLD:3322110").patient_id == "4711999"


def test_a_picture_is_where_the_archive_has_it(site: OldSite, tmp_path: Path) -> None:
    """Under the study that it joined, not under one that was minted for its row."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    grey = np.random.default_rng(1).integers(0, 255, (40, 40)).astype(np.uint8)
    Image.fromarray(grey).save(folder / "1.png")
    (folder / "m.toml").write_text(
        '[columns]\nfile="f"\npatient_id="p"\nname="n"\nbirth_date="b"\nstudy_date="d"\n'
        '[constants]\nissuer="GEN"\nmodality="CR"\n'
    )
    (folder / "i.csv").write_text("f;p;n;b;d\n1.png;4711822;OKONKWO^JANE;1931-04-02;1962-03-10\n")
    options = {"index": "i.csv", "mapping": "m.toml"}
    source = add_source(
        site.services, "pictures", SourceKind.PICTURES, str(folder), user="ann", options=options
    )
    site.work(source)
    (one,) = whereabouts(site.services, JANE)["older_studies"]
    assert one["state"] == "verified"
    assert site.services.archive.holdings(one["study_instance_uid"], "").instances
