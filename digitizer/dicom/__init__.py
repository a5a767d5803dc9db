"""Values in, Part 10 bytes out: Secondary Capture instances and their comparison."""

from digitizer.dicom.capture import make_film, make_label
from digitizer.dicom.compare import compare
from digitizer.dicom.pixels import decode_pixels, pixel_sha256, transcode

__all__ = ["compare", "decode_pixels", "make_film", "make_label", "pixel_sha256", "transcode"]
