"""Associations that we open, and what a peer's status means."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from ssl import SSLContext

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import AE, _config, build_context, build_role
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from digitizer.dimse.gate import close_gate
from digitizer.dimse.kept import Contexts, Offer, ended, kept
from digitizer.dimse.message import Status
from digitizer.dimse.quick import QUICK_START
from digitizer.dimse.woken import wake_by_events
from digitizer.errors import ArchiveRefused, ArchiveUnreachable, BadWorld, SourceUnreachable

__all__ = ["LARGEST_PDU", "REMEDY", "Peer", "checked", "open_association"]

# Names of patients stay out of the logs; and nothing is decoded for the sake of a log.
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False
_config.LOG_HANDLER_LEVEL = "none"
# The same UIDs are looked at with every association, hundreds of them.
_config.VALIDATORS["UI"] = lru_cache(2000)(_config.VALIDATORS["UI"])

REMEDY = "Check address, port and AE titles with `digitizer doctor`."
_BROKEN_OFF = "The association was broken off."
LARGEST_PDU = 131_072
"""Bytes that we take at once: few large pieces cost less than many small ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Whom we speak to, and as whom.

    ``unreachable`` is the error for a peer that does not answer: an archive or an older one.
    """

    host: str
    port: int
    ae_title: str
    our_title: str
    timeout_s: float
    tls: SSLContext | None = None
    unreachable: type[ArchiveUnreachable] | type[SourceUnreachable] = ArchiveUnreachable

    def away(self, what: str) -> BadWorld:
        """Return the error to raise when the peer is away."""
        return self.unreachable(what, remedy=REMEDY)


@contextmanager
def open_association(
    peer: Peer, contexts: Contexts, *, receives: bool = False, exact: bool = True
) -> Iterator[Association]:
    """Open an association with the contexts wanted, or take one that is kept.

    At the end it is kept for the next, where this process keeps any (:mod:`.kept`), or released.

    Parameters
    ----------
    peer : Peer
    contexts : sequence of (abstract syntax, transfer syntaxes or None for the default ones)
    receives : bool
        The peer stores to us on this association: for C-GET (PS3.4 C.5.3).
    exact : bool
        What it stores to us is offered in no other syntax than is wanted here.

    Raises
    ------
    ArchiveUnreachable or another of the peer's
        It does not answer, refuses us, or breaks off.
    ArchiveRefused
        It offers none of what is asked for.
    """
    association, offer = _taken(peer, Offer.of(contexts, receives=receives, exact=exact))
    in_order = False
    try:
        yield association
        in_order = True
    except ValueError as error:
        # pynetdicom: no accepted context for what we wanted to send.
        raise ArchiveRefused("The archive does not offer this service.") from error
    except RuntimeError as error:
        raise peer.away(_BROKEN_OFF) from error
    finally:
        if in_order:
            kept.give(peer, offer, association)
        else:
            ended(association)


def _taken(peer: Peer, wanted: Offer) -> tuple[Association, Offer]:
    """Take the association that is kept, or open one; returns also what it offers.

    A peer that does not take both roles for a class, or fails over being asked to, is asked again
    for one.
    """
    found, offer = kept.take(peer, wanted)
    if found is not None:
        return found, offer
    if not offer.both_ways:
        return _opened(peer, offer), offer
    with suppress(peer.unreachable, ArchiveRefused):
        association = _opened(peer, offer)
        if _takes_both_ways(association, offer):
            return association, offer
        ended(association)
    _, offer = kept.take(peer, wanted, both_ways=False)
    association = _opened(peer, offer)
    kept.note_one_way(peer)
    return association, offer


def _opened(peer: Peer, offer: Offer) -> Association:
    entity = AE(peer.our_title)
    entity.acse_timeout = entity.dimse_timeout = peer.timeout_s
    entity.network_timeout = entity.connection_timeout = peer.timeout_s
    entity.maximum_pdu_size = LARGEST_PDU
    association = entity.associate(
        peer.host,
        peer.port,
        _Contexts(_context(name, syntaxes) for name, syntaxes in offer.contexts),
        ae_title=peer.ae_title,
        max_pdu=LARGEST_PDU,
        ext_neg=[
            build_role(UID(name), scu_role=name in offer.sent, scp_role=True)
            for name in offer.received
        ],
        evt_handlers=list(QUICK_START),
        tls_args=(peer.tls, peer.host) if peer.tls else None,
    )
    if not association.is_established:
        ended(association)
        if association.rejected_contexts and not association.accepted_contexts:
            # pynetdicom aborts by itself what a peer accepts without any context.
            raise ArchiveRefused("The archive offers none of the services asked for.")
        why = "refuses our association" if association.is_rejected else "does not answer"
        raise peer.away(f"The archive {peer.ae_title} {why}.")
    close_gate(association)
    try:
        wake_by_events(association)
    except RuntimeError as error:
        ended(association)
        raise peer.away(_BROKEN_OFF) from error
    return association


def _takes_both_ways(association: Association, offer: Offer) -> bool:
    """Tell whether a peer accepts both roles where it is asked to (PS3.7 D.3.3.4)."""
    return all(
        one.as_scu and one.as_scp
        for one in association.accepted_contexts
        if one.abstract_syntax in offer.both_ways
    )


class _Contexts(list[PresentationContext]):
    """Presentation contexts to ask for.

    pynetdicom copies them deeply to number them, which costs more than all else about opening an
    association: there may be 128 of them.
    """

    def __deepcopy__(self, _: object) -> list[PresentationContext]:
        return [copy(one) for one in self]


@lru_cache(2000)
def _context(name: str, syntaxes: tuple[str, ...] | None) -> PresentationContext:
    """Return a context, which nobody may change; pynetdicom looks closely at each UID in it."""
    return build_context(name, None if syntaxes is None else list(syntaxes))


def checked(status: Dataset | Status, *, peer: Peer | None = None, refusals: bool = False) -> int:
    """Return a status that is good enough; raise for the rest (PS3.7 C).

    Bxxx are warnings: the archive took it and says what it changed. A7xx is out of resources.
    """
    if not status or "Status" not in status:
        what = "The archive broke the association off."
        raise peer.away(what) if peer else ArchiveUnreachable(what, remedy=REMEDY)
    code = int(status.get("Status") or 0)
    if code in (0x0000, 0xFF00, 0xFF01) or code & 0xF000 == 0xB000:
        return code
    if code & 0xFF00 == 0xA700 and refusals:
        raise ArchiveRefused("The archive is out of resources.", status=code)
    comment = str(status.get("ErrorComment", "")).strip()[:64]
    raise ArchiveRefused(f"The archive answered 0x{code:04X} {comment}".strip() + ".", status=code)
