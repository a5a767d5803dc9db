"""Looking up patients, jackets, boxes and days."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from digitizer.console.access import Needs, Person
from digitizer.console.pages import page
from digitizer.console.site import site_of
from digitizer.errors import UnknownRecord
from digitizer.model.identity import PatientRecord
from digitizer.model.overview import Filter
from digitizer.model.users import Permission
from digitizer.pipeline.changes import event
from digitizer.pipeline.library import find_patients

__all__ = ["router"]

router = APIRouter()
_SEES = Needs(Permission.SEE_PATIENTS)
_MOST_FILMS = 200
_PATIENTS = 20
_NOTHING: Mapping[str, Any] = {
    "asked": "", "patients": (), "more": None, "jackets": (), "box": 0, "day": "", "films": 0,
}  # fmt: skip


@router.get("/library")
def library(request: Request, person: Person = Depends(_SEES)) -> Response:
    """Ask for a patient or a jacket."""
    return page(request, "library.html", person, **_NOTHING)


@router.post("/library")
def search(
    request: Request,
    q: Annotated[str, Form(max_length=200)] = "",
    issuer: Annotated[str, Form(max_length=200)] = "",
    number: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_SEES),
) -> Response:
    """Search patients, jackets, boxes and days; what was asked is in the trail, not in an address.

    ``issuer`` and ``number`` are those of the last patient seen: the next ones are shown.
    """
    site, asked = site_of(request), q.strip()
    after = (issuer, number) if number else None
    box, slash, name = asked.rpartition("/")
    with site.services.ledger.transaction() as tx:
        tx.record(event(f"user:{person.name}", "index_searched", person.name, query=asked))
        jackets = tx.jackets_named(name, box) if slash else ()
        jackets = jackets or (tx.jackets_named(asked) if asked else ())
        of_box = tx.jackets_of_box(asked) if asked else ()
    found = find_patients(site.services, asked, limit=_PATIENTS + 1, after=after)
    day = _day(asked)
    return page(
        request,
        "library.html",
        person,
        asked=asked,
        patients=found[:_PATIENTS],
        more=found[_PATIENTS - 1] if len(found) > _PATIENTS else None,
        jackets=() if after else jackets,
        box=len(of_box),
        day=day,
        films=site.overview.count(Filter(study_date=day)) if day else 0,
    )


def _day(asked: str) -> str:
    """Return the day that somebody asks for, where the query is one and nothing else."""
    try:
        return date.fromisoformat(asked).isoformat() if len(asked) == len("1931-04-02") else ""
    except ValueError:
        return ""


@router.get("/patients")
def patient(
    request: Request,
    number: Annotated[str, Query(max_length=200)],
    issuer: Annotated[str, Query(max_length=200)] = "",
    person: Person = Depends(_SEES),
) -> Response:
    """Show a patient of the index with the exams and the films filed so far."""
    site = site_of(request)
    found = site.services.index.patient(number, issuer)
    if found is None:
        raise UnknownRecord("There is no such patient in the index.")
    with site.services.ledger.transaction() as tx:
        tx.record(event(_subject(found), "viewed", person.name, page="patient"))
        studies = tx.old_studies(patient=(found.issuer, found.patient_id), limit=_MOST_FILMS)
    theirs = Filter(patient=(found.issuer, found.patient_id))
    films = site.overview.oldest_first(theirs, limit=_MOST_FILMS)
    exams = site.services.index.exams(found)
    return page(
        request, "patient.html", person,
        patient=found, exams=exams, films=films, studies=studies,
    )  # fmt: skip


def _subject(found: PatientRecord) -> str:
    """Return the subject of a patient's events: no longer than the ledger keeps."""
    named = f"patient:{found.issuer}:{found.patient_id}"
    return named if len(named) <= 80 else f"patient:{hashlib.sha256(named.encode()).hexdigest()}"
