"""What a site decides about deciding."""

from dataclasses import dataclass

__all__ = ["PolicySettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """How sure is sure enough."""

    budget_per_100k: float = 4.0
    """Wrong filings the site accepts per 100,000; live departments misfile about four."""
    shadow: bool = False
    """Decide, but file nothing without a person."""
    gap_bits: float = 10.0
    """Bits of evidence by which the best candidate must lead the next one."""
    in_index: float = 0.9
    """Share of patients met on films who are in the index, before anything is read."""

    @property
    def least_posterior(self) -> float:
        """Posterior from which a film may be filed by itself."""
        return 1.0 - self.budget_per_100k / 100_000
