"""For records staff: scan or drop a jacket's films, see at once whether all are there and good."""

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from digitizer.console.access import Needs, Person
from digitizer.console.feed_view import jacket_now, not_fed, reconciled
from digitizer.console.pages import back_to, fragment, page, say
from digitizer.console.seen import note_seen
from digitizer.console.site import Site, site_of
from digitizer.errors import BadScan, DigitizerError, DiskFull, UsageError
from digitizer.model.records import Batch, Jacket, Scan
from digitizer.model.users import Permission
from digitizer.pipeline.changes import event
from digitizer.pipeline.ingest import Arrival, close_batch, close_jacket, open_batch, take
from digitizer.pipeline.orders import orders_in
from digitizer.scan.sane import list_scanners
from digitizer.service.scanning import scan_in

__all__ = ["router"]

router = APIRouter()
_FEEDS = Needs(Permission.FEED)
_NAME = re.compile(r"[^/\\\x00-\x1f]{1,80}")
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")
_THUMBNAIL = 320
_CHUNK = 1 << 20
_NO_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3" role="img">'
    '<path d="M0 0h4v3H0z" fill="#ddd"/><path d="M1 .5l2 2m0-2l-2 2" stroke="#666" '
    'stroke-width=".2"/></svg>'
)
"""Shown for a scan of which no picture can be made: a cross."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which jacket is being fed."""

    box: str
    jacket: str


def _named(text: str, what: str) -> str:
    """Return a name that can be part of a path; empty is no name."""
    text = " ".join(text.split())
    if text and (not _NAME.fullmatch(text) or text.startswith(".")):
        raise UsageError(f"This cannot be the name of a {what}.", remedy="Use letters and digits.")
    return text


def _place(site: Site, box: str, jacket: str) -> Place:
    """Return box and jacket; a jacket's barcode stands for both."""
    box, jacket = _named(box, "box"), _named(jacket, "jacket")
    listed = site.services.index.jacket(jacket, box or None) if jacket else None
    if listed is not None and listed.barcode == jacket:
        return Place(listed.box or box, listed.jacket)
    return Place(box, jacket)


@router.get("/feed")
def feed(request: Request, person: Person = Depends(_FEEDS)) -> Response:
    """Begin a batch, or go on with one."""
    with site_of(request).services.ledger.reading() as view:
        batches = [one for one in view.batches() if not one.closed]
    today = site_of(request).services.clock.now().astimezone()
    proposed = f"{today:%Y-%m-%d} {person.name}"
    return page(request, "feed.html", person, batches=batches[-20:], proposed=proposed)


@router.post("/feed")
def begin(
    request: Request,
    batch: Annotated[str, Form(max_length=200)] = "",
    box: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_FEEDS),
) -> Response:
    """Open a batch."""
    site = site_of(request)
    name = _named(batch, "batch")
    if not name:
        raise UsageError("A batch needs a name.")
    folder = str(site.settings.data_dir / "scanned")
    opened = open_batch(site.services, name, folder, box=_named(box, "box") or None)
    with site.services.ledger.transaction() as tx:
        tx.record(event(opened.id, "feeding", person.name))
    return back_to(request, _address(opened.id, Place(opened.box or "", "")))


def _address(batch_id: str, place: Place) -> str:
    return f"/feed/{batch_id}?{urlencode({'box': place.box, 'jacket': place.jacket})}"


def _batch(site: Site, batch_id: str) -> Batch:
    with site.services.ledger.reading() as view:
        return view.get(Batch, batch_id)


@router.get("/feed/scanners")
def scanners(request: Request, person: Person = Depends(_FEEDS)) -> Response:
    """List the scanners that are connected to this machine."""
    try:
        found, problem = list_scanners(), ""
    except DigitizerError as error:
        found, problem = (), str(error)
    return HTMLResponse(
        fragment(request, "feed_scanners.html", person, scanners=found, problem=problem)
    )


@router.get("/feed/scans/{scan_id}/thumbnail")
def thumbnail(request: Request, scan_id: str, person: Person = Depends(_FEEDS)) -> Response:
    """Return a small picture of a scan, so that whoever feeds sees what arrived."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        scan = view.get(Scan, scan_id)
        closed = view.get(Batch, scan.batch_id).closed
    if closed and not person.may(Permission.SEE_PATIENTS):
        raise UsageError("This batch is closed; its pictures are not shown here any more.")
    note_seen(site, person, scan_id, "thumbnail")
    try:
        picture = site.pictures.scan_thumbnail(scan, _THUMBNAIL)
    except (BadScan, UsageError):
        # It cannot be read; what is wrong is told as soon as it was looked at.
        return Response(_NO_PICTURE, media_type="image/svg+xml")
    return Response(picture, media_type="image/jpeg")


@router.get("/feed/{batch_id}")
def feeding(
    request: Request,
    batch_id: str,
    box: Annotated[str, Query(max_length=200)] = "",
    jacket: Annotated[str, Query(max_length=200)] = "",
    person: Person = Depends(_FEEDS),
) -> Response:
    """Show the jacket that is being fed, or how a closed batch came out."""
    site = site_of(request)
    batch = _batch(site, batch_id)
    if batch.closed:
        rows = reconciled(site.services, site.overview, batch)
        missing = not_fed(site.services, batch)
        return page(request, "feed_closed.html", person, batch=batch, rows=rows, missing=missing)
    place = _place(site, box, jacket)
    if (place.box, place.jacket) != (box, jacket):
        return RedirectResponse(site.at(_address(batch_id, place)), 303)
    return page(
        request,
        "feeding.html",
        person,
        batch=batch,
        place=place,
        now_here=jacket_now(site.services, batch, place.box, place.jacket),
        scanning=site.jobs.latest(_scan_words(batch_id)),
        ordered=_ordered(site, batch),
    )


def _ordered(site: Site, batch: Batch) -> str:
    """Say why scans are not looked at: a lead paused the work; empty while it runs."""
    with site.services.ledger.reading() as view:
        return orders_in(view).words(batch.id)


@router.get("/feed/{batch_id}/figures")
def figures(
    request: Request,
    batch_id: str,
    box: Annotated[str, Query(max_length=200)] = "",
    jacket: Annotated[str, Query(max_length=200)] = "",
    person: Person = Depends(_FEEDS),
) -> Response:
    """Return the live part: the count, the pictures, the complaints."""
    site = site_of(request)
    batch, place = _batch(site, batch_id), _place(site, box, jacket)
    here = jacket_now(site.services, batch, place.box, place.jacket)
    scanning = site.jobs.latest(_scan_words(batch_id))
    return HTMLResponse(
        fragment(
            request, "feed_figures.html", person,
            now_here=here, scanning=scanning, ordered=_ordered(site, batch),
        )
    )  # fmt: skip


@router.post("/feed/{batch_id}/files")
def files(
    request: Request,
    batch_id: str,
    file: Annotated[UploadFile, File()],
    box: Annotated[str, Form(max_length=200)] = "",
    jacket: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_FEEDS),
) -> Response:
    """Take one dropped file in; whole or not at all."""
    site = site_of(request)
    batch, place = _batch(site, batch_id), _place(site, box, jacket)
    if batch.closed:
        raise UsageError("This batch is closed.", remedy="Begin another.")
    name = PurePosixPath((file.filename or "").replace("\\", "/")).name
    if not name or name.startswith(".") or not _FILE_NAME.fullmatch(name):
        raise UsageError("This file has no usable name.")
    kept = _kept(site, file, Path(name[-80:]).suffix)
    try:
        source = "/".join(part for part in (place.box, place.jacket, name) if part)
        arrival = Arrival(
            path=kept, source=source, box=place.box or None, jacket=place.jacket or None
        )
        scan = take(site.services, batch, arrival)
    finally:
        kept.unlink(missing_ok=True)
    with site.services.ledger.transaction() as tx:
        tx.record(event(scan.id, "fed", person.name))
    return JSONResponse({"id": scan.id, "state": scan.state.value}, 201)


def _kept(site: Site, file: UploadFile, suffix: str) -> Path:
    """Write an upload to a file of its own in the data folder; the vault takes it from there."""
    folder = site.settings.data_dir / "fed"
    folder.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(dir=folder, suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as stream:
            while chunk := file.file.read(_CHUNK):
                stream.write(chunk)
    except OSError as error:
        Path(path).unlink(missing_ok=True)
        raise DiskFull("The file could not be kept: there is no room.") from error
    return Path(path)


def _scan_words(batch_id: str) -> str:
    return f"Scanning into {batch_id}"


@router.post("/feed/{batch_id}/scan")
def scan(
    request: Request,
    batch_id: str,
    device: Annotated[str, Form(max_length=200)] = "",
    profile: Annotated[str, Form(max_length=40)] = "film",
    box: Annotated[str, Form(max_length=200)] = "",
    jacket: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_FEEDS),
) -> Response:
    """Scan what lies on the scanner or in its feeder; the pages show as they come."""
    site = site_of(request)
    batch, place = _batch(site, batch_id), _place(site, box, jacket)
    if batch.closed or not device:
        raise UsageError("Choose a scanner, and a batch that is open.")
    running = site.jobs.latest(_scan_words(batch_id))
    if running is not None and not running.ended:
        raise UsageError("A scan is running already.", remedy="Wait until it has ended.")

    def steps() -> Iterator[tuple[int, int]]:
        count = scan_in(
            site.services, site.settings.data_dir, batch,
            device=device, profile=profile, jacket=place.jacket or None, box=place.box or None,
        )  # fmt: skip
        yield count, count

    site.jobs.start(_scan_words(batch_id), person.name, 0, steps())
    return Response(status_code=202)


@router.post("/feed/{batch_id}/next")
def next_jacket(
    request: Request,
    batch_id: str,
    box: Annotated[str, Form(max_length=200)] = "",
    jacket: Annotated[str, Form(max_length=200)] = "",
    next_box: Annotated[str, Form(max_length=200)] = "",
    next_jacket: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_FEEDS),
) -> Response:
    """Close the jacket that was fed and go on with the next, by name or by its barcode."""
    site = site_of(request)
    batch = _batch(site, batch_id)
    place = _place(site, next_box, next_jacket)
    if not place.jacket:
        raise UsageError("The next jacket needs a name.", remedy="Scan its barcode, or type it.")
    fed = _jacket(site, batch, _place(site, box, jacket))
    if fed is not None and (fed.box or "", fed.name) != (place.box, place.jacket):
        with site.services.ledger.transaction() as tx:
            tx.record(event(fed.id, "jacket_put_away", person.name))
        close_jacket(site.services, fed.id)
    return back_to(request, _address(batch_id, place))


def _jacket(site: Site, batch: Batch, place: Place) -> Jacket | None:
    with site.services.ledger.reading() as view:
        found = view.jackets_named(place.jacket)
    mine = [one for one in found if one.batch_id == batch.id and (one.box or "") == place.box]
    return mine[0] if mine else None


@router.post("/feed/{batch_id}/close")
def close(request: Request, batch_id: str, person: Person = Depends(_FEEDS)) -> Response:
    """Close the batch; what was fed is compared with the jacket list."""
    site = site_of(request)
    with site.services.ledger.transaction() as tx:
        tx.record(event(batch_id, "batch_put_away", person.name))
    close_batch(site.services, batch_id)
    say(request, person, "The batch is closed.")
    return back_to(request, f"/feed/{batch_id}")
