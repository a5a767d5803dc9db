"""A folder of pictures with its index file: whose each is, wrapped as it is, sent, read back."""

import csv
import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2 as pdfium
import pytest
import tifffile
from jackets import an_exam, somebody
from numpy.typing import NDArray
from old_town import OldSite, an_index
from PIL import Image
from pydicom import Dataset, dcmread

from digitizer import dicom, reading
from digitizer.cli.older_pictures import picture_options
from digitizer.cli.older_words import plan_words
from digitizer.errors import UsageError
from digitizer.identity import match_lines
from digitizer.index.csv import read_exams, read_patients
from digitizer.ledger import SqlPatientIndex
from digitizer.model.older import OldInstance, OldStudy, Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.pipeline.older import lists, reconcile, rejecting, review
from digitizer.pipeline.older.giving_up import give_up
from digitizer.pipeline.older.made import adopt
from digitizer.pipeline.older.originals import original
from digitizer.pipeline.older.picture_plan import readings_of_rows
from digitizer.pipeline.older.picture_stock import stock_pictures
from digitizer.pipeline.older.plan import plan_source
from digitizer.pipeline.older.printed import printed_source
from digitizer.pipeline.older.review import Collisions
from digitizer.pipeline.older.sources import add_source, stock_again
from digitizer.pipeline.services import Services

MAPPING = """
[index]
resolution = "file"
[columns]
file = "Datei"
page = "Seite"
patient_id = "PatNr"
family_name = "Nachname"
given_name = "Vorname"
birth_date = "GebDat"
sex = "Geschlecht"
accession_number = "Auftrag"
study_date = "Datum"
description = "Text"
body_part = "Organ"
laterality = "Seite L/R"
[constants]
issuer = "GEN"
modality = "CR"
[dates]
birth_date = "%d.%m.%Y"
study_date = "%d.%m.%Y"
[values.sex]
w = "F"
m = "M"
"""
HEADER = ["Datei", "Seite", "PatNr", "Nachname", "Vorname", "GebDat", "Geschlecht",
          "Auftrag", "Datum", "Text", "Organ", "Seite L/R"]  # fmt: skip
ANNA = ["1000001", "ÄHRENFELD", "ANNA", "02.03.1950", "w"]
BELA = ["1000002", "BRANDT", "BELA", "04.05.1960", "m"]
CARL = ["1000003", "CONRADI", "CARL", "06.07.1970", "m"]
INDEX_STUDY = "1.2.826.0.1.3680043.8.498.77"


def noise(*shape: int, dtype: Any = np.uint8, seed: int = 0) -> NDArray[Any]:
    top = np.iinfo(dtype).max + 1
    return np.random.default_rng(seed).integers(0, top, shape).astype(dtype)


def text_of(report: bytes) -> str:
    """Return what a printed report says, its lines joined."""
    pages = pdfium.PdfDocument(report)
    text = " ".join(page.get_textpage().get_text_bounded() for page in pages)
    return " ".join(text.split())


@dataclass
class Room:
    """A folder of pictures, a place of work, and an archive that runs."""

    folder: Path
    site: OldSite
    kept: Path

    def write_index(self, *rows: list[str]) -> None:
        with (self.folder / "index.csv").open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream, delimiter=";")
            writer.writerows([HEADER, *rows])

    @property
    def services(self) -> Services:
        return self.site.services

    def run(self) -> None:
        """Do what is due until nothing of it is left or under way."""
        self.site.work(self.source)

    @property
    def source(self) -> Source:
        with self.services.ledger.reading() as view:
            found = view.old_source_named("export")
        assert found is not None
        return found

    def row(self, place: str) -> OldInstance:
        with self.services.ledger.reading() as view:
            (found,) = view.old_instances_at(self.source.id, [place])
        return found

    def study(self, place: str) -> OldStudy:
        with self.services.ledger.reading() as view:
            return view.get(OldStudy, self.row(place).study_id)

    def archived(self, place: str) -> tuple[Dataset, Path]:
        """Return what the archive holds of a picture."""
        (path,) = self.kept.rglob(f"{self.row(place).outgoing_uid}.dcm")
        return dcmread(path), path

    def document(self) -> dict[str, Any]:
        with self.services.ledger.reading() as view:
            return reconcile.source_json(view, self.source)

    def listed(self, name: str) -> dict[str, str]:
        return {one.place: one.note for one in lists.listed(self.services, self.source, name)}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Return a place of work with an index, an archive, and an empty folder."""
    folder = tmp_path_factory.mktemp("room")
    (folder / "export").mkdir()
    (folder / "export" / "fields.toml").write_text(MAPPING)
    with OldSite.at(folder) as site:
        _fill_index(site.services)
        yield Room(folder / "export", site, folder / "archive")


def _fill_index(services: Services) -> None:
    index = an_index(services)
    people = [
        somebody("1000001", "ÄHRENFELD^ANNA", "1950-03-02"),
        somebody("1000002", "BRANDT^BELA", "1960-05-04", sex="M"),
        somebody("1000003", "CONRADI^CARL", "1970-07-06", sex="M"),
    ]
    assert not index.import_patients(people).refused
    exams = [
        an_exam("A1", "1000001", "2001-02-03", "CHEST", None),
        an_exam("B1", "1000002", "2002-03-04", "HAND", None),
    ]
    assert not index.import_exams(exams).refused


DEEP = noise(60, 50, dtype=np.uint16, seed=1)
PAGES = [
    noise(40, 30, dtype=np.uint16, seed=2) & 4095,
    noise(40, 30, dtype=np.uint16, seed=3) & 4095,
]
BITS = noise(40, 33, seed=4) > 127
COLOUR = noise(30, 20, 3, seed=5)
TURNED = noise(30, 20, seed=6)


def write_pictures(folder: Path) -> None:
    (folder / "Box 1").mkdir()
    tifffile.imwrite(
        folder / "Box 1" / "Deep.TIF", DEEP, resolution=(254, 127), resolutionunit="INCH",
        photometric="miniswhite", compression="zlib",
    )  # fmt: skip
    with tifffile.TiffWriter(folder / "pages.tif") as file:
        for page in PAGES:
            file.write(page, photometric="minisblack", extratags=[(281, 3, 1, 4095, True)])
    tifffile.imwrite(folder / "bits.tif", BITS, photometric="minisblack")
    Image.fromarray(COLOUR).save(folder / "colour.png")
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(TURNED).save(folder / "turned.jpg", quality=95, exif=exif)
    document = pdfium.PdfDocument.new()
    document.new_page(200, 100)
    document.save(folder / "report.pdf")
    Image.fromarray(noise(20, 20, seed=7)).save(folder / "differs.png")
    whole = (folder / "Box 1" / "Deep.TIF").read_bytes()
    (folder / "cut.tif").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(noise(20, 20, seed=8)).save(folder / "nobody's.png")
    Image.fromarray(noise(20, 20, 4, seed=12), "CMYK").save(folder / "inks.jpg")
    (folder / "text.doc").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(200))
    for name in ("twice.png", "twice again.png"):
        Image.fromarray(noise(20, 20, seed=9)).save(folder / name)
    for name in ("mine.png", "thine.png"):
        Image.fromarray(noise(20, 20, seed=10)).save(folder / name)
    Image.fromarray(noise(20, 20, seed=11)).save(folder / "formula.png")


ROWS = [
    ["box 1\\DEEP.tif", "", *ANNA, "A1", "03.02.2001", "Thorax", "CHEST", ""],
    ["pages.tif", "1", *ANNA, "A1", "", "Thorax", "CHEST", ""],
    ["pages.tif", "2", *BELA, "B1", "04.03.2002", "Hand links", "HAND", "left"],
    ["pages.tif", "3", *BELA, "B1", "04.03.2002", "Hand links", "HAND", "L"],
    ["./bits.tif", "", *BELA, "", "04.03.2002", "", "HAND", "R"],
    ["colour.png", "", *CARL, "", "05.06.2003", "Foto", "", ""],
    ["turned.jpg", "", *CARL, "", "05.06.2003", "Foto", "", ""],
    ["report.pdf", "", *ANNA, "A1", "03.02.2001", "Befund", "", ""],
    ["differs.png", "", *CARL[:3], "07.07.1970", "m", "", "05.06.2003", "Foto", "", ""],
    ["cut.tif", "", *CARL, "", "05.06.2003", "", "", ""],
    ["twice.png", "", *CARL, "", "05.06.2003", "Foto", "", ""],
    ["twice again.png", "", *CARL, "", "05.06.2003", "Foto", "", ""],
    ["inks.jpg", "", *CARL, "", "05.06.2003", "Foto", "", ""],
    ["text.doc", "", *CARL, "", "05.06.2003", "Foto", "", ""],
    ["mine.png", "", *CARL, "", "07.08.2004", "Foto", "", ""],
    ["thine.png", "", *ANNA, "", "07.08.2004", "Foto", "", ""],
    ["gone/away.tif", "", *CARL, "", "05.06.2003", "", "", ""],
    ["../data/ledger.sqlite", "", *CARL, "", "05.06.2003", "", "", ""],
    ["formula.png", "", '=HYPERLINK("x")', *CARL[1:], "", "05.06.2003", "", "", ""],
    ["colour.png", "", *CARL[:3], "31.02.1970", "m", "", "05.06.2003", "", "", ""],
]


@pytest.fixture(scope="module")
def planned(bench: Room) -> dict[str, Any]:
    """Return what is shown before anything is read or sent."""
    write_pictures(bench.folder)
    bench.write_index(*ROWS)
    add_source(
        bench.services,
        "export",
        SourceKind.PICTURES,
        str(bench.folder),
        user="kay",
        options={
            "index": str(bench.folder / "index.csv"),
            "mapping": str(bench.folder / "fields.toml"),
        },
    )
    found = plan_source(bench.services, bench.source, every=True)
    assert plan_words(found)
    with bench.services.ledger.reading() as view:
        assert not view.old_studies()
    index: dict[str, Any] = found["index"]
    return index


@pytest.fixture(scope="module")
def room(bench: Room, planned: dict[str, Any]) -> Room:
    """Return the place of work after all of a folder was brought over."""
    assert planned["rows"] > 0
    bench.run()
    return bench


def test_what_is_planned_is_what_is_decided(room: Room, planned: dict[str, Any]) -> None:
    """The dry run names every exam's patient and every row and file that is left over."""
    told = {one["file"]: one for one in planned["decisions"]}
    assert planned["films"] == 0
    assert planned["by_itself"] == 7
    assert planned["review"] == {"header_differs": 1}
    assert (told["bits.tif"]["outcome"], told["bits.tif"]["accession_number"]) == ("auto", "B1")
    differs = told["differs.png"]
    assert (differs["outcome"], differs["patient_id"]) == ("review", "1000003")
    assert [one["line"] for one in planned["rows_refused"]] == [19, 20, 21]
    assert [one["file"] for one in planned["files_missing"]] == ["gone/away.tif"]
    assert planned["files_without_row"] == ["formula.png", "nobody's.png"]
    for place in room.listed("verified"):
        exam = told.get(place)
        if exam is not None:
            decision = room.study(place).decision
            assert decision is not None
            assert decision.patient.patient_id == exam["patient_id"]


def test_rows_are_decided_alike_by_match(room: Room, planned: dict[str, Any]) -> None:
    """The rows as lines that `digitizer match` takes come to what is planned and done."""
    services = room.services
    lines = [
        json.dumps({"id": row.place, "header": asdict(header), "issuer": room.source.issuer})
        for row, header in readings_of_rows(services, room.source)
    ]

    def testify(*words: Any) -> Any:
        return reading.testimony_of_lines(*words, services.rules)

    answers = match_lines(lines, testify, services.index, services.policy)
    matched = {one["id"]: one for one in answers}
    told = {one["file"]: one for one in planned["decisions"]}
    assert len(told) == 8
    for place, exam in told.items():
        one = matched[place]
        assert (one["outcome"], one["reasons"]) == (exam["outcome"], exam["reasons"])
        if one["outcome"] == "auto":
            assert (one["patient_id"], one["accession_number"]) == (
                exam["patient_id"], exam["accession_number"],
            )  # fmt: skip


def test_everything_is_accounted_for(room: Room) -> None:
    """Files without a row, rows without a file and bad rows are named; the rest is verified."""
    told = room.document()
    assert told["balanced"]
    assert told["settled"]
    assert told["refused"] == {
        "duplicate": 1, "no_instance": 2, "no_row": 2, "truncated_file": 1,
        "unsupported_format": 2,
    }  # fmt: skip
    assert set(room.listed("missing")) == {"gone/away.tif", "pages.tif//3"}
    refused = room.listed("rows_refused")
    assert list(refused) == ["index//19", "index//20", "index//21"]
    assert "leads out of the folder" in refused["index//19"]
    assert "patient_id holds a formula" in refused["index//20"]
    assert "birth_date is no date" in refused["index//21"]
    assert told["rows_refused"] == 3
    text = text_of(printed_source(room.services, room.source, by="kay"))
    for words in ("May not be released", "rows of the index file that cannot be taken: 3",
                  "pictures without a row of the index file: 2", "index//20"):  # fmt: skip
        assert words in text
    assert told["verified"] == 8
    assert set(room.listed("verified")) == {
        "Box 1/Deep.TIF", "pages.tif//1", "pages.tif//2", "bits.tif", "colour.png", "turned.jpg",
        "report.pdf", "twice again.png",
    }  # fmt: skip
    codes = {place: room.row(place).code for place in ("nobody's.png", "cut.tif")}
    assert codes == {"nobody's.png": Code.NO_ROW, "cut.tif": Code.TRUNCATED_FILE}


def test_nobody_is_filed_where_the_row_and_the_index_differ(room: Room) -> None:
    """A wrong birth date, and two rows that claim one picture for two patients, are asked about."""
    (why,) = room.study("differs.png").reasons
    assert why.code is Code.HEADER_DIFFERS
    for place in ("mine.png", "thine.png"):
        assert room.row(place).state is State.REVIEW
        assert room.study(place).state is State.REVIEW
        assert room.study(place).reasons[0].code is Code.UID_COLLISION


def test_a_person_settles_what_is_asked(room: Room) -> None:
    """Accepted, pictures go under the patient chosen; what is left out stays listed."""
    services = room.services
    mine, thine = room.study("mine.png"), room.study("thine.png")
    review.accept(
        services, mine.id, user="kay", patient_id="GEN:1000003", collisions=Collisions.NEW_UID
    )
    with pytest.raises(UsageError, match="cannot go as they are"):
        review.accept(services, thine.id, user="kay", patient_id="GEN:1000001")
    rejecting.reject(services, thine.id, user="kay", why="It is Carl's.")
    room.run()
    held, _ = room.archived("mine.png")
    assert (held.PatientID, held.StudyDate) == ("1000003", "20040807")
    assert held.SOPInstanceUID == room.row("mine.png").sent_uid
    assert room.row("mine.png").state is State.VERIFIED
    assert room.row("thine.png").state is State.REJECTED
    assert room.document()["balanced"]


def test_values_are_those_of_the_file(room: Room) -> None:
    """Depth, polarity and every value are kept; a turned picture is turned, and says so."""
    turned = np.rot90(np.asarray(Image.open(room.folder / "turned.jpg")), -1)
    meant = {
        "Box 1/Deep.TIF": (DEEP, "MONOCHROME1", 16),
        "pages.tif//1": (PAGES[0], "MONOCHROME2", 12),
        "pages.tif//2": (PAGES[1], "MONOCHROME2", 12),
        "bits.tif": (BITS.astype(np.uint8) * 255, "MONOCHROME2", 8),
        "colour.png": (COLOUR, "RGB", 8),
        "turned.jpg": (turned, "MONOCHROME2", 8),
    }
    for place, (pixels, polarity, bits) in meant.items():
        held, _ = room.archived(place)
        assert np.array_equal(held.pixel_array, pixels), place
        assert (held.PhotometricInterpretation, held.BitsStored) == (polarity, bits)
        assert (held.BurnedInAnnotation, held.ConversionType) == ("YES", "DI")
        original = (room.folder / place.partition("//")[0]).read_bytes()
        assert hashlib.sha256(original).hexdigest() in held.DerivationDescription
        kept = room.services.vault.path(hashlib.sha256(original).hexdigest())
        assert kept.read_bytes() == original
    held, _ = room.archived("turned.jpg")
    assert "Orientation 6" in held.DerivationDescription
    assert held.LossyImageCompression == "01"
    held, _ = room.archived("Box 1/Deep.TIF")
    # 254 dpi across and 127 down; row first.
    assert list(held.NominalScannedPixelSpacing) == [0.2, 0.1]
    assert "PixelSpacing" not in held
    assert "NominalScannedPixelSpacing" not in room.archived("colour.png")[0]
    held, _ = room.archived("report.pdf")
    document = (room.folder / "report.pdf").read_bytes()
    assert held.EncapsulatedDocument[: held.EncapsulatedDocumentLength] == document
    assert (held.Modality, held.ConversionType) == ("DOC", "SD")


def test_pictures_join_the_exam_that_films_join(room: Room) -> None:
    """Study UIDs are those that films of the exam get; the row's words are kept where changed."""
    with room.services.ledger.transaction() as tx:
        studies = {
            "Box 1/Deep.TIF": tx.uid("study:GEN|1000001|A1"),
            "report.pdf": tx.uid("study:GEN|1000001|A1"),
            "pages.tif//2": tx.uid("study:GEN|1000002|B1"),
            "bits.tif": tx.uid("study:GEN|1000002|B1"),
            "colour.png": tx.uid("study:GEN|1000003|date:2003-06-05"),
        }
    for place, uid in studies.items():
        held, path = room.archived(place)
        assert held.StudyInstanceUID == uid, place
        assert path.parent.name == uid
    held, _ = room.archived("pages.tif//1")
    assert (held.PatientID, held.IssuerOfPatientID) == ("1000001", "GEN")
    assert str(held.PatientName) == "ÄHRENFELD^ANNA"
    # Its row tells no day; the exam does.
    assert held.StudyDate == "20010203"
    held, _ = room.archived("bits.tif")
    assert (held.AccessionNumber, held.ImageLaterality) == ("B1", "R")
    (item,) = held.OriginalAttributesSequence
    assert "AccessionNumber" in item.ModifiedAttributesSequence[0]
    assert item.SourceOfPreviousValues == "export"


def test_what_is_made_is_sound_and_is_made_again_the_same(room: Room) -> None:
    """No validator finds an error, and the bytes are the same whenever they are made."""
    for place in room.listed("verified"):
        _, path = room.archived(place)
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        assert [one for one in done.stderr.splitlines() if one.startswith("Error")] == [], place
        study, row = room.study(place), room.row(place)
        again = [adopt(room.services, study, room.source, row)[1].instance for _ in range(2)]
        assert again[0] is not None
        assert again[0] == again[1]
        assert dicom.examine(dicom.part10(again[0])).data_sha256 == row.sent_sha256


def test_a_corrected_index_file_is_followed(room: Room) -> None:
    """Looked through again, corrected rows are taken; what was sent is not made anew.

    A picture that the index file gives to somebody else now is asked about, and not released.
    """
    before = {place: room.row(place) for place in ("colour.png", "bits.tif")}
    rows = [row for row in ROWS if row[0] != "thine.png"]
    rows[ROWS.index(ROWS[8])] = ["differs.png", "", *CARL, "", "05.06.2003", "Foto", "", ""]
    rows[5] = ["colour.png", "", *ANNA, "", "05.06.2003", "Foto", "", ""]
    rows[-1] = ["gone/away.tif", "", *CARL, "", "05.06.2003", "", "", ""]
    room.write_index(*rows, ["nobody's.png", "", *BELA, "B1", "", "", "", ""])
    stock_again(room.services, "export", user="kay")
    room.run()
    assert room.row("nobody's.png").state is State.VERIFIED
    assert room.row("bits.tif") == before["bits.tif"]
    held = room.row("colour.png")
    assert held.sop_instance_uid == before["colour.png"].sop_instance_uid
    assert (held.state, held.pack) == (State.VERIFIED, before["colour.png"].pack)
    assert "changed since it was sent" in held.note
    assert room.archived("colour.png")[0].PatientID == "1000003"
    assert room.document()["balanced"]
    asked = room.study("colour.png")
    assert (asked.state, asked.code) == (State.REVIEW, Code.SEVERAL_IDENTITIES.value)
    with pytest.raises(UsageError, match="under another patient number"):
        review.accept(
            room.services, asked.id, user="kay", patient_id="1000001", whole=True,
            collisions=Collisions.LEAVE,
        )  # fmt: skip
    review.accept(
        room.services, asked.id, user="kay", patient_id="1000003", undo_window_s=0, whole=True,
        collisions=Collisions.LEAVE,
    )  # fmt: skip
    room.run()
    stock_again(room.services, "export", user="kay")
    room.run()
    assert room.study("colour.png").state is State.VERIFIED


def test_looking_through_goes_on_where_it_was_left(bench: Room, tmp_path: Path) -> None:
    """Broken off after every file, it ends as if it had not been; nothing is taken twice."""
    for number in range(3):
        Image.fromarray(noise(20, 20, seed=20 + number)).save(tmp_path / f"{number}.png")
    names = ("0.png", "1.png", "2.png", "4.pdf", "3.png")
    rows_told = [";".join(HEADER), *(f"{name};;9;N;N;;;;;;;" for name in names)]
    (tmp_path / "index.csv").write_text("\n".join(rows_told))
    (tmp_path / "fields.toml").write_text(MAPPING)
    services = bench.services
    document = pdfium.PdfDocument.new()
    for size in (40, 50):
        document.new_page(size, 30)
    document.save(tmp_path / "4.pdf")
    options = {"index": "index.csv", "mapping": "fields.toml", "pdf": "pages"}
    added = add_source(
        services, "slowly", SourceKind.PICTURES, str(tmp_path), user="kay", options=options
    )
    long_ago = services.clock.now() - timedelta(days=1)
    turns = 0
    while True:
        with services.ledger.reading() as view:
            source = view.get(Source, added.id)
        turns += 1
        if stock_pictures(services, source, long_ago):
            break
    # Six files, one a turn, and the turn that finds the end.
    assert turns == 7
    with services.ledger.reading() as view:
        told = reconcile.source_json(view, view.get(Source, added.id))
        rows = {row.place: row for row in view.old_instances(source_id=added.id)}
    assert (told["found"], told["taken"], told["missing"]) == (7, 5, 1)
    assert len({row.pack for row in rows.values() if row.pack}) == 4
    pages = [original(services, source, rows[f"4.pdf//{page}"]) for page in (1, 2)]
    made = [dcmread(BytesIO(page)) for page in pages]
    # Rendered at 300 dpi: 40 and 50 points wide.
    assert [(one.Columns, one.ConversionType) for one in made] == [(167, "SD"), (209, "SD")]
    assert [one.InstanceNumber for one in made] == [5000, 5001]


def test_options_are_checked_before_anything_begins(tmp_path: Path) -> None:
    """Files are found from wherever it is run; a wrong word is told with what is right."""
    for name in ("index.csv", "m.toml"):
        (tmp_path / name).write_text("x")
    good = {"index": "index.csv", "mapping": str(tmp_path / "m.toml")}
    checked = picture_options(str(tmp_path), {**good, "films": "yes"})
    assert checked["index"] == str((tmp_path / "index.csv").resolve())
    for wrong, why in (
        ({"index": "other.csv"}, "no index file other.csv"),
        ({"mapping": ""}, "no mapping file"),
        ({"films": "perhaps"}, "films is yes or no"),
        ({"pdf": "picture"}, "pdf is document or pages"),
        ({"filme": "yes"}, "no option filme"),
    ):
        with pytest.raises(UsageError, match=why):
            picture_options(str(tmp_path), {**good, **wrong})
    with pytest.raises(UsageError, match="no folder"):
        picture_options(str(tmp_path / "m.toml"), good)


SAMPLES = Path(__file__).parents[2] / "samples" / "room"
CAROL = ["9784420", "MITCHELL", "CAROL", "15.07.1934", ""]


def test_scans_of_films_are_read_like_films(bench: Room, tmp_path: Path) -> None:
    """The row speaks as a label does: it proposes, and only a film's own block files a film."""
    films = {"proves.tif": "0003.tif", "another's.tif": "0002.tif", "silent.tif": "0008.tif"}
    for name, sample in films.items():
        (tmp_path / name).write_bytes(
            (SAMPLES / "scans" / "BOX-001" / "C79-0002" / sample).read_bytes()
        )
    exam = ["X74-47883", "29.10.1974", "", "CHEST", ""]
    rows = [[name, "", *CAROL, *exam] for name in films]
    with (tmp_path / "index.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *rows])
    (tmp_path / "fields.toml").write_text(MAPPING.replace('"GEN"', '"CITYGEN"'))
    services = bench.services
    assert isinstance(services.index, SqlPatientIndex)
    assert not services.index.import_patients(read_patients(SAMPLES / "patients.csv")).refused
    assert not services.index.import_exams(read_exams(SAMPLES / "exams.csv")).refused
    source = add_source(
        services,
        "films",
        SourceKind.PICTURES,
        str(tmp_path),
        user="kay",
        options={"index": "index.csv", "mapping": "fields.toml", "films": "yes"},
    )
    bench.site.work(source)
    with services.ledger.reading() as view:
        told = reconcile.source_json(view, view.get(Source, source.id))
        (batch,) = view.batches()
        scans = {scan.source: scan for scan in view.scans(batch_id=batch.id)}
        sheets = {name: view.sheets(scan_id=scan.id)[0] for name, scan in scans.items()}
        states = {row.place: row.state for row in view.old_instances(source_id=source.id)}
    proves, another, silent = (sheets[name] for name in films)
    assert proves.state is State.VERIFIED
    assert proves.decision is not None
    assert proves.decision.patient.patient_id == "9784420"
    assert proves.decision.decided_by == "auto"
    assert another.state is State.REVIEW
    assert Code.FILM_CONTRADICTS_JACKET in {one.code for one in another.reasons}
    assert silent.state is State.REVIEW
    assert Code.FILM_SILENT in {one.code for one in silent.reasons}
    # What the row says is all there is to propose somebody by.
    assert silent.candidates[0].patient.patient_id == "9784420"
    assert told["films"] == {"batch": "films (films)", "scans": {"review": 2, "verified": 1}}
    assert (told["taken"], told["verified"], told["filed"]) == (3, 1, 1)
    assert told["balanced"]
    assert told["settled"]
    assert states["proves.tif"] is State.VERIFIED


def test_a_picture_that_names_another_is_asked_about(bench: Room, tmp_path: Path) -> None:
    """Writing in a picture may contradict its row: read, it holds the study."""
    picture = np.full((260, 900), 255, np.uint8)
    lines = ("Name: BRANDT, BELA", "Patient ID: 1000002", "DOB: 1960-05-04")
    for number, line in enumerate(lines, start=1):
        cv2.putText(picture, line, (30, 75 * number), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 0, 3)
    Image.fromarray(picture).save(tmp_path / "written.png")
    with (tmp_path / "index.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = [["written.png", "", *CARL, "", "05.06.2003", "Foto", "", ""]]
        csv.writer(stream).writerows([HEADER, *rows])
    (tmp_path / "fields.toml").write_text(MAPPING)
    services = replace(bench.services, older=replace(bench.services.older, read_pictures=1.0))
    source = add_source(
        services,
        "written",
        SourceKind.PICTURES,
        str(tmp_path),
        user="kay",
        options={"index": "index.csv", "mapping": "fields.toml"},
    )
    replace(bench.site, services=services).work(source)
    with services.ledger.reading() as view:
        (study,) = view.old_studies(source_id=source.id)
    assert study.state is State.REVIEW
    assert [one.code for one in study.reasons] == [Code.PICTURE_CONTRADICTS]


@pytest.fixture
def rivals(tmp_path: Path) -> Iterator[Room]:
    """Return a folder of one picture, twice, which two rows claim for two patients."""
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "fields.toml").write_text(MAPPING)
    with OldSite.at(tmp_path) as site:
        _fill_index(site.services)
        found = Room(tmp_path / "export", site, tmp_path / "archive")
        for name in ("mine.png", "thine.png"):
            Image.fromarray(noise(20, 20, seed=10)).save(found.folder / name)
        found.write_index(
            ["mine.png", "", *CARL, "", "07.08.2004", "Foto", "", ""],
            ["thine.png", "", *ANNA, "", "07.08.2004", "Foto", "", ""],
        )
        add_source(
            found.services, "export", SourceKind.PICTURES, str(found.folder), user="kay",
            options={
                "index": str(found.folder / "index.csv"),
                "mapping": str(found.folder / "fields.toml"),
            },
        )  # fmt: skip
        found.run()
        yield found


@pytest.mark.parametrize("both", [False, True])
def test_rejected_and_opened_again_no_claim_goes_by_itself(rivals: Room, both: bool) -> None:
    """One or both: which row is right is still open, and a person is asked of each."""
    mine, thine = rivals.study("mine.png"), rivals.study("thine.png")
    rejecting.reject(rivals.services, mine.id, user="kay")
    if both:
        rejecting.reject(rivals.services, thine.id, user="kay")
        rejecting.open_again(rivals.services, thine.id, user="kay")
    rejecting.open_again(rivals.services, mine.id, user="kay")
    rivals.run()
    for place in ("mine.png", "thine.png"):
        assert rivals.row(place).code is Code.UID_COLLISION
        assert rivals.study(place).state is State.REVIEW


def test_another_row_on_the_same_line_is_not_given_up(rivals: Room) -> None:
    """The word was for what that row said, not for its line."""
    good = ["mine.png", "", *CARL, "", "07.08.2004", "Foto", "", ""]
    for who in (CARL, ANNA):
        rivals.write_index(
            good, ["x.png", "", *who[:3], "31.02.1970", "m", "", "05.06.2003", "", "", ""]
        )
        stock_again(rivals.services, "export", user="kay")
        rivals.run()
        if who is CARL:
            give_up(rivals.services, "export", "rows_refused", user="kay", why="Lost.")
            assert rivals.document()["given_up"][0]["holds"]
    assert len(rivals.listed("rows_refused")) == 1
    assert not rivals.document()["given_up"][0]["holds"]
