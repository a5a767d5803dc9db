"""Chromium, as people at work use it: an office screen, the keyboard, no word of complaint."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

__all__ = ["OFFICE", "hear", "keep", "running_chromium", "signs_in"]

OFFICE = {"width": 1366, "height": 768}
_CHROMIUM = Path("/usr/bin/chromium")
_PICTURES = Path(__file__).resolve().parent.parent / "build" / "screenshots"
"""Where pictures of the pages are kept, to be looked at."""


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run Debian's Chromium without a screen, drawing by software."""
    assert _CHROMIUM.exists(), "scripts/setup --test installs it"
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=str(_CHROMIUM),
            args=["--use-angle=swiftshader", "--use-gl=angle", "--enable-unsafe-swiftshader"],
        )
        yield browser
        browser.close()


def hear(page: Page, complaints: list[str]) -> None:
    """Note down whatever a page complains of."""
    page.on(
        "console",
        lambda one: (
            complaints.append(f"{one.text} {one.location}")
            if one.type in ("error", "warning")
            else None
        ),
    )
    page.on("pageerror", lambda one: complaints.append(str(one)))


def signs_in(page: Page, address: str, name: str, password: str) -> None:
    """Sign in by keyboard alone."""
    page.goto(address)
    expect(page.locator('[name="name"]')).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def keep(page: Page, name: str) -> None:
    """Keep a picture of the whole page."""
    _PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=_PICTURES / f"{name}.png", full_page=True)
