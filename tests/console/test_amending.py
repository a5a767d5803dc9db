"""What reviewers put right on a page or by the API: with the lease, once, and as it was shown."""

from pathlib import Path

import pytest
from console_films import fill_review
from console_site import Browser, Console

from digitizer.model.reading import FieldName
from digitizer.model.records import Jacket, Sheet
from digitizer.model.states import State
from digitizer.model.users import Role


@pytest.fixture
def films(console: Console, tmp_path: Path) -> list[str]:
    return fill_review(console, tmp_path)


def film(console: Console, id: str) -> Sheet:
    with console.site.services.ledger.reading() as view:
        return view.get(Sheet, id)


def program(browser: Browser, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    headers = {"x-csrf-token": browser.csrf}
    answer = browser.client.post(f"/api/v1/films/{path}", json=body, headers=headers)
    return answer.status_code, answer.json()


CHANGES = (
    ("review/film0/correct", {"family_name": "MARTINEZ"}),
    ("review/film0/misfiled", {"reason": "another hand"}),
    ("films/film0/adjust", {"turn": "90", "mirrored": "false"}),
    ("review/film1/split", {"name": "J-9"}),
)


def test_nothing_is_put_right_without_the_lease_or_on_another_version(
    console: Console, ann: Browser, films: list[str]
) -> None:
    """Each is refused in words, and nothing is written."""
    before = [film(console, one) for one in films]
    for path, form in CHANGES:
        late = ann.post(f"/{path}", version="0", **form)
        assert late.status_code == 409
        assert "Your time with this film ran out" in late.text, path
    console.add("rob", Role.REVIEWER)
    rob = console.sign_in("rob")
    for one in films[:2]:
        rob.get(f"/review/{one}")
    for path, form in CHANGES:
        assert ann.post(f"/{path}", version="0", **form).status_code == 409
        stale = rob.post(f"/{path}", version="7", **form)
        assert (stale.status_code, "changed this first" in stale.text) == (409, True), path
    status, told = program(ann, "film0/misfiled", {"misfiled": True, "version": 0})
    assert (status, told["title"]) == (409, "This film is with rob.")
    assert [film(console, one) for one in films] == before


def test_a_reviewer_puts_a_film_right(console: Console, ann: Browser, films: list[str]) -> None:
    """A field, its jacket, its turn; each shown, each taken back by U; the film stays here."""
    here = f"/review/{films[0]}"
    ann.get(here)

    def put(path: str, **form: str) -> str:
        version = str(film(console, films[0]).version)
        done = ann.post(path, version=version, **form)
        assert done.headers["location"] == here, done.text
        return str(ann.get(here).text)

    text = put(f"{here}/correct", family_name="martinez", study_date="1984-05-29", sex="")
    assert '<b class="said-by" title="A person\'s correction">MARTINEZ</b>' in text
    assert "MARTLNEZ" in text
    assert film(console, films[0]).corrections == {FieldName.FAMILY_NAME: "MARTINEZ"}
    assert film(console, films[0]).fields[FieldName.FAMILY_NAME].value == "MARTLNEZ"
    assert ann.post(f"{here}/correct", sex="X", version="1").status_code == 409
    text = put(f"{here}/misfiled", reason="<b>another</b> hand")
    assert "&lt;b&gt;another&lt;/b&gt; hand" in text
    assert "does it belong to this jacket after all" in text.lower()
    ann.post(f"{here}/undo")
    assert film(console, films[0]).misfiled == ""
    put(f"{here}/misfiled")
    put(f"{here}/misfiled", back="true")
    assert film(console, films[0]).misfiled == ""
    put(f"/films/{films[0]}/adjust", turn="270", mirrored="true", own_window="true")
    geometry = film(console, films[0]).geometry
    assert geometry is not None
    assert (geometry.turn_deg, geometry.mirrored) == (270, True)
    assert ann.get(f"/films/{films[0]}/adjust").status_code == 200
    tones = ann.get(f"/films/{films[0]}/tones").json()
    put(
        f"/films/{films[0]}/adjust",
        turn="270", mirrored="true", center="20000", width="3000", corners="",
    )  # fmt: skip
    assert tones["center"] != 20000
    assert ann.get(f"/films/{films[0]}/tones").json()["center"] == 20000
    version = str(film(console, films[0]).version)
    for bad in ("1,2", "a,b c,d e,f g,h", "0,0 5,0 5,5 0,5", "0,0 nan,0 9,9 0,9"):
        refused = ann.post(f"/films/{films[0]}/adjust", corners=bad, version=version)
        assert refused.status_code == 409, bad
    moved = ann.post(
        f"/films/{films[0]}/adjust",
        corners="10,10 230,10 230,290 10,290", turn="0", version=version,
    )  # fmt: skip
    assert moved.headers["location"] == f"/films/{films[0]}"
    assert film(console, films[0]).state is State.PREPARED
    assert {"field_corrected", "marked_misfiled", "adjusted"} <= set(console.events(films[0]))


def test_a_jacket_is_split_here_and_joined_by_undo(
    console: Console, ann: Browser, films: list[str]
) -> None:
    """From the film that is looked at; the page says what became of it."""
    here = f"/review/{films[1]}"
    ann.get(here)
    assert ann.post(f"{here}/split", version="0").headers["location"] == here
    moved = film(console, films[1])
    assert moved.jacket_id == film(console, films[2]).jacket_id
    assert moved.jacket_id != film(console, films[0]).jacket_id
    with console.site.services.ledger.reading() as view:
        assert view.get(Jacket, moved.jacket_id).name == "J-<i>1#2"
    assert "2 scans are jacket BOX-1/J-&lt;i&gt;1#2 now" in ann.get(here).text
    ann.post(f"{here}/undo")
    assert film(console, films[1]).jacket_id == "j1"


def test_a_program_puts_films_right(console: Console, ann: Browser, films: list[str]) -> None:
    """The same, in JSON; what cannot be is a problem in words."""
    status, told = program(
        ann, "film0/corrections", {"fields": {"birth_date": "1931-04-02"}, "version": 0}
    )
    assert (status, told["corrections"]) == (200, {"birth_date": "1931-04-02"})
    status, told = program(ann, "film0/misfiled", {"misfiled": True, "version": told["version"]})
    assert (status, told["misfiled"]) == (200, True)
    status, told = program(ann, "film0/picture", {"turn_deg": 90, "version": told["version"]})
    assert status == 200
    assert program(ann, "film0/picture", {"turn_deg": 45, "version": told["version"]})[0] == 409
    status, told = program(ann, "film1/split", {"version": 0})
    assert (status, told["jacket"], told["scans"]) == (200, "J-<i>1#2", 2)
    for path, body in (
        ("film0/corrections", {"fields": {"nonsense": "x"}, "version": 0}),
        ("film0/picture", {"corners": [[1, 2]], "version": 0}),
        ("film0/picture", {"corners": [["1e999", 2]] * 4, "version": 0}),
    ):
        assert program(ann, path, body)[0] == 422, path
    assert program(ann, "none/split", {"version": 0})[0] == 404
    read = ann.get("/api/v1/films/film0").json()
    assert (read["misfiled"], read["corrections"]) == (True, {"birth_date": "1931-04-02"})
