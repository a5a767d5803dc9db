"""Words that texts are searched for, a million times: exact, or with one character misread."""

from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract_iter

__all__ = ["WordList"]

_LOOSE = 5
"""Shorter words must be read exactly: LEG and LEE are one character apart."""
_KEPT = 20_000
"""Answers of searches that are kept: sheets of one archive bear the same words."""


class WordList:
    """Words, or several with single spaces, in their order; and how to find them.

    Parameters
    ----------
    words : iterable of str
        In upper case.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._all = frozenset(self.words)
        self._long = tuple(word for word in self.words if len(word) >= _LOOSE)
        self._most = max((word.count(" ") + 1 for word in self.words), default=0)
        self.near = lru_cache(maxsize=_KEPT)(self._near)

    def __contains__(self, word: str) -> bool:
        """Tell whether a word is one of these as it stands."""
        return word in self._all

    def among(self, tokens: list[str]) -> set[str]:
        """Return the words that stand in a text, given as its tokens."""
        return {
            text
            for first in range(len(tokens))
            for last in range(first + 1, min(first + self._most, len(tokens)) + 1)
            if (text := " ".join(tokens[first:last])) in self._all
        }

    def _near(self, token: str) -> frozenset[str]:
        """Return the long words that a token is, with one character misread at most."""
        if len(token) < _LOOSE - 1:
            return frozenset()
        near = extract_iter(token, self._long, scorer=OSA.distance, score_cutoff=1)
        return frozenset(word for word, _, _ in near)
