"""Leads pause, drain and resume work, and let jackets overtake: what the line then does."""

import json
from pathlib import Path
from typing import Any

import pytest

from digitizer import config, wiring
from digitizer.cli import run_command
from digitizer.model.records import EVERYTHING, Scan, Stage
from digitizer.model.states import State
from digitizer.pipeline.advance import advance, overdue
from digitizer.pipeline.services import Services
from digitizer.pipeline.stages import STAGES
from digitizer.service.lock import DataFolderLock


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data folder that took in two batches of scans, of which nothing can be read."""
    monkeypatch.setenv("DIGITIZER_DATA_DIR", str(tmp_path / "data"))
    for name in ("bulk", "small"):
        for jacket in ("J1", "J2"):
            folder = tmp_path / name / "BOX" / jacket
            folder.mkdir(parents=True)
            for number in range(2):
                (folder / f"{number}.tif").write_text(f"no picture: {name} {jacket} {number}")
        assert run_command(["ingest", str(tmp_path / name)]) == 0
    return tmp_path / "data"


@pytest.fixture
def services(data: Path) -> Services:
    return wiring.services(config.load(data_dir=data, environ={}).settings)


def call(services: Services) -> dict[str, int]:
    """Announce all that is due, as the reaper does, and do it; count by batch what is received."""
    overdue(services)
    for task in services.ledger.due(services.clock.now()):
        advance(services, task.stage, task.subject, STAGES)
    with services.ledger.reading() as view:
        return {
            batch.name: sum(one.state is State.RECEIVED for one in view.scans(batch_id=batch.id))
            for batch in view.batches()
        }


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert run_command([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_work_is_paused_drained_and_resumed(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A paused batch stands still, is told of, and holds no other up; all stands in the trail."""
    lea = ("--as", "lea", "--reason", "no staff")
    for words in (["none"], [], ["bulk", "--all"]):
        assert run_command(["batch", "pause", *words, *lea]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert run_command(["batch", "pause", "bulk", *lea]) == 0
    assert call(services) == {"bulk": 4, "small": 0}
    status = told(capsys, "status")
    assert [one["mode"] for one in status["batches"]] == ["paused", "running"]
    assert (status["mode"], status["may_start"]) == ("running", 0)
    assert told(capsys, "batch", "show", "bulk")["work"]["order"]["reason"] == "no staff"

    with DataFolderLock(tmp_path / "data"):
        # Somebody else runs the line: the command joins, and says why nothing happens.
        waited = run_command(["ingest", str(tmp_path / "bulk"), "--wait", "--timeout", "0.3"])
    assert waited == 3
    assert "This batch is paused, ordered by lea: no staff." in capsys.readouterr().err

    with services.ledger.reading() as view:
        bulk = view.batch_named("bulk")
        assert bulk is not None
        begun = view.scans(batch_id=bulk.id)[0]
    assert run_command(["batch", "resume", "bulk", "--as", "lea"]) == 0
    advance(services, Stage.PREPARE, begun.id, STAGES)
    assert run_command(["batch", "drain", "--all", "--as", "lea"]) == 0
    assert call(services) == {"bulk": 3, "small": 0}
    assert told(capsys, "status")["order"]["mode"] == "draining"
    assert run_command(["status"]) == 0
    assert "All work is draining, ordered by lea" in capsys.readouterr().out

    assert run_command(["batch", "resume", "--all", "--as", "lea"]) == 0
    assert call(services) == {"bulk": 0, "small": 0}
    with services.ledger.reading() as view:
        names = [one.name for one in view.events(bulk.id) if one.actor == "lea"]
        assert names == ["work_paused", "work_resumed"]
        names = [one.name for one in view.events(EVERYTHING)]
        assert names == ["work_draining", "work_resumed"]


def test_an_urgent_jacket_overtakes(services: Services, capsys: pytest.CaptureFixture[str]) -> None:
    """A call for a scan that was taken in first is spent on the urgent one."""
    assert run_command(["jacket", "urgent", "BOX/J2", "--as", "lea"]) == 2
    assert run_command(["jacket", "urgent", "BOX/J2", "--batch", "small", "--as", "lea"]) == 0
    assert told(capsys, "status")["urgent_jackets"][0]["jacket"] == "J2"
    with services.ledger.reading() as view:
        small = view.batch_named("small")
        assert small is not None
        first = view.scans()[0]
        (urgent,) = view.urgent_jackets()
    advance(services, Stage.PREPARE, first.id, STAGES)
    with services.ledger.reading() as view:
        assert view.get(Scan, first.id).state is State.RECEIVED
        states = [one.state for one in view.scans(jacket_id=urgent.id)]
        assert states.count(State.QUARANTINED) == 1
    assert (
        run_command(["jacket", "urgent", "BOX/J2", "--batch", "small", "--off", "--as", "lea"]) == 0
    )
    advance(services, Stage.PREPARE, first.id, STAGES)
    with services.ledger.reading() as view:
        assert view.get(Scan, first.id).state is State.QUARANTINED
        names = [one.name for one in view.events(urgent.id) if one.actor == "lea"]
    assert names == ["jacket_urgent", "jacket_not_urgent"]
