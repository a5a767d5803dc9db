"""Templates to pages: what every page is given, and how values are written for people."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from digitizer import __version__
from digitizer.console.access import Person
from digitizer.console.site import site_of
from digitizer.model.reasons import CODES, Code

__all__ = ["FOLDER", "back_to", "fragment", "page", "say"]

FOLDER = Path(__file__).parent


def _ago(at: datetime | None, now: datetime) -> str:
    """Return an age in one unit, as people say it."""
    if at is None:
        return ""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _local(at: datetime | str | None) -> str:
    """Return a moment (or its ISO text) in the local time of the server, as pages write it."""
    if not at:
        return ""
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _words_of(code: str) -> str:
    """Return a clerk's words for a code."""
    known = {one.value: one for one in Code}
    return CODES[known[code]].text if code in known else code


def _remedy_of(code: str) -> str:
    known = {one.value: one for one in Code}
    return CODES[known[code]].remedy if code in known else ""


def _odds(posterior: float) -> str:
    """Return a probability as a percentage that never claims to be certain."""
    percent = 100 * posterior
    if percent > 99.99:
        return "> 99.99 %"
    return "< 0.01 %" if percent < 0.01 else f"{percent:.2f} %"


_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(
    ago=_ago,
    local=_local,
    odds=_odds,
    words_of=_words_of,
    remedy_of=_remedy_of,
    thousands=lambda number: f"{number:,}".replace(",", "\u202f"),
)
_templates.globals.update(
    version=__version__,
    # Built by scripts/setup; without it films are pictures rendered by the server.
    has_viewer=(FOLDER / "static" / "viewer" / "viewer.js").is_file(),
)


def fragment(request: Request, template: str, person: Person, /, **values: Any) -> str:
    """Return one template as text."""
    site = site_of(request)
    return _templates.get_template(template).render(
        at=site.at,
        now=datetime.now(UTC),
        person=person,
        csrf=person.session.csrf,
        **values,
    )


def page(
    request: Request,
    template: str,
    person: Person | None = None,
    answer: int = 200,
    /,
    **values: Any,
) -> Response:
    """Return one template as a page; what was to be said to this session is said on it."""
    site = site_of(request)
    said = site.said.pop(person.session.key, "") if person else ""
    text = _templates.get_template(template).render(
        at=site.at,
        now=datetime.now(UTC),
        person=person,
        csrf=person.session.csrf if person else "",
        said=said,
        here=request.url.path,
        **values,
    )
    return HTMLResponse(text, status_code=answer)


def say(request: Request, person: Person, words: str) -> None:
    """Tell this session something on its next page."""
    site_of(request).said[person.session.key] = words


def back_to(request: Request, path: str) -> Response:
    """Send the browser to another page after something was done."""
    target = site_of(request).at(path)
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)
