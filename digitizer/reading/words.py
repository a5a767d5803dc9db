"""Words that are no names: exams, stamps, institutions; told in spite of a misread character."""

import re
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from digitizer.reading.rules import Vocabulary
from digitizer.reading.wordlist import WordList

__all__ = ["ExamText", "exam_text", "is_known_word", "is_stamp", "names_institution"]


@dataclass(frozen=True, slots=True)
class ExamText:
    """What a text says of an exam; empty where it says nothing."""

    description: str
    body_part: str
    modality: str
    laterality: str


def exam_text(text: str, vocabulary: Vocabulary) -> ExamText | None:
    """Read the text of an exam; None when it names no part of the body."""
    tokens = re.findall(r"[A-Z0-9\-]+", text)
    parts = _hits(tokens, vocabulary.words_of_parts, vocabulary.given_names)
    if not parts:
        return None
    part = vocabulary.body_parts[parts[0]]
    kinds = _hits(tokens, vocabulary.words_of_modalities)
    return ExamText(
        description=" ".join(text.split()).strip(" .,:;-_'|"),
        body_part=part,
        modality=vocabulary.modalities[kinds[0]] if kinds else "",
        laterality=_side(f" {' '.join(tokens)} ", parts[0], part, vocabulary),
    )


def _side(padded: str, word: str, part: str, vocabulary: Vocabulary) -> str:
    """Tell the side: by a word, or by a lone letter beside a part that everybody has twice."""
    told = {side for name, side in vocabulary.sides.items() if f" {name} " in padded}
    if not told and part in vocabulary.paired:
        told = {
            side for side in "LR" if f" {side} {word} " in padded or f" {word} {side} " in padded
        }
    return "B" if len(told) > 1 else next(iter(told), "")


def _hits(tokens: list[str], words: WordList, names: frozenset[str] = frozenset()) -> list[str]:
    """Return the words found, the longest first: CERVICAL SPINE before SPINE.

    Without an exact one, words misread by a character; not given names: BRIAN is one from BRAIN.
    """
    exact = words.among(tokens)
    if exact:
        return sorted(exact, key=lambda one: (-len(one), one))
    near = {word for token in tokens if token not in names for word in words.near(token)}
    return [word for word in words.words if word in near] if near else []


def is_stamp(line: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a line holds nothing but stamps (COPY, PURGED 1991)."""
    plain = re.sub(r"[^A-Z0-9 ]+", " ", line).strip()
    if plain in vocabulary.stamps:
        return True
    words = plain.split()
    known = vocabulary.words_of_stamps
    letters = [word for word in words if not word.isdigit()]
    return bool(letters) and all(word in known or known.near(word) for word in letters)


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
    return word in known or (loosely and bool(known.near(word)))
