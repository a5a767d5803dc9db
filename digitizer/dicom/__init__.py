"""Values in, Part 10 bytes out: Secondary Capture instances and their comparison."""

from pydicom import Dataset as Header

from digitizer.dicom.capture import frames_class, make_film, make_frames, make_label
from digitizer.dicom.compare import compare
from digitizer.dicom.directory import Listed, listed_files
from digitizer.dicom.header import header_of, text_of, violations
from digitizer.dicom.listing import HeaderLine, header_lines
from digitizer.dicom.old_file import OldFile, examine, is_directory, is_whole_directory
from digitizer.dicom.part10 import part10
from digitizer.dicom.picture import PictureOrder, make_document, make_picture, placed
from digitizer.dicom.pixels import decode_pixels, pixel_sha256, transcode
from digitizer.dicom.recalled import changed_by_rule, compare_original, same_bulk
from digitizer.dicom.recoding import Adopted, Adoption, adopted, identity_changes
from digitizer.dicom.returned import compare_old, same_instance
from digitizer.dicom.rules import BUILT_IN, Change, RuleTable, apply_rules, read_rules

__all__ = [
    "BUILT_IN",
    "Adopted",
    "Adoption",
    "Change",
    "Header",
    "HeaderLine",
    "Listed",
    "OldFile",
    "PictureOrder",
    "RuleTable",
    "adopted",
    "apply_rules",
    "changed_by_rule",
    "compare",
    "compare_old",
    "compare_original",
    "decode_pixels",
    "examine",
    "frames_class",
    "header_lines",
    "header_of",
    "identity_changes",
    "is_directory",
    "is_whole_directory",
    "listed_files",
    "make_document",
    "make_film",
    "make_frames",
    "make_label",
    "make_picture",
    "part10",
    "pixel_sha256",
    "placed",
    "read_rules",
    "same_bulk",
    "same_instance",
    "text_of",
    "transcode",
    "violations",
]
