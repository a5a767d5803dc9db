import io
import zlib

import imagecodecs
import numpy as np
import pydicom
import pypdfium2
import pytest
import tifffile
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset

from digitizer.errors import BadScan
from digitizer.model.raster import Polarity
from digitizer.scan.decoding import DecodeSettings, FileDecoder

ROWS, COLUMNS = 150, 130


@pytest.fixture
def decoder():
    return FileDecoder()


def grey16():
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)) * 200
    return (ramp + rng.integers(0, 60, (ROWS, COLUMNS))).astype(np.uint16)


def grey8():
    return (grey16() >> 8).astype(np.uint8)


def colour():
    one = grey8()
    return np.dstack([one, one[::-1], 255 - one])


def bilevel():
    return grey8() > 100


def tiff(path, pixels, **how):
    how.setdefault("photometric", "rgb" if pixels.ndim == 3 else "minisblack")
    tifffile.imwrite(path, pixels, **how)
    return path


def png16(path):
    path.write_bytes(imagecodecs.png_encode(grey16()))


def dicom(path, pixels):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    made = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    made.Rows, made.Columns = pixels.shape
    made.BitsAllocated = pixels.itemsize * 8
    made.BitsStored = 12 if pixels.itemsize == 2 else 8
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation, made.SamplesPerPixel = 0, 1
    made.PhotometricInterpretation = "MONOCHROME1"
    made.PixelData = pixels.tobytes()
    made.NominalScannedPixelSpacing = [0.2, 0.1]
    made.save_as(path, enforce_file_format=True)


WHOLE = {
    "bilevel.tif": lambda p: Image.fromarray(bilevel()).save(p, compression="group4"),
    "big.tif": lambda p: tiff(p, grey16(), bigtiff=True, rowsperstrip=40),
    "motorola.tif": lambda p: tiff(p, grey16(), byteorder=">", compression="lzw"),
    "planar.tif": lambda p: tiff(
        p, np.ascontiguousarray(np.moveaxis(colour(), -1, 0)), planarconfig="separate"
    ),
    "grey.png": lambda p: Image.fromarray(grey8()).save(p),
    "deep.png": png16,
    "bilevel.png": lambda p: Image.fromarray(bilevel()).save(p),
    "alpha.png": lambda p: Image.fromarray(np.dstack([colour(), grey8()])).save(p),
    "deep.jp2": lambda p: p.write_bytes(imagecodecs.jpeg2k_encode(grey16(), level=0)),
    "m.dcm": lambda p: dicom(p, grey16() >> 4),
}
EXPECTED = {
    "bilevel.tif": lambda: bilevel() * np.uint8(255),
    "bilevel.png": lambda: bilevel() * np.uint8(255),
    "planar.tif": colour,
    "alpha.png": colour,
    "grey.png": grey8,
    "m.dcm": lambda: grey16() >> 4,
}
LOSSY = {
    "colour.jpg": lambda p: Image.fromarray(colour()).save(p, quality=95),
    "progressive.jpg": lambda p: Image.fromarray(grey8()).save(p, quality=95, progressive=True),
    "jpeg.tif": lambda p: tiff(p, grey8(), compression="jpeg", rowsperstrip=32),
    "page.pdf": lambda p: Image.fromarray(grey8()).save(p, resolution=200),
}


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits"])
@pytest.mark.parametrize("layout", [{"rowsperstrip": 32}, {"tile": (64, 64)}])
@pytest.mark.parametrize("picture", [grey16, grey8, colour])
def test_tiff_comes_out_as_it_went_in(tmp_path, decoder, picture, layout, compression):
    how = {"predictor": True} if compression in ("lzw", "zlib") else {}
    path = tiff(tmp_path / "x.tif", picture(), compression=compression, **layout, **how)
    raster = decoder.decode(path)
    assert np.array_equal(raster.pixels, picture())
    assert raster.pixels.dtype == picture().dtype
    assert raster.bits == picture().itemsize * 8
    assert raster.polarity is (Polarity.RGB if picture is colour else Polarity.MONOCHROME2)
    assert not raster.pixels.flags.writeable


@pytest.mark.parametrize("name", WHOLE)
def test_other_lossless_files_come_out_as_they_went_in(tmp_path, decoder, name):
    path = tmp_path / name
    WHOLE[name](path)
    assert np.array_equal(decoder.decode(path).pixels, EXPECTED.get(name, grey16)())


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_files_come_out_alike(tmp_path, decoder, name):
    path = tmp_path / name
    LOSSY[name](path)
    pixels = decoder.decode(path).pixels
    expected = colour() if name == "colour.jpg" else grey8()
    difference = np.abs(pixels.astype(int) - expected)
    assert np.median(difference) < 8


def test_palettes_become_colour(tmp_path, decoder):
    path = tmp_path / "palette.tif"
    drawn = Image.fromarray(colour()).quantize(64)
    drawn.save(path)
    raster = decoder.decode(path)
    assert raster.polarity is Polarity.RGB
    assert np.array_equal(raster.pixels, np.asarray(drawn.convert("RGB")))


def test_twelve_bits_in_sixteen_are_told_by_the_highest_value_tag(tmp_path, decoder):
    twelve = grey16() >> 4
    told = tiff(tmp_path / "a.tif", twelve, extratags=[(281, "H", 1, 4095, True)])
    silent = tiff(tmp_path / "b.tif", twelve)
    assert decoder.decode(told).bits == 12
    assert decoder.decode(silent).bits == 16


def test_white_is_zero_is_told_and_not_inverted(tmp_path, decoder):
    raster = decoder.decode(tiff(tmp_path / "w.tif", grey16(), photometric="miniswhite"))
    assert raster.polarity is Polarity.MONOCHROME1
    assert np.array_equal(raster.pixels, grey16())


def test_pages_are_counted_and_decoded_one_by_one(tmp_path, decoder):
    path = tiff(tmp_path / "m.tif", np.stack([grey16(), grey16()[::-1]]), photometric="minisblack")
    assert decoder.pages(path) == 2
    assert np.array_equal(decoder.decode(path, 1).pixels, grey16()[::-1])
    assert decoder.decode(path, 1).page == 1


@pytest.mark.parametrize(
    ("unit", "values", "expected"),
    [
        ("INCH", (300, 300), (300, 300)),
        ("INCH", (300, 150), (300, 150)),
        ("CENTIMETER", (100, 100), (254, 254)),
        ("NONE", (300, 300), None),
    ],
)
def test_resolution_of_tiff_by_its_unit(tmp_path, decoder, unit, values, expected):
    path = tiff(tmp_path / "r.tif", grey8(), resolution=values, resolutionunit=unit)
    found = decoder.decode(path).dpi
    assert found == (None if expected is None else pytest.approx(expected))


def test_resolution_of_png_jpeg_dicom_and_pdf(tmp_path, decoder):
    Image.fromarray(grey8()).save(tmp_path / "a.png", dpi=(150, 150))
    Image.fromarray(grey8()).save(tmp_path / "b.png")
    Image.fromarray(grey8()).save(tmp_path / "a.jpg", dpi=(200, 200))
    Image.fromarray(grey8()).save(tmp_path / "a.pdf", resolution=200)
    dicom(tmp_path / "a.dcm", grey8())
    assert decoder.decode(tmp_path / "a.png").dpi == (150, 150)
    assert decoder.decode(tmp_path / "b.png").dpi is None
    assert decoder.decode(tmp_path / "a.jpg").dpi == (200, 200)
    assert decoder.decode(tmp_path / "a.pdf").dpi == pytest.approx((200, 200), rel=0.01)
    # Row spacing comes first: 0.2 mm down, 0.1 mm across.
    assert decoder.decode(tmp_path / "a.dcm").dpi == pytest.approx((254, 127))


def test_dicom_tells_its_depth_and_polarity(tmp_path, decoder):
    dicom(tmp_path / "a.dcm", grey16() >> 4)
    raster = decoder.decode(tmp_path / "a.dcm")
    assert raster.bits == 12
    assert raster.polarity is Polarity.MONOCHROME1


def test_a_scanned_page_of_a_pdf_is_taken_as_it_lies_there(tmp_path, decoder):
    path = tmp_path / "a.pdf"
    Image.fromarray(grey8()).save(path, resolution=200)
    assert decoder.decode(path).pixels.shape == (ROWS, COLUMNS)


def test_a_drawn_page_of_a_pdf_is_rendered(tmp_path, decoder):
    document = pypdfium2.PdfDocument.new()
    document.new_page(144, 72)
    document.save(tmp_path / "a.pdf")
    raster = decoder.decode(tmp_path / "a.pdf")
    assert raster.pixels.shape == (300, 600, 3)
    assert raster.dpi == (300, 300)


def test_the_orientation_tag_is_told_and_not_applied(tmp_path, decoder):
    path = tiff(tmp_path / "o.tif", grey8(), extratags=[(274, "H", 1, 6, True)])
    raster = decoder.decode(path)
    assert raster.orientation == 6
    assert raster.pixels.shape == (ROWS, COLUMNS)


# -- bad files ---------------------------------------------------------------------------------


def code_of(decoder, path):
    with pytest.raises(BadScan) as caught:
        decoder.check(path)
    assert "\n" not in str(caught.value)
    return caught.value.code


def test_empty_and_foreign_files_say_so(tmp_path, decoder):
    (tmp_path / "e.tif").write_bytes(b"")
    (tmp_path / "g.tif").write_bytes(b"hello, this is no picture at all" * 20)
    assert code_of(decoder, tmp_path / "e.tif") == "empty_file"
    assert code_of(decoder, tmp_path / "g.tif") == "unsupported_format"


CUT = {
    "none.tif": lambda p: tiff(p, grey16(), rowsperstrip=32),
    "lzw.tif": lambda p: tiff(p, grey16(), compression="lzw", rowsperstrip=32, predictor=True),
    "tiles.tif": lambda p: tiff(p, grey16(), compression="zlib", tile=(64, 64)),
    "packbits.tif": lambda p: tiff(p, grey8(), compression="packbits"),
    **WHOLE,
    **LOSSY,
}


@pytest.mark.parametrize("name", CUT)
def test_a_file_cut_anywhere_is_truncated(tmp_path, decoder, name):
    whole, part = tmp_path / name, tmp_path / "part"
    CUT[name](whole)
    decoder.check(whole)
    content = whole.read_bytes()
    for twentieth in range(1, 20):
        part.write_bytes(content[: len(content) * twentieth // 20])
        assert code_of(decoder, part) in ("truncated_file", "unsupported_format")
        if twentieth > 3:
            assert code_of(decoder, part) == "truncated_file"


def test_a_page_that_lies_beyond_the_end_is_missed(tmp_path, decoder):
    path = tiff(tmp_path / "m.tif", np.stack([grey16(), grey16()]), photometric="minisblack")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    assert code_of(decoder, path) == "truncated_file"


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits", "jpeg"])
def test_a_strip_that_holds_too_few_rows_is_not_filled_up(tmp_path, decoder, compression):
    picture = grey8() if compression == "jpeg" else grey16()
    path = tiff(tmp_path / "s.tif", picture, compression=compression, rowsperstrip=50)
    with tifffile.TiffFile(path, mode="r+") as file:
        tag = file.pages[0].tags[279]
        tag.overwrite((*tag.value[:-1], tag.value[-1] // 2))
    assert code_of(decoder, path) in ("truncated_file", "corrupt_file")


@pytest.mark.parametrize("name", CUT)
def test_flipped_bits_give_pixels_or_one_clear_reason(tmp_path, decoder, name):
    whole, flipped = tmp_path / name, tmp_path / "flipped"
    CUT[name](whole)
    content = whole.read_bytes()
    rng = np.random.default_rng(len(content))
    for _ in range(40):
        changed = bytearray(content)
        for _ in range(int(rng.integers(1, 6))):
            reach = min(len(changed), 400) if rng.random() < 0.6 else len(changed)
            changed[int(rng.integers(reach))] ^= 1 << int(rng.integers(8))
        flipped.write_bytes(bytes(changed))
        try:
            raster = decoder.decode(flipped)
        except BadScan:
            continue
        assert raster.pixels.dtype in (np.uint8, np.uint16)
        assert raster.pixels.size < 50_000_000


def test_pixels_that_do_not_match_their_checksum_are_refused(tmp_path, decoder):
    path = tmp_path / "a.png"
    Image.fromarray(grey8()).save(path)
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 200] ^= 4
    path.write_bytes(bytes(content))
    assert code_of(decoder, path) == "corrupt_file"


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg", "a.jp2", "a.dcm", "a.pdf"])
def test_too_many_pixels_are_refused(tmp_path, name):
    makers = {
        "a.tif": lambda p: tiff(p, grey8()),
        "a.png": lambda p: Image.fromarray(grey8()).save(p),
        "a.jpg": lambda p: Image.fromarray(grey8()).save(p),
        "a.jp2": lambda p: p.write_bytes(imagecodecs.jpeg2k_encode(grey8(), level=0)),
        "a.dcm": lambda p: dicom(p, grey8()),
        "a.pdf": lambda p: Image.fromarray(grey8()).save(p),
    }
    path = tmp_path / name
    makers[name](path)
    small = FileDecoder(DecodeSettings(max_megapixels=0.01))
    assert code_of(small, path) == "too_large"


def test_too_many_pages_are_refused(tmp_path):
    path = tiff(tmp_path / "m.tif", np.stack([grey8()] * 4), photometric="minisblack")
    assert code_of(FileDecoder(DecodeSettings(max_pages=3)), path) == "too_large"


def test_a_strip_that_inflates_without_end_is_refused(tmp_path, decoder):
    path = tiff(tmp_path / "bomb.tif", np.zeros((100, 100), np.uint16), compression="zlib")
    start = path.stat().st_size
    packed = zlib.compress(bytes(200_000_000), 9)
    path.write_bytes(path.read_bytes() + packed)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[273].overwrite((start,))
        file.pages[0].tags[279].overwrite((len(packed),))
    assert code_of(decoder, path) == "corrupt_file"


def test_pages_in_a_circle_are_refused(tmp_path, decoder):
    path = tiff(tmp_path / "c.tif", grey8())
    content = bytearray(path.read_bytes())
    first = int.from_bytes(content[4:8], "little")
    entries = int.from_bytes(content[first : first + 2], "little")
    place = first + 2 + 12 * entries
    content[place : place + 4] = first.to_bytes(4, "little")
    path.write_bytes(bytes(content))
    assert code_of(decoder, path) == "corrupt_file"


def test_a_locked_pdf_says_so(tmp_path, decoder):
    # A minimal document whose encryption wants a password that is not empty.
    buffer = io.BytesIO()
    Image.fromarray(grey8()).save(buffer, "PDF")
    body = buffer.getvalue()
    locked = body.replace(
        b"trailer\n<<",
        b"trailer\n<</Encrypt <</Filter/Standard/V 1/R 2/P -4/Length 40/O("
        + b"o" * 32 + b")/U(" + b"u" * 32 + b")>>/ID[(a)(a)]",
        1,
    )  # fmt: skip
    assert locked != body
    path = tmp_path / "locked.pdf"
    path.write_bytes(locked)
    assert code_of(decoder, path) == "password_protected"


def test_colours_for_printing_are_not_guessed(tmp_path, decoder):
    path = tmp_path / "cmyk.tif"
    Image.fromarray(colour()).convert("CMYK").save(path)
    assert code_of(decoder, path) == "unsupported_format"


def test_a_deflated_dicom_file_is_refused_before_it_can_grow(tmp_path, decoder):
    path = tmp_path / "d.dcm"
    dicom(path, grey8())
    made = pydicom.dcmread(path)
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    made.save_as(path)
    assert code_of(decoder, path) == "unsupported_format"
