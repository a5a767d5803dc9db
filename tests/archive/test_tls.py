"""TLS both ways with an archive that demands certificates."""

import gc
import queue
import select
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from captures import a_capture, an_order
from certificates import Certificates, make_certificates
from orthanc_server import Orthanc, free_port, orthanc_program
from pydicom import dcmread

from digitizer.archive.dimse import DimseArchive
from digitizer.archive.listener import Listener
from digitizer.archive.reports import CommitmentReport
from digitizer.archive.settings import ArchiveSettings, ListenerSettings
from digitizer.archive.tls import server_context
from digitizer.dimse.tls import client_context, has_come
from digitizer.errors import ArchiveUnreachable, SettingsError, SourceUnreachable
from digitizer.model.older import Source, SourceKind
from digitizer.older.pacs import OldPacs
from digitizer.older.peers import read_pacs

# pynetdicom drops the sockets of ended TLS connections without closing them.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*<ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def dropped_sockets() -> Iterator[None]:
    """Let them go here, where the warning is expected."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def listening(pems: Certificates) -> ListenerSettings:
    return ListenerSettings(
        port=free_port(),
        tls_certificate=pems.certificate,
        tls_key=pems.key,
        tls_ca=pems.authority,
    )


@pytest.fixture(scope="module")
def archive(
    pems: Certificates, listening: ListenerSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArchiveSettings]:
    """Run an Orthanc that speaks TLS only, and knows peers by their certificates."""
    if orthanc_program() is None:
        pytest.skip("Orthanc is not installed")
    options = {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(pems.certificate),
        "DicomTlsPrivateKey": str(pems.key),
        "DicomTlsTrustedCertificates": str(pems.authority),
        "DicomTlsRemoteCertificateRequired": True,
    }
    folder = tmp_path_factory.mktemp("orthanc")
    with Orthanc(folder, listening.port, listening.ae_title, options) as server:
        yield ArchiveSettings(
            host="127.0.0.1",
            port=server.dicom_port,
            ae_title=server.ae_title,
            tls=True,
            tls_ca=pems.authority,
            tls_certificate=pems.certificate,
            tls_key=pems.key,
            timeout_s=10,
        )


def test_a_film_is_stored_and_committed_over_tls(
    archive: ArchiveSettings, listening: ListenerSettings, tmp_path: Path
) -> None:
    """The store goes out over TLS, and the archive's report comes in over TLS."""
    reports: queue.Queue[CommitmentReport] = queue.Queue()
    sink = DimseArchive(archive, listening)
    order = an_order()
    made = a_capture(order)
    path = tmp_path / "film.dcm"
    path.write_bytes(made.content)
    with Listener(listening, reports.put):
        assert sink.store(path).status == 0
        sink.request_commitment("2.25.77", [(made.sop_class_uid, order.uids.sop)])
        assert reports.get(timeout=20).succeeded == (order.uids.sop,)


def test_what_tls_holds_is_told(pems: Certificates) -> None:
    """Of two pieces that came in one record the second waits where no poll looks."""
    ours, theirs = socket.socketpair()
    client = client_context(pems.authority, None, None, whose="the peer", remedy="")
    server = server_context(ListenerSettings(tls_certificate=pems.certificate, tls_key=pems.key))
    assert server is not None
    with ThreadPoolExecutor(1) as beside:
        shaken = beside.submit(server.wrap_socket, theirs, server_side=True)
        with (
            client.wrap_socket(ours, server_hostname="127.0.0.1") as here,
            shaken.result(10) as there,
        ):
            there.sendall(b"ab")
            assert not has_come(here)
            assert here.recv(1) == b"a"
            assert select.select([here], [], [], 0)[0] == []
            assert has_come(here)
            assert here.recv(1) == b"b"
            assert not has_come(here)
    assert not has_come(here)
    assert not has_come(ours)


@pytest.mark.parametrize("lacking", ["tls", "certificate"])
def test_without_tls_or_certificate_nothing_is_sent(
    archive: ArchiveSettings, listening: ListenerSettings, lacking: str
) -> None:
    """An archive that demands both is away for whoever lacks one."""
    plain = replace(archive, tls=False)
    nameless = replace(archive, tls_certificate=None, tls_key=None)
    sink = DimseArchive(plain if lacking == "tls" else nameless, listening)
    with pytest.raises(ArchiveUnreachable):
        sink.echo()


def test_files_that_cannot_be_used_are_bad_settings(
    archive: ArchiveSettings, listening: ListenerSettings, tmp_path: Path
) -> None:
    """A key that is not there is told with the settings to check, on either side."""
    nowhere = tmp_path / "nowhere.pem"
    with pytest.raises(SettingsError, match="archive"):
        DimseArchive(replace(archive, tls_key=nowhere), listening)
    with pytest.raises(SettingsError, match="listener"):
        server_context(replace(listening, tls_key=nowhere))


def test_an_old_pacs_is_emptied_over_tls(
    archive: ArchiveSettings, listening: ListenerSettings, tmp_path: Path
) -> None:
    """With the options of the source; without them it is away, and files are checked at once."""
    made = a_capture(an_order())
    path = tmp_path / "film.dcm"
    path.write_bytes(made.content)
    DimseArchive(archive, listening).store(path)
    options = {
        "timeout": "10",
        "tls": "yes",
        "tls_ca": str(archive.tls_ca),
        "tls_certificate": str(archive.tls_certificate),
        "tls_key": str(archive.tls_key),
    }
    source = Source(
        id="old",
        name="old",
        kind=SourceKind.PACS,
        place=f"{archive.ae_title}@{archive.host}:{archive.port}",
        added_at=datetime.now(UTC),
        options=options,
    )
    pacs = OldPacs(read_pacs(source, "DIGITIZER"))
    (study,) = (one for studies, _ in pacs.studies("") for one in studies)
    listed = pacs.instances(study.study_instance_uid)
    (content,) = pacs.fetch(study.study_instance_uid, listed)
    stored, fetched = dcmread(path), dcmread(BytesIO(content))
    assert fetched.file_meta.TransferSyntaxUID == stored.file_meta.TransferSyntaxUID
    assert fetched.PixelData == stored.PixelData
    plain = replace(source, options={"timeout": "10"})
    with pytest.raises(SourceUnreachable):
        list(OldPacs(read_pacs(plain, "DIGITIZER")).studies(""))
    for odd in ({"tls_key": "nowhere"}, {"tls": "maybe"}, {"tlss": "yes"}, {"retrieve": "move"}):
        with pytest.raises(SettingsError):
            read_pacs(replace(source, options={**options, **odd}), "DIGITIZER")
