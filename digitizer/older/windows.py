"""Taking stock of a peer that may cap its answers, silently.

What this decides: which questions are asked so that every study is told once. A cap shows itself in
no status, so an answer is believed only when it is shorter than the longest one that this peer ever
gave: a peer that has given 100 studies does not cap at 99. All others are asked again in halves:
years, months, days, times of day, first letters of the record number and of the name. What it may
get wrong: a peer that caps by load instead of by number; studies that bear neither date, record
number nor name, behind a cap; one patient with more studies of one minute than the cap. The last is
logged; the others show when the peer is asked again at the end.
"""

import logging
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain

from digitizer.errors import SourceUnreachable
from digitizer.model.older import PeerStudy

__all__ = ["Answers", "Ask", "Stock", "Told", "each_once"]

logger = logging.getLogger(__name__)

_LEAST = 10
"""No peer caps below this."""
_FIRST_DAY = date(1895, 1, 1).toordinal()
"""Before there were X-rays there are no studies; what says so is asked for all the same."""
_CENTURY = 36_525
_MINUTES = 24 * 60
_LONGEST_PREFIX = 64
_PARTS = ("PatientID", "PatientName")
_NAMELESS = "?"
"""In a cursor: studies without a record number have been seen; no value begins with it."""
_ALL_SIGNS = frozenset(string.printable) - frozenset(string.whitespace) - frozenset("*?\\")
_COMMON_SIGNS = frozenset(string.digits + string.ascii_uppercase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One study as told, with what it can be asked for by."""

    study: PeerStudy
    date: str
    time: str = ""

    @property
    def uid(self) -> str:
        """Study Instance UID."""
        return self.study.study_instance_uid

    def value(self, keyword: str) -> str:
        """Return what stands in one of the elements it may be asked for by."""
        header = self.study.header
        return header.patient_id if keyword == "PatientID" else header.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a peer answered to one question.

    Attributes
    ----------
    count : int
        Answers that came, doubles included.
    cut : bool
        There may be more: we stopped listening, or the peer ended with a warning or a failure.
    error : SourceUnreachable or None
        The failure that it ended with.
    """

    found: tuple[Told, ...]
    count: int
    cut: bool = False
    error: SourceUnreachable | None = None


Ask = Callable[[Mapping[str, str]], Answers]
"""Asks for the studies that match some keys; raises where the peer is away."""


class Stock:
    """Asks a peer for all its studies, or for those of some years.

    Parameters
    ----------
    ask : callable
    today : date
    first, last : date, optional
        Days to ask for. Studies without a date are told only when neither is given.
    """

    def __init__(
        self, ask: Ask, *, today: date, first: date | None = None, last: date | None = None
    ) -> None:
        self._put = ask
        self._today = today.toordinal()
        self._bounded = first is not None or last is not None
        self._first = (first or date.min).toordinal()
        self._last = (last or date.max).toordinal()
        self._largest = _LEAST
        self._signs: dict[str, set[str]] = {keyword: set(_COMMON_SIGNS) for keyword in _PARTS}
        self._nameless = False
        self._held: dict[str, tuple[int, Told]] = {}
        self._strays: set[str] = set()

    def parts(self, cursor: str) -> Iterator[tuple[tuple[PeerStudy, ...], str]]:
        """Yield studies part by part, each with the cursor to go on from after it.

        Raises
        ------
        SourceUnreachable
            The peer is away, or answers with a failure however little is asked for.
        """
        everything = self._ask({})  # tells how long an answer may be
        phase, _, where = cursor.partition(" ")
        self._nameless = self._nameless or where.startswith(_NAMELESS)
        where = where.removeprefix(_NAMELESS)
        if phase not in _PARTS:
            for found, day in self._dated(int(where) if where else self._first):
                yield _studies(found), self._cursor("day", str(day))
        if self._bounded:
            return
        yield _studies(self._strange(everything.found)), self._cursor(phase, where)
        for keyword in _PARTS[_PARTS.index(phase) if phase in _PARTS else 0 :]:
            if keyword == "PatientName" and not self._nameless:
                continue
            for sign in sorted(_ALL_SIGNS | self._signs[keyword]):
                if phase != keyword or sign > where:
                    found = self._strange(self._by_prefix({}, keyword, "", {sign}))
                    yield _studies(found), self._cursor(keyword, sign)

    def _cursor(self, phase: str, where: str) -> str:
        return f"{phase} {_NAMELESS if self._nameless else ''}{where}"

    # -- asking ------------------------------------------------------------------------------

    def _ask(self, keys: Mapping[str, str]) -> Answers:
        answers = self._put(keys)
        self._largest = max(self._largest, answers.count)
        for one in answers.found:
            self._nameless = self._nameless or not one.value("PatientID")
            for keyword in _PARTS:
                self._signs[keyword].update(set(one.value(keyword)) - {"*", "?", "\\"})
        return answers

    def _is_whole(self, answers: Answers) -> bool:
        return not answers.cut and answers.count < self._largest

    # -- by days -----------------------------------------------------------------------------

    def _dated(self, day: int) -> Iterator[tuple[list[Told], int]]:
        """Yield studies from a day on, with the day to go on from."""
        span = _FIRST_DAY - day if day < _FIRST_DAY else _CENTURY
        while day <= self._last:
            end = self._end(day, span)
            answers = self._ask({"StudyDate": _days(day, end)})
            if not self._is_whole(answers) and end > day:
                span = (end - day + 1) // 2
                self._held |= {one.uid: (end, one) for one in answers.found}
                continue
            found: Iterable[Told] = answers.found
            if not self._is_whole(answers):
                found = self._of_a_day(_days(day, end), answers)
            yield self._of_window(found, day, end), end + 1
            if answers.count < self._largest // 4:
                span = (end - day + 1) * 2
            day = end + 1

    def _end(self, day: int, span: int) -> int:
        """Return the last day of a window; none reaches from the past into the future."""
        border = self._today if day <= self._today else date.max.toordinal()
        return min(day + span - 1, border, self._last)

    def _of_window(self, found: Iterable[Told], day: int, end: int) -> list[Told]:
        """Return what belongs to a window, and what belongs to none; each study once.

        What a longer window told and its parts did not is told after the last of them.
        """
        mine: dict[str, Told] = {}
        for one in each_once(found):
            self._held.pop(one.uid, None)
            if one.uid in self._strays:
                continue
            if not day <= _ordinal(one.date) <= end:
                self._strays.add(one.uid)
            mine[one.uid] = one
        for uid in [uid for uid, (last, _) in self._held.items() if last <= end]:
            _, one = self._held.pop(uid)
            if uid not in self._strays:
                self._strays.add(uid)
                mine[uid] = one
        return list(mine.values())

    def _strange(self, found: Iterable[Told]) -> list[Told]:
        """Return what no window of days can tell and nobody has told yet."""
        mine = {one.uid: one for one in each_once(found) if not _ordinal(one.date)}
        new = [one for uid, one in mine.items() if uid not in self._strays]
        self._strays.update(mine)
        return new

    # -- a day that is too long ----------------------------------------------------------------

    def _of_a_day(self, day: str, answers: Answers) -> Iterator[Told]:
        """Yield the studies of a day by its hours, then by patients: some have no time."""
        base = {"StudyDate": day}
        yield from answers.found
        for start in (0, _MINUTES // 2):
            yield from self._by_time(base, start, start + _MINUTES // 2)
        for keyword in _PARTS if self._nameless else _PARTS[:1]:
            yield from self._by_prefix(base, keyword, "", _ALL_SIGNS | self._signs[keyword])

    def _by_time(self, base: Mapping[str, str], start: int, end: int) -> Iterator[Told]:
        answers = self._ask({**base, "StudyTime": _times(start, end)})
        yield from answers.found
        if self._is_whole(answers) or not _is_within(answers, start, end):
            return
        if end - start == 1:
            if answers.error:
                raise answers.error
            return
        middle = (start + end) // 2
        yield from self._by_time(base, start, middle)
        yield from self._by_time(base, middle, end)

    def _by_prefix(
        self, base: Mapping[str, str], keyword: str, prefix: str, signs: Iterable[str]
    ) -> Iterator[Told]:
        """Yield studies by the beginning of an element, one sign more where there are many."""
        for sign in sorted(signs):
            start = prefix + sign
            answers = self._ask({**base, keyword: f"{start}*"})
            yield from answers.found
            if self._is_whole(answers):
                continue
            if not _begin(answers, keyword, start) or len(start) >= _LONGEST_PREFIX:
                logger.warning("the old archive may have cut an answer off")
                continue
            exact = self._ask({**base, keyword: start})
            yield from exact.found
            if exact.error:
                raise exact.error
            if not self._is_whole(exact):
                logger.warning("the old archive may have cut an answer off")
            yield from self._by_prefix(base, keyword, start, self._signs[keyword])


def each_once(found: Iterable[Told]) -> list[Told]:
    """Return each study once; one told for several patients has the instances of all of them.

    Some archives part a study in which there are several patients, and tell each part; others tell
    a study once for each of its series.
    """
    parts: dict[str, dict[str, Told]] = {}
    for one in found:
        parts.setdefault(one.uid, {})[one.value("PatientID")] = one
    return [_joined(list(some.values())) for some in parts.values()]


def _joined(parts: list[Told]) -> Told:
    if len(parts) == 1:
        return parts[0]
    counts = [one.study.instances for one in parts]
    total = None if None in counts else sum(count for count in counts if count is not None)
    # Where one part tells none, those of the others are not all that there are.
    each = [one.study.classes for one in parts]
    classes = tuple(dict.fromkeys(chain.from_iterable(each))) if all(each) else ()
    first = parts[0]
    return replace(first, study=replace(first.study, instances=total, classes=classes))


def _studies(found: Iterable[Told]) -> tuple[PeerStudy, ...]:
    return tuple(one.study for one in found)


def _days(first: int, last: int) -> str:
    """Return a range of days as a key (PS3.4 C.2.2.2.5); open where it has no end."""
    start, end = (date.fromordinal(day).isoformat().replace("-", "") for day in (first, last))
    if first == last:
        return start
    if first == date.min.toordinal():
        return f"-{end}"
    return f"{start}-" if last == date.max.toordinal() else f"{start}-{end}"


def _ordinal(text: str) -> int:
    """Return the day of a DA value; 0 where it is none."""
    if len(text) != 8 or not text.isascii() or not text.isdecimal():
        return 0
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal()
    except ValueError:
        return 0


def _times(start: int, end: int) -> str:
    """Return a range of minutes as a key.

    The shortest form below and the longest above: so that peers which compare text do not lose
    times of fewer or more digits between two ranges.
    """
    hour, minute = divmod(start, 60)
    below = f"{hour:02d}" + (f"{minute:02d}" if minute else "")
    hour, minute = divmod(end - 1, 60)
    return f"{below}-{hour:02d}{minute:02d}59.999999"


def _is_within(answers: Answers, start: int, end: int) -> bool:
    """Tell whether a peer heeded the times asked for."""
    minutes = [_minute(one.time) for one in answers.found]
    return all(minute is None or start <= minute < end for minute in minutes)


def _minute(text: str) -> int | None:
    digits = text.replace(":", "")[:4].ljust(4, "0")
    if not text or not digits.isascii() or not digits.isdecimal():
        return None
    return int(digits[:2]) * 60 + int(digits[2:])


def _begin(answers: Answers, keyword: str, start: str) -> bool:
    """Tell whether a peer heeded the beginning asked for, whatever it holds of case."""
    wanted = start.casefold()
    return all(one.value(keyword).casefold().startswith(wanted) for one in answers.found)
