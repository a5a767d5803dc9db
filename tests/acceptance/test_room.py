"""A rehearsal room against a real archive: what is filed is right, hazards end as they should.

One run is looked at from several sides; then a person decides what was left for one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from orthanc_server import Orthanc, free_port
from site_commands import Site

from digitizer.rehearsal import Score, score


@dataclass
class Run:
    """A room taken in: the site, its archive, the batch as it settled first, its truth."""

    site: Site
    orthanc: Orthanc
    room: Path
    batch: dict[str, Any]
    truth: dict[str, Any]

    @property
    def score(self) -> Score:
        return score(self.truth, self.batch)

    def again(self) -> dict[str, Any]:
        """Run the same ingest again: what was decided meanwhile goes on to the archive."""
        return self.site.json(*self.command(), codes=(0, 3))

    def command(self) -> tuple[str, ...]:
        return ("ingest", str(self.room / "scans"), "--wait", "--timeout", "240")

    def film(self, film_id: str, batch: dict[str, Any]) -> dict[str, Any]:
        (found,) = [f for s in batch["scans"] for f in s["films"] if f["id"] == film_id]
        return found

    def films_held_for(self, code: str) -> list[dict[str, Any]]:
        """Return the films in review for a reason, as the truth says whose they are."""
        true = {scan["source"]: scan for scan in self.truth["scans"]}
        return [
            {**film, "true": true[scan["source"]]["films"]}
            for scan in self.batch["scans"]
            for film in scan["films"]
            if film["state"] == "review" and code in [one["code"] for one in film["reasons"]]
        ]


@pytest.fixture(scope="module")
def run(room: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Take the room in, into Orthanc."""
    folder = tmp_path_factory.mktemp("orthanc")
    listener = free_port()
    with Orthanc(folder / "orthanc", listener, "DIGITIZER") as orthanc:
        site = Site(
            folder / "data",
            DIGITIZER_ARCHIVE__HOST=orthanc.host,
            DIGITIZER_ARCHIVE__PORT=str(orthanc.dicom_port),
            DIGITIZER_ARCHIVE__AE_TITLE=orthanc.ae_title,
            DIGITIZER_LISTENER__PORT=str(listener),
            DIGITIZER_PIPELINE__UNDO_WINDOW_S="0",
        )
        site.here.import_index(room)
        taken = Run(site, orthanc, room, {}, json.loads((room / "truth.json").read_text()))
        taken.batch = taken.again()
        yield taken


class TestRoomInOrthanc:
    """What the machine did alone."""

    def test_everything_settles_and_nothing_is_lost(self, run: Run) -> None:
        """Every scan of the room is in the batch, settled."""
        assert run.batch["settled"]
        assert run.score.scans_missing == 0
        assert sum(run.batch["counts"]["scans"].values()) == len(run.batch["scans"])

    def test_no_film_is_filed_wrongly(self, run: Run) -> None:
        """Zero wrong patients, zero wrong exams."""
        assert run.score.wrong == []

    def test_legible_films_are_filed_with_no_hand(self, run: Run) -> None:
        """At least 60 % of films with a full, legible block, in their place and in the index."""
        assert run.score.full_films >= 3
        assert (run.score.full_fraction or 0.0) >= 0.6

    def test_hazards_end_where_they_should(self, run: Run) -> None:
        """Misfiled, doubled, broken, blank and foreign: each as its truth says."""
        assert [one for one in run.score.hazards if not one.as_expected] == []
        assert len(run.score.hazards) >= 8

    def test_what_is_verified_is_in_the_archive_under_its_patient(self, run: Run) -> None:
        """Each verified film is one instance there, with the decided number and accession."""
        kept = {one["SOPInstanceUID"]: one for one in run.orthanc.instances()}
        films = [f for s in run.batch["scans"] for f in s["films"] if f["state"] == "verified"]
        assert films
        for film in films:
            (uid,) = film["sop_instance_uids"]
            assert kept[uid]["PatientID"] == film["patient_id"]
            assert kept[uid]["AccessionNumber"] == (film["accession_number"] or "")
            assert kept[uid]["StudyInstanceUID"] == film["study_instance_uid"]
        papers = [uid for s in run.batch["scans"] for uid in s["sop_instance_uids"]]
        assert len(kept) == len(films) + len(papers)

    def test_orientation_told_is_right(self, run: Run) -> None:
        """A film is turned rightly or not at all."""
        assert run.score.turn.get("wrong", 0) == 0
        assert run.score.mirror.get("wrong", 0) == 0


class TestReview:
    """What people decide, in the order in which they would."""

    def test_the_list_names_every_held_scan_and_film(self, run: Run) -> None:
        """The most doubtful first, each with its reason in words."""
        listed = run.site.here.json("review", "list")
        held = [f["id"] for s in run.batch["scans"] for f in s["films"] if f["state"] == "review"]
        assert set(held) <= {one["id"] for one in listed}
        assert all(one["reasons"] for one in listed)
        doubts = [one["posterior"] or 0.0 for one in listed]
        assert doubts == sorted(doubts)

    def test_a_film_is_shown_with_its_evidence(self, run: Run) -> None:
        """What was read, the crops to look at, what happened so far."""
        film = run.films_held_for("film_contradicts_jacket")[0]
        shown = run.site.here.json("review", "show", film["id"])
        assert shown["lines"]
        assert [Path(crop).is_file() for crop in shown["crops"]] == [True] * len(shown["crops"])
        assert shown["crops"]
        assert {"found", "read", "review"} <= {one["name"] for one in shown["events"]}

    def test_a_film_taken_on_is_nobody_elses(self, run: Run) -> None:
        """Others may not decide it until it is released."""
        film = run.films_held_for("film_contradicts_jacket")[0]["id"]
        assert run.site.here.run("review", "assign", film, "--as", "ann").returncode == 0
        refused = run.site.here.run("review", "accept", film, "--as", "bob")
        assert (refused.returncode, "is with ann" in refused.stderr) == (2, True)
        assert run.site.here.run("review", "release", film, "--as", "bob").returncode == 0

    def test_a_film_on_hold_waits_until_it_is_released(self, run: Run) -> None:
        """Held with a reason, it cannot be accepted; released, it has its old reasons."""
        film = run.films_held_for("film_contradicts_jacket")[0]["id"]
        before = run.site.here.json("review", "show", film)["reasons"]
        words = ("review", "hold", film, "--as", "ann", "--reason", "ask the ward")
        assert run.site.here.run(*words).returncode == 0
        assert run.site.here.run("review", "accept", film, "--as", "ann").returncode == 2
        assert run.site.here.run("review", "release", film, "--as", "ann").returncode == 0
        assert run.site.here.json("review", "show", film)["reasons"] == before

    def test_a_patient_must_be_in_the_index(self, run: Run) -> None:
        """A number that nobody has is refused, and nothing changes."""
        film = run.films_held_for("film_contradicts_jacket")[0]["id"]
        refused = run.site.here.run("review", "accept", film, "--as", "ann", "--patient", "0000")
        assert refused.returncode == 2
        assert run.site.here.json("review", "show", film)["state"] == "review"

    def test_what_a_person_decides_is_filed_so(self, run: Run) -> None:
        """A misfiled film accepted for its true patient and exam is verified there, by name."""
        film = next(
            film
            for film in run.films_held_for("film_contradicts_jacket")
            if film["true"][0]["in_index"] and film["true"][0]["accession_number"]
        )
        (true,) = film["true"]
        whose = f"{true['issuer']}:{true['patient_id']}"
        words = ("--patient", whose, "--accession", true["accession_number"])
        done = run.site.here.run("review", "accept", film["id"], "--as", "ann", *words)
        assert done.returncode == 0, done.stderr
        filed = run.film(film["id"], run.again())
        assert (filed["state"], filed["decided_by"]) == ("verified", "ann")
        kept = {one["SOPInstanceUID"]: one for one in run.orthanc.instances()}
        assert kept[filed["sop_instance_uids"][0]]["PatientID"] == true["patient_id"]
        assert run.site.here.run("review", "accept", film["id"], "--as", "ann").returncode == 2

    def test_what_is_rejected_ends(self, run: Run) -> None:
        """A film and a blank scan, rejected for a reason, are settled and kept."""
        film = run.films_held_for("same_film_suspected")[0]["id"]
        (blank,) = [s["id"] for s in run.batch["scans"] if s["kind"] == "blank"]
        for one in (film, blank):
            words = ("review", "reject", one, "--as", "ann", "--reason", "scanned twice")
            assert run.site.here.run(*words).returncode == 0
        batch = run.site.here.json("batch", "show", "scans")
        assert run.film(film, batch)["state"] == "rejected"
        assert [s["state"] for s in batch["scans"] if s["id"] == blank] == ["rejected"]

    def test_what_is_verified_is_found_so_again(self, run: Run) -> None:
        """Read back once more, nothing differs."""
        looked = run.site.json("verify", "--batch", "scans")
        assert looked["checked"] > 0
        assert looked["differing"] == {}

    def test_the_batch_is_exported_row_by_row(self, run: Run) -> None:
        """One row a film, and one for each scan without."""
        batch = run.site.here.json("batch", "show", "scans")
        rows = run.site.here.run("export", "scans", "--csv").stdout.splitlines()
        assert len(rows) == 1 + sum(max(1, len(scan["films"])) for scan in batch["scans"])
