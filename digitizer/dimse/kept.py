"""One association with each peer kept open for a moment, for the next request of this process.

Opening one costs more than most requests over it. So it offers what may be asked for next as well:
services beside each other, and the SOP classes that were asked for most, as far as there is room. A
class that the peer may send to us is offered in exactly the syntaxes wanted, since a peer that is
offered more may send it otherwise.

Never more than one for a peer, and not for long: some archives serve a few associations at once,
idle ones included (Orthanc has four threads for them all).
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pynetdicom.association import Association

from digitizer.dimse.gate import open_gate
from digitizer.dimse.woken import give_back

__all__ = ["Contexts", "Kept", "Offer", "ended", "kept"]

_MOST_CONTEXTS = 128
"""Presentation contexts of one association (PS3.8 9.3.2.2)."""
_LONGEST_END_S = 2.0

Contexts = Sequence[tuple[str, Sequence[str] | None]]
"""Abstract syntaxes, each with transfer syntaxes or None for the default ones."""
_Kind = tuple[bool, str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an association is opened with: services, and SOP classes in their syntaxes.

    Attributes
    ----------
    receives : bool
        The peer stores instances of the classes to us (C-GET); else we store them to it.
    """

    services: tuple[str, ...]
    classes: dict[str, tuple[tuple[str, ...], ...]]
    receives: bool

    @classmethod
    def of(cls, contexts: Contexts, *, receives: bool) -> "Offer":
        """Read contexts: those without transfer syntaxes are services."""
        services = [name for name, syntaxes in contexts if syntaxes is None]
        classes: dict[str, tuple[tuple[str, ...], ...]] = {}
        for name, syntaxes in contexts:
            if syntaxes is not None:
                classes[name] = (*classes.get(name, ()), tuple(syntaxes))
        return cls(services=tuple(dict.fromkeys(services)), classes=classes, receives=receives)

    @property
    def contexts(self) -> list[tuple[str, tuple[str, ...] | None]]:
        """Each service and each syntax of a class as a presentation context."""
        found: list[tuple[str, tuple[str, ...] | None]] = [(name, None) for name in self.services]
        return found + [(name, one) for name, some in self.classes.items() for one in some]

    @property
    def kinds(self) -> list["_Kind"]:
        """Each class with its syntaxes and the direction it goes in."""
        return [(self.receives, name, some) for name, some in self.classes.items()]

    def serves(self, wanted: "Offer") -> bool:
        """Tell whether all that is wanted is in it."""
        if not set(wanted.services) <= set(self.services):
            return False
        if wanted.classes and wanted.receives is not self.receives:
            return False
        for name, some in wanted.classes.items():
            mine, asked = set(self.classes.get(name, ())), set(some)
            if not (mine == asked if self.receives else mine >= asked):
                return False
        return True

    def beside(self, other: "Offer") -> "Offer":
        """Return it with what another one offered, as far as both go together."""
        services = tuple(dict.fromkeys((*self.services, *other.services)))
        classes = dict(self.classes)
        room = _MOST_CONTEXTS - len(services) - sum(map(len, classes.values()))
        alike = not classes or not other.classes or self.receives is other.receives
        receives = self.receives if classes else other.receives
        for name, some in other.classes.items() if alike else ():
            mine = classes.get(name, ())
            more = tuple(one for one in some if one not in mine)
            if len(more) <= room and not (mine and receives):
                classes[name] = (*mine, *more)
                room -= len(more)
        return self if room < 0 else Offer(services=services, classes=classes, receives=receives)


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
        self._seconds = 0.0
        self._sweeps = False
        os.register_at_fork(after_in_child=self._forget)

    def keep_for(self, seconds: float) -> None:
        """Keep what is given back for so long: less than any peer lets it stand idle."""
        self._seconds = seconds

    def take(self, peer: Any, wanted: Offer) -> tuple[Association | None, Offer]:
        """Return the association kept for a peer with what it offers.

        Without one that serves, what to open one with: what is wanted, the services of the last,
        and what this peer is mostly asked for.
        """
        if not self._seconds:
            return None, wanted
        with self._lock:
            found = self._idle.pop(peer, None)
            asked = self._asked.setdefault(peer, Counter())
            asked.update(wanted.kinds)
            before = found.offer if found is not None else wanted
            usual = _usual(asked, receives=(wanted if wanted.classes else before).receives)
        if found is not None and _is_well(found.association) and before.serves(wanted):
            return found.association, before
        if found is not None:
            ended(found.association)
        return None, wanted.beside(replace(usual, services=before.services))

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


def _usual(asked: "Counter[_Kind]", *, receives: bool) -> Offer:
    """Return the classes that are asked for in a direction, those first that earn their room."""
    kinds = [kind for kind in asked if kind[0] is receives]
    offer = Offer(services=(), classes={}, receives=receives)
    for _, name, some in sorted(kinds, key=lambda kind: -asked[kind] / len(kind[2])):
        more = offer.classes.get(name, ())
        if not (more and receives):
            offer.classes[name] = (*more, *(one for one in some if one not in more))
    return offer


kept = Kept()
"""Those of this process."""


def _is_well(association: Association) -> bool:
    """Tell whether nothing was heard of the peer but what was asked for."""
    transport = association.dul.socket
    return bool(
        association.is_established
        and association.dul.is_alive()
        and association.dul.to_user_queue.empty()
        and association.dimse.msg_queue.empty()
        and transport is not None
        and not transport.ready
    )


def ended(association: Association) -> None:
    """Release an association; let its threads end, and its connection."""
    if association.is_established:
        # What the peer has ended, or is about to, answers to no release.
        association.release() if _is_well(association) else association.abort()
    open_gate(association)
    if association.is_alive():
        association.join(_LONGEST_END_S)
    transport = association.dul.socket
    if transport is not None and transport.socket is not None:
        transport.socket.close()
    if not association.dul.is_alive():
        give_back(association)
