"""Settings as they are in force, the checks of the site, and who works here."""

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from digitizer import config
from digitizer.console.access import Needs, Person
from digitizer.console.pages import back_to, fragment, page, say
from digitizer.console.site import site_of
from digitizer.errors import UsageError
from digitizer.model.users import ROLES, Permission, Role
from digitizer.pipeline import accounts
from digitizer.service.doctor import run_checks

__all__ = ["router"]

router = APIRouter()
_SEES = Needs(Permission.SEE_SETTINGS)
_MANAGES = Needs(Permission.MANAGE_USERS)


@cache
def _described() -> list[tuple[str, str, str, str]]:
    """Return what the settings mean; it is read from the source, once."""
    return config.describe()


@router.get("/settings")
def settings(request: Request, person: Person = Depends(_SEES)) -> Response:
    """Show every setting with its value and where it came from."""
    site = site_of(request)
    values = config.effective(site.settings)
    rows = [
        (key, values[key], site.loaded.origins[key], words)
        for key, _variable, _default, words in _described()
    ]
    return page(request, "settings.html", person, rows=rows)


@router.post("/settings/checks")
def checks(request: Request, person: Person = Depends(_SEES)) -> Response:
    """Look at programs, folders, ports and the archive now."""
    found = run_checks(site_of(request).settings)
    return HTMLResponse(fragment(request, "settings_checks.html", person, checks=found))


@router.get("/users")
def users(request: Request, person: Person = Depends(_MANAGES)) -> Response:
    """Show who has an account."""
    with site_of(request).services.ledger.reading() as view:
        found = view.users()
    return page(request, "users.html", person, users=found, roles=ROLES)


def _roles(names: list[str] | None) -> list[Role]:
    try:
        return [Role(one) for one in names or ()]
    except ValueError:
        raise UsageError("There is no such role.") from None


@router.post("/users")
def add(
    request: Request,
    name: Annotated[str, Form(max_length=100)] = "",
    roles: Annotated[list[str] | None, Form()] = None,
    person: Person = Depends(_MANAGES),
) -> Response:
    """Make an account; its first password is shown once, to be handed over."""
    site = site_of(request)
    password = accounts.new_password()
    accounts.add_user(site.services, name.strip(), _roles(roles), password=password, by=person.name)
    say(request, person, f"First password of {name.strip()}, shown only now: {password}")
    return back_to(request, "/users")


@router.post("/users/{name}")
def change(
    request: Request,
    name: str,
    what: Annotated[str, Form(max_length=20)] = "",
    roles: Annotated[list[str] | None, Form()] = None,
    person: Person = Depends(_MANAGES),
) -> Response:
    """Give other roles or a new first password, close or reopen an account."""
    site = site_of(request)
    if name.casefold() == person.name.casefold() and what in ("close", "roles"):
        raise UsageError("This is your own account.", remedy="Let another admin change it.")
    password = accounts.new_password() if what == "password" else None
    if what not in ("roles", "password", "close", "reopen"):
        raise UsageError("That cannot be done with an account.")
    accounts.change_user(
        site.services,
        site.sessions,
        name,
        by=person.name,
        roles=_roles(roles) if what == "roles" else None,
        disabled={"close": True, "reopen": False}.get(what),
        password=password,
    )
    words = f"{name} is changed."
    if password is not None:
        words = f"New first password of {name}, shown only now: {password}"
    say(request, person, words)
    return back_to(request, "/users")
