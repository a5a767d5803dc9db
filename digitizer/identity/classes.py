"""Classes of evidence, and how sure each may claim to be: no surer than it was measured.

A patient's class is what on the film itself ties it to the patient; an exam's class is what tells
the exam. Of n films of a class of which k were filed wrongly, the posterior is capped at one minus
the upper 95 % bound of the rate (Clopper and Pearson 1934; for k = 0 the rule of three, Hanley and
Lippman-Hand 1983). What was measured, and how, stands in ``measured.toml``.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import cache
from importlib import resources
from types import MappingProxyType

from digitizer.identity.intervals import upper_bound
from digitizer.identity.linkage import Linked
from digitizer.model.reading import FieldName

__all__ = ["CLASSES", "UNCAPPED", "Caps", "EvidenceClass", "ExamEvidence", "class_of"]


@unique
class EvidenceClass(StrEnum):
    """What on the film ties it to its patient."""

    NUMBER = "number"
    """The record number as it is, with one identifier more."""
    ACCESSION = "accession"
    """An accession number of the patient's, with one identifier more; no record number."""
    TIED = "tied"
    """Neither: name and birth date or day with the label's number, or a number one sign off."""


@unique
class ExamEvidence(StrEnum):
    """What on the film tells its exam."""

    NUMBER = "number"
    """The accession number as it is."""
    NUMBER_NEAR = "number_near"
    """The accession number with one wrong character."""
    DAY_PART = "day_part"
    """The day with the part of the body."""
    DAY = "day"
    """The day alone, or with a part that the exam does not tell."""
    MINTED = "minted"
    """The day, of an exam that the index lacks; the jacket's log has it too."""


CLASSES: Mapping[EvidenceClass, str] = {
    EvidenceClass.NUMBER: "record number and another identifier on the film",
    EvidenceClass.ACCESSION: "accession number and another identifier on the film",
    EvidenceClass.TIED: "name and a date on the film, with the label's number or one near it",
}
"""Each class in a clerk's words."""

_BORROWED = 0.5
"""What a film of another class counts beside one of a class's own (power prior, Ibrahim and Chen
2000): a class that was hardly measured is believed half of what all together were."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that a posterior may claim, by class of evidence.

    Attributes
    ----------
    patient, exam : mapping of str to float
        Class to cap; a class that is not there claims nothing.
    """

    patient: Mapping[str, float]
    exam: Mapping[str, float]

    @staticmethod
    @cache
    def measured() -> "Caps":
        """Return the caps that come with the product."""
        text = resources.files("digitizer.identity").joinpath("measured.toml").read_text("utf-8")
        return Caps.of(tomllib.loads(text))

    @classmethod
    def of(cls, table: Mapping[str, Mapping[str, Mapping[str, int]]]) -> "Caps":
        """Return the caps of what was measured.

        Parameters
        ----------
        table : mapping
            ``patient`` and ``exam``, each class to ``wrong`` and ``filed``.
        """
        return cls(
            patient=_caps(table["patient"], [kind.value for kind in EvidenceClass]),
            exam=_caps(table["exam"], [kind.value for kind in ExamEvidence]),
        )


def _caps(measured: Mapping[str, Mapping[str, int]], kinds: list[str]) -> Mapping[str, float]:
    counts = {kind: (one["wrong"], one["filed"]) for kind, one in measured.items()}
    every = tuple(sum(column) for column in zip(*counts.values(), strict=True))
    caps = {kind: 1.0 - _class_bound(counts.get(kind, (0, 0)), every) for kind in kinds}
    return MappingProxyType(caps)


def _class_bound(own: tuple[int, int], every: tuple[int, ...]) -> float:
    """Return the bound of a class: its own, or the pooled one where that says too little.

    A class in which something went wrong answers for itself.
    """
    (wrong, of), (all_wrong, all_of) = own, every
    if wrong:
        return upper_bound(wrong, of)
    return min(
        upper_bound(wrong, of), upper_bound(_BORROWED * all_wrong, of + _BORROWED * (all_of - of))
    )


UNCAPPED = Caps(
    patient=MappingProxyType(dict.fromkeys((kind.value for kind in EvidenceClass), 1.0)),
    exam=MappingProxyType(dict.fromkeys((kind.value for kind in ExamEvidence), 1.0)),
)
"""For measuring what the caps are made of."""


def class_of(best: Linked) -> EvidenceClass:
    """Return the class of a candidate's evidence."""
    if best.agrees(FieldName.PATIENT_ID, on_film=True):
        return EvidenceClass.NUMBER
    if best.agrees(FieldName.ACCESSION_NUMBER, on_film=True):
        return EvidenceClass.ACCESSION
    return EvidenceClass.TIED
