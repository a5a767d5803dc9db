"""What every page is given: the ports, the settings, and where the console is to be found."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from urllib.parse import urlsplit

from starlette.requests import Request

from digitizer import wiring
from digitizer.config import Loaded, Settings
from digitizer.console.jobs import Jobs
from digitizer.console.oidc import Oidc
from digitizer.console.pictures import Pictures
from digitizer.pipeline.services import Services
from digitizer.ports import Overview, ReviewLeases, Sessions

__all__ = ["Site", "site_of"]

_OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(slots=True, kw_only=True)
class Site:
    """One console on one data folder."""

    loaded: Loaded
    services: Services
    overview: Overview
    leases: ReviewLeases
    sessions: Sessions
    said: dict[str, str] = field(default_factory=dict)
    """What a session is told on its next page, by session key."""
    undo: dict[str, str] = field(default_factory=dict)
    """What a session decided last, as its address under /review, by session key."""
    passed: dict[str, list[str]] = field(default_factory=dict)
    """Films that a session went past, the first one first, by session key."""
    apart: dict[str, set[str]] = field(default_factory=dict)
    """Jackets of which a session has looked at the silent films together, by session key."""
    followed: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """Jacket and films that a session filed together last, by session key."""
    seen: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When a session was last recorded to see a film or scan, by session key and id."""
    shown: dict[tuple[str, str], int] = field(default_factory=dict)
    """The number of the page on which a session has a film, by session key and film."""
    pages: Iterator[int] = field(default_factory=lambda: count(1))
    verified: tuple[datetime, tuple[int, ...]] | None = None
    """How many films were verified in each full hour of the last week, counted in this hour."""
    oidc: Oidc = field(init=False)
    jobs: Jobs = field(default_factory=Jobs)
    pictures: Pictures = field(init=False)
    ahead: ThreadPoolExecutor = field(init=False)
    """What is done before anybody asks, for speed alone."""
    fetching: dict[str, "Future[None]"] = field(default_factory=dict)
    """The film that is fetched ahead for a session, by its key: one at a time."""

    def __post_init__(self) -> None:
        """Begin with no picture."""
        self.pictures = Pictures(self.services)
        self.oidc = Oidc(self.settings.oidc)
        self.ahead = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")

    def close(self) -> None:
        """Let nothing run on when the ledger closes: what was begun ends, what waits is dropped."""
        self.ahead.shutdown(cancel_futures=True)

    def opens(self, session: str, film_id: str) -> int:
        """Give the page on which a session takes a film a number: the last one has the last word.

        A page that is left says so on its way out, at times after the next one has the film.
        """
        number = self.shown[session, film_id] = next(self.pages)
        return number

    def leaves(self, session: str, film_id: str, number: int | None) -> bool:
        """Tell whether a page that is left was the last one on which its session had the film."""
        last = number is None or self.shown.get((session, film_id), number) == number
        if last:
            self.shown.pop((session, film_id), None)
        return last

    @classmethod
    def of(cls, loaded: Loaded) -> "Site":
        """Open everything that settings name."""
        settings = loaded.settings
        return cls(
            loaded=loaded,
            services=wiring.services(settings),
            overview=wiring.overview(settings),
            leases=wiring.leases(settings),
            sessions=wiring.sessions(settings),
        )

    @property
    def settings(self) -> Settings:
        """The effective settings."""
        return self.loaded.settings

    @property
    def root_path(self) -> str:
        """Path under which the console lies; empty at the root."""
        return urlsplit(self.settings.console.public_url).path.rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether browsers reach the console by TLS."""
        console = self.settings.console
        return console.public_url.startswith("https:") or console.tls_certificate is not None

    @property
    def hosts(self) -> list[str]:
        """Names under which the console answers; all others may be somebody's trick on DNS."""
        named = urlsplit(self.settings.console.public_url).hostname
        return [*_OWN_NAMES, *([named] if named else [])]

    def origins(self, request: Request) -> frozenset[str]:
        """Return the origins from which forms of ours come."""
        scheme = "https" if self.secure else "http"
        own = {f"{scheme}://{request.headers.get('host', '')}"}
        url = urlsplit(self.settings.console.public_url)
        if url.netloc:
            own.add(f"{url.scheme}://{url.netloc}")
        return frozenset(own)

    @property
    def heartbeat_s(self) -> int:
        """Seconds after which a page says again that somebody looks at what it shows."""
        return max(1, int(self.settings.console.lease_s / 3))

    def at(self, path: str) -> str:
        """Return the path of a page as browsers must ask for it."""
        return f"{self.root_path}{path}"


def site_of(request: Request) -> Site:
    """Return the site of a request."""
    site: Site = request.app.state.site
    return site
