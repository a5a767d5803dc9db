"""What a look of an engine saw at each sign of what it claims.

What this decides: which signs of a line a claim stands on, and which chances its engine gave each,
with what is known of print: a figure's letter is a figure, and paper loses ink. It chooses none.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from digitizer.model.reading import Line
from digitizer.reading.figures import LIKE_DIGITS, figures_of
from digitizer.reading.hearing import Claim, Witness

__all__ = [
    "LEAST_SEEN",
    "WORN_TO",
    "Chances",
    "Heard",
    "Look",
    "Sight",
    "Told",
    "before_wear",
    "eight_before_wear",
    "eights",
    "left_to_network",
    "look_of",
    "looked_again",
    "plain",
    "seen_at",
    "sightings",
    "standing",
]

LEAST_SEEN = 0.03
"""Chance of a character that an engine did not think of: it is wrong in so many without a doubt."""
WORN_TO = (("1", "4"), ("3", "8"), ("3", "9"), ("5", "6"), ("6", "8"))
"""What is left of a figure whose ink wore off in part, and the figure. A pair stands behind
those that end in what it begins with."""
_WEAR = 4.0
"""How much likelier paper lost ink of a figure than got some: of 71 looks of RapidOCR at figures of
worn and badly worn labels (seeds 405 and 511) that saw the first of a pair and doubted whether it
was the second, 41 saw the second; of 89 looks the other way round 6 saw the first."""
_HALF, _EIGHT = "3", "8"
_TRACE, _EITHER = 0.1, 0.3
"""Share of the 8 beside a 3 which is no chance find of the network for worn figures, and the least
chance of both: of 402 looks at legible eights it gave the 8 a tenth to a quarter in 4, of 426 at
threes in none, and more in 2 (badly worn labels of seeds 8301, 8311, 8411, 8421, 9301, 9411, 7101
and 7201)."""
_EIGHT_WORN = 8.0
"""How much likelier an 8 lost its left half where the network thinks of both: so counted."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A witness, the weight of its word, and its family: two looks of one engine are one witness.

    ``lines`` are the engine's, with its doubts; none where they are not known. ``weight`` is that
    of this look among those of its engine; ``paper`` tells that it looked at print on paper, and
    ``faded`` that coloured ink was taken away before.
    """

    witness: Witness
    trust: float
    family: str
    lines: Sequence[Line] = field(default=())
    weight: float = 1.0
    paper: bool = False
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A claim, and who makes it."""

    claim: Claim
    by: Heard


Chances = Mapping[str, float]
"""What a character may be, by what one engine saw in one look."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look of an engine saw of a character, and the weight of that look.

    ``covered`` tells that a coloured mark lies across it: what was seen is print and mark in one.
    """

    weight: float
    chances: Chances
    covered: bool = False


Look = list[Sight]
"""What one look saw of each character."""


@lru_cache(maxsize=20_000)
def plain(text: str) -> str:
    """Return letters and digits alone."""
    return "".join(sign for sign in text if sign.isalnum())


def look_of(told: Told) -> Look:
    """Return of each character of a claim what its engine saw there; letters taken for digits."""
    unseen = [Sight(told.by.weight, {sign: 1 - LEAST_SEEN}) for sign in plain(told.claim.value)]
    return next(sightings(told), unseen)


def sightings(told: Told) -> Iterator[Look]:
    """Yield for each place where a claim stands in its engine's lines what was seen there."""
    for line, signs in _seen_in(told):
        yield [
            Sight(told.by.weight, seen_at(line, sign, at, paper=told.by.paper), at in line.covered)
            for sign, at in signs
        ]


def looked_again(told: Told) -> Iterator[Look]:
    """Yield for each such place what the network for worn figures saw of all its signs."""
    for line, signs in _seen_in(told):
        figures = {one.at: one.signs for one in line.figures}
        if all(at in figures for _, at in signs):
            yield [
                Sight(1.0, dict(figures[at]), at in line.covered)
                for _, at in signs
                if at is not None
            ]


def _seen_in(told: Told) -> Iterator[tuple[Line, list[tuple[str, int | None]]]]:
    """Yield a claim's signs and their places for each time it stands in its engine's lines."""
    claim = told.claim
    value = plain(claim.written or claim.value)
    for line in told.by.lines:
        exact = list(standing(value, line.text))
        like = value.translate(LIKE_DIGITS)
        for places in exact or standing(like, line.text.upper().translate(LIKE_DIGITS)):
            found = [None if at is None else places[at] for at in _places(claim)]
            yield line, list(zip(plain(claim.value), found, strict=True))


def standing(value: str, text: str) -> Iterator[list[int]]:
    """Yield where the signs of a value stand in a text, for each time that it does.

    What is neither letter nor digit is passed over.
    """
    places = [at for at, sign in enumerate(text) if sign.isalnum()]
    signs = "".join(text[at].upper() for at in places)
    if not value or len(signs) != len(places):
        return
    start = signs.find(value)
    while start >= 0:
        yield places[start : start + len(value)]
        start = signs.find(value, start + 1)


def seen_at(line: Line, sign: str, at: int | None, *, paper: bool) -> Chances:
    """Return what an engine saw at a place of a line; ``sign`` if it told of no other."""
    read = sign if at is None else line.text[at]
    told = next((one.signs for one in line.doubts if one.at == at), ((read, 1 - LEAST_SEEN),))
    return _told_of(sign, told, paper=paper)


def before_wear(look: Chances) -> Chances:
    """Return the chances of what a sign was, from those of what is left of it.

    All pairs together: of 5, 6 and 8 the 6 is likelier than the 5, and the 8 than the 6. The signs
    of pairs share what they had; the others keep theirs.
    """
    likelier: dict[str, float] = {}
    for left, whole in WORN_TO:
        if left in look and whole in look:
            likelier[whole] = max(likelier.get(whole, 1.0), _WEAR * likelier.setdefault(left, 1.0))
    raised = {sign: look[sign] * times for sign, times in likelier.items()}
    total = sum(raised.values())
    if not total:
        return look
    shared = sum(look[sign] for sign in raised) / total
    return {**look, **{sign: chance * shared for sign, chance in raised.items()}}


def eights(looks: Sequence[Look]) -> list[bool]:
    """Tell of each sign whether the network for worn figures saw a trace of an 8 beside a 3.

    Parameters
    ----------
    looks : sequence of list
        Of the network, all at the same signs. What lies under a mark is not heard: the mark itself
        makes an 8 of a 3.
    """
    found = []
    for sights in zip(*looks, strict=True):
        clear = [sight.chances for sight in sights if not sight.covered]
        three, eight = (
            sum(one.get(sign, 0.0) for one in clear) / max(len(clear), 1)
            for sign in (_HALF, _EIGHT)
        )
        found.append(three + eight >= _EITHER and eight >= _TRACE * (three + eight))
    return found


def left_to_network(sight: Sight) -> Sight:
    """Return what an engine saw with an 8 as likely as a 3.

    It takes what is left for what was printed, however surely: beside a trace of the 8 its 3 speaks
    against nothing. What it says of an 8 keeps its weight.
    """
    three = sight.chances.get(_HALF, 0.0)
    if three <= sight.chances.get(_EIGHT, 0.0):
        return sight
    return replace(sight, chances={**sight.chances, _EIGHT: three})


def eight_before_wear(sight: Sight) -> Sight:
    """Return what the network saw with an 8 the likelier beside a 3, for paper loses ink."""
    three, eight = (sight.chances.get(sign, 0.0) for sign in (_HALF, _EIGHT))
    if not three or not eight:
        return sight
    shared = (three + eight) / (three + _EIGHT_WORN * eight)
    told = {_HALF: three * shared, _EIGHT: _EIGHT_WORN * eight * shared}
    return replace(sight, chances={**sight.chances, **told})


def _places(claim: Claim) -> list[int | None]:
    """Return where among the letters and digits written each of a value's stands, if it does.

    A bar or ``!`` taken for a 1 stands among none of them.
    """
    if not claim.written:
        return list(range(len(plain(claim.value))))
    return [
        len(plain(claim.written[:at])) if at is not None and claim.written[at].isalnum() else None
        for at in claim.figures
    ]


def _told_of(sign: str, told: Sequence[tuple[str, float]], *, paper: bool) -> Chances:
    found: dict[str, float] = defaultdict(float)
    for other, chance in told:
        name = other.upper()
        alike = figures_of(name, paper=paper) if sign.isdigit() else {name: 1.0}
        for one, share in alike.items():
            if one.isalnum():
                found[one] += share * chance
    return found
