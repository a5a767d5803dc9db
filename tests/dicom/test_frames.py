"""Pictures of a sheet of many: frames where DICOM allows them, equal to parts of the sheet."""

import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from captures import an_order, noise, rendered
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames

from digitizer import dicom
from digitizer.film import Tile
from digitizer.model.instance import (
    CaptureOrder,
    Compression,
    DensityScale,
    MadeInstance,
    Rendered,
    TilePolicy,
    TileSource,
)
from digitizer.model.raster import Polarity
from digitizer.pipeline.tiles import make_tiles

WORD = "1.2.840.10008.5.1.4.1.1.7.3"
BYTE = "1.2.840.10008.5.1.4.1.1.7.2"
SINGLE = "1.2.840.10008.5.1.4.1.1.7"
LABELS = ["ROW 1 COL 1", "ROW 1 COL 2", "ROW 2 COL 1"]


def pictures(bits: int, polarity: Polarity = Polarity.MONOCHROME2) -> list[Rendered]:
    return [rendered(noise(bits, (61, 47), seed), bits, polarity) for seed in range(3)]


def an_order_of_part(compression: Compression = Compression.JPEG_LS) -> CaptureOrder:
    source = TileSource(SINGLE, "2.25.77", "3 pictures cut from a sheet of 2 x 2")
    return replace(an_order(compression=compression), cut_from=source)


def read(made: MadeInstance) -> Dataset:
    return dcmread(BytesIO(made.content))


def complaints(made: MadeInstance, folder: Path) -> list[str]:
    """Return the errors that dciodvfy tells."""
    path = folder / "made.dcm"
    path.write_bytes(made.content)
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert any("Image" in line for line in lines), "the kind of instance was not recognised"
    return [line for line in lines if line.startswith("Error")]


@pytest.mark.parametrize("compression", Compression)
@pytest.mark.parametrize(("bits", "sop_class"), [(8, BYTE), (12, WORD), (16, WORD)])
def test_frames_are_valid_and_come_back_equal(
    compression: Compression, bits: int, sop_class: str, tmp_path: Path
) -> None:
    """A validator finds no error; every sample of every frame is what it was, in its order."""
    given = pictures(bits)
    made = dicom.make_frames(an_order_of_part(compression), given, LABELS)
    assert complaints(made, tmp_path) == []
    dataset = read(made)
    assert (made.sop_class_uid, dataset.SOPClassUID) == (sop_class, sop_class)
    assert dataset.NumberOfFrames == 3
    assert list(dataset.FrameLabelVector) == LABELS
    pixels = dataset.pixel_array
    assert np.array_equal(pixels, np.stack([one.pixels for one in given]))
    assert dicom.pixel_sha256(pixels) == made.pixel_sha256


def test_frames_are_encapsulated_as_by_anybody() -> None:
    """Odd lengths and even ones: the items are those that pydicom makes of the same frames."""
    made = read(dicom.make_frames(an_order_of_part(), pictures(12), LABELS))
    frames = list(generate_frames(made.PixelData, number_of_frames=3))
    assert made.PixelData == encapsulate(frames)


def test_one_picture_alone_is_one_frame(tmp_path: Path) -> None:
    """No vector of pages is written where there is one; the hash is that of one frame."""
    made = dicom.make_frames(an_order_of_part(), pictures(16)[:1], LABELS[:1])
    assert complaints(made, tmp_path) == []
    assert dicom.compare(made.content, made.content) == ()
    assert dicom.pixel_sha256(dicom.decode_pixels(read(made))) == made.pixel_sha256


@pytest.mark.parametrize("wanted", Compression)
def test_frames_are_transcoded_without_loss(wanted: Compression) -> None:
    """From JPEG-LS to every encoding the comparison finds no difference."""
    made = dicom.make_frames(an_order_of_part(), pictures(16), LABELS)
    other = dicom.make_frames(an_order_of_part(wanted), pictures(16), LABELS)
    syntax = str(read(other).file_meta.TransferSyntaxUID)
    assert dicom.compare(made.content, dicom.transcode(made.content, syntax)) == ()


def test_a_changed_frame_is_found() -> None:
    """A frame that changed places with another is a difference of pixels."""
    given = pictures(16)
    both = [
        dicom.make_frames(an_order_of_part(), order, LABELS).content
        for order in (given, [given[1], given[0], given[2]])
    ]
    assert dicom.compare(*both) == ("PixelData",)


@pytest.mark.parametrize(
    "change",
    [
        {"polarity": Polarity.MONOCHROME1},
        {"density": DensityScale(slope=0.0625)},
        {"spacing": None},
    ],
)
def test_what_may_be_no_frame_becomes_a_series(change: dict[str, object], tmp_path: Path) -> None:
    """Inverse, calibrated and unmeasured pictures are valid single instances of one series."""
    given = [replace(one, **change) for one in pictures(16)]  # type: ignore[arg-type]
    assert dicom.frames_class(given[0]) is None
    tiles = [Tile(1 + n // 2, 1 + n % 2, one) for n, one in enumerate(given)]
    whole = dicom.make_film(an_order(), given[0])
    asked: list[str] = []

    def mint(purpose: str) -> str:
        asked.append(purpose)
        return f"2.25.{100 + len(asked)}"

    made = list(make_tiles(tiles, an_order(), whole, TilePolicy.MULTIFRAME, mint))
    assert [complaints(one, tmp_path) for _, one in made] == [[], [], []]
    assert len(set(asked)) == 4
    for number, (_, one) in enumerate(made):
        dataset = read(one)
        assert dataset.SOPClassUID == SINGLE
        assert dataset.SeriesInstanceUID == "2.25.101"
        assert dataset.InstanceNumber == number + 1
        source = dataset.SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID == an_order().uids.sop
        assert np.array_equal(dataset.pixel_array, given[number].pixels)


@pytest.mark.parametrize("policy", [TilePolicy.OFF, TilePolicy.OFFER])
def test_nothing_is_made_where_it_is_only_offered(policy: TilePolicy) -> None:
    """No UID is minted either."""
    whole = dicom.make_film(an_order(), pictures(16)[0])
    tiles = [Tile(1, 1, pictures(16)[0])]
    assert list(make_tiles(tiles, an_order(), whole, policy, lambda _: "2.25.1")) == []
