"""Following, replaying, looking blindly: as a user runs them, on jackets read before."""

import getpass
import os
from pathlib import Path

import pytest
from jackets import Site as Read
from jackets import an_exam, somebody
from site_commands import Site, SiteInProcess

JANE = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
FULL = [*JANE, "DATE 03/12/1978 ACC R78-01234"]
PEOPLE = (
    somebody("4711822", "OKONKWO^JANE", "1931-04-02"),
    somebody("5550001", "LINDQVIST^PAUL", "1920-01-05", "M"),
)
CHEST = an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", 2)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site of one jacket: a film filed, a silent one, and a stranger's."""
    read = Read.at(tmp_path / "data", PEOPLE, [CHEST], blind_share=1.0, blind_planted=0.0)
    read.jacket("J1", JANE, FULL, [], ["LINDQVIST, PAUL", "5550001"])
    return SiteInProcess(tmp_path / "data")


def test_following_names_what_is_filed_and_what_is_not(site: Site) -> None:
    """Exit 3 while a film needs a person; the exam is asked for where it is not clear."""
    words = ("review", "follow", "BOX-1/J1", "--as", "ann", "--patient", "4711822")
    asked = site.json(*words, codes=(3,))
    assert (asked["filed"], list(asked["asked"]), list(asked["refused"])) == (
        {},
        ["J1-f2"],
        ["J1-f3"],
    )
    assert "LINDQVIST, PAUL" in asked["refused"]["J1-f3"]["text"]
    done = site.json(*words, "--accession", "R78-01234", codes=(3,))
    assert done["filed"] == {"J1-f2": "R78-01234"}
    again = site.run(*words)
    assert (again.returncode, again.stdout) == (2, "")
    assert "No silent film" in again.stderr


def test_a_replay_of_the_same_rules_differs_in_nothing(site: Site) -> None:
    """And says that nothing was changed."""
    document = site.json("replay", "--batch", "monday", "--kept-readings")
    assert (document["sheets"], document["diff"]) == (4, [])
    assert "Nothing was changed" in site.run("replay", "--batch", "monday").stdout


def test_a_blind_look_is_answered_and_counted(site: Site) -> None:
    """What is shown is the patient, not the decision."""
    (drawn,) = site.json("review", "blind", "list")
    assert (drawn["film"], drawn["name"]) == ("J1-f1", "OKONKWO, JANE")
    words = ("review", "blind", "answer", drawn["id"], "--as", "ann", "--other")
    assert site.run(*words).returncode == 0
    budget = site.json("budget", "show")
    assert (budget["blind"]["answered"], budget["blind"]["wrong"]) == (1, 1)
    stopped = [one["class"] for one in budget["classes"] if one["stopped"]]
    assert stopped == ["number"]


def test_what_accepting_leaves_open_is_said(tmp_path: Path) -> None:
    """The exams to choose from before, those of the day after; who decided may take it back."""
    hand = an_exam("R78-09999", "4711822", "1978-03-12", "HAND", 1)
    read = Read.at(tmp_path / "data", PEOPLE, [CHEST, hand])
    read.jacket("J1", JANE, [*JANE, "DATE 03/12/1978"])
    site = SiteInProcess(tmp_path / "data")
    shown = site.run("review", "show", "J1-f1").stdout
    for exam in ("R78-01234 1978-03-12", "R78-09999 1978-03-12"):
        assert exam in shown
    accepted = site.run("review", "accept", "J1-f1", "--as", "ann").stdout
    assert "in a study of its own of 1978-03-12" in accepted
    assert "the index has of that day: R78-01234" in accepted
    refused = site.run("review", "hold", "J1-f1", "--as", "bob")
    assert refused.returncode == 2
    assert "with ann. What that person decided, that person takes back" in refused.stderr
    for undo in ("hold", "release"):
        assert site.run("review", undo, "J1-f1", "--as", "ann").returncode == 0
    named = ("review", "accept", "J1-f1", "--as", "ann", "--accession", "R78-09999")
    assert "study of its own" not in site.run(*named).stdout


def test_a_retry_says_what_it_cannot_set_going_and_who_asked(site: Site) -> None:
    """A film put aside waits for its release; one that is filed has nothing to be tried again."""
    assert site.run("review", "hold", "J1-f2", "--as", "ann").returncode == 0
    tried = site.run("retry", "--as", "lead", "J1-f1", "J1-f2", "J1-f3")
    assert (tried.returncode, tried.stdout.splitlines()[0]) == (0, "1 of 3 set going.")
    assert [line.split(":")[0].strip() for line in tried.stdout.splitlines()[1:]] == [
        "J1-f1",
        "J1-f2",
    ]
    (retried,) = [
        one for one in site.json("review", "show", "J1-f3")["events"] if one["name"] == "retried"
    ]
    assert retried["by"] == "lead"


def test_who_has_no_login_name_is_told_by_number(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container: what is done there is in the audit trail all the same."""

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert site.run("retry", "J1-f3").stdout == "1 of 1 set going.\n"
    events = site.json("review", "show", "J1-f3")["events"]
    assert [one["by"] for one in events if one["name"] == "retried"] == [f"cli:{os.getuid()}"]


def test_a_jacket_that_is_unknown_is_told_before_its_patient(site: Site) -> None:
    """The name that was typed first."""
    done = site.run("review", "follow", "J9", "--as", "ann", "--patient", "none")
    assert (done.returncode, "There is no jacket J9" in done.stderr) == (2, True)


def test_of_several_films_each_that_cannot_be_decided_is_told(site: Site) -> None:
    """The others are done."""
    done = site.run("review", "assign", "none", "J1-f2", "J1-f1", "--as", "ann")
    assert (done.returncode, done.stdout) == (2, "1 of 3 done.\n")
    assert "There is no film none" in done.stderr
    assert "Film J1-f1 is" in done.stderr


def test_what_two_engines_read_alike_is_shown_once(tmp_path: Path) -> None:
    """What they read differently, both times."""
    Read.at(tmp_path / "data", PEOPLE, [CHEST]).jacket(
        "J1", JANE, ["LINDQVIST, PAUL", "5550001", "LINDQVIST, PAUL", "555OOO1"]
    )
    shown = SiteInProcess(tmp_path / "data").run("review", "show", "J1-f1").stdout
    read = [line.strip() for line in shown.splitlines() if "read:" in line]
    assert read == ["read: LINDQVIST, PAUL", "read: 5550001", "read: 555OOO1"]
