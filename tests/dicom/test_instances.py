"""The instances we write: valid, lossless in every encoding, and compared in all that matters."""

import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from captures import a_capture, an_order, noise, rendered
from pydicom import Dataset, dcmread

from digitizer import dicom
from digitizer.model.instance import (
    CaptureOrder,
    Compression,
    DensityScale,
    MadeInstance,
    Rendered,
)
from digitizer.model.raster import Polarity

SHEETS = {
    "grey12": (12, Polarity.MONOCHROME1, (301, 203)),
    "grey12-mono2": (12, Polarity.MONOCHROME2, (301, 203)),
    "grey16": (16, Polarity.MONOCHROME2, (300, 200)),
    "grey16-mono1": (16, Polarity.MONOCHROME1, (300, 200)),
    "grey8": (8, Polarity.MONOCHROME2, (99, 101)),
    "colour": (8, Polarity.RGB, (99, 101, 3)),
}
TOOL = {
    Compression.JPEG_LS: "dcmdjpls",
    Compression.RLE: "dcmdrle",
    Compression.NONE: "dcmconv",
}


@pytest.fixture(params=SHEETS)
def sheet(request: pytest.FixtureRequest) -> Rendered:
    bits, polarity, shape = SHEETS[request.param]
    return rendered(noise(bits, shape), bits, polarity)


@pytest.fixture(params=Compression)
def order(request: pytest.FixtureRequest) -> CaptureOrder:
    return an_order(compression=request.param)


def make(order: CaptureOrder, sheet: Rendered) -> MadeInstance:
    is_label = sheet.polarity is Polarity.RGB
    return (dicom.make_label if is_label else dicom.make_film)(order, sheet)


def read(made: MadeInstance) -> Dataset:
    return dcmread(BytesIO(made.content))


def complaints(path: Path) -> list[str]:
    """Return the errors that dciodvfy tells."""
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert "SCImage" in lines, "the program did not recognise the kind of instance"
    return [line for line in lines if line.startswith("Error")]


def changed(made: MadeInstance, keyword: str, value: object) -> bytes:
    dataset = read(made)
    setattr(dataset, keyword, value)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def test_instances_are_valid(order: CaptureOrder, sheet: Rendered, tmp_path: Path) -> None:
    """A validator of the standard finds no error, whatever the picture and the encoding."""
    path = tmp_path / "made.dcm"
    path.write_bytes(make(order, sheet).content)
    assert complaints(path) == []


@pytest.mark.parametrize("table", [None, np.arange(65536, dtype=np.uint16)[::-1]])
def test_instances_in_density_are_valid(table: np.ndarray | None, tmp_path: Path) -> None:
    """Thousandths of optical density, by a scale and by a table."""
    shown = replace(
        rendered(noise(16), 16, Polarity.MONOCHROME1),
        density=DensityScale(slope=0.0625, intercept=-12.0, table=table),
    )
    path = tmp_path / "made.dcm"
    path.write_bytes(dicom.make_film(an_order(), shown).content)
    assert complaints(path) == []


@pytest.mark.parametrize(
    ("body_part", "laterality"), [("HAND", "L"), ("HAND", ""), ("", ""), ("", "R")]
)
def test_instances_are_valid_with_and_without_a_side(
    body_part: str, laterality: str, tmp_path: Path
) -> None:
    """Paired parts, unknown parts and unknown sides make no error."""
    path = tmp_path / "made.dcm"
    path.write_bytes(a_capture(an_order(body_part=body_part, laterality=laterality)).content)
    assert complaints(path) == []


def test_pixels_come_back_equal(order: CaptureOrder, sheet: Rendered) -> None:
    """Every sample of incompressible noise is what it was, and the hash tells it."""
    made = make(order, sheet)
    pixels = read(made).pixel_array
    assert pixels.dtype == sheet.pixels.dtype
    assert np.array_equal(pixels, sheet.pixels)
    assert dicom.pixel_sha256(pixels) == made.pixel_sha256


@pytest.mark.parametrize("compression", TOOL)
def test_pixels_are_the_same_to_another_toolkit(
    compression: Compression, sheet: Rendered, tmp_path: Path
) -> None:
    """What dcmtk decodes (it has no JPEG 2000) equals what was given."""
    made = make(an_order(compression=compression), sheet)
    packed, plain = tmp_path / "packed.dcm", tmp_path / "plain.dcm"
    packed.write_bytes(made.content)
    subprocess.run([TOOL[compression], str(packed), str(plain)], check=True)
    shape = sheet.pixels.shape
    kind = np.dtype(sheet.pixels.dtype).newbyteorder("<")
    data = dcmread(plain)
    samples = np.frombuffer(data.PixelData, kind, count=sheet.pixels.size)
    if sheet.polarity is Polarity.RGB and data.PlanarConfiguration == 1:
        assert np.array_equal(np.moveaxis(samples.reshape(3, *shape[:2]), 0, -1), sheet.pixels)
    else:
        assert np.array_equal(samples.reshape(shape), sheet.pixels)


@pytest.mark.parametrize("wanted", Compression)
def test_transcoding_changes_nothing_that_matters(order: CaptureOrder, wanted: Compression) -> None:
    """From every encoding to every other the comparison finds no difference."""
    made = a_capture(order)
    syntax = read(a_capture(an_order(compression=wanted))).file_meta.TransferSyntaxUID
    other = dicom.transcode(made.content, str(syntax))
    assert dcmread(BytesIO(other)).file_meta.TransferSyntaxUID == syntax
    assert dicom.compare(made.content, other) == ()


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientID", "124"),
        ("PatientName", "DOE^JOHN"),
        ("PatientBirthDate", ""),
        ("AccessionNumber", "X78-2"),
        ("StudyInstanceUID", "2.25.9"),
        ("SOPInstanceUID", "2.25.9"),
        ("IssuerOfPatientID", "OTHER"),
        ("ImageLaterality", "L"),
    ],
)
def test_a_changed_attribute_is_found(keyword: str, value: str) -> None:
    """The comparison names the attribute that differs, and only it."""
    made = a_capture()
    assert dicom.compare(made.content, changed(made, keyword, value)) == (keyword,)


def test_one_changed_sample_is_found() -> None:
    """A single sample that differs by one is a difference of pixels."""
    pixels = noise(16)
    other = pixels.copy()
    other[150, 100] ^= 1
    pair = [
        dicom.make_film(an_order(), rendered(one, 16, Polarity.MONOCHROME2)).content
        for one in (pixels, other)
    ]
    assert dicom.compare(*pair) == ("PixelData",)


@pytest.mark.parametrize(("length", "fits"), [(16, True), (17, False)])
def test_an_accession_number_is_never_cut(length: int, fits: bool) -> None:
    """Sixteen characters are written whole; one more is an error, not a shorter number."""
    order = an_order(accession="X" * length)
    if fits:
        assert read(a_capture(order)).AccessionNumber == "X" * 16
    else:
        with pytest.raises(ValueError, match="Accession Number"):
            a_capture(order)


@pytest.mark.parametrize("number", ["1" * 65, "1\\2", "1\n2"])
def test_a_patient_id_is_never_cleaned(number: str) -> None:
    """A number that cannot be written as it is makes no instance."""
    with pytest.raises(ValueError, match="Patient ID"):
        a_capture(an_order(patient_id=number))


@pytest.mark.parametrize(
    ("told", "written"), [("1950-01-02", "19500102"), ("1950-01", ""), ("1950", ""), ("", "")]
)
def test_a_partial_birth_date_stays_empty(told: str, written: str) -> None:
    """Only a whole date is written; no day or month is invented."""
    assert read(a_capture(an_order(birth_date=told))).PatientBirthDate == written


def test_the_study_date_is_the_exams() -> None:
    """The date of the exam stands in Study Date, the scan's day beside it."""
    made = read(a_capture())
    assert made.StudyDate == "19780102"
    assert made.DateOfSecondaryCapture.startswith("2030")


@pytest.mark.parametrize(("bits", "polarity"), [(12, "MONOCHROME1"), (16, "MONOCHROME2")])
def test_depth_and_polarity_are_kept(bits: int, polarity: str) -> None:
    """The header tells the scanner's own depth and polarity."""
    made = read(dicom.make_film(an_order(), rendered(noise(bits), bits, Polarity(polarity))))
    assert (made.BitsStored, made.HighBit, made.BitsAllocated) == (bits, bits - 1, 16)
    assert made.PhotometricInterpretation == polarity
