"""Paper for the feeding desk: separator sheets, and barcodes for jackets, to be printed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from digitizer.console.access import Needs, Person
from digitizer.console.pages import page
from digitizer.console.site import site_of
from digitizer.engines.printing import MOST_LABELS, MOST_SHEETS, print_labels, print_separators
from digitizer.model.users import Permission
from digitizer.pipeline.changes import event
from digitizer.pipeline.labels import labels_of

__all__ = ["router"]

router = APIRouter()
_FEEDS = Needs(Permission.FEED)


@router.get("/feed/print")
def choose(request: Request, person: Person = Depends(_FEEDS)) -> Response:
    """Ask what is to be printed."""
    return page(request, "print.html", person, most_sheets=MOST_SHEETS, most_labels=MOST_LABELS)


@router.post("/feed/print/separators")
def separators(
    request: Request,
    copies: Annotated[int, Form()] = 10,
    person: Person = Depends(_FEEDS),
) -> Response:
    """Return separator sheets as a PDF."""
    return _pdf(request, person, print_separators(copies), "separators")


@router.post("/feed/print/labels")
def labels(
    request: Request,
    box: Annotated[str, Form(max_length=255)] = "",
    names: Annotated[str, Form(max_length=200_000)] = "",
    person: Person = Depends(_FEEDS),
) -> Response:
    """Return barcodes of the jackets of a box of the jacket list, or of names, as a PDF."""
    wanted = [line.strip() for line in names.splitlines() if line.strip()]
    chosen = labels_of(site_of(request).services, box=box.strip(), names=wanted, most=MOST_LABELS)
    return _pdf(request, person, print_labels(chosen), "jackets")


def _pdf(request: Request, person: Person, content: bytes, name: str) -> Response:
    with site_of(request).services.ledger.transaction() as tx:
        tx.record(event(f"user:{person.name}", "printed", person.name, what=name))
    headers = {"content-disposition": f'attachment; filename="{name}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)
