"""An Orthanc of our own: an archive that somebody else wrote."""

import json
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

__all__ = ["Orthanc", "free_port", "orthanc_program", "running_orthanc"]


@dataclass(frozen=True)
class Orthanc:
    """Where a running Orthanc listens."""

    host: str
    dicom_port: int
    http_port: int
    ae_title: str

    def rest(self, path: str) -> Any:
        """GET a path of its REST interface."""
        with urlopen(f"http://{self.host}:{self.http_port}{path}", timeout=10) as answer:
            return json.loads(answer.read())


def orthanc_program() -> str | None:
    """Return the program, if it is installed."""
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_orthanc(folder: Path, listener_port: int, our_title: str) -> Iterator[Orthanc]:
    """Run Orthanc with an empty storage.

    Parameters
    ----------
    folder : Path
        Where it keeps everything.
    listener_port, our_title
        Where and under which AE title commitment reports reach us.
    """
    program = orthanc_program()
    assert program is not None, "Orthanc is not installed"
    name = f"test-{uuid.uuid4().hex}"
    folder.mkdir(parents=True, exist_ok=True)
    server = Orthanc("127.0.0.1", free_port(), free_port(), "ORTHANC")
    config = folder / "orthanc.json"
    config.write_text(json.dumps(_configuration(name, folder, server, listener_port, our_title)))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(config)], stdout=log, stderr=log)
    try:
        _wait(process, server, name, folder / "log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _configuration(
    name: str, folder: Path, server: Orthanc, listener_port: int, our_title: str
) -> dict[str, object]:
    allowed = ("Echo", "Store", "Find", "Get", "StorageCommitment")
    return {
        "Name": name,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "HttpPort": server.http_port,
        "DicomPort": server.dicom_port,
        "DicomAet": server.ae_title,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomAlwaysAllowFind": False,
        "DicomAlwaysAllowGet": False,
        "DicomCheckCalledAet": True,
        "SyncStorageArea": True,
        "OverwriteInstances": False,
        "StorageCommitmentReportsSize": 100,
        "DicomModalities": {
            "ours": {
                "AET": our_title,
                "Host": "127.0.0.1",
                "Port": listener_port,
                "UseDicomTls": False,
                **{f"Allow{service}": True for service in allowed},
            }
        },
    }


def _wait(process: "subprocess.Popen[bytes]", server: Orthanc, name: str, log: Path) -> None:
    """Wait until it answers, and make sure that it is ours and no other that has the port."""
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        try:
            told = server.rest("/system")
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
            continue
        assert told["Name"] == name, "another Orthanc answers on this port"
        assert process.poll() is None, "another Orthanc answers on this port"
        return
