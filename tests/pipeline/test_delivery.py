"""Commitment asked of an archive that is away is asked again as soon as it is back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from captures import a_capture, an_order
from ledger_records import batch, happened, jacket, scan, sheet
from orthanc_server import free_port
from pydicom import dcmread
from waiting import wait_until

from digitizer import wiring
from digitizer.archive.embedded import EmbeddedArchive
from digitizer.archive.listener import Listener
from digitizer.archive.reports import CommitmentReport
from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.config import Settings
from digitizer.errors import ArchiveUnreachable
from digitizer.model.reasons import Code
from digitizer.model.records import (
    Capture,
    Commitment,
    CommitmentState,
    Decision,
    Delivery,
    Sheet,
    Stage,
)
from digitizer.model.states import State
from digitizer.pipeline.advance import advance
from digitizer.pipeline.deliver import ask_again, commit, commitment_answered, read_again
from digitizer.pipeline.review import retry
from digitizer.pipeline.services import Services
from digitizer.pipeline.stages import STAGES

SHEET = "h1"

# pynetdicom drops the socket of a refused connection without closing it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        archive=ArchiveSettings(host="127.0.0.1", port=free_port(), ae_title="KEEPER"),
        listener=ListenerSettings(port=free_port()),
    )


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.dcm"
    path.write_bytes(a_capture(an_order()).content)
    return path


@pytest.fixture
def services(settings: Settings) -> Services:
    """Return a place of work whose ledger says that one film was stored."""
    given = wiring.services(settings)
    order, now = an_order(), given.clock.now()
    made = a_capture(order)
    capture = Capture(
        sop_instance_uid=order.uids.sop,
        sop_class_uid=made.sop_class_uid,
        series_instance_uid=order.uids.series,
        study_instance_uid=order.uids.study,
        sheet_id=SHEET,
        sha256=given.vault.put(made.content)[0],
        pixel_sha256=made.pixel_sha256,
        transfer_syntax_uid=made.transfer_syntax_uid,
        size=len(made.content),
        made_at=now,
    )
    delivery = Delivery(
        id="d1",
        sop_instance_uid=order.uids.sop,
        archive="KEEPER",
        at=now,
        status=0,
        detail="",
        sha256=capture.sha256,
    )
    decision = Decision(
        patient=order.patient,
        exam=None,
        study_date="",
        study_instance_uid=order.uids.study,
        series_instance_uid=order.uids.series,
        posterior=None,
        exam_posterior=None,
        decided_by="joan",
        decided_at=now,
    )
    stored = sheet(state=State.STORED, sop_instance_uid=order.uids.sop, decision=decision)
    with given.ledger.transaction() as tx:
        for record in (batch(), jacket(), scan(state=State.READ), stored):
            tx.add(record, happened(record.id))
        for made_of_it in (capture, delivery):
            tx.add(made_of_it, happened(order.uids.sop))
    return given


def requests(services: Services) -> list[Commitment]:
    with services.ledger.reading() as view:
        return sorted(view.commitments(), key=lambda one: one.requested_at)


def answer(services: Services, report: CommitmentReport) -> None:
    """Take a report as the running service takes it."""
    commitment_answered(
        services,
        transaction_uid=report.transaction_uid,
        from_ae=report.from_ae,
        succeeded=frozenset(report.succeeded),
        failed=dict(report.failed),
    )


def test_an_archive_that_is_away_is_not_waited_for(
    services: Services, settings: Settings, film: Path, tmp_path: Path
) -> None:
    """What could not be asked needs no deadline to pass: the next try asks, and is answered."""
    with pytest.raises(ArchiveUnreachable):
        commit(services, SHEET)
    assert [one.state for one in requests(services)] == [CommitmentState.LATE]

    listener = settings.listener
    embedded = EmbeddedArchive(
        tmp_path / "archive",
        host=settings.archive.host,
        port=settings.archive.port,
        ae_title=settings.archive.ae_title,
        peers={listener.ae_title: (listener.host, listener.port)},
    )
    with embedded, Listener(listener, lambda report: answer(services, report)):
        services.archive.store(film)
        commit(services, SHEET)
        wait_until(lambda: requests(services)[-1].state is not CommitmentState.PENDING)
    assert [one.state for one in requests(services)] == [
        CommitmentState.LATE,
        CommitmentState.SUCCESS,
    ]
    commit(services, SHEET)
    with services.ledger.reading() as view:
        (committed,) = view.sheets(state=State.COMMITTED)
    assert committed.id == SHEET


def test_answers_that_nobody_heard_are_asked_for_again(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    """A request from before the start is no longer waited for, and its film is due at once."""
    listener = settings.listener
    deaf = EmbeddedArchive(
        tmp_path / "archive",
        host=settings.archive.host,
        port=settings.archive.port,
        ae_title=settings.archive.ae_title,
        # Its reports go where nobody listens.
        peers={listener.ae_title: (listener.host, free_port())},
    )
    with deaf:
        commit(services, SHEET)
    assert [one.state for one in requests(services)] == [CommitmentState.PENDING]
    assert services.ledger.due(services.clock.now(), 10) == ()
    assert ask_again(services) == 1
    assert [one.state for one in requests(services)] == [CommitmentState.LATE]
    (due,) = services.ledger.due(services.clock.now(), 10)
    assert (due.stage, due.subject) == (Stage.COMMIT, SHEET)


def test_a_late_answer_to_a_request_thought_lost_counts(
    services: Services, settings: Settings
) -> None:
    """The archive may have been asked although the call failed."""
    with pytest.raises(ArchiveUnreachable):
        commit(services, SHEET)
    (asked,) = requests(services)
    believed = commitment_answered(
        services,
        transaction_uid=asked.transaction_uid,
        from_ae=settings.archive.ae_title,
        succeeded=frozenset({asked.sop_instance_uid}),
        failed={},
    )
    assert believed
    assert requests(services)[0] == replace(
        asked,
        state=CommitmentState.SUCCESS,
        answered_at=requests(services)[0].answered_at,
        version=asked.version + 1,
    )


def mute_archive(settings: Settings, folder: Path) -> EmbeddedArchive:
    """Return the archive on a folder; nobody hears its reports."""
    return EmbeddedArchive(
        folder,
        host=settings.archive.host,
        port=settings.archive.port,
        ae_title=settings.archive.ae_title,
        peers={},
    )


def promised_before_it_went_away(services: Services) -> None:
    """Let the film wait to be read back from an archive that is not there."""
    with services.ledger.transaction() as tx:
        tx.save(replace(tx.get(Sheet, SHEET), state=State.COMMITTED), happened(SHEET))
        tx.schedule(Stage.VERIFY, SHEET)
    advance(services, Stage.VERIFY, SHEET, STAGES)


def test_an_archive_that_goes_away_before_the_reading_back_is_waited_for(
    services: Services, settings: Settings, film: Path, tmp_path: Path
) -> None:
    """The film is verified when it is there again; nobody is asked."""
    promised_before_it_went_away(services)
    with services.ledger.transaction() as tx:
        waiting = tx.get(Sheet, SHEET)
        tx.unschedule(Stage.VERIFY, SHEET)
        tx.schedule(Stage.VERIFY, SHEET)
    assert (waiting.state, waiting.resume) == (State.WAITING, State.COMMITTED)
    assert [one.code for one in waiting.reasons] == [Code.ARCHIVE_UNREACHABLE]

    with mute_archive(settings, tmp_path / "archive"):
        services.archive.store(film)
        advance(services, Stage.VERIFY, SHEET, STAGES)
    with services.ledger.reading() as view:
        assert view.get(Sheet, SHEET).state is State.VERIFIED
        assert view.task(Stage.VERIFY, SHEET) is None


def test_what_is_sent_anew_is_not_read_back_before_it_is_promised(
    services: Services, settings: Settings, film: Path, tmp_path: Path
) -> None:
    """A person tries a film again that waited to be read back; the archive has it, unpromised."""
    promised_before_it_went_away(services)
    assert retry(services, [SHEET], user="ann")
    with services.ledger.transaction() as tx:
        assert tx.get(Sheet, SHEET).state is State.WRAPPED
        assert tx.task(Stage.VERIFY, SHEET) is None
        # One that a worker had taken up before comes late.
        tx.schedule(Stage.VERIFY, SHEET)
    with mute_archive(settings, tmp_path / "archive"):
        services.archive.store(film)
        advance(services, Stage.VERIFY, SHEET, STAGES)
    with services.ledger.reading() as view:
        assert view.get(Sheet, SHEET).state is State.WRAPPED
        assert view.task(Stage.VERIFY, SHEET) is None


@contextmanager
def keeper(services: Services, settings: Settings, folder: Path) -> Iterator[None]:
    """Run the archive on a folder, and hear its reports."""
    listener = settings.listener
    embedded = EmbeddedArchive(
        folder,
        host=settings.archive.host,
        port=settings.archive.port,
        ae_title=settings.archive.ae_title,
        peers={listener.ae_title: (listener.host, listener.port)},
    )
    with embedded, Listener(listener, lambda report: answer(services, report)):
        yield


def goes_on(services: Services, until: State) -> None:
    """Do what is due until the film is in a state."""

    def is_there() -> bool:
        for task in services.ledger.due(services.clock.now(), 10):
            advance(services, task.stage, task.subject, STAGES)
        with services.ledger.reading() as view:
            return view.get(Sheet, SHEET).state is until

    wait_until(is_there, 20)


def deliveries(services: Services) -> int:
    (uid,) = {one.sop_instance_uid for one in requests(services)}
    with services.ledger.reading() as view:
        return len(view.deliveries(uid))


def stored_and_promised(services: Services, film: Path) -> None:
    """Send the film to the archive that runs, and have it promised."""
    services.archive.store(film)
    commit(services, SHEET)
    wait_until(lambda: requests(services)[-1].state is CommitmentState.SUCCESS)


@pytest.mark.parametrize("deleted", [True, False])
def test_a_wrong_copy_that_was_deleted_is_sent_again_when_a_person_says_so_once(
    services: Services, settings: Settings, film: Path, tmp_path: Path, deleted: bool
) -> None:
    """One that is still there is compared again, and nothing is sent over it."""
    folder = tmp_path / "archive"
    with keeper(services, settings, folder):
        stored_and_promised(services, film)
        (copy,) = folder.rglob("*.dcm")
        as_sent, wrong = copy.read_bytes(), dcmread(copy)
        wrong.PatientName = "ANOTHER"
        wrong.save_as(copy)
        goes_on(services, State.REVIEW)
    with services.ledger.reading() as view:
        assert [one.code for one in view.get(Sheet, SHEET).reasons] == [Code.READ_BACK_DIFFERS]
    copy.unlink()
    if not deleted:
        copy.write_bytes(as_sent)
    with keeper(services, settings, folder):
        assert retry(services, [SHEET], user="ann") == {SHEET}
        goes_on(services, State.VERIFIED)
    assert deliveries(services) == 1 + deleted


def test_what_the_archive_lost_is_named_when_all_is_read_again(
    services: Services, settings: Settings, film: Path, tmp_path: Path
) -> None:
    """A film that is not given back differs; that the look ends with it would name none."""
    folder = tmp_path / "archive"
    with keeper(services, settings, folder):
        stored_and_promised(services, film)
        goes_on(services, State.VERIFIED)
        (copy,) = folder.rglob("*.dcm")
        copy.rename(tmp_path / "mislaid.dcm")
    # The archive that runs anew no longer knows of it.
    with keeper(services, settings, folder):
        found = read_again(services)
    (uid,) = found
    assert found[uid] == ("The archive does not give the instance back.",)
    with services.ledger.reading() as view:
        assert view.get(Sheet, SHEET).state is State.VERIFIED
        assert [one.agrees for one in view.verifications(uid)] == [True, False]


@pytest.mark.parametrize("good", [True, False])
def test_an_answer_that_comes_after_another_changes_nothing(
    services: Services, settings: Settings, good: bool
) -> None:
    """A slow archive answers both requests: the film that was promised is where it was."""
    for _ in range(2):
        with pytest.raises(ArchiveUnreachable):
            commit(services, SHEET)
    first, second = requests(services)
    uid = first.sop_instance_uid

    def answered(request: Commitment, promised: bool) -> None:
        assert commitment_answered(
            services,
            transaction_uid=request.transaction_uid,
            from_ae=settings.archive.ae_title,
            succeeded=frozenset({uid} if promised else ()),
            failed={} if promised else {uid: 0x0110},
        )

    answered(first, True)
    assert commit(services, SHEET) == [(Stage.VERIFY, SHEET)]
    for state in (State.COMMITTED, State.VERIFIED):
        with services.ledger.transaction() as tx:
            at = tx.get(Sheet, SHEET)
            if at.state is not state:
                tx.save(replace(at, state=state), happened(SHEET))
            # Due as each answer makes it.
            tx.schedule(Stage.COMMIT, SHEET)
        if state is State.COMMITTED:
            answered(second, good)
        assert commit(services, SHEET) == []
        with services.ledger.reading() as view:
            assert view.get(Sheet, SHEET).state is state
            assert view.task(Stage.COMMIT, SHEET) is None
