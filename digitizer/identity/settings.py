"""What a site decides about deciding."""

from dataclasses import dataclass

__all__ = ["PolicySettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """How sure is sure enough."""

    budget_per_100k: float = 4.0
    """Wrong filings the site accepts per 100,000; live departments misfile about four."""
    exam_budget_per_100k: float = 10.0
    """Films filed to the right patient's wrong exam that the site accepts per 100,000."""
    exams_missing: float = 0.15
    """Share of the exams met on films that the exam index lacks."""
    shadow: bool = False
    """Decide, but file nothing without a person."""
    blind_share: float = 0.02
    """Part of the films filed with no hand that a person looks at again blindly."""
    blind_planted: float = 0.1
    """Part of those that show another patient on purpose, to measure who looks."""
    gap_bits: float = 10.0
    """Bits of evidence by which the best candidate must lead the next one."""
    in_index: float = 0.9
    """Share of patients met on films who are in the index, before anything is read."""

    @property
    def least_posterior(self) -> float:
        """Posterior from which a film may be filed by itself."""
        return 1.0 - self.budget_per_100k / 100_000

    @property
    def least_exam_posterior(self) -> float:
        """Posterior of the exam from which a film may be filed by itself."""
        return 1.0 - self.exam_budget_per_100k / 100_000

    def __post_init__(self) -> None:
        for name in ("in_index", "exams_missing"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} lies between 0 and 1")
        for name in ("blind_share", "blind_planted"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a part of 1")
