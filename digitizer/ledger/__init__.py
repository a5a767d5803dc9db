"""The ledger: the truth about everything, and the vault of what it names."""

from digitizer.ledger.imports import ImportReport
from digitizer.ledger.index import SqlPatientIndex
from digitizer.ledger.seats import SqlLeases, SqlSessions
from digitizer.ledger.standings import SqlOverview
from digitizer.ledger.store import SqlLedger
from digitizer.ledger.vault import FolderVault

__all__ = [
    "FolderVault",
    "ImportReport",
    "SqlLeases",
    "SqlLedger",
    "SqlOverview",
    "SqlPatientIndex",
    "SqlSessions",
]
