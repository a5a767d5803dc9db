"""What comes in by itself goes into the batch of the day."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hand_clock import HandClock

from digitizer import wiring
from digitizer.config import Settings
from digitizer.pipeline.ingest import open_batch_of_the_day


@pytest.fixture
def pacific(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this machine eight hours behind UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "PST8")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("pacific")
def test_the_day_is_that_of_the_site(tmp_path: Path) -> None:
    """A shift in the afternoon is one batch, though midnight by UTC is in the middle of it."""
    clock = HandClock(datetime(2030, 1, 2, 23, 59, tzinfo=UTC))
    services = replace(wiring.services(Settings(data_dir=tmp_path)), clock=clock)
    before = open_batch_of_the_day(services, "watch", "x")
    clock.forward(120)
    assert open_batch_of_the_day(services, "watch", "x") == before
    assert before.name == "watch-2030-01-02"
    clock.forward(8 * 3600)
    assert open_batch_of_the_day(services, "watch", "x").name == "watch-2030-01-03"
