"""How scanners and archives are: what they bring and keep, what ails them, what is due."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digitizer.console.access import Needs, Person
from digitizer.console.pages import fragment
from digitizer.console.site import Site, site_of
from digitizer.model.overview import ArchiveTally, Filter
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.model.users import Permission
from digitizer.pipeline.scanners import scanners_health
from digitizer.service.doctor import check_archive

__all__ = ["archives_of", "router"]

router = APIRouter()


@router.get("/migration/equipment")
def equipment(request: Request, person: Person = Depends(Needs(Permission.SEE_WORK))) -> Response:
    """Show scanners and archives."""
    site = site_of(request)
    return HTMLResponse(
        fragment(
            request,
            "equipment.html",
            person,
            scanners=scanners_health(site.services, site.overview),
            archives=archives_of(site),
            **_line(site),
        )
    )


def archives_of(site: Site) -> tuple[ArchiveTally, ...]:
    """Return every archive that was ever asked, and the one in use."""
    found = site.overview.archives()
    now = site.services.archive.name
    return (
        found if any(one.archive == now for one in found) else (ArchiveTally(archive=now), *found)
    )


def _line(site: Site) -> dict[str, Any]:
    """Return what waits for the archive in use, and what of it is to be looked at.

    Workers ask an archive that does not answer only now and then: while films wait for it, its
    breaker is open.
    """
    by_state = {one.state: one for one in site.overview.by_state()}
    held = site.overview.by_reason(Filter(states=(State.WAITING, State.REVIEW)))
    of = {one.group: one for one in held}
    return {
        "in_use": site.services.archive.name,
        "unreachable": of.get(Code.ARCHIVE_UNREACHABLE.value),
        "refused": of.get(Code.ARCHIVE_REFUSED.value),
        "differing": of.get(Code.READ_BACK_DIFFERS.value),
        "stored": by_state.get(State.STORED),
        "committed": by_state.get(State.COMMITTED),
    }


@router.post("/settings/echo")
def echo(request: Request, person: Person = Depends(Needs(Permission.SEE_SETTINGS))) -> Response:
    """Ask the archive in use whether it is there (C-ECHO)."""
    found = check_archive(site_of(request).settings)
    return HTMLResponse(fragment(request, "settings_checks.html", person, checks=[found]))
