"""Reviewing: leases, decisions, undo, pictures, the search."""

import re
from dataclasses import replace
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from console_films import COLUMNS, ROWS, fill_review, film_pixels
from console_site import Browser, Console
from ledger_records import happened, scan

from digitizer.model.reading import Line, Reading
from digitizer.model.reasons import Code, reason
from digitizer.model.records import Sheet, Stage
from digitizer.model.states import State
from digitizer.model.units import Point
from digitizer.model.users import Role

CHOSEN = {"patient": "MERCY:A100200", "exam": "X84-100", "version": "0"}


SILENT = [{"code": "film_silent", "text": "Nothing stands on it."}]
DATED = Reading(
    lines=(Line(text="05/29/1984", confidence=0.9, box=(Point(0, 0),) * 4, engine="tesseract"),)
)


@pytest.fixture
def films(console: Console, tmp_path: Path) -> list[str]:
    return fill_review(console, tmp_path)


@pytest.fixture
def rob(console: Console) -> Browser:
    """Return the browser of another reviewer."""
    console.add("rob", Role.REVIEWER)
    return console.sign_in("rob")


def film(console: Console, id: str) -> Sheet:
    with console.site.services.ledger.reading() as view:
        return view.get(Sheet, id)


def test_the_riskiest_film_comes_first(ann: Browser, films: list[str]) -> None:
    """The one whose proof is shortest."""
    assert ann.get("/review").headers["location"] == f"/review/{films[0]}"


def test_passing_on_reaches_every_film_and_begins_again(
    ann: Browser, rob: Browser, films: list[str]
) -> None:
    """From the most doubtful to the least, then round; what another looks at is passed over."""

    def round_of(count: int) -> list[str]:
        seen, at = [], ""
        for _ in range(count):
            at = ann.get(f"/review?after={at}").headers["location"].removeprefix("/review/")
            seen.append(at)
            ann.post(f"/review/{at}/leave")
        return seen

    assert round_of(5) == [*films, *films[:2]]
    rob.get(f"/review/{films[1]}")
    assert round_of(3) == [films[0], films[2], films[0]]
    assert ann.get("/review?after=none").headers["location"] == f"/review/{films[0]}"


def test_leafing_through_fetches_what_is_next_alone(
    console: Console, ann: Browser, rob: Browser, films: list[str]
) -> None:
    """However fast a person leafs, one film is fetched ahead for each, and no others wait."""
    busy = Event()
    console.site.ahead.submit(busy.wait)
    try:
        rob.get(f"/review/{films[2]}")
        given = []
        for one in films[:2] * 3:
            ann.get(f"/review/{one}")
            given.append(console.site.fetching[next(reversed(console.site.fetching))])
        assert [one.cancelled() for one in given] == [True] * 5 + [False]
        waiting = [one for one in console.site.fetching.values() if not one.cancelled()]
        assert len(waiting) == len(console.site.fetching) == 2
    finally:
        busy.set()
    assert [one.result() for one in waiting] == [None, None]


def test_what_was_passed_over_does_not_come_back_after_a_decision(
    ann: Browser, films: list[str]
) -> None:
    """The riskiest first, of those that were not left; when nothing else is there, they again."""
    ann.get(f"/review/{films[0]}")
    assert ann.get(f"/review?after={films[0]}").headers["location"] == f"/review/{films[1]}"
    ann.post(f"/review/{films[1]}/accept", **CHOSEN)
    assert ann.get("/review").headers["location"] == f"/review/{films[2]}"
    ann.post(f"/review/{films[2]}/accept", **CHOSEN)
    assert ann.get("/review").headers["location"] == f"/review/{films[0]}"


def test_silent_films_are_looked_at_jacket_by_jacket(
    console: Console, ann: Browser, rob: Browser, films: list[str]
) -> None:
    """All on one page, filed by one answer with the lease and as shown; U takes it back."""
    with console.site.services.ledger.transaction() as tx:
        for one in films:
            silent = replace(tx.get(Sheet, one), reasons=(reason(Code.FILM_SILENT),), fields={})
            tx.save(silent, happened(one, "review", reasons=[]))
    here = "/review/jackets/j1"
    assert ann.get("/review").headers["location"] == here
    text = ann.get(here).text
    assert text.count('<li class="silent">') == 3
    assert 'value="MERCY:A100200"' in text
    mark = re.search(r'name="mark" value="(\w+)"', text)
    assert mark is not None
    assert ann.post(f"{here}/keep?mark={mark[1]}").status_code == 204
    assert rob.get(here).status_code == 409
    assert rob.get(f"/review/{films[1]}").status_code == 409
    chosen = {"patient": "MERCY:A100200", "mark": mark[1]}
    assert "ran out" in rob.post(f"{here}/follow", **chosen).text
    refused = rob.post("/jackets/j1/follow", patient="MERCY:A100200")
    assert (refused.status_code, "is with ann" in refused.text) == (409, True)
    assert "changed this first" in ann.post(f"{here}/follow", **(chosen | {"mark": "old"})).text
    assert ann.post(f"{here}/keep?mark=old").status_code == 409
    ann.get(here)
    assert 'data-number="A100201"' in ann.post(f"{here}/search", q="A100201").text
    # Which exam of two these films are of is asked of a person: they come one by one then.
    assert ann.post(f"{here}/follow", **chosen).headers["location"] == "/review"
    left = ann.get("/review").headers["location"]
    assert left.removeprefix("/review/") in films
    assert "0 filed under patient A100200. 3 still need their exam." in ann.get(left).text
    console.add("eve", Role.REVIEWER)
    with console.site.services.ledger.transaction() as tx:
        for one in films:
            open_again = replace(tx.get(Sheet, one), assigned_to=None, reading=DATED)
            tx.save(open_again, happened(one, "released", reasons=SILENT))
    eve = console.sign_in("eve")
    ann.post(f"{left}/leave")
    assert eve.get("/review").headers["location"] == here
    mark = re.search(r'name="mark" value="(\w+)"', eve.get(here).text)
    assert mark is not None
    eve.post(f"{here}/follow", **(chosen | {"mark": mark[1]}))
    decided = [film(console, one).decision for one in films]
    assert [one.exam.accession_number for one in decided if one and one.exam] == ["X84-100"] * 3
    assert "3 filed under patient A100200. U takes it back." in eve.get("/review").text
    assert ann.post(f"{here}/undo").status_code == 409
    assert eve.post(f"{here}/undo").headers["location"] == here
    assert [film(console, one).state for one in films] == [State.REVIEW] * 3
    assert eve.get("/review").headers["location"] == here
    assert eve.get("/review?after=j1").status_code == 200


def test_two_reviewers_never_hold_one_film(
    console: Console, ann: Browser, rob: Browser, films: list[str]
) -> None:
    """The second is sent to another; asking for the first names who has it."""
    assert ann.get("/review").headers["location"] == f"/review/{films[0]}"
    assert rob.get("/review").headers["location"] == f"/review/{films[1]}"
    taken = rob.get(f"/review/{films[0]}")
    assert taken.status_code == 409
    assert "This film is with ann" in taken.text
    assert rob.post(f"/review/{films[0]}/keep?version=0").status_code == 409
    refused = rob.post(f"/review/{films[0]}/accept", **CHOSEN)
    assert refused.status_code == 409
    assert film(console, films[0]).state is State.REVIEW


def test_a_closed_page_frees_the_film(ann: Browser, rob: Browser, films: list[str]) -> None:
    """At once when the browser says so."""
    ann.get(f"/review/{films[0]}")
    assert ann.post(f"/review/{films[0]}/leave").status_code == 204
    assert rob.get(f"/review/{films[0]}").status_code == 200


def test_a_late_word_of_the_page_before_frees_nothing(
    ann: Browser, rob: Browser, films: list[str]
) -> None:
    """Loaded anew, the film stays with who has it; the newer page's word frees it."""

    def leaving(text: str) -> str:
        found = re.search(r'data-leave="([^"]+)"', text)
        assert found
        return found[1]

    before, now = (leaving(ann.get(f"/review/{films[0]}").text) for _ in range(2))
    assert ann.post(before).status_code == 204
    assert rob.get(f"/review/{films[0]}").status_code == 409
    assert ann.post(now).status_code == 204
    assert rob.get(f"/review/{films[0]}").status_code == 200


def test_a_closed_laptop_frees_the_film_and_its_late_decision_is_refused(
    console: Console, ann: Browser, rob: Browser, films: list[str]
) -> None:
    """A heartbeat keeps it; silence for a minute frees it; a clear word, and nothing is filed."""
    ann.get(f"/review/{films[0]}")
    for _ in range(3):
        console.clock.forward(50)
        assert ann.post(f"/review/{films[0]}/keep?version=0").status_code == 204
    console.clock.forward(61)
    late = ann.post(f"/review/{films[0]}/accept", **CHOSEN)
    assert late.status_code == 409
    assert "Your time with this film ran out, and it was not decided." in late.text
    assert rob.get(f"/review/{films[0]}").status_code == 200
    for what in ("accept", "hold", "reject"):
        refused = ann.post(f"/review/{films[0]}/{what}", reason="x", **CHOSEN)
        assert refused.status_code == 409
    assert film(console, films[0]).state is State.REVIEW


def test_accepting_files_what_was_chosen_and_goes_on(
    console: Console, ann: Browser, films: list[str]
) -> None:
    """Patient, exam, name of who decided; the next film comes by itself."""
    ann.get(f"/review/{films[0]}")
    done = ann.post(f"/review/{films[0]}/accept", **CHOSEN)
    assert done.headers["location"] == "/review"
    decided = film(console, films[0])
    assert decided.state is State.APPROVED
    assert decided.decision is not None
    assert decided.decision.decided_by == "ann"
    assert decided.decision.patient.patient_id == "A100200"
    assert decided.decision.exam is not None
    assert decided.decision.exam.accession_number == "X84-100"
    assert ann.get("/review").headers["location"] == f"/review/{films[1]}"
    assert "Filed under patient A100200" in ann.get(f"/review/{films[1]}").text
    assert {"viewed", "matched", "approved"} <= set(console.events(films[0]))


def test_nobody_keeps_what_is_not_in_review_or_not_as_shown(
    console: Console, ann: Browser, rob: Browser, films: list[str]
) -> None:
    """No lease is taken on what is unknown, decided or changed; the page is told in words."""
    leases, now = console.site.leases, console.clock.now
    for one in ("none", "x" * 5000):
        assert ann.post(f"/review/{one}/keep?version=0").status_code == 404
        assert leases.holder(one, now()) is None
    ann.get(f"/review/{films[0]}")
    changed = ann.post(f"/review/{films[0]}/keep?version=7")
    assert (changed.status_code, changed.text) == (409, "changed meanwhile: load this page again")
    assert leases.holder(films[0], now()) is None
    assert ann.post(f"/review/{films[0]}/keep?version=0").status_code == 204
    console.clock.forward(61)
    # Its time ran out and nobody took it: it is taken again.
    assert ann.post(f"/review/{films[0]}/keep?version=0").status_code == 204
    console.clock.forward(61)
    rob.get(f"/review/{films[0]}")
    assert ann.post(f"/review/{films[0]}/keep?version=0").text == "now with rob"
    rob.post(f"/review/{films[0]}/accept", **CHOSEN)
    decided = film(console, films[0])
    lost = ann.post(f"/review/{films[0]}/keep?version={decided.version}")
    assert (lost.status_code, lost.text[:13]) == (409, "not in review")
    assert leases.holder(films[0], now()) is None


@pytest.mark.parametrize("what", ["hold", "reject"])
def test_holding_and_rejecting_apply_to_what_was_seen(
    console: Console, ann: Browser, rob: Browser, films: list[str], what: str
) -> None:
    """Not to a film that changed meanwhile, nor to one that another has decided."""
    ann.get(f"/review/{films[0]}")
    for version in ({}, {"version": "7"}):
        refused = ann.post(f"/review/{films[0]}/{what}", reason="x", **version)
        assert refused.status_code == 409
        assert "changed" in refused.text
    ann.post(f"/review/{films[0]}/accept", **CHOSEN)
    decided = film(console, films[0])
    console.site.leases.take(films[0], "rob", console.clock.now(), 60)
    refused = rob.post(f"/review/{films[0]}/{what}", reason="x", version=str(decided.version))
    assert refused.status_code == 409
    assert "not in review any more" in refused.text
    assert film(console, films[0]) == decided


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("accept", "You have filed this already, under patient A100200."),
        ("hold", "You have put this on hold already."),
        ("reject", "You have rejected this already."),
    ],
)
def test_a_second_answer_tells_of_the_first_and_changes_nothing(
    console: Console, ann: Browser, rob: Browser, films: list[str], first: str, words: str
) -> None:
    """A double click is never told that nothing was decided; it may be undone from there."""
    form = {**CHOSEN, "reason": "ask the ward"}
    ann.get(f"/review/{films[0]}")
    assert ann.post(f"/review/{films[0]}/{first}", **form).status_code == 303
    decided = film(console, films[0])
    for again in ("accept", "hold", "reject"):
        second = ann.post(f"/review/{films[0]}/{again}", **form)
        assert second.status_code == 409
        assert words in second.text
        assert f'action="/review/{films[0]}/undo"' in second.text
        assert words not in rob.post(f"/review/{films[0]}/{again}", **form).text
    assert film(console, films[0]) == decided
    assert ann.post(f"/review/{films[0]}/undo").status_code == 303
    assert film(console, films[0]).state is State.REVIEW


def test_the_second_candidate_and_no_exam_are_what_was_chosen(
    console: Console, ann: Browser, films: list[str]
) -> None:
    """Never the first by itself; and an exam that is not known is none, not the proposed one."""
    ann.get(f"/review/{films[0]}")
    ann.post(f"/review/{films[0]}/accept", patient="MERCY:A100201", exam="-", version="0")
    decided = film(console, films[0]).decision
    assert decided is not None
    assert (decided.patient.patient_id, decided.exam) == ("A100201", None)
    ann.get(f"/review/{films[1]}")
    ann.post(f"/review/{films[1]}/accept", patient="MERCY:A100200", exam="-", version="0")
    decided = film(console, films[1]).decision
    assert decided is not None
    assert (decided.patient.patient_id, decided.exam) == ("A100200", None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"patient": ""}, "No patient was chosen"),
        ({"exam": ""}, "No exam was chosen"),
        ({"patient": "MERCY:0"}, "not in the index"),
        ({"exam": "X99-999"}, "not an exam of this patient"),
        ({"version": "7"}, "changed"),
    ],
)
def test_what_does_not_fit_is_refused(
    console: Console, ann: Browser, films: list[str], change: dict[str, str], words: str
) -> None:
    """With a sentence; nothing is filed."""
    ann.get(f"/review/{films[0]}")
    refused = ann.post(f"/review/{films[0]}/accept", **(CHOSEN | change))
    assert refused.status_code == 409
    assert words in refused.text
    assert film(console, films[0]).state is State.REVIEW


def test_a_decision_is_taken_back_until_the_film_is_wrapped(
    console: Console, ann: Browser, rob: Browser, films: list[str]
) -> None:
    """By who took it, with the reasons it had; nothing is due any more."""
    before = film(console, films[0])
    ann.get(f"/review/{films[0]}")
    ann.post(f"/review/{films[0]}/accept", **CHOSEN)
    assert rob.post(f"/review/{films[0]}/undo").status_code == 409
    back = ann.post(f"/review/{films[0]}/undo")
    assert back.headers["location"] == f"/review/{films[0]}"
    after = film(console, films[0])
    assert (after.state, after.reasons, after.decision) == (State.REVIEW, before.reasons, None)
    with console.site.services.ledger.reading() as view:
        assert view.task(Stage.WRAP, films[0]) is None
    ann.get(f"/review/{films[0]}")
    again = {**CHOSEN, "version": str(after.version)}
    assert ann.post(f"/review/{films[0]}/accept", **again).status_code == 303


@pytest.mark.parametrize("what", ["hold", "reject"])
def test_hold_and_rescan_are_taken_back_too(
    console: Console, ann: Browser, films: list[str], what: str
) -> None:
    """A held film is offered to nobody; taken back it is in review as before."""
    ann.get(f"/review/{films[0]}")
    ann.post(f"/review/{films[0]}/{what}", reason="ask the ward", version="0")
    assert ann.get("/review").headers["location"] != f"/review/{films[0]}"
    ann.post(f"/review/{films[0]}/undo")
    assert film(console, films[0]).state is State.REVIEW
    assert ann.get("/review").headers["location"] == f"/review/{films[0]}"


def test_a_scan_without_films_is_kept_and_rejected_once(
    console: Console, ann: Browser, films: list[str]
) -> None:
    """By the same heartbeat and the same rules as a film."""
    odd = scan("odd", source="odd.tif", position=9, state=State.REVIEW)
    odd = replace(odd, reasons=(reason(Code.KIND_UNKNOWN),))
    with console.site.services.ledger.transaction() as tx:
        tx.add(odd, happened("odd", "review", reasons=[]))
    text = ann.get("/review/odd").text
    assert 'data-keep="/review/odd/keep?version=0"' in text
    assert "/static/lease.js" in text
    for _ in range(3):
        console.clock.forward(50)
        assert ann.post("/review/odd/keep?version=0").status_code == 204
    assert ann.post("/review/odd/reject", version="7").status_code == 409
    assert ann.post("/review/odd/reject", version="0").status_code == 303
    assert "You have rejected this already." in ann.post("/review/odd/reject", version="0").text


def test_a_hold_needs_a_reason(ann: Browser, films: list[str]) -> None:
    """Else nobody knows what is to be found out."""
    ann.get(f"/review/{films[0]}")
    assert ann.post(f"/review/{films[0]}/hold", reason=" ").status_code == 409


def test_what_a_film_says_is_shown_as_text_with_its_doubtful_characters(
    ann: Browser, films: list[str]
) -> None:
    """Markup on labels and in names of files is no markup here."""
    text = ann.get(f"/review/{films[0]}").text
    assert "<script>alert" not in text
    assert "MARTIN<B>" not in text
    assert "J-<i>1" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "MART<mark>L</mark>NEZ" in text
    assert '<span class="mark similar" title="film: similar">' in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("A100201", ["A100201", "A100200"]),
        ("martinez", ["A100200"]),
        ("MARTI", ["A100201", "A100200"]),
        ("anna, martinez 1931-04-02", ["A100200"]),
        ("X84-100", ["A100200"]),
        ("A10020O", ["A100201", "A100200"]),
        ("B900900", []),
        ("nobody", []),
        ("MA", []),
        ("", []),
        ("<script>", []),
    ],
)
def test_the_index_is_searched_by_what_people_type(
    ann: Browser, films: list[str], query: str, found: list[str]
) -> None:
    """Number, near number, accession number, names in any order or begun, a date of birth."""
    answer = ann.post(f"/review/{films[0]}/search", q=query)
    assert answer.status_code == 200
    shown = re.findall(r'data-number="(A\d+)"', answer.text)
    assert set(found) == set(shown)
    assert "<script>" not in answer.text


def picture(browser: Browser, path: str) -> np.ndarray:
    answer = browser.get(path)
    assert answer.headers["content-type"] == "image/jpeg"
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_pictures_show_the_film_as_asked(ann: Browser, films: list[str]) -> None:
    """Window, inversion, turn, mirror and enlargement, told by the film's own values."""
    path = f"/films/{films[0]}/picture?size=300&center=32768&width=65536"
    plain = picture(ann, path)
    assert plain.shape == (ROWS, COLUMNS)
    assert plain[40, 40] > 250
    assert abs(int(plain[150, 120]) - 31000 / 257) < 4
    inverted = picture(ann, f"{path}&invert=true")
    assert abs(int(inverted[150, 120]) + int(plain[150, 120]) - 255) <= 3
    turned = picture(ann, f"{path}&turn=1")
    assert turned.shape == (COLUMNS, ROWS)
    assert turned[40, ROWS - 40] > 250
    assert picture(ann, f"{path}&flip=true")[40, COLUMNS - 40] > 250
    narrow = picture(ann, f"/films/{films[0]}/picture?size=300&center=31000&width=100")
    assert narrow[150, 60] == 0
    assert narrow[150, 200] == 255
    near = picture(ann, f"{path}&zoom=4&x=0.166&y=0.133")
    assert (near > 250).mean() > 0.3


def test_values_are_the_films_own_whole_or_averaged(ann: Browser, films: list[str]) -> None:
    """Row by row, little-endian, nothing before or after; the last row and column are kept."""
    whole = np.frombuffer(ann.get(f"/films/{films[0]}/pixels").content, "<u2")
    assert np.array_equal(whole.reshape(ROWS, COLUMNS), film_pixels())
    small = np.frombuffer(ann.get(f"/films/{films[0]}/pixels?reduce=7").content, "<u2")
    small = small.reshape(-(-ROWS // 7), -(-COLUMNS // 7))
    assert abs(int(small[20, 10]) - film_pixels()[140:147, 70:77].mean()) <= 1
    assert ann.get(f"/films/{films[0]}/pixels?reduce=0").status_code == 422


def test_tones_tell_the_film(ann: Browser, films: list[str]) -> None:
    """Size, bits, and spacing at the film plane."""
    told = ann.get(f"/films/{films[0]}/tones").json()
    assert (told["rows"], told["columns"], told["bits"]) == (ROWS, COLUMNS, 16)
    assert told["row_mm"] == pytest.approx(0.254)


@pytest.mark.parametrize(
    "path",
    [
        "/films/none/picture",
        "/films/film0/crops/0",
        "/films/film0/picture?size=1",
        "/films/film0/picture?zoom=1e9",
        "/films/film0/picture?center=nan",
        "/scans/../../etc/picture",
    ],
)
def test_pictures_that_are_not_there_are_told(ann: Browser, films: list[str], path: str) -> None:
    """404 or 422, never a traceback."""
    assert ann.get(path).status_code in (404, 422)


def test_nothing_left_is_told(console: Console, ann: Browser) -> None:
    """In words."""
    assert "No film waits for a person" in ann.get("/review").text
