"""How sure a rate is that was counted."""

__all__ = ["interval", "upper_bound"]


def interval(wrong: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a rate (Clopper and Pearson 1934).

    Parameters
    ----------
    wrong, of : int
        Hits and trials; of none, nothing is known: 0 to 1.
    confidence : float
    """
    tail = (1 - confidence) / 2
    low = _quantile(wrong, of - wrong + 1, tail) if wrong else 0.0
    return low, upper_bound(wrong, of, 1 - tail)


def upper_bound(wrong: float, of: float, confidence: float = 0.95) -> float:
    """Return the one-sided upper bound of a rate; of nothing, nothing is known."""
    return _quantile(wrong + 1, of - wrong, confidence) if wrong < of else 1.0


def _quantile(a: float, b: float, at: float) -> float:
    """Return a quantile of the beta distribution."""
    # Loaded when first used: it takes as long as all our own modules of this package.
    from scipy.special import betaincinv

    return float(betaincinv(a, b, at))
