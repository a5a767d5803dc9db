"""What an archive must do for us, asked of the embedded one and of Orthanc alike."""

import queue
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from captures import a_capture, an_order, noise, rendered
from orthanc_server import Orthanc, free_port, orthanc_program
from pydicom.uid import generate_uid

from digitizer import dicom
from digitizer.archive.dimse import DimseArchive
from digitizer.archive.embedded import EmbeddedArchive
from digitizer.archive.listener import Listener
from digitizer.archive.reports import CommitmentReport
from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.dimse import Peer, open_association
from digitizer.errors import ArchiveRefused, ArchiveUnreachable
from digitizer.model.instance import CaptureOrder, Compression, MadeInstance, Uids
from digitizer.model.raster import Polarity
from digitizer.model.records import Capture

NO_SUCH_INSTANCE = 0x0112
CLASS_CONFLICT = 0x0119


@dataclass(frozen=True)
class Place:
    """A running archive, and the reports it brings."""

    settings: ArchiveSettings
    listener: ListenerSettings
    reports: "queue.Queue[CommitmentReport]"

    @property
    def sink(self) -> DimseArchive:
        return DimseArchive(self.settings, self.listener)


@pytest.fixture(scope="module", params=["embedded", "orthanc"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("archive")
    listener = ListenerSettings(port=free_port())
    reports: queue.Queue[CommitmentReport] = queue.Queue()
    with ExitStack() as stack:
        if request.param == "orthanc":
            if orthanc_program() is None:
                pytest.skip("Orthanc is not installed")
            server = stack.enter_context(Orthanc(folder, listener.port, listener.ae_title))
            port, title = server.dicom_port, server.ae_title
        else:
            port, title = free_port(), "ARCHIVE"
            peers = {listener.ae_title: (listener.host, listener.port)}
            embedded = EmbeddedArchive(
                folder, host="127.0.0.1", port=port, ae_title=title, peers=peers
            )
            stack.enter_context(embedded)
        stack.enter_context(Listener(listener, reports.put))
        settings = ArchiveSettings(host="127.0.0.1", port=port, ae_title=title, timeout_s=10)
        yield Place(settings, listener, reports)


@dataclass(frozen=True)
class Film:
    """An instance of a study of its own, on the disk."""

    order: CaptureOrder
    made: MadeInstance
    path: Path

    @property
    def capture(self) -> Capture:
        uids = self.order.uids
        return Capture(
            sop_instance_uid=uids.sop,
            sop_class_uid=self.made.sop_class_uid,
            series_instance_uid=uids.series,
            study_instance_uid=uids.study,
            sheet_id="sheet",
            sha256="",
            pixel_sha256=self.made.pixel_sha256,
            transfer_syntax_uid=self.made.transfer_syntax_uid,
            size=len(self.made.content),
            made_at=datetime.now(UTC),
        )


def a_film(
    folder: Path, compression: Compression = Compression.JPEG_LS, accession: str = ""
) -> Film:
    uids = Uids(*(str(generate_uid(prefix="2.25.")) for _ in range(3)))
    number = accession or f"A{uids.sop[-12:]}"
    order = an_order(uids=uids, accession=number, compression=compression)
    made = a_capture(order)
    path = folder / "film.dcm"
    path.write_bytes(made.content)
    return Film(order, made, path)


def frames(folder: Path, bits: int, compression: Compression) -> Film:
    """Return three frames of a study of their own."""
    whole = a_film(folder, compression)
    uids = replace(whole.order.uids, sop=str(generate_uid(prefix="2.25.")))
    order = replace(whole.order, uids=uids)
    pictures = [
        rendered(noise(bits, (64, 48), seed), bits, Polarity.MONOCHROME2) for seed in range(3)
    ]
    made = dicom.make_frames(order, pictures, ["1", "2", "3"])
    path = folder / "frames.dcm"
    path.write_bytes(made.content)
    return Film(order, made, path)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("compression", Compression)
def test_frames_are_stored_and_come_back(
    place: Place, tmp_path: Path, compression: Compression, bits: int
) -> None:
    """Multi-frame instances, in every encoding, are accepted as they are and given back equal."""
    film = frames(tmp_path, bits, compression)
    answer = place.sink.store(film.path)
    assert (answer.status, answer.transfer_syntax_uid) == (0, film.made.transfer_syntax_uid)
    back = place.sink.retrieve(film.capture)
    assert dicom.compare(film.made.content, back) == ()


@pytest.fixture
def film(tmp_path: Path) -> Film:
    return a_film(tmp_path)


@pytest.fixture
def stored(place: Place, film: Film) -> Film:
    assert place.sink.store(film.path).status == 0
    return film


def test_echo_is_answered(place: Place) -> None:
    """An archive that is there and knows us raises nothing."""
    place.sink.echo()


def test_the_sink_is_named_after_the_archive(place: Place) -> None:
    """The name kept with deliveries is the AE title asked."""
    assert place.sink.name == place.settings.ae_title


@pytest.mark.parametrize("compression", Compression)
def test_a_film_is_stored_as_it_is(place: Place, tmp_path: Path, compression: Compression) -> None:
    """Every encoding of ours is accepted without transcoding."""
    film = a_film(tmp_path, compression)
    answer = place.sink.store(film.path)
    assert (answer.status, answer.transfer_syntax_uid) == (0, film.made.transfer_syntax_uid)


def test_storing_again_does_no_harm(place: Place, stored: Film) -> None:
    """The same film sent once more is answered with success and is still one study."""
    assert place.sink.store(stored.path).status == 0
    assert len(place.sink.find_studies(study_instance_uid=stored.order.uids.study)) == 1


def test_a_study_is_found_by_its_accession_number(place: Place, stored: Film) -> None:
    """Exactly the study with this accession number is told, with whose it is."""
    assert stored.order.exam is not None
    number = stored.order.exam.accession_number
    (found,) = place.sink.find_studies(accession_number=number)
    assert found.study_instance_uid == stored.order.uids.study
    assert found.accession_number == number
    assert (found.patient_id, found.patient_name) == ("123", "DOE^JANE")
    assert (found.birth_date, found.study_date) == ("19500102", "19780102")


def test_a_study_is_found_by_its_uid(place: Place, stored: Film) -> None:
    """Exactly the study with this UID is told."""
    (found,) = place.sink.find_studies(study_instance_uid=stored.order.uids.study)
    assert found.study_instance_uid == stored.order.uids.study


def test_an_unknown_accession_number_finds_nothing(place: Place, stored: Film) -> None:
    """No study answers to a number that none has."""
    assert place.sink.find_studies(accession_number="NOBODYS") == ()


@pytest.mark.parametrize("sign", ["*", "?"])
def test_a_number_that_looks_like_a_pattern_finds_itself_alone(
    place: Place, tmp_path: Path, sign: str
) -> None:
    """Old numbers hold odd signs: what is asked for by them is found, and nothing that matches."""
    films, mine = {}, f"S{ord(sign)}"
    for number in (f"{mine}-{sign}-1", f"{mine}-7-1", f"{mine}-77-1"):
        films[number] = a_film(tmp_path, accession=number)
        assert place.sink.store(films[number].path).status == 0
    for number, film in films.items():
        (found,) = place.sink.find_studies(accession_number=number)
        assert found.study_instance_uid == film.order.uids.study
        assert place.sink.holdings("2.25.9", number).studies == (found,)
    assert place.sink.find_studies(accession_number="*") == ()
    assert place.sink.find_studies(accession_number=f"{mine}-7-1\\{mine}-77-1") == ()


def test_a_pattern_of_uids_is_never_asked_for(place: Place) -> None:
    """A key that would match others is refused before it is sent."""
    with pytest.raises(ArchiveRefused):
        place.sink.find_studies(study_instance_uid="2.25.*")


def commitment(place: Place, *instances: tuple[str, str]) -> CommitmentReport:
    """Ask for commitment, and return the report of that request."""
    transaction = str(generate_uid(prefix="2.25."))
    place.sink.request_commitment(transaction, instances)
    report = place.reports.get(timeout=20)
    assert report.transaction_uid == transaction
    return report


def test_a_stored_film_is_committed(place: Place, stored: Film) -> None:
    """The report names the film as kept, comes from the archive asked, and tells no failure."""
    report = commitment(place, (stored.made.sop_class_uid, stored.order.uids.sop))
    assert report.succeeded == (stored.order.uids.sop,)
    assert dict(report.failed) == {}
    assert report.from_ae == place.settings.ae_title


def test_a_film_never_stored_is_not_committed(place: Place, film: Film) -> None:
    """The report names it as failed: no such object instance."""
    report = commitment(place, (film.made.sop_class_uid, film.order.uids.sop))
    assert report.succeeded == ()
    assert dict(report.failed) == {film.order.uids.sop: NO_SUCH_INSTANCE}


def test_good_and_bad_are_told_apart(place: Place, stored: Film) -> None:
    """One request with both: each instance is reported where it belongs."""
    lost = str(generate_uid(prefix="2.25."))
    sop_class = stored.made.sop_class_uid
    report = commitment(place, (sop_class, stored.order.uids.sop), (sop_class, lost))
    assert report.succeeded == (stored.order.uids.sop,)
    assert dict(report.failed) == {lost: NO_SUCH_INSTANCE}


def test_a_film_of_another_class_is_not_committed(place: Place, stored: Film) -> None:
    """An instance asked for under a class it is not fails with a class conflict."""
    report = commitment(place, ("1.2.840.10008.5.1.4.1.1.1", stored.order.uids.sop))
    assert dict(report.failed) == {stored.order.uids.sop: CLASS_CONFLICT}


@pytest.mark.parametrize("compression", Compression)
def test_what_is_read_back_equals_what_was_written(
    place: Place, tmp_path: Path, compression: Compression
) -> None:
    """Identity and every pixel come back the same."""
    film = a_film(tmp_path, compression)
    place.sink.store(film.path)
    assert dicom.compare(film.made.content, place.sink.retrieve(film.capture)) == ()


def test_what_was_never_stored_cannot_be_read_back(place: Place, film: Film) -> None:
    """An instance the archive does not have is refused, not made up."""
    with pytest.raises(ArchiveRefused):
        place.sink.retrieve(film.capture)


def test_a_wrong_called_title_is_unreachable(place: Place) -> None:
    """An archive called by another's name refuses the association."""
    wrong = DimseArchive(replace(place.settings, ae_title="SOMEBODY"), place.listener)
    with pytest.raises(ArchiveUnreachable):
        wrong.echo()


# pynetdicom drops the socket of a refused connection without closing it.
@pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning")
def test_a_dead_port_is_unreachable(place: Place) -> None:
    """Nobody listening is an archive that is away, not an error of the film."""
    dead = DimseArchive(replace(place.settings, port=free_port()), place.listener)
    with pytest.raises(ArchiveUnreachable):
        dead.echo()


def test_a_service_that_it_does_not_offer_is_refused(place: Place) -> None:
    """It is there and will not have it: waiting for it would never end."""
    own = place.settings
    peer = Peer(
        host=own.host, port=own.port, ae_title=own.ae_title, our_title=place.listener.ae_title,
        timeout_s=5.0,
    )  # fmt: skip
    with pytest.raises(ArchiveRefused), open_association(peer, [("1.2.840.10008.5.1.4.31", None)]):
        pass


def test_what_listens_ends_at_once(tmp_path: Path) -> None:
    """And gives its port back; a server that pynetdicom runs looks at its end twice a second."""
    port, took = free_port(), []
    for _ in range(3):
        for one in (
            EmbeddedArchive(tmp_path, host="127.0.0.1", port=port, ae_title="ARCHIVE", peers={}),
            Listener(ListenerSettings(port=port), lambda _: None),
        ):
            with one:
                began = time.monotonic()
            took.append(time.monotonic() - began)
    # What else the machine does makes it longer, never shorter.
    assert min(took[::2]) < 0.2
    assert min(took[1::2]) < 0.2
