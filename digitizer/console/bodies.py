"""How much may be sent here: little, save by those who are signed in and feed films.

What this never does: read on after more has come than is taken, or let somebody who is not signed
in fill memory or disk. It stands before the routes, since these read a whole body before they ask
who sends it.
"""

import re

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitizer.console.access import person_of
from digitizer.console.answers import refused, too_large
from digitizer.console.site import site_of
from digitizer.model.users import Permission

__all__ = ["MOST", "MOST_FILE", "BodyLimit"]

MOST = 1 << 20
"""Bytes of a body: forms and JSON are far smaller."""
MOST_FILE = 4 << 30
"""Bytes of a scan with its form: a TIFF file cannot be larger."""
_FILES = re.compile(r"/feed/[^/]+/files")


class BodyLimit:
    """Middleware that refuses bodies that are too large, by what is declared and by what comes.

    Parameters
    ----------
    app : ASGIApp
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a receiver that counts; refuse at once what is foreseeable."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        is_file = _FILES.fullmatch(scope["path"].removeprefix(site_of(request).root_path))
        most = MOST_FILE if is_file else MOST
        refusal: Response | None = None
        if is_file and request.method == "POST":
            refusal = await run_in_threadpool(_may_feed, request)
        if refusal is None and _declared(request) > most:
            refusal = await run_in_threadpool(too_large, request)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _counted(receive, most), send)


def _may_feed(request: Request) -> Response | None:
    """Return the refusal of a file that is to be taken from nobody or not from this person."""
    person = person_of(request)
    if person is None:
        return refused(request, 401)
    return None if person.user.may(Permission.FEED) else refused(request, 403)


def _declared(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def _counted(receive: Receive, most: int) -> Receive:
    """Return a receiver that raises once more than ``most`` bytes have come."""
    come = 0

    async def counted() -> Message:
        nonlocal come
        message = await receive()
        come += len(message.get("body", b""))
        if come > most:
            raise HTTPException(413)
        return message

    return counted
