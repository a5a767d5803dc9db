"""The silent films of a jacket in review, all on one page: one look and one key file them.

What this never does: file a film that somebody else looks at, or a jacket that is not any more what
the page shows. Which films the look does not settle is told by :mod:`digitizer.pipeline.follow`.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from digitizer.console.access import Needs, Person
from digitizer.console.pages import back_to, fragment, page, say
from digitizer.console.review_view import Choice, choice_of
from digitizer.console.site import Site, site_of
from digitizer.errors import StaleRecord, UsageError
from digitizer.model.identity import PatientRecord
from digitizer.model.overview import Filter
from digitizer.model.records import Batch, Jacket, Sheet
from digitizer.model.states import ENDS, State
from digitizer.model.users import Permission
from digitizer.pipeline.changes import event
from digitizer.pipeline.follow import Followed, follow, silent_films
from digitizer.pipeline.library import find_patients
from digitizer.pipeline.undo import take_back

__all__ = ["file_together", "known_patients", "router", "together"]

router = APIRouter()
_DECIDES = Needs(Permission.DECIDE)
_IN_REVIEW = Filter(states=(State.REVIEW,))
_MOST_PATIENTS = 6
_LEAST = 2
_LEAST_ASKED = 3


def together(site: Site, sheet: Sheet, person: Person) -> tuple[str, ...]:
    """Return the silent films that are to be looked at with this one; none where it comes alone.

    A film of which a person has been asked its exam comes alone, and so does what one look at its
    jacket has left.
    """
    if sheet.jacket_id in site.apart.get(person.session.key, ()):
        return ()
    with site.services.ledger.reading() as view:
        films = _open(view.sheets(jacket_id=sheet.jacket_id))
    ids = tuple(one.id for one in films)
    return ids if len(ids) >= _LEAST and sheet.id in ids else ()


def _open(sheets: Iterable[Sheet]) -> list[Sheet]:
    return [one for one in silent_films(sheets) if one.assigned_to is None]


def known_patients(sheets: Iterable[Sheet]) -> tuple[PatientRecord, ...]:
    """Return the patients who are known of a jacket: those decided first, then those proposed."""
    sheets = [one for one in sheets if not one.misfiled]
    decided = [one.decision.patient for one in sheets if one.decision]
    proposed = [one.candidates[0].patient for one in sheets if one.candidates]
    return tuple(dict.fromkeys([*decided, *proposed]))[:_MOST_PATIENTS]


def _jacket(site: Site, jacket_id: str) -> tuple[Jacket, tuple[Sheet, ...]]:
    with site.services.ledger.reading() as view:
        sheets = view.sheets(jacket_id=jacket_id)
        return view.get(Jacket, jacket_id), tuple(one for one in sheets if one.state not in ENDS)


def _mark(sheets: Iterable[Sheet]) -> str:
    """Return what changes when a sheet of the jacket does."""
    told = " ".join(sorted(f"{one.id}:{one.version}" for one in sheets))
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def _take(site: Site, films: Iterable[Sheet], person: Person) -> str:
    """Take films on oneself; return who has one of them, empty where nobody else does."""
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    for one in films:
        holder = site.leases.take(one.id, person.name, now, seconds).holder
        if holder != person.name:
            return holder
    return ""


def _give_back(site: Site, films: Iterable[Sheet], person: Person) -> None:
    for one in films:
        site.leases.give_back(one.id, person.name)


@router.get("/review/jackets/{jacket_id}")
def look(request: Request, jacket_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Show all sheets of a jacket; its silent films wait for one look."""
    site = site_of(request)
    jacket, sheets = _jacket(site, jacket_id)
    films = _open(sheets)
    if not films:
        raise UsageError(
            "No silent film of this jacket waits for a look.", remedy="Go on with the next one."
        )
    holder = _take(site, films, person)
    if holder:
        _give_back(site, films, person)
        return page(
            request, "review_taken.html", person, 409, holder=holder, film=films[0].jacket_id
        )
    with site.services.ledger.transaction() as tx:
        for one in films:
            tx.record(event(one.id, "viewed", person.name, page="jacket"))
    return page(
        request, "review_jacket.html", person,
        jacket=jacket, sheets=sheets, silent={one.id for one in films}, mark=_mark(sheets),
        choices=[_choice(site, one, films[0]) for one in known_patients(sheets)],
        left=site.overview.count(_IN_REVIEW), undo=site.undo.get(person.session.key, ""),
        heartbeat_s=site.heartbeat_s,
    )  # fmt: skip


def _choice(site: Site, patient: PatientRecord, film: Sheet) -> Choice:
    found = next((one for one in film.candidates if one.patient == patient), None)
    return choice_of(site.services, patient, film, found)


@router.post("/review/jackets/{jacket_id}/keep")
def keep(
    request: Request,
    jacket_id: str,
    mark: Annotated[str, Query(max_length=40)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """Stay with the silent films of a jacket as the page shows them."""
    site = site_of(request)
    _, sheets = _jacket(site, jacket_id)
    films = _open(sheets)
    if not films or _mark(sheets) != mark:
        _give_back(site, films, person)
        return PlainTextResponse("changed meanwhile: load this page again", 409)
    holder = _take(site, films, person)
    return PlainTextResponse(f"now with {holder}", 409) if holder else Response(status_code=204)


@router.post("/review/jackets/{jacket_id}/leave")
def leave(request: Request, jacket_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Give the films back: the page was closed."""
    site = site_of(request)
    _give_back(site, _open(_jacket(site, jacket_id)[1]), person)
    return Response(status_code=204)


@router.post("/review/jackets/{jacket_id}/search")
def search(
    request: Request,
    jacket_id: str,
    q: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """Search the index for whose films they are."""
    site = site_of(request)
    asked = q.strip() if len(q.strip()) >= _LEAST_ASKED else ""
    _, sheets = _jacket(site, jacket_id)
    if asked:
        with site.services.ledger.transaction() as tx:
            tx.record(event(jacket_id, "index_searched", person.name, query=asked))
    films = _open(sheets)
    found = find_patients(site.services, asked, limit=8) if asked and films else ()
    choices = [_choice(site, one, films[0]) for one in found]
    return HTMLResponse(
        fragment(
            request, "review_found.html", person, choices=choices, asked=asked, is_film=False
        )
    )  # fmt: skip


@router.post("/review/jackets/{jacket_id}/follow")
def follow_all(
    request: Request,
    jacket_id: str,
    patient: Annotated[str, Form(max_length=200)] = "",
    mark: Annotated[str, Form(max_length=40)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """File the silent films that were looked at under one patient; what is left comes singly."""
    site = site_of(request)
    if not patient:
        raise UsageError("No patient was chosen.", remedy="Choose one with 1 to 9, or search.")
    _, sheets = _jacket(site, jacket_id)
    films = _open(sheets)
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    if not all(site.leases.keep(one.id, person.name, now, seconds) for one in films):
        raise UsageError(
            "Your time with these films ran out, and none was filed.",
            remedy="One may be with somebody else now. Open them again and repeat your choice.",
        )
    if _mark(sheets) != mark:
        raise StaleRecord("The jacket was changed while you looked at it.")
    done = file_together(site, jacket_id, patient, person)
    _give_back(site, films, person)
    site.apart.setdefault(person.session.key, set()).add(jacket_id)
    if done.filed:
        site.followed[person.session.key] = (jacket_id, tuple(done.filed))
        site.undo[person.session.key] = f"jackets/{jacket_id}"
    say(request, person, _words(done))
    return back_to(request, "/review")


def file_together(site: Site, jacket_id: str, patient: str, person: Person) -> Followed:
    """File the silent films of a jacket, none of which is with anybody else.

    Raises
    ------
    UsageError
        One is.
    """
    now = site.services.clock.now()
    with site.services.ledger.reading() as view:
        found = view.get(Jacket, jacket_id)
        batch = view.get(Batch, found.batch_id)
        films = silent_films(view.sheets(jacket_id=jacket_id))
    for one in films:
        lease = site.leases.holder(one.id, now)
        if lease is not None and lease.holder != person.name:
            raise UsageError(
                f"One of these films is with {lease.holder}.", remedy="Wait until it comes free."
            )
    folder = f"{found.box or ''}/{found.name}"
    return follow(site.services, folder, user=person.name, patient_id=patient, batch=batch.name)


def _words(done: Followed) -> str:
    words = [f"{len(done.filed)} filed under patient {done.patient.patient_id}."]
    if done.asked:
        words.append(f"{len(done.asked)} still need their exam.")
    if done.refused:
        words.append(f"{len(done.refused)} need a look of their own.")
    if done.filed:
        words.append("U takes it back.")
    return " ".join(words)


@router.post("/review/jackets/{jacket_id}/undo")
def undo(request: Request, jacket_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Take one's last look back: what it filed is in review again, where it is not wrapped."""
    site, key = site_of(request), person.session.key
    last, filed = site.followed.pop(key, ("", ()))
    if last != jacket_id:
        raise UsageError("This was not what you did last.", remedy="Take films back one by one.")
    stuck = 0
    for film_id in filed:
        try:
            take_back(site.services, film_id, user=person.name)
        except UsageError:
            stuck += 1
    site.undo.pop(key, None)
    site.apart.get(key, set()).discard(jacket_id)
    left = f" {stuck} are wrapped already and stay filed." if stuck else ""
    say(request, person, f"{len(filed) - stuck} taken back.{left}")
    return back_to(request, f"/review/jackets/{jacket_id}" if stuck < len(filed) else "/review")
