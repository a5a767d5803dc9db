"""The budget: one film filed wrongly stops its class of evidence, and a blind look measures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jackets import Site, an_exam, somebody

from digitizer.errors import UsageError
from digitizer.identity import interval
from digitizer.model.records import BlindReview, Stage
from digitizer.model.states import State
from digitizer.pipeline.blind import answer, dismiss, open_reviews
from digitizer.pipeline.budget import (
    closed_classes,
    release_class,
    report_wrong,
    standing,
    stop_class,
)
from digitizer.pipeline.jacket import decide
from digitizer.pipeline.report import batch_json
from digitizer.pipeline.review import hold

PEOPLE = (
    somebody("4711822", "OKONKWO^JANE", "1931-04-02"),
    somebody("4711823", "OKONKWO^JOAN", "1931-04-02"),
)
LABEL = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
BY_NUMBER = ["OKONKWO, JANE", "4711822", "ACC R78-01234"]
BY_ACCESSION = ["OKONKWO, JANE", "DOB 04/02/1931", "ACC R78-01234"]
EXAMS = (an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", None),)

Make = Callable[..., Site]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(**policy: Any) -> Site:
        return Site.at(tmp_path / "data", PEOPLE, EXAMS, **{"blind_share": 0.0, **policy})

    return made


def states(site: Site, films: list[str]) -> list[State]:
    return [site.film(one).state for one in films]


def of_class(site: Site, kind: str) -> dict[str, Any]:
    (found,) = [one for one in standing(site.services)["classes"] if one["class"] == kind]
    return found


def test_expected_wrong_is_summed_by_class(make: Make) -> None:
    """Over what was filed by itself; the same sum as the batch shows."""
    site = make()
    films = site.jacket("J1", LABEL, BY_NUMBER, BY_ACCESSION, [])
    shown = standing(site.services)
    assert states(site, films) == [State.APPROVED, State.APPROVED, State.REVIEW]
    decisions = [one for one in (site.film(film).decision for film in films) if one is not None]
    assert [one.evidence_class for one in decisions] == ["number", "accession"]
    label = site.film("J1-label").decision
    doubt = sum(1 - (one.posterior or 0) for one in [*decisions, *([label] if label else [])])
    assert shown["expected_wrong"] == pytest.approx(doubt)
    assert 0 < shown["expected_wrong"] <= shown["allowed"]
    assert of_class(site, "accession")["filed"] == 1
    document = batch_json(site.services.ledger, "monday")
    assert document is not None
    assert document["expected_wrong"] == pytest.approx(doubt)


def test_what_a_person_takes_back_no_longer_counts(make: Make) -> None:
    """A film that is rejected was not filed by itself."""
    site = make()
    (film,) = site.jacket("J1", ["FILM LIBRARY"], BY_NUMBER)
    assert standing(site.services)["filed"] == 1
    hold(site.services, film, user="ann")
    assert standing(site.services)["filed"] == 0


def test_one_confirmed_wrong_filing_stops_its_class_until_it_is_released(make: Make) -> None:
    """The other class goes on; the reason says why; a release decides the held films anew."""
    site = make()
    (first,) = site.jacket("J1", LABEL, BY_NUMBER)
    stopped = report_wrong(site.services, first, user="ann", reason_text="it is Joan's")
    assert (stopped.id, stopped.stopped, stopped.wrong) == ("number", True, 1)
    held, other = site.jacket("J2", LABEL, BY_NUMBER, BY_ACCESSION)
    assert states(site, [held, other]) == [State.REVIEW, State.APPROVED]
    (why,) = site.film(held).reasons
    assert why.code.value == "budget_spent"
    assert first in why.text
    with pytest.raises(UsageError, match="reason"):
        release_class(site.services, "number", user="lead", reason_text=" ")
    release_class(site.services, "number", user="lead", reason_text="a flashed card, not ours")
    with site.services.ledger.reading() as view:
        assert view.task(Stage.DECIDE, "BOX-1-J2") is not None
        names = [(one.name, one.actor) for one in view.events("class:number")]
    assert names == [("class_stopped", "ann"), ("class_released", "lead")]
    decide(site.services, "BOX-1-J2")
    assert site.film(held).state is State.APPROVED
    assert of_class(site, "number")["confirmed_wrong"] == 1


def test_only_what_was_filed_by_itself_is_reported_and_once(make: Make) -> None:
    """What a person decided is no failure of a class."""
    site = make()
    film, silent = site.jacket("J1", LABEL, BY_NUMBER, [])
    with pytest.raises(UsageError, match="not filed by itself"):
        report_wrong(site.services, silent, user="ann", reason_text="x")
    report_wrong(site.services, film, user="ann", reason_text="x")
    with pytest.raises(UsageError, match="already"):
        report_wrong(site.services, film, user="ann", reason_text="x")


def test_a_budget_made_smaller_stops_what_has_crossed_it(make: Make) -> None:
    """Nothing more is filed until a lead says so; from then on only what is new counts."""
    site = make()
    site.jacket("J1", LABEL, BY_NUMBER)
    assert closed_classes(site.services) == {}
    smaller = replace(site.services, policy=replace(site.services.policy, budget_per_100k=0.01))
    closed = closed_classes(smaller)
    assert list(closed) == ["number"]
    assert "0.01 in 100,000" in closed["number"]
    assert of_class(site, "number")["by"] == "system"
    release_class(smaller, "number", user="lead", reason_text="accepted")
    assert closed_classes(smaller) == {}


def test_a_sample_is_looked_at_blindly(make: Make) -> None:
    """Each film once; what is shown is whose it is, and the film's history does not tell."""
    site = make(blind_share=1.0, blind_planted=0.0)
    films = site.jacket("J1", LABEL, BY_NUMBER, BY_ACCESSION, [])
    drawn = open_reviews(site.services)
    assert {one.sheet_id for one in drawn} == set(films[:2])
    assert {one.claimed for one in drawn} == {PEOPLE[0]}
    with site.services.ledger.reading() as view:
        names = {one.name for film in films for one in view.events(film)}
    assert "drawn" not in names
    for one in drawn:
        answer(site.services, one.id, user="ann", same=True)
    measured = standing(site.services)["blind"]
    assert (measured["answered"], measured["wrong"], measured["open"]) == (2, 0, 0)
    assert measured["interval"] == list(interval(0, 2))
    assert closed_classes(site.services) == {}
    with pytest.raises(UsageError, match="already"):
        answer(site.services, drawn[0].id, user="ann", same=True)


def test_a_blind_look_that_differs_stops_the_class(make: Make) -> None:
    """It counts until another person finds the reviewer mistaken."""
    site = make(blind_share=1.0, blind_planted=0.0)
    (film,) = site.jacket("J1", LABEL, BY_NUMBER)
    (drawn,) = open_reviews(site.services)
    answer(site.services, drawn.id, user="ann", same=False)
    assert list(closed_classes(site.services)) == ["number"]
    assert standing(site.services)["blind"]["wrong"] == 1
    with site.services.ledger.reading() as view:
        assert "blind_review_differs" in [one.name for one in view.events(film)]
    with pytest.raises(UsageError, match="another person"):
        dismiss(site.services, drawn.id, user="ann", reason_text="no")
    dismiss(site.services, drawn.id, user="bob", reason_text="the block says JANE")
    assert standing(site.services)["blind"]["wrong"] == 0
    assert list(closed_classes(site.services)) == ["number"]


def test_planted_errors_measure_who_looks_and_stop_nothing(make: Make) -> None:
    """A look-alike is shown; finding it is no wrong filing, and missing it is told."""
    site = make(blind_share=1.0, blind_planted=1.0)
    site.jacket("J1", LABEL, BY_NUMBER, BY_NUMBER)
    drawn: tuple[BlindReview, ...] = open_reviews(site.services)
    assert [one.claimed for one in drawn] == [PEOPLE[1], PEOPLE[1]]
    answer(site.services, drawn[0].id, user="ann", same=False)
    answer(site.services, drawn[1].id, user="ann", same=True)
    measured = standing(site.services)["blind"]
    assert (measured["planted"], measured["planted_found"]) == (2, 1)
    assert (measured["answered"], measured["wrong"]) == (0, 0)
    assert closed_classes(site.services) == {}


def test_about_the_share_that_is_set_is_drawn(make: Make) -> None:
    """By chance, the same films every time."""
    site = make(blind_share=0.3)
    films = [film for n in range(12) for film in site.jacket(f"J{n}", LABEL, *[BY_NUMBER] * 5)]
    assert len(films) == 60
    assert 8 <= len(open_reviews(site.services)) <= 30


def test_what_is_drawn_cannot_be_told_from_a_films_id(tmp_path: Path) -> None:
    """Two ledgers draw otherwise of films of the same names."""
    drawn = []
    for name in ("one", "other"):
        site = Site.at(tmp_path / name, PEOPLE, EXAMS, blind_share=0.5)
        site.jacket("J1", LABEL, *[BY_NUMBER] * 30)
        drawn.append({one.sheet_id for one in open_reviews(site.services)})
    assert drawn[0] != drawn[1]


def test_shadow_mode_decides_and_files_nothing(make: Make) -> None:
    """The proposal stands with its posterior; nothing is scheduled to be wrapped."""
    site = make(shadow=True)
    (film,) = site.jacket("J1", LABEL, BY_NUMBER)
    sheet = site.film(film)
    assert (sheet.state, sheet.decision) == (State.REVIEW, None)
    assert site.codes(film) == ["shadow_mode"]
    assert sheet.candidates[0].patient == PEOPLE[0]
    assert (sheet.posterior or 0) > 0.9999
    assert standing(site.services)["filed"] == 0
    with site.services.ledger.reading() as view:
        assert view.tasks() == ()


def test_a_class_is_stopped_by_hand(make: Make) -> None:
    """By a lead who has doubts."""
    site = make()
    with site.services.ledger.transaction() as tx:
        stop_class(site.services, tx, "number", "new engine", "lead")
    (film,) = site.jacket("J1", LABEL, BY_NUMBER)
    assert site.codes(film) == ["budget_spent"]
    assert "new engine" in site.film(film).reasons[0].text
