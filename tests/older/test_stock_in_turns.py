"""Taking stock of a peer: it goes on where it stopped, and what is told is begun meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hand_clock import HandClock
from old_town import OldSite

from digitizer.errors import SourceUnreachable
from digitizer.model.older import OldHeader, PeerStudy, Source, SourceKind
from digitizer.model.records import Stage
from digitizer.pipeline.older.feed import feed
from digitizer.pipeline.older.sources import add_source, pause_source
from digitizer.pipeline.older.stock import stock


@dataclass
class SlowPeer:
    """An old PACS of a hundred parts, of which one holds a study; each takes its time."""

    clock: HandClock
    breaks_at: int = -1
    asked: list[int] = field(default_factory=list)

    def peer(self, _: Source) -> "SlowPeer":
        return self

    def studies(self, cursor: str) -> Iterator[tuple[tuple[PeerStudy, ...], str]]:
        for part in range(int(cursor or 0), 100):
            if part == self.breaks_at:
                self.breaks_at = -1
                raise SourceUnreachable("The association was broken off.")
            self.asked.append(part)
            self.clock.forward(7)
            study = PeerStudy(study_instance_uid="1.2.3", header=OldHeader(), instances=4)
            yield ((study,) if part == 11 else ()), str(part + 1)


def test_parts_that_find_nothing_are_passed_once(tmp_path: Path) -> None:
    """A turn ends in time, a peer that breaks off costs nothing, and no part is asked twice."""
    with OldSite.at(tmp_path) as site:
        source = add_source(site.services, "old", SourceKind.PACS, "OLD@127.0.0.1:4", user="ann")
        clock = HandClock()
        peer = SlowPeer(clock, breaks_at=47)
        services = replace(site.services, clock=clock, sources=peer)
        turns = broken = 0
        due = [(Stage.OLD_STOCK, source.id)]
        while due == [(Stage.OLD_STOCK, source.id)]:
            turns, started = turns + 1, clock.now()
            try:
                due = stock(services, source.id)
            except SourceUnreachable:
                broken += 1
            assert (clock.now() - started).total_seconds() < 70
        assert due == [(Stage.OLD_FEED, source.id)]
        assert (broken, peer.asked) == (1, list(range(100)))
        assert turns == pytest.approx(700 / 60 + 2, abs=2)
        with services.ledger.reading() as view:
            told = view.get(Source, source.id)
            assert (told.stocked, told.told_studies, told.told_instances) == (True, 1, 4)
            assert len(view.events(source.id)) < 30


def test_studies_are_begun_while_others_are_asked_for(tmp_path: Path) -> None:
    """The first turn ends behind the study that is told; unless paused, it is fetched at once."""
    with OldSite.at(tmp_path) as site:
        source = add_source(site.services, "old", SourceKind.PACS, "OLD@127.0.0.1:4", user="ann")
        clock = HandClock()
        services = replace(site.services, clock=clock, sources=SlowPeer(clock))
        while not site.studies():
            assert stock(services, source.id) == [(Stage.OLD_STOCK, source.id)]
        (study,) = site.studies()
        pause_source(services, "old", user="ann", paused=True)
        assert feed(services, source.id) == []
        pause_source(services, "old", user="ann", paused=False)
        assert feed(services, source.id) == [(Stage.OLD_TAKE, study.id)]
        with services.ledger.reading() as view:
            assert not view.get(Source, source.id).stocked
