"""Values in, Part 10 bytes out: Secondary Capture instances and their comparison."""

from digitizer.dicom.capture import frames_class, make_film, make_frames, make_label
from digitizer.dicom.compare import compare
from digitizer.dicom.listing import HeaderLine, header_lines
from digitizer.dicom.pixels import decode_pixels, pixel_sha256, transcode

__all__ = [
    "HeaderLine",
    "compare",
    "decode_pixels",
    "frames_class",
    "header_lines",
    "make_film",
    "make_frames",
    "make_label",
    "pixel_sha256",
    "transcode",
]
