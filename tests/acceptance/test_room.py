"""A rehearsal room against a real archive: what is filed is right, hazards end as they should."""

import json
from pathlib import Path
from typing import Any

import pytest
from orthanc_server import Orthanc, free_port
from site_commands import Site

from digitizer.rehearsal import Score, score


@pytest.fixture(scope="module")
def run_in_orthanc(
    room: Path, tmp_path_factory: pytest.TempPathFactory
) -> "tuple[dict[str, Any], Score, list[dict[str, Any]]]":
    """Take the room in, into Orthanc; return the batch, its score and what the archive holds."""
    folder = tmp_path_factory.mktemp("orthanc")
    listener = free_port()
    with Orthanc(folder / "orthanc", listener, "DIGITIZER") as orthanc:
        site = Site(
            folder / "data",
            DIGITIZER_ARCHIVE__HOST=orthanc.host,
            DIGITIZER_ARCHIVE__PORT=str(orthanc.dicom_port),
            DIGITIZER_ARCHIVE__AE_TITLE=orthanc.ae_title,
            DIGITIZER_LISTENER__PORT=str(listener),
        )
        site.import_index(room)
        batch = site.json("ingest", str(room / "scans"), "--wait", "--timeout", "240", codes=(0, 3))
        instances = orthanc.instances()
    truth = json.loads((room / "truth.json").read_text())
    return batch, score(truth, batch), instances


class TestRoomInOrthanc:
    """One run, looked at from several sides."""

    def test_everything_settles_and_nothing_is_lost(self, run_in_orthanc: Any) -> None:
        """Every scan of the room is in the batch, settled."""
        batch, result, _ = run_in_orthanc
        assert batch["settled"]
        assert result.scans_missing == 0
        assert sum(batch["counts"]["scans"].values()) == len(batch["scans"])

    def test_no_film_is_filed_wrongly(self, run_in_orthanc: Any) -> None:
        """Zero wrong patients, zero wrong exams."""
        _, result, _ = run_in_orthanc
        assert result.wrong == []

    def test_legible_films_are_filed_with_no_hand(self, run_in_orthanc: Any) -> None:
        """At least 60 % of films with a full, legible block, in their place and in the index."""
        _, result, _ = run_in_orthanc
        assert result.full_films >= 3
        assert (result.full_fraction or 0.0) >= 0.6

    def test_hazards_end_where_they_should(self, run_in_orthanc: Any) -> None:
        """Misfiled, doubled, broken, blank and foreign: each as its truth says."""
        _, result, _ = run_in_orthanc
        assert [one for one in result.hazards if not one.as_expected] == []
        assert len(result.hazards) >= 8

    def test_what_is_verified_is_in_the_archive_under_its_patient(
        self, run_in_orthanc: Any
    ) -> None:
        """Each verified film is one instance there, with the decided number and accession."""
        batch, _, instances = run_in_orthanc
        kept = {one["SOPInstanceUID"]: one for one in instances}
        films = [f for s in batch["scans"] for f in s["films"] if f["state"] == "verified"]
        assert films
        for film in films:
            (uid,) = film["sop_instance_uids"]
            assert kept[uid]["PatientID"] == film["patient_id"]
            assert kept[uid]["AccessionNumber"] == (film["accession_number"] or "")
            assert kept[uid]["StudyInstanceUID"] == film["study_instance_uid"]
        papers = [uid for s in batch["scans"] for uid in s["sop_instance_uids"]]
        assert len(kept) == len(films) + len(papers)

    def test_orientation_told_is_right(self, run_in_orthanc: Any) -> None:
        """A film is turned rightly or not at all."""
        _, result, _ = run_in_orthanc
        assert result.turn.get("wrong", 0) == 0
        assert result.mirror.get("wrong", 0) == 0
