"""Feeding: files in, counts against the list, complaints, the next jacket, the end of a batch."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
import tifffile
from console_films import film_pixels
from console_site import Browser, Console

from digitizer import wiring
from digitizer.model.identity import JacketRecord
from digitizer.model.records import Batch, Jacket, JacketState, Scan, WorkMode
from digitizer.model.states import State
from digitizer.model.users import Role
from digitizer.pipeline.labels import labels_of
from digitizer.pipeline.orders import order
from digitizer.pipeline.scans import prepare


@pytest.fixture
def rec(console: Console) -> Browser:
    """Return the browser of a clerk, with a jacket list."""
    index = wiring.index(console.site.settings)
    index.import_jackets(
        [
            JacketRecord(jacket="J-1", box="BOX-1", barcode="JA00017", expected_films=2),
            JacketRecord(jacket="J-2", box="BOX-1", barcode="JA00025", expected_films=1),
        ]
    )
    console.add("rec", Role.RECORDS)
    return console.sign_in("rec")


@pytest.fixture
def batch(rec: Browser) -> str:
    """Return the id of a batch that was begun."""
    done = rec.post("/feed", batch="monday", box="BOX-1")
    assert done.status_code == 303
    return str(done.headers["location"]).split("/")[2].split("?")[0]


def tiff(value: int = 0) -> bytes:
    pixels = film_pixels()
    pixels[0, 0] = value
    out = io.BytesIO()
    tifffile.imwrite(out, pixels)
    return out.getvalue()


def drop(browser: Browser, batch: str, name: str, content: bytes, jacket: str = "J-1") -> Any:
    return browser.client.post(
        f"/feed/{batch}/files",
        data={"csrf": browser.csrf, "box": "BOX-1", "jacket": jacket},
        files={"file": (name, content)},
    )


def scans(console: Console, batch: str) -> list[Scan]:
    with console.site.services.ledger.reading() as view:
        return list(view.scans(batch_id=batch))


def test_dropped_files_are_taken_in_like_any_other(
    console: Console, rec: Browser, batch: str
) -> None:
    """In the vault byte for byte, in their jacket, due; nothing is left beside the vault."""
    content = tiff()
    assert drop(rec, batch, "0001.tif", content).status_code == 201
    (scan,) = scans(console, batch)
    assert (scan.source, scan.state) == ("BOX-1/J-1/0001.tif", State.RECEIVED)
    assert console.site.services.vault.path(scan.sha256 or "").read_bytes() == content
    assert list((console.site.settings.data_dir / "fed").iterdir()) == []
    assert console.events(scan.id) == ["received", "fed"]
    assert drop(rec, batch, "0001.tif", content).json()["id"] == scan.id
    assert drop(rec, batch, "0002.tif", content).json()["state"] == "duplicate"


@pytest.mark.parametrize("name", ["../../evil.tif", "..\\..\\evil.tif", "/etc/evil.tif"])
def test_a_file_goes_nowhere_else(console: Console, rec: Browser, batch: str, name: str) -> None:
    """Whatever its name says."""
    drop(rec, batch, name, tiff())
    assert [one.source for one in scans(console, batch)] == ["BOX-1/J-1/evil.tif"]


@pytest.mark.parametrize("name", [".hidden.tif", "a\nb.tif"])
def test_a_file_without_a_usable_name_is_refused(
    console: Console, rec: Browser, batch: str, name: str
) -> None:
    """Told, and not taken in."""
    drop(rec, batch, name, tiff())
    assert all("\n" not in one.source and "/." not in one.source for one in scans(console, batch))


def test_the_count_says_what_is_missing(console: Console, rec: Browser, batch: str) -> None:
    """Against the jacket list, as soon as the films were looked at."""
    address = f"/feed/{batch}/figures?box=BOX-1&jacket=J-1"
    assert "2 missing" in rec.get(address).text
    drop(rec, batch, "0001.tif", tiff())
    assert "1 being looked at" in rec.get(address).text
    # Where nothing is looked at because a lead said so, whoever feeds is told.
    assert "paused" not in rec.get(address).text
    order(console.site.services, WorkMode.PAUSED, by="lea", reason="no <b>staff")
    text = rec.get(f"/feed/{batch}?box=BOX-1&jacket=J-1").text
    assert "All work is paused, ordered by lea: no &lt;b&gt;staff" in text
    assert "go on feeding" in rec.get(address).text
    (scan,) = scans(console, batch)
    prepare(console.site.services, scan.id)
    text = rec.get(address).text
    assert "1 missing" in text
    assert "<b>1</b> of <b>2</b> films" in text
    assert rec.get(f"/feed/scans/{scan.id}/thumbnail").headers["content-type"] == "image/jpeg"


def test_what_is_wrong_is_said_at_once(console: Console, rec: Browser, batch: str) -> None:
    """An empty file, with what to do about it; its name is text. What is no picture is a cross."""
    junk = drop(rec, batch, "junk.tif", b"II*\x00junk").json()["id"]
    shown = rec.get(f"/feed/scans/{junk}/thumbnail")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/svg+xml")
    drop(rec, batch, "<b>x.tif", b"")
    text = rec.get(f"/feed/{batch}?box=BOX-1&jacket=J-1").text
    assert "The file is empty." in text
    assert 'class="bad" data-complaint=' in text
    assert "<b>x.tif" not in text


def test_the_next_jacket_comes_by_its_barcode(console: Console, rec: Browser, batch: str) -> None:
    """The one that was fed is closed, so that it is decided; the barcode gives name and box."""
    drop(rec, batch, "0001.tif", tiff())
    done = rec.post(
        f"/feed/{batch}/next", box="BOX-1", jacket="J-1", next_box="", next_jacket="JA00025"
    )
    assert done.headers["location"] == f"/feed/{batch}?box=BOX-1&jacket=J-2"
    with console.site.services.ledger.reading() as view:
        (jacket,) = view.jackets(batch)
    assert jacket.state is JacketState.CLOSED
    assert console.events(jacket.id)[-2:] == ["jacket_put_away", "jacket_closed"]


def test_a_closed_batch_is_compared_with_the_list(
    console: Console, rec: Browser, batch: str
) -> None:
    """Those that differ come first, film by film; what was not fed is named; no more is taken."""
    index = wiring.index(console.site.settings)
    index.import_jackets([JacketRecord(jacket="J-3", box="BOX-1"), JacketRecord(jacket="J-4")])
    drop(rec, batch, "0001.tif", tiff(1), jacket="J-2")
    drop(rec, batch, "0002.tif", tiff(2), jacket="J-1")
    drop(rec, batch, "0003.tif", b"", jacket="J-1")
    rec.post(f"/feed/{batch}/close")
    text = rec.get(f"/feed/{batch}").text
    assert text.index("BOX-1 / J-1") < text.index("BOX-1 / J-2")
    assert "1 of 2 jackets differ" in text
    assert "1 missing" in text
    assert "<li>0002.tif: not looked at yet</li>" in text
    assert "<li>0003.tif <b>no film</b>: The file is empty.</li>" in text
    assert "1 jackets of the list were not scanned: BOX-1 / J-3" in text
    with console.site.services.ledger.reading() as view:
        assert view.get(Batch, batch).closed
    assert drop(rec, batch, "0003.tif", tiff(3)).status_code == 409


@pytest.mark.parametrize("name", ["../up", "a/b", ".x", "", "a\\b"])
def test_names_of_jackets_stay_names(rec: Browser, batch: str, name: str) -> None:
    """They become parts of paths."""
    assert rec.post(f"/feed/{batch}/next", next_box="B", next_jacket=name).status_code == 409


def test_scanners_are_listed_or_their_lack_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rec: Browser
) -> None:
    """With SANE's own test device, and with none."""
    (tmp_path / "dll.conf").write_text("test\n")
    monkeypatch.setenv("SANE_CONFIG_DIR", str(tmp_path))
    assert 'value="test:0"' in rec.get("/feed/scanners").text
    (tmp_path / "dll.conf").write_text("")
    assert "No scanner is connected" in rec.get("/feed/scanners").text


@pytest.mark.parametrize("name", ["a" * 300 + ".tif", ".hidden.tif"])
def test_the_whole_name_of_a_file_is_looked_at(
    console: Console, rec: Browser, batch: str, name: str
) -> None:
    """Not its beginning alone."""
    assert drop(rec, batch, name, tiff()).status_code == 409
    assert scans(console, batch) == []
    long = "a" * 150 + ".tif"
    assert drop(rec, batch, long, tiff()).status_code == 201


def test_pictures_are_shown_to_whoever_feeds_until_the_batch_is_closed(
    console: Console, rec: Browser, batch: str
) -> None:
    """And that somebody saw them is an event of the scan."""
    fed = drop(rec, batch, "1.tif", tiff()).json()["id"]
    for _ in range(2):
        assert rec.get(f"/feed/scans/{fed}/thumbnail").status_code == 200
    assert console.events(fed).count("viewed") == 1
    rec.post(f"/feed/{batch}/close")
    assert rec.get(f"/feed/scans/{fed}/thumbnail").status_code == 409


def test_paper_for_the_desk_is_printed(console: Console, rec: Browser) -> None:
    """Separator sheets, and barcodes from the jacket list or typed; who printed is told."""
    assert 'action="/feed/print/labels"' in rec.get("/feed/print").text
    sheets = rec.post("/feed/print/separators", copies="2")
    assert (sheets.headers["content-type"], sheets.content[:5]) == ("application/pdf", b"%PDF-")
    assert rec.post("/feed/print/labels", box="BOX-1", names="BOX-1/J-1\nJ-9").status_code == 200
    told = labels_of(console.site.services, box="BOX-1", names=["J-1", "X/J-9"], most=10)
    assert [(one.code, one.text) for one in told] == [
        ("JA00017", "BOX-1 / J-1"), ("JA00025", "BOX-1 / J-2"),
        ("JA00017", "BOX-1 / J-1"), ("J-9", "X / J-9"),
    ]  # fmt: skip
    refused: tuple[dict[str, str], ...] = ({}, {"box": "BOX-9"}, {"names": "B/"}, {"names": "ジ"})
    for form in refused:
        assert rec.post("/feed/print/labels", **form).status_code == 409
    assert rec.post("/feed/print/separators", copies="1000").status_code == 409
    assert console.events("user:rec").count("printed") == 2


def test_a_scanner_of_this_machine_scans_into_the_jacket(
    console: Console, rec: Browser, batch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By SANE's own device for tests: listed, scanned, counted; what fails is said in words."""
    if shutil.which("scanimage") is None:
        pytest.skip("scanimage is not installed")
    (tmp_path / "sane").mkdir()
    (tmp_path / "sane" / "dll.conf").write_text("test\n")
    monkeypatch.setenv("SANE_CONFIG_DIR", str(tmp_path / "sane"))
    assert (
        '<option value="test:0">Noname frontend-tester</option>' in rec.get("/feed/scanners").text
    )
    here = {"box": "BOX-1", "jacket": "J-1"}
    figures = f"/feed/{batch}/figures?box=BOX-1&jacket=J-1"

    def scans(device: str, profile: str) -> str:
        begun = rec.post(f"/feed/{batch}/scan", device=device, profile=profile, **here)
        assert begun.status_code == 202
        job = console.site.jobs.latest(f"Scanning into {batch}")
        assert job is not None
        assert job.over.wait(60)
        return str(rec.get(figures).text)

    assert "<b>1</b> scanned" in scans("test:0", "film")
    with console.site.services.ledger.reading() as view:
        (scan,) = view.scans(batch_id=batch)
        name = view.get(Jacket, scan.jacket_id).name
    assert (name, scan.state, scan.source.startswith("BOX-1/J-1/")) == (
        "J-1", State.RECEIVED, True,
    )  # fmt: skip
    raster = console.site.services.decoder.decode(
        console.site.services.vault.path(scan.sha256 or "")
    )
    assert (raster.bits, raster.pixels.dtype) == (16, "uint16")
    text = scans("test:9", "film")
    assert '<p class="problem" data-complaint=' in text
    assert "<b>1</b> scanned" in text
    assert rec.post(f"/feed/{batch}/scan", device="", profile="film", **here).status_code == 409
