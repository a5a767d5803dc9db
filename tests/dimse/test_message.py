"""Instances sent and fetched as bytes, messages asked and answered."""

import struct
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from dimse_archive import (
    CT,
    EXPLICIT,
    FIND,
    GET,
    MR,
    PUSH,
    an_instance,
    everything,
    in_time,
    running,
    sent,
)
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.dsutils import encode
from waiting import wait_until

from digitizer.dicom import part10
from digitizer.dimse import Messages, gotten, open_association
from digitizer.dimse.message import _decoded, _encoded
from digitizer.errors import ArchiveRefused
from digitizer.model.older import Encoded

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
    # The peer's own upper layer, which is made to break the protocol.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


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
        found = list(gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [everything()]))
        assert [one.sop_instance_uid for one in found] == [f"1.2.3.{n}" for n in range(20)]
        assert {one.transfer_syntax_uid for one in found} == {EXPLICIT}
        assert all(one.data[-1] == number for number, one in enumerate(found))


def test_what_is_asked_for_is_told() -> None:
    """Each answer with its status, question after question over one association."""
    with running() as archive:
        archive.holds = [an_instance(number) for number in range(3)]
        with open_association(archive.peer, [(FIND, None)]) as opened, Messages(opened) as messages:
            for _ in range(2):
                *some, (status, nothing) = messages.find(everything(), FIND)
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
            answers = messages.find(everything(), FIND)
            next(answers)
            messages.cancel(FIND)
            ((last, _),) = answers
            assert last["Status"] == 0xFE00
            archive.holds = []
            assert [one["Status"] for one, _ in messages.find(everything(), FIND)] == [0]


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
            (_, found), (status, _) = messages.find(everything(), FIND)
            assert found is not None
            assert found.SOPInstanceUID == "1.2.3.9"
            assert status["Status"] == 0xFE00


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


def test_a_fetch_that_is_closed_early_waits_for_nothing() -> None:
    """The peer, which awaits our answer, is told that there comes none."""
    with running(timeout_s=30) as archive:
        archive.holds = [an_instance(number) for number in range(5)]
        with in_time():
            coming = gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [everything()])
            assert next(coming)
            coming.close()  # type: ignore[attr-defined]


def test_an_odd_uid_is_a_matter_of_its_instance() -> None:
    """What a peer names an instance is kept as it is named."""
    with running() as archive:
        archive.holds = [an_instance(1)]
        (found,) = gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [everything()])
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
            coming = gotten(archive.peer, [(GET, None), (CT, [EXPLICIT])], [everything()])
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


def _open() -> tuple[int, int]:
    """Return how many descriptors are open, and how many threads run."""
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


def _report(information: Dataset) -> Any:
    request = N_EVENT_REPORT()
    request.MessageID = 7
    request.AffectedSOPClassUID = PUSH
    request.AffectedSOPInstanceUID = "1.2.840.10008.1.20.1.1"
    request.EventTypeID = 1
    request.EventInformation = BytesIO(encode(information, True, True) or b"")
    return request
