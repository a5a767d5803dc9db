"""Older archives: where everything of them is, and the studies that a person must decide."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from digitizer.console.access import Needs, Person
from digitizer.console.pages import back_to, page, say
from digitizer.console.seen import note_seen
from digitizer.console.site import Site, site_of
from digitizer.errors import StaleRecord, UsageError
from digitizer.model.older import OldStudy, Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.model.states import HOLDS, State
from digitizer.model.users import Permission
from digitizer.pipeline.changes import event
from digitizer.pipeline.older import lists, reconcile, rejecting, review
from digitizer.pipeline.older.columns import (
    INSTANCE_COLUMNS,
    STUDY_COLUMNS,
    instance_rows,
    study_rows,
)
from digitizer.pipeline.older.giving_up import give_up
from digitizer.pipeline.older.history import history_json
from digitizer.pipeline.older.leaving_out import left_out
from digitizer.pipeline.older.printed import printed_source
from digitizer.pipeline.older.release import GIVEN_UP
from digitizer.pipeline.older.review import Collisions
from digitizer.pipeline.older.sources import pause_source
from digitizer.pipeline.older.steps import on_hold, rejected_by_person
from digitizer.pipeline.older.strangers import named_in
from digitizer.pipeline.spreadsheet import safe_cell

__all__ = ["router"]

router = APIRouter()
_WORK = Needs(Permission.SEE_WORK)
_SEES = Needs(Permission.SEE_PATIENTS)
_DECIDES = Needs(Permission.DECIDE)
_MANAGES = Needs(Permission.MANAGE)
_ROWS = 50
_KINDS = {
    SourceKind.FOLDER.value: "disc or folder",
    SourceKind.PACS.value: "old PACS",
    SourceKind.PICTURES.value: "pictures with an index file",
}
_MOST_RETRIED = 100_000


@router.get("/older")
def sources(request: Request, person: Person = Depends(_WORK)) -> Response:
    """List the older archives with their figures."""
    with site_of(request).services.ledger.reading() as view:
        rows = [reconcile.source_json(view, source) for source in view.old_sources()]
    return page(request, "older.html", person, sources=rows, kinds=_KINDS)


def _source(site: Site, source_id: str) -> Source:
    with site.services.ledger.reading() as view:
        return view.get(Source, source_id)


def _path(source_id: str) -> str:
    return f"/older/sources/{source_id}"


@router.get("/older/sources/{source_id}")
def source(
    request: Request,
    source_id: str,
    state: Annotated[str, Query(max_length=20)] = "",
    code: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[str, Query(max_length=80)] = "",
    person: Person = Depends(_SEES),
) -> Response:
    """Show where everything of an older archive is, and its studies, paged by key."""
    site = site_of(request)
    found = _source(site, source_id)
    wanted = _state(state)
    with site.services.ledger.reading() as view:
        document = reconcile.source_json(view, found)
        studies = view.old_studies(
            source_id=found.id,
            states=(wanted,) if wanted else (),
            code=_code(code),
            after=after,
            limit=_ROWS + 1,
        )
    return page(
        request, "older_source.html", person, kinds=_KINDS,
        source=document, studies=studies[:_ROWS], state=state, code=code,
        more=studies[_ROWS - 1].id if len(studies) > _ROWS else "", lists=tuple(lists.LISTS),
        states=tuple(sorted(document["studies"])), may_lack=GIVEN_UP,
        lacking={one["list"] for one in document["given_up"] if one["holds"]},
    )  # fmt: skip


def _state(text: str) -> State | None:
    try:
        return State(text) if text else None
    except ValueError:
        raise UsageError("There is no such state.") from None


def _code(text: str) -> Code | None:
    try:
        return Code(text) if text else None
    except ValueError:
        raise UsageError("There is no such reason.") from None


@router.get("/older/sources/{source_id}/instances")
def instances(
    request: Request,
    source_id: str,
    wanted: Annotated[str, Query(alias="list", max_length=20)] = "found",
    code: Annotated[str, Query(max_length=40)] = "",
    after: Annotated[str, Query(max_length=1024)] = "",
    person: Person = Depends(_SEES),
) -> Response:
    """Show the instances behind a number, paged by key."""
    site = site_of(request)
    found = _source(site, source_id)
    rows = lists.page_of(
        site.services, found, wanted, code=_code(code), after=after, limit=_ROWS + 1
    )
    return page(
        request, "older_instances.html", person,
        source=found, wanted=wanted, code=code, rows=rows[:_ROWS], why_of=lists.why,
        lists=tuple(lists.LISTS), more=rows[_ROWS - 1].place if len(rows) > _ROWS else "",
    )  # fmt: skip


@router.get("/older/sources/{source_id}/instances.csv")
def instances_csv(
    request: Request,
    source_id: str,
    wanted: Annotated[str, Query(alias="list", max_length=20)] = "found",
    code: Annotated[str, Query(max_length=40)] = "",
    person: Person = Depends(_MANAGES),
) -> Response:
    """Write the instances behind a number out; places and notes may name patients."""
    site = site_of(request)
    found = _source(site, source_id)
    if wanted not in lists.LISTS:
        raise UsageError("There is no such list.")
    rows = lists.listed(site.services, found, wanted, code=_code(code))
    with site.services.ledger.transaction() as tx:
        tx.record(event(found.id, "written_out", person.name, list=wanted))
    return StreamingResponse(
        _csv(INSTANCE_COLUMNS, instance_rows(site.services, rows)),
        media_type="text/csv",
        headers=_named(found, f"{wanted}.csv"),
    )


def _named(source: Source, kind: str) -> dict[str, str]:
    """Return the header that names a download by its source: several may lie in one folder."""
    # RFC 6266: a name of any script, percent-encoded, so that it cannot end the header.
    name = quote(f"{source.name}-{kind}", safe="")
    return {"content-disposition": f"attachment; filename*=UTF-8''{name}"}


def _csv(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


@router.get("/older/sources/{source_id}/studies.csv")
def studies_csv(request: Request, source_id: str, person: Person = Depends(_MANAGES)) -> Response:
    """Write the studies out: what the peer told of each, what came, and whose it is."""
    site = site_of(request)
    found = _source(site, source_id)
    with site.services.ledger.transaction() as tx:
        tx.record(event(found.id, "written_out", person.name, list="studies"))
        studies = tx.old_studies(source_id=found.id)
    return StreamingResponse(
        _csv(STUDY_COLUMNS, study_rows(site.services, found, studies)),
        media_type="text/csv",
        headers=_named(found, "studies.csv"),
    )


@router.post("/older/sources/{source_id}/report.pdf")
def report(request: Request, source_id: str, person: Person = Depends(_MANAGES)) -> Response:
    """Print the report of an older archive."""
    site = site_of(request)
    found = _source(site, source_id)
    content = printed_source(site.services, found, by=person.name)
    return Response(content, media_type="application/pdf", headers=_named(found, "report.pdf"))


@router.post("/older/sources/{source_id}/pause")
def pause(
    request: Request,
    source_id: str,
    paused: Annotated[str, Form(max_length=1)] = "",
    person: Person = Depends(_MANAGES),
) -> Response:
    """Start no more studies, or go on."""
    site = site_of(request)
    name = _source(site, source_id).name
    pause_source(site.services, name, user=person.name, paused=bool(paused))
    say(request, person, f"{name} {'is paused' if paused else 'goes on'}.")
    return back_to(request, _path(source_id))


@router.post("/older/sources/{source_id}/give-up")
def give_up_list(
    request: Request,
    source_id: str,
    what: Annotated[str, Form(max_length=20)],
    count: Annotated[int, Form()],
    why: Annotated[str, Form(max_length=200)],
    person: Person = Depends(_MANAGES),
) -> Response:
    """Do without what stands in a list, as the page showed it."""
    site = site_of(request)
    name = _source(site, source_id).name
    word = give_up(site.services, name, what, user=person.name, why=why, count=count)
    say(request, person, f"Done without {GIVEN_UP[what]} ({word.count}).")
    return back_to(request, _path(source_id))


@router.post("/older/sources/{source_id}/retry")
def retry(
    request: Request,
    source_id: str,
    state: Annotated[str, Form(max_length=20)] = "",
    code: Annotated[str, Form(max_length=40)] = "",
    person: Person = Depends(_MANAGES),
) -> Response:
    """Try all held studies again that match."""
    site = site_of(request)
    found, wanted = _source(site, source_id), _state(state)
    held = (wanted,) if wanted else tuple(sorted(HOLDS))
    with site.services.ledger.reading() as view:
        studies = view.old_studies(
            source_id=found.id, states=held, code=_code(code), limit=_MOST_RETRIED
        )
    started = review.retry(site.services, [one.id for one in studies], user=person.name)
    say(request, person, f"{started} of {len(studies)} set going.")
    return back_to(request, _path(source_id))


@router.get("/older/studies/{study_id}")
def study(request: Request, study_id: str, person: Person = Depends(_SEES)) -> Response:
    """Show a study: the header's words beside the index's, why it is here, and its instances."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        found = view.get(OldStudy, study_id)
        of = view.get(Source, found.source_id)
        rows = view.old_instances(study_id=study_id)
        events = view.events(study_id)
    note_seen(site, person, study_id, "older study")
    return page(
        request, "older_study.html", person,
        study=found, source=of, rows=rows[:_ROWS], number=len(rows), why_of=lists.why,
        history=history_json(events), collisions=tuple(Collisions),
        aside=on_hold(found),
        blocked=any(row.state is State.REVIEW for row in rows),
        may_reopen=rejected_by_person(found),
        named=named_in(site.services, found, rows[:_ROWS]),
    )  # fmt: skip


def _decided(
    request: Request,
    study_id: str,
    version: int,
    person: Person,
    decide: Callable[[Site], str],
) -> Response:
    """Take a decision on the study that was shown; refused when it has changed since."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        current = view.get(OldStudy, study_id)
    if current.version != version:
        raise StaleRecord("This study was changed by somebody else. Open it again.")
    say(request, person, decide(site))
    return back_to(request, f"{_path(current.source_id)}?state=review")


@router.post("/older/studies/{study_id}/accept")
def accept(
    request: Request,
    study_id: str,
    version: Annotated[int, Form()],
    patient: Annotated[str, Form(max_length=200)] = "",
    other: Annotated[str, Form(max_length=200)] = "",
    accession: Annotated[str, Form(max_length=64)] = "",
    collisions: Annotated[str, Form(max_length=20)] = "",
    others: Annotated[str, Form(max_length=10)] = "",
    alike: Annotated[str, Form(max_length=1)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """Decide a study, and perhaps all of the source that name the same patient alike."""
    chosen = other.strip() or patient

    def decide(site: Site) -> str:
        if not chosen and not _is_count_alone(site, study_id):
            raise UsageError("No patient was chosen.", remedy="Choose one, or give ISSUER:NUMBER.")
        if alike and accession:
            raise UsageError("One accession number cannot be that of all studies alike.")
        ids = review.alike(site.services, study_id) if alike else (study_id,)
        for one in ids:
            review.accept(
                site.services,
                one,
                user=person.name,
                patient_id=chosen or None,
                accession_number=accession.strip() or None,
                collisions=Collisions(collisions) if collisions else None,
                leave_others=others == "leave",
                whole=others == "whole",
                why=reason,
            )
        out = sum(left_out(site.services, one) for one in ids) if others == "leave" else 0
        return f"{len(ids)} accepted{f', {out} instances left out' if out else ''}."

    return _decided(request, study_id, version, person, decide)


def _is_count_alone(site: Site, study_id: str) -> bool:
    """Tell whether all that is asked is whether a study may go on in part."""
    with site.services.ledger.reading() as view:
        reasons = view.get(OldStudy, study_id).reasons
    return {one.code for one in reasons} == {Code.COUNT_DIFFERS}


@router.post("/older/studies/{study_id}/reject")
def reject(
    request: Request,
    study_id: str,
    version: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """End a study: nothing of it goes into the archive."""

    def decide(site: Site) -> str:
        rejecting.reject(site.services, study_id, user=person.name, why=reason)
        return "Rejected."

    return _decided(request, study_id, version, person, decide)


@router.post("/older/studies/{study_id}/reopen")
def reopen(
    request: Request,
    study_id: str,
    version: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """Take back that a study was rejected."""

    def decide(site: Site) -> str:
        rejecting.open_again(site.services, study_id, user=person.name, why=reason)
        return "Opened again: it is decided anew."

    return _decided(request, study_id, version, person, decide)


@router.post("/older/studies/{study_id}/hold")
def hold(
    request: Request,
    study_id: str,
    version: Annotated[int, Form()],
    reason: Annotated[str, Form(max_length=200)] = "",
    person: Person = Depends(_DECIDES),
) -> Response:
    """Put a study aside with the reason; put aside already, let it go on."""

    def decide(site: Site) -> str:
        with site.services.ledger.reading() as view:
            aside = on_hold(view.get(OldStudy, study_id))
        if aside:
            review.release(site.services, study_id, user=person.name)
            return "Released."
        review.hold(site.services, study_id, user=person.name, why=reason)
        return "Put aside."

    return _decided(request, study_id, version, person, decide)
