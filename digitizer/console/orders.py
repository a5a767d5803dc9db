"""Leads say what goes on and what goes first: pause, drain, resume; urgent jackets."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from digitizer.console.access import Needs, Person
from digitizer.console.pages import back_to, say
from digitizer.console.site import site_of
from digitizer.errors import UsageError
from digitizer.model.records import Jacket, WorkMode
from digitizer.model.users import Permission
from digitizer.pipeline.follow import jacket_of
from digitizer.pipeline.orders import order, set_urgent

__all__ = ["router"]

router = APIRouter()
_MANAGES = Needs(Permission.MANAGE)
_DONE = {
    WorkMode.PAUSED: "paused. What is under way comes to the end of its stage.",
    WorkMode.DRAINING: "draining. Jackets that were begun are finished, no others are begun.",
    WorkMode.RUNNING: "going on.",
}


@router.post("/orders")
def give_order(
    request: Request,
    mode: Annotated[str, Form(max_length=20)],
    batch: Annotated[str, Form(max_length=255)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_MANAGES),
) -> Response:
    """Pause, drain or resume a batch, or everything."""
    try:
        wanted = WorkMode(mode)
    except ValueError:
        raise UsageError("That cannot be ordered.") from None
    services = site_of(request).services
    order(services, wanted, by=person.name, batch=batch or None, reason=" ".join(reason.split()))
    say(request, person, f"{batch or 'All work'} is {_DONE[wanted]}")
    return back_to(request, "/migration")


@router.post("/urgent")
def urgent(
    request: Request,
    jacket: Annotated[str, Form(max_length=600)],
    batch: Annotated[str, Form(max_length=255)] = "",
    off: Annotated[str, Form(max_length=1)] = "",
    person: Person = Depends(_MANAGES),
) -> Response:
    """Let a jacket overtake others (``BOX/JACKET``), or by its id not any more."""
    services = site_of(request).services
    with services.ledger.reading() as view:
        found = view.get(Jacket, jacket) if off else jacket_of(view, jacket.strip(), batch or None)
    set_urgent(services, [found.id], not off, by=person.name)
    name = "/".join(part for part in (found.box, found.name) if part)
    say(request, person, f"{name} {'no longer overtakes' if off else 'overtakes'} others.")
    return back_to(request, "/migration")
