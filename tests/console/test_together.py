"""One look for many films: a jacket's silent ones; and looks at what was filed by itself."""

from dataclasses import replace
from pathlib import Path

import pytest
from console_films import ANNA, fill_review
from console_site import Browser, Console
from ledger_records import happened

from digitizer.model.reasons import Code, reason
from digitizer.model.records import BlindReview, Sheet
from digitizer.model.states import State
from digitizer.model.users import Role


@pytest.fixture
def silent(console: Console, tmp_path: Path) -> list[str]:
    """Return films of one jacket, the first two of which say nothing."""
    films = fill_review(console, tmp_path)
    with console.site.services.ledger.transaction() as tx:
        for film in films[:2]:
            why = (reason(Code.FILM_SILENT),)
            sheet = replace(tx.get(Sheet, film), reasons=why, fields={}, candidates=())
            tx.save(sheet, happened(film))
    return films


def states(console: Console, films: list[str]) -> list[State]:
    with console.site.services.ledger.reading() as view:
        return [view.get(Sheet, film).state for film in films]


def test_silent_films_are_shown_together_and_followed(
    console: Console, ann: Browser, silent: list[str]
) -> None:
    """What can be filed is, with the name of who looked; what needs its exam stays, told so."""
    text = ann.get("/jackets/j1").text
    assert "2 silent films: whose are they?" in text
    assert text.count('class="silent"') == 2
    done = ann.post("/jackets/j1/follow", patient="MERCY:A100200")
    assert done.headers["location"] == "/jackets/j1"
    told = ann.get("/jackets/j1").text
    assert "filed under patient A100200" in told
    assert states(console, silent)[2] is State.REVIEW
    assert any("ann" in _actors(console, film) for film in silent[:2])


def _actors(console: Console, film: str) -> list[str]:
    with console.site.services.ledger.reading() as view:
        return [one.actor for one in view.events(film)]


def test_a_patient_who_is_typed_is_shown_before_anything_is_filed(
    console: Console, ann: Browser, silent: list[str]
) -> None:
    """A mistyped number must be seen."""
    done = ann.post("/jackets/j1/follow", other="MERCY:A100200", patient="MERCY:A100201")
    assert done.headers["location"] == "/jackets/j1?patient=MERCY%3AA100200"
    text = ann.get(done.headers["location"]).text
    assert 'value="MERCY:A100200" checked' in text
    assert set(states(console, silent)) == {State.REVIEW}


def test_nobody_is_followed_without_a_choice(
    console: Console, ann: Browser, silent: list[str]
) -> None:
    """Nor to somebody who is not in the index."""
    assert ann.post("/jackets/j1/follow").status_code == 409
    assert ann.post("/jackets/j1/follow", other="MERCY:0").status_code == 409
    assert set(states(console, silent)) == {State.REVIEW}


@pytest.fixture
def drawn(console: Console, silent: list[str]) -> BlindReview:
    review = BlindReview(
        id="blind1",
        sheet_id=silent[2],
        batch_id="b1",
        evidence_class="number",
        claimed=ANNA,
        planted=False,
        drawn_at=console.clock.now(),
    )
    with console.site.services.ledger.transaction() as tx:
        tx.add(review, happened("blind1", "drawn"))
    return review


def test_a_blind_look_shows_the_patient_and_nothing_of_the_decision(
    console: Console, ann: Browser, drawn: BlindReview
) -> None:
    """Yes and no are written down; the next one follows."""
    assert ann.get("/blind").headers["location"] == "/blind/blind1"
    text = ann.get("/blind/blind1").text
    assert "MARTINEZ, ANNA L" in text
    assert "posterior" not in text
    assert ann.post("/blind/blind1", same="may").status_code == 409
    assert ann.post("/blind/blind1", same="yes").status_code == 303
    with console.site.services.ledger.reading() as view:
        answered = view.get(BlindReview, "blind1")
    assert (answered.answer, answered.answered_by) == ("same", "ann")
    assert "Nothing waits for a blind look" in ann.get("/blind").text
    assert ann.post("/blind/blind1", same="no").status_code == 409


def test_a_long_blind_look_is_kept(console: Console, ann: Browser, drawn: BlindReview) -> None:
    """By the page's heartbeat; when it is closed or answered it is nobody's."""
    text = ann.get("/blind/blind1").text
    assert 'data-keep="/blind/blind1/keep"' in text
    assert "/static/blind.js" in text
    for _ in range(3):
        console.clock.forward(50)
        assert ann.post("/blind/blind1/keep").status_code == 204
    console.add("rob", Role.REVIEWER)
    rob = console.sign_in("rob")
    assert rob.post("/blind/blind1/keep").status_code == 409
    assert ann.post("/blind/blind1/leave").status_code == 204
    assert rob.post("/blind/blind1/keep").status_code == 204
    rob.post("/blind/blind1", same="yes")
    assert "answered already" in rob.post("/blind/blind1/keep").text
    again = rob.post("/blind/blind1", same="yes")
    assert "This has been answered." in again.text
    assert console.site.leases.holder("blind1", console.clock.now()) is None
    assert ann.post("/blind/none/keep").status_code == 404


def test_two_people_do_not_look_at_one(console: Console, ann: Browser, drawn: BlindReview) -> None:
    """The second is told."""
    ann.get("/blind/blind1")
    console.add("rob", Role.REVIEWER)
    rob = console.sign_in("rob")
    assert rob.get("/blind/blind1").status_code == 409
    assert rob.post("/blind/blind1", same="no").status_code == 409


def test_the_measured_rate_is_for_leads(
    console: Console, ann: Browser, lea: Browser, drawn: BlindReview
) -> None:
    """With what was stopped by it; a reviewer does not see it."""
    ann.get("/blind/blind1")
    ann.post("/blind/blind1", same="no")
    told = lea.get("/migration").text
    assert "1 answered, 1 wrong" in told
    assert "Stopped:" in told
    assert "Blind looks" not in ann.get("/migration").text
