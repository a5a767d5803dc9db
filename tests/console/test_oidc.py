"""Signing in by the hospital's own accounts: against a provider that runs, and lies if told to."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from console_site import OWN, Browser, Console
from joserfc.jwk import ECKey
from oidc_provider import CLIENT, SECRET, Provider, running_provider

from digitizer.cli import run_command
from digitizer.config import OidcSettings, load
from digitizer.errors import SettingsError
from digitizer.model.users import Role, User

EVA = {"preferred_username": "eva", "groups": ["film-leads", "surgery"]}


@pytest.fixture(scope="module")
def provider_process() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def provider(provider_process: Provider) -> Provider:
    """Return it as honest as it was."""
    fresh = Provider(issuer=provider_process.issuer, person=dict(EVA))
    provider_process.__dict__.update(fresh.__dict__)
    return provider_process


@pytest.fixture
def site(make_console: Callable[..., Console], provider: Provider) -> Console:
    return make_console(
        OIDC__ISSUER=provider.issuer,
        OIDC__CLIENT_ID=CLIENT,
        OIDC__CLIENT_SECRET=SECRET,
        OIDC__ROLES='{"film-leads": "lead", "film-desk": "records"}',
        OIDC__PASSWORDS="admins",
    )


def away(browser: Browser, next_path: str = "/work?state=review") -> str:
    """Begin, and go through the provider; return the address that it sends the browser back to."""
    begun = browser.get("/oidc/begin", params={"next": next_path})
    assert begun.status_code == 303, begun.text
    back = httpx2.get(begun.headers["location"], follow_redirects=False)
    return str(back.headers["location"])


def sign_in(browser: Browser) -> Any:
    return browser.get(away(browser))


def user(console: Console, name: str) -> User:
    with console.site.services.ledger.reading() as view:
        return view.get(User, name)


def test_a_person_signs_in_and_comes_where_they_wanted(site: Console, provider: Provider) -> None:
    """The account is made with the roles of its groups; no password opens it; the trail tells."""
    browser = site.stranger()
    assert "/oidc/begin" in browser.get("/sign-in").text
    done = sign_in(browser)
    assert done.status_code == 200
    assert 'content="0;url=/work?state=review"' in done.text
    assert browser.get("/work?state=review").status_code == 200
    eva = user(site, "eva")
    assert (eva.roles, eva.external) == ((Role.LEAD,), f"{provider.issuer}#4711")
    assert site.events("user:eva") == ["user_added", "signed_in"]
    for password in ("", OWN):
        assert site.stranger().post("/sign-in", name="eva", password=password).status_code == 403
    # Groups that the ID token does not tell are asked for; other groups, other roles.
    provider.person = {"preferred_username": "eva"}
    provider.more = {"groups": ["film-desk"]}
    assert sign_in(site.stranger()).status_code == 200
    assert user(site, "eva").roles == (Role.RECORDS,)
    assert browser.get("/work").headers["location"].startswith("/sign-in")
    provider.more = {"groups": []}
    assert "You have no role here." in sign_in(site.stranger()).text
    # A closed account stays closed, whatever the provider says.
    provider.person = dict(EVA)
    site.add("boss", Role.ADMIN)
    assert site.sign_in("boss").post("/users/eva", what="close").status_code == 303
    refused = sign_in(site.stranger())
    assert (refused.status_code, "This account is closed." in refused.text) == (403, True)


def test_a_name_opens_nobody_elses_account(site: Console, provider: Provider) -> None:
    """Until it is linked by hand; an administrator made here stays one, by password too."""
    site.add("boss", Role.ADMIN)
    site.add("rob", Role.REVIEWER)
    provider.person = {**EVA, "preferred_username": "Boss"}
    refused = sign_in(site.stranger())
    assert refused.status_code == 403
    assert "There is an account Boss already" in refused.text
    data = str(site.site.settings.data_dir)
    link = ["users", "link", "boss", "4711", "--issuer", provider.issuer, "--data-dir", data]
    assert run_command(link) == 0
    assert sign_in(site.stranger()).status_code == 200
    assert set(user(site, "boss").roles) == {Role.LEAD, Role.ADMIN}
    assert site.sign_in("boss").get("/users").status_code == 200
    # Passwords are for administrators alone here, when all else fails.
    assert site.stranger().post("/sign-in", name="rob", password=OWN).status_code == 403


LIES: tuple[dict[str, Any], ...] = (
    {"nonce": "another"},
    {"nonce": None},
    {"aud": "another client"},
    {"aud": [CLIENT, "another"]},
    {"azp": "another"},
    {"iss": "http://127.0.0.1:1"},
    {"exp": 1},
    {"exp": None},
    {"iat": 4102444800},
    {"sub": None},
)


def test_a_token_that_is_not_for_this_is_refused(site: Console, provider: Provider) -> None:
    """Another nonce, audience, party, issuer or time; another key, none, or the public one."""
    for lie in LIES:
        provider.lie = lie
        browser = site.stranger()
        assert sign_in(browser).status_code == 403, lie
        assert "digitizer" not in browser.client.cookies, lie
    provider.lie = {}
    # A key that the provider has changed is fetched.
    own = provider.key
    assert sign_in(site.stranger()).status_code == 200
    provider.key = provider.published = ECKey.generate_key("P-256", {"kid": "one"})
    assert sign_in(site.stranger()).status_code == 200
    provider.key = own
    assert sign_in(site.stranger()).status_code == 403
    provider.key = provider.published
    for provider.algorithm, status in (("none", 403), ("HS256", 403), ("ES256", 200)):
        assert sign_in(site.stranger()).status_code == status, provider.algorithm


def test_an_answer_is_good_for_the_browser_that_asked_once(site: Console) -> None:
    """Else somebody might sign others in as themselves, or take their answer."""
    browser, thief = site.stranger(), site.stranger()
    back = away(browser)
    thief.get("/oidc/begin")
    assert thief.get(back).status_code == 403
    assert browser.get(back).status_code == 403
    back = away(browser)
    assert browser.get(back).status_code == 200
    assert browser.get(back).status_code == 403
    back = away(browser)
    assert browser.get(back.replace("iss=http", "iss=https")).status_code == 403
    state = parse_qs(urlsplit(away(browser)).query)["state"][0]
    assert browser.get(f"/oidc/callback?error=access_denied&state={state}").status_code == 403
    back = away(browser)
    site.clock.forward(601)
    assert "took too long" in browser.get(back).text
    assert browser.get("/oidc/callback").status_code == 403
    assert "//evil" not in browser.get(away(browser, "//evil.example/")).text


def test_a_provider_that_is_away_leaves_passwords(make_console: Callable[..., Console]) -> None:
    """The page says so, and does not keep everybody waiting."""
    console = make_console(OIDC__ISSUER="http://127.0.0.1:9", OIDC__CLIENT_ID="x")
    console.add("lea", Role.LEAD)
    for why in ("ConnectError", "silent a moment ago"):
        answer = console.stranger().get("/oidc/begin")
        assert (answer.status_code, why in answer.text) == (503, True)
    assert console.sign_in("lea").get("/migration").status_code == 200


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"ISSUER": "http://elsewhere.example", "CLIENT_ID": "x"}, "https://"),
        ({"ISSUER": "https://id.example"}, "client_id"),
        ({"ROLES": '{"bosses": "admin"}'}, "admin"),
        ({"PASSWORDS": "nobody"}, "everybody or admins"),
        ({"SCOPES": "profile"}, "openid"),
    ],
)
def test_settings_that_let_the_wrong_people_in_are_refused(
    settings: dict[str, str], told: str
) -> None:
    """No clear text, no administrators by group."""
    environ = {f"DIGITIZER_OIDC__{key}": text for key, text in settings.items()}
    with pytest.raises(SettingsError, match=told):
        load(environ=environ)


def test_a_provider_elsewhere_cannot_point_at_this_machine() -> None:
    """Its description may name any address; without TLS none is asked."""
    far = OidcSettings(issuer="https://id.example", client_id="x")
    assert far.may_speak_to("https://id.example/token")
    for url in ("http://127.0.0.1/token", "http://id.example/token", "https://a:b@id.example", ""):
        assert not far.may_speak_to(url), url


def test_without_the_setting_there_is_no_such_page(console: Console, lea: Browser) -> None:
    """And the client's secret is never shown."""
    assert console.stranger().get("/oidc/begin").status_code == 404
    assert "oidc.client_secret" in lea.get("/settings").text
