"""Values in, Part 10 bytes out: Secondary Capture instances and their comparison."""

from digitizer.dicom.capture import frames_class, make_film, make_frames, make_label
from digitizer.dicom.compare import compare
from digitizer.dicom.pixels import decode_pixels, pixel_sha256, transcode

__all__ = [
    "compare",
    "decode_pixels",
    "frames_class",
    "make_film",
    "make_frames",
    "make_label",
    "pixel_sha256",
    "transcode",
]
