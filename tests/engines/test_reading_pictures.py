"""RapidOCR, Tesseract and ZXing on drawn text: any way it lies, dark or bright, faint or none."""

import cv2
import numpy as np
import pytest
import zxingcpp

from digitizer import reading
from digitizer.engines import EngineSheetReader
from digitizer.engines.barcodes import read_barcodes
from digitizer.engines.tesseract import page_reader
from digitizer.errors import BadScan, MissingService
from digitizer.model.reading import FieldSource

RULES = reading.ReadingRules()
WHO = {
    "family_name": "DOE",
    "given_name": "JANE",
    "patient_id": "4711822",
    "birth_date": "1931-04-02",
}


def fields(found, source=FieldSource.LABEL):
    said = reading.parse(found, source, RULES)
    return {name.value: field.value for name, field in said.items() if name.value in WHO}


def texts(found, engine):
    return {line.text for line in found.lines if line.engine == engine}


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_label_is_read_however_it_was_laid(reader, pictures, turn):
    """By both engines; its turn is told."""
    found = reader.read_label(pictures.in_way(pictures.drawn(), turn, False))
    assert fields(found) == WHO
    assert {line.engine for line in found.lines} == {"rapidocr", "tesseract"}
    assert {(line.turn_deg, line.mirrored) for line in found.lines} == {(turn, False)}


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_films_block_is_read_in_all_eight_ways(reader, pictures, turn, mirrored):
    """White on black, as flashed; turn and mirror are told."""
    film = pictures.film_of(pictures.drawn(ink=240, paper=18))
    found = reader.read_film(pictures.in_way(film, turn, mirrored))
    assert fields(found, FieldSource.FILM) == WHO
    assert {(line.turn_deg, line.mirrored) for line in found.lines} == {(turn, mirrored)}


def test_a_sticker_on_a_film_is_read(reader, pictures):
    """Black on white."""
    assert fields(reader.read_film(pictures.film_of(pictures.drawn())), FieldSource.FILM) == WHO


@pytest.mark.parametrize("turn", [0, 90])
def test_a_block_on_black_film_beside_the_open_lamp_is_read(reader, pictures, turn):
    """Blurred, and in the lowest twentieth of the scanner's range: levels there are not lost."""
    ink = cv2.GaussianBlur(pictures.drawn(ink=255, paper=0).astype(np.float32) / 255, (0, 0), 2.2)
    rng = np.random.default_rng(8)
    film = rng.normal(900, 60, (1000, 1100)).astype(np.float32)
    film[20 : 20 + ink.shape[0], 20 : 20 + ink.shape[1]] = 150 + 2600 * ink
    film[:, 700:] = 62_000
    lies = np.clip(pictures.in_way(film, turn, False), 0, 65_535).astype(np.uint16)
    assert fields(reader.read_film(lies), FieldSource.FILM) == WHO


def test_a_number_under_a_coloured_stamp_is_read(reader, pictures):
    """Black stays black in every channel; a red stamp fades in one."""
    black = pictures.drawn(size=30)
    stamp = pictures.drawn(("RECEIVED",), ink=0, paper=255, size=70)
    rows, columns = (min(a, b) for a, b in zip(black.shape, stamp.shape, strict=True))
    label = np.repeat(black[..., None].astype(np.float32), 3, axis=2)
    cover = (255 - stamp[:rows, :columns, None].astype(np.float32)) / 255 * 0.8
    place = label[10 : 10 + rows, :columns]
    place += cover[: place.shape[0]] * (np.array([185, 40, 40], np.float32) - place)
    found = reader.read_label(label.astype(np.uint8))
    assert "rapidocr:ink" in {line.engine for line in found.lines}
    assert fields(found)["patient_id"] == WHO["patient_id"]


def test_a_faint_label_is_read(reader, pictures):
    """Forty grey levels between ink and paper, and noise: stretched, never thresholded."""
    faint = pictures.drawn(ink=140, paper=180).astype(np.int16)
    noisy = faint + np.random.default_rng(3).normal(0, 4, faint.shape)
    assert fields(reader.read_label(np.clip(noisy, 0, 255).astype(np.uint8))) == WHO


def test_sixteen_bits_are_read_as_eight(reader, pictures):
    """Depth is the scanner's business."""
    assert fields(reader.read_label(pictures.drawn().astype(np.uint16) * 257)) == WHO


def test_colour_is_read_as_grey(reader, pictures):
    """Labels come in colour."""
    picture = cv2.cvtColor(pictures.drawn(), cv2.COLOR_GRAY2RGB)
    assert fields(reader.read_label(picture)) == WHO


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_says_nothing(reader, value):
    """Nothing is read into it."""
    blank = np.full((300, 400), value, np.uint8)
    assert reader.read_label(blank) == reader.read_film(blank)
    assert reader.read_label(blank).lines == ()


def test_the_same_picture_reads_the_same(reader, pictures):
    """Also with engines loaded anew: a decision can be replayed."""
    picture = pictures.drawn()
    first = reader.read_label(picture)
    assert reader.read_label(picture) == first
    assert EngineSheetReader().read_label(picture) == first


@pytest.mark.parametrize("kind", ["Code128", "Code39", "QRCode"])
def test_barcodes_are_read_in_any_turn(kind):
    """Text, symbology, once."""
    symbology = getattr(zxingcpp.BarcodeFormat, kind)
    image = np.asarray(zxingcpp.create_barcode("J123456", symbology).to_image(scale=4))
    code = cv2.copyMakeBorder(image, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)
    for turn in range(4):
        found = read_barcodes(np.ascontiguousarray(np.rot90(code, turn)))
        assert [one.text for one in found] == ["J123456"]
        assert found[0].format.replace(" ", "").replace("-", "") in {kind, kind.upper()}


def test_a_label_with_a_barcode_gives_both(reader, pictures):
    """Letters and bars are witnesses of their own."""
    image = np.asarray(
        zxingcpp.create_barcode("J123456", zxingcpp.BarcodeFormat.Code128).to_image(scale=3)
    )
    label = pictures.drawn()
    width = max(label.shape[1], image.shape[1] + 40)
    sheet = np.full((label.shape[0] + image.shape[0] + 40, width), 235, np.uint8)
    sheet[: label.shape[0], : label.shape[1]] = label
    sheet[label.shape[0] + 10 : label.shape[0] + 10 + image.shape[0], 20 : 20 + image.shape[1]] = (
        image
    )
    found = reader.read_label(sheet)
    assert [one.text for one in found.barcodes] == ["J123456"]
    assert fields(found) == WHO


def test_lines_lie_where_they_were_drawn(reader, pictures):
    """The first line above the second, all within the picture."""
    picture = pictures.drawn()
    found = [line for line in reader.read_label(picture).lines if line.engine == "rapidocr"]
    tops = [line.box[0].y for line in found]
    assert tops == sorted(tops)
    for line in found:
        assert all(-9 <= point.x <= picture.shape[1] + 9 for point in line.box)
        assert all(-9 <= point.y <= picture.shape[0] + 9 for point in line.box)


def test_a_picture_larger_than_any_film_is_refused(reader):
    """Before any engine sees it."""
    huge = np.broadcast_to(np.zeros((1, 1), np.uint8), (30_000, 30_000))
    with pytest.raises(BadScan) as caught:
        reader.read_label(huge)
    assert caught.value.code == "too_large"


def test_tesseract_reads_alike_in_the_process_and_as_a_program(pictures):
    page = pictures.drawn()
    library, program = page_reader("eng"), page_reader("eng", program=True)
    assert type(library) is not type(program)
    read = [[line.text for line in one.read(page)] for one in (library, program)]
    assert read[0] == read[1]
    assert len(read[0]) == 4
    rows = [[line.row for line in one.read(page)] for one in (library, program)]
    assert np.allclose(rows[0], rows[1], atol=6)


def test_a_language_that_is_not_installed_says_what_to_install():
    page = np.full((60, 200), 255, np.uint8)
    for program in (False, True):
        with pytest.raises(MissingService) as caught:
            page_reader("xyz", program=program).read(page)
        assert "tesseract-ocr" in (caught.value.remedy or "")
