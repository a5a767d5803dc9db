"""An Orthanc of our own: an archive that somebody else wrote."""

import json
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

__all__ = ["Orthanc", "free_port", "orthanc_program"]


def orthanc_program() -> str | None:
    """Return the program, if it is installed."""
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Orthanc:
    """Runs while it is entered, with an empty storage; may be killed and started again.

    Parameters
    ----------
    folder : Path
        Where it keeps everything.
    listener_port, our_title
        Where and under which AE title commitment reports reach us.
    options : mapping, optional
        More of its configuration; ``UseDicomTls`` is told of our modality as well.
    """

    host = "127.0.0.1"
    ae_title = "ORTHANC"

    def __init__(
        self,
        folder: Path,
        listener_port: int,
        our_title: str,
        options: Mapping[str, object] | None = None,
    ) -> None:
        program = orthanc_program()
        assert program is not None, "Orthanc is not installed"
        self._program = program
        self.dicom_port, self.http_port = free_port(), free_port()
        self._name = f"test-{uuid.uuid4().hex}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        configuration = self._configuration(listener_port, our_title, dict(options or {}))
        self._config = folder / "orthanc.json"
        self._config.write_text(json.dumps(configuration))

    def __enter__(self) -> "Orthanc":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def start(self) -> None:
        """Start it (again), and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, str(self._config)], stdout=log, stderr=log
            )
        self._wait(self._process)

    def kill(self) -> None:
        """End it with no chance to tidy up."""
        assert self._process is not None, "it was started"
        self._process.kill()
        self._process.wait()

    def rest(self, path: str) -> Any:
        """GET a path of its REST interface."""
        with urlopen(f"http://{self.host}:{self.http_port}{path}", timeout=10) as answer:
            return json.loads(answer.read())

    def instances(self) -> list[dict[str, str]]:
        """Return the tags of every instance it holds."""
        return [self.rest(f"/instances/{one}/simplified-tags") for one in self.rest("/instances")]

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _configuration(
        self, listener_port: int, our_title: str, options: dict[str, object]
    ) -> dict[str, object]:
        allowed = ("Echo", "Store", "Find", "Get", "Move", "StorageCommitment")
        return {
            "Name": self._name,
            "StorageDirectory": str(self._folder / "storage"),
            "IndexDirectory": str(self._folder / "index"),
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": self.ae_title,
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
                    "UseDicomTls": options.get("DicomTlsEnabled", False),
                    **{f"Allow{service}": True for service in allowed},
                }
            },
            **options,
        }

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until it answers, and make sure that it is ours and no other that has the port."""
        deadline = time.monotonic() + 30
        while True:
            assert process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < deadline, self._log.read_text(errors="replace")
            try:
                told = self.rest("/system")
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(0.02)
                continue
            assert told["Name"] == self._name, "another Orthanc answers on this port"
            assert process.poll() is None, "another Orthanc answers on this port"
            return
