"""The same for programs: JSON under /api/v1, described by OpenAPI, errors as RFC 9457 says.

A program signs in with a token of its own (``Authorization: Bearer``), a browser with its session.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from digitizer import __version__
from digitizer.console import api_films, api_lead
from digitizer.console.access import Needs, Person
from digitizer.console.answers import PROBLEMS
from digitizer.console.site import site_of
from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.overview import Filter, Standing, ThingKind
from digitizer.model.records import Sheet
from digitizer.model.states import HOLDS, State
from digitizer.model.users import Permission
from digitizer.pipeline import report
from digitizer.pipeline import review as decisions
from digitizer.pipeline.bulk import retry_in_steps
from digitizer.pipeline.changes import event, reason_payload
from digitizer.pipeline.orders import orders_in

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["api"], responses=PROBLEMS)
_WORK = Needs(Permission.SEE_WORK)
_PATIENTS = Needs(Permission.SEE_PATIENTS)
_MANAGE = Needs(Permission.MANAGE)
_DECIDE = Needs(Permission.DECIDE)
_MOST = 200_000
Text = Annotated[str, Query(max_length=255)]


class Selection(BaseModel, extra="forbid"):
    """What is to be tried again: a filter over what is held."""

    state: State = Field(description="review, waiting or quarantined")
    code: str = Field("", max_length=40, description="a reason's code")
    batch: str = Field("", max_length=255, description="a batch's name")
    box: str = Field("", max_length=255)


class Choice(BaseModel, extra="forbid"):
    """Who a film belongs to, and of which exam."""

    patient: str = Field(max_length=200, description="ISSUER:NUMBER")
    accession_number: str = Field(
        "", max_length=64, description="of the exam; empty: it is not in the index"
    )
    version: int = Field(description="of the film, as it was shown")


def _routes() -> list[BaseRoute]:
    return [*router.routes, *api_films.router.routes, *api_lead.router.routes]


@router.get("/openapi.json", include_in_schema=False)
def openapi(_person: Person = Depends(Needs(None))) -> dict[str, Any]:
    """Describe what is here (OpenAPI 3.1)."""
    described = get_openapi(title="digitizer", version=__version__, routes=_routes())
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    described.setdefault("components", {})["securitySchemes"] = schemes
    return {**described, "security": [{"token": []}]}


@router.get("/status")
def status(request: Request, _person: Person = Depends(_WORK)) -> dict[str, Any]:
    """Tell how many stand in each state, and since when the oldest has."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        mode = orders_in(view).mode()
    return {
        "version": __version__,
        "mode": mode.value,
        "states": {
            one.state.value: {
                "count": one.count,
                "oldest": one.oldest.isoformat() if one.oldest else None,
            }
            for one in site.overview.by_state()
        },
    }


@router.get("/batches")
def batches(
    request: Request,
    after: Text = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    _person: Person = Depends(_WORK),
) -> list[dict[str, Any]]:
    """List batches with their counts by state, the newest first; ``after`` names the last seen."""
    overview = site_of(request).overview
    names = overview.batch_names(after=after, limit=limit)
    counted: dict[str, dict[str, int]] = {name: {} for name in names}
    for one in overview.by_batch(names):
        counted[one.group][one.state.value] = one.count
    return [{"batch": name, "counts": counts} for name, counts in counted.items()]


@router.get("/batches/{name}")
def batch(request: Request, name: str, person: Person = Depends(_PATIENTS)) -> dict[str, Any]:
    """Return everything there is to say of a batch, as `digitizer batch show --json` does."""
    site = site_of(request)
    document = report.batch_json(site.services.ledger, name)
    if document is None:
        raise UnknownRecord("There is no such batch.")
    with site.services.ledger.transaction() as tx:
        tx.record(event(f"user:{person.name}", "batch_read", person.name, batch=name))
    return document


@router.get("/work")
def work(
    request: Request,
    state: State | None = None,
    kind: ThingKind | None = None,
    code: Text = "",
    batch: Text = "",
    box: Text = "",
    after: Text = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    _person: Person = Depends(_WORK),
) -> dict[str, Any]:
    """List scans and sheets, the longest in their state first; ``next`` begins the next page."""
    site = site_of(request)
    wanted = Filter(
        states=(state,) if state else (),
        kind=kind,
        code=code,
        batch_id=_batch_id(request, batch),
        box=box or None,
    )
    rows = site.overview.oldest_first(wanted, after=_key(after), limit=limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "items": [_row(one) for one in shown],
        "next": f"{shown[-1].since.timestamp()!r}:{shown[-1].subject}" if more else None,
    }


def _batch_id(request: Request, name: str) -> str:
    if not name:
        return ""
    with site_of(request).services.ledger.reading() as view:
        found = view.batch_named(name)
    if found is None:
        raise UnknownRecord("There is no such batch.")
    return found.id


def _key(text: str) -> tuple[float, str] | None:
    if not text:
        return None
    seconds, _, subject = text.partition(":")
    try:
        return float(seconds), subject
    except ValueError:
        raise UsageError("This page does not begin anywhere.") from None


def _row(one: Standing) -> dict[str, Any]:
    return {
        "id": one.subject,
        "kind": one.kind.value,
        "batch": one.batch,
        "box": one.box or None,
        "jacket": one.jacket or None,
        "source": one.source,
        "state": one.state.value,
        "since": one.since.isoformat(),
        "reasons": list(one.codes),
        "assigned_to": one.assigned_to,
    }


@router.post("/retries", status_code=202)
def retry(
    request: Request, selection: Annotated[Selection, Body()], person: Person = Depends(_MANAGE)
) -> Response:
    """Try again all that is held and fits; 202 with the address at which its progress stands."""
    site = site_of(request)
    if selection.state not in HOLDS:
        raise UsageError("Only what is held can be tried again.")
    wanted = Filter(
        states=(selection.state,),
        code=selection.code,
        batch_id=_batch_id(request, selection.batch),
        box=selection.box or None,
    )
    ids = site.overview.subjects(wanted, _MOST)
    steps = retry_in_steps(site.services, ids, user=person.name)
    job = site.jobs.start(f"Trying {len(ids):,} again", person.name, len(ids), steps)
    address = site.at(f"/api/v1/retries/{job.id}")
    return JSONResponse({"id": job.id, "url": address}, 202, headers={"location": address})


@router.get("/retries/{job_id}")
def retry_progress(
    request: Request, job_id: str, _person: Person = Depends(_MANAGE)
) -> dict[str, Any]:
    """Tell how far it is."""
    job = site_of(request).jobs.find(job_id)
    if job is None:
        raise UnknownRecord("This is over, or was never begun here.")
    return {
        "total": job.total,
        "seen": job.seen,
        "started": job.started,
        "ended": job.ended,
        "problem": job.problem or None,
    }


@router.get("/films/{film_id}")
def film(request: Request, film_id: str, person: Person = Depends(_PATIENTS)) -> dict[str, Any]:
    """Return a film: state, reasons, what was read, candidates, decision."""
    site = site_of(request)
    with site.services.ledger.transaction() as tx:
        sheet = tx.get(Sheet, film_id)
        tx.record(event(film_id, "viewed", person.name, page="api"))
    decision = sheet.decision
    return {
        "id": sheet.id,
        "version": sheet.version,
        "kind": sheet.kind.value,
        "state": sheet.state.value,
        "reasons": reason_payload(sheet.reasons),
        **report.geometry_json(sheet.geometry),
        "quality": report.quality_json(sheet.quality),
        "fields": report.fields_json(sheet.fields),
        "corrections": {name.value: value for name, value in sheet.corrections.items()},
        "misfiled": bool(sheet.misfiled),
        "candidates": [
            {
                "patient": f"{one.patient.issuer}:{one.patient.patient_id}",
                "accession_number": one.exam.accession_number if one.exam else None,
                "posterior": one.posterior,
            }
            for one in sheet.candidates
        ],
        "patient": f"{decision.patient.issuer}:{decision.patient.patient_id}" if decision else None,
        "accession_number": (
            decision.exam.accession_number if decision and decision.exam else None
        ),
        "decided_by": decision.decided_by if decision else None,
        "sop_instance_uid": sheet.sop_instance_uid,
    }


@router.post("/films/{film_id}/decision")
def decide(
    request: Request,
    film_id: str,
    choice: Annotated[Choice, Body()],
    person: Person = Depends(_DECIDE),
) -> dict[str, Any]:
    """File a film in review that nobody else looks at."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        decisions.in_review(view.get(Sheet, film_id), person.name)
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    lease = site.leases.take(film_id, person.name, now, seconds)
    if lease.holder != person.name:
        raise UsageError(f"This film is with {lease.holder}.")
    try:
        accepted = decisions.accept(
            site.services,
            film_id,
            user=person.name,
            patient_id=choice.patient,
            accession_number=choice.accession_number,
            version=choice.version,
        )
    finally:
        site.leases.give_back(film_id, person.name)
    return {"id": film_id, "state": accepted.state.value, "version": accepted.version}
