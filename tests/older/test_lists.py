"""Every number of an older archive leads to its list, on the screen, in the CSV and on paper."""

from pathlib import Path

import pypdfium2 as pdfium
import pytest
from old_instances import an_instance, uid
from old_town import OldSite

from digitizer.model.older import Source, SourceKind
from digitizer.model.reasons import Code
from digitizer.model.states import State
from digitizer.pipeline.older import lists, reconcile
from digitizer.pipeline.older.columns import (
    INSTANCE_COLUMNS,
    STUDY_COLUMNS,
    instance_rows,
    study_rows,
)
from digitizer.pipeline.older.printed import printed_source
from digitizer.pipeline.older.sources import add_source

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def source(site: OldSite, tmp_path: Path) -> Source:
    """Return a disc with a study that goes, two that wait, copies of both, and damage."""
    disc = tmp_path / "disc"
    disc.mkdir()
    files = {
        "1": an_instance(study="goes", IssuerOfPatientID=""),
        "2": an_instance(study="goes", IssuerOfPatientID=""),
        "3": an_instance(study="waits", PatientBirthDate=""),
        "4": an_instance(study="waits", PatientBirthDate=""),
        "5": an_instance(study="too", PatientBirthDate=""),
        "6": an_instance(study="cut")[:-9],
        "7": b"",
        "8": b"nothing of the kind" * 99,
    }
    for name, content in files.items():
        (disc / name).write_bytes(content)
    made = add_source(site.services, "disc", SourceKind.FOLDER, str(disc), user="ann", issuer="GEN")
    site.work(made)
    return made


def places(site: OldSite, source: Source, name: str, code: Code | None = None) -> list[str]:
    return [row.place for row in lists.listed(site.services, source, name, code=code)]


def test_damage_and_open_copies_have_lists(site: OldSite, source: Source) -> None:
    """As long as the numbers that the report goes by."""
    with site.services.ledger.reading() as view:
        told = reconcile.source_json(view, source)
    assert places(site, source, "damaged") == ["6", "7"]
    assert told["damaged"] == 2
    assert places(site, source, "duplicate") == ["2", "4"]
    assert places(site, source, "open_duplicates") == ["4"]
    assert told["open_duplicates"] == 1
    for code, number in told["refused"].items():
        assert len(places(site, source, "refused", Code(code))) == number
    assert places(site, source, "refused", Code.TRUNCATED_FILE) == ["6"]


def test_a_table_tells_what_was_sent_to_whom(site: OldSite, source: Source) -> None:
    """Also of what was not sent, where there is nothing to tell."""
    found = lists.listed(site.services, source, "found")
    rows = {
        cells[0]: dict(zip(INSTANCE_COLUMNS, cells, strict=True))
        for cells in instance_rows(site.services, found)
    }
    sent, waits, junk = rows["1"], rows["3"], rows["8"]
    assert (sent["issuer"], sent["patient_id"]) == ("GEN", "4711822")
    assert (sent["study_instance_uid"], sent["sent_as"]) == (
        uid("study", "goes"),
        uid("instance", "goes", 1),
    )
    assert len(sent["sent_sha256"]) == 64
    assert (waits["study_instance_uid"], waits["patient_id"]) == (uid("study", "waits"), "")
    assert (waits["sent_as"], waits["sent_sha256"], junk["study"]) == ("", "", "")


def test_studies_are_a_table_too(site: OldSite, source: Source) -> None:
    """With how many instances there are of each."""
    cells = study_rows(site.services, source, site.studies())
    rows = [dict(zip(STUDY_COLUMNS, one, strict=True)) for one in cells]
    told = {row["study_instance_uid"]: row for row in rows}
    goes, waits = told[uid("study", "goes")], told[uid("study", "waits")]
    assert (goes["state"], goes["patient_id"], goes["found"], goes["taken"]) == (
        "verified", "4711822", "2", "1",
    )  # fmt: skip
    assert (waits["state"], waits["patient_id"], waits["header_patient_id"]) == (
        "review", "", "4711822",
    )  # fmt: skip
    assert waits["codes"] == site.studies(State.REVIEW)[0].code


def test_paper_says_what_it_leaves_out(site: OldSite, source: Source) -> None:
    """Of studies that are held as of instances."""
    content = printed_source(site.services, source, by="kay", most_rows=1)
    pages = pdfium.PdfDocument(content)
    text = " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pages).split())
    assert "Only the first 1 of 2 are printed" in text
