"""The pages in a real browser: by keyboard alone, live, accessible; any error on its console fails.

Pictures of the pages are kept in build/screenshots.
"""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
import uvicorn
from browsers import OFFICE, hear, keep, running_chromium, signs_in
from certificates import make_certificates
from console_cellar import fill_cellar
from console_films import ANNA, COLUMNS, ROWS, fill_review, film_pixels
from console_site import OWN, Console
from ledger_records import happened, scan
from oidc_provider import CLIENT, SECRET, running_provider
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from waiting import wait_until

from digitizer.model.reading import Line, Reading
from digitizer.model.reasons import Code, reason
from digitizer.model.records import BlindReview, Sheet
from digitizer.model.states import State
from digitizer.model.units import Point
from digitizer.model.users import Role
from digitizer.pipeline.changes import reason_payload

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SPARING = """
Object.defineProperty(navigator, "connection", { value: { saveData: true } });
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def console(make_console: Callable[..., Console]) -> Iterator[Console]:
    """Return a console with a provider of accounts, which is another site for browsers."""
    with running_provider("localhost") as provider:
        provider.person = {"preferred_username": "eva", "groups": ["film-leads"]}
        yield make_console(
            OIDC__ISSUER=provider.issuer,
            OIDC__CLIENT_ID=CLIENT,
            OIDC__CLIENT_SECRET=SECRET,
            OIDC__ROLES='{"film-leads": "lead"}',
        )


@contextmanager
def served(console: Console, **settings: Any) -> Iterator[str]:
    """Serve a console on a port of its own; returns host and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            console.app,
            host="127.0.0.1",
            port=port,
            log_config=None,
            timeout_graceful_shutdown=1,
            **settings,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, 30)
    yield f"127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def address(console: Console) -> Iterator[str]:
    with served(console) as there:
        yield f"http://{there}"


@pytest.fixture
def open_page(chromium: Browser, console: Console, address: str) -> Iterator[Callable[..., Page]]:
    """Sign somebody in; fail at the end when a page complained."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def sign_in(name: str, *roles: Role, sparing: bool = False) -> Page:
        console.add(name, *roles)
        context = chromium.new_context(viewport=OFFICE, base_url=address)  # type: ignore[arg-type]
        contexts.append(context)
        if sparing:
            context.add_init_script(SPARING)
        page = context.new_page()
        page.set_default_timeout(20_000)
        hear(page, complaints)
        signs_in(page, "/sign-in", name, OWN)
        return page

    yield sign_in
    for context in contexts:
        context.close()
    assert complaints == []


def state_of(console: Console, id: str) -> State:
    with console.site.services.ledger.reading() as view:
        return view.get(Sheet, id).state


def decision_of(console: Console, id: str) -> Any:
    with console.site.services.ledger.reading() as view:
        return view.get(Sheet, id).decision


def at(page: Page, film: str) -> None:
    """Wait until the page of a film listens to keys."""
    expect(page).to_have_url(re.compile(f"/review/{film}$"))
    expect(page.locator("body[data-ready]")).to_be_attached()


def test_a_reviewer_decides_everything_by_keyboard(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """Accept, choose, search, hold, rescan, put right, undo: no mouse, each key as help says."""
    films = fill_review(console, tmp_path, films=5)
    page = open_page("ann", Role.REVIEWER)
    at(page, films[0])
    keep(page, "review")
    # Help opens and closes; Enter shows the whole patient before it applies.
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("z")
    expect(page.locator("#crops")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_contain_text("MARTINEZ, ANNA L")
    expect(page.locator("#confirm")).to_contain_text("A100200 (MERCY)")
    expect(page.locator("#confirm")).to_contain_text("1984-05-29 · CHEST PA · X84-100")
    keep(page, "confirm")
    assert state_of(console, films[0]) is State.REVIEW
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert decision_of(console, films[0]).exam.accession_number == "X84-100"
    at(page, films[1])
    # U takes it back, and shows the film again.
    with page.expect_navigation(url=f"**/review/{films[0]}"):
        page.keyboard.press("u")
    assert state_of(console, films[0]) is State.REVIEW
    at(page, films[0])
    # 2 chooses the second; its exam must be chosen with D first.
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_hidden()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_contain_text("not in the index")
    with page.expect_navigation(url=f"**/review/{films[1]}"):
        page.keyboard.press("Enter")
    assert decision_of(console, films[0]).patient.patient_id == "A100201"
    at(page, films[1])
    # / searches; Enter takes the first found.
    page.keyboard.press("/")
    page.keyboard.type("x84-100")
    expect(page.locator("#found")).to_contain_text("MARTINEZ, ANNA L")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    with page.expect_navigation(url=f"**/review/{films[2]}"):
        page.keyboard.press("Enter")
    assert decision_of(console, films[1]).exam.accession_number == "X84-100"
    at(page, films[2])
    # H holds, X rejects, N goes on.
    page.keyboard.press("h")
    page.keyboard.type("ask the ward")
    with page.expect_navigation(url=f"**/review/{films[3]}"):
        page.keyboard.press("Enter")
    at(page, films[3])
    with page.expect_navigation(url=f"**/review/{films[4]}"):
        page.keyboard.press("n")
    at(page, films[4])
    puts_right(page, console, films[4])
    page.keyboard.press("x")
    with page.expect_navigation(url=f"**/review/{films[3]}"):
        page.keyboard.press("Enter")
    assert state_of(console, films[4]) is State.REJECTED
    at(page, films[3])
    page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Nothing here for you now")


def puts_right(page: Page, console: Console, film: str) -> None:
    """Edit a field, mark as misfiled, split the jacket, adjust the picture: by key alone."""

    def now() -> Sheet:
        with console.site.services.ledger.reading() as view:
            return view.get(Sheet, film)

    def does(*keys: str, text: str = "") -> Sheet:
        for key in keys:
            page.keyboard.press(key)
        if text:
            page.keyboard.type(text)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        at(page, film)
        return now()

    page.keyboard.press("e")
    keep(page, "edit")
    page.keyboard.press("Escape")
    assert does("e", text="a100200").corrections == {"patient_id": "A100200"}
    expect(page.locator(".said-by")).to_have_text("A100200")
    expect(page.locator(".choice").first).to_contain_text("MARTINEZ, ANNA L")
    with page.expect_navigation():
        page.keyboard.press("u")
    at(page, film)
    assert now().corrections == {}
    assert "lies in the wrong jacket" in does("m").misfiled
    expect(page.locator(".reasons")).to_contain_text("lies in the wrong jacket")
    keep(page, "misfiled")
    assert does("m").misfiled == ""
    assert does("s", text="J-9").jacket_id != "j1"
    expect(page.locator("#said")).to_contain_text("1 scans are jacket BOX-1/J-9 now")
    with page.expect_navigation(url="**/adjust"):
        page.keyboard.press("j")
    expect(page.locator("#adjust[data-shown]")).to_be_attached()
    # Clockwise, mirrored, back: seen in a mirror it turns the other way.
    for key in ("r", "f", "r", "f", "r"):
        page.keyboard.press(key)
    expect(page.locator("#where")).to_contain_text("angle 0.00° · turned 90°")
    page.keyboard.press("]")
    page.keyboard.press("Shift+[")
    expect(page.locator("#where")).to_contain_text("angle 0.90°")
    page.keyboard.press("0")
    expect(page.locator("#where")).to_contain_text(f"{COLUMNS} by {ROWS} pixels · angle 0.00°")
    page.keyboard.press("3")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#where")).to_contain_text(f"{COLUMNS - 10} by {ROWS - 1} pixels")
    page.keyboard.press("5")
    page.keyboard.press("Shift+ArrowRight")
    keep(page, "adjust")
    assert serious(page) == []
    page.keyboard.press("0")
    # A corner is dragged: the one across from it stays where it is.
    grip = page.get_by_label("Corner top left").bounding_box()
    assert grip is not None
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 90, steps=3)
    page.mouse.up()
    expect(page.locator("#where")).not_to_contain_text(f"{COLUMNS} by {ROWS} pixels")
    corner = page.get_by_label("Corner top left").bounding_box()
    assert corner is not None
    assert (corner["x"] - grip["x"], corner["y"] - grip["y"]) == pytest.approx((60, 90), abs=2)
    page.keyboard.press("0")
    page.keyboard.press("r")
    geometry = does().geometry
    assert geometry is not None
    assert (geometry.turn_deg, geometry.mirrored) == (90, False)
    # Escape leaves without a change.
    page.keyboard.press("j")
    expect(page.locator("#adjust[data-shown]")).to_be_attached()
    page.keyboard.press("f")
    with page.expect_navigation():
        page.keyboard.press("Escape")
    at(page, film)
    assert now().geometry == geometry


def test_a_key_held_down_decides_nothing_by_itself(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """Enter that repeats itself shows the patient once, files once, and stops at the next film."""
    films = fill_review(console, tmp_path, films=3)
    page = open_page("ann", Role.REVIEWER)
    at(page, films[0])
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.method == "POST" else None)
    for _ in range(4):
        page.keyboard.down("Enter")
    expect(page.locator("#confirm")).to_be_visible()
    assert state_of(console, films[0]) is State.REVIEW
    page.keyboard.up("Enter")
    with page.expect_navigation(url=f"**/review/{films[1]}"):
        for _ in range(4):
            page.keyboard.down("Enter")
    at(page, films[1])
    for _ in range(4):
        page.keyboard.down("Enter")
    expect(page.locator("#confirm")).to_be_hidden()
    page.keyboard.up("Enter")
    assert [one for one in asked if one.endswith("/accept")] == [
        one for one in asked if one.endswith(f"/review/{films[0]}/accept")
    ]
    assert len([one for one in asked if one.endswith("/accept")]) == 1
    # A second click on what was sent already sends nothing.
    page.keyboard.press("Enter")
    with page.expect_navigation(url=f"**/review/{films[2]}"):
        page.locator('#confirm button[type="submit"]').dblclick(no_wait_after=True)
    assert len([one for one in asked if one.endswith("/accept")]) == 2


def test_it_works_under_tls(
    chromium: Browser, make_console: Callable[..., Console], tmp_path: Path
) -> None:
    """Signed in by a cookie of this host alone; pages, pictures and values all come."""
    made = make_certificates(tmp_path / "tls")
    files = {"TLS_CERTIFICATE": made.certificate, "TLS_KEY": made.key}
    console = make_console(**{f"CONSOLE__{name}": str(path) for name, path in files.items()})
    films = fill_review(console, tmp_path)
    console.add("ann", Role.REVIEWER)
    complaints: list[str] = []
    with (
        served(console, ssl_certfile=made.certificate, ssl_keyfile=made.key) as there,
        closing(chromium.new_context(ignore_https_errors=True)) as context,
    ):
        page = context.new_page()
        page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: complaints.append(str(one)))
        signs_in(page, f"https://{there}/sign-in", "ann", OWN)
        at(page, films[0])
        expect(page.locator('[data-kind="values"][data-resolution="full"]')).to_be_attached()
        (cookie,) = context.cookies()
        assert (cookie["name"], cookie["secure"]) == ("__Host-digitizer", True)
        with page.expect_navigation():
            page.keyboard.press("n")
        at(page, films[1])
    assert complaints == []


GREY = """
(source) => {
  const own = [source.naturalWidth ?? source.width, source.naturalHeight ?? source.height];
  const scale = 160 / Math.max(...own);
  const size = own.map((one) => Math.round(scale * one));
  const canvas = new OffscreenCanvas(...size);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, ...size);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return [size, Array.from({length: data.length / 4}, (_, at) => data[4 * at])];
}
"""


def grey(page: Page, what: str) -> np.ndarray:
    """Return what a picture or canvas shows as grey values, its long side 160."""
    (columns, rows), values = page.locator(what).first.evaluate(GREY)
    return np.array(values, dtype=np.float64).reshape(rows, columns)


def shown(page: Page, what: str) -> np.ndarray:
    """Wait until the viewer shows a picture asked for with these words."""
    page.wait_for_function(
        f"""() => {{ const image = document.querySelector(".stage img");
        return image.complete && image.src.includes("{what}")
          && document.querySelector("[data-viewer]").dataset.shown === image.src; }}"""
    )
    return grey(page, ".stage img")


def test_pictures_by_the_server_and_their_keys_do_what_they_say(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """Pixels compared with the film's own: as it is, inverted, turned, flipped, enlarged."""
    fill_review(console, tmp_path)
    page = open_page("ann", Role.REVIEWER, sparing=True)
    plain = shown(page, "center")
    rows, columns = plain.shape
    assert rows / columns == pytest.approx(ROWS / COLUMNS, rel=0.02)
    assert plain[rows // 8, columns // 6] > 250
    page.keyboard.press("i")
    inverted = shown(page, "invert=true")
    assert np.abs(plain + inverted - 255).max() <= 8
    page.keyboard.press("i")
    page.keyboard.press("r")
    turned = shown(page, "turn=1")
    assert turned.shape[0] / turned.shape[1] == pytest.approx(COLUMNS / ROWS, rel=0.02)
    assert turned[columns // 6, -rows // 8] > 250
    page.keyboard.press("0")
    page.keyboard.press("f")
    assert np.abs(shown(page, "turn=0&flip=true") - plain[:, ::-1]).mean() < 3
    page.keyboard.press("0")
    page.keyboard.press("+")
    near = shown(page, "zoom=1.500")
    middle = plain[rows // 6 : rows - rows // 6, columns // 6 : columns - columns // 6]
    wanted = cv2.resize(middle, near.shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.abs(near - wanted).mean() < 4
    page.mouse.move(300, 300)
    page.mouse.down()
    page.mouse.move(420, 300)
    page.mouse.up()
    assert shown(page, "zoom=1.500").std() < near.std()


def off_by(page: Page, film: np.ndarray, what: str = "canvas.values") -> float:
    """Return how far a canvas is from what it should show, in grey values on average."""
    canvas = grey(page, what)
    scale = min(canvas.shape[0] / film.shape[0], canvas.shape[1] / film.shape[1])
    rows, columns = (round(scale * one) for one in film.shape)
    top, left = (canvas.shape[0] - rows) // 2, (canvas.shape[1] - columns) // 2
    inside = canvas[top : top + rows, left : left + columns]
    wanted = cv2.resize(film, (columns, rows), interpolation=cv2.INTER_AREA)
    return float(np.abs(inside - wanted)[2:-2, 2:-2].mean())


def length_told(page: Page) -> float:
    """Return the length that stands beside the measured line, in millimetres."""
    number, unit = (page.locator(".card-film svg text").first.text_content() or "0 mm").split()
    assert unit == "mm"
    return float(number)


def comes_to(page: Page, film: np.ndarray, what: str = "canvas.values") -> None:
    """Wait until the canvas shows this."""
    wait_until(lambda: off_by(page, film, what) < 6, 20)


def test_the_viewer_shows_the_films_own_values(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """Its canvas against the values in the vault, under the window of the capture; every key."""
    fill_review(console, tmp_path)
    page = open_page("ann", Role.REVIEWER)
    expect(page.locator('[data-kind="values"][data-resolution="full"]')).to_be_attached()
    tones = page.request.get("/films/film0/tones").json()
    low = tones["center"] - tones["width"] / 2

    def under(low: float, width: float) -> np.ndarray:
        shades: np.ndarray = np.clip((film_pixels().astype(float) - low) / width * 255, 0, 255)
        return shades

    film = under(low, tones["width"])
    comes_to(page, film)
    for keys, wanted in (
        ("i", 255 - film),
        ("ir", np.rot90(film, -1)),
        ("f", np.rot90(film, -1)[:, ::-1]),
        ("0f", film[:, ::-1]),
        ("0w", under(low, tones["width"] / 2)),
        ("w", under(low + tones["width"] / 2, tones["width"] / 2)),
        ("w", under(0, 65536)),
        ("w", film),
    ):
        for key in keys:
            page.keyboard.press(key)
        comes_to(page, wanted)
    # Enlarged, the middle fills the stage; the glass shows more of it, sharpening more of edges.
    page.keyboard.press("+")
    box = page.locator("canvas.values").bounding_box()
    assert box is not None
    wait_until(lambda: off_by(page, film) > 6, 20)
    page.keyboard.press("0")
    comes_to(page, film)
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(across - 120, down - 200)
    page.keyboard.press("g")
    expect(page.locator("canvas.glass")).to_be_visible()
    assert grey(page, "canvas.glass").std() > 5
    keep(page, "glass")
    page.keyboard.press("g")
    expect(page.locator("canvas.glass")).to_be_hidden()
    page.keyboard.press("p")
    expect(page.locator('[data-sharp="true"]')).to_be_attached()
    page.keyboard.press("p")
    # Dragged to the right, the window is wider.
    page.mouse.down()
    page.mouse.move(across + 80, down - 200, steps=4)
    page.mouse.up()
    wait_until(lambda: grey(page, "canvas.values").std() < film.std() - 5, 20)
    page.keyboard.press("0")
    page.keyboard.press("i")
    # A length, in millimetres at the film plane: that viewer goes on as the film was seen.
    page.keyboard.press("l")
    expect(page.locator('[data-kind="card"]')).to_be_attached(timeout=30_000)
    comes_to(page, 255 - film, ".card-film canvas")
    page.mouse.move(across - 50, down)
    page.mouse.down()
    page.mouse.move(across + 50, down, steps=5)
    page.mouse.up()
    pitch = 25.4 / 100 / (box["height"] / ROWS)
    wanted_mm = pytest.approx(100 * pitch, rel=0.03)
    wait_until(lambda: length_told(page) == wanted_mm, 20)
    keep(page, "viewer")


def test_a_lead_watches_it_live(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """A change shows by itself; the figures are those of the ledger."""
    fill_review(console, tmp_path)
    page = open_page("lea", Role.LEAD)
    expect(page.locator(".live-words")).to_have_text("Live")
    expect(page.locator(".holds .review b")).to_have_text("3")
    keep(page, "migration")
    with console.site.services.ledger.transaction() as tx:
        held = replace(scan("late", source="late.tif", position=9), state=State.QUARANTINED)
        tx.add(held, happened("late"))
    expect(page.locator(".holds .quarantined b")).to_have_text("1")
    # It is read again at any time: what is pressed may have been replaced a moment ago.
    page.get_by_role("button", name="Pause monday").click()
    expect(page.locator("#said")).to_contain_text("monday is paused.")
    page.get_by_role("button", name="Resume monday").click()
    expect(page.get_by_role("button", name="Pause monday")).to_be_visible()
    page.get_by_role("button", name="Report of monday").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "digitizer-monday.pdf"
    # By the hospital's own account, at another site: our cookie is not lost on the way back.
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in with the hospital's account").click()
    expect(page.locator(".who")).to_contain_text("eva")
    expect(page.locator(".live-words")).to_have_text("Live")


def test_a_proxy_that_fails_does_not_end_what_is_live(open_page: Callable[..., Page]) -> None:
    """A browser gives up on a stream that is answered by anything else; the page does not."""
    page = open_page("lea", Role.LEAD)
    expect(page.locator(".live-words")).to_have_text("Live")
    page.clock.install()
    page.route("**/live/ledger", lambda route: route.fulfill(status=204))
    page.goto("/migration")
    expect(page.locator(".live-words")).to_have_text("Not connected; trying again")
    page.unroute("**/live/ledger")
    page.clock.fast_forward(6_000)
    expect(page.locator(".live-words")).to_have_text("Live")


def begin_feeding(page: Page, jacket: str) -> None:
    """Begin a batch and its first jacket by keyboard alone."""
    expect(page.locator('[name="batch"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('[name="next_jacket"]')).to_be_focused()
    page.keyboard.type(jacket)
    page.keyboard.press("Enter")
    expect(page.locator("#feed h2")).to_contain_text(jacket)
    expect(page.locator("body[data-ready]")).to_be_attached()


HEARD = """
() => {
  window.heard = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) {
    window.heard += 1;
    return start.apply(this, when);
  };
}
"""


def test_a_clerk_feeds_a_jacket(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """Begin, scan the jacket's barcode, choose files; the count grows, what is bad is said."""
    fill_review(console, tmp_path, films=1)
    (tmp_path / "0002.tif").write_bytes(b"")
    page = open_page("rec", Role.RECORDS)
    begin_feeding(page, "J-7")
    page.evaluate(HEARD)
    film = tifffile.imread(tmp_path / "film.tif").copy()
    film[0, 0] = 7
    tifffile.imwrite(tmp_path / "0001.tif", film)
    page.locator("#files").set_input_files([tmp_path / "0001.tif", tmp_path / "0002.tif"])
    expect(page.locator(".count b").first).to_have_text("2")
    expect(page.locator(".fed .bad")).to_contain_text("The file is empty.")
    # Two tones for the one complaint; the good scan made none.
    assert page.evaluate("window.heard") == 2
    expect(page.locator(".fed img")).to_have_count(1)
    keep(page, "feed")
    expect(page.locator("#scanner")).not_to_contain_text("Looking")
    assert serious(page) == []
    page.keyboard.press("n")
    page.keyboard.type("J-8")
    page.keyboard.press("Enter")
    expect(page.locator("#feed h2")).to_contain_text("J-8")


def test_what_is_on_its_way_is_waited_for(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """The next jacket comes when all files are in this one; not when one of them was lost."""
    fill_review(console, tmp_path, films=1)
    page = open_page("rec", Role.RECORDS)
    begin_feeding(page, "J-7")
    film = tifffile.imread(tmp_path / "film.tif").copy()
    for number in (1, 2, 3):
        film[0, 0] = number
        tifffile.imwrite(tmp_path / f"{number}.tif", film)
    names = [tmp_path / f"{number}.tif" for number in (1, 2, 3)]
    on_the_way: list[Route] = []
    page.route("**/files", lambda route: on_the_way.append(route))

    def arrives() -> None:
        # Asking the page anything lets its requests come in.
        wait_until(lambda: page.evaluate("() => true") and bool(on_the_way), 20)
        on_the_way.pop().continue_()

    page.locator("#files").set_input_files(names)
    page.locator('[name="next_jacket"]').fill("J-8")
    page.keyboard.press("Enter")
    expect(page.locator("#sending")).to_contain_text("0 of 3 taken in. This goes on by itself")
    arrives()
    expect(page.locator("#sending")).to_contain_text("1 of 3 taken in.")
    expect(page.locator("#feed h2")).to_contain_text("J-7")
    assert page.evaluate("() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    arrives()
    arrives()
    expect(page.locator("#feed h2")).to_contain_text("J-8")
    with console.site.services.ledger.reading() as view:
        fed = [one.source for one in view.scans() if one.source.startswith("J-7/")]
    assert sorted(fed) == ["J-7/1.tif", "J-7/2.tif", "J-7/3.tif"]


def test_a_blind_look_may_take_its_time(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """The page says that somebody is there; after more than a minute the answer is taken."""
    films = fill_review(console, tmp_path)
    drawn = BlindReview(
        id="blind1",
        sheet_id=films[2],
        batch_id="b1",
        evidence_class="number",
        claimed=ANNA,
        planted=False,
        drawn_at=console.clock.now(),
    )
    with console.site.services.ledger.transaction() as tx:
        tx.add(drawn, happened("blind1", "drawn"))
    page = open_page("ann", Role.REVIEWER)
    page.clock.install()
    with page.expect_response("**/blind/blind1/keep"):
        page.goto("/blind/blind1")
    expect(page.locator("body[data-ready]")).to_be_attached()
    for _ in range(3):
        console.clock.forward(50)
        with page.expect_response("**/blind/blind1/keep") as answer:
            page.clock.fast_forward(21_000)
        assert answer.value.status == 204
    with page.expect_navigation(url="**/blind"):
        page.keyboard.press("y")
    expect(page.locator("main")).to_contain_text("Nothing waits for a blind look")


def serious(page: Page) -> list[str]:
    """Return what axe-core finds that keeps people out."""
    page.evaluate(f"{AXE.read_text('utf-8')}; null")
    # Of other results one example each is enough: nobody looks at them.
    found = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


PAGES = (
    "/feed/print",
    "/review/film0",
    "/films/film0/adjust",
    "/review?after=film0",
    "/migration",
    "/work",
    "/work?state=review",
    "/films/film1",
    "/library",
    "/patients?issuer=MERCY&number=A100200",
    "/jackets/j1",
    "/settings",
    "/users",
    "/password",
    "/migration/batches",
    "/migration/boxes",
    "/older",
    "/older/sources/old1",
    "/older/sources/old1/instances?list=found",
    "/older/studies/st1",
)


def test_nobody_is_kept_out(
    console: Console, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """No serious violation on any page; at 200 % text nothing is cut off sideways."""
    fill_review(console, tmp_path)
    fill_cellar(console)
    page = open_page("eve", *Role)
    for path in PAGES:
        page.goto(path)
        if path in ("/migration", "/settings"):
            expect(page.locator("#scanners")).to_be_visible()
        if path == "/migration":
            keep(page, "equipment")
        if path.startswith("/older"):
            keep(page, f"older-{path.count('/')}")
        assert serious(page) == [], path
        page.set_viewport_size({"width": OFFICE["width"] // 2, "height": OFFICE["height"] // 2})
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
        if path.startswith("/older"):
            keep(page, f"older-{path.count('/')}-narrow")
        page.set_viewport_size(OFFICE)  # type: ignore[arg-type]
    files_silent_films(page, console)
    page.context.clear_cookies()
    page.goto("/sign-in")
    assert serious(page) == []


def files_silent_films(page: Page, console: Console) -> None:
    """Look at a jacket's silent films on one page; file them by one key, and take it back."""
    box = (Point(0, 0),) * 4
    dated = Reading(lines=(Line(text="05/29/1984", confidence=0.9, box=box, engine="tesseract"),))
    why = (reason(Code.FILM_SILENT),)
    silent = ("film0", "film1")
    with console.site.services.ledger.transaction() as tx:
        for one in silent:
            mute = replace(tx.get(Sheet, one), reasons=why, fields={}, reading=dated)
            tx.save(mute, happened(one, "review", reasons=reason_payload(why)))
    page.goto("/review")
    expect(page).to_have_url(re.compile("/review/jackets/j1$"))
    expect(page.locator("body[data-ready]")).to_be_attached()
    assert serious(page) == []
    keep(page, "silent")
    # What can be done to one film alone cannot be done here.
    for key in ("h", "x", "e", "m", "s", "j"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_contain_text("File 2 films under this patient?")
    expect(page.locator("#confirm")).to_contain_text("MARTINEZ, ANNA L")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert [state_of(console, one) for one in silent] == [State.APPROVED] * 2
    at(page, "film2")
    with page.expect_navigation(url="**/review/jackets/j1"):
        page.keyboard.press("u")
    assert [state_of(console, one) for one in silent] == [State.REVIEW] * 2
    expect(page.locator("body[data-ready]")).to_be_attached()
    with page.expect_navigation():
        page.keyboard.press("n")
    at(page, "film2")
