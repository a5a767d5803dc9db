"""Archives: a DIMSE client, the listener for commitment reports, and an embedded archive."""

from digitizer.archive.breaker import GuardedArchive
from digitizer.archive.dimse import DimseArchive
from digitizer.archive.embedded import EmbeddedArchive
from digitizer.archive.listener import CommitmentListener
from digitizer.archive.reports import CommitmentReport

__all__ = [
    "CommitmentListener",
    "CommitmentReport",
    "DimseArchive",
    "EmbeddedArchive",
    "GuardedArchive",
]
