"""The made-up old archive is what its truth says it is."""

import hashlib
import json
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from pycdlib import PyCdlib
from pydicom import dcmread

from digitizer.rehearsal.old import MadeArchive, make_archive


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeArchive:
    return make_archive(tmp_path_factory.mktemp("made") / "old", studies=45, seed=11)


def test_the_truth_is_told(made: MadeArchive) -> None:
    """Every instance is there, under the UIDs and with the pixels that the truth names."""
    truth = json.loads((made.out / "truth.json").read_text())
    assert len(truth["studies"]) == 45
    for one in truth["files"]:
        path = made.out / one["path"]
        assert path.exists() is (one["fault"] != "missing")
        if one["fault"] in ("", "duplicate", "collision"):
            dataset = dcmread(BytesIO(path.read_bytes()))
            assert str(dataset.SOPInstanceUID) == one["sop_instance"]
            assert str(dataset.StudyInstanceUID) == one["study"]
            assert str(dataset.file_meta.TransferSyntaxUID) == one["syntax"]
            data = dataset.get("PixelData")
            assert one["pixels"] == (hashlib.sha256(data).hexdigest() if data else "")
    pixels = Counter(one["pixels"] for one in truth["files"] if one["fault"] == "")
    del pixels[""]
    assert max(pixels.values()) == 1


def test_every_fault_of_files_is_there(made: MadeArchive) -> None:
    """Discs and the storage folder hold what goes wrong with files."""
    faults = {(one["place"], one["fault"]) for one in made.files}
    for place in ("discs", "storage"):
        for fault in ("truncated", "no_preamble", "duplicate", "collision", "junk"):
            assert (place, fault) in faults
    assert ("discs", "missing") in faults


def test_the_image_holds_the_disc(made: MadeArchive) -> None:
    """The ISO image holds the files of the first disc, as they were before any was spoilt."""
    iso = PyCdlib()
    iso.open(str(made.out / "disc.iso"))
    names = {path for path, _, files in iso.walk(joliet_path="/") for path in files}
    iso.close()
    disc = {path.name for path in (made.out / "discs" / "DISC001").rglob("*") if path.is_file()}
    assert len(names & disc) > 3


def test_the_same_seed_makes_the_same(made: MadeArchive, tmp_path: Path) -> None:
    """One seed, one archive: byte for byte in the files of the old PACS."""
    again = make_archive(tmp_path / "again", studies=3, seed=11)
    other = make_archive(tmp_path / "other", studies=3, seed=11)
    assert again.studies == other.studies
    files = [path.read_bytes() for path in again.paths("pacs")]
    assert files == [path.read_bytes() for path in other.paths("pacs")]
