"""How sure a rate is that was counted."""

from scipy.special import betaincinv

__all__ = ["interval"]


def interval(wrong: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a rate (Clopper and Pearson 1934).

    Parameters
    ----------
    wrong, of : int
        Hits and trials; of none, nothing is known: 0 to 1.
    confidence : float
    """
    tail = (1 - confidence) / 2
    low = float(betaincinv(wrong, of - wrong + 1, tail)) if wrong else 0.0
    high = float(betaincinv(wrong + 1, of - wrong, 1 - tail)) if wrong < of else 1.0
    return low, high
