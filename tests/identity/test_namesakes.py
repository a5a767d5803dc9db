"""The name on a film is not overruled by its numbers where it is plainly another's."""

from collections.abc import Callable
from typing import Any

import pytest

Decide = Callable[..., dict[str, Any]]
UNREAD = ["X", "~~"]


def block(name: str) -> list[str]:
    return [name, "MRN 4711822", "DOB 04/02/1931", "ACC R78-01234"]


@pytest.mark.parametrize("label", ["own", "unread", None])
@pytest.mark.parametrize(
    ("said", "numbers", "namesake"),
    [
        ("OKONKWO, JOAN", "OKONKWO^JANE", "OKONKWO^JOAN"),
        ("OKONKWO, MARIE", "OKONKWO^ANNEMARIE", "OKONKWO^MARIE"),
        ("LI, MING", "LIEBERMANN^MING", "LI^MING"),
        ("OKONKWO, JANET", "OKONKWO^JANE", "OKONKWO^JANET"),
    ],
)
def test_an_indexed_namesake_is_asked_about(
    decide: Decide, label: str | None, said: str, numbers: str, namesake: str
) -> None:
    """Its numbers are one twin's, its name is the other's: a person looks."""
    jacket = {"own": block(numbers.replace("^", ", "))[:3], "unread": UNREAD, None: None}[label]
    answer = decide(block(said), numbers, namesake, jacket=jacket)
    assert answer["outcome"] == "review"
    assert answer["patient_id"] is None


def test_a_namesake_is_asked_about_where_no_birth_date_was_read(decide: Decide) -> None:
    """Nothing then tells the two apart but name and number, which differ."""
    film = ["OKONKWO, JANET", "MRN 4711822", "ACC R78-01234"]
    assert decide(film, "OKONKWO^JANE", "OKONKWO^JANET")["outcome"] == "review"


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("OKONKWO, JOAN", "OKONKWO^JANE"),
        ("OKONKWO, ANN", "OKONKWO^JEAN"),
        ("LI, MING", "LIEBERMANN^MING"),
        ("SMITH, ROSE", "SIMONS^ROSE"),
    ],
)
def test_another_name_is_no_misreading(decide: Decide, said: str, known: str) -> None:
    """Its bearer may be missing in the index; no engine reads one for the other."""
    assert decide(block(said), known)["outcome"] == "review"


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("OKONKWO, JANE", "OKONKWO^JANE"),
        ("OKQNKVVO, JANE", "OKONKWO^JANE"),
        ("0KCNKWD, JANE", "OKONKWO^JANE"),
        ("OKONKWO, IAME", "OKONKWO^JANE"),
        ("OKONK, JANE", "OKONKWO^JANE"),
    ],
)
def test_a_misread_name_is_believed(decide: Decide, said: str, known: str) -> None:
    """Both numbers are the patient's, and the signs that differ are like those that belong."""
    assert decide(block(said), known)["patient_id"] == "4711822"


@pytest.mark.parametrize(
    "number",
    ["6661234", "5550002"],  # nobody's of the index, and just a namesake's
)
def test_another_number_under_the_same_name_is_told(ask: Decide, number: str) -> None:
    """A name that both bear, and two numbers that no misreading makes one."""
    jacket = ["SMITH, JOHN", "MRN 5550001", "DOB 01/05/1920"]
    told = ask("SMITH, JOHN", f"MRN {number}", "01/02/1970 CHEST PA", jacket=jacket)
    assert told["outcome"] != "auto"
    assert "film_contradicts_jacket" in [one["code"] for one in told["reasons"]]


def test_a_number_misread_once_contradicts_nobody(ask: Decide) -> None:
    """One sign of it differs, and it is nobody's."""
    jacket = ["SMITH, JOHN", "MRN 5550001", "DOB 01/05/1920"]
    told = ask("SMITH, JOHN", "MRN 5650001", "DOB 01/05/1920", "01/02/1970", jacket=jacket)
    assert "film_contradicts_jacket" not in [one["code"] for one in told["reasons"]]
