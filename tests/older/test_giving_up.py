"""What cannot be had is done without by a person's word, for what the person saw alone."""

from pathlib import Path
from typing import Any

import pytest
from old_instances import an_instance
from old_town import OldSite

from digitizer.errors import UsageError
from digitizer.model.older import Source, SourceKind
from digitizer.pipeline.older import reconcile
from digitizer.pipeline.older.giving_up import give_up
from digitizer.pipeline.older.sources import add_source, stock_again

GONE = "Scratched; no other copy in the house."


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return a disc of one instance that comes over, and two that are damaged."""
    folder = tmp_path / "disc"
    folder.mkdir()
    (folder / "1").write_bytes(an_instance(study="goes", IssuerOfPatientID=""))
    (folder / "2").write_bytes(an_instance(study="cut")[:-9])
    (folder / "3").write_bytes(b"")
    return folder


@pytest.fixture
def source(site: OldSite, disc: Path) -> Source:
    made = add_source(site.services, "disc", SourceKind.FOLDER, str(disc), user="ann", issuer="GEN")
    site.work(made)
    return made


def told(site: OldSite, source: Source) -> dict[str, Any]:
    with site.services.ledger.reading() as view:
        return reconcile.source_json(view, view.get(Source, source.id))


def test_what_cannot_be_had_is_done_without_by_name(site: OldSite, source: Source) -> None:
    """The rest may be released; numbers and lists stay, and the report says who gave what up."""
    before = told(site, source)
    assert before["against_release"] == ["files that are damaged, and only here: 2"]
    give_up(site.services, "disc", "damaged", user="lea", why=GONE, count=2)
    after = told(site, source)
    assert after["against_release"] == []
    (word,) = after["given_up"]
    assert (word["list"], word["count"], word["by"], word["holds"]) == ("damaged", 2, "lea", True)
    assert (after["damaged"], after["refused"]) == (before["damaged"], before["refused"])
    report = site.report(source)
    assert "May be released" in report
    assert "lea does without files that are damaged, and only here (2)" in report
    assert GONE in report
    with site.services.ledger.reading() as view:
        (event,) = (one for one in view.events(source.id) if one.name == "given_up")
    assert (event.actor, event.payload["list"], event.payload["why"]) == ("lea", "damaged", GONE)


def test_the_word_is_for_what_the_person_saw(site: OldSite, source: Source, disc: Path) -> None:
    """As many others in their place are not given up."""
    give_up(site.services, "disc", "damaged", user="lea", why=GONE)
    (disc / "3").unlink()
    (disc / "4").write_bytes(an_instance(study="cut too")[:-9])
    stock_again(site.services, "disc", user="lea")
    site.work(source)
    after = told(site, source)
    assert not after["given_up"][0]["holds"]
    assert any("damaged" in words for words in after["against_release"])
    assert "It does not hold any more" in site.report(source)


def test_another_damaged_file_at_the_same_place_is_another(
    site: OldSite, source: Source, disc: Path
) -> None:
    """The word was for what lay there; what lies there now may be had elsewhere."""
    give_up(site.services, "disc", "damaged", user="lea", why=GONE)
    stock_again(site.services, "disc", user="lea")
    site.work(source)
    assert told(site, source)["given_up"][0]["holds"]
    (disc / "2").write_bytes(an_instance(study="another", number=7)[:-9])
    stock_again(site.services, "disc", user="lea")
    site.work(source)
    after = told(site, source)
    assert after["damaged"] == 2
    assert not after["given_up"][0]["holds"]


def test_nothing_is_given_up_by_mistake(site: OldSite, source: Source) -> None:
    """Neither without a reason, nor an empty list, nor what a person has not seen."""
    for what, why, count in (
        ("damaged", " ", None),
        ("missing", GONE, None),
        ("damaged", GONE, 1),
        ("differing", GONE, None),
    ):
        with pytest.raises(UsageError):
            give_up(site.services, "disc", what, user="lea", why=why, count=count)
    assert told(site, source)["given_up"] == []
