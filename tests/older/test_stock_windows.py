"""Taking stock finds every study once, however a peer caps its answers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

import pytest

from digitizer.errors import SourceUnreachable
from digitizer.model.older import OldHeader, PeerStudy
from digitizer.older.windows import Answers, Stock, Told

TODAY = date(2026, 5, 1)


@dataclass
class Peer:
    """Answers as PS3.4 C.2.2.2 says, but no more than its cap, and says nothing about it.

    ``lexical`` compares dates and times as text and finds the empty before everything; ``deaf``
    does not heed the time of day; ``refuses`` answers with a failure where there is too much.
    """

    studies: list[Told]
    cap: int = 10**9
    lexical: bool = False
    deaf: bool = False
    refuses: bool = False
    asked: list[Mapping[str, str]] = field(default_factory=list)

    def ask(self, keys: Mapping[str, str]) -> Answers:
        self.asked.append(keys)
        found = [one for one in self.studies if self._fits(one, keys)]
        if self.refuses and len(found) > self.cap:
            error = SourceUnreachable("out of resources")
            return Answers(found=(), count=0, cut=True, error=error)
        told = found[: min(self.cap, 1000)]
        return Answers(found=tuple(told), count=len(told), cut=len(told) == 1000)

    def _fits(self, one: Told, keys: Mapping[str, str]) -> bool:
        for keyword, wanted in keys.items():
            if keyword == "StudyDate":
                fits = self._in_range(one.date, wanted)
            elif keyword == "StudyTime":
                fits = self.deaf or self._in_range(one.time, wanted, 13)
            else:
                value = one.value(keyword)
                fits = value.startswith(wanted[:-1]) if wanted[-1] == "*" else value == wanted
            if not fits:
                return False
        return True

    def _in_range(self, value: str, wanted: str, width: int = 0) -> bool:
        if not value and not self.lexical:
            return False
        first, dash, last = wanted.partition("-")
        if not self.lexical:
            value, first = value.ljust(width, "0"), first.ljust(width, "0")
        return (
            (not first or first <= value) and (not last or value <= last)
            if dash
            else value == first
        )


def a_study(number: int, day: str, time: str, patient: str, name: str) -> Told:
    header = OldHeader(patient_id=patient, name=name, study_date=day)
    study = PeerStudy(study_instance_uid=f"1.2.{number}", header=header)
    return Told(study=study, date=day, time=time)


def some_studies(count: int, seed: int, days: int = 4000) -> list[Told]:
    """Most of a few years, some days crowded; some without date, time, number or name."""
    rng = Random(seed)
    first = date(2001, 1, 1)
    found = []
    for number in range(count):
        busy = rng.random() < 0.4
        day = first + timedelta(days=77 if busy else rng.randrange(days))
        patient = rng.choice(["", "x", "X"]) + f"{rng.randrange(30_000)}"
        time = f"{rng.randrange(7, 20):02d}{rng.randrange(60):02d}{rng.randrange(60):02d}"
        time = rng.choice([time, time[:4], time[:2], time + ".25"])
        name = f"{rng.choice(['SMITH', 'smythe', 'ÅBERG', 'van Dyk'])}^{rng.randrange(99)}"
        text = day.isoformat().replace("-", "")
        match rng.randrange(25):
            case 0:
                text = ""
            case 1:
                text, patient = "", ""
            case 2:
                time, patient = "", ""
            case 3:
                time = ""
            case 4:
                text = rng.choice(["18230101", "20991231", "2003.05.01", "20010230"])
        found.append(a_study(number, text, time, patient, name))
    rng.shuffle(found)
    return found


def stock_of(peer: Peer, cursor: str = "") -> list[str]:
    parts = Stock(peer.ask, today=TODAY).parts(cursor)
    return [one.study_instance_uid for part, _ in parts for one in part]


@pytest.mark.parametrize("lexical", [False, True])
@pytest.mark.parametrize("cap", [37, 100, 10**9])
def test_no_cap_hides_a_study(cap: int, lexical: bool) -> None:
    """Every study is told exactly once, whatever the cap, and nobody was told of it."""
    peer = Peer(some_studies(250, cap), cap, lexical)
    assert Counter(stock_of(peer)) == Counter(one.uid for one in peer.studies)


def test_a_cap_that_the_stock_meets_exactly() -> None:
    """A peer that holds just as many as it tells at once is asked on until that is sure."""
    for held in (99, 100, 101):
        peer = Peer(some_studies(held, 3), 100)
        assert Counter(stock_of(peer)) == Counter(one.uid for one in peer.studies)


def test_a_peer_that_refuses_long_answers() -> None:
    """A failure for want of resources is asked again in parts."""
    peer = Peer(some_studies(400, 5), 50, refuses=True)
    assert Counter(stock_of(peer)) == Counter(one.uid for one in peer.studies)


def test_a_peer_that_refuses_everything_is_told_of() -> None:
    """A failure however little is asked for is the failure of the stock, and soon."""
    peer = Peer(some_studies(50, 5), -1, refuses=True)
    with pytest.raises(SourceUnreachable):
        stock_of(peer)
    assert len(peer.asked) < 100


def test_times_that_are_not_heeded() -> None:
    """Where a peer does not heed times, a crowded day is parted by patients."""
    peer = Peer(some_studies(500, 6), 60, deaf=True)
    found = Counter(stock_of(peer))
    told = {
        one.uid for one in peer.studies if one.date and not (one.time or one.value("PatientID"))
    }
    assert {one.uid for one in peer.studies} - told <= set(found)
    assert max(found.values()) == 1


def test_a_cursor_goes_on() -> None:
    """Killed after any part and started again with its cursor, nothing is lost.

    What has a date is not told twice; what has none may be.
    """
    studies = some_studies(200, 8)
    whole = list(Stock(Peer(studies, 60).ask, today=TODAY).parts(""))
    for stop in range(0, len(whole), len(whole) // 3):
        before = [one.study_instance_uid for part, _ in whole[: stop + 1] for one in part]
        after = stock_of(Peer(studies, 60), whole[stop][1])
        missing = {one.uid for one in studies} - {*before, *after}
        assert not missing
        dated = {one.uid for one in studies if one.date.isdigit() and one.date != "20010230"}
        assert not set(before) & set(after) & dated


def test_years_that_are_asked_for() -> None:
    """With bounds only the studies of those years are told, and those all."""
    peer = Peer(some_studies(400, 9), 40)
    stock = Stock(peer.ask, today=TODAY, first=date(2003, 1, 1), last=date(2004, 12, 31))
    found = Counter(one.study_instance_uid for part, _ in stock.parts("") for one in part)
    days = [one for one in peer.studies if one.date[:4] in ("2003", "2004")]
    wanted = [one.uid for one in days if one.date.isdigit()]
    assert found == Counter(wanted)


def test_few_questions_where_nothing_caps() -> None:
    """A peer without a cap is not pestered: windows widen where little is told."""
    peer = Peer(some_studies(300, 10))
    stock_of(peer)
    assert len(peer.asked) < 400


@pytest.mark.parametrize(
    ("told", "classes"), [((("CT",), ("MR", "CT")), ("CT", "MR")), ((("CT",), ()), ())]
)
def test_a_study_of_two_patients_is_one(
    told: tuple[tuple[str, ...], tuple[str, ...]], classes: tuple[str, ...]
) -> None:
    """A study that a peer parts by patient is told once, with the instances of both.

    Of its classes all are told, or none where those of one part are not.
    """
    parts = [a_study(1, "20010101", "", patient, "A") for patient in ("P1", "P2")]
    parts = [
        replace(one, study=replace(one.study, instances=3, classes=some))
        for one, some in zip(parts, told, strict=True)
    ]
    found = [one for part, _ in Stock(Peer(parts).ask, today=TODAY).parts("") for one in part]
    assert [(one.study_instance_uid, one.instances) for one in found] == [("1.2.1", 6)]
    assert found[0].classes == classes
