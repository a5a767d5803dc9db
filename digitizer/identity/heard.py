"""What stands on a sheet letter by letter: a candidate is verified against it, not only read.

A grammar may take the wrong word for the name, or the wrong one of two engines' numbers. So each
identifier of a candidate is also looked for among the words as read. Only whole words count, or
words that a lost space joined: a number inside a longer number is another number.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from digitizer.identity.spelling import MENDED, plain, words_of
from digitizer.model.identity import PersonName
from digitizer.model.reading import FieldName, Testimony

__all__ = ["Heard", "name_said"]

_MOST_LINES = 400
_LONGEST_LINE = 200
_TOKEN = re.compile(r"[A-Z0-9]+(?:[\-./][A-Z0-9]+)*")
_GLUED = re.compile(r"[A-Z]{2,}[.:#]?(?=\d)")
_CAPTION = re.compile(r"^(?:PATIENT|PAT|PT)?(?:NAMES?|NOM)?")
_DATE = re.compile(r"\d{1,4}([\-./])\d{1,2}\1\d{1,4}")
_LEAST_NUMBER = 5
"""Shorter numbers stand on a sheet by chance: years, rooms, kilovolts."""
_LEAST_GLUED = 7
"""Shorter numbers stand inside of words by chance."""
_LEAST_JOINED = 7
"""Letters of a family and given name that a lost space joined."""
_SAME_LINE = 80
"""Likeness in per cent above which two lines are one line read by two engines."""
_MOST_GROUPS = 3
_SIDES = {
    "L": "L", "LT": "L", "LEFT": "L", "R": "R", "RT": "R", "RIGHT": "R",
    "B": "LR", "BIL": "LR", "BOTH": "LR", "BILAT": "LR", "BILATERAL": "LR",
}  # fmt: skip
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@lru_cache(maxsize=10_000)
def _written(iso: str) -> tuple[str, ...]:
    """Return the ways to write a full date, without signs."""
    year, month, day = iso[:4], iso[5:7], iso[8:]
    name = _MONTHS[int(month) - 1]
    return (
        f"{month}{day}{year}",
        f"{day}{month}{year}",
        f"{year}{month}{day}",
        f"{day}{name}{year}",
        f"{name}{day}{year}",
    )


def _near(word: str, line: str) -> Iterator[tuple[int, int]]:
    """Yield the places of a line that differ from a word in one character at most."""
    if len(line) < len(word) - 1:
        return
    # A quick look first: one character wrong of n leaves so much in common.
    found = fuzz.partial_ratio_alignment(word, line, score_cutoff=100 * (1 - 1 / len(word)) - 0.1)
    if found is None:
        return
    for start in (found.dest_start, found.dest_start - 1, found.dest_start + 1):
        for end in (found.dest_end, found.dest_end - 1, found.dest_end + 1):
            there = line[max(start, 0) : end]
            if OSA.distance(word, there, score_cutoff=1) <= 1:
                yield max(start, 0), min(end, len(line))


def _stands_whole(text: str, words: Sequence[str]) -> bool:
    """Tell whether neighbouring words joined are a text: OKONKWO JANET is not OKONKWOJANE."""
    if text not in "".join(words):
        return False
    for first in range(len(words)):
        # A caption may be stuck to the name.
        bare = _CAPTION.sub("", words[first], count=1)
        for start in {words[first], bare}:
            joined = start
            for word in words[first + 1 :]:
                if joined == text or not text.startswith(joined):
                    break
                joined += word
            if joined == text:
                return True
    return False


def _mended(word: str) -> str:
    return word.translate(MENDED)


def _one_line(one: "Heard", other: "Heard", iso: str) -> bool:
    """Tell whether two lines of a day are one line read twice: two exams may differ in a sign."""
    lines = (one.rest(iso), other.rest(iso))
    if fuzz.ratio(iso + lines[0], iso + lines[1]) < _SAME_LINE:
        return False
    numbers = [said.whole_numbers - {*map(_mended, _written(iso))} for said in (one, other)]
    return _may_be_one(*numbers) and _may_be_one(one.sides, other.sides)


def _may_be_one(some: Collection[str], others: Collection[str]) -> bool:
    """Tell whether what two readings of a line found differs at most in what one of them missed."""
    return set(some) <= set(others) or set(others) <= set(some)


def _note(token: str, found: set[str]) -> None:
    word = plain(token)
    if any(sign.isdigit() for sign in word):
        found.add(word)
        found.add(word.translate(MENDED))


def name_said(said: Testimony) -> PersonName:
    """Return the name a bearer says; empty parts where it says none."""
    parts = (
        FieldName.FAMILY_NAME,
        FieldName.GIVEN_NAME,
        FieldName.MIDDLE_NAME,
        FieldName.NAME_SUFFIX,
    )
    family, given, middle, suffix = (
        said.fields[name].value if name in said.fields else "" for name in parts
    )
    return PersonName(family=family, given=given, middle=middle, suffix=suffix)


@dataclass(frozen=True)
class Heard:
    """The words of one bearer.

    Parameters
    ----------
    said : Testimony
        At most 400 lines of 200 characters are looked at.
    """

    said: Testimony

    @cached_property
    def values(self) -> Mapping[FieldName, str]:
        """What the fields say."""
        return {name: field.value for name, field in self.said.fields.items()}

    @cached_property
    def name_read(self) -> PersonName:
        """The name as the grammar read it."""
        return name_said(self.said)

    @cached_property
    def _lines(self) -> tuple[str, ...]:
        lines = self.said.lines[:_MOST_LINES]
        return tuple(line[:_LONGEST_LINE].upper() for line in lines)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """All words with digits that are no dates, without signs, as read and mended."""
        found: set[str] = set()
        for token in chain.from_iterable(self._tokens):
            if not _DATE.fullmatch(token):
                _note(token, found)
                glued = _GLUED.match(token)
                if glued:
                    _note(token[glued.end() :], found)
        return frozenset(found)

    @cached_property
    def _tokens(self) -> tuple[tuple[str, ...], ...]:
        codes = (code[:_LONGEST_LINE].upper() for code in self.said.barcodes)
        return tuple(tuple(_TOKEN.findall(text)) for text in (*self._lines, *codes))

    @cached_property
    def _joined(self) -> frozenset[str]:
        """Dates, and neighbouring groups of digits, joined."""
        found: set[str] = set()
        for tokens in self._tokens:
            groups = [plain(token) for token in tokens]
            for first, one in enumerate(groups):
                for last in range(first, min(first + _MOST_GROUPS, len(groups))):
                    if not groups[last].isdigit():
                        break
                    found.add("".join(groups[first : last + 1]) if last > first else one)
        return frozenset(found)

    @cached_property
    def _figures(self) -> frozenset[str]:
        """All that may be a number or a date in figures."""
        return self.numbers | self._joined

    @cached_property
    def _words(self) -> tuple[tuple[str, ...], ...]:
        return tuple(words_of(line) for line in self._lines)

    @cached_property
    def _every_word(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(self._words))

    def number(self, known: str) -> bool:
        """Tell whether a number stands on the sheet."""
        word = plain(known)
        return len(word) >= _LEAST_NUMBER and word in self._figures

    def near_number(self, known: str) -> list[str]:
        """Return the words one wrong character from a number that does not stand there itself."""
        word = plain(known)
        if self.number(known):
            return []
        return [
            one
            for one in sorted(self.numbers)
            if len(one) >= _LEAST_NUMBER and OSA.distance(word, one, score_cutoff=1) == 1
        ]

    def glued_number(self, known: str) -> bool:
        """Tell whether a number stands on the sheet with letters stuck to it by a lost space."""
        word = plain(known)
        if len(word) < _LEAST_GLUED:
            return False
        for token in chain.from_iterable(self._tokens):
            text = plain(token)
            at = text.find(word)
            if at >= 0 and not (
                text[at - 1 : at].isdigit() or text[at + len(word) :][:1].isdigit()
            ):
                return True
        return False

    def near_glued(self, known: str) -> str:
        """Return what stands on a line for a number with at most one character wrong, if anything.

        It may have letters stuck to it; digits that go on make it another number.
        """
        word = plain(known)
        if len(word) < _LEAST_GLUED:
            return ""
        for tokens in self._tokens:
            line = " ".join(map(plain, tokens))
            for start, end in _near(word, line):
                here, before, after = line[start:end], line[start - 1 : start], line[end : end + 1]
                runs_on = here[:1].isdigit() and before.isdigit() and start > 0
                if not runs_on and not (here[-1:].isdigit() and after.isdigit()):
                    return here
        return ""

    def _near_text(self, word: str, but: Collection[str]) -> bool:
        """Tell whether a text stands on a line with at most one character wrong, ``but`` these."""
        for line in self._solid:
            for other in but:
                line = line.replace(other, " ")
            if any(True for _ in _near(word, line)):
                return True
        return False

    def near_date(self, iso: str, *, but: str = "") -> bool:
        """Tell whether a full date stands on the sheet with one character wrong.

        Parameters
        ----------
        iso : str
        but : str
            The birth date, which stands there as well; a date too like it is not looked for.
        """
        if len(iso) != 10 or (len(but) == 10 and OSA.distance(iso, but) <= 2):
            return False
        # One character wrong leaves the year or the rest of the date whole.
        year, rest = iso[:4], {one.replace(iso[:4], "") for one in _written(iso)}
        if not any(part in self._all for part in (year, *rest)):
            return False
        away = _written(but) if len(but) == 10 else ()
        return any(self._near_text(one, away) for one in _written(iso))

    def date(self, iso: str) -> bool:
        """Tell whether a full date stands on the sheet with its century, in any usual form."""
        if len(iso) != 10:
            return False
        written = _written(iso)
        if not self._figures.isdisjoint(written[:3]):
            return True
        # No way to write a date holds the sign between lines.
        named = (*written[3:], written[3].lstrip("0"))
        return any(one in self._all for one in named)

    def times(self, iso: str) -> int:
        """Count the lines that bear a date; two engines' readings of one line are one."""
        apart: list[Heard] = []
        for said in self._each_line:
            if said.date(iso) and not any(_one_line(said, other, iso) for other in apart):
                apart.append(said)
        return len(apart)

    @cached_property
    def _each_line(self) -> tuple["Heard", ...]:
        return tuple(Heard(Testimony(lines=(line,))) for line in self._lines)

    @cached_property
    def whole_numbers(self) -> frozenset[str]:
        """The numbers without the words in which a letter was read as a digit, mended."""
        likely = (word for word in map(_mended, self.numbers) if len(word) >= _LEAST_NUMBER)
        return frozenset(word for word in likely if 2 * sum(map(str.isdigit, word)) > len(word))

    @cached_property
    def sides(self) -> frozenset[str]:
        """The sides that stand on the sheet as words: L, R or both."""
        return frozenset(
            side for words in self._words for word in words for side in _SIDES.get(word, "")
        )

    def rest(self, iso: str) -> str:
        """Return all that stands on the sheet beside a date, without signs."""
        text = "".join(self._solid)
        for written in _written(iso):
            text = text.replace(written, "")
        return text

    @cached_property
    def _all(self) -> str:
        return "|".join(self._solid)

    @cached_property
    def _solid(self) -> tuple[str, ...]:
        return tuple(plain(line) for line in self._lines)

    def name(self, name: PersonName) -> bool:
        """Tell whether family and given name stand together in one line or in neighbouring ones."""
        family, given = words_of(name.family), words_of(name.given)[:1]
        if not family or not given or len(given[0]) < 2:
            return False
        if self._every_word.issuperset((*family, *given)):
            for number, words in enumerate(self._words):
                around = set(words).union(*self._words[max(0, number - 1) : number + 2])
                if set(family) <= set(words) and set(given) <= around:
                    return True
        joined = "".join(family), given[0]
        if len(joined[0]) + len(joined[1]) < _LEAST_JOINED:
            return False
        both = joined[0] + joined[1], joined[1] + joined[0]
        return any(_stands_whole(one, words) for words in self._words for one in both)
