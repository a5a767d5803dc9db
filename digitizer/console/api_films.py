"""What reviewers put right, for programs: fields, misfiled films, split jackets, pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request

from digitizer.console.access import Needs, Person
from digitizer.console.answers import PROBLEMS
from digitizer.console.site import Site, site_of
from digitizer.errors import UsageError
from digitizer.model.instance import Window
from digitizer.model.reading import FieldName
from digitizer.model.records import Sheet
from digitizer.model.users import Permission
from digitizer.pipeline.adjust import Adjustment, adjust
from digitizer.pipeline.amend import correct, mark_misfiled, unmark_misfiled
from digitizer.pipeline.changes import reason_payload
from digitizer.pipeline.parting import split_jacket

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["api"], responses=PROBLEMS)
_DECIDE = Needs(Permission.DECIDE)
_VERSION = Field(description="of the film, as it was shown")
_WHY = Field("", max_length=500, description="why; kept in the audit trail")
Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]


class Corrections(BaseModel, extra="forbid"):
    """What stands on a film where it was misread."""

    fields: dict[FieldName, Annotated[str, Field(max_length=200)]] = Field(
        description="by field; empty takes a correction back"
    )
    version: int = _VERSION


class Misfiled(BaseModel, extra="forbid"):
    """Whether a film lies in the wrong jacket."""

    misfiled: bool
    reason: str = _WHY
    version: int = _VERSION


class Split(BaseModel, extra="forbid"):
    """Where another jacket begins."""

    name: str = Field(
        "", max_length=80, description="of the new jacket; else the old one's with #2"
    )
    version: int = _VERSION


class Picture(BaseModel, extra="forbid"):
    """What is set of a film's picture; what is left out stays as it is."""

    corners: Annotated[list[tuple[Number, Number]], Field(min_length=4, max_length=4)] | None = (
        Field(None, description="pixels of the scan from its outer corner, in any order")
    )
    rotate_deg: Number = Field(0.0, description="about the middle, counter-clockwise")
    turn_deg: int | None = Field(None, description="0, 90, 180 or 270")
    mirrored: bool | None = None
    window: tuple[Number, Number] | None = Field(
        None, description="center and width, in the scan's own values"
    )
    own_window: bool = Field(False, description="leave the window to the picture again")
    reason: str = _WHY
    version: int = _VERSION


@contextmanager
def _with(site: Site, film_id: str, person: Person) -> Iterator[None]:
    """Hold a film, that must be there, while it is changed; nobody else looks at it then."""
    with site.services.ledger.reading() as view:
        view.get(Sheet, film_id)
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    before = site.leases.holder(film_id, now)
    lease = site.leases.take(film_id, person.name, now, seconds)
    if lease.holder != person.name:
        raise UsageError(f"This film is with {lease.holder}.")
    try:
        yield
    finally:
        # A page of the same person may show it: its own lease goes on.
        if before is None:
            site.leases.give_back(film_id, person.name)


def _told(sheet: Sheet) -> dict[str, Any]:
    return {
        "id": sheet.id,
        "state": sheet.state.value,
        "version": sheet.version,
        "reasons": reason_payload(sheet.reasons),
        "corrections": {name.value: value for name, value in sheet.corrections.items()},
        "misfiled": bool(sheet.misfiled),
        "candidates": [
            {
                "patient": f"{one.patient.issuer}:{one.patient.patient_id}",
                "posterior": one.posterior,
            }
            for one in sheet.candidates
        ],
    }


@router.post("/films/{film_id}/corrections")
def corrections(
    request: Request,
    film_id: str,
    said: Annotated[Corrections, Body()],
    person: Person = Depends(_DECIDE),
) -> dict[str, Any]:
    """Say what stands in fields that were misread; it files nothing by itself."""
    site = site_of(request)
    with _with(site, film_id, person):
        fixed = correct(
            site.services, film_id, user=person.name, values=said.fields, version=said.version
        )
        return _told(fixed)


@router.post("/films/{film_id}/misfiled")
def misfiled(
    request: Request,
    film_id: str,
    said: Annotated[Misfiled, Body()],
    person: Person = Depends(_DECIDE),
) -> dict[str, Any]:
    """Say that a film lies in the wrong jacket, or take that back."""
    site = site_of(request)
    services, version = site.services, said.version
    with _with(site, film_id, person):
        if not said.misfiled:
            return _told(unmark_misfiled(services, film_id, user=person.name, version=version))
        return _told(
            mark_misfiled(
                services, film_id, user=person.name, reason_text=said.reason, version=version
            )
        )


@router.post("/films/{film_id}/split")
def split(
    request: Request,
    film_id: str,
    said: Annotated[Split, Body()],
    person: Person = Depends(_DECIDE),
) -> dict[str, Any]:
    """Make the films of a jacket from this one on a jacket of their own."""
    site = site_of(request)
    with _with(site, film_id, person):
        done = split_jacket(
            site.services, film_id, user=person.name, name=said.name, version=said.version
        )
    return {
        "box": done.jacket.box,
        "jacket": done.jacket.name,
        "scans": done.scans,
        "reopened": done.reopened,
        "stand": done.stand,
    }


@router.post("/films/{film_id}/picture")
def picture(
    request: Request,
    film_id: str,
    said: Annotated[Picture, Body()],
    person: Person = Depends(_DECIDE),
) -> dict[str, Any]:
    """Set corners, angle, turn, mirror or window; the film goes on from that step."""
    site = site_of(request)
    wanted = Adjustment(
        corners=said.corners,
        rotate_deg=said.rotate_deg,
        turn_deg=said.turn_deg,
        mirrored=said.mirrored,
        window=Window(*said.window) if said.window else None,
        own_window=said.own_window,
    )
    with _with(site, film_id, person):
        done = adjust(
            site.services,
            film_id,
            wanted,
            user=person.name,
            reason_text=said.reason,
            version=said.version,
        )
        return _told(done)
