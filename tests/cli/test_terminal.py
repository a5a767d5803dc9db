"""What others wrote is shown to a person as text; whoever reads a pipe gets it as it is."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from site_commands import Site

from digitizer.cli.terminal import shown

CLEARS = "\x1b[2Jold"
"""A name at which a terminal forgets what it showed."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site with an older archive of that name."""
    site = Site(tmp_path / "data")
    folder = tmp_path / "disc"
    folder.mkdir()
    assert (
        site.here.run("migrate", "add", str(folder), "--name", CLEARS, "--as", "ann").returncode
        == 0
    )
    return site


def on_a_terminal(site: Site, *words: str) -> str:
    """Run a command whose output goes to a terminal; returns what came there."""
    ours, its = pty.openpty()
    program = str(Path(sys.executable).with_name("digitizer"))
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        running = subprocess.Popen([program, *words], env=site.settings, stdout=its)
        os.close(its)
        came = b""
        with suppress(OSError):  # EIO: the other end was closed (Linux, pty)
            while piece := terminal.read(4096):
                came += piece
        assert running.wait(60) == 0
    return came.decode()


def test_a_terminal_is_told_nothing_but_text(site: Site) -> None:
    """Whatever command shows it."""
    for words in (("list",), ("list", "--json"), ("show", CLEARS)):
        came = on_a_terminal(site, "migrate", *words)
        assert "[2Jold" in came
        assert "\x1b" not in came


def test_a_pipe_gets_what_is_there(site: Site) -> None:
    """Another program must find what it looks for."""
    assert site.json("migrate", "list")[0]["source"] == CLEARS
    assert CLEARS in site.run("migrate", "list").stdout


def test_an_error_is_text(site: Site) -> None:
    """It goes to people, wherever it goes."""
    told = site.run("migrate", "show", "\x1b]0;title\x07nobody").stderr
    assert "nobody" in told
    assert told.replace("\n", "").isprintable()


def test_letters_of_all_countries_are_shown() -> None:
    """What turns a line round is not."""
    assert shown("Müller 山田 Ольга\n\tO'Neil") == "Müller 山田 Ольга\n\tO'Neil"
    assert shown("a\u202eb\x9bc\rd\x00") == "a\ufffdb\ufffdc\ufffdd\ufffd"
