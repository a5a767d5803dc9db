"""Contact with the world, as Protocols: who implements them is named in :mod:`digitizer.wiring`."""

from digitizer.ports.archive import ArchiveSink
from digitizer.ports.console import Overview, ReviewLeases, Sessions
from digitizer.ports.ledger import FilmQueries, Ledger, OlderQueries, Tasks, Transaction
from digitizer.ports.older import FileSource, OlderSources, PeerSource, PictureSource
from digitizer.ports.patients import PatientIndex
from digitizer.ports.records import R, Record, Records
from digitizer.ports.world import Clock, ScanDecoder, SheetReader, Vault, Waker

__all__ = [
    "ArchiveSink",
    "Clock",
    "FileSource",
    "FilmQueries",
    "Ledger",
    "OlderQueries",
    "OlderSources",
    "Overview",
    "PatientIndex",
    "PeerSource",
    "PictureSource",
    "R",
    "Record",
    "Records",
    "ReviewLeases",
    "ScanDecoder",
    "Sessions",
    "SheetReader",
    "Tasks",
    "Transaction",
    "Vault",
    "Waker",
]
