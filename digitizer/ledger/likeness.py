"""Fingerprints in bands: like ones are found without comparing all (multi-index hashing)."""

__all__ = ["band_keys", "bands_shared", "distance_of"]

_DIGITS = 4
"""Hex digits of a band: 16 bits, so that a band alone leaves some dozens of a million sheets."""


def band_keys(fingerprint: str) -> list[int]:
    """Return one number for each band of a fingerprint (hex): its place and its bits.

    Raises
    ------
    ValueError
        The fingerprint is not hex.
    """
    starts = range(0, len(fingerprint), _DIGITS)
    return [
        (place << 4 * _DIGITS) | int(fingerprint[start : start + _DIGITS], 16)
        for place, start in enumerate(starts)
    ]


def bands_shared(fingerprint: str, distance: int) -> int:
    """Return how many bands two fingerprints share at least that differ in ``distance`` bits."""
    return -(-len(fingerprint) // _DIGITS) - distance


def distance_of(one: str, other: str) -> int:
    """Count the bits in which two fingerprints differ; those of other lengths are far away."""
    if len(one) != len(other):
        return 4 * max(len(one), len(other)) + 1
    return (int(one, 16) ^ int(other, 16)).bit_count()
