"""A small rehearsal room with every hazard, and a batch that did everything right on it."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from digitizer.rehearsal import make_room


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a room with every hazard and the real mammograms, at a low resolution."""
    folder = tmp_path_factory.mktemp("rehearsal") / "room"
    make_room(folder, jackets=5, seed=3, hazards=True, dpi=72, small=True)
    return folder


@pytest.fixture(scope="session")
def truth_of_room(room: Path) -> dict[str, Any]:
    """Return what is true of the room; not to be changed."""
    document: dict[str, Any] = json.loads((room / "truth.json").read_text("utf-8"))
    return document


@pytest.fixture
def truth(truth_of_room: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the truth."""
    return deepcopy(truth_of_room)


def _film(number: str, film: dict[str, Any], *, review: str | None) -> dict[str, Any]:
    filed = review is None
    return {
        "id": number,
        "page": 0,
        "corners": film["corners"],
        "skew_deg": film["skew_deg"],
        "turn_deg": film["turn_deg"],
        "mirrored": film["mirrored"],
        "state": "verified" if filed else "review",
        "reasons": [] if filed else [{"code": review, "text": ""}],
        "patient_id": film["patient_id"] if filed else None,
        "issuer": film["issuer"] if filed else None,
        "accession_number": film["accession_number"] if filed else None,
        "decided_by": "auto" if filed else None,
    }


def _scan(number: int, true: dict[str, Any]) -> dict[str, Any]:
    states, codes = true["expected"]["states"], true["expected"]["reasons"]
    state = states[0] if "verified" not in states else "verified"
    reasons = [{"code": codes[0], "text": ""}] if codes else []
    films = []
    if true["duplicate_of"] is None:
        for at, film in enumerate(true["films"]):
            able = state == "verified" and film["evidence"] in ("full", "partial")
            why = codes[0] if codes else "film_silent"
            films.append(_film(f"{number}-{at}", film, review=None if able else why))
    return {
        "source": true["source"],
        "kind": true["kind"],
        "state": state,
        "reasons": [] if films else reasons,
        "duplicate_of": true["duplicate_of"],
        "films": films,
    }


@pytest.fixture
def perfect() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what makes the batch that a faultless run leaves behind."""

    def make(truth: dict[str, Any]) -> dict[str, Any]:
        scans = [_scan(number, one) for number, one in enumerate(truth["scans"])]
        return deepcopy({"batch": "perfect", "settled": True, "scans": scans})

    return make
