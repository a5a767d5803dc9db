"""For leads: where everything is, what is held why, and how fast it goes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digitizer.console.access import Needs, Person
from digitizer.console.forecast import pace_of
from digitizer.console.pages import fragment, page
from digitizer.console.site import Site, site_of
from digitizer.model.overview import Filter, Tally, ThingKind
from digitizer.model.states import ENDS, HOLDS, WAY, State
from digitizer.model.users import Permission
from digitizer.pipeline import budget
from digitizer.pipeline.older.review import waiting
from digitizer.pipeline.orders import orders_in

__all__ = ["router"]

router = APIRouter()
_HOURS = 7 * 24
_LATEST = 20
"""Batches and boxes on the first page: the latest; all others have pages of their own."""
_ROWS = 50
_HOLD_WORDS = {
    State.REVIEW: "wait for a person",
    State.WAITING: "wait and are tried again",
    State.QUARANTINED: "cannot be used as they are",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One batch, box or older archive."""

    name: str
    total: int
    verified: int
    moving: int
    held: int
    ended: int


@router.get("/migration")
def migration(request: Request, person: Person = Depends(Needs(Permission.SEE_WORK))) -> Response:
    """Show where everything is."""
    return page(request, "migration.html", person, **figures(site_of(request)))


@router.get("/migration/figures")
def migration_figures(
    request: Request, person: Person = Depends(Needs(Permission.SEE_WORK))
) -> Response:
    """Return the same figures once more, for the page that shows them."""
    return HTMLResponse(
        fragment(request, "migration_figures.html", person, **figures(site_of(request)))
    )


@router.get("/migration/batches")
def all_batches(
    request: Request,
    after: Annotated[str, Query(max_length=255)] = "",
    person: Person = Depends(Needs(Permission.SEE_WORK)),
) -> Response:
    """List all batches, the newest first, paged by key."""
    overview = site_of(request).overview
    names = overview.batch_names(after=after, limit=_ROWS + 1)
    return _progress(request, person, "batch", names, overview.by_batch)


@router.get("/migration/boxes")
def all_boxes(
    request: Request,
    after: Annotated[str | None, Query(max_length=255)] = None,
    person: Person = Depends(Needs(Permission.SEE_WORK)),
) -> Response:
    """List all boxes in the order of their names, paged by key."""
    overview = site_of(request).overview
    names = overview.box_names(after=after, limit=_ROWS + 1)
    return _progress(request, person, "box", names, overview.by_box)


def _progress(
    request: Request,
    person: Person,
    key: str,
    names: Sequence[str],
    count: Callable[[Sequence[str]], Iterable[Tally]],
) -> Response:
    """Show one page of batches or boxes; ``names`` is longer by one where another page follows."""
    shown = names[:_ROWS]
    modes = _modes(site_of(request), shown) if key == "batch" else {"modes": {}}
    return page(
        request, "progress.html", person,
        key=key, rows=_rows(shown, count(shown)), more=shown[-1] if len(names) > _ROWS else "",
        **modes,
    )  # fmt: skip


def _modes(site: Site, names: Iterable[str]) -> dict[str, Any]:
    """Return whether batches run, are paused or drain."""
    with site.services.ledger.reading() as view:
        orders, found = orders_in(view), [view.batch_named(name) for name in names]
    return {"modes": {one.name: orders.mode(one.id) for one in found if one is not None}}


def figures(site: Site) -> dict[str, Any]:
    """Return everything that the page of the migration shows."""
    overview, now = site.overview, site.services.clock.now()
    states = overview.by_state()
    counts = {one.state: one.count for one in states}
    total = sum(n for state, n in counts.items() if state not in ENDS)
    left = sum(counts.get(state, 0) for state in WAY if state is not State.VERIFIED)
    flow = overview.flow()
    standing = budget.standing(site.services)
    accepted = standing["allowed"]
    with site.services.ledger.reading() as view:
        orders, urgent = orders_in(view), view.urgent_jackets()
        sources = [
            (one, _row(one.name, view.old_studies_by_state(one.id)))
            for one in view.old_sources()[-_LATEST:]
        ]
        older_review = waiting(view)
    batches, boxes = overview.batch_names(limit=_LATEST), overview.latest_boxes(_LATEST)
    review = overview.count(Filter(states=(State.REVIEW,), kind=ThingKind.FILM))
    decided = flow.by_itself + flow.by_people + review
    return {
        "ordered": orders.words(),
        "mode": orders.mode(),
        "urgent": urgent,
        "yield_": flow.by_itself / decided if decided else None,
        "review": review,
        "older_review": older_review,
        "asked": sum(overview.per_hour("review", 24, now)),
        "answered": sum(overview.per_hour("approved", 24, now, by_people=True)),
        "way": WAY,
        "holds": (State.REVIEW, State.WAITING, State.QUARANTINED),
        "ends": sorted(ENDS),
        "hold_words": _HOLD_WORDS,
        "counts": counts,
        "oldest": {one.state: one.oldest for one in states},
        "total": total,
        "verified": counts.get(State.VERIFIED, 0),
        "pace": pace_of(_verified_by_hour(site, now), left, now),
        "flow": flow,
        "standing": standing,
        "budget": site.settings.identity.budget_per_100k,
        "accepted": accepted,
        "spent": standing["expected_wrong"] / accepted if accepted else 0.0,
        "shadow": site.settings.identity.shadow,
        "reasons": overview.by_reason(Filter(states=tuple(HOLDS))),
        "sources": sources[::-1],
        "batches": _rows(batches, overview.by_batch(batches)),
        "boxes": _rows(boxes, overview.by_box(boxes)),
        **_modes(site, batches),
    }


def _verified_by_hour(site: Site, now: datetime) -> tuple[int, ...]:
    """Count what was verified in each hour of a week; hours that are over are counted once."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if site.verified is None or site.verified[0] != hour:
        counted = site.overview.per_hour("verified", _HOURS, now)
        site.verified = hour, counted[:-1]
        return counted
    return (*site.verified[1], *site.overview.per_hour("verified", 1, now))


def _rows(names: Iterable[str], tallies: Iterable[Tally]) -> list[Row]:
    by_group: dict[str, dict[State, int]] = {name: {} for name in names}
    for one in tallies:
        by_group[one.group][one.state] = one.count
    return [_row(group, counts) for group, counts in by_group.items()]


def _row(name: str, counts: Mapping[State, int]) -> Row:
    return Row(
        name=name,
        total=sum(counts.values()),
        verified=counts.get(State.VERIFIED, 0),
        moving=sum(counts.get(state, 0) for state in WAY[:-1]),
        held=sum(counts.get(state, 0) for state in HOLDS),
        ended=sum(counts.get(state, 0) for state in ENDS),
    )
