"""What a site can set: patterns of numbers, order of dates, and the vocabulary of exams."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any

from digitizer.reading.wordlist import WordList

__all__ = ["CHECKS", "GrammarSettings", "ReadingRules", "Vocabulary"]

CHECKS = ("luhn", "mod11")
"""Check digits that can be named in the settings."""
_TABLES = frozenset(
    {"body_part", "modality", "laterality", "paired", "views", "stamps", "institutions", "names"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrammarSettings:
    """How this site writes numbers and dates."""

    day_first: bool = False
    """Whether 03/04/1978 is the third of April; dots and names of months tell without it."""
    record_number: str = r"[A-Z]?\d{5,10}"
    """Regular expression of a record number."""
    accession_number: str = r"[A-Z]{1,3}\d{2}-\d{3,7}|[A-Z]{1,2}\d{6,10}|\d{8}"
    """Regular expression of an accession number."""
    jacket_barcode: str = r"J[A-Z]?\d{4,10}"
    """Regular expression of a jacket's own barcode."""
    issuers: tuple[str, ...] = ()
    """Record numbers told apart by their form, each as ISSUER=regular expression."""
    check_digits: tuple[str, ...] = ()
    """Record numbers whose last digit checks the others, each as ISSUER=luhn or ISSUER=mod11."""
    vocabulary: str = ""
    """TOML file of words of exams, stamps, institutions, given names; empty: the built-in ones."""

    def __post_init__(self) -> None:
        """Refuse patterns that are none.

        Raises
        ------
        ValueError
            A regular expression is malformed, or an entry is not NAME=VALUE.
        """
        patterns = [self.record_number, self.accession_number, self.jacket_barcode]
        patterns += [_pair(entry)[1] for entry in self.issuers]
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        for entry in self.check_digits:
            if _pair(entry)[1] not in CHECKS:
                raise ValueError(f"{entry!r}: a check digit is one of {', '.join(CHECKS)}")

    def issuer_patterns(self) -> tuple[tuple[str, str], ...]:
        """Return issuers with the form of their numbers."""
        return tuple(_pair(entry) for entry in self.issuers)

    def check_of(self, issuer: str) -> str:
        """Return the check of an issuer's numbers, or nothing."""
        return dict(_pair(entry) for entry in self.check_digits).get(issuer, "")


def _pair(entry: str) -> tuple[str, str]:
    name, sign, value = entry.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise ValueError(f"{entry!r} is not of the form NAME=VALUE")
    return name.strip(), value.strip()


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Words of exams, by what they tell; stamps, institutions and given names.

    Attributes
    ----------
    body_parts, modalities : mapping
        Words (or several, with single spaces) to the term of DICOM.
    views : frozenset of str
        Words of projections.
    stamps, institutions : frozenset of str
        What is never a name.
    given_names : frozenset of str
        Tell the order of bare names.
    sides : mapping
        Words to L, R or B.
    paired : frozenset of str
        Terms of parts that everybody has twice: a lone L or R beside them is their side.
    """

    body_parts: Mapping[str, str]
    modalities: Mapping[str, str]
    views: frozenset[str]
    stamps: frozenset[str]
    institutions: frozenset[str]
    given_names: frozenset[str] = frozenset()
    sides: Mapping[str, str] = field(default_factory=dict)
    paired: frozenset[str] = frozenset()

    @cached_property
    def words_of_parts(self) -> WordList:
        """Words of parts of the body."""
        return WordList(self.body_parts)

    @cached_property
    def words_of_modalities(self) -> WordList:
        """Words of modalities."""
        return WordList(self.modalities)

    @cached_property
    def words_of_stamps(self) -> WordList:
        """Single words of stamps."""
        return WordList(sorted({word for text in self.stamps for word in text.split()}))

    @cached_property
    def known_words(self) -> WordList:
        """Words of exams, views and stamps, which belong to no bare name."""
        exams = (*self.body_parts, *self.modalities, *self.sides)
        return WordList(sorted({*exams, *self.views, *self.words_of_stamps.words}))

    @classmethod
    def load(cls, text: str) -> "Vocabulary":
        """Read a vocabulary from TOML; tables it does not have are the built-in ones.

        Raises
        ------
        ValueError
            It is no TOML, or a table is unknown or of the wrong shape.
        """
        own = tomllib.loads(text)
        table = {**tomllib.loads(_builtin_text()), **own}
        unknown = sorted(set(own) - _TABLES)
        if unknown:
            raise ValueError(f"a vocabulary has no table {unknown[0]!r}")
        try:
            return cls(
                body_parts=_by_word(table["body_part"]),
                modalities=_by_word(table["modality"]),
                views=frozenset(_words(table["views"]["words"])),
                stamps=frozenset(_words(table["stamps"]["words"])),
                institutions=frozenset(_words(table["institutions"]["words"])),
                given_names=frozenset(_words(table["names"]["given"])),
                sides=_by_word(table["laterality"]),
                paired=frozenset(_words(table["paired"]["parts"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the vocabulary lacks or garbles {error}") from None

    @classmethod
    def builtin(cls) -> "Vocabulary":
        """Return the vocabulary that comes with the product."""
        return cls.load("")


def _builtin_text() -> str:
    return resources.files("digitizer.reading").joinpath("vocabulary.toml").read_text("utf-8")


def _words(listed: Any) -> tuple[str, ...]:
    """Return a list of words.

    Raises
    ------
    TypeError
        It is none.
    """
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise TypeError(f"{str(listed)[:40]!r}, where a list of words belongs")
    return tuple(word.upper() for word in listed)


def _by_word(table: Mapping[str, Any]) -> Mapping[str, str]:
    return MappingProxyType(
        {word: term for term, listed in table.items() for word in _words(listed)}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRules:
    """Vocabulary and grammar together."""

    vocabulary: Vocabulary = field(default_factory=Vocabulary.builtin)
    grammar: GrammarSettings = field(default_factory=GrammarSettings)
