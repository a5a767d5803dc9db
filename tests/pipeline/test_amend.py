"""What a person puts right: a field, a film in the wrong jacket, a jacket that is two."""

import pytest
from jackets import Site, an_exam, somebody

from digitizer.errors import StaleRecord, UsageError
from digitizer.model.identity import JacketRecord
from digitizer.model.reading import FieldName, FieldSource
from digitizer.model.reasons import Code
from digitizer.model.records import Event, Jacket, Stage
from digitizer.model.states import State
from digitizer.pipeline import bearers
from digitizer.pipeline.amend import correct, mark_misfiled
from digitizer.pipeline.follow import follow
from digitizer.pipeline.jacket import decide
from digitizer.pipeline.parting import split_jacket
from digitizer.pipeline.review import accept
from digitizer.pipeline.undo import take_back

JANE = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
PAUL = ["LINDQVIST, PAUL", "MRN 5550001", "DOB 01/05/1920"]
FULL = [*JANE, "DATE 03/12/1978 ACC R78-01234"]
PAULS = [*PAUL, "DATE 01/02/1970 ACC R70-00001"]
NAME, BORN, NUMBER = FieldName.FAMILY_NAME, FieldName.BIRTH_DATE, FieldName.PATIENT_ID
PEOPLE = (
    somebody("4711822", "OKONKWO^JANE", "1931-04-02"),
    somebody("5550001", "LINDQVIST^PAUL", "1920-01-05", "M"),
)
EXAMS = (
    an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", 3),
    an_exam("R70-00001", "5550001", "1970-01-02", "CHEST", 1),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return one place for all; each test has jackets of its own."""
    listed = [
        JacketRecord(jacket=name, box="BOX-1", patient_id="4711822", issuer="GEN")
        for name in ("J1", "J3")
    ]
    return Site.at(tmp_path_factory.mktemp("site") / "data", PEOPLE, EXAMS, listed)


def events(site: Site, subject: str) -> list[Event]:
    with site.services.ledger.reading() as view:
        return list(view.events(subject))


def first(site: Site, film: str) -> str:
    found = site.film(film).candidates
    return found[0].patient.patient_id if found else ""


def test_a_field_put_right_finds_the_patient_and_files_nothing(site: Site) -> None:
    """What was read stays beside it; candidates follow at once; a person still accepts."""
    (film,) = site.jacket("A", [], ["MRN 9911855", "DATE 03/12/1978"])
    before = site.film(film)
    assert before.state is State.REVIEW
    fixed = correct(
        site.services,
        film,
        user="ann",
        values={
            NUMBER: " 4711822 ",
            NAME: "okonkwo",
            FieldName.GIVEN_NAME: "Jane",
            BORN: "1931-04-02",
            FieldName.ACCESSION_NUMBER: "r78-01234",
        },
        version=before.version,
    )
    assert fixed.state is State.REVIEW
    assert fixed.fields == before.fields
    assert fixed.corrections[NAME] == "OKONKWO"
    assert first(site, film) == "4711822"
    # The machine would have filed that by itself; what is typed does not.
    assert Code.CORRECTED_BY_PERSON in {one.code for one in fixed.reasons}
    assert (fixed.posterior or 0) > 0.99
    decide(site.services, "BOX-1-A")
    assert site.film(film) == fixed
    told = events(site, film)[-1]
    assert (told.name, told.actor) == ("field_corrected", "ann")
    assert told.payload["corrected"]["patient_id"] == "4711822"
    said = bearers.testimony_of(site.services, [fixed], FieldSource.FILM)
    assert said.fields[NUMBER].source is FieldSource.PERSON
    back = take_back(site.services, film, user="ann")
    assert (back.corrections, back.reasons) == ({}, before.reasons)  # type: ignore[union-attr]
    accept(site.services, film, user="ann", patient_id="4711822")
    with pytest.raises(UsageError, match="not in review"):
        correct(site.services, film, user="ann", values={NAME: "X"})


def test_what_is_no_value_is_refused(site: Site) -> None:
    """In words, and nothing is written."""
    (film,) = site.jacket("B", [], [])
    before = site.film(film)
    for name, text in (
        (BORN, "1931-02-30"),
        (BORN, "31"),
        (FieldName.SEX, "Q"),
        (NUMBER, "471 18<b>"),
        (NAME, "1931"),
        (NAME, "A" * 65),
        (FieldName.ISSUER, "GEN"),
    ):
        with pytest.raises(UsageError):
            correct(site.services, film, user="ann", values={name: text})
    with pytest.raises(UsageError, match="Nothing was corrected"):
        correct(site.services, film, user="ann", values={NAME: ""})
    with pytest.raises(StaleRecord):
        correct(site.services, film, user="ann", values={NAME: "OKONKWO"}, version=99)
    assert site.film(film) == before


def test_a_label_put_right_weighs_its_films_anew_and_files_none_on_the_typed_word(
    site: Site,
) -> None:
    """A film whose own evidence leans on the label's number is asked about, not filed."""
    (film,) = site.jacket("C", ["OKONKWO, JANE"], ["OKONKWO, JANE", "DOB 04/02/1931"])
    label = "C-label"
    assert site.film(film).state is State.REVIEW
    correct(site.services, label, user="ann", values={NUMBER: "4711822", BORN: "04/02/1931"})
    with site.services.ledger.reading() as view:
        assert view.task(Stage.DECIDE, "BOX-1-C") is not None
    decide(site.services, "BOX-1-C")
    assert site.film(film).state is State.REVIEW
    assert site.film(label).state is State.REVIEW
    assert site.film(label).corrections[BORN] == "1931-04-02"


def test_a_misfiled_film_leaves_the_jacket_and_is_decided_by_its_own_words(site: Site) -> None:
    """Label and list say nothing of it; the silent ones are filed without it; M takes it back."""
    full, stray, silent = site.jacket("J1", JANE, FULL, ["LINDQVIST"], [])
    assert site.film(full).state is State.APPROVED
    before = site.film(stray)
    marked = mark_misfiled(site.services, stray, user="ann", reason_text="another hand")
    assert marked.reasons[0].code is Code.MARKED_MISFILED
    assert "another hand" in marked.reasons[0].text
    assert not any(one.label_agreement for one in marked.candidates)
    assert Code.FILM_SILENT not in {one.code for one in marked.reasons}
    with pytest.raises(UsageError, match="marked already"):
        mark_misfiled(site.services, stray, user="ann")
    done = follow(site.services, "BOX-1/J1", user="ann", patient_id="4711822")
    assert stray not in {*done.filed, *done.asked, *done.refused}
    decide(site.services, "BOX-1-J1")
    assert site.film(stray).reasons[0].code is Code.MARKED_MISFILED
    back = take_back(site.services, stray, user="ann")
    assert back.misfiled == ""  # type: ignore[union-attr]
    assert [one.code for one in back.reasons] == [one.code for one in before.reasons]
    assert silent in {*done.filed, *done.asked}


def test_a_misfiled_film_that_names_somebody_is_still_asked_about(site: Site) -> None:
    """A person has looked once; they choose too. Its proof is complete, and files nothing."""
    _, stray = site.jacket("J3", JANE, FULL, PAULS)
    mark_misfiled(site.services, stray, user="ann")
    film = site.film(stray)
    assert (film.state, first(site, stray)) == (State.REVIEW, "5550001")
    assert [one.code for one in film.reasons] == [Code.MARKED_MISFILED]
    accept(site.services, stray, user="ann")
    assert site.film(stray).state is State.APPROVED


def test_a_jacket_is_split_and_both_are_weighed_anew(site: Site) -> None:
    """From the second label on; what went by itself is decided again; undone, it is one again."""
    kept, second, paul = site.jacket("D", JANE, FULL, FULL, PAULS)
    before = site.film(second)
    assert before.state is State.APPROVED
    with pytest.raises(UsageError, match="the first of its jacket"):
        split_jacket(site.services, "D-label", user="ann")
    with pytest.raises(UsageError, match="of that name already"):
        split_jacket(site.services, paul, user="ann", name="D")
    with pytest.raises(UsageError, match="cannot be the name"):
        split_jacket(site.services, paul, user="ann", name="../D")
    with pytest.raises(StaleRecord):
        split_jacket(site.services, paul, user="ann", version=99)
    parted = split_jacket(site.services, second, user="ann")
    assert (parted.jacket.name, parted.jacket.box, parted.scans) == ("D#2", "BOX-1", 2)
    assert parted.reopened == 3
    assert site.film(kept).jacket_id == "BOX-1-D"
    assert site.film(second).state is State.READ
    assert site.film(second).decision is None
    for one in ("BOX-1-D", parted.jacket.id):
        decide(site.services, one)
    # Each film of the new jacket goes by its own words: there is no label beside them.
    assert site.film(kept).state is State.APPROVED
    assert site.film(paul).decision is not None
    assert {"jacket_split"} <= {one.name for one in events(site, second)}
    with site.services.ledger.reading() as view:
        names = [one.name for one in view.jackets("b1")]
    assert names.count("D#2") == 1
    again = split_jacket(site.services, paul, user="ann", name="J 7")
    assert again.jacket.name == "J 7"


def test_a_split_is_taken_back_by_who_made_it(site: Site) -> None:
    """The scans lie together again, and the name may be used once more."""
    _, stray = site.jacket("E", JANE, FULL, ["LINDQVIST, PAUL"])
    split_jacket(site.services, stray, user="ann")
    decide(site.services, site.film(stray).jacket_id)
    with pytest.raises(UsageError):
        take_back(site.services, stray, user="rob")
    take_back(site.services, stray, user="ann")
    assert site.film(stray).jacket_id == "BOX-1-E"
    with pytest.raises(UsageError):
        take_back(site.services, stray, user="ann")
    assert split_jacket(site.services, stray, user="ann").jacket.name == "E#2"
    with site.services.ledger.reading() as view:
        assert view.get(Jacket, site.film(stray).jacket_id).name == "E#2"
        assert [one.name for one in view.jackets("b1")].count("E#2") == 1
