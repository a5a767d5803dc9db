"""DICOM files as scans: the stored values, with what they say of depth and spacing."""

from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.pixels.utils import pixel_array
from pydicom.uid import DeflatedExplicitVRLittleEndian

from digitizer.errors import BadScan
from digitizer.model.raster import Polarity, Raster
from digitizer.model.units import MM_PER_INCH, Dpi
from digitizer.scan.decode_tiff import checked_size
from digitizer.scan.settings import DecodeSettings

__all__ = ["decode", "pages"]


def pages(path: Path) -> int:
    """Count the frames."""
    header = _read(path, header_only=True)
    if "Rows" not in header:
        raise BadScan("unsupported_format", "The DICOM file holds no picture.")
    return int(header.get("NumberOfFrames", 1) or 1)


def decode(path: Path, page: int, settings: DecodeSettings) -> Raster:
    """Decode one frame as stored; no rescaling, no window."""
    dataset = _read(path)
    samples = int(dataset.get("SamplesPerPixel", 1)) * (int(dataset.BitsAllocated) // 8)
    checked_size(int(dataset.Rows), int(dataset.Columns), settings, sample_bytes=samples)
    if "PixelData" not in dataset:
        raise BadScan("truncated_file", "The file ends before its pixels.")
    pixels = pixel_array(dataset, index=page)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise BadScan("unsupported_format", "Only unsigned 8 and 16 bit pictures can be read.")
    interpretation = str(dataset.PhotometricInterpretation)
    colour = pixels.ndim == 3
    if not colour and interpretation not in ("MONOCHROME1", "MONOCHROME2"):
        raise BadScan("unsupported_format", f"{interpretation} cannot be read.")
    return Raster(
        pixels=np.ascontiguousarray(pixels),
        bits=int(dataset.BitsStored),
        polarity=Polarity.RGB if colour else Polarity(interpretation),
        dpi=_dpi(dataset),
        page=page,
    )


def _read(path: Path, *, header_only: bool = False) -> Dataset:
    """Read a data set; a deflated one could grow without bound and is refused."""
    meta = read_file_meta_info(path)
    if str(meta.get("TransferSyntaxUID", "")) == DeflatedExplicitVRLittleEndian:
        raise BadScan("unsupported_format", "Deflated DICOM files are not read.")
    return dcmread(path, stop_before_pixels=header_only)


def _dpi(dataset: Dataset) -> Dpi | None:
    for keyword in ("NominalScannedPixelSpacing", "ImagerPixelSpacing", "PixelSpacing"):
        spacing = dataset.get(keyword)
        if spacing and min(float(value) for value in spacing) > 0:
            row, column = (float(value) for value in spacing)
            return Dpi(MM_PER_INCH / column, MM_PER_INCH / row)
    return None
