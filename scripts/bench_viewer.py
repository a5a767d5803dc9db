"""How fast the console shows a film of 4200 x 5100 pixels at 16 bit, in headless Chromium.

.venv/bin/python scripts/bench_viewer.py

On loopback, rendered in software: no graphics card. Times on the wall tell of what else the machine
does as well; its load is printed with them, and the processor time that the page's own thread took.
"""

import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
import tifffile
import uvicorn
from console_films import fill_review
from console_site import OWN, Console
from hand_clock import HandClock
from ledger_records import happened
from playwright.sync_api import Page, sync_playwright

from digitizer import config, film
from digitizer.console import Site
from digitizer.model.records import Scan, Sheet
from digitizer.model.units import Dpi, Size
from digitizer.model.users import Role

ROWS, COLUMNS, BED, DPI = 5100, 4200, 100, Dpi(300, 300)
SOFTWARE = ["--use-angle=swiftshader", "--use-gl=angle", "--enable-unsafe-swiftshader"]
WATCH = """
window.times = {};
const note = (what) => { window.times[what] ??= Math.round(performance.now()); };
new MutationObserver(() => {
  const viewer = document.querySelector("[data-viewer]");
  if (!viewer) return;
  const image = viewer.querySelector("img");
  if (image.complete && image.naturalWidth) note("picture");
  if (viewer.dataset.frames) note("values");
  if (viewer.dataset.resolution === "full") note("whole");
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
DRAG = """
async (buttons) => {
  const viewer = document.querySelector("[data-viewer]");
  const stage = viewer.querySelector(".stage");
  stage.setPointerCapture = () => {};
  const { left, top } = stage.getBoundingClientRect();
  const send = (name, x, y) => stage.dispatchEvent(new PointerEvent(name, {
    bubbles: true, clientX: left + x, clientY: top + y, pointerId: 1, buttons, isPrimary: true,
  }));
  const frames = () => Number(viewer.dataset.frames);
  send("pointerdown", 300, 300);
  const [before, began] = [frames(), performance.now()];
  for (let n = 0; performance.now() - began < 2000; n += 1) {
    await new Promise((done) => requestAnimationFrame(done));
    send("pointermove", 300 + 100 * Math.sin(n / 10), 300 + 60 * Math.cos(n / 7));
  }
  const drawn = frames() - before;
  send("pointerup", 300, 300);
  return [drawn, (performance.now() - began) / 1000];
}
"""
LEFT, MIDDLE = 1, 4


def main() -> None:
    """Show three films, drag their window, move them; print what each took."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(filled(Path(folder))) as address,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=SOFTWARE)
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.add_init_script(WATCH)
        measure(context.new_page(), address)
        browser.close()


def measure(page: Page, address: str) -> None:
    """Print milliseconds to the server's picture, the reduced values, all values; frames."""
    page.goto(f"{address}/sign-in")
    page.locator('[name="name"]').fill("ann")
    page.locator('[name="password"]').fill(OWN)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    for number in range(3):
        spent = time.process_time()
        page.goto(f"{address}/review/film{number}")
        page.wait_for_selector('[data-resolution="full"]', timeout=60_000)
        cpu = time.process_time() - spent
        shown = ", ".join(f"{name} {at} ms" for name, at in page.evaluate("window.times").items())
        print(f"film {number}: {shown}; {cpu:.2f} s of the server's processor; load {load()}")
    drag(page, "window dragged", LEFT)
    drag(page, "film moved", MIDDLE)
    for _ in range(3):
        page.keyboard.press("+")
    drag(page, "enlarged, window dragged", LEFT)
    drag(page, "enlarged, film moved", MIDDLE)
    began = time.monotonic()
    page.keyboard.press("l")
    page.wait_for_selector('[data-kind="card"]', timeout=60_000)
    print(f"ready to measure a length after {time.monotonic() - began:.1f} s")


def drag(page: Page, what: str, button: int) -> None:
    """Drag for two seconds; print frames a second, and the thread's processor time for each."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        told = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in told if one["name"] == "TaskDuration"))

    before = spent()
    frames, seconds = page.evaluate(DRAG, button)
    each = 1000 * (spent() - before) / frames
    print(f"{what}: {frames / seconds:.0f} frames a second, {each:.0f} ms each; load {load()}")


def load() -> str:
    """Return the load of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def filled(folder: Path) -> Console:
    """Return a console with three films in review: one straight, two askew by a degree."""
    site = Site.of(config.load(data_dir=folder / "data", environ={}))
    clock = HandClock(datetime.now(UTC))
    site.services = replace(site.services, clock=clock)
    console = Console(site, clock)
    films = fill_review(console, folder)
    sha256, _ = site.services.vault.put(drawn(folder).read_bytes())
    frame = Size(rows=ROWS + 2 * BED, columns=COLUMNS + 2 * BED)
    ends = ((BED, BED), (BED + COLUMNS, BED), (BED + COLUMNS, BED + ROWS), (BED, BED + ROWS))
    flat = film.by_hand(ends, 0, False, frame, DPI)
    askew = film.by_hand(film.turned_by(flat.corners, 1.0, DPI), 0, False, frame, DPI)
    with site.services.ledger.transaction() as tx:
        for number, one in enumerate(films):
            sheet = tx.get(Sheet, one)
            scan = tx.get(Scan, sheet.scan_id)
            tx.save(replace(scan, sha256=sha256), happened(scan.id))
            tx.save(replace(sheet, geometry=askew if number else flat), happened(one))
    console.add("ann", Role.REVIEWER)
    return console


def drawn(folder: Path) -> Path:
    """Write a scan with slow shades, grain, and the bed around the film."""
    y, x = np.mgrid[0 : ROWS + 2 * BED, 0 : COLUMNS + 2 * BED].astype(np.float32)
    grain = np.random.default_rng(1).normal(0, 150, y.shape).astype(np.float32)
    pixels = np.clip(20000 + 15000 * np.sin(x / 400) * np.cos(y / 500) + grain, 500, 52000)
    pixels[:BED] = pixels[-BED:] = 62000
    pixels[:, :BED] = pixels[:, -BED:] = 62000
    path = folder / "large.tif"
    tifffile.imwrite(path, pixels.astype(np.uint16), resolution=DPI, resolutionunit="INCH")
    return path


@contextmanager
def served(console: Console) -> Iterator[str]:
    """Serve a console on a port of its own; returns its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(console.app, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


if __name__ == "__main__":
    main()
