"""The patient index: the look-alikes that make filing hard."""

from collections import Counter

import numpy as np
import pytest

from digitizer.rehearsal.people import CITY, Person, check_digit, people, sibling


@pytest.fixture(scope="module")
def index() -> list[Person]:
    """Return an index of a usual room's size."""
    return people(np.random.default_rng(1), 300)


def alike(index: list[Person], kind: str) -> list[tuple[Person, Person]]:
    """Return the pairs of a kind: a person and the look-alike behind."""
    pairs = [(index[at - 1], one) for at, one in enumerate(index) if one.kin == kind]
    assert pairs
    return pairs


def apart(one: str, other: str) -> int:
    """Return in how many places two numbers differ."""
    return sum(a != b for a, b in zip(one, other, strict=True))


def test_namesakes_share_the_name_and_not_the_birth_date(index: list[Person]) -> None:
    """Two people, one name."""
    for one, other in alike(index, "namesake"):
        assert (one.family, one.given) == (other.family, other.given)
        assert one.birth != other.birth


def test_twins_share_family_birth_date_and_nearly_the_number(index: list[Person]) -> None:
    """Given names differ; the numbers in one digit, or in two changed about."""
    for one, other in alike(index, "twin"):
        assert (one.family, one.birth) == (other.family, other.birth)
        assert one.given != other.given
        assert apart(one.patient_id, other.patient_id) in (1, 2)


def test_juniors_bear_their_fathers_name(index: list[Person]) -> None:
    """JR, a generation younger; the father bears SR or nothing."""
    for father, son in alike(index, "junior"):
        assert (father.family, father.given) == (son.family, son.given)
        assert son.suffix == "JR"
        assert father.suffix in ("SR", "")
        assert 19 <= son.birth.year - father.birth.year <= 36
    assert any(father.suffix == "SR" for father, _ in alike(index, "junior"))


def test_some_numbers_are_one_digit_apart(index: list[Person]) -> None:
    """Strangers whose record numbers are taken for each other."""
    places = [apart(one.patient_id, other.patient_id) for one, other in alike(index, "number")]
    assert 1 in places
    assert max(places) <= 2


def test_some_women_had_another_name(index: list[Person]) -> None:
    """Family and given name, the family name not that of today."""
    former = [(one, name) for one in index for name in one.former]
    assert former
    for one, name in former:
        assert name.split("^")[1] == one.given
        assert name.split("^")[0] != one.family


def test_numbers_are_unique_within_their_issuer(index: list[Person]) -> None:
    """Look-alikes included."""
    assert max(Counter(one.number for one in index).values()) == 1


def test_most_city_numbers_bear_a_valid_check_digit(index: list[Person]) -> None:
    """All but those made to look like another."""
    plain = [one for one in index if one.issuer == CITY and one.kin not in ("twin", "number")]
    assert all(one.patient_id[-1] == check_digit(one.patient_id[:-1]) for one in plain)


def test_a_sibling_is_another_person_of_the_family(index: list[Person]) -> None:
    """With a free number of the same issuer."""
    taken = {one.number for one in index}
    other = sibling(np.random.default_rng(2), index[0], taken)
    assert other.family == index[0].family
    assert other.given != index[0].given
    assert other.number not in {one.number for one in index}
