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

_MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "run": ("serve", "doctor", "scanners", "scan"),
        "ingest": ("ingest", "watch"),
        "batch": ("status", "batch", "retry", "export"),
        "proof": ("verify", "replay"),
        "orders": ("jacket",),
        "index": ("patients", "exams", "jackets"),
        "review": ("review",),
        "report": ("report",),
        "budget": ("budget",),
        "calibrate": ("calibrate",),
        "files": ("inspect", "convert", "read-label", "match"),
        "migrate": ("migrate",),
        "printing": ("print",),
        "rehearse": ("rehearse",),
        "rehearse_archive": ("rehearse-archive",),
        "users": ("users",),
    }
)
"""The module of each command: a run loads the one it is about and what that one needs."""
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
