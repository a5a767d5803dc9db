"""The work list: what stands where, by any filter, written out or tried again."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from digitizer.console.access import Needs, Person
from digitizer.console.jobs import Job
from digitizer.console.pages import back_to, fragment, page, say
from digitizer.console.site import Site, site_of
from digitizer.errors import UnknownRecord, UsageError
from digitizer.model.overview import Filter, Standing, ThingKind
from digitizer.model.reasons import CODES, Hold
from digitizer.model.states import HOLDS, State
from digitizer.model.users import Permission
from digitizer.pipeline.bulk import retry_in_steps
from digitizer.pipeline.changes import event
from digitizer.pipeline.spreadsheet import safe_cell

__all__ = ["file_answer", "router"]

router = APIRouter()
_PAGE = 50
_AT_ONCE = 200
"""Films that are tried again while the browser waits; more become a job."""
_MOST = 200_000
_CODES = tuple(code.value for code, told in CODES.items() if told.hold is not Hold.NOTE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter as the address of the page says it."""

    state: str = ""
    code: str = ""
    batch: str = ""
    box: str | None = None
    kind: str = ""
    day: str = ""
    query: str = field(default="", compare=False)

    def filter(self, site: Site) -> Filter:
        """Return the filter; raises UsageError for what is no state, reason or batch."""
        batch_id = ""
        if self.batch:
            with site.services.ledger.reading() as view:
                found = view.batch_named(self.batch)
            if found is None:
                raise UnknownRecord("There is no such batch.")
            batch_id = found.id
        if self.code and self.code not in {one.value for one in CODES}:
            raise UsageError("There is no such reason.")
        try:
            return Filter(
                states=(State(self.state),) if self.state else (),
                code=self.code,
                batch_id=batch_id,
                box=self.box or None,
                kind=ThingKind(self.kind) if self.kind else None,
                study_date=date.fromisoformat(self.day).isoformat() if self.day else "",
            )
        except ValueError:
            raise UsageError("There is no such state, kind or day.") from None


def _wanted(
    state: Annotated[str, Query(max_length=40)] = "",
    code: Annotated[str, Query(max_length=40)] = "",
    batch: Annotated[str, Query(max_length=255)] = "",
    box: Annotated[str, Query(max_length=255)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    day: Annotated[str, Query(max_length=10)] = "",
) -> Wanted:
    named = {"state": state, "code": code, "batch": batch, "box": box, "kind": kind, "day": day}
    query = urlencode({key: value for key, value in named.items() if value})
    return Wanted(state, code, batch, box, kind, day, query)


@router.get("/work")
def work(
    request: Request,
    wanted: Wanted = Depends(_wanted),
    after: Annotated[str, Query(max_length=120)] = "",
    person: Person = Depends(Needs(Permission.SEE_WORK)),
) -> Response:
    """List scans and sheets, the longest in their state first."""
    site = site_of(request)
    chosen = wanted.filter(site)
    rows = site.overview.oldest_first(chosen, after=_key(after), limit=_PAGE + 1)
    with site.services.ledger.reading() as view:
        batches = [one.name for one in view.batches()]
    shown = rows[:_PAGE]
    held = wanted.state in (State.WAITING, State.QUARANTINED, State.REVIEW)
    return page(
        request,
        "work.html",
        person,
        wanted=wanted,
        query=wanted.query,
        rows=shown,
        total=site.overview.count(chosen),
        more=_key_text(shown[-1]) if len(rows) > _PAGE else "",
        states=[one.value for one in State],
        codes=_CODES,
        batches=batches,
        retriable=held and person.may(Permission.MANAGE),
    )


def _key_text(row: Standing) -> str:
    return f"{row.since.timestamp()!r}:{row.subject}"


def _key(text: str) -> tuple[float, str] | None:
    """Return where a page begins."""
    if not text:
        return None
    seconds, _, subject = text.partition(":")
    try:
        return float(seconds), subject
    except ValueError:
        raise UsageError("This page does not begin anywhere.") from None


@router.post("/work/retry")
def retry(
    request: Request,
    which: Annotated[str, Form(max_length=10)],
    query: Annotated[str, Form(max_length=2000)] = "",
    chosen: Annotated[list[str] | None, Form()] = None,
    person: Person = Depends(Needs(Permission.MANAGE)),
) -> Response:
    """Try again what was chosen, or all that the filter shows."""
    site = site_of(request)
    if which == "all":
        wanted = _from_query(query).filter(site)
        if not wanted.states or not set(wanted.states) <= HOLDS:
            raise UsageError("Only what is held can be tried again.")
        ids = site.overview.subjects(wanted, _MOST)
    else:
        ids = tuple(dict.fromkeys(chosen or ()))
    if not ids:
        say(request, person, "Nothing was chosen.")
        return back_to(request, f"/work?{query}")
    steps = retry_in_steps(site.services, ids, user=person.name)
    if len(ids) > _AT_ONCE:
        job = site.jobs.start(f"Trying {len(ids):,} again", person.name, len(ids), steps)
        return back_to(request, f"/jobs/{job.id}")
    started = sum(going for _seen, going in steps)
    say(request, person, f"{started} of {len(ids)} set going.")
    return back_to(request, f"/work?{query}")


def _from_query(query: str) -> Wanted:
    named = {key: value for key, value in parse_qsl(query) if key in Wanted.__slots__}
    return Wanted(**named)


@router.get("/jobs/{job_id}")
def job_page(
    request: Request, job_id: str, person: Person = Depends(Needs(Permission.MANAGE))
) -> Response:
    """Show how far a job is."""
    return page(request, "job.html", person, job=_job(site_of(request), job_id))


@router.get("/jobs/{job_id}/progress")
def job_progress(
    request: Request, job_id: str, person: Person = Depends(Needs(Permission.MANAGE))
) -> Response:
    """Return the progress of a job; the page stops asking when it has ended."""
    job = _job(site_of(request), job_id)
    text = fragment(request, "job_progress.html", person, job=job)
    # htmx stops polling at status 286.
    return HTMLResponse(text, status_code=286 if job.ended else 200)


@router.get("/jobs/{job_id}/file")
def job_file(
    request: Request, job_id: str, person: Person = Depends(Needs(Permission.MANAGE))
) -> Response:
    """Return what a job has made, to whoever began it."""
    job = _job(site_of(request), job_id)
    return file_answer(job, person)


def file_answer(job: Job, person: Person) -> Response:
    """Return what a job has made as a download; nobody else's, and nothing that is not ready."""
    if job.by != person.name or job.file is None:
        raise UnknownRecord("There is no such file, or it is not ready yet.")
    headers = {"content-disposition": f'attachment; filename="{job.file_name}"'}
    return Response(job.file, media_type="application/pdf", headers=headers)


def _job(site: Site, job_id: str) -> Job:
    job = site.jobs.find(job_id)
    if job is None:
        raise UnknownRecord("This job is over, or was never begun here.")
    return job


@router.get("/work.csv")
def work_csv(
    request: Request,
    wanted: Wanted = Depends(_wanted),
    person: Person = Depends(Needs(Permission.MANAGE)),
) -> Response:
    """Write the list out, whole."""
    site = site_of(request)
    chosen = wanted.filter(site)
    with site.services.ledger.transaction() as tx:
        tx.record(
            event(f"user:{person.name}", "list_written_out", person.name, filter=wanted.query)
        )
    return StreamingResponse(
        _csv(site, chosen),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="digitizer-work.csv"'},
    )


_COLUMNS = (
    "id", "kind", "batch", "box", "jacket", "source", "state", "since", "reasons", "patient_id",
    "issuer", "study_date", "decided_by", "assigned_to",
)  # fmt: skip


def _csv(site: Site, chosen: Filter) -> Iterator[str]:
    yield _line(_COLUMNS)
    after: tuple[float, str] | None = None
    while rows := site.overview.oldest_first(chosen, after=after, limit=1000):
        for row in rows:
            yield _line(
                (
                    row.subject, row.kind.value, row.batch, row.box, row.jacket, row.source,
                    row.state.value, row.since.isoformat(), " ".join(row.codes), row.patient_id,
                    row.issuer, row.study_date, row.decided_by or "", row.assigned_to or "",
                )
            )  # fmt: skip
        after = rows[-1].since.timestamp(), rows[-1].subject


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()
