"""Studies that a person ends and takes up again: nothing is filed, lost or left lying by it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from discs import SMITH, Disc, Interrupting
from old_instances import an_instance, uid
from old_town import OldSite

from digitizer import dicom
from digitizer.cli.older_words import source_words, study_words
from digitizer.errors import SourceUnreachable, UsageError
from digitizer.model.older import (
    Keep,
    OldHeader,
    OldInstance,
    OldStudy,
    PeerInstance,
    PeerStudy,
    Source,
    SourceKind,
)
from digitizer.model.reasons import Code
from digitizer.model.records import Stage
from digitizer.model.states import State
from digitizer.pipeline.advance import advance
from digitizer.pipeline.older import lists, reconcile, rejecting, review
from digitizer.pipeline.older.review import Collisions
from digitizer.pipeline.older.sources import add_source
from digitizer.pipeline.stages import STAGES

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.mark.parametrize("act", [rejecting.reject, review.hold])
def test_what_is_on_its_way_is_neither_rejected_nor_held(
    site: OldSite, disc: Disc, act: Any
) -> None:
    """Nobody is told that nothing goes into the archive while it goes."""
    for number in (1, 2, 3):
        disc.put(str(number), number)
    source, study = disc.approved()
    between = Interrupting(site.services.archive, lambda: act(site.services, study, user="ann"))
    advance(site.with_archive(between).services, Stage.OLD_STORE, study, STAGES)
    assert between.refused == 1
    site.work(source)
    assert [one.state for one in site.studies()] == [State.VERIFIED]


def test_a_copy_is_revived_when_its_first_is_rejected(site: OldSite, tmp_path: Path) -> None:
    """Nothing is released on the word of a copy; and new files of such a study are decided."""
    first, second = Disc(site, tmp_path / "a"), Disc(site, tmp_path / "b")
    first.put("1", 1, PatientName="XX^YY")
    second.put("1", 1, PatientName="XX^YY")
    sources = [first.add(), second.add()]
    for source in sources:
        site.work(source)
    with site.services.ledger.reading() as view:
        assert view.old_open_duplicates(sources[1].id) == 1
    (study,) = site.studies(State.REVIEW)
    rejecting.reject(site.services, study.id, user="ann")
    site.work(sources[1])
    (revived,) = site.studies(State.REVIEW)
    assert revived.source_id == sources[1].id
    with site.services.ledger.reading() as view:
        assert view.old_open_duplicates(sources[1].id) == 0


def test_what_was_rejected_by_mistake_is_opened_again(site: OldSite, disc: Disc) -> None:
    """It is decided anew, and all of it goes; what came meanwhile goes with it."""
    for number in (1, 2):
        disc.put(str(number), number, PatientID="9999999")
    source = disc.add()
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    rejecting.reject(site.services, study.id, user="ann", why="A test patient.")
    with site.services.ledger.reading() as view:
        rows = view.old_instances(study_id=study.id)
    assert {lists.why(row) for row in rows} == {"A person rejected it."}
    told = site.report(source)
    assert "Studies that people rejected" in told
    assert "A test patient." in told
    disc.put("3", 3, PatientID="9999999")
    disc.look_again(source)
    site.work(source)
    assert [one.state for one in site.studies()] == [State.REJECTED]
    opened = rejecting.open_again(site.services, study.id, user="bob", why="It is Jane after all.")
    assert (opened.state, opened.decision, opened.confirmed) == (State.READ, None, ())
    site.work(source)
    (study,) = site.studies(State.REVIEW)
    review.accept(site.services, study.id, user="bob", patient_id="GEN:4711822", undo_window_s=0.0)
    site.work(source)
    with site.services.ledger.reading() as view:
        document = reconcile.source_json(view, view.get(Source, source.id))
        told = [(one.name, one.actor) for one in view.events(study.id)]
        whole = reconcile.study_in_full_json(study, (), {}, view.events(study.id))
    words = study_words(whole)
    assert "rejected, ann: A test patient.\n" in words
    assert "opened again, bob: It is Jane after all.\n" in words
    assert "review, auto: The index does not have the header's record number.\n" in words
    assert (document["found"], document["verified"], document["refused"]) == (3, 3, {})
    assert ("opened_again", "bob") in told
    with pytest.raises(UsageError, match="was not rejected by a person"):
        rejecting.open_again(site.services, study.id, user="bob")


def test_what_took_the_place_of_the_rejected_keeps_it(site: OldSite, tmp_path: Path) -> None:
    """Opened again, a study whose copy went to the archive meanwhile is that copy's copy."""
    first, second = Disc(site, tmp_path / "a"), Disc(site, tmp_path / "b")
    first.put("1", 1, PatientName="XX^YY")
    second.put("1", 1, PatientName="XX^YY")
    sources = [first.add(), second.add()]
    for source in sources:
        site.work(source)
    (study,) = site.studies(State.REVIEW)
    rejecting.reject(site.services, study.id, user="ann")
    site.work(sources[1])
    (revived,) = site.studies(State.REVIEW)
    review.accept(
        site.services, revived.id, user="ann", patient_id="GEN:4711822", undo_window_s=0.0
    )
    site.work(sources[1])
    rejecting.open_again(site.services, study.id, user="ann")
    site.work(sources[0])
    states = {one.id: one.state for one in site.studies()}
    assert states == {study.id: State.DUPLICATE, revived.id: State.VERIFIED}


def test_what_ended_by_itself_goes_on_with_more(site: OldSite, disc: Disc) -> None:
    """A study of which rules left nothing is no study that a person rejected."""
    disc.put("1", 1, SeriesDescription="PHANTOM")
    rule = (
        'version = "1"\n[[rule]]\nname = "phantom"\n'
        'when = { tag = "SeriesDescription", equals = "PHANTOM" }\nthen = { reject = "A test." }\n'
    )
    rules = (*site.services.coercions(), *dicom.read_rules(rule))
    ruled = OldSite(replace(site.services, coercions=lambda: rules), site.settings, site.neighbour)
    source = disc.add()
    ruled.work(source)
    (study,) = site.studies(State.REVIEW)
    review.accept(ruled.services, study.id, user="ann", patient_id="GEN:4711822", undo_window_s=0.0)
    ruled.work(source)
    assert [one.state for one in site.studies()] == [State.REJECTED]
    disc.put("2", 2)
    disc.look_again(source)
    ruled.work(source)
    with site.services.ledger.reading() as view:
        states = {row.place: row.state for row in view.old_instances(source_id=source.id)}
    assert states == {"1": State.REJECTED, "2": State.VERIFIED}


def rows_of(site: OldSite, source: Source) -> dict[str, OldInstance]:
    with site.services.ledger.reading() as view:
        return {row.place: row for row in view.old_instances(source_id=source.id)}


def told(site: OldSite, source: Source) -> dict[str, Any]:
    with site.services.ledger.reading() as view:
        return reconcile.source_json(view, view.get(Source, source.id))


def study_of(site: OldSite, source: Source) -> OldStudy:
    (found,) = (one for one in site.studies() if one.source_id == source.id)
    return found


UNKNOWN = {"PatientName": "XX^YY"}
"""Contradicts the bearer of the number: a person is asked."""


def test_no_copy_within_a_rejected_study_lies_open(site: OldSite, tmp_path: Path) -> None:
    """Neither does it wait for ever, nor keep another disc's copy from going."""
    first, second = Disc(site, tmp_path / "a"), Disc(site, tmp_path / "b")
    first.put("1", 1, **UNKNOWN)
    first.put("copy", 1, **UNKNOWN)
    second.put("1", 1, **UNKNOWN)
    one, other = first.add(), second.add()
    for source in (one, other):
        site.work(source)
    study = study_of(site, one)
    rejecting.reject(site.services, study.id, user="ann")
    site.work(one)
    site.work(other)
    assert {row.state for row in rows_of(site, one).values()} == {State.REJECTED}
    assert told(site, one)["against_release"] == []
    assert study_of(site, other).state is State.REVIEW, "the other disc's copy is decided now"


def test_what_is_rejected_stands_in_nobodys_way(site: OldSite, tmp_path: Path) -> None:
    """Of two studies that were rejected, the one that is opened again goes."""
    first, second = Disc(site, tmp_path / "a"), Disc(site, tmp_path / "b")
    first.put("1", 1, **UNKNOWN)
    second.put("1", 1, **UNKNOWN)
    second.put("2", 2, **UNKNOWN)
    one, other = first.add(), second.add()
    for source in (one, other):
        site.work(source)
    for source in (other, one):
        rejecting.reject(site.services, study_of(site, source).id, user="ann")
    rejecting.open_again(site.services, study_of(site, one).id, user="ann")
    site.work(one)
    assert study_of(site, one).state is State.REVIEW
    assert rows_of(site, one)["1"].state is State.READ


def test_a_study_rejected_while_it_is_sent_waits_for_a_person(site: OldSite, disc: Disc) -> None:
    """What arrived cannot be taken back here: it is refused, or told with whose it is there."""
    for number in (1, 2, 3):
        disc.put(str(number), number)
    source, study = disc.approved()

    def take_back() -> None:
        disc.put("9", 9, **SMITH)
        disc.look_again(source)
        disc.do(Stage.OLD_DECIDE, study)
        rejecting.reject(site.services, study, user="ann")

    between = Interrupting(site.services.archive, take_back)
    advance(site.with_archive(between).services, Stage.OLD_STORE, study, STAGES)
    assert between.refused == 1, "the archive holds the first of them"
    site.work(source)
    assert study_of(site, source).state is State.REVIEW
    assert told(site, source)["against_release"]


class Taking:
    """Stands before the archive; something is done before it is given the first instance."""

    def __init__(self, archive: Any, act: Any) -> None:
        self._archive, self._act = archive, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._archive, name)

    def store_all(self, *words: Any, **more: Any) -> Iterator[Any]:
        self._act()
        yield from self._archive.store_all(*words, **more)


@pytest.mark.parametrize("again", [False, True])
def test_what_was_taken_back_just_before_is_told(site: OldSite, disc: Disc, again: bool) -> None:
    """Nothing of it was in the archive yet, and then was: under whose name is said."""
    disc.put("1", 1)
    source, study = disc.approved()

    def take_back() -> None:
        disc.put("9", 9, **SMITH)
        disc.look_again(source)
        disc.do(Stage.OLD_DECIDE, study)
        rejecting.reject(site.services, study, user="ann")
        if again:
            rejecting.open_again(site.services, study, user="ann")

    taking = Taking(site.services.archive, take_back)
    advance(site.with_archive(taking).services, Stage.OLD_STORE, study, STAGES)
    found = study_of(site, source)
    assert found.state is State.REVIEW
    assert found.reasons[0].code is Code.STUDY_CONFLICT
    assert "GEN:4711822" in found.reasons[0].text
    with pytest.raises(UsageError, match="cannot go on by being accepted"):
        review.accept(site.services, study, user="ann", patient_id="GEN:5550001")


def test_one_unreadable_file_keeps_no_study_of_several_patients(site: OldSite, disc: Disc) -> None:
    """It is damage of that one instance: the study is asked about all the same."""
    for number in range(1, 4):
        disc.put(str(number), number)
    disc.put("9", 9, **SMITH)
    source = add_source(
        site.services, "disc", SourceKind.FOLDER, str(disc.folder), user="ann", keep=Keep.PLACE
    )
    disc.do(Stage.OLD_STOCK, source.id)
    for name in ("1", "3"):
        path = disc.folder / name
        path.write_bytes(path.read_bytes()[:-9])
    site.work(source)
    found = study_of(site, source)
    assert found.state is State.REVIEW
    assert {"4711822", "5550001"} <= {one.patient.patient_id for one in found.candidates}


def test_what_was_settled_before_counts_no_more(site: OldSite, tmp_path: Path) -> None:
    """A UID of its own is given up with the collision; notes say what is so now."""
    first, second = Disc(site, tmp_path / "a"), Disc(site, tmp_path / "b")
    first.put("1", 1, seed=5, **UNKNOWN)
    second.put("1", 1, seed=6)
    one, other = first.add(), second.add()
    for source in (one, other):
        site.work(source)
    study = study_of(site, other)
    review.accept(
        site.services, study.id, user="ann", patient_id="GEN:4711822",
        collisions=Collisions.NEW_UID, undo_window_s=100.0,
    )  # fmt: skip
    rejecting.reject(site.services, study.id, user="ann")
    rejecting.reject(site.services, study_of(site, one).id, user="ann")
    rejecting.open_again(site.services, study.id, user="ann")
    site.work(other)
    assert set(site.keeps(uid("study", "x"))) == {uid("instance", "x", 1)}
    row = rows_of(site, other)["1"]
    assert (row.state, row.sent_uid, row.note) == (State.VERIFIED, "", "")


@dataclass
class Peer:
    """An old PACS of one study; it breaks off after some instances, or is gone."""

    count: int | None
    breaks_after: int = 99
    gone: bool = False

    def peer(self, _: Source) -> "Peer":
        return self

    def studies(self, cursor: str) -> Iterator[tuple[tuple[PeerStudy, ...], str]]:
        header = OldHeader(
            patient_id="4711822", issuer="GEN", name="OKONKWO^JANE", birth_date="19310402", sex="F"
        )
        if not cursor:
            told = PeerStudy(
                study_instance_uid=uid("study", "x"), header=header, instances=self.count
            )
            yield (told,), "end"

    def instances(self, *_: str, **__: bool) -> tuple[PeerInstance, ...]:
        self._must_be_there()
        return tuple(
            PeerInstance(
                sop_instance_uid=uid("instance", "x", number),
                sop_class_uid="",
                series_instance_uid=uid("series", "x"),
            )
            for number in range(5)
        )

    def fetch(self, _: str, wanted: Sequence[PeerInstance]) -> Iterator[bytes]:
        self._must_be_there()
        asked = {one.sop_instance_uid for one in wanted}
        for given, number in enumerate(n for n in range(5) if uid("instance", "x", n) in asked):
            if given >= self.breaks_after:
                raise SourceUnreachable("It broke off.")
            yield an_instance(study="x", number=number)

    def _must_be_there(self) -> None:
        if self.gone:
            raise SourceUnreachable("It is gone.")


def emptied(site: OldSite, peer: Peer) -> tuple[OldSite, Source]:
    at_peer = OldSite(replace(site.services, sources=peer), site.settings, site.neighbour)
    source = add_source(at_peer.services, "old", SourceKind.PACS, "OLD@127.0.0.1:1", user="ann")
    for stage in (Stage.OLD_STOCK, Stage.OLD_FEED):
        advance(at_peer.services, stage, source.id, STAGES)
    advance(at_peer.services, Stage.OLD_TAKE, study_of(at_peer, source).id, STAGES)
    return at_peer, source


def test_what_was_never_fetched_to_its_end_is_fetched_first(site: OldSite) -> None:
    """A peer that tells no counts broke off: what was missing comes, and all of it goes."""
    peer = Peer(count=None, breaks_after=0)
    at_peer, source = emptied(site, peer)
    study = study_of(at_peer, source)
    assert (study.state, study.expected) == (State.WAITING, None)
    with site.services.ledger.reading() as view:
        document = reconcile.source_json(view, view.get(Source, source.id))
    assert document["waiting"] == {"source_unreachable": 1}
    assert "waiting   source unreachable 1" in source_words(document)
    rejecting.reject(at_peer.services, study.id, user="ann")
    peer.breaks_after = 99
    rejecting.open_again(at_peer.services, study.id, user="ann")
    at_peer.work(source)
    assert told(at_peer, source)["verified"] == 5


def test_a_peer_that_is_gone_keeps_nothing_back(site: OldSite) -> None:
    """What is in hand is asked about again, as it was before it was rejected."""
    peer = Peer(count=6)
    at_peer, source = emptied(site, peer)
    study = study_of(at_peer, source)
    assert study.reasons[0].code is Code.COUNT_DIFFERS
    rejecting.reject(at_peer.services, study.id, user="ann")
    peer.gone = True
    rejecting.open_again(at_peer.services, study.id, user="ann")
    advance(at_peer.services, Stage.OLD_DECIDE, study.id, STAGES)
    study = study_of(at_peer, source)
    assert study.state is State.REVIEW
    assert study.reasons[0].code is Code.COUNT_DIFFERS
    review.accept(
        at_peer.services, study.id, user="ann", patient_id="GEN:4711822", undo_window_s=0.0
    )
    at_peer.work(source)
    assert told(at_peer, source)["verified"] == 5
