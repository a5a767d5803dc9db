"""A small part of `make bench-identity`: nothing is filed wrongly, and most of what can be is."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from digitizer.rehearsal.town import Shares, town


def bench() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts" / "bench_identity.py"
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("bench_identity", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_identity"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tally(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Decide 1,500 films of a town of 3,000."""
    module = bench()
    made = town(7, 3000)
    index = module.opened(tmp_path_factory.mktemp("town"), made, "small")
    return module.run(made, index, 7, 1500)


def test_nothing_is_filed_wrongly(tally: Any) -> None:
    """No wrong patient, nobody who is not in the index, no silent film."""
    assert tally.filed > 500
    assert tally.wrong_patient == []
    assert tally.unknown[0] == 0
    assert tally.unknown[1] > 30
    assert tally.silent[0] == 0
    assert tally.silent[1] > 100


def test_most_of_what_can_be_filed_is(tally: Any) -> None:
    """Somewhat below the figures of the whole bench, for so few are counted."""
    for level, least in {"fresh": 0.94, "worn": 0.85, "bad": 0.55}.items():
        filed, of = tally.fileable[level]
        assert of > 150
        assert filed / of >= least


def test_a_town_holds_the_look_alikes_it_should() -> None:
    """Each kind in about its share, behind the one it resembles."""
    shares = Shares()
    made = town(3, 20_000, shares)
    kinds = Counter(one.kin for one in made.people)
    expected = {
        "twin": shares.twins,
        "namesake": shares.namesakes,
        "junior": shares.juniors,
        "number": shares.near_numbers,
    }
    for kind, share in expected.items():
        assert kinds[kind] == pytest.approx(share * len(made.people), rel=0.25)
    assert len({one.number for one in made.people}) == len(made.people)
    twins = [n for n, one in enumerate(made.people) if one.kin == "twin"]
    assert all(made.people[n].birth == made.people[n - 1].birth for n in twins)
    assert all(made.people[n].family == made.people[n - 1].family for n in twins)
