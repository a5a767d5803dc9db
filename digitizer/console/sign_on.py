"""Signing in by the hospital's own accounts: out to the provider, and back from it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digitizer.console.access import cookie_name, person_of, set_cookie
from digitizer.console.pages import page
from digitizer.console.signing import own_path, sign_in_again
from digitizer.console.site import Site, site_of
from digitizer.errors import MissingService, UnknownRecord, UsageError
from digitizer.pipeline.sign_on import admit

__all__ = ["router"]

router = APIRouter()
_SECONDS = 600
_MOST = 4096
"""Characters of one value that a browser may bring back."""


def _cookie(site: Site) -> str:
    """Return the name of the cookie that ties an answer to the browser that asked."""
    return f"{cookie_name(site)}-oidc"


def _redirect_uri(request: Request) -> str:
    """Return where the provider sends browsers back to; the host name was looked at before."""
    site = site_of(request)
    if site.settings.console.public_url:
        return f"{site.settings.console.public_url.rstrip('/')}/oidc/callback"
    scheme = "https" if site.secure else "http"
    return f"{scheme}://{request.headers.get('host', '')}/oidc/callback"


@router.get("/oidc/begin")
def begin(request: Request, next: Annotated[str, Query(max_length=2000)] = "/") -> Response:
    """Send the browser to the provider."""
    site = _site(request)
    now = site.services.clock.now()
    try:
        address, begun = site.oidc.begin(_redirect_uri(request), own_path(next), now)
    except (UsageError, MissingService) as error:
        return sign_in_again(request, 503, next=next, problem=str(error))
    answer = RedirectResponse(address, 303)
    # Lax: the provider's redirect brings it along; a strict one would stay behind.
    answer.set_cookie(
        _cookie(site),
        begun.browser,
        max_age=_SECONDS,
        path=site.root_path or "/",
        secure=site.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/oidc/callback")
def callback(request: Request) -> Response:
    """Take whom the provider vouches for."""
    site = _site(request)
    brought = {name: value[:_MOST] for name, value in request.query_params.items()}
    browser = request.cookies.get(_cookie(site), "")
    try:
        vouched, begun = site.oidc.finish(brought, browser, site.services.clock.now())
        signed = admit(site.services, site.sessions, vouched)
    except UsageError as error:
        return sign_in_again(request, 403, problem=str(error))
    except MissingService as error:
        return sign_in_again(request, 503, problem=str(error))
    before = person_of(request)
    if before is not None:
        site.sessions.close(before.session.key)
    # A page of ours that goes on by itself: the session's cookie is strict, and would not be sent
    # along a redirect that began elsewhere.
    answer = page(request, "signed_in.html", None, 200, target=site.at(begun.next))
    set_cookie(site, answer, signed.token)
    answer.delete_cookie(
        _cookie(site),
        path=site.root_path or "/",
        secure=site.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def _site(request: Request) -> Site:
    site = site_of(request)
    if not site.settings.oidc.issuer:
        raise UnknownRecord("There is no such page.")
    return site
