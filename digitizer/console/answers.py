"""Errors to answers: a page for people, problem+json (RFC 9457) for programs; never a traceback."""

import logging
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from digitizer.console.access import (
    Forbidden,
    ForeignForm,
    PasswordDue,
    SignInNeeded,
    person_of,
)
from digitizer.console.pages import page
from digitizer.console.site import site_of
from digitizer.errors import (
    BadWorld,
    DigitizerError,
    MissingService,
    StaleRecord,
    UnknownRecord,
)

__all__ = ["PROBLEMS", "answer_errors", "refused", "too_large"]

logger = logging.getLogger(__name__)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {"application/problem+json": {}}}
    for status, words in (
        (401, "Not signed in"),
        (403, "Not allowed"),
        (404, "No such thing"),
        (409, "Not possible now"),
        (422, "Malformed"),
    )
}
"""What OpenAPI says of the answers of the API that are none."""


def answer_errors(app: FastAPI) -> None:
    """Give the application an answer to every error."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(PasswordDue, _password)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(ForeignForm, _foreign)
    app.add_exception_handler(DigitizerError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


def _for_programs(request: Request) -> bool:
    path = request.url.path.removeprefix(site_of(request).root_path)
    return path.startswith("/api/")


def _answer(request: Request, status: int, title: str, remedy: str = "") -> Response:
    if _for_programs(request):
        problem = {"type": "about:blank", "title": title, "status": status}
        if remedy:
            problem["detail"] = remedy
        return JSONResponse(problem, status, media_type="application/problem+json")
    try:
        person = person_of(request)
    except DigitizerError:
        # The ledger itself may be what fails; the page is shown without a name then.
        person = None
    return page(request, "error.html", person, status, title=title, remedy=remedy, status=status)


def _sign_in(request: Request, _error: Exception) -> Response:
    if _for_programs(request) or request.method != "GET":
        return refused(request, 401)
    site = site_of(request)
    wanted = request.url.path.removeprefix(site.root_path)
    if request.url.query:
        wanted += f"?{request.url.query}"
    target = site.at(f"/sign-in?next={quote(wanted)}")
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": site.at("/sign-in")})
    return RedirectResponse(target, 303)


def _password(request: Request, _error: Exception) -> Response:
    if _for_programs(request):
        return _answer(request, 403, "Replace your first password first.")
    return RedirectResponse(site_of(request).at("/password"), 303)


def _forbidden(request: Request, _error: Exception) -> Response:
    return _answer(
        request, 403, "Your roles do not allow this.", "Ask whoever gives out the accounts here."
    )


def _foreign(request: Request, _error: Exception) -> Response:
    return _answer(
        request,
        403,
        "This form is out of date, or did not come from this page.",
        "Go back, load the page again, and repeat what you did.",
    )


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, DigitizerError), "registered for this class"
    status = 409
    if isinstance(error, UnknownRecord):
        status = 404
    elif isinstance(error, BadWorld | MissingService):
        status = 503
    elif isinstance(error, StaleRecord):
        return _answer(request, 409, "Somebody else changed this first.", "Look at it again.")
    return _answer(request, status, error.message, error.remedy)


def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for this class"
    names = ", ".join(sorted({str(one["loc"][-1]) for one in error.errors()}))
    return _answer(request, 422, f"Something is missing or malformed: {names}.")


def too_large(request: Request) -> Response:
    """Answer somebody who sends more than is taken here."""
    return _answer(
        request, 413, "This is larger than is taken here.", "Send one file or form at a time."
    )


def refused(request: Request, status: int) -> Response:
    """Answer somebody who is not signed in (401) or whose roles do not suffice (403)."""
    if status == 401:
        return _answer(request, 401, "You are not signed in.", "Sign in, then try again.")
    return _forbidden(request, Forbidden())


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for this class"
    if error.status_code == 413:
        return too_large(request)
    words = {404: "There is no such page.", 405: "That cannot be done here."}
    return _answer(request, error.status_code, words.get(error.status_code, str(error.detail)))


def _unforeseen(request: Request, error: Exception) -> Response:
    logger.error("request failed", exc_info=error, extra={"route": _route(request)})
    return _answer(
        request, 500, "Something went wrong here.", "Try again; if it stays, tell your support."
    )


def _route(request: Request) -> str:
    """Return the pattern of the path, which holds no id and no name."""
    return str(getattr(request.scope.get("route"), "path", "unknown"))
