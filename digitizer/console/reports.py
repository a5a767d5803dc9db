"""Printed reports of a batch or a box: made in the background, taken by whoever asked."""

import re
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from digitizer.console.access import Needs, Person
from digitizer.console.jobs import Job
from digitizer.console.pages import back_to
from digitizer.console.site import Site, site_of
from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.users import Permission
from digitizer.pipeline.printed import printed_report

__all__ = ["begin_report", "router"]

router = APIRouter()


@router.post("/reports")
def report(
    request: Request,
    batch: Annotated[str, Form(max_length=255)] = "",
    box: Annotated[str, Form(max_length=255)] = "",
    person: Person = Depends(Needs(Permission.MANAGE)),
) -> Response:
    """Begin to make a report; the page of the job has it when it is ready."""
    job = begin_report(site_of(request), person, batch, box)
    return back_to(request, f"/jobs/{job.id}")


def begin_report(site: Site, person: Person, batch: str, box: str) -> Job:
    """Begin to make the report of a batch or of a box.

    Raises
    ------
    UsageError
        Neither or both were named.
    UnknownRecord
        There is none of that name.
    """
    if bool(batch) == bool(box):
        raise UsageError("Name a batch or a box.")
    with site.services.ledger.reading() as view:
        there = view.batch_named(batch) if batch else view.jackets_of_box(box)
    if not there and not (box and site.services.index.jackets_of_box(box)):
        raise UnknownRecord(f"There is no such {'batch' if batch else 'box'}.")
    produce = partial(
        printed_report, site.services, by=person.name, batch=batch or None, box=box or None
    )
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", batch or box)[:80].strip("-.") or "report"
    what = f"Report of {'batch' if batch else 'box'} {batch or box}"
    return site.jobs.make(what, person.name, f"digitizer-{name}.pdf", produce)
