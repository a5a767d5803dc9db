"""Films that slipped into the next jacket, runs shifted by one, swapped jackets: named in words."""

from pathlib import Path

import pytest
from jackets import Site, an_exam, somebody

from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.jacket import decide

NAMES = {"1": "OKONKWO^JANE", "2": "LINDQVIST^PAUL", "3": "TANAKA^YUKI"}
PEOPLE = tuple(somebody(f"47118{n}2", name, f"193{n}-04-02", "") for n, name in NAMES.items())
EXAMS = tuple(
    an_exam(f"R7{n}-0{m}234", f"47118{n}2", f"197{n}-0{m}-12", "CHEST", 1)
    for n in NAMES
    for m in "12"
)


def label(n: str) -> list[str]:
    return [NAMES[n].replace("^", ", "), f"MRN 47118{n}2", f"DOB 04/02/193{n}"]


def film(n: str, m: str = "1") -> list[str]:
    return [*label(n), f"0{m}/12/197{n} ACC R7{n}-0{m}234"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.at(tmp_path / "data", PEOPLE, EXAMS)


def told(site: Site, film_id: str) -> str:
    (why,) = site.film(film_id).reasons
    assert why.code.value == "film_contradicts_jacket"
    return why.text


def again(site: Site, jacket_id: str) -> None:
    """Decide a jacket again where that is due."""
    with site.services.ledger.reading() as view:
        assert view.task(Stage.DECIDE, jacket_id) is not None
    decide(site.services, jacket_id)


def test_a_film_that_slipped_into_the_next_jacket_is_traced(site: Site) -> None:
    """Both names, and where it belongs."""
    site.jacket("J1", label("1"), film("1"))
    mine, slipped = site.jacket("J2", label("2"), film("2"), film("1", "2"))
    assert site.film(mine).state is State.APPROVED
    assert told(site, slipped) == (
        "This film says OKONKWO, JANE; the jacket says LINDQVIST, PAUL. "
        "It belongs to the previous jacket J1, as that one's label says."
    )


def test_a_film_of_the_jacket_behind_is_traced_when_that_is_read(site: Site) -> None:
    """The jacket before is decided again, once."""
    mine, early = site.jacket("J1", label("1"), film("1"), film("2"))
    assert "next jacket" not in told(site, early)
    site.jacket("J2", label("2"), film("2", "2"))
    again(site, "BOX-1-J1")
    assert "It belongs to the next jacket J2" in told(site, early)
    assert site.film(mine).state is State.APPROVED
    with site.services.ledger.reading() as view:
        assert view.task(Stage.DECIDE, "BOX-1-J2") is None


def test_swapped_jackets_are_named(site: Site) -> None:
    """Each holds the other's films."""
    first = site.jacket("J1", label("1"), film("2"), film("2", "2"))
    second = site.jacket("J2", label("2"), film("1"), film("1", "2"))
    again(site, "BOX-1-J1")
    for one in first:
        assert told(site, one).endswith("The films of this and of the next jacket J2 are swapped.")
    for one in second:
        assert "the previous jacket J1 are swapped" in told(site, one)


def test_a_run_shifted_by_one_is_named(site: Site) -> None:
    """Each jacket of the run holds the films of the one behind it."""
    first = site.jacket("J1", label("1"), film("2"), film("2", "2"))
    second = site.jacket("J2", label("2"), film("3"), film("3", "2"))
    site.jacket("J3", label("3"), film("1"), film("1", "2"))
    again(site, "BOX-1-J1")
    again(site, "BOX-1-J2")
    for films, behind in ((first, "J2"), (second, "J3")):
        for one in films:
            assert f"All films here belong to the next jacket {behind}" in told(site, one)


def test_a_stranger_is_not_traced_to_a_neighbour(site: Site) -> None:
    """Who is named in neither of the two jackets beside."""
    site.jacket("J1", label("1"), film("1"))
    (stranger,) = site.jacket("J2", label("2"), film("3"))
    site.jacket("J4", label("1"))
    assert told(site, stranger) == ("This film says TANAKA, YUKI; the jacket says LINDQVIST, PAUL.")
