"""Whether two films that look alike are told apart by what stands on them."""

from rapidfuzz.distance import OSA

from digitizer.identity.spelling import plain
from digitizer.model.reading import FieldName, Fields

__all__ = ["told_apart"]

_TELLING = (
    FieldName.PATIENT_ID,
    FieldName.ACCESSION_NUMBER,
    FieldName.FAMILY_NAME,
    FieldName.BIRTH_DATE,
    FieldName.STUDY_DATE,
)
_MISREAD = 2
"""Characters in which two readings of one text may differ; engines seldom miss more of a word."""


def told_apart(one: Fields, other: Fields) -> bool:
    """Tell whether two blocks are of different films: two identifiers differ plainly.

    One that differs is not enough: a second scan may have been read from under a stamp. What is
    read on one film only tells nothing.

    Parameters
    ----------
    one, other : Fields
        What each film itself says.
    """
    both = [name for name in _TELLING if name in one and name in other]
    differ = [
        name
        for name in both
        if OSA.distance(plain(one[name].value), plain(other[name].value)) > _MISREAD
    ]
    return len(differ) >= 2
