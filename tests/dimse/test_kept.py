"""An association that is kept serves the next request, exactly as a new one would."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from orthanc_server import free_port
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit
from pynetdicom import AE, evt
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    MRImageStorage,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)
from waiting import wait_until

from digitizer.archive.ending import end_server
from digitizer.dimse import Peer, association, checked, open_association
from digitizer.dimse.kept import Contexts, Kept, Offer
from digitizer.errors import ArchiveUnreachable

ECHO, FIND, GET = str(Verification), "find", "get"
GET_OF_STUDIES = str(StudyRootQueryRetrieveInformationModelGet)
CT, MR = str(CTImageStorage), str(MRImageStorage)
EXPLICIT, IMPLICIT, JPEG = (
    str(one) for one in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit)
)


@dataclass
class Clinic:
    """A peer, with the associations that were opened with it and how they ended."""

    peer: Peer
    opened: list[evt.Event] = field(default_factory=list)
    released: list[evt.Event] = field(default_factory=list)
    supported: list[PresentationContext] = field(default_factory=list)
    fails_over_both: bool = False

    def requested(self, event: evt.Event) -> None:
        roles = event.assoc.requestor.role_selection.values()
        if self.fails_over_both and any(one.scu_role and one.scp_role for one in roles):
            event.assoc.abort()

    def echo(self, *more: tuple[str, list[str]]) -> None:
        contexts: Contexts = [(ECHO, None), *more]
        with open_association(self.peer, contexts) as opened:
            checked(opened.send_c_echo(), peer=self.peer)

    def hang_up(self) -> None:
        for one in self.opened:
            one.assoc.abort()


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    port = free_port()
    there = Clinic(
        Peer(host="127.0.0.1", port=port, ae_title="CLINIC", our_title="US", timeout_s=5)
    )
    entity = AE("CLINIC")
    for name in (ECHO, CT, MR, GET_OF_STUDIES):
        entity.add_supported_context(name, [EXPLICIT, IMPLICIT, JPEG])
    there.supported = [one for one in entity.supported_contexts if one.abstract_syntax == CT]
    server = entity.start_server(
        ("127.0.0.1", port),
        block=False,
        evt_handlers=[
            (evt.EVT_REQUESTED, there.requested),
            (evt.EVT_ACCEPTED, there.opened.append),
            (evt.EVT_RELEASED, there.released.append),
        ],
    )
    assert server is not None
    yield there
    end_server(server)


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    keeper = Kept()
    monkeypatch.setattr(association, "kept", keeper)
    keeper.keep_for(30)
    yield keeper
    keeper.end()


@pytest.mark.usefixtures("keeping")
def test_one_association_serves_many_requests_and_grows_with_them(clinic: Clinic) -> None:
    """What is not offered yet opens a new one, which then serves for both."""
    for _ in range(3):
        clinic.echo()
    assert len(clinic.opened) == 1
    clinic.echo((CT, [EXPLICIT]))
    assert len(clinic.opened) == 2
    clinic.echo((MR, [EXPLICIT]))
    clinic.echo((CT, [EXPLICIT]))
    clinic.echo()
    assert len(clinic.opened) == 3
    wait_until(lambda: len(clinic.released) == 2)  # those that it replaced


def test_without_being_told_nothing_is_kept(clinic: Clinic) -> None:
    """Commands of a moment leave no association behind."""
    clinic.echo()
    clinic.echo()
    assert len(clinic.opened) == 2
    wait_until(lambda: len(clinic.released) == 2)


def test_what_nobody_wants_is_released_in_time(clinic: Clinic, keeping: Kept) -> None:
    """The peer gets its place back."""
    keeping.keep_for(0.05)
    clinic.echo()
    wait_until(lambda: len(clinic.released) == 1)
    clinic.echo()
    assert len(clinic.opened) == 2


@pytest.mark.usefixtures("keeping")
def test_one_that_the_peer_ended_is_not_used(clinic: Clinic) -> None:
    """The next request opens its own, and notices nothing."""
    clinic.echo()
    clinic.hang_up()
    clinic.echo()
    assert len(clinic.opened) == 2


@pytest.mark.usefixtures("keeping")
def test_one_on_which_something_went_wrong_is_not_kept(clinic: Clinic) -> None:
    """Nobody takes over what may still be coming in."""

    def go_wrong() -> None:
        with open_association(clinic.peer, [(ECHO, None)]):
            raise clinic.peer.away("The archive broke the association off.")

    with pytest.raises(ArchiveUnreachable):
        go_wrong()
    clinic.echo()
    assert len(clinic.opened) == 2


def offer(
    *contexts: tuple[str, list[str] | None], receives: bool = False, exact: bool = True
) -> Offer:
    return Offer.of(contexts, receives=receives, exact=exact)


def test_a_class_that_comes_to_us_is_offered_in_exactly_what_is_wanted() -> None:
    """Offered more, a peer may send it in another syntax than it is stored in."""
    both = offer((GET, None), (CT, [EXPLICIT]), (CT, [JPEG]), receives=True)
    one = offer((GET, None), (CT, [JPEG]), receives=True)
    assert both.serves(both)
    assert not both.serves(one)
    assert one.beside(both).classes == {CT: ((JPEG,),)}
    assert both.serves(offer((GET, None)))


def test_whoever_looks_at_what_comes_may_be_offered_more() -> None:
    """Then one association serves for studies kept in many syntaxes."""
    both = offer((GET, None), (CT, [EXPLICIT]), (CT, [JPEG]), receives=True, exact=False)
    one = offer((GET, None), (CT, [JPEG]), receives=True, exact=False)
    assert both.serves(one)
    assert one.beside(both).serves(both)


def test_a_class_that_we_send_is_offered_in_all_that_was_wanted() -> None:
    """One more syntax keeps nothing from being sent as it is."""
    first, second = offer((CT, [EXPLICIT])), offer((FIND, None), (CT, [JPEG]))
    grown = second.beside(first)
    assert grown.serves(first)
    assert grown.serves(second)
    assert not first.serves(second)


def test_a_class_is_sent_and_received_on_one_association() -> None:
    """Unless the peer is known to take one role only."""
    sending = offer((CT, [EXPLICIT]))
    receiving = offer((GET, None), (CT, [EXPLICIT]), receives=True)
    assert not receiving.serves(sending)
    assert not sending.serves(receiving)
    both = receiving.beside(sending)
    assert both.serves(sending)
    assert both.serves(receiving)
    one = receiving.beside(sending, both_ways=False)
    assert one.serves(receiving)
    assert not one.serves(sending)


@pytest.mark.usefixtures("keeping")
@pytest.mark.parametrize("answer", ["both", "one", "nothing"])
def test_a_peer_that_takes_one_role_for_a_class_is_asked_for_one(
    clinic: Clinic, answer: str
) -> None:
    """What it refuses, or fails over, is noticed at once, and not asked again."""
    clinic.fails_over_both = answer == "nothing"
    for one in clinic.supported:
        one.scu_role, one.scp_role = answer == "both", True
    receiving = [(GET_OF_STUDIES, None), (CT, [EXPLICIT])]
    for _ in range(2):
        clinic.echo((CT, [EXPLICIT]))
        with open_association(clinic.peer, receiving, receives=True) as opened:
            roles = {one.abstract_syntax: one.as_scp for one in opened.accepted_contexts}
            assert roles[CT]
    assert len(clinic.opened) == {"both": 2, "one": 5, "nothing": 4}[answer]


def test_what_is_asked_for_often_is_offered_again() -> None:
    """It is not given up for what was asked for once, though that was last."""

    def one(name: str) -> Offer:
        return offer((GET, None), *((name, [f"{n}"]) for n in range(60)), receives=True)

    keeper = Kept()
    keeper.keep_for(30)
    for name in (CT, CT, CT, "rare", "rarer"):
        keeper.take("peer", one(name))
    nothing, offered = keeper.take("peer", one("rarest"))
    assert nothing is None
    assert offered.serves(one("rarest"))
    assert offered.serves(one(CT))
    assert not offered.serves(one("rarer"))
    assert len(offered.contexts) <= 128


def test_never_more_contexts_than_an_association_has() -> None:
    """What does not fit is left out, class by class; what is wanted never is."""
    many = offer(*((f"class {n}", [f"{one}"]) for n in range(40) for one in range(3)))
    wanted = offer((FIND, None), *(("wanted", [f"{one}"]) for one in range(20)))
    grown = wanted.beside(many)
    assert len(grown.contexts) <= 128
    assert grown.serves(wanted)
    assert all(len(some) == 3 for name, some in grown.classes.items() if name != "wanted")
