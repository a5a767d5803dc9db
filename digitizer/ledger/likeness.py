"""Fingerprints in bands: like ones are found without comparing all (multi-index hashing).

Two hashes that differ in d bits agree in all but d/(r+1) of their bands up to r bits each; so only
sheets that share that many bands, give or take r bits, are compared. The pigeonhole is that of
Norouzi, Punjani and Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012.
"""

from dataclasses import dataclass
from itertools import combinations

__all__ = ["Search", "band_keys", "distance_of", "search_for"]

_DIGITS = 4
"""Hex digits of a band: 16 bits, so that a band alone leaves some dozens of a million sheets."""
_BITS = 4 * _DIGITS
_MOST_FLIPPED = 2
"""Beyond this radius a band has so many neighbours that reading all fingerprints is as quick."""


@dataclass(frozen=True, slots=True)
class Search:
    """Keys to look for, and how many of them a like sheet has at least."""

    keys: tuple[int, ...]
    shared: int


def band_keys(fingerprint: str) -> list[int]:
    """Return one number for each band of a fingerprint (hex): its place and its bits.

    Raises
    ------
    ValueError
        The fingerprint is not hex.
    """
    starts = range(0, len(fingerprint), _DIGITS)
    return [
        (place << _BITS) | int(fingerprint[start : start + _DIGITS], 16)
        for place, start in enumerate(starts)
    ]


def search_for(fingerprint: str, distance: int) -> Search | None:
    """Return what finds all fingerprints within a distance in bits; None: all must be read."""
    bands = band_keys(fingerprint)
    for flipped in range(_MOST_FLIPPED + 1):
        shared = len(bands) - distance // (flipped + 1)
        if shared > 0:
            masks = [
                sum(1 << bit for bit in bits)
                for count in range(flipped + 1)
                for bits in combinations(range(_BITS), count)
            ]
            return Search(tuple(band ^ mask for band in bands for mask in masks), shared)
    return None


def distance_of(one: str, other: str) -> int:
    """Count the bits in which two fingerprints differ; those of other lengths are far away."""
    if len(one) != len(other):
        return 4 * max(len(one), len(other)) + 1
    return (int(one, 16) ^ int(other, 16)).bit_count()
