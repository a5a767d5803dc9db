"""An older instance as an archive gives it back, compared with what was sent."""

from io import BytesIO

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement

from digitizer.dicom.header import twin_of
from digitizer.dicom.old_file import OldFile, examine, rewritten
from digitizer.dicom.pixels import decode_pixels, pixel_sha256

__all__ = ["compare_old", "same_instance"]

_ORIGINALS = "OriginalAttributesSequence"
_NOT_COMPARED = frozenset((0x00080005, 0x04000561))
"""Specific Character Set, since text is compared as it reads; and Original Attributes, which are
compared item by item, where they must be there at all."""


def compare_old(
    written: OldFile, content: bytes, *, with_originals: bool = False
) -> tuple[str, ...]:
    """Name the attributes that differ, and ``PixelData`` when the picture does.

    Every value that was written must be there, sequences and documents included; an archive may add
    elements of its own. Pixel data is compared as encoded in one transfer syntax, else decoded.

    Parameters
    ----------
    written : OldFile
        As it was sent.
    content : bytes
        The Part 10 file that came back.
    with_originals : bool
        Every item of Original Attributes that was written must be there, beside any others: so of
        what we sent. What an archive had by itself was changed by others, or not at all.
    """
    came = examine(content)
    differences = _differing(written, came, with_originals=with_originals)
    if written.pixel_sha256 != came.pixel_sha256 and not _same_picture(written, came):
        differences.append("PixelData")
    return tuple(dict.fromkeys(differences))


def same_instance(one: OldFile, other: OldFile) -> bool:
    """Tell whether two datasets are one instance written twice: every value and the picture.

    A disc burnt from a PACS holds its instances in another transfer syntax, with other group
    lengths, and otherwise the same.
    """
    try:
        if _elements(one) != _elements(other):
            return False
    except Exception:
        # What cannot be decoded cannot be said to be the same.
        return False
    return one.pixel_sha256 == other.pixel_sha256 or _same_picture(one, other)


def _elements(old: OldFile) -> Dataset:
    found = twin_of(old.header)
    for tag in [tag for tag in tuple(found.keys()) if tag.element == 0]:
        del found[tag]
    found.decode()
    return found


def _differing(written: OldFile, came: OldFile, *, with_originals: bool) -> list[str]:
    """Return the elements whose values are not there as they were written."""
    try:
        ours, theirs = _elements(written), _elements(came)
        lacking = [_ORIGINALS] if with_originals and _lacks_originals(ours, theirs) else []
        return lacking + [
            ours[tag].keyword or str(tag)
            for tag in tuple(ours.keys())
            if int(tag) not in _NOT_COMPARED and not _is_same(ours[tag], theirs.get(tag))
        ]
    except Exception:
        # What cannot be decoded cannot be said to be the same.
        return ["header"]


def _lacks_originals(ours: Dataset, theirs: Dataset) -> bool:
    there = theirs.get(_ORIGINALS) or ()
    return any(
        not any(_holds(other, item) for other in there) for item in ours.get(_ORIGINALS) or ()
    )


def _holds(theirs: Dataset, ours: Dataset) -> bool:
    """Tell whether an item has all that was written in another; in items of its own as well."""
    for element in ours:
        other = theirs.get(element.tag)
        if element.VR != "SQ":
            if not _is_same(element, other):
                return False
            continue
        items = other.value if other is not None else ()
        if len(items) != len(element.value):
            return False
        if not all(_holds(one, mine) for one, mine in zip(items, element.value, strict=True)):
            return False
    return True


def _is_same(ours: DataElement, theirs: DataElement | None) -> bool:
    if theirs is None:
        return ours.is_empty
    # Only the value: what one writes as UN another knows the VR of.
    return bool(ours.value == theirs.value or (ours.is_empty and theirs.is_empty))


def _same_picture(written: OldFile, came: OldFile) -> bool:
    try:
        return _decoded(written) == _decoded(came)
    except Exception:
        # What cannot be decoded cannot be said to be the same.
        return False


def _decoded(old: OldFile) -> str:
    """Return the hash of the decoded pixels of an instance."""
    return pixel_sha256(decode_pixels(dcmread(BytesIO(rewritten(old)))))
