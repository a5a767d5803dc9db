"""What every use-case is given: the ports, filled in by :mod:`digitizer.wiring`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitizer.film import QualitySettings
from digitizer.identity import PolicySettings
from digitizer.pipeline.settings import CaptureSettings, OlderSettings, PipelineSettings
from digitizer.ports import (
    ArchiveSink,
    Clock,
    Ledger,
    OlderSources,
    PatientIndex,
    ScanDecoder,
    SheetReader,
    Vault,
    Waker,
)
from digitizer.reading import ReadingRules

if TYPE_CHECKING:
    from digitizer.dicom import RuleTable

__all__ = ["Services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The world, as one use-case sees it."""

    ledger: Ledger
    vault: Vault
    clock: Clock
    decoder: ScanDecoder
    reader: SheetReader
    index: PatientIndex
    archive: ArchiveSink
    waker: Waker
    worker: str
    """Who we are when we take a lease (:mod:`digitizer.queue.worker`)."""
    settings: PipelineSettings
    capture: CaptureSettings
    policy: PolicySettings
    rules: ReadingRules
    quality: QualitySettings
    sources: OlderSources
    older: OlderSettings
    coercions: "Callable[[], tuple[RuleTable, ...]]"
    """Rules for the headers of older instances, in order; read when first asked for."""
