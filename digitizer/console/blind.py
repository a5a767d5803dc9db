"""Looking blindly: is this film that patient's? Whoever looks does not see how it was decided."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from digitizer.console.access import Needs, Person
from digitizer.console.pages import back_to, page, say
from digitizer.console.site import Site, site_of
from digitizer.errors import UsageError
from digitizer.model.records import BlindReview
from digitizer.model.users import Permission
from digitizer.pipeline import blind
from digitizer.pipeline.changes import event

__all__ = ["router"]

router = APIRouter()
_DECIDES = Needs(Permission.DECIDE)


@router.get("/blind")
def next_look(request: Request, person: Person = Depends(_DECIDES)) -> Response:
    """Go to the first film of the sample that nobody looks at."""
    site = site_of(request)
    open_ones = blind.open_reviews(site.services)
    for one in open_ones:
        if _take(site, one, person):
            return RedirectResponse(site.at(f"/blind/{one.id}"), 303)
    return page(request, "blind_none.html", person, left=len(open_ones))


def _take(site: Site, review: BlindReview, person: Person) -> bool:
    now = site.services.clock.now()
    lease = site.leases.take(review.id, person.name, now, site.settings.console.lease_s)
    return lease.holder == person.name


@router.get("/blind/{review_id}")
def look(request: Request, review_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Show a film and the patient it is said to be of, nothing else."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        review = view.get(BlindReview, review_id)
    if review.answer:
        raise UsageError("This has been answered.", remedy="Go on with the next one.")
    if not _take(site, review, person):
        raise UsageError("Somebody else looks at this.", remedy="Go on with the next one.")
    with site.services.ledger.transaction() as tx:
        tx.record(event(review_id, "viewed", person.name, page="blind"))
    return page(
        request,
        "blind.html",
        person,
        review=review,
        film=review.sheet_id,
        heartbeat_s=site.heartbeat_s,
    )


@router.post("/blind/{review_id}/keep")
def keep(request: Request, review_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Stay with a look that is not answered; 409 says in words how it was lost."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        review = view.get(BlindReview, review_id)
    if review.answer:
        site.leases.give_back(review_id, person.name)
        return PlainTextResponse("answered already: go on with the next one", 409)
    if not _take(site, review, person):
        return PlainTextResponse("somebody else looks at this now", 409)
    return Response(status_code=204)


@router.post("/blind/{review_id}/leave")
def leave(request: Request, review_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Give a look back: the page was closed."""
    site_of(request).leases.give_back(review_id, person.name)
    return Response(status_code=204)


@router.post("/blind/{review_id}")
def answer(
    request: Request,
    review_id: str,
    same: Annotated[str, Form(max_length=3)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """Take the answer; a film that is another's stops what filed it until a person releases it."""
    site = site_of(request)
    if same not in ("yes", "no"):
        raise UsageError("Say whether the film is this patient's.")
    with site.services.ledger.reading() as view:
        review = view.get(BlindReview, review_id)
    if review.answer:
        raise UsageError("This has been answered.", remedy="Go on with the next one.")
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    if not site.leases.keep(review_id, person.name, now, seconds):
        raise UsageError("Your time with this film ran out.", remedy="Look at it again.")
    blind.answer(site.services, review_id, user=person.name, same=same == "yes")
    site.leases.give_back(review_id, person.name)
    say(request, person, "Thank you.")
    return back_to(request, "/blind")
