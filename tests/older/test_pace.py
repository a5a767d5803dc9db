"""An old PACS that others still work with is asked for no more than the site allows."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hand_clock import HandClock
from old_town import OldSite

from digitizer.model.older import OldHeader, OldStudy, Source, SourceKind
from digitizer.model.records import Stage
from digitizer.pipeline.changes import event
from digitizer.pipeline.older.feed import feed
from digitizer.pipeline.older.pace import read_pace
from digitizer.pipeline.older.sources import add_source

NOON = datetime(2030, 1, 2, 12, 0, 0).astimezone()


@pytest.mark.parametrize("most", [1, 7, 60, 3600, 9000])
@pytest.mark.parametrize("turn_s", [1.0, 1.7, 13.0])
def test_an_hour_has_as_many_as_its_pace_however_late_the_turns(most: int, turn_s: float) -> None:
    """None is lost to a turn that comes late, and none is too many."""
    pace = read_pace(f"0-24:{most}")
    at, last, started = NOON, None, 0
    while at < NOON + timedelta(hours=2):
        due = pace.due(at, last)
        assert due is not None
        number, until = due
        if number:
            started, last = started + number, until
        at += timedelta(seconds=turn_s)
    assert started == pytest.approx(2 * most, abs=1 + most * turn_s / 3600)


def test_what_a_pause_kept_back_does_not_come_all_at_once() -> None:
    """After a night without work a minute's share may be started beside the next, and no more."""
    assert read_pace("0-24:3600").due(NOON, NOON - timedelta(hours=9)) == (61, NOON)
    assert read_pace("0-24:60").due(NOON, NOON - timedelta(hours=9)) == (2, NOON)
    assert read_pace("0-24:60").due(NOON, NOON - timedelta(seconds=59)) == (
        0,
        NOON - timedelta(seconds=59),
    )
    assert read_pace("12-13:0").due(NOON, None) == (0, NOON)
    assert read_pace("13-14:5").due(NOON, None) is None


def test_studies_are_set_going_a_minute_apart(tmp_path: Path) -> None:
    """What was set going is remembered with the source: another process goes on from there."""
    clock = HandClock()
    with OldSite.at(tmp_path) as site:
        services = replace(site.services, clock=clock)
        source = add_source(
            *(services, "old", SourceKind.PACS, "OLD@127.0.0.1:4"),
            user="ann",
            options={"pace": "0-24:60"},
        )
        with services.ledger.transaction() as tx:
            tx.save(replace(tx.get(Source, source.id), stocked=True), event(source.id, "stocked"))
            for number in range(9):
                study = OldStudy(
                    id=f"old-{number}",
                    source_id=source.id,
                    study_instance_uid=f"1.2.{number}",
                    header=OldHeader(),
                    changed_at=clock.now(),
                    told=True,
                )
                tx.add(study, event(study.id, "found"))
        started = []
        for _ in range(50):
            started += [(clock.now() - HandClock.at, one) for one in feed(services, source.id)]
            clock.forward(2.9)
    assert {stage for _, (stage, _) in started} == {Stage.OLD_TAKE}
    assert len({subject for _, (_, subject) in started}) == 3
    assert [round(at.total_seconds()) for at, _ in started] == pytest.approx([0, 60, 120], abs=3)
