"""Decisions of reviewers: accept, hold, reject, each once, and taking the last one back.

What this never does: let two people decide one film, apply a decision to a film that is not any
more what the person saw, or tell somebody that nothing was decided when it was.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from digitizer.console.access import Needs, Person
from digitizer.console.pages import back_to, page, say
from digitizer.console.site import Site, site_of
from digitizer.errors import StaleRecord, UsageError
from digitizer.model.film import SheetKind
from digitizer.model.reasons import Code
from digitizer.model.records import Scan, Sheet
from digitizer.model.states import State
from digitizer.model.users import Permission
from digitizer.pipeline import review as decisions
from digitizer.pipeline.undo import take_back

__all__ = ["STALE", "router"]

router = APIRouter()
_DECIDES = Needs(Permission.DECIDE)
STALE = (
    "Your time with this film ran out, and it was not decided.",
    "It may be with somebody else now. Open it again and repeat your choice.",
)


def _decide_once(
    request: Request, film_id: str, version: int, person: Person, decide: Callable[[Site], str]
) -> Response:
    """Take a decision, and go on with the next film; asked a second time, tell of the first.

    Whether it is decided is looked at before the lease: a decision gives the lease back, so the
    second of two clicks would else be told that nothing was decided.
    """
    site = site_of(request)
    before = _done_before(request, film_id, person)
    if before is not None:
        return before
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    if not site.leases.keep(film_id, person.name, now, seconds):
        raise UsageError(STALE[0], remedy=STALE[1])
    _as_seen(site, film_id, version)
    try:
        words = decide(site)
    except (StaleRecord, UsageError):
        # The first of two clicks may have been served meanwhile.
        before = _done_before(request, film_id, person)
        if before is None:
            raise
        return before
    site.leases.give_back(film_id, person.name)
    site.undo[person.session.key] = film_id
    say(request, person, words)
    return back_to(request, "/review")


def _as_seen(site: Site, film_id: str, version: int) -> None:
    """Refuse to decide what is not in review any more, or not what the page shows."""
    with site.services.ledger.reading() as view:
        record = decisions.sheet_or_scan(view, film_id)
    if record.state is not State.REVIEW:
        raise UsageError("This is not in review any more.", remedy="Go on with the next one.")
    if record.version != version:
        raise StaleRecord("It was changed while you looked at it.", remedy="Look at it again.")


def _done_before(request: Request, film_id: str, person: Person) -> Response | None:
    """Return the page that tells this person of their own decision; None: there is none."""
    with site_of(request).services.ledger.reading() as view:
        record = decisions.sheet_or_scan(view, film_id)
        rejected = record.state is State.REJECTED and [
            one.actor for one in view.events(film_id) if one.name == "rejected"
        ][-1:] == [person.name]
    words = _own(record, person, rejected=rejected)
    if words is None:
        return None
    undoable = record.state in (State.APPROVED, State.REJECTED, State.REVIEW)
    return page(
        request, "review_done.html", person, 409, film=film_id, words=words, undoable=undoable
    )


def _own(record: Sheet | Scan, person: Person, *, rejected: bool) -> str | None:
    """Return in words what this person has decided of a film; None when it was not this person."""
    if rejected:
        return "You have rejected this already."
    if not isinstance(record, Sheet):
        return None
    on_hold = any(one.code is Code.ON_HOLD for one in record.reasons)
    if record.state is State.REVIEW and on_hold and record.assigned_to == person.name:
        return "You have put this on hold already."
    decision = record.decision
    if decision is None or decision.decided_by != person.name:
        return None
    return f"You have filed this already, under patient {decision.patient.patient_id}."


@router.post("/review/{film_id}/accept")
def accept(
    request: Request,
    film_id: str,
    patient: Annotated[str, Form(max_length=200)] = "",
    exam: Annotated[str, Form(max_length=80)] = "",
    version: Annotated[int, Form()] = -1,
    person: Person = Depends(_DECIDES),
) -> Response:
    """File a film under the patient and exam that were chosen; the next film follows."""
    site = site_of(request)
    if not patient:
        raise UsageError("No patient was chosen.", remedy="Choose one with 1 to 9, or search.")
    with site.services.ledger.reading() as view:
        kind = view.get(Sheet, film_id).kind
    if kind is SheetKind.FILM and not exam:
        raise UsageError("No exam was chosen.", remedy="Choose one, or that it is not known.")

    def file(site: Site) -> str:
        accepted = decisions.accept(
            site.services,
            film_id,
            user=person.name,
            patient_id=patient,
            accession_number="" if exam in ("", "-") else exam,
            version=version,
        )
        assert accepted.decision is not None, "what is accepted has a decision"
        return f"Filed under patient {accepted.decision.patient.patient_id}. U takes it back."

    return _decide_once(request, film_id, version, person, file)


@router.post("/review/{film_id}/hold")
def hold(
    request: Request,
    film_id: str,
    reason: Annotated[str, Form(max_length=500)] = "",
    version: Annotated[int, Form()] = -1,
    person: Person = Depends(_DECIDES),
) -> Response:
    """Put a film aside with a reason."""
    if not reason.strip():
        raise UsageError("A hold needs a reason.", remedy="Say what is to be found out.")

    def put_aside(site: Site) -> str:
        decisions.hold(
            site.services, film_id, user=person.name, reason_text=reason.strip(), version=version
        )
        return "Put on hold. U takes it back."

    return _decide_once(request, film_id, version, person, put_aside)


@router.post("/review/{film_id}/reject")
def reject(
    request: Request,
    film_id: str,
    reason: Annotated[str, Form(max_length=500)] = "",
    version: Annotated[int, Form()] = -1,
    person: Person = Depends(_DECIDES),
) -> Response:
    """End a film: to be scanned again, or to be left out. The original scan is kept."""

    def end(site: Site) -> str:
        why = reason.strip() or "Scan it again."
        decisions.reject(site.services, film_id, user=person.name, reason_text=why, version=version)
        return "Rejected: to be scanned again. U takes it back."

    return _decide_once(request, film_id, version, person, end)


@router.post("/review/{film_id}/undo")
def undo(request: Request, film_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Take one's own last decision back, and look at the film again."""
    site = site_of(request)
    take_back(site.services, film_id, user=person.name)
    site.undo.pop(person.session.key, None)
    say(request, person, "Taken back. Nothing was filed.")
    return back_to(request, f"/review/{film_id}")
