"""Addresses of pictures: films, original scans, crops."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from digitizer.console.access import Needs, Person
from digitizer.console.pictures import THUMBNAIL, View, as_jpeg, readable, reduced
from digitizer.console.seen import note_seen
from digitizer.console.site import site_of
from digitizer.errors import UnknownRecord
from digitizer.model.records import Scan, Sheet
from digitizer.model.users import Permission

__all__ = ["router"]

router = APIRouter()
_NEEDS = Needs(Permission.SEE_PATIENTS)
_JPEG, _PNG = "image/jpeg", "image/png"


def _view(
    size: Annotated[int, Query(ge=64, le=4096)] = 1200,
    center: Annotated[float | None, Query(ge=-70000, le=140000)] = None,
    width: Annotated[float | None, Query(ge=1, le=140000)] = None,
    invert: bool = False,
    turn: Annotated[int, Query(ge=0, le=3)] = 0,
    flip: bool = False,
    x: Annotated[float, Query(ge=0, le=1)] = 0.5,
    y: Annotated[float, Query(ge=0, le=1)] = 0.5,
    zoom: Annotated[float, Query(ge=1, le=32)] = 1.0,
) -> View:
    return View(
        longest=size,
        center=center,
        width=width,
        invert=invert,
        turn=turn,
        flip=flip,
        x=x,
        y=y,
        zoom=zoom,
    )


@router.get("/films/{film_id}/picture")
def film_picture(
    request: Request,
    film_id: str,
    view: View = Depends(_view),
    person: Person = Depends(_NEEDS),
) -> Response:
    """Return a film as its capture shows it, in eight bits."""
    site = site_of(request)
    with site.services.ledger.reading() as tx:
        sheet = tx.get(Sheet, film_id)
    note_seen(site, person, film_id, "picture")
    if view == View(longest=view.longest) and view.longest <= THUMBNAIL:
        return Response(site.pictures.thumbnail(sheet, view.longest), media_type=_JPEG)
    return Response(as_jpeg(site.pictures.film(sheet), view), media_type=_JPEG)


@router.get("/scans/{scan_id}/picture")
def scan_picture(
    request: Request,
    scan_id: str,
    page: Annotated[int, Query(ge=0, le=10_000)] = 0,
    film: Annotated[str, Query(max_length=80)] = "",
    view: View = Depends(_view),
    person: Person = Depends(_NEEDS),
) -> Response:
    """Return a page of a scan as it came, in eight bits; with the edges of one of its films."""
    site = site_of(request)
    with site.services.ledger.reading() as tx:
        scan = tx.get(Scan, scan_id)
        sheet = tx.get(Sheet, film) if film else None
    # The edges are those of the film whose page shows its scan.
    shown = film if sheet is not None and sheet.scan_id == scan_id else scan_id
    note_seen(site, person, shown, "scan picture")
    original = site.pictures.original(scan, page)
    if sheet is None or sheet.scan_id != scan_id or sheet.geometry is None:
        return Response(as_jpeg(original, view), media_type=_JPEG)
    # The film's own window: the bed beside it would darken it.
    original = replace(original, window=site.pictures.film(sheet).window or original.window)
    picture = as_jpeg(original, view, outline=sheet.geometry.corners)
    return Response(picture, media_type=_JPEG)


@router.get("/films/{film_id}/crops/{number}")
def crop(request: Request, film_id: str, number: int, person: Person = Depends(_NEEDS)) -> Response:
    """Return one piece of a film or label that bears text, turned so that it reads."""
    site = site_of(request)
    with site.services.ledger.reading() as tx:
        sheet = tx.get(Sheet, film_id)
    note_seen(site, person, film_id, "picture")
    if not 0 <= number < len(sheet.crops):
        raise UnknownRecord("There is no such piece of this film.")
    piece = site.services.vault.path(sheet.crops[number]).read_bytes()
    return Response(readable(piece, sheet.reading), media_type=_PNG)


@router.get("/films/{film_id}/pixels")
def pixels(
    request: Request,
    film_id: str,
    reduce: Annotated[int, Query(ge=1, le=16)] = 1,
    person: Person = Depends(_NEEDS),
) -> Response:
    """Return a film's own values: rows of little-endian 16-bit samples, nothing before or after.

    ``reduce``: each is the mean of so many by so many; the last row and column of fewer.
    """
    site = site_of(request)
    with site.services.ledger.reading() as tx:
        sheet = tx.get(Sheet, film_id)
    note_seen(site, person, film_id, "picture")
    rendered = site.pictures.film(sheet)
    if rendered.pixels.ndim != 2:
        raise UnknownRecord("This sheet is in colour: it has pictures, but no grey values.")
    values = rendered.pixels if reduce == 1 else reduced(rendered.pixels, reduce)
    return Response(
        values.astype("<u2", copy=False).tobytes(), media_type="application/octet-stream"
    )


@router.get("/films/{film_id}/tones")
def tones(
    request: Request, film_id: str, person: Person = Depends(_NEEDS)
) -> dict[str, float | int | bool | None]:
    """Tell a viewer the film's size, values and window."""
    site = site_of(request)
    with site.services.ledger.reading() as tx:
        sheet = tx.get(Sheet, film_id)
    note_seen(site, person, film_id, "picture")
    rendered = site.pictures.film(sheet)
    window = rendered.window
    spacing = rendered.spacing
    return {
        "rows": int(rendered.pixels.shape[0]),
        "columns": int(rendered.pixels.shape[1]),
        "bits": rendered.bits,
        "colour": rendered.pixels.ndim == 3,
        "white_is_low": rendered.polarity.value == "MONOCHROME1",
        "center": window.center if window else None,
        "width": window.width if window else None,
        "row_mm": spacing.row_mm if spacing else None,
        "column_mm": spacing.column_mm if spacing else None,
    }
