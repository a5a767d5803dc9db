"""Signing in and out, and replacing one's password."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from digitizer.console.access import Needs, Person, address_of, drop_cookie, person_of, set_cookie
from digitizer.console.pages import back_to, page, say
from digitizer.console.site import Site, site_of
from digitizer.errors import UsageError
from digitizer.model.users import Permission, Role, User
from digitizer.pipeline import accounts

__all__ = ["own_path", "router", "sign_in_again"]

router = APIRouter()

_FIRST_PAGES = (
    (Permission.DECIDE, "/review"),
    (Permission.MANAGE, "/migration"),
    (Permission.FEED, "/feed"),
    (Permission.SEE_WORK, "/migration"),
)


def first_page(user: User) -> str:
    """Return where somebody's work is."""
    return next((path for needed, path in _FIRST_PAGES if user.may(needed)), "/password")


@router.get("/")
def home(request: Request, person: Person = Depends(Needs(None))) -> Response:
    """Send everybody to their work."""
    return RedirectResponse(site_of(request).at(first_page(person.user)), 303)


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:
    """Ask for name and password."""
    person = person_of(request)
    if person is not None:
        return RedirectResponse(site_of(request).at(first_page(person.user)), 303)
    with site_of(request).services.ledger.reading() as view:
        nobody = not view.users()
    return sign_in_again(request, 200, next=next, nobody=nobody)


def sign_in_again(
    request: Request,
    status: int,
    *,
    next: str = "/",
    name: str = "",
    problem: str = "",
    nobody: bool = False,
) -> Response:
    """Return the page that asks who somebody is, with what was wrong the last time."""
    return page(
        request,
        "sign_in.html",
        None,
        status,
        next=own_path(next),
        name=name,
        problem=problem,
        nobody=nobody,
        oidc=bool(site_of(request).settings.oidc.issuer),
    )


def _only(site: Site) -> Role | None:
    """Return the one role whose passwords are still good, where the site wants it so."""
    oidc = site.settings.oidc
    return Role.ADMIN if oidc.issuer and oidc.passwords == "admins" else None


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Open a session; a session that the browser brought along ends."""
    site = site_of(request)
    try:
        signed = accounts.sign_in(
            site.services,
            site.sessions,
            name=name.strip(),
            password=password,
            address=address_of(request),
            only=_only(site),
        )
    except UsageError as error:
        return sign_in_again(request, 403, next=next, name=name, problem=str(error))
    before = person_of(request)
    if before is not None:
        site.sessions.close(before.session.key)
    answer = RedirectResponse(site.at(own_path(next)), 303)
    set_cookie(site, answer, signed.token)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, person: Person = Depends(Needs(None, while_due=True))) -> Response:
    """End the session."""
    site = site_of(request)
    accounts.sign_out(site.services, site.sessions, person.session)
    answer = RedirectResponse(site.at("/sign-in"), 303)
    drop_cookie(site, answer)
    return answer


@router.get("/password")
def password_page(
    request: Request, person: Person = Depends(Needs(None, while_due=True))
) -> Response:
    """Ask for a new password."""
    return page(request, "password.html", person, problem="", least=accounts.LEAST_PASSWORD)


@router.post("/password")
def password(
    request: Request,
    old: Annotated[str, Form(max_length=1024)] = "",
    new: Annotated[str, Form(max_length=1024)] = "",
    repeated: Annotated[str, Form(max_length=1024)] = "",
    person: Person = Depends(Needs(None, while_due=True)),
) -> Response:
    """Replace the password; other browsers are signed out, this one gets a new session."""
    site = site_of(request)
    try:
        accounts.change_password(
            site.services, site.sessions, person.name, old=old, new=new, repeated=repeated
        )
    except UsageError as error:
        return page(
            request,
            "password.html",
            person,
            409,
            problem=str(error),
            least=accounts.LEAST_PASSWORD,
        )
    signed = accounts.sign_in(
        site.services,
        site.sessions,
        name=person.name,
        password=new,
        address=address_of(request),
        only=_only(site),
    )
    say(request, Person(signed.user, signed.session), "Your password is changed.")
    answer = back_to(request, first_page(signed.user))
    set_cookie(site, answer, signed.token)
    return answer


def own_path(wanted: str) -> str:
    """Return a path of ours, whatever somebody put into the link."""
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if plain and "\n" not in wanted and "\r" not in wanted else "/"
