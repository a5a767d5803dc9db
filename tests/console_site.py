"""A console and its browsers, for tests: the real application on a real ledger."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from hand_clock import HandClock
from ledger_records import batch, happened, jacket, scan
from starlette.testclient import TestClient

from digitizer.console import Site, make_app
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Event
from digitizer.model.states import State
from digitizer.model.users import Role, User
from digitizer.pipeline import accounts

FIRST, OWN = "a first passphrase", "one of my very own"


@cache
def own_hash() -> str:
    return PasswordHasher().hash(OWN)


@dataclass
class Browser:
    """One signed-in browser."""

    client: TestClient
    csrf: str = ""

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, follow_redirects=False, **more)

    def post(self, path: str, **form: Any) -> Any:
        data = {"csrf": self.csrf, **form}
        return self.client.post(path, data=data, follow_redirects=False)


@dataclass
class Console:
    """A site with its application, and a clock that is set by hand."""

    site: Site
    clock: HandClock

    def __post_init__(self) -> None:
        self.app = make_app(self.site)

    def stranger(self) -> Browser:
        return Browser(TestClient(self.app, base_url="http://127.0.0.1", client=("10.0.0.1", 1)))

    def add(self, name: str, *roles: Role) -> None:
        """Make an account that has replaced its first password (hashing one takes its time)."""
        user = User(
            name=name,
            roles=roles,
            password_hash=own_hash(),
            created_at=self.clock.now(),
            must_change=False,
        )
        with self.site.services.ledger.transaction() as tx:
            tx.add(user, Event(subject=f"user:{name}", name="user_added", actor="test"))

    def sign_in(self, name: str) -> Browser:
        browser = self.stranger()
        done = browser.post("/sign-in", name=name, password=OWN)
        assert done.status_code == 303, done.text
        browser.csrf = self.session_of(browser).csrf
        return browser

    def session_of(self, browser: Browser) -> Any:
        found = self.site.sessions.find(accounts.session_key(browser.client.cookies["digitizer"]))
        assert found is not None
        return found

    def events(self, subject: str) -> list[str]:
        with self.site.services.ledger.reading() as view:
            return [one.name for one in view.events(subject)]


def fill(console: Console, **states: int) -> None:
    """Put so many scans into each state, each a second younger than the one before."""
    with console.site.services.ledger.transaction() as tx:
        tx.add(batch(), happened("b1"))
        tx.add(jacket(box="BOX-1"), happened("j1"))
        number = 0
        for state, count in states.items():
            for _ in range(count):
                made = console.clock.now() - timedelta(seconds=1000 - number)
                tx.add(
                    scan(
                        f"{state}{number:04}",
                        source=f"{number:04}.tif",
                        position=number,
                        state=State(state),
                        resume=State.RECEIVED,
                        reasons=(reason(Code.TRUNCATED_FILE),) if state == "quarantined" else (),
                        changed_at=made,
                    ),
                    happened(f"{state}{number:04}"),
                )
                number += 1
