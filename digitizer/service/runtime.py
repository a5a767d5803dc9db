"""Running the line: broker, archive, listener, workers and reaper, for as long as it is wanted.

``digitizer serve`` and ``digitizer ingest --wait`` use the same runtime; only how long it lives
differs. Children are told the endpoints of embedded parts through their environment, by the same
``DIGITIZER_*`` settings a site would use.
"""

import logging
import os
import socket
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from digitizer import wiring
from digitizer.archive.embedded import EmbeddedArchive
from digitizer.archive.listener import Listener, ReceivedScan
from digitizer.archive.reports import CommitmentReport
from digitizer.config import Settings
from digitizer.pipeline.advance import free_orphans, overdue
from digitizer.pipeline.deliver import ask_again, commitment_answered
from digitizer.pipeline.services import Services
from digitizer.queue.waker import CeleryWaker
from digitizer.queue.worker import is_dead
from digitizer.service.lock import DataFolderLock
from digitizer.service.receiving import receive
from digitizer.service.redis import PrivateRedis
from digitizer.service.supervisor import Child, Supervisor

__all__ = ["Runtime"]

logger = logging.getLogger(__name__)


class Runtime:
    """Everything a data folder needs to work, started and stopped together.

    Parameters
    ----------
    settings : Settings
    config : Path or None
        The settings file, handed on to the workers.

    Raises
    ------
    MissingService
        A needed program is missing, or another process works on the data folder.
    """

    def __init__(self, settings: Settings, config: Path | None = None) -> None:
        self._asked = settings
        self._config = config
        self._stack = ExitStack()
        self._stop = threading.Event()
        self.settings = settings
        self.services: Services

    def __enter__(self) -> "Runtime":
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._stack.close()

    def _start(self) -> None:
        asked, data = self._asked, self._asked.data_dir
        data.mkdir(parents=True, exist_ok=True)
        lock = self._stack.enter_context(DataFolderLock(data))
        broker = asked.broker_url or self._stack.enter_context(PrivateRedis(data / "redis")).url
        listener = replace(asked.listener, port=asked.listener.port or _free_port())
        archive = asked.archive
        if not archive.host:
            # The embedded archive keeps its port: an address that moved is a lost archive.
            port = archive.port or _free_port()
            archive = replace(archive, host="127.0.0.1", port=port)
        self.settings = replace(asked, broker_url=broker, listener=listener, archive=archive)
        self.services = wiring.services(self.settings)
        if not asked.archive.host:
            embedded = EmbeddedArchive(
                data / "archive",
                host="127.0.0.1",
                port=archive.port,
                ae_title=archive.ae_title,
                peers={listener.ae_title: (listener.host, listener.port)},
            )
            self._stack.enter_context(embedded)
            lock.tell_archive(archive.port)
        self._stack.enter_context(Listener(listener, self._report, self._received))
        ask_again(self.services)
        self._stack.enter_context(Supervisor(self._workers()))
        reaper = threading.Thread(target=self._reap, name="reaper", daemon=True)
        reaper.start()
        self._stack.callback(reaper.join, 10.0)
        self._stack.callback(self._stop.set)

    def _workers(self) -> list[Child]:
        cores = self._asked.workers.processes or os.cpu_count() or 1
        return [
            self._worker("imaging", "imaging,reading,older", cores),
            self._worker("archive", "archive", self._asked.workers.archive_processes),
        ]

    def _worker(self, name: str, queues: str, processes: int) -> Child:
        argv = [
            *(sys.executable, "-m", "celery", "-A", "workers.app", "worker"),
            *("--queues", queues, "--concurrency", str(processes), "--pool", "prefork"),
            *("--hostname", f"{name}@{socket.gethostname()}-{os.getpid()}"),
            *("--loglevel", self.settings.log_level, "--without-gossip", "--without-mingle"),
        ]
        return Child(name=name, argv=argv, env=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """Environment of children: the endpoints of embedded parts, as settings."""
        told = self.settings
        environment = {
            **os.environ,
            "DIGITIZER_DATA_DIR": str(told.data_dir.resolve()),
            "DIGITIZER_BROKER_URL": told.broker_url,
            "DIGITIZER_ARCHIVE__HOST": told.archive.host,
            "DIGITIZER_ARCHIVE__PORT": str(told.archive.port),
            "DIGITIZER_LISTENER__PORT": str(told.listener.port),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            # Celery says so of containers too, where root is the one user there is.
            "PYTHONWARNINGS": "ignore:You're running the worker",
        }
        if self._config is not None:
            environment["DIGITIZER_CONFIG"] = str(self._config.resolve())
        return environment

    def _report(self, report: CommitmentReport) -> None:
        for sop in (*report.succeeded, *report.failed):
            logger.debug("commitment report", extra={"sop": sop})
        commitment_answered(
            self.services,
            transaction_uid=report.transaction_uid,
            from_ae=report.from_ae,
            succeeded=frozenset(report.succeeded),
            failed=dict(report.failed),
        )

    def _received(self, scan: ReceivedScan) -> None:
        receive(self.services, scan, self.settings.data_dir / "received")

    def _reap(self) -> None:
        waker = self.services.waker
        while not self._stop.wait(self.settings.pipeline.reap_every_s):
            try:
                free_orphans(self.services, is_dead)
                announced = waker.announced() if isinstance(waker, CeleryWaker) else frozenset()
                if announced is not None:
                    overdue(self.services, announced=announced)
            except Exception:
                # The reaper outlives whatever ails the ledger; it looks again in a second.
                logger.exception("reaper")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
