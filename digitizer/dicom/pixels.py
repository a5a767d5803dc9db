"""Pixel data in and out of DICOM encodings, losslessly (PS3.5 8.2, A.4)."""

import hashlib
import struct
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from digitizer.model.instance import Compression
from digitizer.model.raster import Pixels

__all__ = ["SYNTAX", "decode_pixels", "encode_pixels", "pixel_sha256", "to_bytes", "transcode"]

SYNTAX = {
    Compression.JPEG_LS: JPEGLSLossless,
    Compression.JPEG_2000: JPEG2000Lossless,
    Compression.RLE: RLELossless,
    Compression.NONE: ExplicitVRLittleEndian,
}


_ITEM = b"\xfe\xff\x00\xe0"
"""Tag of an item, little-endian (PS3.5 7.5)."""


def pixel_sha256(pixels: NDArray[np.generic]) -> str:
    """Hash decoded pixels: samples in reading order, little-endian, colour by pixel."""
    little = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<"), copy=False))
    return hashlib.sha256(little.data).hexdigest()


def encode_pixels(dataset: Dataset, pixels: Pixels, compression: Compression) -> None:
    """Set Pixel Data and the transfer syntax; the image pixel module is set already.

    Parameters
    ----------
    dataset : Dataset
        Changed in place; has ``file_meta``.
    pixels : ndarray of uint8 or uint16, (rows, columns) or (rows, columns, 3)
        With Number of Frames set: (frames, rows, columns).
    compression : Compression
    """
    syntax = SYNTAX[compression]
    dataset.file_meta.TransferSyntaxUID = syntax
    if compression is Compression.NONE:
        raw = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()
        dataset.PixelData = raw + b"\0" * (len(raw) % 2)
        dataset["PixelData"].VR = "OB" if pixels.dtype == np.uint8 else "OW"
        return
    if compression is Compression.RLE:
        dataset.compress(RLELossless, np.asarray(pixels), generate_instance_uid=False)
        return
    frames = pixels if "NumberOfFrames" in dataset else pixels[np.newaxis]
    dataset.PixelData = _encapsulated([_encoded(frame, compression) for frame in frames])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def _encapsulated(frames: list[bytes]) -> bytes:
    """Return frames as items behind a Basic Offset Table (PS3.5 A.4).

    As pydicom's ``encapsulate`` does, which copies each frame four times; a film is one of 10 MB.
    """
    items: list[bytes] = []
    offsets: list[int] = []
    at = 0
    for frame in frames:
        pad = b"\0" * (len(frame) % 2)
        length = len(frame) + len(pad)
        items += (_ITEM + struct.pack("<L", length), frame, pad)
        offsets.append(at)
        at += 8 + length
    table = struct.pack(f"<L{len(offsets)}L", 4 * len(offsets), *offsets)
    return b"".join((_ITEM, table, *items))


def _encoded(frame: NDArray[Any], compression: Compression) -> bytes:
    """Encode one frame as JPEG-LS or JPEG 2000."""
    frame = np.ascontiguousarray(frame)
    if compression is Compression.JPEG_LS:
        # Noise can grow under JPEG-LS; the encoder's own buffer is no larger than the picture.
        room = frame.nbytes + frame.nbytes // 2 + 4096
        return bytes(imagecodecs.jpegls_encode(frame, out=room))
    return bytes(
        imagecodecs.jpeg2k_encode(frame, level=0, reversible=True, codecformat="j2k", mct=False)
    )


def decode_pixels(dataset: Dataset) -> Pixels:
    """Return the stored values; of a multi-frame dataset (frames, rows, columns)."""
    pixels: Pixels = dataset.pixel_array
    # One frame of a multi-frame class comes without its axis.
    return pixels[np.newaxis] if pixels.ndim == 2 and "NumberOfFrames" in dataset else pixels


def transcode(content: bytes, transfer_syntax_uid: str) -> bytes:
    """Return the instance in another lossless transfer syntax: same UIDs, same pixels.

    Raises
    ------
    ValueError
        The syntax is none that we write losslessly.
    """
    wanted = UID(transfer_syntax_uid)
    by_syntax = {syntax: compression for compression, syntax in SYNTAX.items()}
    if wanted not in by_syntax:
        raise ValueError(f"no lossless way to {wanted.name}")
    dataset = dcmread(BytesIO(content))
    if dataset.file_meta.TransferSyntaxUID == wanted:
        return content
    pixels = decode_pixels(dataset)
    del dataset.PixelData
    encode_pixels(dataset, pixels, by_syntax[wanted])
    return to_bytes(dataset)


def to_bytes(dataset: Dataset) -> bytes:
    """Return the dataset as a Part 10 file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
