"""A dcmqrscp of our own: dcmtk's archive, the other one that somebody else wrote."""

import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from orthanc_server import free_port

__all__ = ["Dcmqrscp", "dcmqrscp_program"]


def dcmqrscp_program() -> str | None:
    """Return the program, if it is installed."""
    return shutil.which("dcmqrscp")


class Dcmqrscp:
    """Runs while it is entered; holds the files put into its folder before.

    Parameters
    ----------
    folder : Path
        Where it keeps everything.
    destinations : mapping
        AE title to port on this host: where C-MOVE may send to.
    sop_classes : sequence of str
        What it sends by C-GET in whatever syntax it is stored; else only what is uncompressed.
    """

    host = "127.0.0.1"
    ae_title = "OLDPACS"

    def __init__(
        self, folder: Path, destinations: Mapping[str, int], sop_classes: Sequence[str] = ()
    ) -> None:
        self.dicom_port = free_port()
        self.area = folder / "area"
        self.area.mkdir(parents=True)
        self._folder = folder
        self._options: list[str] = []
        if sop_classes:
            (folder / "negotiation.cfg").write_text(_negotiation(sop_classes))
            self._options = ["-xf", str(folder / "negotiation.cfg"), "Any", "Any"]
        self._process: subprocess.Popen[bytes] | None = None
        hosts = "\n".join(
            f"host{number} = ({title}, 127.0.0.1, {port})"
            for number, (title, port) in enumerate(destinations.items())
        )
        (folder / "dcmqrscp.cfg").write_text(
            f"NetworkTCPPort = {self.dicom_port}\nMaxPDUSize = 131072\nMaxAssociations = 16\n"
            f"HostTable BEGIN\n{hosts}\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
            f"AETable BEGIN\n{self.ae_title} {self.area} RW (500, 1024mb) ANY\nAETable END\n"
        )

    def hold(self, files: Sequence[Path]) -> None:
        """Put files into its area, as they are."""
        for number, path in enumerate(files):
            shutil.copyfile(path, self.area / f"{number:06d}.dcm")
        held = sorted(self.area.glob("*.dcm"))
        for start in range(0, len(held), 500):
            some = [str(path) for path in held[start : start + 500]]
            subprocess.run(["dcmqridx", str(self.area), *some], check=True, capture_output=True)

    def __enter__(self) -> "Dcmqrscp":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def start(self) -> None:
        """Start it (again), and wait until it listens."""
        program = dcmqrscp_program()
        assert program is not None, "dcmqrscp is not installed"
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(self._folder / "dcmqrscp.cfg"), *self._options],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 20
        while True:
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            try:
                socket.create_connection((self.host, self.dicom_port), 1).close()
            except OSError:
                time.sleep(0.02)
                continue
            return

    def kill(self) -> None:
        """End it with no chance to tidy up."""
        assert self._process is not None, "it was started"
        self._process.kill()
        self._process.wait()


_SYNTAXES = (
    *(f"1.2.840.10008.1.2.4.{tail}" for tail in (50, 51, 57, 70, 80, 81, 90, 91)),
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2",
)
_SERVICES = ("1.1", "5.1.4.1.2.2.1", "5.1.4.1.2.2.2", "5.1.4.1.2.2.3")
"""Verification; find, move and get of the study root model."""


def _negotiation(sop_classes: Sequence[str]) -> str:
    """Return an association configuration that takes some classes in any syntax, both ways."""
    syntaxes = [f"TransferSyntax{at} = {uid}" for at, uid in enumerate(_SYNTAXES, 1)]
    names = [f"1.2.840.10008.{tail}\\Plain" for tail in _SERVICES]
    names += [f"{uid}\\Any" for uid in sop_classes]
    contexts = [f"PresentationContext{at} = {name}" for at, name in enumerate(names, 1)]
    roles = [f"Role{at} = {uid}\\Both" for at, uid in enumerate(sop_classes, 1)]
    return "\n".join(
        (
            "[[TransferSyntaxes]]", "[Any]", *syntaxes,
            "[Plain]", "TransferSyntax1 = 1.2.840.10008.1.2.1",
            "TransferSyntax2 = 1.2.840.10008.1.2",
            "[[PresentationContexts]]", "[Any]", *contexts,
            "[[SCPSCURoleSelection]]", "[Any]", *roles,
            "[[Profiles]]", "[Any]", "PresentationContexts = Any", "SCPSCURoleSelection = Any", "",
        )
    )  # fmt: skip
