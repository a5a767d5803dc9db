"""Scoring a batch against the truth: each kind of mistake is counted, each bad file told."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from site_commands import SiteInProcess

from digitizer.errors import UsageError
from digitizer.rehearsal import score

Make = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def batch(truth: dict[str, Any], perfect: Make) -> dict[str, Any]:
    """Return a faultless batch."""
    return perfect(truth)


def filed(batch: dict[str, Any]) -> dict[str, Any]:
    """Return the first film filed by itself that is in the exam index."""
    return next(
        film
        for scan in batch["scans"]
        for film in scan["films"]
        if film["decided_by"] == "auto" and film["accession_number"]
    )


class TestFaultless:
    def test_a_faultless_batch_has_no_fault(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """Nothing missing, wrong, extra or against expectation, and no error of geometry."""
        result = score(truth, batch)
        assert result.wrong == []
        assert (result.scans_missing, result.scans_extra, result.films_extra) == (0, 0, 0)
        assert result.films_found == result.films > 0
        assert result.corner_px["max"] == result.skew_deg["max"] == 0
        assert [one for one in result.hazards if not one.as_expected] == []
        assert result.full_fraction == 1
        assert result.duplicates_linked == result.duplicates >= 1
        assert result.quarantined == result.bad_files >= 3

    def test_folders_before_the_sources_do_not_matter(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """A batch taken in from one folder higher up scores the same."""
        before = score(truth, batch).to_dict()
        for scan in batch["scans"]:
            scan["source"] = "scans/" + scan["source"]
        assert score(truth, batch).to_dict() == before

    def test_the_printed_form_begins_with_what_matters(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """The first line says whether a film was filed wrongly."""
        assert str(score(truth, batch)).startswith("No film was filed wrongly.")
        filed(batch)["patient_id"] = "0000000"
        assert str(score(truth, batch)).startswith("1 FILM WAS FILED WRONGLY.")


class TestMistakes:
    def test_a_wrong_patient_is_counted(self, truth: dict[str, Any], batch: dict[str, Any]) -> None:
        """A film filed by itself to another patient."""
        filed(batch)["patient_id"] = "0000000"
        result = score(truth, batch)
        assert sum(one.wrong_patient for one in result.evidence.values()) == 1
        assert "wrong patient" in result.wrong[0]

    def test_the_number_of_another_issuer_is_a_wrong_patient(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """The issuer belongs to the number."""
        filed(batch)["issuer"] = "ELSEWHERE"
        assert "wrong patient" in score(truth, batch).wrong[0]

    def test_a_wrong_exam_is_counted(self, truth: dict[str, Any], batch: dict[str, Any]) -> None:
        """A film filed by itself to another exam of its patient."""
        filed(batch)["accession_number"] = "X00-00000"
        result = score(truth, batch)
        assert sum(one.wrong_exam for one in result.evidence.values()) == 1
        assert "wrong exam" in result.wrong[0]

    def test_a_wrong_decision_counts_while_the_film_waits(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """An archive that is down does not make a wrong decision right."""
        film = filed(batch)
        film["patient_id"], film["state"] = "0000000", "waiting"
        assert len(score(truth, batch).wrong) == 1

    def test_a_persons_mistake_is_told_apart(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """What a reviewer filed wrongly is wrong, and named as theirs."""
        film = filed(batch)
        film["patient_id"], film["decided_by"] = "0000000", "ann"
        result = score(truth, batch)
        assert sum(one.by_hand_wrong for one in result.evidence.values()) == 1
        assert sum(one.wrong_patient for one in result.evidence.values()) == 0
        assert "(by ann)" in result.wrong[0]

    def test_a_missing_scan_is_counted(self, truth: dict[str, Any], batch: dict[str, Any]) -> None:
        """A scan of the room that the batch does not have."""
        batch["scans"].pop()
        assert score(truth, batch).scans_missing == 1

    def test_a_missing_hazard_is_not_as_expected(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """A planted scan that got lost is a complaint."""
        empty = next(one for one in truth["scans"] if one["hazard"] == "empty")
        batch["scans"] = [one for one in batch["scans"] if one["source"] != empty["source"]]
        (complaint,) = [one for one in score(truth, batch).hazards if not one.as_expected]
        assert complaint.hazard == "empty"

    def test_a_scan_of_elsewhere_is_counted(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """A scan of the batch that is not of the room."""
        batch["scans"].append({**batch["scans"][0], "source": "OTHER/X/1.tif"})
        assert score(truth, batch).scans_extra == 1

    def test_a_film_that_is_none_is_counted(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """A second film found where one lies; filed, it is wrong."""
        scan = next(one for one in batch["scans"] if filed(batch) in one["films"])
        scan["films"].append({**filed(batch), "corners": [[9000, 9000]] * 4})
        result = score(truth, batch)
        assert result.films_extra == 1
        assert result.films_found == result.films
        assert "no film" in result.wrong[0]

    def test_a_film_not_found_is_counted(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """A film of the truth that the batch does not have."""
        next(one for one in batch["scans"] if one["films"])["films"].pop()
        result = score(truth, batch)
        assert result.films_found == result.films - 1

    def test_a_wrong_turn_is_counted(self, truth: dict[str, Any], batch: dict[str, Any]) -> None:
        """A film told to lie on another side."""
        film = filed(batch)
        film["turn_deg"] = (film["turn_deg"] + 90) % 360
        result = score(truth, batch)
        assert result.turn["wrong"] == 1

    def test_a_wrong_turn_is_no_error_of_the_corners(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """Corners listed from another side of a film are compared by place."""
        film = filed(batch)
        film["turn_deg"] = (film["turn_deg"] + 90) % 360
        film["corners"] = film["corners"][1:] + film["corners"][:1]
        assert score(truth, batch).corner_px["max"] == 0

    def test_a_turn_not_told_is_counted_apart(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """Null is neither right nor wrong."""
        filed(batch)["turn_deg"] = None
        filed(batch)["mirrored"] = None
        result = score(truth, batch)
        assert result.turn["abstained"] == result.mirror["abstained"] == 1
        assert "wrong" not in result.turn

    def test_a_corner_off_is_measured(self, truth: dict[str, Any], batch: dict[str, Any]) -> None:
        """A corner 3 px right and 4 px down of its place is 5 px off; in mm by the room's dpi."""
        film = filed(batch)
        (x, y), *others = film["corners"]
        film["corners"] = [[x + 3, y + 4], *others]
        result = score(truth, batch)
        assert result.corner_px["max"] == pytest.approx(5)
        assert result.corner_mm["max"] == pytest.approx(5 * 25.4 / truth["dpi"], abs=1e-3)

    def test_an_unlinked_duplicate_is_counted(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """A copy that ends as duplicate without a link to its first."""
        next(one for one in batch["scans"] if one["duplicate_of"])["duplicate_of"] = None
        result = score(truth, batch)
        assert result.duplicates_linked == result.duplicates - 1
        assert [one.complaint for one in result.hazards if not one.as_expected] == [
            "should link to its first"
        ]

    def test_a_wrong_kind_is_counted(self, truth: dict[str, Any], batch: dict[str, Any]) -> None:
        """A label taken for a document."""
        next(one for one in batch["scans"] if one["kind"] == "label")["kind"] = "document"
        assert score(truth, batch).kinds["label"]["document"] == 1

    def test_a_misfiled_film_that_was_filed_is_a_complaint(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """Misfiled films are for a person to see, even where filed rightly."""
        true = next(one for one in truth["scans"] if one["hazard"] == "misfiled_stranger")
        scan = next(one for one in batch["scans"] if one["source"] == true["source"])
        scan["state"] = scan["films"][0]["state"] = "verified"
        (complaint,) = [one for one in score(truth, batch).hazards if not one.as_expected]
        assert complaint.complaint == "should be review"


class TestBadDocuments:
    @pytest.mark.parametrize(
        ("spoil", "told"),
        [
            (lambda one: one.pop("scans"), "no 'scans'"),
            (lambda one: one["scans"].insert(0, 7), "scan 1 is no JSON object"),
            (lambda one: one["scans"][1].pop("state"), "scan 2 has no 'state'"),
            (lambda one: one["scans"][0].update(films=None), "'films' that cannot be right"),
            (lambda one: one["scans"][0].update(reasons=["blank"]), "'reasons'"),
            (lambda one: filed(one).update(corners=[[1, 2]]), "'corners' that cannot be right"),
            (lambda one: filed(one).update(skew_deg=math.nan), "'skew_deg'"),
            (lambda one: filed(one).update(decided_by=True), "'decided_by'"),
        ],
    )
    def test_a_batch_of_the_wrong_shape_is_told_in_one_line(
        self,
        truth: dict[str, Any],
        batch: dict[str, Any],
        spoil: Callable[[dict[str, Any]], Any],
        told: str,
    ) -> None:
        """The place and the key are named."""
        spoil(batch)
        with pytest.raises(UsageError) as error:
            score(truth, batch)
        assert told in str(error.value)
        assert "\n" not in str(error.value)

    def test_the_two_documents_the_wrong_way_round_are_told(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """Batch and truth swapped."""
        with pytest.raises(UsageError, match="wrong way round"):
            score(batch, truth)

    def test_a_truth_without_its_resolution_is_told(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """Millimetres need it."""
        truth["dpi"] = 0
        with pytest.raises(UsageError, match="'dpi'"):
            score(truth, batch)

    def test_a_batch_of_another_room_is_told(
        self, truth: dict[str, Any], batch: dict[str, Any]
    ) -> None:
        """Not one source in common."""
        for number, scan in enumerate(batch["scans"]):
            scan["source"] = f"elsewhere/{number}.tif"
        with pytest.raises(UsageError, match="None of the batch's scans"):
            score(truth, batch)

    def test_the_command_answers_bad_files_with_usage(
        self, room: Path, tmp_path: Path, batch: dict[str, Any]
    ) -> None:
        """Exit code 2, one line, no traceback."""
        report = tmp_path / "batch.json"
        del batch["scans"][0]["state"]
        report.write_text(json.dumps(batch))
        done = SiteInProcess(tmp_path / "data").run(
            "rehearse", "--score", str(room / "truth.json"), str(report)
        )
        assert done.returncode == 2
        assert "no 'state'" in done.stderr
        assert "Traceback" not in done.stderr
