"""The commands of the contract: one file a group, one way to fail.

Errors are one clear line on standard error with the remedy, never a traceback
(``DIGITIZER_DEBUG=1`` shows it). Exit codes: 0 done, 1 something failed, 2 wrong usage,
3 finished but films need a person, wait or are quarantined, 4 bad settings, 5 a needed service or
program is missing.
"""

import errno
import os
import sys

import click

from digitizer.cli.base import FINISHED_WITH_HOLDS, Root, note
from digitizer.cli.batch import BATCH_COMMANDS
from digitizer.cli.budget import BUDGET_COMMANDS
from digitizer.cli.calibrate import CALIBRATE_COMMANDS
from digitizer.cli.files import FILE_COMMANDS
from digitizer.cli.index import INDEX_COMMANDS
from digitizer.cli.ingest import INGEST_COMMANDS
from digitizer.cli.migrate import MIGRATE_COMMANDS
from digitizer.cli.orders import ORDER_COMMANDS
from digitizer.cli.printing import PRINT_COMMANDS
from digitizer.cli.proof import PROOF_COMMANDS
from digitizer.cli.rehearse import REHEARSE_COMMANDS
from digitizer.cli.rehearse_archive import REHEARSE_ARCHIVE_COMMANDS
from digitizer.cli.report import REPORT_COMMANDS
from digitizer.cli.review import REVIEW_COMMANDS
from digitizer.cli.run import RUN_COMMANDS
from digitizer.cli.terminal import guard_terminal
from digitizer.cli.users import USER_COMMANDS
from digitizer.errors import DigitizerError, MissingService, SettingsError, UsageError

__all__ = ["FINISHED_WITH_HOLDS", "main", "root"]

root = Root(
    name="digitizer",
    help="Empties a hospital's X-ray film library into its digital archive.",
    commands={
        command.name or "": command
        for command in (
            *RUN_COMMANDS,
            *INGEST_COMMANDS,
            *BATCH_COMMANDS,
            *PROOF_COMMANDS,
            *ORDER_COMMANDS,
            *INDEX_COMMANDS,
            *REVIEW_COMMANDS,
            *REPORT_COMMANDS,
            *BUDGET_COMMANDS,
            *CALIBRATE_COMMANDS,
            *FILE_COMMANDS,
            *MIGRATE_COMMANDS,
            *PRINT_COMMANDS,
            *REHEARSE_COMMANDS,
            *REHEARSE_ARCHIVE_COMMANDS,
            *USER_COMMANDS,
        )
    },
)

_FAILED, _USAGE, _SETTINGS, _MISSING = 1, 2, 4, 5


def main(argv: list[str] | None = None) -> None:
    """Run a command and exit with its code."""
    guard_terminal()
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run a command; return its exit code."""
    try:
        result = root.main(args=argv, prog_name="digitizer", standalone_mode=False)
    except Exception as error:
        if os.environ.get("DIGITIZER_DEBUG") == "1":
            raise
        return _failed(error)
    return result if isinstance(result, int) else 0


def _failed(error: Exception) -> int:
    """Say what went wrong in one line; return the exit code for it."""
    code = _FAILED
    line = str(error)
    if isinstance(error, click.exceptions.Abort):
        line = "Interrupted. Run the same command again to go on."
    elif isinstance(error, click.ClickException):
        line, code = error.format_message(), _USAGE
    elif isinstance(error, UsageError):
        code = _USAGE
    elif isinstance(error, SettingsError):
        code = _SETTINGS
    elif isinstance(error, MissingService):
        code = _MISSING
    elif not isinstance(error, DigitizerError):
        kind = type(error).__name__
        line = f"Unexpected {kind}. Run again with DIGITIZER_DEBUG=1 for the details."
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            line = "The disk is full. Free some room, then run the same command again to go on."
        elif isinstance(error, OSError):
            line = f"{error.strerror or kind}: {error.filename or ''}".rstrip(": ")
    note(f"digitizer: {' '.join(line.split())}")
    return code
