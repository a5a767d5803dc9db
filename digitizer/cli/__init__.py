"""The commands of the contract: one file a group, one way to fail.

Errors are one clear line on standard error with the remedy, never a traceback
(``DIGITIZER_DEBUG=1`` shows it). Exit codes: 0 done, 1 something failed, 2 wrong usage,
3 finished but films need a person, wait or are quarantined, 4 bad settings, 5 a needed service or
program is missing.
"""

import errno
import importlib
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType

import click

import digitizer
from digitizer.cli.base import FINISHED_WITH_HOLDS, Root, note
from digitizer.cli.terminal import guard_terminal
from digitizer.errors import BadScan, DigitizerError, MissingService, SettingsError, UsageError
from digitizer.model.reasons import CODES, Code

__all__ = ["FINISHED_WITH_HOLDS", "main", "root"]

_MODULES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "run": {
            "serve": "Run everything: broker, workers, watch folder, embedded archive if used, "
            "console.",
            "doctor": "Check every needed program, folder, port and service; say what to do.",
            "scanners": "List the scanners that SANE finds.",
            "scan": "Scan one sheet, or the feeder, and take the scans in.",
        },
        "ingest": {
            "ingest": "Take in a folder of scans (or one scan).",
            "watch": "Watch a folder and take in scans as they become complete.",
        },
        "batch": {
            "status": "Show where everything is.",
            "batch": "List batches, or show one.",
            "retry": "Go on with what is held: by id, by state, by batch, or all that waits or is "
            "quarantined.",
            "export": "Write a batch out as CSV (the default) or JSON.",
        },
        "proof": {
            "verify": "Read what is verified back from the archive once more and compare.",
            "replay": "Show what today's code, index and rules would decide otherwise; changes "
            "nothing.",
        },
        "orders": {"jacket": "Let jackets overtake others."},
        "index": {
            "patients": "The index of patients.",
            "exams": "The index of historical exams.",
            "jackets": "The index of jackets.",
        },
        "review": {"review": "Decide what the machine will not decide alone."},
        "report": {
            "report": "Write a report to print and sign: what was done, what differs, what may be "
            "released."
        },
        "budget": {"budget": "Expected and measured wrong filings, and what is stopped."},
        "calibrate": {"calibrate": "Fit a scanner's density curve to a scan of a step tablet."},
        "files": {
            "inspect": "Show what a scan holds: films, geometry, quality, fields.",
            "convert": "Turn one scan into DICOM: OUT.dcm, or OUT-1.dcm, OUT-2.dcm for several "
            "films.",
            "read-label": "Read one label: lines, barcodes, fields.",
            "match": "Decide on readings (JSON lines): the same decisions as the pipeline's, "
            "nothing written.",
        },
        "migrate": {"migrate": "Bring older digital archives over: discs, folders, old PACS."},
        "printing": {"print": "Paper for the feeding desk, as PDF."},
        "rehearse": {
            "rehearse": "Make a synthetic film room with known truth, or score a batch against one."
        },
        "rehearse_archive": {
            "rehearse-archive": "Make an old archive with known truth: files of a PACS, discs, an "
            "image of one, a folder."
        },
        "users": {"users": "Who works with the console."},
    }
)
"""The module of each command, and what a list of them says of it.

A run loads the module it is about and what that one needs; the list loads none.
"""
_MODULE_OF = {verb: module for module, verbs in _MODULES.items() for verb in verbs}


class _Commands(Root):
    """The commands by name, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return the names of all commands."""
        return sorted(_MODULE_OF)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Return a command, or None where there is none of that name."""
        if cmd_name not in _MODULE_OF:
            return None
        module = importlib.import_module(f"digitizer.cli.{_MODULE_OF[cmd_name]}")
        commands: tuple[click.Command, ...] = module.COMMANDS
        return next(one for one in commands if one.name == cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands as any group does, with their words from the table."""
        said = {verb: text for verbs in _MODULES.values() for verb, text in verbs.items()}
        listed = [click.Command(verb, help=text) for verb, text in said.items()]
        click.Group(commands=listed).format_commands(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; name the nearest ones where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=_MODULE_OF, ctx=ctx
            ) from None


root = _Commands(
    name="digitizer", help="Empties a hospital's X-ray film library into its digital archive."
)
click.version_option(digitizer.__version__, message="digitizer %(version)s")(root)

_FAILED, _USAGE, _SETTINGS, _MISSING = 1, 2, 4, 5


def main(argv: list[str] | None = None) -> None:
    """Run a command and exit with its code."""
    guard_terminal()
    sys.exit(run_command(sys.argv[1:] if argv is None else argv))


def run_command(argv: list[str]) -> int:
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
    elif isinstance(error, BadScan) and not error.remedy:
        line = f"{line} {CODES[Code(error.code)].remedy}"
    elif not isinstance(error, DigitizerError):
        kind = type(error).__name__
        line = f"Unexpected {kind}. Run again with DIGITIZER_DEBUG=1 for the details."
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            line = "The disk is full. Free some room, then run the same command again to go on."
        elif isinstance(error, OSError):
            line = f"{error.strerror or kind}: {error.filename or ''}".rstrip(": ")
    note(f"digitizer: {' '.join(line.split())}")
    return code
