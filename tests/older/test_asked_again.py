"""An old PACS asked again: what came, what is told otherwise, what it does not give or tell."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from old_instances import an_instance, uid
from old_town import OldSite
from older_peers import JANE, SMITH, PeerTown
from pydicom.uid import CTImageStorage

from digitizer.cli.older_words import source_words
from digitizer.model.older import (
    Ending,
    OldHeader,
    PeerInstance,
    PeerStudy,
    Source,
)
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.pipeline.older import lists
from digitizer.pipeline.older.sources import stock_again

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)


@dataclass
class OldPeer:
    """An old PACS of Jane's studies, each of some instances by number."""

    studies_held: dict[str, list[int]]
    counts: bool = True
    tells_classes: bool = False
    listed: list[str] = field(default_factory=list)
    """Studies of which the instances were asked for."""
    withheld: set[int] = field(default_factory=set)
    told_as: OldHeader = JANE
    takes: Callable[[], object] = lambda: None
    """What fetching takes, called before anything is given."""

    def peer(self, _: Source) -> "OldPeer":
        return self

    def studies(self, cursor: str) -> Iterator[tuple[tuple[PeerStudy, ...], str]]:
        if not cursor:
            yield (
                tuple(
                    PeerStudy(
                        study_instance_uid=uid("study", name),
                        header=self.told_as,
                        instances=len(numbers) if self.counts else None,
                        classes=(str(CTImageStorage),) if self.tells_classes else (),
                    )
                    for name, numbers in self.studies_held.items()
                ),
                "end",
            )

    def instances(
        self, study_instance_uid: str, *, classes: tuple[str, ...] = (), each_class: bool = False
    ) -> tuple[PeerInstance, ...]:
        self.listed.append(study_instance_uid)
        return tuple(
            PeerInstance(
                sop_instance_uid=uid("instance", name, number),
                sop_class_uid=str(CTImageStorage) if each_class else "",
                series_instance_uid=uid("series", name),
            )
            for name, numbers in self.studies_held.items()
            for number in numbers
            if uid("study", name) == study_instance_uid
        )

    def fetch_whole(
        self, study_instance_uid: str, classes: tuple[str, ...], ending: Ending
    ) -> Generator[bytes]:
        assert classes == (str(CTImageStorage),)
        self.takes()
        numbers = {uid("study", name): some for name, some in self.studies_held.items()}
        name = {uid("study", name): name for name in self.studies_held}[study_instance_uid]
        for number in numbers[study_instance_uid]:
            if number not in self.withheld:
                yield an_instance(study=name, number=number)
        if not self.withheld & set(numbers[study_instance_uid]):
            ending.given = len(numbers[study_instance_uid])

    def fetch(self, study_instance_uid: str, wanted: Sequence[PeerInstance]) -> Iterator[bytes]:
        self.takes()
        asked = {one.sop_instance_uid for one in wanted}
        for name, numbers in self.studies_held.items():
            for number in numbers:
                if number not in self.withheld and uid("instance", name, number) in asked:
                    yield an_instance(study=name, number=number)


@dataclass
class PutForward:
    """A clock that is put forward by what is waited for."""

    by: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    def pause(self, seconds: float) -> None:
        self.by += timedelta(seconds=seconds)


@dataclass
class Town(PeerTown):
    """One that has emptied its old PACS."""

    peer: OldPeer

    def __post_init__(self) -> None:
        super().__post_init__()
        self.site.work(self.source)

    def ask_again(self) -> None:
        stock_again(self.site.services, "old", user="ann")
        self.site.work(self.source)

    def missing(self) -> list[str]:
        rows = lists.listed(self.site.services, self.source, "missing")
        return [row.sop_instance_uid for row in rows]

    def report(self) -> str:
        return self.site.report(self.source)


def test_a_peer_that_tells_no_counts_is_asked_for_its_instances(site: OldSite) -> None:
    """Unknown is told as unknown, and what came since is fetched all the same."""
    town = Town(site, OldPeer({"a": [1, 2], "b": [1]}, counts=False))
    assert town.told()["told"] == {"studies": 2, "instances": None}
    assert "told by the source itself not told" in town.report()
    assert "2 studies, no number of instances" in source_words(town.told())
    assert "May be released" in town.report()
    town.peer.studies_held["a"].append(3)
    town.ask_again()
    assert (town.told()["found"], town.told()["verified"]) == (4, 4)
    assert town.told()["told"] == {"studies": 2, "instances": None}
    assert town.study("a").expected == 3


def test_what_comes_whole_is_not_listed(site: OldSite) -> None:
    """As many as the peer has told are all; of any other number it is asked which there are."""
    town = Town(site, OldPeer({"a": [1, 2], "b": [1, 2, 3]}, tells_classes=True, withheld={3}))
    assert town.peer.listed == [uid("study", "b"), uid("study", "b")]
    assert town.study("a").state is State.VERIFIED
    assert town.study("b").code == Code.COUNT_DIFFERS
    assert town.missing() == [uid("instance", "b", 3)]
    town.peer.withheld.clear()
    town.peer.studies_held["a"].append(4)
    town.ask_again()
    # Of what is in hand in part, what is missing alone is asked for.
    assert town.peer.listed[2:] == [uid("study", "a")]
    assert (town.told()["found"], town.study("a").expected) == (5, 3)


def test_what_is_listed_and_not_given_is_in_a_list(site: OldSite) -> None:
    """By name, until it is given or not listed any more."""
    town = Town(site, OldPeer({"a": [1, 2, 3]}, withheld={2, 3}))
    assert town.study("a").code == Code.COUNT_DIFFERS
    assert town.missing() == sorted(uid("instance", "a", number) for number in (2, 3))
    rows = lists.listed(site.services, town.source, "missing")
    assert {row.sop_class_uid for row in rows} == {CTImageStorage}
    assert town.told()["missing"] == 2
    assert "the old PACS, and not there: 2" in town.report()
    town.peer.withheld.clear()
    town.peer.studies_held["a"].remove(3)
    town.ask_again()
    assert town.missing() == []
    assert town.told()["verified"] == 2


@pytest.mark.parametrize("withheld", [{1, 2}, {2}])
def test_a_fetch_longer_than_a_turn_comes_to_its_end(site: OldSite, withheld: set[int]) -> None:
    """A peer that takes its time and gives some, or nothing, is not asked for ever."""
    clock = PutForward()
    site = replace(site, services=replace(site.services, clock=clock))
    peer = OldPeer({"a": [1, 2]}, withheld=withheld, takes=lambda: clock.pause(700))
    town = Town(site, peer)
    assert town.missing() == sorted(uid("instance", "a", number) for number in withheld)
    assert town.study("a").code == Code.COUNT_DIFFERS
    assert clock.by <= timedelta(seconds=4 * 700)


def test_a_study_told_under_another_patient_is_asked_about(site: OldSite) -> None:
    """Verified as it is, with as many instances: it never stays so in silence."""
    town = Town(site, OldPeer({"a": [1], "b": [1]}))
    assert town.study("a").state is State.VERIFIED
    town.peer.told_as = SMITH
    town.ask_again()
    for name in ("a", "b"):
        study = town.study(name)
        assert (study.state, study.code) == (State.REVIEW, Code.SEVERAL_IDENTITIES)
        assert (study.header.name, [one.name for one in study.others]) == (
            "OKONKWO^JANE", ["SMITH^JOHN"])  # fmt: skip
    assert "studies under way or waiting for a person: 2" in town.report()
    version = town.study("a").version
    town.ask_again()
    assert town.study("a").version == version


def test_a_study_that_is_not_told_any_more_is_noted(site: OldSite) -> None:
    """What came of it stays; that it is gone there is written down and said."""
    town = Town(site, OldPeer({"a": [1], "b": [1]}))
    assert town.told()["gone"] == 0
    del town.peer.studies_held["b"]
    town.ask_again()
    assert town.told()["gone"] == 1
    with town.site.services.ledger.reading() as view:
        assert [
            sum(one.name == "not_told_any_more" for one in view.events(town.study(name).id))
            for name in ("a", "b")
        ] == [0, 1]
    assert "when it was last asked did not: 1." in town.report()
    assert "1 study that it does not tell any more" in source_words(town.told())
