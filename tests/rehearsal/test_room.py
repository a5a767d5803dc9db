"""A room on disk: the contract's files, the same for a seed, true to its own truth."""

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from site_commands import SiteInProcess

from digitizer.errors import BadScan, UsageError
from digitizer.rehearsal import make_room
from digitizer.rehearsal.plan import HAZARDS, MANY_PICTURES
from digitizer.scan.decoding import FileDecoder


def digest(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(folder: Path) -> dict[str, str]:
    """Return every file of a folder with its hash."""
    return {
        path.relative_to(folder).as_posix(): digest(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


def table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def planted(truth: dict[str, Any], hazard: str) -> list[dict[str, Any]]:
    """Return the scans of a hazard; each room with hazards has one."""
    found = [one for one in truth["scans"] if one["hazard"] == hazard]
    assert found
    return found


class TestSeed:
    def test_the_same_seed_makes_the_same_room(self, tmp_path: Path) -> None:
        """Byte for byte."""
        for name in ("a", "b"):
            make_room(
                tmp_path / name, jackets=1, seed=8, hazards=True, dpi=50, small=True,
                mammograms=False,
            )  # fmt: skip
        assert contents(tmp_path / "a") == contents(tmp_path / "b")

    def test_another_seed_makes_another_room(self, tmp_path: Path) -> None:
        """Names, numbers and pictures differ; the densities of a tablet are what they are."""
        for seed in (8, 9):
            make_room(
                tmp_path / str(seed), jackets=1, seed=seed, dpi=50, small=True, mammograms=False
            )
        for seed in (8, 9):
            for densities in (tmp_path / str(seed) / "calibration").glob("*.csv"):
                densities.unlink()
        one, other = (contents(tmp_path / str(seed)) for seed in (8, 9))
        assert not set(one.values()) & set(other.values())

    def test_progress_is_told_scan_by_scan(self, tmp_path: Path) -> None:
        """Counting up to the number of scans."""
        told: list[tuple[int, int]] = []
        made = make_room(
            tmp_path / "room", jackets=1, seed=8, dpi=50, small=True, mammograms=False,
            on_scan=lambda done, total: told.append((done, total)),
        )  # fmt: skip
        assert told == [(done, made.scans) for done in range(1, made.scans + 1)]


class TestFiles:
    def test_the_room_holds_what_the_contract_names(
        self, room: Path, truth: dict[str, Any]
    ) -> None:
        """Tables, truth, step tablets, and scans/<box>/<jacket>/*, each of which has its truth."""
        assert {path.name for path in room.iterdir()} == {
            "scans", "calibration", "patients.csv", "exams.csv", "jackets.csv", "truth.json",
        }  # fmt: skip
        files = [path for path in (room / "scans").rglob("*") if path.is_file()]
        places = {path.relative_to(room / "scans").as_posix() for path in files}
        assert all(len(place.split("/")) == 3 for place in places)
        assert places == {scan["source"] for scan in truth["scans"]}

    def test_box_and_jacket_are_the_folders(self, truth: dict[str, Any]) -> None:
        """As in jackets.csv."""
        for scan in truth["scans"]:
            assert scan["source"].split("/")[:2] == [scan["box"], scan["jacket"]]

    def test_every_table_imports_without_a_refused_row(self, room: Path, tmp_path: Path) -> None:
        """Through the real commands, into a real ledger."""
        site = SiteInProcess(tmp_path / "data")
        for name in ("patients", "exams", "jackets"):
            told = site.json(name, "import", str(room / f"{name}.csv"))
            assert told["added"] == len(table(room / f"{name}.csv"))
            assert not told["refused"]

    def test_tables_agree_with_each_other(self, room: Path) -> None:
        """Every exam's and every jacket's patient is in the patient index; numbers are unique."""
        patients = [(one["issuer"], one["patient_id"]) for one in table(room / "patients.csv")]
        assert len(set(patients)) == len(patients)
        for name in ("exams", "jackets"):
            for row in table(room / f"{name}.csv"):
                if row["patient_id"]:
                    assert (row["issuer"], row["patient_id"]) in set(patients)

    def test_the_truth_agrees_with_the_tables(self, room: Path, truth: dict[str, Any]) -> None:
        """A film in the index is there under its number, its exam under its accession number."""
        patients = {(one["issuer"], one["patient_id"]) for one in table(room / "patients.csv")}
        exams = {one["accession_number"]: one for one in table(room / "exams.csv")}
        for film in (film for scan in truth["scans"] for film in scan["films"]):
            assert film["in_index"] == ((film["issuer"], film["patient_id"]) in patients)
            if film["accession_number"]:
                row = exams[film["accession_number"]]
                assert row["patient_id"] == film["patient_id"]
                assert row["study_date"] == film["study_date"]

    def test_responses_and_depths_are_all_present(self, tmp_path: Path) -> None:
        """16-bit linear, 12-bit logarithmic, white-is-zero and an 8-bit flatbed."""
        make_room(tmp_path / "room", jackets=8, seed=4, dpi=50, small=True, mammograms=False)
        truth = json.loads((tmp_path / "room" / "truth.json").read_text())
        seen: Counter[str] = Counter()
        for scan in truth["scans"]:
            path = tmp_path / "room" / "scans" / scan["source"]
            if scan["kind"] != "film" or path.suffix != ".tif":
                continue
            name = scan["films"][0]["scanner"]
            seen[name] += 1
            with tifffile.TiffFile(path) as tiff:
                page = tiff.pages[0]
                pixels = page.asarray()
                assert isinstance(page, tifffile.TiffPage)
                white_is_zero = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
            assert pixels.dtype == (np.uint8 if name == "flatbed8" else np.uint16)
            assert white_is_zero == (name == "inverse16")
            assert (pixels.max() <= 4095) == (name in ("log12", "flatbed8"))
        assert set(seen) == {"linear16", "log12", "inverse16", "flatbed8"}


class TestHazards:
    @pytest.mark.parametrize("hazard", [*HAZARDS, MANY_PICTURES])
    def test_every_hazard_is_planted(self, truth: dict[str, Any], hazard: str) -> None:
        """Each at least once."""
        assert planted(truth, hazard)

    def test_a_copy_equals_its_first_byte_for_byte(self, room: Path, truth: dict[str, Any]) -> None:
        """And is named in the truth."""
        for scan in planted(truth, "byte_duplicate"):
            first = room / "scans" / scan["duplicate_of"]
            assert digest(room / "scans" / scan["source"]) == digest(first)
            assert scan["source"] > scan["duplicate_of"]

    def test_the_same_film_twice_is_other_bytes_of_the_same_sheet(
        self, room: Path, truth: dict[str, Any]
    ) -> None:
        """Its identity and block are those of the first scan."""
        for scan in planted(truth, "same_film_twice"):
            (first,) = [one for one in truth["scans"] if one["source"] == scan["same_film_as"]]
            assert digest(room / "scans" / scan["source"]) != digest(
                room / "scans" / first["source"]
            )
            for key in ("patient_id", "accession_number", "block_fields"):
                assert scan["films"][0][key] == first["films"][0][key]

    @pytest.mark.parametrize("hazard", ["truncated", "empty", "garbage"])
    def test_bad_files_are_refused_by_the_decoder(
        self, room: Path, truth: dict[str, Any], hazard: str
    ) -> None:
        """They bear no film, and no decoder of ours takes them."""
        for scan in planted(truth, hazard):
            assert scan["films"] == []
            assert scan["kind"] == "unreadable"
            with pytest.raises(BadScan):
                FileDecoder().decode(room / "scans" / scan["source"], 0)

    def test_a_blank_shows_the_bed_and_no_film(self, room: Path, truth: dict[str, Any]) -> None:
        """Even light from side to side."""
        for scan in planted(truth, "blank"):
            assert scan["films"] == []
            pixels = FileDecoder().decode(room / "scans" / scan["source"], 0).pixels
            soft = cv2.GaussianBlur(np.asarray(pixels, np.float32), (0, 0), 9)
            assert soft.max() - soft.min() < 0.25 * soft.max()

    @pytest.mark.parametrize("hazard", ["misfiled_stranger", "misfiled_sibling", "misfiled_run"])
    def test_a_misfiled_film_is_anothers(self, truth: dict[str, Any], hazard: str) -> None:
        """The jacket's label names another patient than the film."""
        labels = {one["jacket"]: one["label"] for one in truth["scans"] if one["label"]}
        for scan in planted(truth, hazard):
            (film,) = scan["films"]
            assert film["patient_id"] != labels[scan["jacket"]]["patient_id"]
            assert film["in_index"]

    def test_a_siblings_film_bears_the_family_name(self, truth: dict[str, Any]) -> None:
        """The film most easily taken for the owner's."""
        labels = {one["jacket"]: one["label"] for one in truth["scans"] if one["label"]}
        for scan in planted(truth, "misfiled_sibling"):
            block = scan["films"][0]["block_fields"]
            assert block["family_name"] == labels[scan["jacket"]]["family_name"]

    def test_a_run_slipped_by_one_is_of_the_jacket_before(self, truth: dict[str, Any]) -> None:
        """Its owner's label stands on the jacket before, in feeding order."""
        labels = [one["label"] for one in truth["scans"] if one["kind"] == "label"]
        jackets = [one["jacket"] for one in truth["scans"] if one["kind"] == "label"]
        for scan in planted(truth, "misfiled_run"):
            before = labels[jackets.index(scan["jacket"]) - 1]
            assert scan["films"][0]["patient_id"] == before["patient_id"]

    def test_who_is_not_in_the_index_is_not(self, room: Path, truth: dict[str, Any]) -> None:
        """A stranger's film, and a stranger's whole jacket."""
        known = {one["patient_id"] for one in table(room / "patients.csv")}
        for hazard in ("not_in_index", "jacket_not_in_index"):
            for scan in planted(truth, hazard):
                for film in scan["films"]:
                    assert film["patient_id"] not in known
                    assert not film["in_index"]
                    assert film["accession_number"] is None

    def test_two_films_on_a_bed_are_two_in_the_truth(self, truth: dict[str, Any]) -> None:
        """Side by side, not overlapping."""
        for scan in planted(truth, "two_on_bed"):
            left, right = (np.array(film["corners"]) for film in scan["films"])
            assert left[:, 0].max() < right[:, 0].min()

    def test_a_silent_film_is_expected_in_review(self, truth: dict[str, Any]) -> None:
        """Nothing files a film that says nothing."""
        silent = [
            one
            for one in truth["scans"]
            if one["films"] and one["hazard"] is None
            and all(film["evidence"] == "none" for film in one["films"])
        ]  # fmt: skip
        assert silent
        for scan in silent:
            assert scan["expected"] == {"states": ["review"], "reasons": ["film_silent"]}

    def test_a_sheet_of_many_pictures_tells_where_they_are(
        self, room: Path, truth: dict[str, Any]
    ) -> None:
        """All inside their sheet, the last in its jacket, of an exam in the index."""
        exams = {one["accession_number"]: one for one in table(room / "exams.csv")}
        for scan in planted(truth, MANY_PICTURES):
            (film,) = scan["films"]
            tiles, sheet = film["tiles"], np.array(film["corners"])
            assert len(tiles["boxes"]) == len(tiles["shown"]) == tiles["rows"] * tiles["columns"]
            boxes = np.array(tiles["boxes"])
            assert (boxes.min(axis=(0, 1)) >= sheet.min(axis=0)).all()
            assert (boxes.max(axis=(0, 1)) <= sheet.max(axis=0)).all()
            assert exams[film["accession_number"]]["modality"] in ("CT", "MR", "US")
            same = [one["source"] for one in truth["scans"] if one["jacket"] == scan["jacket"]]
            assert scan["source"] == same[-1]


class TestRealFilm:
    def test_the_mammograms_are_in_the_room(self, room: Path, truth: dict[str, Any]) -> None:
        """Two frames of a real film digitizer, of one exam, naming nobody."""
        real = [one for one in truth["scans"] if one["films"] and one["films"][0]["real_film"]]
        assert len(real) == 2
        exams = {one["accession_number"]: one for one in table(room / "exams.csv")}
        for scan in real:
            (film,) = scan["films"]
            assert exams[film["accession_number"]]["body_part"] == "BREAST"
            assert film["evidence"] == "none"
            assert FileDecoder().decode(room / "scans" / scan["source"], 0).bits == 16

    def test_every_real_picture_has_its_licence_named(self) -> None:
        """In the package and beside the samples."""
        root = Path(__file__).resolve().parents[2]
        sources = root / "digitizer" / "rehearsal" / "sources"
        pictures = [path.name for path in sources.iterdir() if path.suffix != ".md"]
        assert len(pictures) >= 16
        for text in (sources / "LICENSES.md", root / "samples" / "LICENSES.md"):
            rows = [line for line in text.read_text("utf-8").splitlines() if "CC BY" in line]
            for name in pictures:
                assert any(f"`{name.partition('-')[0]}-" in row.replace("cbis-ddsm", "cbis")
                           for row in rows)  # fmt: skip


class TestOptions:
    @pytest.mark.parametrize(
        "wrong",
        [{"jackets": 0}, {"wear": 1.5}, {"wear": -0.1}, {"dpi": 20}, {"dpi": 5000}],
    )
    def test_numbers_out_of_range_are_usage(self, tmp_path: Path, wrong: dict[str, Any]) -> None:
        """And nothing is written."""
        with pytest.raises(UsageError):
            make_room(tmp_path / "room", **{"jackets": 1, "seed": 1, **wrong})
        assert not (tmp_path / "room").exists()

    def test_a_folder_in_use_is_usage(self, tmp_path: Path) -> None:
        """Nothing of anybody's is overwritten."""
        (tmp_path / "mine.txt").write_text("mine")
        with pytest.raises(UsageError, match="not an empty folder"):
            make_room(tmp_path, jackets=1, seed=1)

    def test_a_folder_that_cannot_be_made_is_usage(self, tmp_path: Path) -> None:
        """Here its parent is a file."""
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="cannot be written"):
            make_room(tmp_path / "file" / "room", jackets=1, seed=1)
