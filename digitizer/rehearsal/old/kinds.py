"""Instances of every kind an old archive holds, made from the samples that pydicom ships."""

from collections.abc import Callable
from copy import copy
from functools import cache
from io import BytesIO
from random import Random

import imagecodecs
from pydicom import Dataset, dcmread
from pydicom.config import disable_value_validation
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from digitizer import dicom

__all__ = ["KINDS", "Kind", "encoded", "instance_of"]

_CLASS = "1.2.840.10008.5.1.4.1.1."
Maker = Callable[[Random], Dataset]


class Kind:
    """What a study of a kind is made of: series of instances.

    Attributes
    ----------
    modality : str
    weight : int
        How often there is a study of it, among all weights.
    count : tuple of int
        Fewest and most instances.
    make : callable
        Makes the dataset of one instance.
    syntaxes : tuple of UID
        What it is stored in; one for each study.
    """

    def __init__(
        self,
        modality: str,
        weight: int,
        count: tuple[int, int],
        make: Maker,
        syntaxes: tuple[UID, ...] = (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    ) -> None:
        self.modality = modality
        self.weight = weight
        self.count = count
        self.make = make
        self.syntaxes = syntaxes


@cache
def _sample(name: str) -> FileDataset:
    path = get_testdata_file(name)
    assert isinstance(path, str), f"pydicom ships {name}"
    dataset = dcmread(path, force=True)  # one has no preamble
    with disable_value_validation():
        dataset.walk(lambda _, element: element.value)  # decoded, whatever it was written in
    return dataset


def _of(name: str, sop_class: str = "") -> Maker:
    """Return a maker of copies of a sample; of another SOP class where one is given."""

    def make(rng: Random) -> Dataset:
        sample = _sample(name)
        dataset = Dataset()
        for element in sample:
            dataset.add(copy(element))
        implicit, little = sample.original_encoding
        dataset.set_original_encoding(implicit, little, "utf-8")
        if sop_class:
            dataset.SOPClassUID = _CLASS + sop_class
        _vary(dataset, rng)
        return dataset

    return make


def _vary(dataset: Dataset, rng: Random) -> None:
    """Change some pixels, so that no two instances are alike."""
    pixels = dataset.get("PixelData")
    if not pixels:
        return
    new = bytearray(pixels)
    at = len(new) // 4 & ~1
    noise = rng.randbytes(min(64, len(new) - at))
    keep = 0x0F if dataset.get("BitsAllocated", 8) == 16 else 0xFF
    for place, value in enumerate(noise):
        new[at + place] = value & (keep if place % 2 else 0xFF)
    dataset.PixelData = bytes(new)


def _small(sop_class: str, size: int, bits: int, frames: int = 1) -> Maker:
    """Return a maker of small grey pictures of a class."""

    def make(rng: Random) -> Dataset:
        dataset = _bare(sop_class)
        dataset.Rows = dataset.Columns = size
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored = (8, 8) if bits == 8 else (16, 12)
        dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
        if frames > 1:
            dataset.NumberOfFrames = frames
        if bits == 8:
            dataset.PixelData = rng.randbytes(size * size * frames)
        else:
            raw = bytearray(rng.randbytes(size * size * frames * 2))
            raw[1::2] = bytes(value & 0x0F for value in raw[1::2])
            dataset.PixelData = bytes(raw)
        dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
        return dataset

    return make


def _bare(sop_class: str) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = _CLASS + sop_class
    return dataset


def _pdf(rng: Random) -> Dataset:
    dataset = _bare("104.1")
    text = f"%PDF-1.4\n% report {rng.getrandbits(64):x}\n%%EOF\n".encode()
    dataset.EncapsulatedDocument = text + b"\0" * (len(text) % 2)
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.DocumentTitle = "REPORT"
    return dataset


def _key_object(rng: Random) -> Dataset:
    dataset = _bare("88.59")
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.ContentDate, dataset.ContentTime = "20050101", "120000"
    dataset.SeriesDescription = f"KEY IMAGES {rng.getrandbits(32):x}"
    return dataset


def _presentation(rng: Random) -> Dataset:
    dataset = _bare("11.1")
    dataset.ContentLabel, dataset.PresentationLUTShape = "MARKS", "IDENTITY"
    dataset.PresentationCreationDate, dataset.PresentationCreationTime = "20050101", "120000"
    dataset.ContentDescription = f"{rng.getrandbits(32):x}"
    return dataset


def _overlay(rng: Random) -> Dataset:
    dataset = _bare("8")
    dataset.add_new(0x60000010, "US", 32)
    dataset.add_new(0x60000011, "US", 32)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", rng.randbytes(128))
    return dataset


_PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
_PICTURES = (*_PLAIN, ExplicitVRLittleEndian, JPEGLSLossless, JPEG2000Lossless, RLELossless)
KINDS: tuple[Kind, ...] = (
    Kind("CT", 16, (12, 28), _of("CT_small.dcm"), (*_PLAIN, *_PLAIN, JPEG2000Lossless)),
    Kind(
        "MR",
        13,
        (10, 26),
        _of("MR_small.dcm"),
        (*_PLAIN, *_PLAIN, RLELossless, JPEG2000Lossless, DeflatedExplicitVRLittleEndian),
    ),
    Kind("MR", 3, (10, 26), _of("MR_small_bigendian.dcm"), (ExplicitVRBigEndian,)),
    Kind("US", 6, (3, 9), _small("6.1", 96, 8), (ExplicitVRLittleEndian, JPEGBaseline8Bit)),
    Kind("US", 4, (2, 6), _of("ExplVR_BigEnd.dcm", "6"), (ExplicitVRBigEndian,)),
    Kind("US", 2, (1, 3), _small("3", 48, 8, frames=5)),
    Kind("US", 2, (1, 3), _small("3.1", 48, 8, frames=5)),
    Kind("MG", 8, (4, 4), _small("1.2", 128, 16), _PICTURES),
    Kind("CR", 22, (1, 3), _small("1", 128, 16), _PICTURES),
    Kind("NM", 3, (1, 4), _small("5", 64, 16)),
    Kind("OT", 4, (1, 4), _small("7", 64, 8), (ExplicitVRLittleEndian, JPEGBaseline8Bit)),
    Kind("OT", 2, (1, 2), _small("7.3", 48, 16, frames=6), _PLAIN),
    Kind("OT", 1, (1, 2), _overlay),
    Kind("ECG", 1, (1, 1), _of("waveform_ecg.dcm")),
    Kind("RTPLAN", 1, (1, 1), _of("rtplan.dcm")),
    Kind("RTDOSE", 1, (1, 2), _of("rtdose.dcm")),
    Kind("RTSTRUCT", 1, (1, 1), _of("rtstruct.dcm")),
    Kind("SR", 3, (1, 2), _of("reportsi.dcm")),
    Kind("DOC", 2, (1, 2), _pdf),
    Kind("KO", 1, (1, 1), _key_object),
    Kind("PR", 2, (1, 2), _presentation),
)
"""The first ones may have some of the last ones beside them."""


def instance_of(kind: Kind, rng: Random) -> Dataset:
    """Make the dataset of one instance, without an identity."""
    dataset = kind.make(rng)
    dataset.Modality = kind.modality
    return dataset


def encoded(dataset: Dataset, syntax: UID) -> bytes:
    """Return a dataset as a Part 10 file in a transfer syntax."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    plain = ExplicitVRLittleEndian if syntax.is_encapsulated else syntax
    meta.TransferSyntaxUID = plain
    dataset.file_meta = meta
    out = BytesIO()
    implicit = plain == ImplicitVRLittleEndian
    little = plain != ExplicitVRBigEndian
    with disable_value_validation():
        dataset.save_as(out, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    content = out.getvalue()
    if syntax == JPEGBaseline8Bit:
        return _as_jpeg(content)
    return dicom.transcode(content, str(syntax)) if syntax.is_encapsulated else content


def _as_jpeg(content: bytes) -> bytes:
    """Return 8-bit grey pictures as JPEG baseline, as old ultrasound machines wrote them."""
    dataset = dcmread(BytesIO(content))
    pictures = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    dataset.PixelData = encapsulate(
        [bytes(imagecodecs.jpeg8_encode(one, level=90)) for one in pictures]
    )
    dataset["PixelData"].is_undefined_length = True
    dataset.LossyImageCompression = "01"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()
