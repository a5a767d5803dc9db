"""The header of an instance as people read it: one line an attribute, pixels left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from pydicom import DataElement, Dataset, dcmread
from pydicom.uid import UID

__all__ = ["HeaderLine", "header_lines"]

_LONGEST = 256
_DEEPEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderLine:
    """One attribute.

    Attributes
    ----------
    depth : int
        How many sequences it lies in.
    """

    depth: int
    tag: str
    vr: str
    name: str
    value: str


def header_lines(content: bytes) -> tuple[HeaderLine, ...]:
    """Return the attributes of a Part 10 file in order, those of its sequences after each.

    Parameters
    ----------
    content : bytes
        An instance of ours.
    """
    dataset = dcmread(BytesIO(content), stop_before_pixels=True)
    return (*_lines(dataset.file_meta, 0), *_lines(dataset, 0))


def _lines(dataset: Dataset, depth: int) -> Iterator[HeaderLine]:
    for element in dataset:
        sequence = element.VR == "SQ"
        yield HeaderLine(
            depth=depth,
            tag=str(element.tag),
            vr=element.VR,
            name=element.name,
            value=f"{len(element.value)} items" if sequence else _words(element),
        )
        if sequence and depth < _DEEPEST:
            for item in element.value:
                yield from _lines(item, depth + 1)


def _words(element: DataElement) -> str:
    if isinstance(element.value, bytes):
        return f"{len(element.value)} bytes"
    text = str(element.value)
    if isinstance(element.value, UID) and element.value.name != text:
        text = f"{text} ({element.value.name})"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
