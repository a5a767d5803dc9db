"""What a person did stands, whatever the machine or somebody else is doing meanwhile."""

from dataclasses import replace
from pathlib import Path

import pytest
from jackets import Site, an_exam, somebody
from ledger_records import happened

from digitizer.errors import StaleRecord, UsageError
from digitizer.model.records import ClassStanding, Sheet, Stage
from digitizer.model.states import State
from digitizer.pipeline import jacket as jackets
from digitizer.pipeline.advance import advance
from digitizer.pipeline.budget import closed_classes, release_class, stop_class
from digitizer.pipeline.jacket import decide
from digitizer.pipeline.replay import replay
from digitizer.pipeline.review import accept, hold, reject, retry
from digitizer.pipeline.stages import STAGES
from digitizer.pipeline.undo import take_back

PEOPLE = (somebody("4711822", "OKONKWO^JANE", "1931-04-02"),)
LABEL = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
LEGIBLE = ["OKONKWO, JANE", "4711822", "ACC R78-01234"]
SILENT: list[str] = []
EXAMS = (an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", None),)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.at(tmp_path / "data", PEOPLE, EXAMS, blind_share=0.0)


def tasks(site: Site, subject: str) -> set[Stage]:
    with site.services.ledger.reading() as view:
        return {one.stage for one in view.tasks() if one.subject == subject}


def accepted(site: Site, film: str, user: str = "ann") -> Sheet:
    return accept(
        site.services, film, user=user, patient_id="4711822", accession_number="R78-01234"
    )


def test_a_decision_taken_back_can_be_tried_again_and_decided_by_anybody(site: Site) -> None:
    """It goes on from where the film was read; nothing waits to be wrapped without a decision."""
    (film,) = site.jacket("J1", LABEL, SILENT)
    accepted(site, film)
    take_back(site.services, film, user="ann")
    back = site.film(film)
    assert (back.state, back.resume, back.assigned_to) == (State.REVIEW, State.READ, None)
    retry(site.services, [film], user="lead")
    assert Stage.WRAP not in tasks(site, film)
    assert site.film(film).state is State.REVIEW
    assert accepted(site, film, "rob").state is State.APPROVED


def test_what_was_looked_at_since_does_not_make_a_rejection_somebody_elses(site: Site) -> None:
    """A look is an event too."""
    (film,) = site.jacket("J1", LABEL, SILENT)
    reject(site.services, film, user="ann", reason_text="blurred")
    with site.services.ledger.transaction() as tx:
        tx.record(replace(happened(film, "viewed"), actor="rob"))
    with pytest.raises(UsageError, match="Somebody else"):
        take_back(site.services, film, user="rob")
    take_back(site.services, film, user="ann")
    assert site.film(film).state is State.REVIEW


def test_a_hold_is_taken_back_by_whose_it_is(site: Site) -> None:
    """Releasing it is for everybody, but by that name."""
    (film,) = site.jacket("J1", LABEL, SILENT)
    hold(site.services, film, user="ann", reason_text="ask the ward")
    with pytest.raises(UsageError, match="Somebody else"):
        take_back(site.services, film, user="rob")
    take_back(site.services, film, user="ann")
    assert "on_hold" not in site.codes(film)


def test_a_hold_does_not_undo_what_somebody_else_decided(site: Site) -> None:
    """Nor does anything that is said of a film as it was an hour ago."""
    (film,) = site.jacket("J1", LABEL, SILENT)
    seen = site.film(film).version
    accepted(site, film)
    with pytest.raises(UsageError, match="with ann"):
        hold(site.services, film, user="rob", reason_text="late")
    for late in (hold, reject):
        with pytest.raises(StaleRecord):
            late(site.services, film, user="ann", reason_text="late", version=seen)
    assert site.film(film).state is State.APPROVED


def test_what_a_person_rejects_is_not_sent(site: Site) -> None:
    """Not even where it only waits for the archive to come back."""
    (film,) = site.jacket("J1", LABEL, LEGIBLE)
    with site.services.ledger.transaction() as tx:
        tx.unschedule(Stage.WRAP, film)
        waits = replace(tx.get(Sheet, film), state=State.WAITING, resume=State.WRAPPED)
        tx.save(waits, happened(film))
        tx.schedule(Stage.STORE, film)
    reject(site.services, film, user="ann", reason_text="wrong film")
    assert tasks(site, film) == set()
    with site.services.ledger.transaction() as tx:
        tx.schedule(Stage.STORE, film)
    advance(site.services, Stage.STORE, film, STAGES)
    assert site.film(film).state is State.REJECTED
    assert tasks(site, film) == set()


def test_a_person_is_quicker_than_the_decision(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was computed of the film as it was before is not written over hers."""
    (film,) = site.jacket("J1", LABEL, SILENT)
    plain = jackets.verdicts_for

    def meanwhile(*given: object, **more: object) -> object:
        verdicts = plain(*given, **more)  # type: ignore[arg-type]
        if site.film(film).state is State.REVIEW:
            accepted(site, film)
        return verdicts

    monkeypatch.setattr(jackets, "verdicts_for", meanwhile)
    decide(site.services, "BOX-1-J1")
    assert site.film(film).state is State.APPROVED
    assert tasks(site, film) == {Stage.WRAP}


def test_a_class_stopped_during_a_decision_files_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writing transaction looks once more."""
    plain = jackets.closed_classes

    def meanwhile(*given: object) -> object:
        known = plain(*given)  # type: ignore[arg-type]
        with site.services.ledger.transaction() as tx:
            if not tx.standings():
                stop_class(site.services, tx, "number", "A film was filed wrongly.", "ann")
        return known

    monkeypatch.setattr(jackets, "closed_classes", meanwhile)
    (film,) = site.jacket("J1", LABEL, LEGIBLE)
    assert "budget_spent" in site.codes(film)
    document = replay(site.services, "monday", read=False)
    assert [one for one in document["diff"] if one["change"] == "would_be_filed"] == []


def test_a_released_class_is_not_stopped_by_what_is_taken_back(site: Site) -> None:
    """Fewer films than before its release are no reason."""
    (film,) = site.jacket("J1", LABEL, LEGIBLE)
    assert site.film(film).state is State.APPROVED
    with site.services.ledger.transaction() as tx:
        stop_class(site.services, tx, "number", "A film was filed wrongly.", "ann")
    release_class(site.services, "number", user="lead", reason_text="looked into")
    hold(site.services, film, user="ann", reason_text="look again")
    assert closed_classes(site.services) == {}
    with site.services.ledger.reading() as view:
        (found,) = view.standings()
    assert isinstance(found, ClassStanding)
    assert not found.stopped
