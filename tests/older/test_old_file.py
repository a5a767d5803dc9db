"""Instances of others: told whole or cut off, changed in the header, never in the picture."""

import io
import struct
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from old_instances import an_instance, sample_files
from pydicom import Dataset

from digitizer import dicom
from digitizer.dicom.header import Writing, declared_charsets, text_of, writing_of
from digitizer.dicom.old_file import rewritten
from digitizer.errors import BadScan

SAMPLES = sample_files()


@pytest.mark.filterwarnings("ignore")
def test_every_sample_is_read_and_written_again_as_it_was() -> None:
    """All syntaxes pydicom ships: the same elements, the same picture to the byte."""
    seen, refused = set(), []
    for path in SAMPLES:
        content = path.read_bytes()
        try:
            old = dicom.examine(content)
        except BadScan as error:
            bears_no_uid = "bears no usable" in error.message
            refused.append((path.name, error.code, bears_no_uid))
            continue
        seen.add(old.syntax.name)
        for again in (rewritten(old), rewritten(old, old.header)):
            come_back = dicom.examine(again)
            assert come_back.pixel_sha256 == old.pixel_sha256, path.name
            assert elements_of(again) == elements_of(content), path.name
        assert dicom.examine(rewritten(old)).data_sha256 == old.data_sha256
    assert len(seen) >= 10, seen
    codes = {code for _, code, _ in refused}
    assert codes <= {"unsupported_format", "truncated_file", "corrupt_file"}
    garbled = [name for name, code, named in refused if code == "corrupt_file" and not named]
    assert garbled == ["SC_rgb_jpeg.dcm"]


def elements_of(content: bytes) -> Dataset:
    """Return a dataset without its group lengths, which are no information (PS3.5 7.2)."""
    dataset = pydicom.dcmread(io.BytesIO(content), force=True)
    for tag in [one for one in tuple(dataset.keys()) if one.element == 0]:
        del dataset[tag]
    return dataset


def test_a_file_cut_off_anywhere_is_never_taken_for_whole() -> None:
    """Native and encapsulated, with and without a preamble."""
    for kwargs in ({}, {"encapsulated": True}, {"implicit": True, "preamble": False}):
        content = an_instance(**kwargs)
        dicom.examine(content)
        for end in {*range(0, len(content), 7), *range(len(content) - 16, len(content))}:
            with pytest.raises(BadScan) as told:
                dicom.examine(content[:end])
            assert told.value.code in (
                "truncated_file", "corrupt_file", "unsupported_format", "empty_file"
            )  # fmt: skip


@pytest.mark.parametrize("implicit", [False, True])
def test_a_file_that_is_cut_off_is_told_as_damaged(implicit: bool) -> None:
    """From its preamble on it is nothing that may be thrown away unseen, wherever it ends."""
    content = an_instance(implicit=implicit)
    for end in range(132, len(content)):
        with pytest.raises(BadScan) as told:
            dicom.examine(content[:end])
        # Cut between two elements it may have been written so.
        assert told.value.code in ("truncated_file", "corrupt_file")


def test_what_belongs_to_no_study_is_no_damaged_picture() -> None:
    """A palette has no patient; a picture without its study is damaged."""
    palette = (Path(pydicom.__file__).parent / "data/palettes/hotiron.dcm").read_bytes()
    for content, code in (
        (palette, "unsupported_format"),
        (an_instance(StudyInstanceUID=None), "corrupt_file"),
    ):
        with pytest.raises(BadScan) as told:
            dicom.examine(content)
        assert told.value.code == code


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 600))
def test_garbage_is_refused_and_never_more(noise: bytes, at: int) -> None:
    """Whatever bytes stand there, the answer is an instance or a reason."""
    content = an_instance()
    for hostile in (noise, content[:at] + noise + content[at + len(noise) :]):
        try:
            dicom.header_of(dicom.examine(hostile).header)
        except BadScan:
            continue


def test_sequences_nested_without_end_are_refused() -> None:
    """A file of nothing but open sequences exhausts nobody's stack."""
    opened = struct.pack("<HH2sHL", 0x0008, 0x1115, b"SQ", 0, 0xFFFFFFFF)
    opened += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    content = b"\0" * 128 + b"DICM" + opened * 5000
    with pytest.raises(BadScan):
        dicom.examine(content)


@pytest.mark.parametrize(
    ("declared", "encoded", "writing"),
    [
        ("", "latin-1", Writing.UNDECLARED),
        ("", "utf-8", Writing.UTF_8),
        ("ISO_IR 100", "latin-1", Writing.AS_DECLARED),
        ("ISO_IR 100", "utf-8", Writing.UTF_8),
        ("ISO_IR 192", "utf-8", Writing.AS_DECLARED),
    ],
)
def test_a_name_is_read_in_what_it_is_written_in(
    declared: str, encoded: str, writing: Writing
) -> None:
    """Old archives declare one set and write another; the rules mend the declaration alone."""
    content = an_instance(PatientName="MÜLLER^JÖRG", charset=declared, encoded=encoded)
    old = dicom.examine(content)
    assert writing_of(old.header) is writing
    assert dicom.header_of(old.header).name == "MÜLLER^JÖRG"
    mended = dicom.apply_rules(old.header, dicom.read_rules(dicom.BUILT_IN))
    again = pydicom.dcmread(io.BytesIO(rewritten(old, mended.header)))
    assert str(again.PatientName) == "MÜLLER^JÖRG"
    assert text_of(old.header, "PatientName") == "MÜLLER^JÖRG"
    assert (mended.header is old.header) is (writing is Writing.AS_DECLARED)
    assert declared_charsets(old.header) == ((declared,) if declared else ())


def test_one_garbled_text_does_not_rename_all_others() -> None:
    """A name cut in the middle of a sign stays garbled; what is declared stays declared."""
    content = an_instance(charset="ISO_IR 192", encoded="utf-8", PatientName="MÜLLER^JÖRG")
    cut = content.replace("JÖRG".encode(), b"J\xc3RG ")
    old = dicom.examine(cut)
    assert writing_of(old.header) is Writing.AS_DECLARED
    assert dicom.apply_rules(old.header, dicom.read_rules(dicom.BUILT_IN)).changes == ()
    assert "JÖRG" not in dicom.header_of(old.header).name


def test_a_list_of_a_disc_is_known_by_its_class(tmp_path: Path) -> None:
    """Its names are relative to its folder, and say which instance each file is."""
    path = next(one for one in SAMPLES if one.name == "DICOMDIR" and "dicomdirtests" in str(one))
    content = path.read_bytes()
    assert dicom.is_directory(content)
    listed = dicom.listed_files(content, "disc 7/DICOMDIR")
    assert all(one.place.startswith("disc 7/") and one.sop_instance_uid for one in listed)
    assert len(listed) == 31
    assert not dicom.is_directory(an_instance())
