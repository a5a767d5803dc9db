"""A pynetdicom archive for tests: what it was sent, and what it gives when it is asked."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from orthanc_server import free_port
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.dsutils import encode
from pynetdicom.sop_class import (
    CTImageStorage,
    MRImageStorage,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    Verification,
)

from digitizer.archive.ending import end_server
from digitizer.dimse import Messages, Peer, open_association
from digitizer.model.older import Encoded

__all__ = [
    "CT",
    "EXPLICIT",
    "FIND",
    "GET",
    "MR",
    "PUSH",
    "VERIFICATION",
    "Archive",
    "an_instance",
    "everything",
    "in_time",
    "running",
    "sent",
]

CT, MR = str(CTImageStorage), str(MRImageStorage)
GET, PUSH = str(StudyRootQueryRetrieveInformationModelGet), str(StorageCommitmentPushModel)
FIND, VERIFICATION = str(StudyRootQueryRetrieveInformationModelFind), str(Verification)
EXPLICIT = str(ExplicitVRLittleEndian)


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
        end_server(server)


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


def everything() -> Dataset:
    """Return a question to which an archive answers with all that it holds."""
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = "1.2.3"
    return query
