"""Weights a site has adopted: how its own readings differ from what the built-in weights assume.

The built-in weights (:mod:`digitizer.identity.compare`) assume that a number is read with a wrong
character once in sixty times, and so on. What a site estimates of its own films
(:mod:`digitizer.identity.estimation`) may be adopted by a person: each level of agreement then
weighs log2(m of the site / m assumed) more or less. u is not shifted: that of names is counted in
the index itself, that of numbers and dates follows from their form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log2
from types import MappingProxyType

from digitizer.identity.estimation import Estimate
from digitizer.model.identity import Agreement
from digitizer.model.reading import FieldName

__all__ = ["ASSUMED", "BUILT_IN", "Shifts", "Weights", "shifts_of"]

Shifts = Mapping[FieldName, Mapping[Agreement, float]]
"""Bits to be added to a field's weight, by how it agrees."""

_LEVELS = (Agreement.AGREES, Agreement.SIMILAR, Agreement.DISAGREES)
_MOST_BITS = 3.0
"""A shift beyond this rests on too few films, or on films that are not what they seem."""


def _rates(similar: float, disagrees: float) -> Mapping[Agreement, float]:
    shares = (1 - similar - disagrees, similar, disagrees)
    return MappingProxyType(dict(zip(_LEVELS, shares, strict=True)))


ASSUMED: Mapping[FieldName, Mapping[Agreement, float]] = MappingProxyType(
    {
        FieldName.PATIENT_ID: _rates(1 / 64, 1 / 128),
        FieldName.ACCESSION_NUMBER: _rates(1 / 64, 1 / 128),
        FieldName.FAMILY_NAME: _rates(1 / 32, 1 / 256),
        FieldName.GIVEN_NAME: _rates(1 / 16, 1 / 64),
        FieldName.BIRTH_DATE: _rates(1 / 64, 1 / 128),
    }
)
"""How often a field of the right patient is read so, as the built-in weights assume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What is added to the built-in weights, for films and for labels.

    Attributes
    ----------
    name : str
        Under which a decision tells what it was weighed with; empty for the built-in ones.
    film, label : mapping
    """

    name: str = ""
    film: Shifts = field(default_factory=dict)
    label: Shifts = field(default_factory=dict)


BUILT_IN = Weights()


def shifts_of(estimate: Estimate) -> dict[FieldName, dict[Agreement, float]]:
    """Return how much a site's estimate moves the weights, in bits, three at most either way."""
    found: dict[FieldName, dict[Agreement, float]] = {}
    for name, assumed in ASSUMED.items():
        if name in estimate.m:
            bits = {how: log2(estimate.m[name][how] / assumed[how]) for how in _LEVELS}
            found[name] = {how: _limited(value) for how, value in bits.items()}
    return found


def _limited(bits: float) -> float:
    return round(max(-_MOST_BITS, min(_MOST_BITS, bits)), 3)
