"""Signing in and out."""

import threading
from collections.abc import Callable

import pytest
from console_site import FIRST, OWN, Browser, Console
from starlette.requests import Request

from digitizer.console.access import address_of, person_of
from digitizer.errors import UsageError
from digitizer.model.users import Role
from digitizer.pipeline import accounts


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(console: Console) -> None:
    """HttpOnly, SameSite; and what the ledger keeps opens nothing."""
    console.add("ann", Role.REVIEWER)
    done = console.stranger().post("/sign-in", name="ann", password=OWN)
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    token = cookie.split("=")[1].split(";")[0]
    assert console.site.sessions.find(token) is None
    assert console.site.sessions.find(accounts.session_key(token)) is not None


def test_signing_in_again_gives_another_session_and_ends_the_first(
    console: Console, ann: Browser
) -> None:
    """A session that somebody planted is worth nothing."""
    before = ann.client.cookies["digitizer"]
    ann.post("/sign-in", name="ann", password=OWN)
    assert ann.client.cookies["digitizer"] != before
    assert console.site.sessions.find(accounts.session_key(before)) is None


def test_the_first_password_must_be_replaced(console: Console) -> None:
    """Nothing else is shown before; afterwards the old session is over."""
    accounts.add_user(console.site.services, "ann", [Role.REVIEWER], password=FIRST, by="test")
    browser = console.stranger()
    browser.post("/sign-in", name="ann", password=FIRST)
    browser.csrf = console.session_of(browser).csrf
    assert browser.get("/migration").headers["location"] == "/password"
    first = browser.client.cookies["digitizer"]
    for new, again in ((OWN, "mistyped phrase"), (FIRST, FIRST), ("short", "short")):
        refused = browser.post("/password", old=FIRST, new=new, repeated=again)
        assert refused.status_code == 409
    done = browser.post("/password", old=FIRST, new=OWN, repeated=OWN)
    assert done.status_code == 303
    assert console.site.sessions.find(accounts.session_key(first)) is None
    assert browser.get("/migration").status_code == 200
    assert "password_changed" in console.events("user:ann")


def test_names_and_wrong_passwords_are_refused_alike(console: Console) -> None:
    """Nobody learns who has an account."""
    console.add("ann", Role.REVIEWER)
    one = console.stranger().post("/sign-in", name="ann", password="wrong")
    other = console.stranger().post("/sign-in", name="nobody", password="wrong")
    assert (one.status_code, other.status_code) == (403, 403)
    assert one.text.replace("ann", "") == other.text.replace("nobody", "")


def test_a_name_cannot_be_tried_without_end(console: Console) -> None:
    """After five failures each one costs twice the time; the right password must wait as well."""
    console.add("ann", Role.REVIEWER)
    stranger = console.stranger()
    for _ in range(6):
        assert "do not fit" in stranger.post("/sign-in", name="ANN", password="x").text
    refused = stranger.post("/sign-in", name="ann", password=OWN)
    assert "Too many failed tries" in refused.text
    console.clock.forward(3)
    assert "do not fit" in stranger.post("/sign-in", name="ann", password="x").text
    console.clock.forward(3)
    assert "Too many failed tries" in stranger.post("/sign-in", name="ann", password=OWN).text
    console.clock.forward(2)
    assert stranger.post("/sign-in", name="ann", password=OWN).status_code == 303
    assert console.site.sessions.failures(accounts._throttle_key("name", "ann"))[0] == 0
    assert console.events("user:ann").count("sign_in_failed") == 7


def test_many_tries_at_once_are_as_many_failures(console: Console) -> None:
    """None passes while another is still being looked at."""
    console.add("ann", Role.REVIEWER)
    site = console.site
    answers: list[str] = []

    def guess() -> None:
        try:
            accounts.sign_in(
                site.services, site.sessions, name="ann", password="x", address="10.0.0.9"
            )
        except UsageError as error:
            answers.append(error.message)

    guesses = [threading.Thread(target=guess) for _ in range(12)]
    for one in guesses:
        one.start()
    for one in guesses:
        one.join()
    assert sorted(answers).count("Name and password do not fit.") == 6
    assert len(answers) == 12


def test_who_asks_is_told_by_our_own_proxy_alone(make_console: Callable[..., Console]) -> None:
    """Behind it each address counts for itself; what others write into the header is nothing."""
    console = make_console(
        CONSOLE__PUBLIC_URL="https://intranet.example", CONSOLE__PROXIES='["10.0.0.1", "10.0.0.2"]'
    )
    site = console.site

    def address(peer: str, *told: str) -> str:
        headers = [(b"x-forwarded-for", one.encode()) for one in told]
        scope = {
            "type": "http", "method": "GET", "path": "/", "app": console.app, "query_string": b"",
            "headers": headers, "client": (peer, 1),
        }  # fmt: skip
        return address_of(Request(scope))

    assert address("10.0.0.1", "172.16.0.5") == "172.16.0.5"
    assert address("10.0.0.1", "6.6.6.6, 172.16.0.5, 10.0.0.2") == "172.16.0.5"
    assert address("10.0.0.1", "6.6.6.6", "172.16.0.6") == "172.16.0.6"
    assert address("10.0.0.1", "6.6.6.6, nonsense") == "10.0.0.1"
    assert address("10.0.0.1") == "10.0.0.1"
    assert address("172.16.0.9", "6.6.6.6") == "172.16.0.9"
    # One address that guesses shuts out no other.
    guesser = accounts._throttle_key("address", "172.16.0.5")
    for _ in range(30):
        assert site.sessions.attempt([guesser], console.clock.now(), lambda *_: 0.0) is None
    client = console.stranger().client
    client.base_url = "https://intranet.example"
    headers = {"origin": "https://intranet.example", "x-forwarded-for": "172.16.0.5"}
    told = [
        client.post("/sign-in", data={"name": name, "password": "x"}, headers=headers).text
        for name in ("nobody", "somebody")
    ]
    assert "do not fit" in told[0]
    assert "Too many failed tries" in told[1]
    headers["x-forwarded-for"] = "172.16.0.6"
    form = {"name": "nobody", "password": "x"}
    assert "do not fit" in client.post("/sign-in", data=form, headers=headers).text
    assert site.sessions.failures(accounts._throttle_key("address", "10.0.0.1"))[0] == 0


def test_who_is_idle_must_sign_in_again(console: Console, ann: Browser) -> None:
    """Half an hour, and half a day in any case; what pages ask by themselves is no click."""
    for _ in range(3):
        console.clock.forward(20 * 60)
        assert ann.get("/migration").status_code == 200
    console.clock.forward(20 * 60)
    by_itself = ann.client.get("/migration/figures", headers={"x-by-itself": "1"})
    assert by_itself.status_code == 200
    console.clock.forward(11 * 60)
    assert ann.get("/migration").status_code == 303


def test_a_stream_that_comes_back_by_itself_is_no_click(console: Console, ann: Browser) -> None:
    """Pages that are live reconnect every few minutes: that keeps nobody signed in."""
    token = ann.client.cookies["digitizer"]
    stream = {
        "type": "http", "method": "GET", "path": "/live/ledger", "app": console.app,
        "query_string": b"", "headers": [(b"cookie", f"digitizer={token}".encode())],
    }  # fmt: skip
    for _ in range(2):
        console.clock.forward(14 * 60)
        assert person_of(Request(stream)) is not None
    console.clock.forward(3 * 60)
    assert ann.get("/migration").status_code == 303


def test_signing_out_ends_the_session(console: Console, ann: Browser) -> None:
    """The token is worth nothing any more."""
    token = ann.client.cookies["digitizer"]
    ann.post("/sign-out")
    assert console.site.sessions.find(accounts.session_key(token)) is None
    assert console.events("user:ann")[-2:] == ["signed_in", "signed_out"]


def test_a_closed_account_is_out_at_once(console: Console, ann: Browser) -> None:
    """Its sessions end with it."""
    site = console.site
    accounts.change_user(site.services, site.sessions, "ann", by="boss", disabled=True)
    assert ann.get("/migration").status_code == 303
    assert ann.post("/sign-in", name="ann", password=OWN).status_code == 403


def test_next_leads_to_no_other_site(console: Console) -> None:
    """Whatever a link says."""
    console.add("ann", Role.REVIEWER)
    for evil in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"):
        done = console.stranger().post("/sign-in", name="ann", password=OWN, next=evil)
        assert done.headers["location"] == "/"


def test_a_name_must_be_a_name(console: Console) -> None:
    """It signs decisions: not the machine's names, and no markup."""
    console.add("ann", Role.REVIEWER)
    for name in ("auto", "System", "<b>", "a b", "", "ANN", "x" * 65):
        with pytest.raises(UsageError):
            accounts.add_user(console.site.services, name, [Role.LEAD], password=FIRST, by="test")
