"""Decoding: every sample as stored, or a BadScan; never anything between."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from captures import an_order, noise, rendered
from PIL import Image

from digitizer import dicom
from digitizer.errors import BadScan
from digitizer.model.raster import Pixels, Polarity
from digitizer.model.units import Dpi
from digitizer.scan.decoding import DecodeSettings, FileDecoder

SHAPE = (150, 113)


def a_film(bits: int = 16) -> Pixels:
    """Return something between noise and a ramp, so that compressions have work to do."""
    rows = np.linspace(0, (1 << bits) - 1, SHAPE[0])[:, None] * np.ones(SHAPE[1])
    return (rows.astype(noise(bits).dtype) ^ (noise(bits, SHAPE) & 15)).astype(noise(bits).dtype)


def a_tiff(path: Path, pixels: Pixels, **options: Any) -> Path:
    options = {"photometric": "minisblack", "resolution": (300, 300), **options}
    tifffile.imwrite(path, pixels, resolutionunit="INCH", metadata=None, **options)
    return path


def decoded(path: Path) -> Pixels:
    return FileDecoder().decode(path).pixels


VARIANTS: dict[str, dict[str, Any]] = {
    "one strip": {},
    "many strips": {"rowsperstrip": 7},
    "LZW": {"compression": "lzw", "rowsperstrip": 16},
    "LZW with predictor": {"compression": "lzw", "predictor": True},
    "deflate": {"compression": "zlib", "rowsperstrip": 16},
    "deflate with predictor": {"compression": "zlib", "predictor": True},
    "PackBits": {"compression": "packbits", "rowsperstrip": 16},
    "tiles": {"tile": (32, 48)},
    "tiles deflated": {"tile": (32, 48), "compression": "zlib"},
    "BigTIFF": {"bigtiff": True},
    "big-endian": {"byteorder": ">"},
    "big-endian LZW": {"byteorder": ">", "compression": "lzw", "predictor": True},
}


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_tiff_is_decoded_as_stored(tmp_path: Path, variant: str, bits: int) -> None:
    """Every sample, the depth, the polarity and the resolution come out as written."""
    pixels = a_film(bits)
    raster = FileDecoder().decode(a_tiff(tmp_path / "a.tif", pixels, **VARIANTS[variant]))
    assert raster.pixels.dtype == pixels.dtype
    assert np.array_equal(raster.pixels, pixels)
    assert (raster.bits, raster.polarity) == (bits, Polarity.MONOCHROME2)
    assert raster.dpi == Dpi(300, 300)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_colour_tiff_keeps_its_samples(tmp_path: Path, planar: str, bits: int) -> None:
    """Colour by pixel and colour by plane give the same picture."""
    pixels = noise(bits, (*SHAPE, 3))
    given = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    path = a_tiff(tmp_path / "a.tif", given, photometric="rgb", planarconfig=planar)
    raster = FileDecoder().decode(path)
    assert raster.polarity is Polarity.RGB
    assert np.array_equal(raster.pixels, pixels)


def test_white_is_zero_is_told_and_not_applied(tmp_path: Path) -> None:
    """The samples stay as they are; the polarity says what they mean."""
    path = a_tiff(tmp_path / "a.tif", a_film(), photometric="miniswhite")
    raster = FileDecoder().decode(path)
    assert raster.polarity is Polarity.MONOCHROME1
    assert np.array_equal(raster.pixels, a_film())


def test_twelve_bits_in_sixteen_are_told(tmp_path: Path) -> None:
    """Max Sample Value tells the depth; the samples are not spread."""
    pixels = a_film(12)
    path = a_tiff(tmp_path / "a.tif", pixels, extratags=[(281, "H", 1, 4095, True)])
    raster = FileDecoder().decode(path)
    assert raster.bits == 12
    assert np.array_equal(raster.pixels, pixels)


def test_one_bit_is_spread_to_a_byte(tmp_path: Path) -> None:
    """A black-and-white page has samples 0 and 255."""
    page = a_film() > 30000
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, page, photometric="minisblack", metadata=None)
    assert np.array_equal(decoded(path), page.astype(np.uint8) * 255)


def test_every_page_is_counted_and_decoded(tmp_path: Path) -> None:
    """A file of three pages of different sizes gives each as written."""
    pictures = [noise(16, (40 + number, 30), seed=number) for number in range(3)]
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for picture in pictures:
            writer.write(picture, photometric="minisblack", metadata=None)
    decoder = FileDecoder()
    assert decoder.pages(path) == 3
    for number, picture in enumerate(pictures):
        raster = decoder.decode(path, number)
        assert raster.page == number
        assert np.array_equal(raster.pixels, picture)


def test_a_resolution_without_a_unit_is_none(tmp_path: Path) -> None:
    """An aspect ratio is no resolution."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, a_film(), resolution=(300, 300), resolutionunit="NONE", metadata=None)
    assert FileDecoder().decode(path).dpi is None


def test_a_resolution_in_centimetres_is_converted(tmp_path: Path) -> None:
    """100 pixels a centimetre are 254 an inch."""
    path = tmp_path / "a.tif"
    options: dict[str, Any] = {"resolution": (100, 100), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(path, a_film(), metadata=None, **options)
    assert FileDecoder().decode(path).dpi == pytest.approx(Dpi(254, 254))


def test_the_orientation_tag_is_told_and_not_applied(tmp_path: Path) -> None:
    """A turned page is reported with its tag, its samples where they were."""
    path = a_tiff(tmp_path / "a.tif", a_film(), extratags=[(274, "H", 1, 6, True)])
    raster = FileDecoder().decode(path)
    assert raster.orientation == 6
    assert np.array_equal(raster.pixels, a_film())


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 3)], ids=["grey", "colour"])
def test_a_png_is_decoded_as_stored(tmp_path: Path, bits: int, shape: tuple[int, ...]) -> None:
    """8 and 16 bit, grey and colour, every sample."""
    pixels = noise(bits, shape)
    path = tmp_path / "a.png"
    path.write_bytes(imagecodecs.png_encode(pixels))
    raster = FileDecoder().decode(path)
    assert raster.pixels.dtype == pixels.dtype
    assert raster.bits == bits
    assert np.array_equal(raster.pixels, pixels)


def test_a_png_tells_its_resolution(tmp_path: Path) -> None:
    """300 dpi, kept as pixels a metre, come back as 300."""
    path = tmp_path / "a.png"
    Image.fromarray(a_film(8)).save(path, dpi=(300, 300))
    assert FileDecoder().decode(path).dpi == Dpi(300, 300)


def test_a_jpeg_is_decoded_like_its_decoder_does(tmp_path: Path) -> None:
    """The samples are those of libjpeg, the resolution that of the header."""
    path = tmp_path / "a.jpg"
    Image.fromarray(a_film(8)).save(path, dpi=(150, 150), quality=95)
    raster = FileDecoder().decode(path)
    assert np.array_equal(raster.pixels, np.asarray(Image.open(path)))
    assert raster.dpi == Dpi(150, 150)


def test_a_jpeg_2000_is_decoded_as_stored(tmp_path: Path) -> None:
    """Lossless JPEG 2000 of 16 bits gives every sample."""
    path = tmp_path / "a.jp2"
    path.write_bytes(imagecodecs.jpeg2k_encode(a_film(), level=0, reversible=True))
    assert np.array_equal(decoded(path), a_film())


@pytest.mark.parametrize(
    ("bits", "polarity"), [(12, Polarity.MONOCHROME1), (16, Polarity.MONOCHROME2)]
)
def test_a_dicom_file_is_decoded_as_stored(tmp_path: Path, bits: int, polarity: Polarity) -> None:
    """Samples, depth, polarity and spacing are those of the file."""
    path = tmp_path / "a.dcm"
    pixels = a_film(bits)
    path.write_bytes(dicom.make_film(an_order(), rendered(pixels, bits, polarity)).content)
    raster = FileDecoder().decode(path)
    assert np.array_equal(raster.pixels, pixels)
    assert (raster.bits, raster.polarity) == (bits, polarity)
    assert raster.dpi == pytest.approx(Dpi(25.4 / 0.169, 25.4 / 0.169))


def test_a_raster_cannot_be_changed(tmp_path: Path) -> None:
    """The pixels of a scan are read-only."""
    pixels = decoded(a_tiff(tmp_path / "a.tif", a_film()))
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 1


# -- bad files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"hello, this is no picture" * 20, "unsupported_format"),
        (b"II*\0", "truncated_file"),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"%PDF-1.7\n", "corrupt_file"),
    ],
)
def test_what_is_no_picture_is_told(tmp_path: Path, content: bytes, code: str | None) -> None:
    """Empty, foreign and headless files are bad scans with the code that fits."""
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(BadScan) as told:
        FileDecoder().check(path)
    assert code is None or told.value.code == code


def test_a_picture_over_the_limit_is_not_decoded(tmp_path: Path) -> None:
    """The limit is checked from the header: the pixels need not even be there."""
    path = a_tiff(tmp_path / "a.tif", a_film())
    with pytest.raises(BadScan) as told:
        FileDecoder(DecodeSettings(max_megapixels=0.01)).decode(path)
    assert told.value.code == "too_large"


def test_too_many_pages_are_refused(tmp_path: Path) -> None:
    """A file with more pages than allowed is no scan."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for _ in range(3):
            writer.write(noise(8, (5, 5)), photometric="minisblack", metadata=None)
    with pytest.raises(BadScan) as told:
        FileDecoder(DecodeSettings(max_pages=2)).pages(path)
    assert told.value.code == "too_large"


def _tiff(**options: Any) -> Callable[[Path], None]:
    return lambda path: void(a_tiff(path, a_film(), **options))


def void(_: object) -> None:
    return None


def _png(path: Path) -> None:
    path.write_bytes(imagecodecs.png_encode(a_film()))


def _jpeg(path: Path) -> None:
    Image.fromarray(a_film(8)).save(path, format="JPEG")


def _jpeg2000(path: Path) -> None:
    path.write_bytes(imagecodecs.jpeg2k_encode(a_film(), level=0, reversible=True))


def _dicom(path: Path) -> None:
    sheet = rendered(a_film(), 16, Polarity.MONOCHROME2)
    path.write_bytes(dicom.make_film(an_order(), sheet).content)


WRITERS: dict[str, Callable[[Path], None]] = {
    "tiff": _tiff(),
    "tiff strips": _tiff(rowsperstrip=7),
    "tiff lzw": _tiff(compression="lzw", rowsperstrip=16),
    "tiff deflate": _tiff(compression="zlib", rowsperstrip=16),
    "tiff packbits": _tiff(compression="packbits", rowsperstrip=16),
    "tiff tiles": _tiff(tile=(32, 48)),
    "bigtiff": _tiff(bigtiff=True),
    "png": _png,
    "jpeg": _jpeg,
    "jpeg 2000": _jpeg2000,
    "dicom": _dicom,
}


# pydicom and Pillow also warn of what they then refuse or read on.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("kind", WRITERS)
def test_a_truncated_file_is_never_a_picture(tmp_path: Path, kind: str, tenth: int) -> None:
    """Cut at any tenth of its length, the file is a bad scan: no missing row is filled."""
    path = tmp_path / "a"
    WRITERS[kind](path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * tenth // 10])
    with pytest.raises(BadScan):
        FileDecoder().check(path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", WRITERS)
def test_flipped_bytes_raise_nothing_but_bad_scan(tmp_path: Path, kind: str) -> None:
    """Whatever random damage does to a file, it is decoded or it is a bad scan."""
    path = tmp_path / "a"
    WRITERS[kind](path)
    content = path.read_bytes()
    rng = random.Random(kind)
    outcomes = {"decoded": 0, "bad": 0}
    for number in range(120):
        damaged = bytearray(content)
        reach = len(damaged) if number % 2 else min(400, len(damaged))
        for _ in range(rng.randint(1, 6)):
            damaged[rng.randrange(reach)] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            FileDecoder(DecodeSettings(max_megapixels=5)).check(path)
            outcomes["decoded"] += 1
        except BadScan:
            outcomes["bad"] += 1
    assert outcomes["bad"] > 0
