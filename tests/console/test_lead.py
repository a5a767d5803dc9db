"""What leads order and see: pauses, urgent jackets, scanners and archives, printed reports."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from console_site import Browser, Console, fill
from ledger_records import batch, happened, jacket, scan, sheet
from waiting import wait_until

from digitizer.model.film import Quality
from digitizer.model.records import Capture, Commitment, Jacket, Verification
from digitizer.model.states import State
from digitizer.model.users import Role


def words(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_a_lead_pauses_and_resumes(console: Console, lea: Browser) -> None:
    """All work or one batch; who ordered it is told, and stands in the trail."""
    fill(console, received=3)
    assert lea.post("/orders", mode="paused", reason=" <b>no\n staff ").status_code == 303
    page = words(lea.get("/migration"))
    assert "All work is paused, ordered by lea: &lt;b&gt;no staff." in page
    assert lea.client.get("/api/v1/status").json()["mode"] == "paused"
    lea.post("/orders", mode="running")
    lea.post("/orders", mode="draining", batch="monday")
    page = lea.get("/migration").text
    assert "ordered by" not in page
    assert 'aria-label="Resume monday"' in page
    told = lea.client.get("/api/v1/orders").json()
    assert (told["mode"], told["batches"][0]["mode"]) == ("running", "draining")
    assert console.events("everything") == ["work_paused", "work_resumed"]
    assert console.events("b1")[-1] == "work_draining"
    assert lea.post("/orders", mode="dancing").status_code == 409
    assert lea.post("/orders", mode="paused", batch="none").status_code == 404


def test_a_lead_lets_a_jacket_overtake(console: Console, lea: Browser) -> None:
    """By box and name; what is scheduled for it from then on is urgent too."""
    fill(console, received=1)
    assert lea.post("/urgent", jacket="BOX-1/J-1").status_code == 303
    assert "BOX-1/J-1" in words(lea.get("/migration"))
    with console.site.services.ledger.reading() as view:
        assert view.get(Jacket, "j1").urgent
    assert lea.client.get("/api/v1/orders").json()["urgent_jackets"][0]["jacket"] == "J-1"
    lea.post("/urgent", jacket="j1", off="1")
    assert lea.client.get("/api/v1/orders").json()["urgent_jackets"] == []
    assert console.events("j1")[-2:] == ["jacket_urgent", "jacket_not_urgent"]
    assert lea.post("/urgent", jacket="none").status_code == 404


def test_a_report_is_made_and_taken_by_who_asked(console: Console, lea: Browser) -> None:
    """Also by programs; nobody else takes it."""
    fill(console, verified=2, quarantined=1)
    job = lea.post("/reports", batch="monday").headers["location"]
    wait_until(lambda: "Done." in lea.get(job).text, 30)
    file = lea.get(f"{job}/file")
    assert file.content.startswith(b"%PDF-")
    assert file.headers["content-disposition"] == 'attachment; filename="digitizer-monday.pdf"'
    assert "report_printed" in console.events("b1")
    console.add("leo", Role.LEAD)
    assert console.sign_in("leo").get(f"{job}/file").status_code == 404
    headers = {"x-csrf-token": lea.csrf}
    begun = lea.client.post("/api/v1/reports", json={"box": "BOX-1"}, headers=headers)
    assert begun.status_code == 202
    wait_until(lambda: lea.client.get(begun.headers["location"]).json()["ended"], 30)
    told = lea.client.get(begun.headers["location"]).json()
    assert lea.client.get(told["file"]).content.startswith(b"%PDF-")
    for wrong, status in (({}, 409), ({"batch": "none"}, 404), ({"box": "none"}, 404)):
        assert lea.post("/reports", **wrong).status_code == status


@pytest.fixture
def equipped(console: Console) -> Console:
    """Return a console of a worn scanner, a new one, and an archive that keeps half of it all."""
    now = console.clock.now()
    stripes = Quality(flags=("stuck_columns",), columns=(10, 200, 300, 400))
    own = {"sop_class_uid": "1.2.3", "archive": "PACS"}
    with console.site.services.ledger.transaction() as tx:
        for one in (batch(), jacket()):
            tx.add(one, happened(one.id))
        for number in range(5):
            of = scan(
                f"s{number}", position=number, scanner="A<1", quality=stripes,
                received_at=now - timedelta(minutes=5 - number), state=State.READ,
            )  # fmt: skip
            tx.add(of, replace(happened(of.id, "received"), at=of.received_at))
        tx.add(sheet(scan_id="s0"), happened("h1"))
        for number in range(4):
            uid = f"2.25.{number}"
            made = Capture(
                sop_instance_uid=uid, sop_class_uid="1.2.3", series_instance_uid="2.25.8",
                study_instance_uid="2.25.9", sheet_id="h1", sha256="c" * 64,
                pixel_sha256="d" * 64, transfer_syntax_uid="1.2.4", size=1, made_at=now,
            )  # fmt: skip
            asked = Commitment(
                **own, sop_instance_uid=uid, transaction_uid=f"2.25.1{number}",
                requested_at=now - timedelta(hours=4 - number),
            )  # fmt: skip
            looked = Verification(
                id=uid, sop_instance_uid=uid, archive="PACS", at=now, method="C-GET",
                agrees=number > 0,
            )  # fmt: skip
            for one in (made, asked, looked):
                tx.add(one, happened(uid))
    return console


def test_scanners_and_archives_tell_how_they_are(equipped: Console, lea: Browser) -> None:
    """Rollers to be cleaned, calibrations that lack, commitments that are open and since when."""
    page = lea.get("/migration/equipment")
    assert "A&lt;1" in page.text
    assert "clean the rollers" in words(page)
    assert "commitments open, the oldest 4 h 4 given 0 refused 0 late 0" in words(page)
    assert "read back and differing 1" in words(page)
    (scanner,) = lea.client.get("/api/v1/scanners").json()
    assert (scanner["scans_last_day"], scanner["clean_rollers"]) == (5, True)
    assert scanner["defects"] == {"stuck_columns": 5}
    pacs = lea.client.get("/api/v1/archives").json()[1]
    assert (pacs["archive"], pacs["pending"], pacs["agreed"], pacs["differed"]) == ("PACS", 4, 3, 1)
    figures = equipped.stranger().get("/metrics").text
    assert 'digitizer_commitments{archive="PACS",outcome="pending"} 4.0' in figures
    assert "digitizer_work_held 0.0" in figures
    equipped.clock.forward(2 * 86_400)
    lea = equipped.sign_in("lea")
    (scanner,) = lea.client.get("/api/v1/scanners").json()
    assert (scanner["scans_last_day"], scanner["scans_last_week"]) == (0, 5)
    assert "embedded" in lea.post("/settings/echo").text
