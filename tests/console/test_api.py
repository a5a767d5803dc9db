"""The API for programs: tokens, and what it answers."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from console_films import fill_review
from console_site import Browser, Console
from waiting import wait_until

from digitizer.model.users import Role
from digitizer.pipeline import accounts

CHOICE = {"patient": "MERCY:A100200", "accession_number": "X84-100", "version": 0}


@pytest.fixture
def films(console: Console, tmp_path: Path) -> list[str]:
    return fill_review(console, tmp_path)


def program(console: Console, name: str, *roles: Role) -> Any:
    """Return a client that brings a token along, and no cookie."""
    console.add(name, *roles)
    token = accounts.new_token(console.site.services, console.site.sessions, name, by="test")
    client = console.stranger().client
    client.headers["authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def everything(console: Console) -> Any:
    return program(console, "robot", *Role)


def test_a_token_is_good_for_the_api_alone_and_not_for_ever(
    console: Console, everything: Any
) -> None:
    """Pages want a person; after a year, or with the account, it ends."""
    assert everything.get("/api/v1/status").status_code == 200
    page = everything.get("/migration", follow_redirects=False)
    assert page.headers["location"].startswith("/sign-in")
    token = everything.headers["authorization"].split()[1]
    thief = console.stranger()
    thief.client.cookies.set("digitizer", token)
    assert thief.get("/migration").status_code == 303
    assert "token_made" in console.events("user:robot")
    console.clock.forward(timedelta(days=364).total_seconds())
    assert everything.get("/api/v1/status").status_code == 200
    console.clock.forward(timedelta(days=2).total_seconds())
    assert everything.get("/api/v1/status").status_code == 401


def test_a_browsers_session_is_no_token(console: Console, lea: Browser) -> None:
    """Else a stolen cookie would do without the proof that a form is ours."""
    client = console.stranger().client
    token = lea.client.cookies["digitizer"]
    headers = {"authorization": f"Bearer {token}"}
    assert client.get("/api/v1/status", headers=headers).status_code == 401
    assert lea.client.post("/api/v1/retries", json={"state": "waiting"}).status_code == 403


def test_closing_the_account_ends_its_tokens(console: Console, everything: Any) -> None:
    """At once."""
    site = console.site
    accounts.change_user(site.services, site.sessions, "robot", by="boss", disabled=True)
    assert everything.get("/api/v1/status").status_code == 401


def test_what_stands_where(everything: Any, films: list[str]) -> None:
    """Counts, and lists page by page."""
    assert everything.get("/api/v1/status").json()["states"]["review"]["count"] == 3
    batches = everything.get("/api/v1/batches").json()
    assert batches == [{"batch": "monday", "counts": {"review": 3}}]
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        query = {"state": "review", "limit": 2, "after": after}
        answer = everything.get("/api/v1/work", params=query).json()
        seen += [one["id"] for one in answer["items"]]
        after = answer["next"]
    assert sorted(seen) == films
    assert everything.get("/api/v1/batches/monday").json()["counts"]["films"] == {"review": 3}


def test_a_film_is_shown_and_decided(console: Console, everything: Any, films: list[str]) -> None:
    """With the version that was shown; once; and not while a person looks at it."""
    shown = everything.get(f"/api/v1/films/{films[0]}").json()
    assert shown["candidates"][0]["patient"] == "MERCY:A100200"
    stale = everything.post(f"/api/v1/films/{films[0]}/decision", json=CHOICE | {"version": 9})
    assert (stale.status_code, stale.json()["title"]) == (
        409,
        "Somebody else changed this first.",
    )
    console.add("ann", Role.REVIEWER)
    ann = console.sign_in("ann")
    ann.get(f"/review/{films[0]}")
    taken = everything.post(f"/api/v1/films/{films[0]}/decision", json=CHOICE)
    assert taken.json()["title"] == "This film is with ann."
    ann.post(f"/review/{films[0]}/leave")
    choice = CHOICE | {"version": shown["version"]}
    done = everything.post(f"/api/v1/films/{films[0]}/decision", json=choice)
    assert done.json()["state"] == "approved"
    assert everything.get(f"/api/v1/films/{films[0]}").json()["decided_by"] == "robot"
    assert everything.post(f"/api/v1/films/{films[0]}/decision", json=choice).status_code == 409


def test_longer_work_is_begun_and_looked_at(everything: Any, films: list[str]) -> None:
    """202, and an address that tells how far it is."""
    begun = everything.post("/api/v1/retries", json={"state": "review"})
    assert begun.status_code == 202
    address = begun.headers["location"]
    wait_until(lambda: everything.get(address).json()["ended"], 30)
    assert everything.get(address).json() | {"problem": None} == {
        "total": 3,
        "seen": 3,
        "started": 3,
        "ended": True,
        "problem": None,
    }
    assert everything.post("/api/v1/retries", json={"state": "verified"}).status_code == 409


def test_errors_are_problems(everything: Any, films: list[str]) -> None:
    """RFC 9457, with a sentence."""
    for path, status in (("/api/v1/films/none", 404), ("/api/v1/none", 404)):
        answer = everything.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title"].endswith(".")
    malformed = everything.get("/api/v1/work?state=nonsense")
    assert malformed.status_code == 422
    assert malformed.json()["title"] == "Something is missing or malformed: state."


def test_the_description_names_every_address(everything: Any) -> None:
    """OpenAPI, for generators of clients."""
    described = everything.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.")
    assert "/api/v1/films/{film_id}/decision" in described["paths"]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
