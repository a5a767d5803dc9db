"""Replay: what today's index and rules would decide otherwise, on paper only."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from jackets import Site, an_exam, somebody
from ledger_records import happened

from digitizer.errors import UnknownRecord
from digitizer.identity import PolicySettings
from digitizer.ledger import SqlPatientIndex
from digitizer.model.records import Sheet
from digitizer.pipeline.replay import replay
from digitizer.pipeline.review import accept
from digitizer.rehearsal.typography import lines

JANE = ["OKONKWO, JANE", "MRN 4711822", "DOB 04/02/1931"]
FULL = [*JANE, "DATE 03/12/1978 ACC R78-01234"]
PEOPLE = (
    somebody("4711822", "OKONKWO^JANE", "1931-04-02"),
    somebody("5550001", "LINDQVIST^PAUL", "1920-01-05", "M"),
)
CHEST = an_exam("R78-01234", "4711822", "1978-03-12", "CHEST", 3)
HAND = an_exam("R80-00010", "4711822", "1980-05-01", "HAND", 1)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.at(tmp_path / "data", PEOPLE, [CHEST])


def index(site: Site) -> SqlPatientIndex:
    assert isinstance(site.services.index, SqlPatientIndex)
    return site.services.index


def everything(site: Site) -> list[Any]:
    """Return all that a batch and its history say."""
    with site.services.ledger.reading() as view:
        sheets = view.sheets(batch_id="b1")
        events = [view.events(one.id) for one in sheets]
        jackets = view.jackets("b1")
        return [sheets, events, jackets, view.tasks()]


def changes(document: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["change"] for one in document["diff"]}


def test_the_same_index_and_rules_decide_the_same(site: Site) -> None:
    """Films, silent ones and labels; nothing is changed."""
    site.jacket("J1", JANE, FULL, [], ["LINDQVIST, PAUL", "5550001"])
    before = everything(site)
    document = replay(site.services, "monday", read=False)
    assert (document["sheets"], document["changed"], document["diff"]) == (4, 0, [])
    assert document["expected_wrong"]["before"] == document["expected_wrong"]["after"] > 0
    assert everything(site) == before


def test_an_exam_imported_since_would_file_a_film(site: Site) -> None:
    """It says so and files nothing."""
    (film,) = site.jacket("J1", JANE, [*JANE, "DATE 05/01/1980 ACC R80-00010"])
    before = everything(site)
    assert index(site).import_exams([HAND]).added == 1
    document = replay(site.services, "monday", read=False)
    assert changes(document) == {film: "would_be_filed"}
    (told,) = document["diff"]
    assert [one["code"] for one in told["before"]["reasons"]] == ["exam_unknown"]
    assert told["after"]["accession_number"] == "R80-00010"
    assert (told["source"], told["jacket"]) == ("BOX-1/J1/f1.tif", "J1")
    assert everything(site) == before


def test_other_rules_would_have_asked(site: Site) -> None:
    """What was filed with no hand no longer would be."""
    (film,) = site.jacket("J1", JANE, FULL)
    assert site.film(film).decision is not None
    stricter = replace(site.services, policy=PolicySettings(exam_budget_per_100k=0.0))
    document = replay(stricter, "monday", read=False)
    assert changes(document) == {film: "would_be_asked"}
    assert document["diff"][0]["before"]["accession_number"] == "R78-01234"
    assert document["diff"][0]["after"]["reasons"]


def test_what_a_person_decided_is_not_called_a_change_when_it_is_asked_again(site: Site) -> None:
    """It was asked then and is asked now; filed elsewhere it would be a change."""
    (film,) = site.jacket("J1", JANE, ["OKONKWO, JANE"])
    accept(site.services, film, user="ann", accession_number="R78-01234")
    assert film not in changes(replay(site.services, "monday", read=False))


def test_crops_are_read_again_with_todays_engines(site: Site) -> None:
    """A film that nothing was read on then is read now; its fields are named."""
    (film,) = site.jacket("J1", JANE, [])
    assert site.codes(film) == ["film_silent"]
    ink = np.pad(lines(FULL, "sans", 40), 60)
    png = cv2.imencode(".png", (40 + 200 * ink).astype(np.uint8))[1].tobytes()
    with site.services.ledger.transaction() as tx:
        sheet = tx.get(Sheet, film)
        values = {name: getattr(sheet, name) for name in Sheet.__dataclass_fields__}
        values["crops"] = (site.services.vault.put(png)[0],)
        tx.save(Sheet(**values), happened(film))
    before = everything(site)
    document = replay(site.services, "monday")
    assert document["read_again"] == 1
    assert changes(document) == {film: "would_be_filed"}
    assert document["diff"][0]["after"]["patient_id"] == "4711822"
    assert document["diff"][0]["fields"]["patient_id"] == {"before": None, "after": "4711822"}
    assert everything(site) == before


def test_a_batch_that_is_not_there(site: Site) -> None:
    """Is a mistake of usage."""
    with pytest.raises(UnknownRecord):
        replay(site.services, "tuesday")
