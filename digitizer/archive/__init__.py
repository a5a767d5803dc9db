"""Archives: a DIMSE client, our own listening entity, and an embedded archive."""

from digitizer.archive.breaker import GuardedArchive
from digitizer.archive.dimse import DimseArchive
from digitizer.archive.embedded import EmbeddedArchive
from digitizer.archive.listener import Listener, ReceivedScan
from digitizer.archive.reports import CommitmentReport

__all__ = [
    "CommitmentReport",
    "DimseArchive",
    "EmbeddedArchive",
    "GuardedArchive",
    "Listener",
    "ReceivedScan",
]
