"""One association with each peer kept open for a moment, for the next request of this process.

Opening one costs more than most requests over it. So it offers what may be asked for next as well:
services beside each other, and the SOP classes that were asked for most, to be sent and to be
received, as far as there is room. A peer that is offered more syntaxes than an instance is kept in
may send it otherwise: whoever minds asks for exactly those wanted.

Never more than one for a peer, and not for long: some archives serve a few associations at once,
idle ones included (Orthanc has four threads for them all).
"""

import os
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pynetdicom.association import Association

from digitizer.dimse.gate import open_gate
from digitizer.dimse.tls import has_come
from digitizer.dimse.woken import break_off, give_back

__all__ = ["Contexts", "Kept", "Offer", "ended", "kept"]

_MOST_CONTEXTS = 128
"""Presentation contexts of one association (PS3.8 9.3.2.2)."""
_LONGEST_END_S = 2.0

Contexts = Sequence[tuple[str, Sequence[str] | None]]
"""Abstract syntaxes, each with transfer syntaxes or None for the default ones."""
_Syntaxes = tuple[tuple[str, ...], ...]
_Kind = tuple[bool, str, _Syntaxes]
"""Whether the peer sends it to us, a SOP class, and the syntaxes asked for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an association is opened with: services, and SOP classes in their syntaxes.

    Attributes
    ----------
    services : tuple of str
    classes : dict of SOP class to transfer syntaxes of its contexts
    sent, received : frozenset of str
        Classes that we store to the peer, and those that it stores to us (C-GET). One in both is
        offered with both roles (PS3.7 D.3.3.4).
    exact : frozenset of str
        Classes to be received in no other syntax, though the peer may keep them otherwise.
    """

    services: tuple[str, ...] = ()
    classes: dict[str, _Syntaxes] = field(default_factory=dict)
    sent: frozenset[str] = frozenset()
    received: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()

    @classmethod
    def of(cls, contexts: Contexts, *, receives: bool, exact: bool = True) -> "Offer":
        """Read contexts: those without transfer syntaxes are services."""
        services = [name for name, syntaxes in contexts if syntaxes is None]
        classes: dict[str, _Syntaxes] = {}
        for name, syntaxes in contexts:
            if syntaxes is not None:
                classes[name] = (*classes.get(name, ()), tuple(syntaxes))
        names, none = frozenset(classes), frozenset[str]()
        return cls(
            services=tuple(dict.fromkeys(services)),
            classes=classes,
            sent=none if receives else names,
            received=names if receives else none,
            exact=names if receives and exact else none,
        )

    @property
    def contexts(self) -> list[tuple[str, tuple[str, ...] | None]]:
        """Each service and each syntax of a class as a presentation context."""
        found: list[tuple[str, tuple[str, ...] | None]] = [(name, None) for name in self.services]
        return found + [(name, one) for name, some in self.classes.items() for one in some]

    @property
    def both_ways(self) -> frozenset[str]:
        """Classes that are sent and received."""
        return self.sent & self.received

    def serves(self, wanted: "Offer") -> bool:
        """Tell whether all that is wanted is in it."""
        if not set(wanted.services) <= set(self.services):
            return False
        if not (wanted.sent <= self.sent and wanted.received <= self.received):
            return False
        for name, some in wanted.classes.items():
            mine, asked = set(self.classes[name]), set(some)
            if not (mine == asked if name in wanted.exact else mine >= asked):
                return False
        return True

    def beside(self, other: "Offer", *, both_ways: bool = True) -> "Offer":
        """Return it with what another one offered, as far as both go together and there is room.

        Parameters
        ----------
        other : Offer
            Its classes come in the order in which they earn their room.
        both_ways : bool
            The peer takes both roles for one class.
        """
        grown = replace(self, services=tuple(dict.fromkeys((*self.services, *other.services))))
        if len(grown.contexts) > _MOST_CONTEXTS:
            return self
        for name in other.classes:
            more = grown._with(name, other)
            if len(more.contexts) <= _MOST_CONTEXTS and (both_ways or not more.both_ways):
                grown = more
        return grown

    def _with(self, name: str, other: "Offer") -> "Offer":
        """Return it with a class of another one, unless that would be more than is wanted of it."""
        mine = self.classes.get(name, ())
        more = tuple(one for one in other.classes[name] if one not in mine)
        if more and name in self.exact:
            return self
        return replace(
            self,
            classes={**self.classes, name: (*mine, *more)},
            sent=self.sent | (other.sent & {name}),
            received=self.received | (other.received & {name}),
        )


@dataclass(frozen=True, slots=True)
class _Idle:
    offer: Offer
    association: Association
    until: float


class Kept:
    """Associations of this process that nobody uses just now; none before :meth:`keep_for`.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Any, _Idle] = {}
        self._asked: dict[Any, Counter[_Kind]] = {}
        self._one_way: set[Any] = set()
        self._choosers: set[Any] = set()
        self._seconds = 0.0
        self._sweeps = False
        os.register_at_fork(after_in_child=self._forget)

    def keep_for(self, seconds: float) -> None:
        """Keep what is given back for so long: less than any peer lets it stand idle."""
        self._seconds = seconds

    def take(
        self, peer: Any, wanted: Offer, *, both_ways: bool = True
    ) -> tuple[Association | None, Offer]:
        """Return the association kept for a peer with what it offers.

        Without one that serves, what to open one with: what is wanted, the services of the last,
        and what this peer is mostly asked for; in both roles if that may be and the peer is not
        known to take one only.
        """
        if not self._seconds:
            return None, wanted
        with self._lock:
            found = self._idle.pop(peer, None)
            asked = self._asked.setdefault(peer, Counter())
            asked.update(_kinds(wanted))
        if found is not None and _is_well(found.association) and found.offer.serves(wanted):
            return found.association, found.offer
        with self._lock:
            usual, both_ways = _usual(asked), both_ways and peer not in self._one_way
        if found is not None:
            ended(found.association)
            usual = replace(usual, services=found.offer.services)
        return None, wanted.beside(usual, both_ways=both_ways)

    def note_one_way(self, peer: Any) -> None:
        """Note that a peer does not take both roles for one class."""
        with self._lock:
            self._one_way.add(peer)

    def note_chooser(self, peer: Any) -> None:
        """Note that a peer, offered several syntaxes, sends in another than it was given."""
        with self._lock:
            self._choosers.add(peer)

    def is_chooser(self, peer: Any) -> bool:
        """Tell whether a peer is to be offered exactly the syntaxes wanted."""
        with self._lock:
            return peer in self._choosers

    def give(self, peer: Any, offer: Offer, association: Association) -> None:
        """Keep an association, or end it."""
        if not self._seconds or not _is_well(association):
            ended(association)
            return
        with self._lock:
            before = self._idle.pop(peer, None)
            self._idle[peer] = _Idle(offer, association, time.monotonic() + self._seconds)
            if not self._sweeps:
                self._sweeps = True
                threading.Thread(target=self._sweep, daemon=True).start()
        if before is not None:
            ended(before.association)

    def end(self) -> None:
        """Release all that are idle, at once."""
        with self._lock:
            some, self._idle = list(self._idle.values()), {}
        for one in some:
            ended(one.association)

    def _sweep(self) -> None:
        """End what nobody wanted in time; runs as long as there is something."""
        while True:
            with self._lock:
                if not self._idle:
                    self._sweeps = False
                    return
                peer, first = min(self._idle.items(), key=lambda one: one[1].until)
                left = first.until - time.monotonic()
                if left <= 0:
                    del self._idle[peer]
            if left <= 0:
                ended(first.association)
            else:
                time.sleep(left)

    def _forget(self) -> None:
        """Leave what the parent process keeps to it."""
        self._lock = threading.Lock()
        self._idle, self._sweeps = {}, False


def _kinds(wanted: Offer) -> list[_Kind]:
    return [(name in wanted.received, name, some) for name, some in wanted.classes.items()]


def _usual(asked: "Counter[_Kind]") -> Offer:
    """Return the classes that are asked for, those first that earn their room."""
    usual = Offer()
    for receives, name, some in sorted(asked, key=lambda kind: -asked[kind] / len(kind[2])):
        contexts = [(name, one) for one in some]
        usual = usual._with(name, Offer.of(contexts, receives=receives, exact=False))
    return usual


kept = Kept()
"""Those of this process."""


def _is_well(association: Association) -> bool:
    """Tell whether nothing was heard of the peer but what was asked for."""
    connection = _connection(association)
    return bool(
        association.is_established
        and association.dul.is_alive()
        and association.dul.to_user_queue.empty()
        and association.dimse.msg_queue.empty()
        and connection is not None
        and _is_silent(connection)
    )


def _connection(association: Association) -> socket.socket | None:
    """Return the connection; looked up once, for the upper layer may forget it at any time."""
    transport = association.dul.socket
    return None if transport is None else transport.socket


def _is_silent(connection: socket.socket) -> bool:
    """Tell whether nothing came over a connection, and it is not closed."""
    waits = select.poll()
    try:
        waits.register(connection, select.POLLIN)
    except ValueError:
        # The upper layer has closed it.
        return False
    return not has_come(connection) and not waits.poll(0)


def ended(association: Association) -> None:
    """Release an association; let its threads end, and its connection."""
    if association.is_established:
        # What the peer has ended, or is about to, answers to no release.
        association.release() if _is_well(association) else break_off(association)
    open_gate(association)
    if association.is_alive():
        association.join(_LONGEST_END_S)
    connection = _connection(association)
    if connection is not None:
        connection.close()
    if not association.dul.is_alive():
        give_back(association)
