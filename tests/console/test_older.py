"""Older archives in the console: figures, lists, a decision once, and nobody's markup."""

import re

import pytest
from console_cellar import EVIL, fill_cellar
from console_site import Browser, Console

from digitizer.model.older import OldStudy
from digitizer.model.states import State
from digitizer.model.users import Role


@pytest.fixture
def cellar(console: Console) -> Console:
    """Return a console that knows an older archive."""
    fill_cellar(console)
    return console


def test_every_number_has_its_list_and_markup_is_text(cellar: Console, lea: Browser) -> None:
    """What a hostile disc calls its files is shown, not obeyed."""
    assert "disc/7" in lea.get("/older").text
    told = re.sub(r"<[^>]+>", " ", lea.get("/migration").text)
    assert re.search(r"disc/7\s+1\s+0\s+0\s+1\s+0", told)
    page = lea.get("/older/sources/old1").text
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    for name in re.findall(r"instances\?list=(\w+)", page):
        listed = lea.get(f"/older/sources/old1/instances?list={name}")
        assert listed.status_code == 200, name
        assert EVIL not in listed.text
    written = lea.get("/older/sources/old1/instances.csv?list=refused").text
    assert written.splitlines()[1].startswith(f"{EVIL}.exe")
    alone = "/older/sources/old1/instances.csv?list=refused&code=truncated_file"
    assert len(lea.get(alone).text.splitlines()) == 1
    studies = lea.get("/older/sources/old1/studies.csv").text
    assert studies.splitlines()[0].startswith("study,study_instance_uid,state,")
    assert len(studies.splitlines()) == 2
    assert lea.get("/older/sources/old1/instances?list=nonsense").status_code == 409


def test_a_list_written_out_bears_the_name_of_its_source(cellar: Console, lea: Browser) -> None:
    """Whatever signs that holds; of a list that there is not, nothing is written."""
    path = "/older/sources/old1/instances.csv?list="
    named = lea.get(path + "refused").headers["content-disposition"]
    assert named == "attachment; filename*=UTF-8''disc%2F7-refused.csv"
    for nonsense in ("nonsense", "%E6%97%A5", "a%0d%0aX-Evil:%201"):
        assert lea.get(path + nonsense).status_code == 409
    assert cellar.events("old1").count("written_out") == 1


def test_older_studies_that_wait_are_told_where_work_is_looked_for(
    cellar: Console, ann: Browser, lea: Browser
) -> None:
    """To those who review films, and to those who watch the migration."""
    assert "1 older studies</a> wait for a person" in ann.get("/review").text
    assert "older studies that wait for a person</a></dt><dd>1</dd>" in lea.get("/migration").text
    assert "waits for people" in lea.get("/older").text


def test_what_cannot_be_had_is_given_up_as_it_was_seen(cellar: Console, lea: Browser) -> None:
    """By a lead, with a reason; the page says what still speaks against a release."""
    path = "/older/sources/old1"
    page = " ".join(lea.get(path).text.split())
    assert "May not be released: studies under way or waiting for a person: 1; " in page
    assert "files that are damaged, and only here: 1" in page
    form = {"what": "damaged", "count": "1", "why": "scratched"}
    assert lea.post(f"{path}/give-up", **{**form, "count": "2"}).status_code == 409
    assert lea.post(f"{path}/give-up", **form).status_code == 303
    page = " ".join(lea.get(path).text.split())
    assert "lea does without files that are damaged, and only here (1): scratched" in page
    assert "only here: 1" not in page
    assert f'action="{path}/give-up"' not in page
    cellar.add("ann", Role.REVIEWER)
    assert cellar.sign_in("ann").post(f"{path}/give-up", **form).status_code == 403


def test_a_study_is_decided_once_and_only_as_it_was_shown(cellar: Console, ann: Browser) -> None:
    """An old version is refused; what collides must be settled."""
    page = ann.get("/older/studies/st1").text
    assert "BERG, ANNA" in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    form = {"version": version[1], "patient": "GEN:100"}
    assert ann.post("/older/studies/st1/accept", **form).status_code == 409
    form["collisions"] = "leave"
    wrong = {**form, "accession": "A0"}
    refused = ann.post("/older/studies/st1/accept", **wrong)
    assert refused.status_code == 409
    assert "not an exam of this patient" in refused.text
    assert ann.post("/older/studies/st1/accept", **{**form, "version": "7"}).status_code == 409
    assert ann.post("/older/studies/st1/accept", **form).status_code == 303
    assert ann.post("/older/studies/st1/accept", **form).status_code == 409
    with cellar.site.services.ledger.reading() as view:
        study = view.get(OldStudy, "st1")
        names = [one.name for one in view.events("st1")]
        left = view.old_instances(study_id="st1", states=(State.REJECTED,))
    assert study.state is State.APPROVED
    assert study.decision is not None
    assert (study.decision.decided_by, study.patient_id) == ("ann", "100")
    assert names.count("approved") == 1
    assert "viewed" in names
    assert [row.place for row in left] == ["2"]
    approved = ann.get("/older/studies/st1").text
    assert "Decided by mistake?" in approved
    version = re.search(r'name="version" value="(\d+)"', approved)
    assert version is not None
    back = {"version": version[1], "reason": "The other Anna."}
    theirs = ann.get("/patients?number=100&issuer=GEN").text
    assert "From older archives" in theirs
    assert ann.post("/older/studies/st1/hold", **back).status_code == 303
    aside = ann.get("/older/studies/st1").text
    assert "It was put aside: release it first." in aside
    assert "<td>put on hold</td><td>ann</td><td>The other Anna.</td>" in aside
