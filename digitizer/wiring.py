"""Settings to adapters: the only file that names them all."""

import gc
import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

import cv2

from digitizer.config import Settings
from digitizer.engines import EngineSheetReader
from digitizer.errors import MissingService, SettingsError
from digitizer.ledger import (
    FolderVault,
    SqlLeases,
    SqlLedger,
    SqlOverview,
    SqlPatientIndex,
    SqlSessions,
)
from digitizer.model.records import Stage
from digitizer.pipeline.services import Services
from digitizer.ports import ArchiveSink, OlderSources, Vault, Waker
from digitizer.queue.worker import worker_name
from digitizer.reading import ReadingRules, Vocabulary

if TYPE_CHECKING:
    from digitizer.dicom import RuleTable
    from digitizer.scan.decoding import FileDecoder

__all__ = [
    "SilentWaker",
    "SystemClock",
    "archive",
    "broker_url",
    "coercions",
    "database_url",
    "decoder",
    "index",
    "keep_associations",
    "leases",
    "ledger",
    "load_adapters",
    "older_sources",
    "overview",
    "reader",
    "rules",
    "services",
    "sessions",
    "settle_process",
    "vault",
    "waker",
]

_Port = TypeVar("_Port")
_KEPT_S = 2.0
_NEW_OBJECTS = 10_000
"""Containers made and not yet freed, before the collector looks at them (Python's own: 700)."""


class SystemClock:
    """Implements :class:`digitizer.ports.Clock`."""

    def now(self) -> datetime:
        """Return the present time in UTC."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


class SilentWaker:
    """Wakes nobody: whoever holds the data folder finds due work by itself."""

    def wake(self, tasks: Iterable[tuple[Stage, str]]) -> None:
        """Do nothing; the reaper looks every second."""


class _Later:
    """An adapter that is made when it is first asked for something.

    What speaks DICOM and opens files is a third of the start of a command, and most commands look
    at the ledger alone.
    """

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._made: object = None
        # Threads of one process share one adapter: what it knows of the archive is known to all.
        self._making = Lock()

    def __getattr__(self, name: str) -> Any:
        with self._making:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)


def _later(make: Callable[[], _Port]) -> _Port:
    return cast("_Port", _Later(make))


def load_adapters() -> None:
    """Load what adapters need, for processes that share it with those they fork."""
    import digitizer.archive.dimse
    import digitizer.older
    import digitizer.scan.decoding  # noqa: F401


def keep_associations() -> None:
    """Keep associations open between the tasks of this process, for less than any peer minds."""
    from digitizer.dimse import kept

    kept.keep_for(_KEPT_S)


def settle_process() -> None:
    """Keep this process to one thread of computing, and its garbage collector to what is new.

    The pool of processes fills the cores. Modules, mappings of tables and dictionaries of DICOM
    stay for ever, and are not looked through for garbage again and again. Most objects die by their
    count of references; those that do not (cycles) are still found, in larger batches.
    """
    cv2.setNumThreads(1)
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])


def database_url(settings: Settings) -> str:
    """Return the ledger's URL: the one set, or SQLite in the data folder."""
    if settings.database_url:
        return settings.database_url
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{settings.data_dir.resolve() / 'ledger.sqlite'}"


def broker_url(settings: Settings) -> str:
    """Return the broker's URL.

    Raises
    ------
    MissingService
        None is set; commands that start their own set it for their workers.
    """
    if not settings.broker_url:
        raise MissingService(
            "No message broker is set.",
            remedy="Set DIGITIZER_BROKER_URL, or use `digitizer serve`.",
        )
    return settings.broker_url


def ledger(settings: Settings) -> SqlLedger:
    """Open the ledger and bring its tables up to date."""
    opened = SqlLedger(database_url(settings), SystemClock())
    opened.migrate()
    return opened


def index(settings: Settings) -> SqlPatientIndex:
    """Open the index of patients, exams and jackets."""
    return SqlPatientIndex(ledger(settings))


def overview(settings: Settings) -> SqlOverview:
    """Open the overview of where everything stands."""
    return SqlOverview(ledger(settings))


def leases(settings: Settings) -> SqlLeases:
    """Open the leases of films in review."""
    return SqlLeases(ledger(settings))


def sessions(settings: Settings) -> SqlSessions:
    """Open the sessions of the console."""
    return SqlSessions(ledger(settings))


def vault(settings: Settings) -> Vault:
    """Open the vault."""
    root = settings.data_dir / "vault"
    if settings.vault_url:
        parts = urlsplit(settings.vault_url)
        root = Path(parts.path if parts.scheme == "file" else settings.vault_url)
    return FolderVault(root)


def archive(settings: Settings) -> ArchiveSink:
    """Make the client of the archive, behind its breaker."""
    from digitizer.archive.breaker import GuardedArchive
    from digitizer.archive.dimse import DimseArchive

    return GuardedArchive(DimseArchive(settings.archive, settings.listener), SystemClock())


def decoder(settings: Settings) -> "FileDecoder":
    """Make the decoder of scans."""
    from digitizer.scan.decoding import FileDecoder

    return FileDecoder(settings.decode)


def reader(settings: Settings) -> EngineSheetReader:
    """Make the reader; its engines are loaded when first used."""
    return EngineSheetReader(settings.engines)


def rules(settings: Settings) -> ReadingRules:
    """Return the grammars and the vocabulary.

    Raises
    ------
    SettingsError
        The site's vocabulary cannot be read.
    """
    return ReadingRules(
        vocabulary=_vocabulary(settings.grammar.vocabulary), grammar=settings.grammar
    )


def _vocabulary(file: str) -> Vocabulary:
    if not file:
        return Vocabulary.builtin()
    remedy = "Correct grammar.vocabulary; digitizer/reading/vocabulary.toml shows the form."
    try:
        return Vocabulary.load(Path(file).read_text("utf-8"))
    except OSError as error:
        raise SettingsError(
            f"The vocabulary {file} cannot be read: {error.strerror}.", remedy=remedy
        ) from None
    except ValueError as error:
        raise SettingsError(f"The vocabulary {file} is garbled: {error}.", remedy=remedy) from None


def older_sources(settings: Settings) -> OlderSources:
    """Return what opens older archives."""
    from digitizer.older import Older

    return Older(settings.older.largest_mb << 20, settings.listener.ae_title)


def coercions(settings: Settings) -> "tuple[RuleTable, ...]":
    """Return the rules for headers of older instances: the site's, then those built in.

    The site knows what its undeclared text is written in; what is built in supposes it.

    Raises
    ------
    SettingsError
        The site's rules cannot be read.
    """
    from digitizer.dicom import BUILT_IN, read_rules

    if not settings.older.rules:
        return read_rules(BUILT_IN)
    try:
        own = Path(settings.older.rules).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The rules {settings.older.rules} cannot be read: {error}.",
            remedy="Correct older.rules.",
        ) from None
    return read_rules(own, BUILT_IN)


def waker(settings: Settings) -> Waker:
    """Return what announces due work: Celery where there is a broker, else nobody."""
    if not settings.broker_url:
        return SilentWaker()
    # Celery is loaded by those who use it: it is a good part of the start of a command.
    from digitizer.queue.waker import CeleryWaker, make_app

    return CeleryWaker(make_app(settings.broker_url))


def services(settings: Settings) -> Services:
    """Fill in all ports, once for this process: a forked worker shares nothing with its parent."""
    if _made and _made[-1][:2] == (os.getpid(), settings):
        return _made[-1][2]
    _made[:] = [(os.getpid(), settings, _services(settings))]
    return _made[-1][2]


_made: list[tuple[int, Settings, Services]] = []


def _services(settings: Settings) -> Services:
    opened = ledger(settings)
    read_coercions = cache(lambda: coercions(settings))
    if settings.older.rules:
        # What of the site's is garbled is told at once.
        read_coercions()
    return Services(
        ledger=opened,
        vault=vault(settings),
        clock=SystemClock(),
        decoder=_later(lambda: decoder(settings)),
        reader=reader(settings),
        index=SqlPatientIndex(opened),
        archive=archive(settings) if settings.archive.tls else _later(lambda: archive(settings)),
        waker=waker(settings),
        worker=worker_name(),
        settings=settings.pipeline,
        capture=settings.capture,
        policy=settings.identity,
        rules=rules(settings),
        quality=settings.quality,
        sources=_later(lambda: older_sources(settings)),
        older=settings.older,
        coercions=read_coercions,
    )
