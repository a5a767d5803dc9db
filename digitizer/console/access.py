"""Who asks, and may they: sessions, permissions, and proof that a form is ours.

What this never does: believe a cookie alone when something is to be changed. A request that changes
something must come from one of our own pages (Origin, or Sec-Fetch-Site) and bring the token of its
session along.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from secrets import compare_digest

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from digitizer.console.site import Site, site_of
from digitizer.model.users import Permission, Session, User
from digitizer.pipeline.accounts import TOKEN_LIFE, session_key

__all__ = [
    "Forbidden",
    "ForeignForm",
    "Needs",
    "PasswordDue",
    "Person",
    "SignInNeeded",
    "address_of",
    "cookie_name",
    "drop_cookie",
    "guard",
    "set_cookie",
]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SEEN_EVERY = timedelta(minutes=1)


class SignInNeeded(Exception):
    """Nobody is signed in, or not any more."""


class PasswordDue(Exception):
    """The first password must be replaced before anything else."""


class Forbidden(Exception):
    """The roles of whoever asks do not allow it."""


class ForeignForm(Exception):
    """A change was asked for by something that is no page of ours."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    user: User
    session: Session

    @property
    def name(self) -> str:
        """The name that decisions are signed with."""
        return self.user.name

    def may(self, permission: str) -> bool:
        """Tell whether one of the roles allows it."""
        return self.user.may(Permission(permission))


def address_of(request: Request) -> str:
    """Return the address of who asks.

    What a configured proxy says of it is believed (the last address of X-Forwarded-For that is no
    proxy's own), and what anybody else says is not.
    """
    peer = request.client.host if request.client else ""
    proxies = site_of(request).settings.console.proxies
    if peer not in proxies:
        return peer
    told = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    for one in reversed([part.strip() for part in told]):
        try:
            address = str(ip_address(one))
        except ValueError:
            break
        if address not in proxies:
            return address
    return peer


class Needs:
    """A dependency: the signed-in person, who has the permission.

    Parameters
    ----------
    permission : Permission or None
        None: everybody who is signed in.
    while_due : bool
        Also while the first password is still to be replaced.
    """

    def __init__(self, permission: Permission | None, *, while_due: bool = False) -> None:
        self.permission = permission
        self._while_due = while_due

    def __call__(self, request: Request) -> Person:
        """Return who asks; raises what :mod:`digitizer.console.answers` turns into pages."""
        person = person_of(request)
        if person is None:
            raise SignInNeeded
        if person.user.must_change and not self._while_due:
            raise PasswordDue
        if self.permission is not None and not person.user.may(self.permission):
            raise Forbidden
        return person


def person_of(request: Request) -> Person | None:
    """Return the person whose session the cookie names, if it is still good."""
    site = site_of(request)
    if _is_program(request):
        return _program(request)
    token = request.cookies.get(cookie_name(site))
    if not token:
        return None
    session = site.sessions.find(session_key(token))
    if session is None or not session.csrf:
        return None
    now = site.services.clock.now()
    console = site.settings.console
    idle = now - session.seen_at > timedelta(minutes=console.idle_minutes)
    if idle or now - session.created_at > timedelta(hours=console.session_hours):
        site.sessions.close(session.key)
        return None
    with site.services.ledger.reading() as view:
        user = view.get(User, session.user)
    if user.disabled:
        return None
    if now - session.seen_at > _SEEN_EVERY and not _by_itself(request):
        site.sessions.seen(session.key, now)
    return Person(user, session)


def _by_itself(request: Request) -> bool:
    """Tell whether a page asks without anybody doing anything; that keeps no session alive."""
    path = request.url.path.removeprefix(site_of(request).root_path)
    return "x-by-itself" in request.headers or path.startswith("/live/")


def _is_program(request: Request) -> bool:
    """Tell whether a program asks, by a token of its own; those are good for the API alone."""
    path = request.url.path.removeprefix(site_of(request).root_path)
    return path.startswith("/api/") and "authorization" in request.headers


def _program(request: Request) -> Person | None:
    site = site_of(request)
    scheme, _, token = request.headers["authorization"].partition(" ")
    session = site.sessions.find(session_key(token)) if scheme.lower() == "bearer" else None
    # A browser's session is no token: its cookie would do without the proof that a form is ours.
    if session is None or session.csrf:
        return None
    if site.services.clock.now() - session.created_at > TOKEN_LIFE:
        site.sessions.close(session.key)
        return None
    with site.services.ledger.reading() as view:
        user = view.get(User, session.user)
    return None if user.disabled else Person(user, session)


async def guard(request: Request) -> None:
    """Refuse a change that no page of ours asked for."""
    if request.method in _SAFE or _is_program(request):
        # A program's token is sent by nobody else's page.
        return
    site = site_of(request)
    origin = request.headers.get("origin")
    from_us = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    if not from_us or (origin is not None and origin not in site.origins(request)):
        raise ForeignForm
    token = request.cookies.get(cookie_name(site))
    # A look into the ledger may wait; it must not hold up everybody else.
    session = await run_in_threadpool(site.sessions.find, session_key(token)) if token else None
    if session is None:
        return
    brought = request.headers.get("x-csrf-token")
    if brought is None:
        form = await request.form()
        brought = str(form.get("csrf", ""))
    if not compare_digest(brought.encode(), session.csrf.encode()):
        raise ForeignForm


def cookie_name(site: Site) -> str:
    """Return the name of the session's cookie; __Host- binds it to this host and to TLS."""
    return "__Host-digitizer" if site.secure and not site.root_path else "digitizer"


def set_cookie(site: Site, response: Response, token: str) -> None:
    """Give the browser its session; it ends with the browser, or earlier (see the settings)."""
    response.set_cookie(
        cookie_name(site),
        token,
        path=site.root_path or "/",
        secure=site.secure,
        httponly=True,
        samesite="strict",
    )


def drop_cookie(site: Site, response: Response) -> None:
    """Take the session from the browser."""
    response.delete_cookie(
        cookie_name(site),
        path=site.root_path or "/",
        secure=site.secure,
        httponly=True,
        samesite="strict",
    )
