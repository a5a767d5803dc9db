"""Instances sent and fetched as bytes, against peers that keep to the standard and others."""

import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from orthanc_server import free_port
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_ECHO, C_FIND, C_STORE, N_EVENT_REPORT
from pynetdicom.dsutils import encode
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.sop_class import (
    CTImageStorage,
    MRImageStorage,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)
from waiting import wait_until

from digitizer.archive.bulk import answers
from digitizer.dicom import part10
from digitizer.dimse import Messages, Peer, gotten, open_association
from digitizer.dimse.message import _decoded, _encoded
from digitizer.errors import ArchiveRefused, ArchiveUnreachable, SourceUnreachable
from digitizer.model.older import Encoded
from digitizer.older.asking import Line

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
    # The peer's own upper layer, which is made to break the protocol.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

CT, MR = str(CTImageStorage), str(MRImageStorage)
GET, PUSH = str(StudyRootQueryRetrieveInformationModelGet), str(StorageCommitmentPushModel)
FIND, VERIFICATION = str(StudyRootQueryRetrieveInformationModelFind), str(Verification)
EXPLICIT, IMPLICIT = str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)


def an_instance(number: int, size: int = 100) -> Encoded:
    """Return an instance whose pixels tell its number."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, f"1.2.3.{number}"
    dataset.add_new(0x7FE00010, "OW", bytes((number,)) * size)
    data = encode(dataset, False, True)
    assert data is not None
    return Encoded(
        sop_class_uid=CT,
        sop_instance_uid=f"1.2.3.{number}",
        transfer_syntax_uid=EXPLICIT,
        data=data,
    )


@dataclass
class Archive:
    """A pynetdicom archive: what it was sent, and what it gives when it is asked."""

    peer: Peer
    came: list[tuple[str, bytes]] = field(default_factory=list)
    holds: list[Encoded] = field(default_factory=list)
    associations: list[Any] = field(default_factory=list)
    status: int = 0x0000
    meanwhile: Callable[[evt.Event], object] = lambda _: None
    accepted: Callable[[evt.Event], object] = lambda _: None

    def stored(self, event: evt.Event) -> int:
        self.associations.append(event.assoc)
        self.came.append((str(event.request.AffectedSOPInstanceUID), event.encoded_dataset(False)))
        self.meanwhile(event)
        return self.status

    def given(self, event: evt.Event) -> Iterator[Any]:
        yield len(self.holds)
        for one in self.holds:
            self.meanwhile(event)
            dataset = Dataset()
            dataset.SOPClassUID, dataset.SOPInstanceUID = one.sop_class_uid, one.sop_instance_uid
            dataset.add_new(0x7FE00010, "OW", one.data[-100:])
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            yield 0xFF00, dataset

    def found(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        for one in self.holds:
            if self.meanwhile(event):
                yield 0xFE00, None
                return
            answer = Dataset()
            answer.QueryRetrieveLevel = event.identifier.QueryRetrieveLevel
            answer.SOPInstanceUID = one.sop_instance_uid
            yield 0xFF00, answer


@contextmanager
def running(pdu: int = 16_384, timeout_s: float = 5) -> Iterator[Archive]:
    """Run one."""
    port = free_port()
    peer = Peer(
        host="127.0.0.1", port=port, ae_title="ARCHIVE", our_title="US", timeout_s=timeout_s
    )
    archive = Archive(peer)
    entity = AE("ARCHIVE")
    entity.maximum_pdu_size = pdu
    entity.add_supported_context(CT, [EXPLICIT], scu_role=True, scp_role=True)
    entity.add_supported_context(GET)
    entity.add_supported_context(FIND)
    entity.add_supported_context(PUSH)
    server = entity.start_server(
        ("127.0.0.1", port),
        block=False,
        evt_handlers=[
            (evt.EVT_C_STORE, archive.stored),
            (evt.EVT_C_GET, archive.given),
            (evt.EVT_C_FIND, archive.found),
            (evt.EVT_ACCEPTED, lambda event: archive.accepted(event)),
        ],
    )
    assert server is not None
    try:
        yield archive
    finally:
        server.shutdown()


@contextmanager
def in_time() -> Iterator[None]:
    """Take less than a fifth of the time that peers are given."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 6


def sent(archive: Archive, *instances: Encoded) -> list[Any]:
    """Send instances; returns the statuses."""
    with (
        open_association(archive.peer, [(CT, [EXPLICIT])]) as opened,
        Messages(opened) as messages,
    ):
        return [messages.store(one).get("Status") for one in instances]


@pytest.mark.parametrize("pdu", [0, 4096, 131_072])
def test_what_is_sent_arrives_byte_for_byte(pdu: int) -> None:
    """In as many pieces as the peer takes, one of them with nothing over."""
    sizes = (2, 100, 4090, 4096, 100_000, 1_000_000)
    with running(pdu) as archive:
        some = [an_instance(number, size) for number, size in enumerate(sizes)]
        assert sent(archive, *some) == [0] * len(sizes)
        assert archive.came == [(one.sop_instance_uid, one.data) for one in some]


def test_what_the_archive_says_of_an_instance_is_told() -> None:
    """Its status is the answer; what there is no context for is not sent."""
    with running() as archive:
        archive.status = 0xA700
        assert sent(archive, an_instance(1)) == [0xA700]
        other = Encoded(
            sop_class_uid=MR, sop_instance_uid="1", transfer_syntax_uid=EXPLICIT, data=b""
        )
        with pytest.raises(ArchiveRefused):
            sent(archive, other)
        assert len(archive.came) == 1


def test_what_is_fetched_is_what_the_archive_holds() -> None:
    """One after the other, each answered for before the next comes."""
    with running() as archive:
        archive.holds = [an_instance(number) for number in range(20)]
        found = list(gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [_everything()]))
        assert [one.sop_instance_uid for one in found] == [f"1.2.3.{n}" for n in range(20)]
        assert {one.transfer_syntax_uid for one in found} == {EXPLICIT}
        assert all(one.data[-1] == number for number, one in enumerate(found))


def test_what_is_asked_for_is_told() -> None:
    """Each answer with its status, question after question over one association."""
    with running() as archive:
        archive.holds = [an_instance(number) for number in range(3)]
        with open_association(archive.peer, [(FIND, None)]) as opened, Messages(opened) as messages:
            for _ in range(2):
                *some, (status, nothing) = messages.find(_everything(), FIND)
                assert [one["Status"] for one, _ in some] == [0xFF00] * 3
                assert [one and one.SOPInstanceUID for _, one in some] == [
                    f"1.2.3.{number}" for number in range(3)
                ]
                assert (status["Status"], nothing) == (0x0000, None)


def test_a_question_that_is_cancelled_ends() -> None:
    """The peer is told, and says that it has stopped; the association is good for another."""
    with running() as archive:
        archive.holds = [an_instance(number) for number in range(3)]
        asked: list[evt.Event] = []

        def wait_for_the_wish(event: evt.Event) -> bool:
            asked.append(event)
            if len(asked) > 1:
                wait_until(lambda: event.is_cancelled, patience_s=5)
            return len(asked) > 1

        archive.meanwhile = wait_for_the_wish
        with open_association(archive.peer, [(FIND, None)]) as opened, Messages(opened) as messages:
            answers = messages.find(_everything(), FIND)
            next(answers)
            messages.cancel(FIND)
            ((last, _),) = answers
            assert last["Status"] == 0xFE00
            archive.holds = []
            assert [one["Status"] for one, _ in messages.find(_everything(), FIND)] == [0]


def test_nobody_goes_by_answers_that_cannot_be_read() -> None:
    """What may be there and is not known is neither left out of a stock nor taken for nothing."""
    with running() as archive:
        archive.holds = [an_instance(1)]
        archive.meanwhile = _unreadable
        with Line(archive.peer, 10) as line:
            told = line.find("STUDY", {}, ("SOPInstanceUID",))
            assert told.error is not None
            archive.meanwhile = lambda _: None
            assert line.find("STUDY", {}, ("SOPInstanceUID",)).error is None
        archive.meanwhile = _unreadable
        with (
            open_association(archive.peer, [(FIND, None)]) as opened,
            Messages(opened) as messages,
            pytest.raises(ArchiveRefused, match="read"),
        ):
            list(answers(archive.peer, messages, _everything()))


def test_a_message_may_come_in_any_pieces() -> None:
    """Several in one PDU, a command in two of them, data to the end of one (PS3.8 9.3.5)."""
    identifier = Dataset()
    identifier.SOPInstanceUID = "1.2.3.9"
    data = encode(identifier, True, True) or b""

    def in_pieces(event: evt.Event) -> bool:
        command = _encoded(
            {
                0x0002: FIND.encode() + b"\0" * (len(FIND) % 2),
                0x0100: struct.pack("<H", 0x8020),
                0x0120: struct.pack("<H", event.request.MessageID),
                0x0800: struct.pack("<H", 1),
                0x0900: struct.pack("<H", 0xFF00),
            }
        )
        for some in ([(1, command[:10])], [(3, command[10:]), (0, data[:5])], [(2, data[5:])]):
            pieces = b"".join(
                struct.pack(">LBB", len(content) + 2, event.context.context_id, control) + content
                for control, content in some
            )
            event.assoc.dul.socket.send(struct.pack(">BxL", 4, len(pieces)) + pieces)
        return True

    with running() as archive:
        archive.holds, archive.meanwhile = [an_instance(1)], in_pieces
        with open_association(archive.peer, [(FIND, None)]) as opened, Messages(opened) as messages:
            (_, found), (status, _) = messages.find(_everything(), FIND)
            assert found is not None
            assert found.SOPInstanceUID == "1.2.3.9"
            assert status["Status"] == 0xFE00


@pytest.mark.parametrize("kind", [0x04, 0x05, 0x07, 0x99])
def test_a_pdu_without_end_is_not_waited_for(kind: int) -> None:
    """Of a length that nobody sends: it sets no memory aside."""
    with running(timeout_s=30) as archive:

        def boast(event: evt.Event) -> None:
            event.assoc.dul.socket.send(struct.pack(">BxL", kind, 0xFFFFFFF0) + b"\0" * 100)

        archive.meanwhile = boast
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, *map(an_instance, range(5)))


@pytest.mark.parametrize("at", [0, 3])
def test_an_archive_that_breaks_off_is_away(at: int) -> None:
    """What came before was yielded; nothing waits until the time is out."""
    with running(timeout_s=30) as archive:
        archive.holds = [an_instance(number) for number in range(5)]
        left = [at]

        def break_off(event: evt.Event) -> None:
            if not left[0]:
                event.assoc.abort(block=False)
            left[0] -= 1

        archive.meanwhile = break_off
        found: list[Encoded] = []
        coming = gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [_everything()])
        with in_time(), pytest.raises(ArchiveUnreachable):
            found.extend(coming)
        assert len(found) <= at
        left[0] = 1
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, *map(an_instance, range(5)))
        assert len(archive.came) == 2


def test_what_nobody_here_awaits_reaches_pynetdicom() -> None:
    """Such as a report of storage commitment over the association it was asked over."""
    told: list[str] = []
    heard = threading.Event()

    def reported(event: evt.Event) -> tuple[int, None]:
        told.append(str(event.event_information.TransactionUID))
        heard.set()
        return 0x0000, None

    with running() as archive:

        def report(event: evt.Event) -> None:
            information = Dataset()
            information.TransactionUID = "1.2.3"
            context = next(
                one for one in event.assoc.accepted_contexts if one.abstract_syntax == PUSH
            )
            request = _report(information)
            event.assoc.dimse.send_msg(request, context.context_id)

        archive.meanwhile = report
        contexts = [(CT, [EXPLICIT]), (PUSH, None)]
        with open_association(archive.peer, contexts) as opened, Messages(opened) as messages:
            opened.bind(evt.EVT_N_EVENT_REPORT, reported)
            assert messages.store(an_instance(1))["Status"] == 0x0000
            assert heard.wait(5)
            archive.meanwhile = lambda _: None
            assert messages.store(an_instance(2))["Status"] == 0x0000
        assert told == ["1.2.3"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x03",
        b"",
        b"\x03\0\0\0\1\xff\xff\xff\xff",
        b"\x03\x08\0\0\0\4\0\0\0\0\0\0\0",
        b"\x01" + b"\0" * 70_000,
    ],
)
def test_garbage_ends_the_association(garbage: bytes) -> None:
    """Whatever a peer sends in place of a message, it is away, at once."""
    with running(pdu=0, timeout_s=30) as archive:

        def babble(event: evt.Event) -> None:
            piece = P_DATA()
            piece.presentation_data_value_list.append((event.context.context_id, garbage))
            event.assoc.dul.send_pdu(piece)

        archive.meanwhile = babble
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, *map(an_instance, range(5)))


@pytest.mark.parametrize("how", ["release", "abort", "close"])
def test_a_peer_that_ends_in_between_is_away(how: str) -> None:
    """What is sent next fails at once, and does not wait for an answer."""
    with running(timeout_s=30) as archive:
        ended = threading.Event()

        def end(event: evt.Event) -> None:
            def later() -> None:
                match how:
                    case "release":
                        event.assoc.acse.send_release(is_response=False)
                    case "abort":
                        event.assoc.abort(block=False)
                    case _:
                        event.assoc.dul.socket.socket.shutdown(2)
                ended.set()

            threading.Thread(target=later).start()

        archive.meanwhile = end
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, *[an_instance(1)] * 1000)
        assert ended.is_set()


def test_a_fetch_that_is_closed_early_waits_for_nothing() -> None:
    """The peer, which awaits our answer, is told that there comes none."""
    with running(timeout_s=30) as archive:
        archive.holds = [an_instance(number) for number in range(5)]
        with in_time():
            coming = gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [_everything()])
            assert next(coming)
            coming.close()  # type: ignore[attr-defined]


def test_an_answer_to_something_else_is_none() -> None:
    """A peer that answers twice is not believed about what comes next."""
    with running() as archive:

        def twice(event: evt.Event) -> None:
            answer = C_STORE()
            answer.MessageIDBeingRespondedTo = event.request.MessageID
            answer.AffectedSOPClassUID = event.request.AffectedSOPClassUID
            answer.AffectedSOPInstanceUID = event.request.AffectedSOPInstanceUID
            answer.Status = 0x0000
            event.assoc.dimse.send_msg(answer, event.context.context_id)

        archive.meanwhile = twice
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, an_instance(1), an_instance(2))


def test_a_request_of_the_peer_is_not_an_answer() -> None:
    """It breaks the protocol, and is away."""
    with running() as archive:

        def ask(event: evt.Event) -> None:
            request = C_ECHO()
            request.MessageID = 9
            request.AffectedSOPClassUID = VERIFICATION
            event.assoc.dimse.send_msg(request, event.context.context_id)

        archive.meanwhile = ask
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, an_instance(1))


def test_a_peer_that_does_not_read_is_away_in_time() -> None:
    """Who sends to it does not wait for ever."""
    with running(timeout_s=2) as archive:

        def read_no_more(event: evt.Event) -> None:
            event.assoc.dul._is_transport_event = lambda: False

        archive.meanwhile = read_no_more
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, an_instance(1), an_instance(2, 60_000_000))
        (one,) = archive.associations
        del one.dul._is_transport_event


@pytest.mark.parametrize(
    ("first", "then"),
    [(b"\x04\0\0\0\1\0", b"\0"), (b"", b"\x04\0\0\0\0\0"), (b"", b"\x04\0\0\0\0\6\0\0\0\2\1\0")],
    ids=["byte by byte", "nothing", "pieces of nothing"],
)
def test_a_peer_that_says_next_to_nothing_is_away_in_time(first: bytes, then: bytes) -> None:
    """It keeps nobody waiting by a sign of life now and then."""
    over = threading.Event()
    with running(timeout_s=2) as archive:

        def trickle(event: evt.Event) -> None:
            event.assoc.dul.socket.send(first)
            while not over.wait(0.2):
                event.assoc.dul.socket.send(then)

        archive.meanwhile = trickle
        try:
            with in_time(), pytest.raises(ArchiveUnreachable):
                sent(archive, an_instance(1))
        finally:
            over.set()


def test_a_peer_that_hangs_up_at_once_is_away() -> None:
    """Whether its end is heard before the first question is asked or over it."""
    with running(timeout_s=30) as archive:
        archive.accepted = lambda event: event.assoc.dul.socket.socket.shutdown(2)
        peer = replace(archive.peer, unreachable=SourceUnreachable)
        with in_time():
            for _ in range(20):
                with Line(peer, 10) as line, pytest.raises(SourceUnreachable):
                    line.find("STUDY", {}, ("SOPInstanceUID",))


def test_an_odd_uid_is_a_matter_of_its_instance() -> None:
    """What a peer names an instance is kept as it is named."""
    with running() as archive:
        archive.holds = [an_instance(1)]
        (found,) = gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [_everything()])
        content = part10(replace(found, sop_instance_uid="1.2.\xb5"))
        assert b"1.2.\xb5\0" in content[:400]


def test_nothing_stays_behind() -> None:
    """Neither descriptors nor threads, however an association ends."""
    with running() as archive:
        archive.holds = [an_instance(1)]
        sent(archive, an_instance(1))
        before = _open()
        for _ in range(10):
            sent(archive, an_instance(1))
            coming = gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [_everything()])
            next(coming)
            coming.close()  # type: ignore[attr-defined]
        wait_until(
            lambda: all(now <= then for now, then in zip(_open(), before, strict=True)),
            patience_s=10,
        )


def test_commands_are_read_as_they_are_written() -> None:
    """Group length first, elements in rising order (PS3.7 6.3.1)."""
    command = {0x1000: b"1.2\0", 0x0002: b"1.20", 0x0100: struct.pack("<H", 1)}
    encoded = _encoded(command)
    (length,) = struct.unpack("<L", encoded[8:12])
    assert length == len(encoded) - 12
    assert list(_decoded(encoded)) == [0x0000, 0x0002, 0x0100, 0x1000]
    assert _decoded(encoded)[0x1000] == b"1.2\0"
    for end in range(1, len(encoded)):
        if end not in {12, 24, 34}:
            with pytest.raises(ValueError, match="command set"):
                _decoded(encoded[:end])


def _unreadable(event: evt.Event) -> None:
    """Answer a question with a sequence that ends in its first item."""
    answer = C_FIND()
    answer.MessageIDBeingRespondedTo = event.request.MessageID
    answer.AffectedSOPClassUID = event.request.AffectedSOPClassUID
    answer.Status = 0xFF00
    answer.Identifier = BytesIO(b"\x40\0\0\1\xff\xff\xff\xff\x08\0")
    event.assoc.dimse.send_msg(answer, event.context.context_id)


def _open() -> tuple[int, int]:
    """Return how many descriptors are open, and how many threads run."""
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


def _everything() -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = "1.2.3"
    return query


def _report(information: Dataset) -> Any:
    request = N_EVENT_REPORT()
    request.MessageID = 7
    request.AffectedSOPClassUID = PUSH
    request.AffectedSOPInstanceUID = "1.2.840.10008.1.20.1.1"
    request.EventTypeID = 1
    request.EventInformation = BytesIO(encode(information, True, True) or b"")
    return request
