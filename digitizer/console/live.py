"""What is live: a browser is told that the ledger has changed, and reads again what it shows.

Nothing of the state goes over the stream, so a lost message, a sleep or a restart cannot leave a
bar stuck: on every connection the page reads all it shows anew.
"""

import time
from collections.abc import AsyncIterator

import anyio
from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from digitizer.console.access import Needs, Person
from digitizer.console.site import Site, site_of
from digitizer.model.users import Permission

__all__ = ["router"]

router = APIRouter()
_LOOK_S = 1.0
_ALIVE_S = 15.0
_LONGEST_S = 300.0
"""A stream ends after this; the browser comes back, and whether it still may is asked again."""


@router.get("/live/ledger")
async def ledger(
    request: Request, _person: Person = Depends(Needs(Permission.SEE_WORK))
) -> Response:
    """Tell of changes as server-sent events, at most one a second."""
    return StreamingResponse(
        _changes(request, site_of(request)),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _changes(request: Request, site: Site) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    began = told = time.monotonic()
    last: str | None = None
    while time.monotonic() - began < _LONGEST_S and not await request.is_disconnected():
        newest = await run_in_threadpool(site.overview.last_change)
        if newest != last:
            last = newest
            told = time.monotonic()
            yield "event: changed\ndata: \n\n"
        elif time.monotonic() - told > _ALIVE_S:
            told = time.monotonic()
            yield ": alive\n\n"
        await anyio.sleep(_LOOK_S)
