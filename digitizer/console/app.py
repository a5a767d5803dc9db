"""The application: routes, static files, headers, answers to errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from digitizer import __version__
from digitizer.console import (
    amending,
    api,
    api_films,
    api_lead,
    blind,
    deciding,
    equipment,
    feed,
    film,
    film_pictures,
    health,
    library,
    live,
    migration,
    older,
    orders,
    printing,
    reports,
    review,
    settings_page,
    sign_on,
    signing,
    silent,
    work,
)
from digitizer.console.access import guard
from digitizer.console.answers import answer_errors
from digitizer.console.bodies import BodyLimit
from digitizer.console.headers import SafeHeaders, UnderPath
from digitizer.console.pages import FOLDER
from digitizer.console.site import Site
from digitizer.errors import SettingsError

__all__ = ["make_app"]


class _Static(StaticFiles):
    """Our own files: kept by browsers, and asked after each time whether they have changed."""

    def file_response(self, *given: Any, **named: Any) -> Response:
        response = super().file_response(*given, **named)
        response.headers["cache-control"] = "no-cache"
        return response


def make_app(site: Site) -> FastAPI:
    """Return the console of a site as an ASGI application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            site.close()

    app = FastAPI(
        lifespan=lifespan,
        title="digitizer",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(guard)],
    )
    app.state.site = site
    for one in (
        health,
        signing,
        sign_on,
        migration,
        older,
        orders,
        equipment,
        reports,
        work,
        live,
        silent,
        review,
        deciding,
        amending,
        film_pictures,
        film,
        library,
        printing,
        feed,
        blind,
        api,
        api_films,
        api_lead,
        settings_page,
    ):
        app.include_router(one.router)
    _refuse_own_path(app, site.root_path)
    app.mount("/static", _Static(directory=FOLDER / "static"), name="static")
    answer_errors(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=site.hosts, www_redirect=False)
    app.add_middleware(UnderPath, root_path=site.root_path)
    app.add_middleware(SafeHeaders, secure=site.secure)
    return app


def _refuse_own_path(app: FastAPI, root_path: str) -> None:
    """Refuse to lie under a path that begins as a page does: whose address is meant is not clear.

    Raises
    ------
    SettingsError
        It does.
    """
    own = {one.path.split("/")[1] for one in iter_route_contexts(app.routes) if one.path}
    if root_path and root_path.split("/")[1] in {*own, "static"} - {""}:
        raise SettingsError(
            f"console.public_url cannot lie under {root_path}: pages of the console begin so.",
            remedy="Choose another path, such as /digitizer.",
        )
