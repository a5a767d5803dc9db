"""Who may ask for what: every route, every role, and requests that are not from our pages."""

import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from certificates import make_certificates
from console_site import OWN, Browser, Console
from fastapi.routing import APIRoute, iter_route_contexts
from orthanc_server import free_port
from waiting import wait_until

from digitizer.console.__main__ import server_of
from digitizer.console.access import Needs
from digitizer.errors import SettingsError
from digitizer.model.users import ROLES, Permission, Role

PUBLIC = {"/healthz", "/readyz", "/metrics", "/sign-in", "/oidc/begin", "/oidc/callback"}
SIGNED_IN = {"/", "/sign-out", "/password", "/api/v1/openapi.json"}
WORK, PATIENTS, MANAGE = Permission.SEE_WORK, Permission.SEE_PATIENTS, Permission.MANAGE
DECIDE = Permission.DECIDE
NEEDED: dict[str, Permission | dict[str, Permission]] = {
    "/review": DECIDE,
    "/review/{film_id}": DECIDE,
    "/review/jackets/{jacket_id}": DECIDE,
    "/review/jackets/{jacket_id}/keep": DECIDE,
    "/review/jackets/{jacket_id}/leave": DECIDE,
    "/review/jackets/{jacket_id}/search": DECIDE,
    "/review/jackets/{jacket_id}/follow": DECIDE,
    "/review/jackets/{jacket_id}/undo": DECIDE,
    "/review/{film_id}/accept": DECIDE,
    "/review/{film_id}/hold": DECIDE,
    "/review/{film_id}/reject": DECIDE,
    "/review/{film_id}/undo": DECIDE,
    "/review/{film_id}/keep": DECIDE,
    "/review/{film_id}/leave": DECIDE,
    "/review/{film_id}/search": DECIDE,
    "/review/{film_id}/correct": DECIDE,
    "/review/{film_id}/misfiled": DECIDE,
    "/review/{film_id}/split": DECIDE,
    "/films/{film_id}/adjust": DECIDE,
    "/films/{film_id}/picture": PATIENTS,
    "/films/{film_id}/pixels": PATIENTS,
    "/films/{film_id}/tones": PATIENTS,
    "/films/{film_id}/crops/{number}": PATIENTS,
    "/scans/{scan_id}/picture": PATIENTS,
    "/films/{film_id}": PATIENTS,
    "/films/{film_id}/header": PATIENTS,
    "/films/{film_id}/instance.dcm": PATIENTS,
    "/films/{film_id}/retry": MANAGE,
    "/library": PATIENTS,
    "/patients": PATIENTS,
    "/jackets/{jacket_id}": PATIENTS,
    "/jackets/{jacket_id}/follow": DECIDE,
    "/blind": DECIDE,
    "/blind/{review_id}": DECIDE,
    "/blind/{review_id}/keep": DECIDE,
    "/blind/{review_id}/leave": DECIDE,
    "/feed": Permission.FEED,
    "/feed/scanners": Permission.FEED,
    "/feed/print": Permission.FEED,
    "/feed/print/separators": Permission.FEED,
    "/feed/print/labels": Permission.FEED,
    "/feed/scans/{scan_id}/thumbnail": Permission.FEED,
    "/feed/{batch_id}": Permission.FEED,
    "/feed/{batch_id}/figures": Permission.FEED,
    "/feed/{batch_id}/files": Permission.FEED,
    "/feed/{batch_id}/scan": Permission.FEED,
    "/feed/{batch_id}/next": Permission.FEED,
    "/feed/{batch_id}/close": Permission.FEED,
    "/api/v1/status": WORK,
    "/api/v1/batches": WORK,
    "/api/v1/batches/{name}": PATIENTS,
    "/api/v1/work": WORK,
    "/api/v1/retries": MANAGE,
    "/api/v1/retries/{job_id}": MANAGE,
    "/api/v1/films/{film_id}": PATIENTS,
    "/api/v1/films/{film_id}/decision": DECIDE,
    "/api/v1/films/{film_id}/corrections": DECIDE,
    "/api/v1/films/{film_id}/misfiled": DECIDE,
    "/api/v1/films/{film_id}/split": DECIDE,
    "/api/v1/films/{film_id}/picture": DECIDE,
    "/api/v1/orders": {"GET": WORK, "POST": MANAGE},
    "/api/v1/urgent": MANAGE,
    "/api/v1/scanners": WORK,
    "/api/v1/archives": WORK,
    "/api/v1/reports": MANAGE,
    "/api/v1/reports/{job_id}": MANAGE,
    "/api/v1/reports/{job_id}/file": MANAGE,
    "/settings": Permission.SEE_SETTINGS,
    "/settings/checks": Permission.SEE_SETTINGS,
    "/settings/echo": Permission.SEE_SETTINGS,
    "/users": Permission.MANAGE_USERS,
    "/users/{name}": Permission.MANAGE_USERS,
    "/migration": WORK,
    "/migration/figures": WORK,
    "/migration/equipment": WORK,
    "/migration/batches": WORK,
    "/migration/boxes": WORK,
    "/orders": MANAGE,
    "/urgent": MANAGE,
    "/reports": MANAGE,
    "/work": WORK,
    "/older": WORK,
    "/older/sources/{source_id}": PATIENTS,
    "/older/sources/{source_id}/instances": PATIENTS,
    "/older/sources/{source_id}/instances.csv": MANAGE,
    "/older/sources/{source_id}/studies.csv": MANAGE,
    "/older/sources/{source_id}/report.pdf": MANAGE,
    "/older/sources/{source_id}/pause": MANAGE,
    "/older/sources/{source_id}/give-up": MANAGE,
    "/older/sources/{source_id}/retry": MANAGE,
    "/older/studies/{study_id}": PATIENTS,
    "/older/studies/{study_id}/accept": DECIDE,
    "/older/studies/{study_id}/reject": DECIDE,
    "/older/studies/{study_id}/reopen": DECIDE,
    "/older/studies/{study_id}/hold": DECIDE,
    "/work/retry": MANAGE,
    "/work.csv": MANAGE,
    "/jobs/{job_id}": MANAGE,
    "/jobs/{job_id}/progress": MANAGE,
    "/jobs/{job_id}/file": MANAGE,
    "/live/ledger": WORK,
}


def needed(method: str, path: str) -> Permission | None:
    """Return what the table asks for, of one method where those of a path differ."""
    told = NEEDED.get(path)
    return told[method] if isinstance(told, dict) else told


def own_routes(console: Console) -> list[APIRoute]:
    """Return every route of ours, those of the static files apart."""
    found = [one.original_route for one in iter_route_contexts(console.app.routes)]
    return [route for route in found if isinstance(route, APIRoute)]


def routes(console: Console) -> list[tuple[str, str]]:
    return [
        (method, route.path) for route in own_routes(console) for method in sorted(route.methods)
    ]


def declared(route: APIRoute) -> list[Needs]:
    return [one.call for one in route.dependant.dependencies if isinstance(one.call, Needs)]


def test_every_route_is_in_the_table(console: Console) -> None:
    """No page is added without saying who may see it."""
    assert {path for _, path in routes(console)} == PUBLIC | SIGNED_IN | set(NEEDED)


def test_every_route_declares_what_the_table_says(console: Console) -> None:
    """And its code asks for just that permission."""
    for route in own_routes(console):
        if route.path not in PUBLIC:
            (needs,) = declared(route)
            for method in route.methods:
                assert needs.permission == needed(method, route.path), (method, route.path)


@pytest.mark.parametrize("role", Role)
def test_a_role_is_let_in_where_it_may_and_refused_elsewhere(console: Console, role: Role) -> None:
    """Of every route, with every method it has."""
    console.add("somebody", role)
    browser = console.sign_in("somebody")
    for method, path in routes(console):
        if path in PUBLIC | SIGNED_IN or path == "/live/ledger":
            continue
        address = path.replace("{", "").replace("}", "")
        answer = browser.get(address) if method == "GET" else browser.post(address)
        if path.startswith("/api/") and method == "POST":
            headers = {"x-csrf-token": browser.csrf}
            answer = browser.client.post(address, json={}, headers=headers)
        allowed = needed(method, path) in ROLES[role]
        assert (answer.status_code == 403) == (not allowed), (role, method, path)
        assert answer.status_code < 500, (role, method, path)


def test_who_is_not_signed_in_is_sent_to_sign_in(console: Console) -> None:
    """And comes back to where they wanted to go."""
    stranger = console.stranger()
    for method, path in routes(console):
        if path in PUBLIC:
            continue
        if method == "GET":
            answer = stranger.get(path)
            if path.startswith("/api/"):
                assert answer.status_code == 401, path
                assert answer.headers["content-type"] == "application/problem+json"
                continue
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in?next=/"), path
        else:
            assert stranger.post(path).status_code == 401, path


def test_health_and_figures_need_no_login_and_name_nobody(console: Console) -> None:
    """For load balancers and monitoring."""
    stranger = console.stranger()
    assert stranger.get("/healthz").text == "ok\n"
    assert stranger.get("/readyz").json()["checks"]["ledger"] == "ok"
    assert "digitizer_expected_wrong 0.0" in stranger.get("/metrics").text


def test_a_change_without_the_token_is_refused(lea: Browser) -> None:
    """A form of another site, or of another session."""
    for token in ("", "nonsense"):
        lea.csrf = token
        assert lea.post("/work/retry", which="chosen").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(
    console: Console, lea: Browser, headers: dict[str, str]
) -> None:
    """Even with the right token; signing in as somebody else as well."""
    form = {"csrf": lea.csrf, "which": "chosen"}
    assert lea.client.post("/work/retry", data=form, headers=headers).status_code == 403
    form = {"name": "lea", "password": OWN}
    refused = console.stranger().client.post("/sign-in", data=form, headers=headers)
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


def test_another_host_name_is_refused(console: Console) -> None:
    """A name that somebody else's DNS points at this machine."""
    answer = console.stranger().get("/healthz", headers={"host": "evil.example"})
    assert answer.status_code == 400


def test_headers_keep_everything_at_home(console: Console) -> None:
    """Nothing inline, nothing from elsewhere, no frame, no cache."""
    answer = console.stranger().get("/sign-in")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_behind_a_proxy_one_setting_is_enough(make_console: Callable[..., Console]) -> None:
    """The URL people use gives path, host name, secure cookies and the origin of forms."""
    console = make_console(CONSOLE__PUBLIC_URL="https://intranet.example/digitizer")
    console.add("lea", Role.LEAD)
    client = console.stranger().client
    client.base_url = "https://intranet.example"
    headers = {"host": "intranet.example", "origin": "https://intranet.example"}
    form = {"name": "lea", "password": OWN, "next": "/migration"}
    done = client.post("/digitizer/sign-in", data=form, headers=headers, follow_redirects=False)
    assert done.headers["location"] == "/digitizer/migration"
    cookie = done.headers["set-cookie"]
    assert "Secure" in cookie
    assert "Path=/digitizer" in cookie
    assert done.headers["strict-transport-security"]
    page = client.get("/digitizer/migration", headers=headers)
    assert page.status_code == 200
    assert 'href="/digitizer/static/console.css"' in page.text
    # A proxy may as well take the path away.
    assert client.get("/static/console.css", headers=headers).status_code == 200


def test_by_tls_cookies_stay_on_tls(make_console: Callable[..., Console], tmp_path: Path) -> None:
    """With a certificate set, the console's own server speaks TLS alone, and says to stay there."""
    pems = make_certificates(tmp_path / "tls")
    console = make_console(
        CONSOLE__PORT=str(free_port()),
        CONSOLE__TLS_CERTIFICATE=str(pems.certificate),
        CONSOLE__TLS_KEY=str(pems.key),
    )
    console.add("lea", Role.LEAD)
    port = console.site.settings.console.port
    server = server_of(console.site.loaded)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, 30)
        trusted = ssl.create_default_context(cafile=str(pems.authority))
        with httpx2.Client(verify=trusted, base_url=f"https://127.0.0.1:{port}") as client:
            done = client.post("/sign-in", data={"name": "lea", "password": OWN})
            assert done.headers["set-cookie"].startswith("__Host-digitizer=")
            assert "Secure" in done.headers["set-cookie"]
            assert done.headers["strict-transport-security"]
            assert client.get("/migration").status_code == 200
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
    finally:
        server.should_exit = True
        thread.join(20)


def test_our_own_files_are_sent_once(console: Console) -> None:
    """A browser keeps them, and is told in a few bytes that they are the same."""
    client = console.stranger().client
    first = client.get("/static/console.css")
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    again = client.get("/static/console.css", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize("path", ["films", "static", "review/more", "api", "films/"])
def test_it_lies_under_no_path_of_its_own(make_console: Callable[..., Console], path: str) -> None:
    """Else /films/film0 might be a page or the root of one."""
    with pytest.raises(SettingsError, match="cannot lie under"):
        make_console(CONSOLE__PUBLIC_URL=f"https://intranet.example/{path}")
    assert make_console(CONSOLE__PUBLIC_URL="https://intranet.example/filmstore").app
