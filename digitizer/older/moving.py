"""C-MOVE to ourselves: a storage entity of our own, open only while a study is fetched.

What it never does: take anything from another address or another AE title than the archive asked,
or keep taking while nobody takes it over from here.
"""

import logging
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from queue import Empty, Full, Queue
from socketserver import BaseServer
from typing import Any

from pydicom import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)
from pynetdicom.transport import ThreadedAssociationServer

from digitizer.dimse import QUICK, Peer, all_given, checked, open_association
from digitizer.dimse.association import LARGEST_PDU
from digitizer.dimse.storage import make_known
from digitizer.errors import ArchiveRefused, BadWorld, SourceUnreachable
from digitizer.model.older import Ending
from digitizer.older.asking import in_our_words
from digitizer.older.offers import every_class, every_syntax
from digitizer.older.spool import Spool

__all__ = ["Destination", "moved", "own_address"]

logger = logging.getLogger(__name__)

_MOVE = str(StudyRootQueryRetrieveInformationModelMove)
_NOT_AUTHORIZED, _OUT_OF_RESOURCES = 0x0124, 0xA700
_NO_SUCH_DESTINATION, _NONE_SENT = 0xA801, 0xA702
_ROOM = 32
"""Instances that wait on the disk; then the archive waits for us."""
_GRACE_S = 2.0
_POLL_S = 0.02
_FOR_EVER = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where the archive is to send: as it is entered there.

    ``senders`` are the addresses it may send from.
    """

    ae_title: str
    host: str
    port: int
    senders: tuple[str, ...]

    def unknown(self, error: BadWorld | None = None) -> SourceUnreachable:
        """Return the error for an archive that does not know it, or may not."""
        words = f"The old archive does not know where {self.ae_title} is."
        if error is not None:
            words = f"{in_our_words(error).message} Perhaps it does not know {self.ae_title}."
        return SourceUnreachable(
            words,
            remedy=f"Have {self.ae_title} entered in the old archive, "
            f"with this computer's address and port {self.port}.",
        )

    def silent(self) -> SourceUnreachable:
        """Return the error for an archive that answers but does not come."""
        return SourceUnreachable(
            f"The old archive sent nothing to {self.ae_title} on port {self.port}.",
            remedy="Check our address and port as they are entered in it, and the firewall.",
        )


@dataclass(slots=True)
class _Inbox:
    """What has come, as tickets of the spool; None at the end."""

    spool: Spool
    came: "Queue[tuple[int, int] | None]" = field(default_factory=lambda: Queue(_ROOM))
    called: bool = False
    seen_at: float = field(default_factory=time.monotonic)
    error: BadWorld | None = None
    association: Association | None = None
    closed: threading.Event = field(default_factory=threading.Event)

    def put(self, ticket: tuple[int, int] | None) -> bool:
        """Wait for room; False when nobody takes anything any more."""
        while not self.closed.is_set():
            try:
                self.came.put(ticket, timeout=0.2)
            except Full:
                continue
            return True
        return False


def moved(
    peer: Peer,
    destination: Destination,
    queries: Sequence[Dataset],
    sop_classes: Iterable[str],
    ending: Ending | None = None,
) -> Iterator[bytes]:
    """C-MOVE what some queries find to ourselves; yields each as a Part 10 file, as it came.

    How the peer ended the last one is left in ``ending``.

    Raises
    ------
    SourceUnreachable
        The peer is away, does not know the destination, or sends nothing there at all.
    """
    with Spool() as spool:
        inbox = _Inbox(spool)
        with _listening(peer, destination, inbox, sop_classes):
            asking = threading.Thread(
                target=_ask,
                args=(peer, destination, queries, inbox, ending or Ending()),
                daemon=True,
            )
            asking.start()
            try:
                yield from _taken(peer, inbox)
            finally:
                inbox.closed.set()
                if inbox.association is not None and inbox.association.is_established:
                    inbox.association.abort()
                asking.join()
    if inbox.error is not None:
        raise inbox.error


def _taken(peer: Peer, inbox: _Inbox) -> Iterator[bytes]:
    while True:
        try:
            ticket = inbox.came.get(timeout=1)
        except Empty:
            # Long silence is usual where tapes are fetched; the longest is the peer's timeout.
            if time.monotonic() - inbox.seen_at > peer.timeout_s:
                raise peer.away("The old archive has gone silent.") from None
            continue
        if ticket is None:
            return
        yield inbox.spool.take(ticket)
        inbox.seen_at = time.monotonic()


def _ask(
    peer: Peer,
    destination: Destination,
    queries: Sequence[Dataset],
    inbox: _Inbox,
    ending: Ending,
) -> None:
    """Ask for everything; whatever happens, the inbox ends."""
    # How long is too long is told by what comes, here and on the other association.
    patient = replace(peer, timeout_s=_FOR_EVER)
    try:
        with open_association(patient, [(_MOVE, None)]) as association:
            inbox.association = association
            for query in queries:
                for status, _ in association.send_c_move(query, destination.ae_title, _MOVE):
                    inbox.seen_at = time.monotonic()
                    ending.given = all_given(status)
                    if status.get("Status") == _NO_SUCH_DESTINATION:
                        inbox.error = destination.unknown()
                        return
                    _check(peer, status, destination, inbox)
    except ArchiveRefused as error:
        inbox.error = in_our_words(error)
    except BadWorld as error:
        inbox.error = error
    finally:
        inbox.put(None)


def _check(peer: Peer, status: Dataset, destination: Destination, inbox: _Inbox) -> None:
    """Pass over what could not be sent, which shows in what is missing; raise for the rest."""
    failed = int(status.get("NumberOfFailedSuboperations", 0) or 0)
    if status.get("Status") not in (None, 0xFF00, 0xFF01) and failed and not inbox.called:
        raise destination.silent()
    if status.get("Status") == _NONE_SENT:
        return
    try:
        checked(status, peer=peer)
    except ArchiveRefused as error:
        # Some have one answer for all, the unknown destination first of all.
        raise in_our_words(error) if inbox.called else destination.unknown(error) from error


@contextmanager
def _listening(
    peer: Peer, destination: Destination, inbox: _Inbox, sop_classes: Iterable[str]
) -> Iterator[None]:
    def take(event: evt.Event) -> int:
        if event.assoc.requestor.address not in destination.senders:
            logger.warning("an instance from another address was refused")
            return _NOT_AUTHORIZED
        inbox.called, inbox.seen_at = True, time.monotonic()
        if not inbox.put(inbox.spool.put(event.encoded_dataset())):
            return _OUT_OF_RESOURCES
        inbox.seen_at = time.monotonic()
        return 0x0000

    handlers = [*QUICK, (evt.EVT_C_STORE, take), (evt.EVT_C_ECHO, lambda _: 0x0000)]
    server = _opened(peer, destination, handlers, sop_classes)
    serving = threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True)
    serving.start()
    try:
        yield
        for association in server.active_associations:
            association.join(_GRACE_S)  # it releases once its last answer has come
    finally:
        for association in server.active_associations:
            association.abort()
        server.shutdown()
        serving.join()


def _opened(
    peer: Peer, destination: Destination, handlers: list[Any], sop_classes: Iterable[str]
) -> "_Port":
    """Open our port, as soon as another fetch of ours has given it back."""
    entity = AE(destination.ae_title)
    entity.require_called_aet = True
    entity.require_calling_aet = [peer.ae_title]
    entity.maximum_pdu_size = LARGEST_PDU
    entity.network_timeout = peer.timeout_s
    contexts = [build_context(Verification), *(_context(name) for name in _all(sop_classes))]
    deadline = time.monotonic() + peer.timeout_s
    while True:
        try:
            server = entity.make_server(
                (destination.host, destination.port),
                contexts=contexts,
                evt_handlers=handlers,
                server_class=_Port,
            )
        except OSError as error:
            if time.monotonic() > deadline:
                raise SourceUnreachable(
                    f"Our port {destination.port} for C-MOVE cannot be opened: {error.strerror}.",
                    remedy="Set listen_port of the source to a free port, and in the old archive.",
                ) from error
            time.sleep(_POLL_S)
        else:
            assert isinstance(server, _Port)
            return server


class _Port(ThreadedAssociationServer):
    """pynetdicom's server for a few seconds: it closes at once, and collects no garbage."""

    def service_actions(self) -> None:
        """Do nothing between two polls."""

    def shutdown(self) -> None:
        """Stop listening and give the port back."""
        BaseServer.shutdown(self)
        self.server_close()


def _all(sop_classes: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys((*every_class(), *sop_classes))


@lru_cache(maxsize=2000)
def _context(sop_class: str) -> PresentationContext:
    make_known(sop_class)
    return build_context(sop_class, list(every_syntax()))


def own_address(host: str, port: int) -> str:
    """Return our address as a peer sees it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, port))  # no packet is sent
        return str(probe.getsockname()[0])
