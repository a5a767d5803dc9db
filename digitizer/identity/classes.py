"""Classes of evidence, and how sure each may claim to be: no surer than it was measured.

A class is what on the film itself ties it to the patient. The figures are of `make bench-identity`
(docs/architecture.md tells the runs); of n films of a class of which k were filed wrongly, the
posterior is capped at one minus the upper 95 % bound of the rate (Clopper and Pearson 1934; for
k = 0 the rule of three, Hanley and Lippman-Hand 1983).
"""

from collections.abc import Mapping
from enum import StrEnum, unique
from functools import cache

from scipy.stats import beta

from digitizer.identity.linkage import Linked
from digitizer.model.reading import FieldName

__all__ = ["CLASSES", "EvidenceClass", "cap", "class_of"]


@unique
class EvidenceClass(StrEnum):
    """What on the film ties it to its patient."""

    NUMBER = "number"
    """The record number as it is, with one identifier more."""
    ACCESSION = "accession"
    """An accession number of the patient's, with one identifier more; no record number."""
    TIED = "tied"
    """Neither: name and birth date or day with the label's number, or a number one sign off."""


CLASSES: Mapping[EvidenceClass, str] = {
    EvidenceClass.NUMBER: "record number and another identifier on the film",
    EvidenceClass.ACCESSION: "accession number and another identifier on the film",
    EvidenceClass.TIED: "name and a date on the film, with the label's number or one near it",
}
"""Each class in a clerk's words."""

_MEASURED: Mapping[EvidenceClass, tuple[int, int]] = {
    EvidenceClass.NUMBER: (0, 92_373),
    EvidenceClass.ACCESSION: (0, 92_373),
    EvidenceClass.TIED: (0, 92_373),
}
"""Films filed wrongly, and filed at all, of each class."""


def class_of(best: Linked) -> EvidenceClass:
    """Return the class of a candidate's evidence."""
    if best.agrees(FieldName.PATIENT_ID, on_film=True):
        return EvidenceClass.NUMBER
    if best.agrees(FieldName.ACCESSION_NUMBER, on_film=True):
        return EvidenceClass.ACCESSION
    return EvidenceClass.TIED


@cache
def cap(kind: EvidenceClass) -> float:
    """Return the most that a posterior of a class may claim."""
    wrong, of = _MEASURED[kind]
    return 1.0 - float(beta.ppf(0.95, wrong + 1, of - wrong))
