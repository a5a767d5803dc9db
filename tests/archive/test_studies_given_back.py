"""A study is fetched back as the archive keeps it, over the association that serves for all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from orthanc_server import free_port
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelGet,
)

from digitizer.archive.bulk import retrieve_study
from digitizer.archive.ending import end_server
from digitizer.dimse import Peer, association
from digitizer.dimse.kept import Kept

CT = str(CTImageStorage)
EXPLICIT, IMPLICIT = str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)


@dataclass
class Archive:
    """It keeps two instances, each in a syntax, or gives all in the one that it prefers."""

    peer: Peer
    prefers: str | None
    asked: list[set[str]] = field(default_factory=list)

    def given(self, event: evt.Event) -> Iterator[Any]:
        contexts = [one for one in event.assoc.accepted_contexts if one.abstract_syntax == CT]
        accepted = {str(one.transfer_syntax[0]) for one in contexts}
        self.asked.append(accepted)
        kept = (EXPLICIT,) if event.identifier.StudyInstanceUID == "1.2" else (IMPLICIT,)
        yield len(kept)
        for number, syntax in enumerate(kept):
            dataset = Dataset()
            dataset.SOPClassUID, dataset.SOPInstanceUID = CT, f"1.2.3.{number}"
            dataset.file_meta = FileMetaDataset()
            way = self.prefers if self.prefers in accepted else syntax
            dataset.file_meta.TransferSyntaxUID = UID(way)
            yield 0xFF00, dataset


@contextmanager
def running(prefers: str | None) -> Iterator[Archive]:
    """Run one."""
    port = free_port()
    archive = Archive(
        Peer(host="127.0.0.1", port=port, ae_title="ARCHIVE", our_title="US", timeout_s=5), prefers
    )
    entity = AE("ARCHIVE")
    entity.add_supported_context(CT, [EXPLICIT, IMPLICIT], scu_role=True, scp_role=True)
    entity.add_supported_context(StudyRootQueryRetrieveInformationModelGet)
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_GET, archive.given)]
    )
    assert server is not None
    try:
        yield archive
    finally:
        end_server(server)


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    keeper = Kept()
    monkeypatch.setattr(association, "kept", keeper)
    monkeypatch.setattr("digitizer.archive.bulk.kept", keeper)
    keeper.keep_for(30)
    yield keeper
    keeper.end()


@pytest.mark.parametrize("prefers", [None, IMPLICIT])
def test_each_study_comes_in_the_syntax_it_was_sent_in(keeping: Kept, prefers: str | None) -> None:
    """An archive that chooses among syntaxes offered is asked once more, for exactly that one."""
    with running(prefers) as archive:
        for study, syntax in (("1.3", IMPLICIT), ("1.2", EXPLICIT), ("1.2", EXPLICIT)):
            came = list(retrieve_study(archive.peer, study, [(CT, syntax)]))
            assert [one.transfer_syntax_uid for one in came] == [syntax]
        keeping.end()
        either = {EXPLICIT, IMPLICIT}
        if prefers is None:
            assert archive.asked == [{IMPLICIT}, either, either]
            assert not keeping.is_chooser(archive.peer)
        else:
            assert archive.asked == [{IMPLICIT}, either, {EXPLICIT}, {EXPLICIT}]
            assert keeping.is_chooser(archive.peer)
