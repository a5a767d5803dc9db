"""What leads do and see, for programs: orders, urgent jackets, equipment, printed reports."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from digitizer.console.access import Needs, Person
from digitizer.console.answers import PROBLEMS
from digitizer.console.equipment import archives_of
from digitizer.console.jobs import Job
from digitizer.console.reports import begin_report
from digitizer.console.site import Site, site_of
from digitizer.console.work import file_answer
from digitizer.errors import UnknownRecord
from digitizer.model.overview import ArchiveTally
from digitizer.model.records import WorkMode
from digitizer.model.users import Permission
from digitizer.pipeline.follow import jacket_of
from digitizer.pipeline.orders import order, orders_in, set_urgent
from digitizer.pipeline.scanners import ScannerHealth, scanners_health

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["api"], responses=PROBLEMS)
_WORK = Needs(Permission.SEE_WORK)
_MANAGE = Needs(Permission.MANAGE)


class Order(BaseModel, extra="forbid"):
    """What is ordered of a batch, or of everything."""

    mode: WorkMode
    batch: str = Field("", max_length=255, description="a batch's name; empty: everything")
    reason: str = Field("", max_length=200)


class Urgent(BaseModel, extra="forbid"):
    """A jacket that overtakes others, or not any more."""

    jacket: str = Field(max_length=600, description="BOX/JACKET, or JACKET where it is unique")
    batch: str = Field("", max_length=255)
    urgent: bool = True


class Subject(BaseModel, extra="forbid"):
    """What a report is of: a batch or a box."""

    batch: str = Field("", max_length=255)
    box: str = Field("", max_length=255)


@router.get("/orders")
def orders(request: Request, _person: Person = Depends(_WORK)) -> dict[str, Any]:
    """Tell what is ordered: of everything, of batches, and which jackets overtake."""
    with site_of(request).services.ledger.reading() as view:
        found, urgent, batches = orders_in(view), view.urgent_jackets(), view.batches()
    names = {one.id: one.name for one in batches}
    return {
        "mode": found.mode().value,
        "order": found.json(),
        "batches": [
            {"batch": one.name, **found.json_of(one.id)} for one in batches if one.id in found.of
        ],
        "urgent_jackets": [
            {"batch": names[one.batch_id], "box": one.box, "jacket": one.name} for one in urgent
        ],
    }


@router.post("/orders")
def give_order(
    request: Request, wanted: Annotated[Order, Body()], person: Person = Depends(_MANAGE)
) -> dict[str, Any]:
    """Pause, drain or resume a batch, or everything."""
    services, reason = site_of(request).services, " ".join(wanted.reason.split())
    made = order(services, wanted.mode, by=person.name, batch=wanted.batch or None, reason=reason)
    return {"batch": wanted.batch or None, "mode": made.mode.value, "by": made.by, "reason": reason}


@router.post("/urgent")
def urgent(
    request: Request, wanted: Annotated[Urgent, Body()], person: Person = Depends(_MANAGE)
) -> dict[str, Any]:
    """Let a jacket overtake others, four turns of five, or not any more."""
    services = site_of(request).services
    with services.ledger.reading() as view:
        found = jacket_of(view, wanted.jacket, wanted.batch or None)
    set_urgent(services, [found.id], wanted.urgent, by=person.name)
    return {"box": found.box, "jacket": found.name, "urgent": wanted.urgent}


@router.get("/scanners")
def scanners(request: Request, _person: Person = Depends(_WORK)) -> list[dict[str, Any]]:
    """Tell how the scanners are: scans, defects, stripes, calibration."""
    site = site_of(request)
    return [_scanner(one) for one in scanners_health(site.services, site.overview)]


def _scanner(one: ScannerHealth) -> dict[str, Any]:
    return {
        "scanner": one.scanner or None,
        "scans_last_day": one.last_day,
        "scans_last_week": one.last_week,
        "last_seen": one.last_seen.isoformat() if one.last_seen else None,
        "defects": dict(one.defects),
        "of": one.looked_at,
        "clean_rollers": one.wear.needs_cleaning,
        "stripes": list(one.wear.columns),
        "calibrated_at": one.calibrated_at.isoformat() if one.calibrated_at else None,
        "complaints": list(one.complaints),
    }


@router.get("/archives")
def archives(request: Request, _person: Person = Depends(_WORK)) -> list[dict[str, Any]]:
    """Tell what archives promised to keep, and what was read back from them."""
    return [_archive(one) for one in archives_of(site_of(request))]


def _archive(one: ArchiveTally) -> dict[str, Any]:
    dates = ("oldest_pending", "last_read_back")
    told = asdict(one)
    return told | {name: told[name].isoformat() if told[name] else None for name in dates}


@router.post("/reports", status_code=202)
def report(
    request: Request, subject: Annotated[Subject, Body()], person: Person = Depends(_MANAGE)
) -> Response:
    """Begin to make the PDF report of a batch or a box; 202 with the address of its progress."""
    site = site_of(request)
    job = begin_report(site, person, subject.batch, subject.box)
    address = site.at(f"/api/v1/reports/{job.id}")
    return JSONResponse({"id": job.id, "url": address}, 202, headers={"location": address})


@router.get("/reports/{job_id}")
def report_progress(
    request: Request, job_id: str, person: Person = Depends(_MANAGE)
) -> dict[str, Any]:
    """Tell whether it is ready."""
    job = _own(site_of(request), job_id, person)
    file = site_of(request).at(f"/api/v1/reports/{job.id}/file")
    ready = job.file is not None
    return {"ended": job.ended, "problem": job.problem or None, "file": file if ready else None}


@router.get("/reports/{job_id}/file")
def report_file(request: Request, job_id: str, person: Person = Depends(_MANAGE)) -> Response:
    """Return the PDF."""
    return file_answer(_own(site_of(request), job_id, person), person)


def _own(site: Site, job_id: str, person: Person) -> Job:
    job = site.jobs.find(job_id)
    if job is None or job.by != person.name or not job.file_name:
        raise UnknownRecord("There is no such report, or it was not begun by you.")
    return job
