"""What reviewers put right: a field, a film in the wrong jacket, a jacket that is two, a picture.

What this never does: change a film that somebody else looks at, or that is not any more what the
page shows. Nothing here files anything.
"""

import json
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from digitizer import film
from digitizer.console.access import Needs, Person
from digitizer.console.deciding import STALE
from digitizer.console.pages import back_to, page, say
from digitizer.console.seen import note_seen
from digitizer.console.site import Site, site_of
from digitizer.errors import UsageError
from digitizer.model.instance import Window
from digitizer.model.reading import FieldName
from digitizer.model.records import Jacket, Scan, Sheet
from digitizer.model.states import State
from digitizer.model.users import Permission
from digitizer.pipeline.adjust import Adjustment, adjust, adjustable
from digitizer.pipeline.amend import correct, mark_misfiled, unmark_misfiled
from digitizer.pipeline.parting import split_jacket

__all__ = ["router"]

router = APIRouter()
_DECIDES = Needs(Permission.DECIDE)
_MOST_POINTS = 400
Version = Annotated[int, Form()]


def _mine(site: Site, film_id: str, person: Person) -> None:
    """Make sure that the film is with this person still.

    Raises
    ------
    UsageError
        Their time with it ran out, or it is with somebody else.
    """
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    if not site.leases.keep(film_id, person.name, now, seconds):
        raise UsageError(STALE[0], remedy=STALE[1])


def _put_right(
    request: Request, film_id: str, person: Person, change: Callable[[Site], str]
) -> Response:
    """Change a film that is with this person, and show it again as it is now."""
    site = site_of(request)
    _mine(site, film_id, person)
    words = change(site)
    site.undo[person.session.key] = film_id
    say(request, person, words)
    return back_to(request, f"/review/{film_id}")


Text = Annotated[str | None, Field(max_length=200)]


class Said(BaseModel):
    """What stands in the fields of a film; what equals the reading, or is empty, is no correction.

    A field that is left out stays as it is.
    """

    patient_id: Text = None
    family_name: Text = None
    given_name: Text = None
    birth_date: Text = None
    sex: Text = None
    accession_number: Text = None
    study_date: Text = None
    description: Text = None
    laterality: Text = None
    version: int = -1

    def values(self) -> dict[FieldName, str]:
        """Return the fields that were told."""
        told = self.model_dump(exclude={"version"}, exclude_none=True)
        return {FieldName(name): value for name, value in told.items()}


@router.post("/review/{film_id}/correct")
def correct_fields(
    request: Request,
    film_id: str,
    said: Annotated[Said, Form()],
    person: Person = Depends(_DECIDES),
) -> Response:
    """Say what stands in fields that were misread."""

    def put(site: Site) -> str:
        values, version = said.values(), said.version
        correct(site.services, film_id, user=person.name, values=values, version=version)
        return (
            "Your word is kept beside what was read, and the candidates are weighed anew with it. "
            "U takes it back."
        )

    return _put_right(request, film_id, person, put)


@router.post("/review/{film_id}/misfiled")
def misfiled(
    request: Request,
    film_id: str,
    reason: Annotated[str, Form(max_length=500)] = "",
    back: Annotated[bool, Form()] = False,
    version: Version = -1,
    person: Person = Depends(_DECIDES),
) -> Response:
    """Say that a film lies in the wrong jacket, or take that back."""

    def mark(site: Site) -> str:
        if back:
            unmark_misfiled(site.services, film_id, user=person.name, version=version)
            return "It belongs to its jacket again, and is weighed with it. U takes it back."
        mark_misfiled(
            site.services, film_id, user=person.name, reason_text=reason, version=version
        )  # fmt: skip
        return (
            "Marked as misfiled: it is weighed by its own words alone, and the jacket without it. "
            "Choose whose it is. U takes it back."
        )

    return _put_right(request, film_id, person, mark)


@router.post("/review/{film_id}/split")
def split(
    request: Request,
    film_id: str,
    name: Annotated[str, Form(max_length=80)] = "",
    version: Version = -1,
    person: Person = Depends(_DECIDES),
) -> Response:
    """Make the films from this one on a jacket of their own."""

    def part(site: Site) -> str:
        done = split_jacket(
            site.services, film_id, user=person.name, name=name, version=version
        )  # fmt: skip
        return f"{done.words} U takes it back."

    return _put_right(request, film_id, person, part)


@router.get("/films/{film_id}/adjust")
def adjusting(request: Request, film_id: str, person: Person = Depends(_DECIDES)) -> Response:
    """Show a film's scan with its corners, to be set by hand."""
    site = site_of(request)
    with site.services.ledger.reading() as view:
        sheet = view.get(Sheet, film_id)
        scan, jacket = view.get(Scan, sheet.scan_id), view.get(Jacket, sheet.jacket_id)
    geometry = adjustable(sheet, person.name)
    now, seconds = site.services.clock.now(), site.settings.console.lease_s
    lease = site.leases.take(film_id, person.name, now, seconds)
    if lease.holder != person.name:
        return page(request, "review_taken.html", person, 409, holder=lease.holder, film=film_id)
    note_seen(site, person, film_id, "adjust")
    original = site.pictures.original(scan, sheet.page)
    shown = site.pictures.film(sheet).window
    told = {
        "corners": [list(point) for point in film.as_scanned(geometry)],
        "turn": geometry.turn_deg or 0,
        "mirrored": bool(geometry.mirrored),
        "rows": int(original.pixels.shape[0]),
        "columns": int(original.pixels.shape[1]),
        "bits": original.bits,
        "colour": original.pixels.ndim == 3,
        "window": [shown.center, shown.width] if shown else None,
        "own": sheet.window is None,
        # How high a pixel of the scan is against its breadth.
        "squeeze": sheet.quality.dpi.x / sheet.quality.dpi.y if sheet.quality.dpi else 1.0,
    }
    return page(
        request, "adjust.html", person,
        sheet=sheet, scan=scan, jacket=jacket, film=film_id, told=json.dumps(told),
        back=f"/review/{film_id}" if sheet.state is State.REVIEW else f"/films/{film_id}",
        view=site.opens(person.session.key, film_id), heartbeat_s=site.heartbeat_s,
    )  # fmt: skip


@router.post("/films/{film_id}/adjust")
def set_by_hand(
    request: Request,
    film_id: str,
    corners: Annotated[str, Form(max_length=_MOST_POINTS)] = "",
    turn: Annotated[int, Form()] = 0,
    mirrored: Annotated[bool, Form()] = False,
    center: Annotated[float | None, Form(ge=-1e6, le=1e6)] = None,
    width: Annotated[float | None, Form(ge=0, le=1e6)] = None,
    own_window: Annotated[bool, Form()] = False,
    reason: Annotated[str, Form(max_length=500)] = "",
    version: Version = -1,
    person: Person = Depends(_DECIDES),
) -> Response:
    """Set corners, turn, mirror and window; the film goes on from that step."""
    site = site_of(request)
    _mine(site, film_id, person)
    chosen = None if center is None or width is None or own_window else Window(center, width)
    wanted = Adjustment(
        corners=points(corners),
        turn_deg=turn,
        mirrored=mirrored,
        window=chosen,
        own_window=own_window,
    )
    done = adjust(
        site.services, film_id, wanted, user=person.name, reason_text=reason, version=version
    )
    if done.state is State.REVIEW:
        say(request, person, "Set as you said. The capture will be rendered so from the scan.")
        return back_to(request, f"/review/{film_id}")
    site.leases.give_back(film_id, person.name)
    if done.state is State.PREPARED:
        say(request, person, "Set as you said. It is read again, and is decided anew then.")
        return back_to(request, f"/films/{film_id}")
    say(request, person, "Set as you said. The capture will be rendered so from the scan.")
    return back_to(request, f"/films/{film_id}")


def points(text: str) -> tuple[tuple[float, float], ...] | None:
    """Return the corners that ``x,y x,y x,y x,y`` tells; None for an empty text.

    Raises
    ------
    UsageError
        It tells no points.
    """
    if not text.strip():
        return None
    try:
        pairs = [part.split(",") for part in text.split()]
        return tuple((float(x), float(y)) for x, y in pairs)
    except ValueError:
        raise UsageError("These are no corners.", remedy="Give four of them, as x,y.") from None
