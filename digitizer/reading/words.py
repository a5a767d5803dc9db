"""Words that are no names: exams, stamps, institutions; told in spite of a misread character."""

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract_iter

from digitizer.reading.rules import Vocabulary

__all__ = ["ExamText", "exam_text", "is_known_word", "is_stamp", "names_institution"]

_LOOSE = 5
"""Shorter words must be read exactly: LEG and LEE are one character apart."""


@dataclass(frozen=True, slots=True)
class ExamText:
    """What a text says of an exam; empty where it says nothing."""

    description: str
    body_part: str
    modality: str
    laterality: str


def exam_text(text: str, vocabulary: Vocabulary) -> ExamText | None:
    """Read the text of an exam; None when it names no part of the body."""
    padded = " " + " ".join(re.findall(r"[A-Z0-9\-]+", text)) + " "
    parts = _hits(padded, tuple(vocabulary.body_parts), vocabulary.given_names)
    if not parts:
        return None
    part = vocabulary.body_parts[parts[0]]
    kinds = _hits(padded, tuple(vocabulary.modalities))
    return ExamText(
        description=" ".join(text.split()).strip(" .,:;-_'|"),
        body_part=part,
        modality=vocabulary.modalities[kinds[0]] if kinds else "",
        laterality=_side(padded, parts[0], part, vocabulary),
    )


def _side(padded: str, word: str, part: str, vocabulary: Vocabulary) -> str:
    """Tell the side: by a word, or by a lone letter beside a part that everybody has twice."""
    told = {side for name, side in vocabulary.sides.items() if f" {name} " in padded}
    if not told and part in vocabulary.paired:
        told = {
            side for side in "LR" if f" {side} {word} " in padded or f" {word} {side} " in padded
        }
    return "B" if len(told) > 1 else next(iter(told), "")


def _hits(padded: str, words: tuple[str, ...], names: frozenset[str] = frozenset()) -> list[str]:
    """Return the words found, the longest first: CERVICAL SPINE before SPINE.

    Without an exact one, words misread by a character; not given names: BRIAN is one from BRAIN.
    """
    exact = [word for word in words if f" {word} " in padded]
    if exact:
        return sorted(exact, key=lambda one: (-len(one), one))
    tokens = (token for token in padded.split() if token not in names)
    near = {word for token in tokens for word in _near_words(token, words)}
    return [word for word in words if word in near]


@lru_cache(maxsize=20_000)
def _near_words(token: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the long words that a token is, with one character misread at most."""
    if len(token) < _LOOSE - 1:
        return ()
    near = extract_iter(token, _long_words(words), scorer=OSA.distance, score_cutoff=1)
    return tuple(word for word, _, _ in near)


@lru_cache(maxsize=16)
def _long_words(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if len(word) >= _LOOSE)


@lru_cache(maxsize=8)
def _single_words(texts: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted({word for text in texts for word in text.split()}))


def is_stamp(line: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a line holds nothing but stamps (COPY, PURGED 1991)."""
    plain = re.sub(r"[^A-Z0-9 ]+", " ", line).strip()
    if plain in vocabulary.stamps:
        return True
    words = plain.split()
    known = _single_words(vocabulary.stamps)
    letters = [word for word in words if not word.isdigit()]
    return bool(letters) and all(word in known or _near_words(word, known) for word in letters)


def names_institution(text: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a text names a hospital or department, spaces lost or a character misread."""
    tokens = re.split(r"[^A-Z]+", text)
    long_words = [word for word in vocabulary.institutions if len(word) >= 6]
    return any(
        token in vocabulary.institutions
        or any(_close(token, word) or word in token for word in long_words)
        for token in tokens
        if len(token) >= 4
    )


def _close(token: str, word: str) -> bool:
    allowed = 2 if len(word) >= 8 else 1  # PETER is two characters from CENTER
    return (
        abs(len(token) - len(word)) <= allowed
        and OSA.distance(token, word, score_cutoff=allowed) <= allowed
    )


def is_known_word(word: str, vocabulary: Vocabulary, *, loosely: bool = False) -> bool:
    """Tell whether a word belongs to exams, views or stamps, and so to no bare name.

    ``loosely``: also with one character misread. Not for what has the shape of a name: WRIGHT is
    one character from RIGHT.
    """
    known = vocabulary.known_words
    return word in known or (loosely and bool(_near_words(word, known)))
