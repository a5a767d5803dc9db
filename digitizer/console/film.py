"""One film's whole story, and the patient it was filed under."""

import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digitizer import dicom
from digitizer.console.access import Needs, Person
from digitizer.console.pages import back_to, fragment, page, say
from digitizer.console.review_view import case_of
from digitizer.console.seen import note_seen
from digitizer.console.silent import file_together, known_patients
from digitizer.console.site import Site, site_of
from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.records import Batch, Capture, Event, Jacket, Sheet
from digitizer.model.states import HOLDS
from digitizer.model.users import Permission
from digitizer.pipeline import review as decisions
from digitizer.pipeline.adjust import ADJUSTABLE
from digitizer.pipeline.changes import event
from digitizer.pipeline.follow import silent_films
from digitizer.ports import Transaction

__all__ = ["router"]

router = APIRouter()
_SEES = Needs(Permission.SEE_PATIENTS)
_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event as the page shows it."""

    at: Any
    name: str
    actor: str
    about: str
    details: str


@router.get("/films/{film_id}")
def film(request: Request, film_id: str, person: Person = Depends(_SEES)) -> Response:
    """Show a film: the scan, the result, the decision, what became of it, every event."""
    site = site_of(request)
    with site.services.ledger.transaction() as tx:
        sheet = tx.get(Sheet, film_id)
        tx.record(event(film_id, "viewed", person.name, page="film"))
    with site.services.ledger.reading() as view:
        captures = view.captures(film_id)
        uids = [one.sop_instance_uid for one in captures]
        values = {
            "case": case_of(site.services, view, sheet),
            "batch": view.get(Batch, sheet.batch_id),
            "captures": captures,
            "deliveries": [one for uid in uids for one in view.deliveries(uid)],
            "commitments": [one for uid in uids for one in view.commitments(sop_instance_uid=uid)],
            "verifications": [one for uid in uids for one in view.verifications(uid)],
            "events": _events(view, [(film_id, "film"), (sheet.scan_id, "scan")], uids),
            "sound": site.services.ledger.verify_chain(film_id),
            "held": sheet.state in HOLDS,
            "adjustable": sheet.state in ADJUSTABLE and sheet.sop_instance_uid is None,
        }
    return page(request, "film.html", person, film=film_id, sheet=sheet, **values)


def _events(view: Transaction, subjects: list[tuple[str, str]], uids: list[str]) -> list[Told]:
    told = [
        _told(one, about)
        for subject, about in (*subjects, *((uid, "capture") for uid in uids))
        for one in view.events(subject)
    ]
    return sorted(told, key=lambda one: one.at, reverse=True)


def _told(one: Event, about: str) -> Told:
    details = json.dumps(one.payload, ensure_ascii=False, default=str) if one.payload else ""
    if len(details) > _LONGEST:
        details = f"{details[:_LONGEST]} …"
    return Told(at=one.at, name=one.name, actor=one.actor, about=about, details=details)


@router.post("/films/{film_id}/retry")
def retry(
    request: Request, film_id: str, person: Person = Depends(Needs(Permission.MANAGE))
) -> Response:
    """Go on where a held film stopped."""
    started = decisions.retry(site_of(request).services, [film_id], user=person.name)
    say(request, person, "Set going." if started else "There is nothing to be tried again.")
    return back_to(request, f"/films/{film_id}")


def _capture(site: Site, film_id: str) -> tuple[Capture, bytes]:
    with site.services.ledger.reading() as view:
        captures = [one for one in view.captures(film_id) if one.superseded_by is None]
    if not captures:
        raise UnknownRecord("There is no instance of this film yet.")
    return captures[-1], site.services.vault.path(captures[-1].sha256).read_bytes()


@router.get("/films/{film_id}/header")
def header(request: Request, film_id: str, person: Person = Depends(_SEES)) -> Response:
    """Return the DICOM header of a film's instance."""
    _, content = _capture(site_of(request), film_id)
    note_seen(site_of(request), person, film_id, "header")
    lines = dicom.header_lines(content)
    return HTMLResponse(fragment(request, "film_header.html", person, lines=lines))


@router.get("/films/{film_id}/instance.dcm")
def instance(request: Request, film_id: str, person: Person = Depends(_SEES)) -> Response:
    """Return a film's instance, as it was written."""
    site = site_of(request)
    capture, content = _capture(site, film_id)
    with site.services.ledger.transaction() as tx:
        tx.record(event(film_id, "downloaded", person.name, sop=capture.sop_instance_uid))
    return Response(
        content,
        media_type="application/dicom",
        headers={"content-disposition": f'attachment; filename="{capture.sop_instance_uid}.dcm"'},
    )


@router.get("/jackets/{jacket_id}")
def jacket(
    request: Request,
    jacket_id: str,
    patient: Annotated[str, Query(max_length=200)] = "",
    person: Person = Depends(_SEES),
) -> Response:
    """Show all sheets of a jacket on one page; its silent films may be filed with one look.

    ``patient`` is ISSUER:NUMBER of one to be offered besides those who are known of the jacket.
    """
    site = site_of(request)
    with site.services.ledger.transaction() as tx:
        found = tx.get(Jacket, jacket_id)
        tx.record(event(jacket_id, "viewed", person.name, page="jacket"))
        sheets = tx.sheets(jacket_id=jacket_id)
    silent = {one.id for one in silent_films(sheets)}
    offered = known_patients(sheets) if silent else ()
    if patient and silent:
        offered = (decisions.patient_named(site.services, patient), *offered)
        offered = tuple(dict.fromkeys(offered))
    return page(
        request, "jacket.html", person,
        jacket=found, sheets=sheets, silent=silent, patients=offered, chosen=patient,
    )  # fmt: skip


@router.post("/jackets/{jacket_id}/follow")
def follow_look(
    request: Request,
    jacket_id: str,
    patient: Annotated[str, Form(max_length=200)] = "",
    other: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(Needs(Permission.DECIDE)),
) -> Response:
    """File the silent films of a jacket together, after one look at all of them."""
    site = site_of(request)
    if other.strip():
        # A number that was typed is shown as a whole patient before anything is filed.
        named = decisions.patient_named(site.services, other.strip())
        say(request, person, f"Is it {named.name.text}? Then file them.")
        key = quote(f"{named.issuer}:{named.patient_id}")
        return back_to(request, f"/jackets/{jacket_id}?patient={key}")
    if not patient:
        raise UsageError("No patient was chosen.", remedy="Choose one, or give ISSUER:NUMBER.")
    done = file_together(site, jacket_id, patient, person)
    words = [f"{len(done.filed)} filed under patient {done.patient.patient_id}."]
    if done.asked:
        words.append(f"{len(done.asked)} still need their exam.")
    if done.refused:
        words.append(f"{len(done.refused)} need a look of their own.")
    say(request, person, " ".join(words))
    return back_to(request, f"/jackets/{jacket_id}")
