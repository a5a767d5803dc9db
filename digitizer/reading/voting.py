"""What witnesses agree on: a value as a whole, and a number or a date character by character.

Engines that differ in a character of a number say how sure they were of it, and what else it may
be; so the character is chosen, not the engine.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log, prod

from digitizer.reading.hearing import Claim
from digitizer.reading.looks import (
    LEAST_SEEN,
    WORN_TO,
    Chances,
    Heard,
    Look,
    Sight,
    Told,
    before_wear,
    eight_before_wear,
    eights,
    left_to_network,
    look_of,
    looked_again,
    plain,
    seen_at,
    sightings,
    standing,
)

__all__ = [
    "ALONE",
    "LONE",
    "MOST_SURE",
    "Fits",
    "Spelled",
    "best_of",
    "clearly",
    "one_number",
    "spelled",
    "undoubted",
    "vote",
]

MOST_SURE = 0.999
ALONE = 0.95
"""What the word of one engine is worth that no other confirms."""
_FIGURES, _FIGURES_TRUST = "figures", 1.5
"""The network for worn figures among the engines, and the weight of its word: from 1.5 to 3 as many
legible numbers are exact but for one or two, at 1 fewer."""
_UNSEEN = {"tesseract": 0.2, _FIGURES: 0.05}
"""Tesseract is sure of characters that it has wrong: it settles what another engine doubts. And the
network alone does not overrule two engines that are sure, but where it saw a trace of an 8."""
LONE = 0.85
"""What the word of one engine is worth where another looked and found no number."""
_DENIED = 0.7
"""What a number is worth which another engine read otherwise in a character."""
_MOST_DIFFERENT = 3
"""Characters in which two readings of one number may differ; more, and they are two numbers."""
_LEAST_TOLD, _MOST_TOLD = 0.03, 4
"""Other readings of a number are kept from this chance on, and at most so many."""
_COVERED = 0.15
"""Weight of a look at what a mark lies across, where another look sees it without: all looks that
contain the mark are misled alike."""
_JOINING = "-'’"
"""Signs within a name."""


Fits = Callable[[str], object]
"""Tells whether a text has a form: true or false, as a regular expression's match does."""


def best_of(claims: list[Claim]) -> list[Claim]:
    """Return the value of one witness that it says most often and most surely."""
    if not claims:
        return []
    support: dict[str, float] = defaultdict(float)
    for claim in claims:
        support[plain(claim.value)] += claim.confidence
    value = max(support, key=lambda one: support[one])
    same = [claim for claim in claims if plain(claim.value) == value]
    return [max(same, key=lambda one: one.confidence)]


def vote(told: Sequence[Told]) -> tuple[str, float]:
    """Return the value best supported by the witnesses, and how sure that is.

    An engine that says the same of a second picture of the label repeats itself; one that then
    says something else contradicts itself.
    """
    words: dict[str, dict[str, float]] = defaultdict(dict)
    for one in told:
        own = words[plain(one.claim.value)]
        sure = one.claim.confidence * one.by.trust
        own[one.by.family] = max(own.get(one.by.family, 0.0), sure)
    support = {value: sum(own.values()) for value, own in words.items()}
    best = max(support, key=lambda one: support[one])
    sure = 1 - prod(1 - one for one in words[best].values())
    if len({one.by.family for one in told}) == 1:
        sure *= ALONE
    if len(support) > 1:
        sure *= support[best] / sum(support.values())
    form = max(
        (one.claim for one in told if plain(one.claim.value) == best),
        key=lambda one: one.confidence,
    )
    return form.value, min(sure, MOST_SURE)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number, how sure it is, and what else it may be with one sign another.

    ``perhaps_worn``: a look thought of a whole figure where it saw one that is a part of it.
    """

    value: str
    sure: float
    others: tuple[tuple[str, float], ...] = ()
    perhaps_worn: bool = False


def undoubted(told: Sequence[Told]) -> bool:
    """Tell whether no look of an engine thought of another sign in what is claimed.

    What stands in no line of a look as it is claimed was put together, and is doubted.
    """
    return all(map(_undoubted, told))


def _undoubted(told: Told) -> bool:
    found = list(sightings(told))
    value = plain(told.claim.value)
    sure = bool(found) and all(_sure_of(value, [sight.chances for sight in look]) for look in found)
    return sure and not (told.by.paper and _lacks_figure(told.claim))


def _lacks_figure(claim: Claim) -> bool:
    """Tell whether a date lost a figure: who writes 05 for a month writes no day 1 beside it."""
    if not claim.figures:
        return False
    _, _, _, _, *parts = claim.figures
    for one, other in (parts[:2], parts[2:]), (parts[2:], parts[:2]):
        short = one[0] is None and one[1] is not None
        if short and other[0] is not None and claim.written[other[0]] == "0":
            return True
    return False


def _sure_of(value: str, looks: Sequence[Chances]) -> bool:
    """Tell whether each sign of a value was seen without a thought of another."""
    return all(
        look.get(sign, 0.0) >= 1 - LEAST_SEEN for sign, look in zip(value, looks, strict=True)
    )


def clearly(word: str, by: Heard) -> bool:
    """Tell whether a witness has a word in its lines as one of its own, and never doubts a sign.

    DOE is no word of DOERING, nor of DOE-SMITH: what another name is part of vouches for nobody.
    """
    value = plain(word)
    found = [
        [seen_at(line, sign, at, paper=by.paper) for sign, at in zip(value, places, strict=True)]
        for line in by.lines
        for places in standing(value, line.text)
        if _is_word(line.text, places[0], places[-1])
    ]
    return bool(found) and all(_sure_of(value, looks) for looks in found)


def _is_word(text: str, first: int, last: int) -> bool:
    """Tell whether what stands from ``first`` to ``last`` is no part of a longer word."""
    beside = text[:first][-1:] + text[last + 1 :][:1]
    return not any(sign.isalnum() or sign in _JOINING for sign in beside)


def spelled(told: Sequence[Told], fits: Fits, among: int = 1, lone: float = LONE) -> Spelled:
    """Return a number settled character by character, and how sure it is.

    Parameters
    ----------
    told : sequence of Told
        One claim a witness.
    fits : callable
        Tells whether a text has the form of such a number; where it has not, letters that may be
        digits are taken for those, if then it has.
    among : int
        Engines that looked; where only one of several found a number, it is the less sure.
    lone : float
        What its word is worth then.

    Returns
    -------
    Spelled
        What :func:`vote` finds among those of the likeliest length, with those characters changed
        that another sign fits better by what all engines saw there.
    """
    value, _ = vote(_of_one_length(told))
    like = [one for one in told if one_number(value, one.claim.value)]
    seen, worn = _looks(like)
    trust = {one.by.family: one.by.trust for one in like} | {_FIGURES: _FIGURES_TRUST}
    places = _settled(value, like, worn, trust, digits=False)
    digits = False
    if not fits(_text(value, places)):
        others = _settled(value, like, worn, trust, digits=True)
        if fits(_text(value, others)):
            places, digits = others, True
        elif fits(value):
            places = _as_read(value, places)
    text = _text(value, places)
    # What wear explains is chosen by it, but is no surer than it was seen. Only paper wears.
    paper = any(one.by.paper for one in like)
    as_seen = _settled(value, like, seen, trust, digits=digits) if paper else places
    doubt = sum(
        1 - min(shares[text[at]], as_seen[at].get(text[at], 0.0)) for at, shares in places.items()
    )
    agreed, share = _agreed(text, told, like)
    if len({one.by.family for one in told}) == 1:
        agreed *= ALONE if among == 1 else lone
    base = agreed * share
    sure = min(max(base * (1 - min(doubt, 1.0)), 0.0), MOST_SURE)
    perhaps_worn = any(_thinks_of_wear(text, one) for one in like)
    return Spelled(text, sure, _alternatives(text, places), perhaps_worn)


def _thinks_of_wear(text: str, told: Told) -> bool:
    """Tell whether a look saw a figure of a number and thought of one that it is a part of.

    A 1 counts for none: Tesseract thinks of a 4 beside many. Nor does a look in which print lost
    ink because coloured ink was faded.
    """
    return (
        told.by.paper
        and not told.by.faded
        and any(
            sign in sight.chances and whole in sight.chances
            for sign, sight in zip(plain(text), look_of(told), strict=True)
            for left, whole in WORN_TO
            if left == sign != "1"
        )
    )


def _of_one_length(told: Sequence[Told]) -> list[Told]:
    """Return those witnesses whose number is of the length that most speaks for.

    Of readings of different lengths no sign can be chosen from all, but those of one length speak
    for it together, though they differ in a sign: what is lost to one look under a pen stroke
    another engine saw, and a look without coloured ink. Whom a mark across the number may have
    cost a sign counts less beside one who sees it without.
    """
    lengths: dict[int, dict[str, float]] = defaultdict(dict)
    marked = [any(sight.covered for sight in look_of(one)) for one in told]
    clear = {
        len(plain(one.claim.value)) for one, across in zip(told, marked, strict=True) if not across
    }
    for one, across in zip(told, marked, strict=True):
        length = len(plain(one.claim.value))
        own = lengths[length]
        sure = one.claim.confidence * one.by.trust
        if across and length not in clear and max(clear, default=0) > length:
            sure *= _COVERED
        own[one.by.family] = max(own.get(one.by.family, 0.0), sure)
    first = len(plain(vote(told)[0]))
    most = max(lengths, key=lambda one: (sum(lengths[one].values()), one == first))
    return [one for one in told if len(plain(one.claim.value)) == most]


def _looks(like: Sequence[Told]) -> tuple[dict[str, list[Look]], dict[str, list[Look]]]:
    """Return by engine what its looks saw of each sign; and what it was before paper wore.

    What the network for worn figures saw where an engine found a number is a look of its own. Where
    it saw a trace of an 8, the engines, which see a 3, leave the choice to it; but not by a look in
    which print lost ink because coloured ink was faded.
    """
    seen: dict[str, list[Look]] = defaultdict(list)
    worn: dict[str, list[Look]] = defaultdict(list)
    unfaded: list[Look] = []
    for one in like:
        for again in looked_again(one):
            seen[_FIGURES].append(again)
            worn[_FIGURES].append(again if one.by.faded else list(map(eight_before_wear, again)))
            if not one.by.faded:
                unfaded.append(again)
    perhaps_eight = eights(unfaded)
    for one in like:
        look = look_of(one)
        before = [replace(sight, chances=before_wear(sight.chances)) for sight in look]
        if perhaps_eight:
            before = [
                left_to_network(sight) if eight else sight
                for sight, eight in zip(before, perhaps_eight, strict=True)
            ]
        seen[one.by.family].append(look)
        worn[one.by.family].append(before if one.by.paper else look)
    return seen, worn


def _as_read(
    value: str, places: Mapping[int, Mapping[str, float]]
) -> dict[int, Mapping[str, float]]:
    """Return the shares of the signs with that of the value itself first, likely or not."""
    return {at: {value[at]: shares.get(value[at], 0.0), **shares} for at, shares in places.items()}


def _text(value: str, places: Mapping[int, Mapping[str, float]]) -> str:
    signs = list(value)
    for at, shares in places.items():
        signs[at] = next(iter(shares))
    return "".join(signs)


def _alternatives(
    text: str, places: Mapping[int, Mapping[str, float]]
) -> tuple[tuple[str, float], ...]:
    """Return what a number may be with one sign another, the likeliest first."""
    found = [
        (text[:at] + sign + text[at + 1 :], round(share, 3))
        for at, shares in places.items()
        for sign, share in list(shares.items())[1:]
        if share >= _LEAST_TOLD
    ]
    return tuple(sorted(found, key=lambda one: -one[1])[:_MOST_TOLD])


def _settled(
    value: str,
    like: Sequence[Told],
    seen: Mapping[str, Sequence[Look]],
    trust: Mapping[str, float],
    *,
    digits: bool,
) -> dict[int, Mapping[str, float]]:
    """Return for each place of the number the shares of the signs, the best first.

    ``digits``: behind the first sign only digits are looked at, where an engine thought of one.
    """
    found: dict[int, Mapping[str, float]] = {}
    places = [at for at, sign in enumerate(value) if sign.isalnum()]
    for number, at in enumerate(places):
        here = {family: [look[number] for look in looks] for family, looks in seen.items()}
        rivals = {plain(one.claim.value)[number] for one in like}
        thought = _thought_of(here, rivals)
        numeric = {sign for sign in rivals | thought if sign.isdigit()}
        if all(sign.isdigit() for sign in rivals) or (digits and number > 0 and numeric):
            found[at] = _signs(here, numeric, rivals, trust)
        else:
            found[at] = _signs(here, rivals | thought, rivals, trust)
    return found


def _thought_of(seen: Mapping[str, Sequence[Sight]], rivals: set[str]) -> set[str]:
    """Return the signs that an engine saw at a place, and those of their kinds of the network.

    Whether a figure or a letter stands there the network does not tell.
    """
    engines = rivals | {
        sign
        for family, looks in seen.items()
        if family != _FIGURES
        for one in looks
        for sign in one.chances
    }
    kinds = {sign.isdigit() for sign in engines}
    looked = {sign for one in seen.get(_FIGURES, ()) for sign in one.chances}
    return engines | {sign for sign in looked if sign.isdigit() in kinds}


def one_number(value: str, other: str) -> bool:
    """Tell whether two readings may be of one number."""
    one, two = plain(value), plain(other)
    return len(one) == len(two) and sum(a != b for a, b in zip(one, two, strict=True)) <= (
        _MOST_DIFFERENT
    )


def _agreed(text: str, told: Sequence[Told], like: Sequence[Told]) -> tuple[float, float]:
    """Return how sure those are who read the number so, and their part among all witnesses.

    One who differs in a character was heard where the character was chosen.
    """
    sure: dict[str, float] = {}
    for one in like:
        exact = plain(one.claim.value) == plain(text)
        worth = one.claim.confidence * one.by.trust * exact
        sure[one.by.family] = max(sure.get(one.by.family, 0.0), worth)
    others: dict[str, float] = {}
    for one in told:
        if one not in like:
            worth = one.claim.confidence * one.by.trust
            others[one.by.family] = max(others.get(one.by.family, 0.0), worth)
    total = sum(sure.values())
    if not total:
        # No engine read it so as a whole.
        return _DENIED * min(max(one.claim.confidence for one in like), 1.0), 0.5
    agreed = 1 - prod(1 - one for one in sure.values())
    denied = _DENIED if not all(sure.values()) else 1.0
    return agreed * denied, total / (total + sum(others.values()))


def _signs(
    seen: Mapping[str, Sequence[Sight]],
    signs: set[str],
    rivals: set[str],
    trust: Mapping[str, float],
) -> Mapping[str, float]:
    """Return the signs by how well they fit what all engines saw there, with their shares."""
    if len(signs) == 1:
        return dict.fromkeys(signs, 1.0)
    # Whom a mark misleads counts less beside one who sees the sign without it.
    misled = not all(one.covered for looks in seen.values() for one in looks)
    scores: dict[str, float] = {}
    for sign in signs:
        scores[sign] = sum(
            trust[family]
            * (_COVERED if misled and all(one.covered for one in looks) else 1.0)
            * log(max(_mean(sign, looks), _UNSEEN.get(family, LEAST_SEEN)))
            for family, looks in seen.items()
        )
    order = sorted(scores, key=lambda one: (-scores[one], one not in rivals, one))
    total = sum(exp(one - scores[order[0]]) for one in scores.values())
    return {sign: exp(scores[sign] - scores[order[0]]) / total for sign in order}


def _mean(sign: str, looks: Sequence[Sight]) -> float:
    """Return the chance of a sign by all looks of an engine, each by its weight."""
    weights = [one.weight * (_COVERED if one.covered else 1.0) for one in looks]
    chances = [one.chances.get(sign, 0.0) for one in looks]
    return sum(a * b for a, b in zip(weights, chances, strict=True)) / sum(weights)
