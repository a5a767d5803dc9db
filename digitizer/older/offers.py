"""What is offered to a peer that sends to us: SOP classes and transfer syntaxes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

__all__ = [
    "Context",
    "classes_of",
    "every_class",
    "every_syntax",
    "offers",
    "offers_one_by_one",
    "syntaxes_for",
]

_MOST_CONTEXTS = 127
"""Presentation contexts of one association are 128 (PS3.8 9.3.2.2); one is for the service."""
_NATIVE = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
)
_STILL = tuple(
    f"1.2.840.10008.1.2.{tail}"
    for tail in ("4.50", "4.51", "4.57", "4.70", "4.80", "4.81", "4.90", "4.91", "5",
                 "4.92", "4.93", "4.201", "4.202", "4.203")
)  # fmt: skip
_MOVING = tuple(f"1.2.840.10008.1.2.4.{tail}" for tail in range(100, 109))
_BY_REFERENCE = ("JPIP", "MIME", "XML", "SMPTE", "Papyrus")
"""Syntaxes in which the picture does not come with the instance, or that are none."""
_NO_PICTURE = re.compile(
    r"\bSR\b|Document|Presentation State|Waveform|ECG|Encapsulated|RT (Plan|Ion Plan|Structure)"
    r"|Treatment|Registration|Fiducials|LUT|Curve|Measurements|Surface|Key Object|Raw Data"
)
_MANY_FRAMES = re.compile(
    r"Multi-frame|Video|Ultrasound|Angiographic|Radiofluoroscopic|Enhanced|Legacy|\bVL\b"
    r"|Endoscop|Microscop|Photograph|Ophthalmic|Tomography|X-Ray 3D|Intravascular|Visible Light"
)
"""Classes that may hold a film of many frames: others are offered in moving syntaxes only where an
instance did not come otherwise."""
_BY_MODALITY = {
    "CT": ("CT",),
    "MR": ("MR",),
    "US": ("Ultrasound",),
    "NM": ("Nuclear",),
    "PT": ("Positron", "PET"),
    "CR": ("Computed Radiography", "Digital X-Ray", "Secondary Capture"),
    "DX": ("Digital X-Ray", "Computed Radiography"),
    "MG": ("Mammography", "Breast", "Digital X-Ray"),
    "IO": ("Digital Intra-Oral", "Digital X-Ray"),
    "XA": ("X-Ray Angiographic", "X-Ray 3D"),
    "RF": ("X-Ray Radiofluoroscopic", "X-Ray Angiographic"),
    "SR": ("SR",),
    "KO": ("Key Object",),
    "PR": ("Presentation State",),
    "ECG": ("ECG", "Waveform"),
    "HD": ("Waveform",),
    "EPS": ("Waveform",),
    "AU": ("Audio",),
    "DOC": ("Encapsulated",),
    "SEG": ("Segmentation",),
    "REG": ("Registration",),
    "RTIMAGE": ("RT Image",),
    "RTDOSE": ("RT Dose",),
    "RTSTRUCT": ("RT Structure",),
    "RTPLAN": ("RT Plan", "RT Ion Plan"),
    "RTRECORD": ("Treatment",),
    "ES": ("Endoscopic", "VL"),
    "GM": ("Microscopic", "VL"),
    "SM": ("Microscopic", "VL"),
    "XC": ("Photographic", "VL"),
    "OP": ("Ophthalmic", "VL"),
    "OT": ("Secondary Capture",),
}
"""Words of the names of SOP classes, where a peer does not tell the class."""

Context = tuple[str, Sequence[str]]
"""Abstract syntax and transfer syntaxes of one presentation context."""


@cache
def every_class() -> tuple[str, ...]:
    """Return all storage SOP classes of the standard, retired ones included."""
    return tuple(
        uid
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and "Storage" in name and uid.startswith("1.2.840.10008.5.1.4.1.1.")
    )


@cache
def every_syntax() -> tuple[str, ...]:
    """Return all transfer syntaxes of the standard in which an instance comes whole."""
    named = (
        uid
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "Transfer Syntax" and not any(word in name for word in _BY_REFERENCE)
    )
    return tuple(dict.fromkeys((*_NATIVE, *named)))


@lru_cache(maxsize=100)
def classes_of(modality: str) -> tuple[str, ...]:
    """Return the storage classes that instances of a modality may be of; all where unknown."""
    words = (*_BY_MODALITY.get(modality.upper(), ()), "Secondary Capture")
    if modality.upper() not in _BY_MODALITY:
        return every_class()
    return tuple(
        uid
        for uid in every_class()
        if any(re.search(rf"\b{word}\b", UID(uid).name) for word in words)
    )


@lru_cache(maxsize=1000)
def syntaxes_for(sop_class: str) -> tuple[str, ...]:
    """Return in what instances of a class may be stored."""
    if _NO_PICTURE.search(UID(sop_class).name):
        return _NATIVE
    return _NATIVE + _STILL + (_MOVING if _MANY_FRAMES.search(UID(sop_class).name) else ())


def offers(sop_classes: Iterable[str]) -> Iterator[tuple[tuple[str, ...], list[Context]]]:
    """Yield classes with their contexts, as many at once as an association takes.

    A context of its own for each syntax: then a peer may send each instance as it is stored.
    """
    some: list[str] = []
    contexts: list[Context] = []
    for sop_class in dict.fromkeys(sop_classes):
        more: list[Context] = [(sop_class, [syntax]) for syntax in syntaxes_for(sop_class)]
        if len(contexts) + len(more) > _MOST_CONTEXTS:
            yield tuple(some), contexts
            some, contexts = [], []
        some.append(sop_class)
        contexts += more
    if some:
        yield tuple(some), contexts


def offers_one_by_one(
    sop_classes: Iterable[str],
) -> Iterator[tuple[tuple[str, ...], list[Context]]]:
    """Yield classes with a single syntax for each, one compressed syntax after the other.

    For a peer that uses the first context of a class, whatever an instance is stored in.
    """
    pictures = [name for name in dict.fromkeys(sop_classes) if len(syntaxes_for(name)) > 4]
    for syntax in _STILL + _MOVING:
        for start in range(0, len(pictures), _MOST_CONTEXTS):
            some = tuple(pictures[start : start + _MOST_CONTEXTS])
            yield some, [(name, [syntax]) for name in some]
