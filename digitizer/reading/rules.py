"""What a site can set: patterns of numbers, order of dates, and the vocabulary of exams."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

__all__ = ["GrammarSettings", "ReadingRules", "Vocabulary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrammarSettings:
    """How this site writes numbers and dates."""

    day_first: bool = False
    """Whether 03/04/1978 is the third of April; where a month's name or order tells, it is not used."""
    record_number: str = r"[A-Z]?\d{5,10}"
    """Regular expression of a record number."""
    accession_number: str = r"[A-Z]{1,3}\d{2}-\d{3,7}|[A-Z]{1,2}\d{6,10}|\d{8}"
    """Regular expression of an accession number."""
    jacket_barcode: str = r"J[A-Z]?\d{4,10}"
    """Regular expression of a jacket's own barcode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Words of exams, by what they tell: body part, modality, laterality, and stamps."""

    body_parts: Mapping[str, str]
    modalities: Mapping[str, str]
    views: frozenset[str]
    stamps: frozenset[str]
    institutions: frozenset[str]

    @classmethod
    def load(cls, text: str) -> "Vocabulary":
        """Read a vocabulary from TOML; raises ``ValueError`` when it is none."""
        table = tomllib.loads(text)
        return cls(
            body_parts={word: part for part, words in table["body_part"].items() for word in words},
            modalities={word: kind for kind, words in table["modality"].items() for word in words},
            views=frozenset(table["views"]["words"]),
            stamps=frozenset(table["stamps"]["words"]),
            institutions=frozenset(table["institutions"]["words"]),
        )

    @classmethod
    def builtin(cls) -> "Vocabulary":
        """Return the vocabulary that comes with the product."""
        file = resources.files("digitizer.reading").joinpath("vocabulary.toml")
        return cls.load(file.read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRules:
    """Vocabulary and grammar together."""

    vocabulary: Vocabulary = field(default_factory=Vocabulary.builtin)
    grammar: GrammarSettings = field(default_factory=GrammarSettings)

