"""Films, library, settings, accounts."""

import html
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from console_films import ANNA, fill_review
from console_site import OWN, Browser, Console
from ledger_records import happened

from digitizer import wiring
from digitizer.model.records import Scan, Sheet, Stage
from digitizer.model.users import Role
from digitizer.pipeline.review import patient_named
from digitizer.pipeline.wrap import wrap


@pytest.fixture
def films(console: Console, tmp_path: Path) -> list[str]:
    return fill_review(console, tmp_path)


@pytest.fixture
def wrapped(console: Console, ann: Browser, films: list[str]) -> str:
    """Return a film that was accepted and made an instance of."""
    ann.get(f"/review/{films[0]}")
    ann.post(f"/review/{films[0]}/accept", patient="MERCY:A100200", exam="X84-100", version="0")
    assert wrap(console.site.services, films[0]) == [(Stage.STORE, films[0])]
    return films[0]


@pytest.fixture
def adm(console: Console) -> Browser:
    """Return the browser of an admin."""
    console.add("adm", Role.ADMIN)
    return console.sign_in("adm")


def test_a_film_tells_its_story(console: Console, ann: Browser, wrapped: str) -> None:
    """The decision, the instance, the events in a chain that is whole; looking is an event too."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", ann.get(f"/films/{wrapped}").text))
    assert "MARTINEZ, ANNA L" in text
    assert "by ann" in text
    assert "instance made" in text
    assert "the chain of events is whole" in text
    assert console.events(wrapped).count("viewed") == 2


def test_markup_on_a_film_is_text_on_its_page(ann: Browser, films: list[str]) -> None:
    """As on the page of review."""
    text = ann.get(f"/films/{films[1]}").text
    assert "<script>alert" not in text
    assert "<b>1</b>" not in text
    assert "J-<i>1" not in text


def test_header_and_instance_are_those_of_the_film(
    console: Console, ann: Browser, wrapped: str
) -> None:
    """The header as lines, the file byte for byte; taking it along is an event."""
    lines = ann.get(f"/films/{wrapped}/header").text
    assert "MARTINEZ^ANNA^L" in lines
    assert "Secondary Capture Image Storage" in lines
    answer = ann.get(f"/films/{wrapped}/instance.dcm")
    with console.site.services.ledger.reading() as view:
        (capture,) = view.captures(wrapped)
    assert answer.content == console.site.services.vault.path(capture.sha256).read_bytes()
    assert answer.headers["content-type"] == "application/dicom"
    assert "downloaded" in console.events(wrapped)


def test_a_film_without_an_instance_has_no_header(ann: Browser, films: list[str]) -> None:
    """404 with a sentence."""
    for what in ("header", "instance.dcm"):
        assert ann.get(f"/films/{films[0]}/{what}").status_code == 404


def test_the_scan_is_shown_with_the_film_outlined(ann: Browser, films: list[str]) -> None:
    """In green, where the corners are; a film of another scan outlines nothing."""
    path = "/scans/s0/picture?size=300"
    for film, outlined in (("film0", True), ("film1", False)):
        answer = ann.get(f"{path}&film={film}")
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        edge = picture[100:200, 0].astype(int)
        assert ((edge[:, 1] - edge[:, 2]).mean() > 50) == outlined


def test_the_library_finds_patients_and_jackets(
    console: Console, ann: Browser, wrapped: str
) -> None:
    """By what people type; the patient's page lists exams and films, and is an event."""
    found = ann.post("/library", q="martinez anna").text
    assert 'href="/patients?issuer=MERCY&amp;number=A100200"' in found
    assert "index_searched" in console.events("user:ann")
    page = ann.get("/patients?issuer=MERCY&number=A100200").text
    assert "X85-200" in page
    assert f'href="/films/{wrapped}"' in page
    assert console.events("patient:MERCY:A100200") == ["viewed"]
    assert 'href="/jackets/j1"' in ann.post("/library", q="J-<i>1").text
    assert f'href="/films/{wrapped}"' in ann.get("/jackets/j1").text
    assert ann.get("/patients?issuer=MERCY&number=0").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/films/{film}/picture",
        "/films/{film}/pixels",
        "/films/{film}/tones",
        "/films/{film}/crops/0",
        "/films/{film}/header",
        "/scans/s0/picture",
    ],
)
def test_whoever_sees_a_picture_is_in_the_audit_trail(
    console: Console, ann: Browser, wrapped: str, path: str
) -> None:
    """By its own address too; once in a while, not at every turn of a wheel."""
    subject = "s0" if "scans" in path else wrapped

    def views() -> int:
        return console.events(subject).count("viewed")

    before = views()
    if "crops" in path:
        with console.site.services.ledger.transaction() as tx:
            sheet = tx.get(Sheet, wrapped)
            sha256 = tx.get(Scan, sheet.scan_id).sha256
            assert sha256 is not None
            tx.save(replace(sheet, crops=(sha256,)), happened(wrapped))
    for _ in range(3):
        assert ann.get(path.format(film=wrapped)).status_code == 200
    assert views() == before + 1
    console.clock.forward(16 * 60)
    ann.get(path.format(film=wrapped))
    assert views() == before + 2


@pytest.mark.parametrize(("issuer", "number"), [("MERCY", "A/12 3&x"), ("", "B77/1"), ("A/B", "1")])
def test_any_number_and_issuer_has_its_page(
    console: Console, ann: Browser, issuer: str, number: str
) -> None:
    """With a slash in it, or without an issuer: its own link leads there."""
    index = wiring.index(console.site.settings)
    index.import_patients([replace(ANNA, patient_id=number, issuer=issuer)])
    found = ann.post("/library", q="martinez anna").text
    link = re.search(r'href="(/patients[^"]*)"', found)
    assert link is not None
    page = ann.get(html.unescape(link[1]))
    assert page.status_code == 200
    assert html.escape(number) in page.text


def test_a_patient_without_an_issuer_is_told_from_others(console: Console, ann: Browser) -> None:
    """Of one number: each has a page of their own, and can be chosen."""
    index = wiring.index(console.site.settings)
    bare = replace(ANNA, issuer="", name=replace(ANNA.name, given="BARE"))
    index.import_patients([ANNA, bare])
    assert "BARE" in ann.get("/patients?issuer=&number=A100200").text
    assert "BARE" not in ann.get("/patients?issuer=MERCY&number=A100200").text
    assert index.patient("A100200") is None
    assert patient_named(console.site.services, ":A100200") == bare


def test_namesakes_are_paged_and_days_and_boxes_are_found(
    console: Console, ann: Browser, wrapped: str
) -> None:
    """Each patient once, in the same order; a day leads to its films, a box to what is in it."""
    index = wiring.index(console.site.settings)
    many = [
        replace(ANNA, patient_id=f"Z{n:03}", name=replace(ANNA.name, family="QUIRKE"))
        for n in range(45)
    ]
    index.import_patients(many)
    seen: list[str] = []
    form = {"q": "quirke"}
    while form:
        text = ann.post("/library", **form).text
        seen += re.findall(r"number=(Z\d+)", text)
        more = re.search(r'name="issuer" value="(.*?)".*?name="number" value="(.*?)"', text)
        form = {"q": "quirke", "issuer": more[1], "number": more[2]} if more else {}
    assert seen == [one.patient_id for one in many]
    found = ann.post("/library", q="1984-05-29").text
    assert '<a href="/work?day=1984-05-29">1 films' in found
    assert f'href="/films/{wrapped}"' in ann.get("/work?day=1984-05-29").text
    assert ann.get("/work?day=1984-02-30").status_code == 409
    assert 'href="/work?box=BOX-1"' in ann.post("/library", q="BOX-1").text
    assert "Type two characters" in ann.post("/library", q="x").text


def test_settings_are_shown_with_their_origin_and_without_passwords(
    console: Console, lea: Browser
) -> None:
    """Read only; the checks are made when asked for."""
    text = lea.get("/settings").text
    assert "console.lease_s" in text
    assert "--data-dir" in text
    checks = lea.post("/settings/checks")
    assert checks.status_code == 200
    assert "data folder" in checks.text


def test_an_admin_gives_out_accounts(console: Console, adm: Browser) -> None:
    """The first password is shown once and must be replaced; closing ends what was open."""
    adm.post("/users", name="tom", roles=["records", "reviewer"])
    told = adm.get("/users").text
    password = re.search(r"shown only now: ([a-z0-9-]+)", told)
    assert password is not None
    assert password[1] not in adm.get("/users").text
    tom = console.stranger()
    tom.post("/sign-in", name="tom", password=password[1])
    tom.csrf = console.session_of(tom).csrf
    assert tom.get("/review").headers["location"] == "/password"
    assert tom.post("/password", old=password[1], new=OWN, repeated=OWN).status_code == 303
    assert tom.get("/review").status_code == 200
    adm.post("/users/tom", what="roles", roles=["records"])
    tom = console.sign_in("tom")
    assert tom.get("/review").status_code == 403
    adm.post("/users/tom", what="close")
    assert tom.get("/migration").status_code == 303
    assert console.events("user:tom")[0] == "user_added"


def test_nobody_locks_themselves_out(console: Console, adm: Browser) -> None:
    """One's own roles and one's own account are another admin's to change."""
    for what in ("close", "roles"):
        assert adm.post("/users/ADM", what=what, roles=["admin"]).status_code == 409
    assert adm.post("/users/adm", what="nonsense").status_code == 409
    assert adm.post("/users", name="x", roles=["king"]).status_code == 409
