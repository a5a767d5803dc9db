"""Peers that break the protocol, break off, or keep one waiting."""

import struct
import threading
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from dimse_archive import (
    CT,
    EXPLICIT,
    FIND,
    GET,
    VERIFICATION,
    an_instance,
    everything,
    in_time,
    running,
    sent,
)
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_ECHO, C_FIND, C_STORE
from pynetdicom.pdu_primitives import P_DATA

from digitizer.archive.bulk import answers
from digitizer.dimse import Messages, gotten, open_association
from digitizer.errors import ArchiveRefused, ArchiveUnreachable, SourceUnreachable
from digitizer.model.older import Encoded
from digitizer.older.asking import Line

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
    # The peer's own upper layer, which is made to break the protocol.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


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
        coming = gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [everything()])
        with in_time(), pytest.raises(ArchiveUnreachable):
            found.extend(coming)
        assert len(found) <= at
        left[0] = 1
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, *map(an_instance, range(5)))
        assert len(archive.came) == 2


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


@pytest.mark.parametrize("how", ["closed", "closed and forgotten"])
def test_a_peer_that_is_lost_just_after_it_accepts_is_away(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is left of the connection: an archive that is killed is no mistake of ours."""
    associate = AE.associate

    def accepted_and_lost(*words: Any, **options: Any) -> Any:
        association = associate(*words, **options)
        lost = association.dul.socket
        (lost.socket if how == "closed" else lost).close()
        return association

    with running(timeout_s=30) as archive:
        monkeypatch.setattr(AE, "associate", accepted_and_lost)
        with in_time(), pytest.raises(ArchiveUnreachable):
            sent(archive, an_instance(1))
    assert archive.came == []


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
            list(answers(archive.peer, messages, everything()))


def _unreadable(event: evt.Event) -> None:
    """Answer a question with a sequence that ends in its first item."""
    answer = C_FIND()
    answer.MessageIDBeingRespondedTo = event.request.MessageID
    answer.AffectedSOPClassUID = event.request.AffectedSOPClassUID
    answer.Status = 0xFF00
    answer.Identifier = BytesIO(b"\x40\0\0\1\xff\xff\xff\xff\x08\0")
    event.assoc.dimse.send_msg(answer, event.context.context_id)
