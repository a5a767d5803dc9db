"""A study fetched without a list of it: called whole only where nothing speaks against it."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hand_clock import HandClock
from old_instances import an_instance, uid
from old_town import OldSite
from older_peers import JANE, SMITH, PeerTown
from pydicom.uid import CTImageStorage, MRImageStorage

from digitizer.errors import SourceUnreachable, StaleRecord
from digitizer.model.older import (
    Ending,
    OldHeader,
    PeerInstance,
    PeerStudy,
    Source,
)
from digitizer.model.reasons import Code
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.advance import advance
from digitizer.pipeline.older.peer_stock import stock_peer
from digitizer.pipeline.older.stock import stock
from digitizer.pipeline.stages import STAGES

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)
CT, MR = str(CTImageStorage), str(MRImageStorage)


@dataclass(frozen=True)
class Held:
    """An instance as a peer holds it; ``study`` is the one that it has it in."""

    content: bytes
    sop_instance_uid: str
    study: str
    sop_class_uid: str


def held(study: str, number: int, kind: str = CT, under: str = "", **more: str) -> Held:
    content = an_instance(study=study, number=number, SOPClassUID=kind, **more)
    return Held(content, uid("instance", study, number), uid("study", under or study), kind)


def told(study: str, count: int, *, header: OldHeader = JANE) -> PeerStudy:
    return PeerStudy(
        study_instance_uid=uid("study", study), header=header, instances=count, classes=(CT,)
    )


@dataclass
class Peer:
    """An old PACS that gives, of a whole study, what is of the classes asked for, and counts."""

    parts: list[Callable[[], Sequence[PeerStudy]]]
    holds: list[Held]
    keeps: set[str] = field(default_factory=set)
    """What it lists and does not give."""
    says: int | None = None
    """How many it says that it gave, whatever came."""
    breaks_off: bool = False
    """Over what it is asked for without its class."""
    cursors: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    while_fetched: Callable[[], object] = lambda: None

    def peer(self, _: Source) -> "Peer":
        return self

    def studies(self, cursor: str) -> Iterator[tuple[tuple[PeerStudy, ...], str]]:
        self.cursors.append(cursor)
        for number, part in enumerate(self.parts, 1):
            if number > int(cursor or 0):
                yield tuple(part()), str(number)

    def instances(
        self, study_instance_uid: str, *, classes: tuple[str, ...] = (), each_class: bool = False
    ) -> tuple[PeerInstance, ...]:
        self.listed.append(study_instance_uid)
        return tuple(
            PeerInstance(
                sop_instance_uid=one.sop_instance_uid,
                sop_class_uid=one.sop_class_uid if each_class or not classes else "",
                series_instance_uid=uid("series", one.study),
            )
            for one in self.holds
            if one.study == study_instance_uid
        )

    def fetch_whole(
        self, study_instance_uid: str, classes: tuple[str, ...], ending: Ending
    ) -> Generator[bytes]:
        mine = [one for one in self.holds if one.study == study_instance_uid]
        given = [
            one
            for one in mine
            if one.sop_class_uid in classes and one.sop_instance_uid not in self.keeps
        ]
        yield from (one.content for one in given)
        self.while_fetched()
        ending.given = self.says or (len(mine) if given == mine else None)

    def fetch(self, _: str, wanted: Sequence[PeerInstance]) -> Iterator[bytes]:
        names = {one.sop_instance_uid for one in wanted} - self.keeps
        if self.breaks_off and not all(one.sop_class_uid for one in wanted):
            raise SourceUnreachable("The association was broken off.")
        yield from (one.content for one in self.holds if one.sop_instance_uid in names)


@dataclass
class Town(PeerTown):
    """One that does the stages that a test names."""

    peer: Peer

    def go_on(self, *but: Stage) -> None:
        """Do what is due now, but for some stages."""
        services = self.site.services
        for task in services.ledger.due(services.clock.now()):
            if task.stage not in but:
                advance(services, task.stage, task.subject, STAGES)


def brought(site: OldSite, peer: Peer) -> Town:
    town = Town(site, peer)
    town.site.work(town.source)
    return town


def test_more_of_another_class_than_was_told(site: OldSite) -> None:
    """The count fits what came; that the peer gave not all has the rest listed and fetched."""
    holds = [held("a", 1), held("a", 2), held("a", 3, MR)]
    town = brought(site, Peer([lambda: [told("a", 2)]], holds))
    assert town.peer.listed == [uid("study", "a")]
    assert (town.told()["found"], town.told()["verified"]) == (3, 3)
    assert town.told()["against_release"] == ["instances the source says it has: 2, that came: 3"]


def test_a_peer_that_breaks_off_over_a_class_that_it_had_not_told(site: OldSite) -> None:
    """It is asked for the class of each instance in the same turn, not waited for without end."""
    holds = [held("a", 1), held("a", 2), held("a", 3, MR)]
    town = brought(site, Peer([lambda: [told("a", 2)]], holds, breaks_off=True))
    assert town.peer.listed == [uid("study", "a")] * 2
    assert town.told()["verified"] == 3


def test_as_many_as_told_and_one_kept_back(site: OldSite) -> None:
    """The peer counts wrongly, and what it does not give is in the list of what is missing."""
    holds = [held("a", number) for number in (1, 2, 3)]
    keeps = {uid("instance", "a", 3)}
    town = brought(site, Peer([lambda: [told("a", 2)]], holds, keeps))
    assert town.study("a").code == Code.COUNT_DIFFERS
    assert town.told()["missing"] == 1


def test_what_was_listed_and_did_not_come_is_not_forgotten(site: OldSite) -> None:
    """Later as many come as are told, and one that was listed is still not among them."""
    keeps = {uid("instance", "a", number) for number in (1, 2, 3)}
    peer = Peer([], [held("a", number) for number in (1, 2, 3)], keeps)

    def part() -> list[PeerStudy]:
        if len(peer.cursors) > 1:
            keeps.difference_update({uid("instance", "a", 1), uid("instance", "a", 2)})
            peer.says = 2
        return [told("a", min(len(peer.cursors), 2))]

    peer.parts = [part]
    town = brought(site, peer)
    assert len(peer.cursors) == 2
    assert town.study("a").code == Code.COUNT_DIFFERS
    assert (town.told()["found"], town.told()["missing"]) == (2, 1)


def test_two_patients_of_one_study_told_with_one_count(site: OldSite) -> None:
    """Told in two parts, two instances each: all four come, and a person is asked."""
    his = {"PatientID": SMITH.patient_id, "PatientName": SMITH.name}
    holds = [held("a", 1), held("a", 2), held("a", 3, MR, **his), held("a", 4, MR, **his)]
    parts = [lambda: [told("a", 2)], lambda: [told("a", 2, header=SMITH)]]
    town = brought(site, Peer(parts, holds))
    assert town.study("a").code == Code.SEVERAL_IDENTITIES
    assert town.told()["found"] == 4


def test_a_stray_does_not_make_another_study_whole(site: OldSite) -> None:
    """What the fetch of another study brought of it is not what its own was to bring."""
    keeps = {uid("instance", "a", 2)}
    holds = [held("a", 1), held("a", 2), held("y", 1), held("a", 9, under="y")]
    town = Town(site, Peer([lambda: [told("a", 2), told("y", 2)]], holds, keeps, says=2))
    busy: list[bool] = []

    def fetch_the_other() -> None:
        if not busy:
            busy.append(True)
            other = next(one.id for one in town.site.studies() if one.id != first[0])
            advance(town.site.services, Stage.OLD_TAKE, other, STAGES)

    town.peer.while_fetched = fetch_the_other
    while not town.site.studies():
        town.go_on(Stage.OLD_FEED, Stage.OLD_TAKE)
    first = [town.study("a").id]
    town.site.work(town.source)
    assert town.study("a").code == Code.COUNT_DIFFERS
    assert town.told()["missing"] == 1


def test_a_study_told_after_a_stray_of_it_was_fetched(site: OldSite) -> None:
    """It counts with all that is told of it, and what was sent already goes on."""
    holds = [held("y", 1), held("z", 9, under="y"), held("z", 1), held("z", 2)]
    town = Town(site, Peer([], holds))

    def later() -> list[PeerStudy]:
        if len(town.peer.cursors) == 1:
            town.go_on(Stage.OLD_STOCK)  # y is begun
            town.go_on(Stage.OLD_STOCK)  # and fetched, which makes z
            with town.site.services.ledger.transaction() as tx:
                tx.schedule(Stage.OLD_TAKE, town.study("z").id)  # as the feed does in a second
            for _ in range(9):
                town.go_on(Stage.OLD_STOCK)
            assert town.study("z").decision is not None
        return [told("z", 2)]

    town.peer.parts = [lambda: [told("y", 2)], later]
    town.site.work(town.source)
    assert town.told()["told"] == {"studies": 2, "instances": 4}
    assert town.told()["found"] == 4
    assert town.told()["review"] == {Code.COUNT_DIFFERS.value: 1}
    assert town.study("z").state is State.VERIFIED


def test_a_study_new_when_asked_again_is_not_gone(site: OldSite) -> None:
    """What was not told the first time and is told the second is no study that is missed."""
    peer = Peer([], [held("a", 1), held("b", 1)])
    peer.parts = [lambda: [told(name, 1) for name in "ab"[: len(peer.cursors)]]]
    town = brought(site, peer)
    assert (town.told()["gone"], town.told()["verified"]) == (0, 2)


def test_killed_between_the_end_of_the_stock_and_that_of_its_task(site: OldSite) -> None:
    """The task is taken off, and the peer is asked once more from the start."""
    town = Town(site, Peer([lambda: [told("a", 1)]], [held("a", 1)]))
    services = town.site.services
    clock = HandClock()
    assert stock_peer(services, town.source, clock.now())
    assert stock(services, town.source.id) == [(Stage.OLD_FEED, town.source.id)]
    assert (
        "it has not been asked once more for what changed meanwhile"
        in (town.told()["against_release"])
    )
    town.site.work(town.source)
    assert town.peer.cursors == ["", ""]
    assert town.told()["against_release"] == []


def test_a_stock_taken_by_two_is_written_by_one(site: OldSite) -> None:
    """A worker that stood still until another had taken its turn writes nothing more."""
    town = Town(site, Peer([], []))
    services, later = town.site.services, HandClock().now() + timedelta(days=1)

    def while_it_stands_still() -> list[PeerStudy]:
        if len(town.peer.cursors) == 1:
            with services.ledger.reading() as view:
                again = view.get(Source, town.source.id)
            assert stock_peer(services, again, later)
        return [told("b", 1)]

    town.peer.parts = [lambda: [told("a", 1)], while_it_stands_still]
    with pytest.raises(StaleRecord):
        stock_peer(services, town.source, later)
    assert town.peer.cursors == ["", "1"]
    assert town.told()["told"] == {"studies": 2, "instances": 2}
