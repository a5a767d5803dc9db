"""C-STORE, C-GET and C-FIND as bytes, for studies of many instances (PS3.7 6.3, 9.1, E.1; PS3.8 E).

pynetdicom makes datasets of the few numbers and UIDs before each instance and looks whether every
one of them is well-formed, on the way out and on the way in: some three milliseconds of computing
for each instance that is fetched. Here they are read and written as the bytes they are, over a
connection that is in our own hand meanwhile (:mod:`.hand`). Associations, presentation contexts and
the upper layer stay pynetdicom's, and so do all messages that are not awaited here.
"""

import struct
import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom.association import Association
from pynetdicom.dsutils import decode, encode
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.presentation import PresentationContext

from digitizer.dicom.part10 import padded
from digitizer.dimse.hand import IS_COMMAND, IS_LAST, PIECE_HEAD, Hand
from digitizer.dimse.woken import break_off
from digitizer.errors import ArchiveRefused
from digitizer.model.older import Encoded

__all__ = ["Messages", "Status"]

_CLASS, _FIELD, _ID, _ANSWERED, _PRIORITY = 0x0002, 0x0100, 0x0110, 0x0120, 0x0700
_DATA_FOLLOWS, _STATUS, _COMMENT, _INSTANCE = 0x0800, 0x0900, 0x0902, 0x1000
_SUBOPERATIONS = {
    "NumberOfCompletedSuboperations": 0x1021,
    "NumberOfFailedSuboperations": 0x1022,
    "NumberOfWarningSuboperations": 0x1023,
}
"""Elements of group 0000 (PS3.7 E.1)."""
_STORE, _STORED, _GET, _GOTTEN = 0x0001, 0x8001, 0x0010, 0x8010
_FIND, _FOUND, _CANCEL = 0x0020, 0x8020, 0x0FFF
"""Values of Command Field (PS3.7 E.1)."""
_AWAITED = frozenset((_STORE, _STORED, _GOTTEN, _FOUND))
_NO_DATA, _SOME_DATA = 0x0101, 0x0001
_MEDIUM = 0x0000
_PENDING = frozenset((0xFF00, 0xFF01))
_NO_SUCH_CLASS = 0x0122
"""SOP class not supported (PS3.7 C.5.6)."""
_LARGEST_ID = 0xFFFF
_LARGEST_COMMAND = 1 << 16


Status = Mapping[str, int | str]
"""What an answer says, by the keywords of its command: ``Status``, ``ErrorComment`` and numbers of
suboperations."""


@dataclass(frozen=True, slots=True)
class _Message:
    """A message that came: elements of its command by number, and what follows."""

    context_id: int
    command: Mapping[int, bytes]
    data: bytes

    def number(self, element: int) -> int:
        value = self.command.get(element, b"")
        return int(struct.unpack("<H", value)[0]) if len(value) == 2 else -1

    def text(self, element: int) -> str:
        return self.command.get(element, b"").decode("latin-1").strip("\0 ")


class Messages:
    """The messages of an association that we opened, for as long as this is entered.

    Raises
    ------
    RuntimeError
        From its methods: the peer has ended the association, is silent for too long, or answers
        what was not asked. Nothing more is to be asked over it.
    """

    def __init__(self, association: Association) -> None:
        self._association = association
        self._dimse: Any = association.dimse
        self._dul: Any = association.dul
        accepted = association.accepted_contexts
        self._contexts = {one.context_id or 0: one for one in accepted}
        self._ways = {
            (str(one.abstract_syntax), str(one.transfer_syntax[0])): one.context_id or 0
            for one in accepted
        }
        self._hand = Hand(association, self._dimse.dimse_timeout)
        self._whole_ones = deque[_Message]()
        self._pieces: list[tuple[int, bytes]] = []
        self._encoded, self._command = bytearray(), dict[int, bytes]()
        self._data: list[memoryview] = []
        self._is_awaited = self._is_asking = False
        self._last_id = 0

    def __enter__(self) -> "Messages":
        self._hand.take()
        return self

    def __exit__(self, *_: object) -> None:
        self._hand.give()
        if self._is_asking or self._encoded or self._data or self._whole_ones:
            # The peer is in the middle of something: a release would wait for what never comes.
            break_off(self._association)

    @property
    def is_open(self) -> bool:
        """Tell whether the association still stands."""
        return self._association.is_established

    def store(self, instance: Encoded) -> Status:
        """C-STORE an instance; returns what the peer says of it.

        Raises
        ------
        ValueError
            There is no presentation context for it.
        """
        context_id = self._context_for(instance)
        self._ask(
            context_id,
            {
                _CLASS: padded(instance.sop_class_uid, b"\0"),
                _FIELD: _number(_STORE),
                _PRIORITY: _number(_MEDIUM),
                _INSTANCE: padded(instance.sop_instance_uid, b"\0"),
            },
            instance.data,
        )
        answer = self._next(_STORED)
        self._is_asking = False
        return _status(answer)

    def find(self, query: Dataset, model: str) -> Iterator[tuple[Status, Dataset | None]]:
        """C-FIND; yields each status, with what was found as long as there may be more.

        Raises
        ------
        ArchiveRefused
            What was found cannot be read: nobody is to go by the rest.
        ValueError
            There is no presentation context for it.
        """
        syntax = self._ask_for(_FIND, query, model).transfer_syntax[0]
        while True:
            message = self._next(_FOUND)
            status = _status(message)
            self._is_asking = status.get("Status") in _PENDING
            yield status, _identifier(message.data, syntax) if self._is_asking else None
            if not self._is_asking:
                return

    def cancel(self, model: str) -> None:
        """C-CANCEL what is being asked; the peer ends it when it likes (PS3.7 9.3.2.3)."""
        context_id = self._context_of(model).context_id or 0
        self._send(context_id, {_FIELD: _number(_CANCEL), _ANSWERED: _number(self._last_id)})

    def get(self, query: Dataset, model: str) -> Iterator[Status | Encoded]:
        """C-GET; yields each instance once it is answered for, and each status of the request.

        Raises
        ------
        ValueError
            There is no presentation context for it.
        """
        self._ask_for(_GET, query, model)
        while True:
            message = self._next(_GOTTEN, _STORE)
            if message.number(_FIELD) == _STORE:
                instance = self._came(message)
                if instance is not None:
                    yield instance
                continue
            status = _status(message)
            self._is_asking = status.get("Status") in _PENDING
            yield status
            if not self._is_asking:
                return

    def _came(self, message: _Message) -> Encoded | None:
        """Answer for an instance that came; None for one of a class that was not agreed on."""
        context = self._contexts.get(message.context_id)
        sop_class, sop_instance = message.command.get(_CLASS, b""), message.command.get(_INSTANCE)
        agreed = context is not None and context.as_scp and sop_instance
        if agreed and context is not None and context.abstract_syntax == message.text(_CLASS):
            status = 0x0000
        else:
            status = _NO_SUCH_CLASS
        self._send(
            message.context_id,
            {
                _CLASS: sop_class,
                _FIELD: _number(_STORED),
                _ANSWERED: message.command.get(_ID, b""),
                _STATUS: _number(status),
                _INSTANCE: sop_instance or b"",
            },
        )
        if status or context is None:
            return None
        syntax = str(context.transfer_syntax[0])
        return Encoded(
            sop_class_uid=message.text(_CLASS),
            sop_instance_uid=message.text(_INSTANCE),
            transfer_syntax_uid=syntax,
            data=message.data,
        )

    def _context_for(self, instance: Encoded) -> int:
        way = self._ways.get((instance.sop_class_uid, instance.transfer_syntax_uid))
        if way is None:
            raise ValueError("no presentation context for this instance")
        return way

    def _context_of(self, service: str) -> PresentationContext:
        for one in self._contexts.values():
            if one.abstract_syntax == service:
                return one
        raise ValueError("no presentation context for this service")

    def _ask_for(self, field: int, query: Dataset, model: str) -> PresentationContext:
        """Ask for what a query finds; returns the context that it is asked in."""
        context = self._context_of(model)
        syntax = context.transfer_syntax[0]
        self._ask(
            context.context_id or 0,
            {_CLASS: padded(model, b"\0"), _FIELD: _number(field), _PRIORITY: _number(_MEDIUM)},
            encode(query, syntax.is_implicit_VR, syntax.is_little_endian) or b"",
        )
        return context

    def _ask(self, context_id: int, command: Mapping[int, bytes], data: bytes) -> None:
        self._is_asking = True
        self._last_id = self._last_id % _LARGEST_ID + 1
        self._send(context_id, {**command, _ID: _number(self._last_id)}, data)

    def _send(self, context_id: int, command: Mapping[int, bytes], data: bytes = b"") -> None:
        self._check()
        follows = _number(_SOME_DATA if data else _NO_DATA)
        encoded = _encoded({**command, _DATA_FOLLOWS: follows})
        # 0: the peer takes any length (PS3.8 D.1).
        room = (self._dimse.maximum_pdu_size or (1 << 30)) - PIECE_HEAD
        self._hand.send(context_id, ((IS_COMMAND, encoded), (0, data)), room)

    def _next(self, *awaited: int) -> _Message:
        """Return the next message: one of the kinds awaited, and an answer to what was asked."""
        until = self._deadline()
        while not self._whole_ones:
            try:
                for context_id, control, fragment in self._hand.receive(until):
                    self._add(context_id, control, fragment)
                    # As long as something comes, the peer lives.
                    until = self._deadline() if fragment else until
            except ValueError as error:
                raise RuntimeError("the peer sends what is no message") from error
            if not (self._dimse.msg_queue.empty() and self._dul.event_queue.empty()):
                raise RuntimeError("the peer asks where it is to answer")
        message = self._whole_ones.popleft()
        if not self._is_due(message, awaited):
            raise RuntimeError("the peer answers what was not asked")
        return message

    def _deadline(self) -> float | None:
        seconds = self._dimse.dimse_timeout
        return None if seconds is None else time.monotonic() + float(seconds)

    def _is_due(self, message: _Message, awaited: Collection[int]) -> bool:
        field = message.number(_FIELD)
        return field in awaited and (field == _STORE or message.number(_ANSWERED) == self._last_id)

    def _check(self) -> None:
        """Raise when the peer has ended the association, or the connection is lost."""
        is_over = not self.is_open or not self._dul.is_alive()
        if is_over or not self._dul.to_user_queue.empty():
            raise RuntimeError("the association has ended")

    def _add(self, context_id: int, control: int, fragment: memoryview) -> None:
        """Take a piece; what nobody here awaits is for pynetdicom, once it is whole."""
        if not self._is_awaited:
            self._pieces.append((context_id, bytes((control,)) + fragment))
        if not control & IS_COMMAND:
            if not self._command:
                raise ValueError("data without a command")
            self._data.append(fragment)
            if control & IS_LAST:
                self._whole(context_id)
            return
        self._encoded += fragment
        if len(self._encoded) > _LARGEST_COMMAND:
            raise ValueError("no command is as long as this")
        if control & IS_LAST:
            self._command = _decoded(bytes(self._encoded))
            message = _Message(context_id, self._command, b"")
            if message.number(_FIELD) < 0:
                raise ValueError("a command set without a command")
            self._is_awaited = message.number(_FIELD) in _AWAITED
            if self._is_awaited:
                self._pieces.clear()
            if message.number(_DATA_FOLLOWS) == _NO_DATA:
                self._whole(context_id)

    def _whole(self, context_id: int) -> None:
        message = _Message(context_id, self._command, b"".join(self._data))
        is_awaited, pieces = self._is_awaited, self._pieces
        self._pieces, self._data, self._is_awaited = [], [], False
        self._encoded, self._command = bytearray(), {}
        if is_awaited:
            self._whole_ones.append(message)
            return
        primitive = P_DATA()
        primitive.presentation_data_value_list.extend(pieces)
        try:
            self._dimse.receive_primitive(primitive)
        except Exception:
            # pynetdicom raises nearly anything over hostile bytes.
            raise ValueError("a message cannot be read") from None


def _number(value: int) -> bytes:
    return struct.pack("<H", value)


def _encoded(command: Mapping[int, bytes]) -> bytes:
    """Return a command set: Implicit VR Little Endian, in rising order (PS3.7 6.3.1)."""
    out = BytesIO()
    for element in sorted(command):
        out.write(struct.pack("<HHL", 0x0000, element, len(command[element])))
        out.write(command[element])
    body = out.getvalue()
    return struct.pack("<HHLL", 0x0000, 0x0000, 4, len(body)) + body


def _decoded(encoded: bytes) -> dict[int, bytes]:
    """Return the elements of a command set by their numbers.

    Raises
    ------
    ValueError
        It ends within an element, or holds elements of another group.
    """
    found: dict[int, bytes] = {}
    at = 0
    while at < len(encoded):
        if len(encoded) - at < 8:
            raise ValueError("a command set ends too early")
        group, element, length = struct.unpack_from("<HHL", encoded, at)
        at += 8
        if group or at + length > len(encoded):
            raise ValueError("a command set is garbled")
        found[element] = encoded[at : at + length]
        at += length
    return found


def _status(message: _Message) -> Status:
    status: dict[str, int | str] = {}
    number = message.number(_STATUS)
    if number >= 0:
        status["Status"] = number
    comment = message.text(_COMMENT)
    if comment:
        status["ErrorComment"] = comment[:64]
    for keyword, element in _SUBOPERATIONS.items():
        number = message.number(element)
        if number >= 0:
            status[keyword] = number
    return status


def _identifier(data: bytes, syntax: UID) -> Dataset:
    try:
        return decode(BytesIO(data), syntax.is_implicit_VR, syntax.is_little_endian)
    except Exception:
        # pydicom raises nearly anything over hostile bytes; to who asked it is all the same.
        raise ArchiveRefused("The archive answers what cannot be read.") from None
