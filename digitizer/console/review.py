"""For reviewers: the doubtful films, riskiest first, one person to a film, everything by key.

What this never does: let two people look at one film at once, or choose a patient or an exam by
itself. Decisions are taken in :mod:`digitizer.console.deciding`.
"""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from digitizer.console.access import Needs, Person
from digitizer.console.pages import fragment, page
from digitizer.console.review_view import case_of, choice_of
from digitizer.console.silent import together
from digitizer.console.site import Site, site_of
from digitizer.errors import DigitizerError, UsageError
from digitizer.model.film import SheetKind
from digitizer.model.overview import Filter
from digitizer.model.records import Jacket, Scan, Sheet
from digitizer.model.states import State
from digitizer.model.users import Permission
from digitizer.pipeline import review as decisions
from digitizer.pipeline.adjust import ADJUSTABLE
from digitizer.pipeline.changes import event
from digitizer.pipeline.follow import silent_films
from digitizer.pipeline.library import find_patients
from digitizer.pipeline.older.review import waiting

__all__ = ["router"]

logger = logging.getLogger(__name__)
router = APIRouter()
_DECIDES = Needs(Permission.DECIDE)
_LEAST_ASKED = 3
_MOST_PASSED = 500
_IN_REVIEW = Filter(states=(State.REVIEW,))


@router.get("/review")
def next_film(
    request: Request,
    after: Annotated[str, Query(max_length=80)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """Go to the most doubtful film that nobody looks at and this person has not gone past.

    ``after`` is a film to leave, or a jacket whose silent films are left. When all have been gone
    past, they come again.
    """
    site = site_of(request)
    passed, left = _gone_past(site, person, after)
    skipped: list[str] = list(passed)
    again = not passed
    while True:
        now = site.services.clock.now()
        found = site.overview.next_in_review(person.name, now, skip=tuple(skipped))
        if found is None and again:
            with site.services.ledger.reading() as view:
                older = waiting(view)
            films = site.overview.count(_IN_REVIEW)
            return page(request, "review_none.html", person, left=films, older=older)
        if found is None:
            # Once round: all but what was just left come again.
            again, passed[:], skipped = True, left, list(left)
            continue
        if _take(site, found, person):
            return RedirectResponse(site.at(_address(site, found, person)), 303)
        skipped.append(found)


def _gone_past(site: Site, person: Person, after: str) -> tuple[list[str], list[str]]:
    """Return all that a person has gone past in this round, and what of it is left just now."""
    passed = site.passed.setdefault(person.session.key, [])
    if not after:
        return passed, []
    with site.services.ledger.reading() as view:
        left = [one.id for one in silent_films(view.sheets(jacket_id=after))] or [after]
    passed[:] = [*(one for one in passed if one not in left), *left][-_MOST_PASSED:]
    return passed, left


def _address(site: Site, film_id: str, person: Person) -> str:
    """Return the page of a film, or that of its jacket where silent films are looked at at once."""
    with site.services.ledger.reading() as view:
        record = decisions.sheet_or_scan(view, film_id)
    if isinstance(record, Sheet) and together(site, record, person):
        site.leases.give_back(film_id, person.name)
        return f"/review/jackets/{record.jacket_id}"
    return f"/review/{film_id}"


@router.get("/review/{film_id}")
def review(request: Request, film_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Show one film, and take it on oneself for as long as one looks at it."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        record = decisions.sheet_or_scan(view, film_id)
    if record.state is not State.REVIEW:
        raise UsageError("This is not in review any more.", remedy="Go on with the next one.")
    lease = site.leases.take(
        film_id, person.name, site.services.clock.now(), site.settings.console.lease_s
    )
    if lease.holder != person.name:
        return page(request, "review_taken.html", person, 409, holder=lease.holder, film=film_id)
    with site.services.ledger.transaction() as tx:
        tx.record(event(film_id, "viewed", person.name, page="review"))
    left = site.overview.count(_IN_REVIEW)
    undo = site.undo.get(person.session.key, "")
    number = site.opens(person.session.key, film_id)
    if isinstance(record, Scan):
        with site.services.ledger.reading() as view:
            jacket = view.get(Jacket, record.jacket_id)
        return page(
            request, "review_scan.html", person,
            scan=record, jacket=jacket, film=film_id, left=left, undo=undo, view=number,
            heartbeat_s=site.heartbeat_s,
        )  # fmt: skip
    with site.services.ledger.reading() as view:
        case = case_of(site.services, view, record)
    answer = page(
        request,
        "review.html",
        person,
        case=case,
        film=film_id,
        left=left,
        undo=undo,
        view=number,
        heartbeat_s=site.heartbeat_s,
    )
    _fetch_next(site, person, film_id)
    return answer


def _take(site: Site, film_id: str, person: Person) -> bool:
    now = site.services.clock.now()
    lease = site.leases.take(film_id, person.name, now, site.settings.console.lease_s)
    return lease.holder == person.name


def _fetch_next(site: Site, person: Person, film_id: str) -> None:
    """Decode the film that comes next while this one is looked at."""

    def fetch() -> None:
        try:
            now = site.services.clock.now()
            found = site.overview.next_in_review(person.name, now, skip=(film_id,), after=film_id)
            if found is not None:
                with site.services.ledger.reading() as view:
                    record = decisions.sheet_or_scan(view, found)
                if isinstance(record, Sheet):
                    site.pictures.film(record)
        except DigitizerError:
            # It is only for speed; whoever opens the film is told what is wrong with it.
            return
        except Exception:
            logger.exception("the next film was not fetched ahead")

    before = site.fetching.get(person.session.key)
    if before is not None:
        # Who leafs through films is past the one that waits to be fetched.
        before.cancel()
    site.fetching[person.session.key] = site.ahead.submit(fetch)


@router.post("/review/{film_id}/keep")
def keep(
    request: Request,
    film_id: str,
    version: Annotated[int, Query()] = -1,
    adjusting: Annotated[bool, Query()] = False,
    person: Person = Depends(_DECIDES),
) -> Response:
    """Stay with a film as the page shows it; 409 says in words how it was lost.

    ``adjusting``: its picture is set by hand, which may be done until it is wrapped.
    """
    site = site_of(request)
    with site.services.ledger.reading() as view:
        record = decisions.sheet_or_scan(view, film_id)
    here = record.state is State.REVIEW or (adjusting and record.state in ADJUSTABLE)
    if not here or record.version != version:
        site.leases.give_back(film_id, person.name)
        lost = "changed meanwhile: load this page again"
        if not here:
            lost = "not in review any more: go on with the next one"
        return PlainTextResponse(lost, 409)
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    lease = site.leases.take(film_id, person.name, now, seconds)
    if lease.holder != person.name:
        return PlainTextResponse(f"now with {lease.holder}", 409)
    return Response(status_code=204)


@router.post("/review/{film_id}/leave")
def leave(
    request: Request,
    film_id: str,
    view: Annotated[int | None, Query()] = None,
    person: Person = Depends(_DECIDES),
) -> Response:
    """Give a film back: the page was closed, and its session has no newer one of the film."""
    site = site_of(request)
    if site.leaves(person.session.key, film_id, view):
        site.leases.give_back(film_id, person.name)
    return Response(status_code=204)


@router.post("/review/{film_id}/search")
def search(
    request: Request,
    film_id: str,
    q: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """Search the index by hand; what is asked for stands in no address."""
    site = site_of(request)
    # Less says nothing, and is asked for at every key that begins a word.
    asked = q.strip() if len(q.strip()) >= _LEAST_ASKED else ""
    with site.services.ledger.transaction() as tx:
        sheet = tx.get(Sheet, film_id)
        if asked:
            tx.record(event(film_id, "index_searched", person.name, query=asked))
    patients = find_patients(site.services, asked, limit=8) if asked else ()
    choices = [choice_of(site.services, one, sheet) for one in patients]
    return HTMLResponse(
        fragment(
            request, "review_found.html", person,
            choices=choices, asked=asked, is_film=sheet.kind is SheetKind.FILM,
        )
    )  # fmt: skip
