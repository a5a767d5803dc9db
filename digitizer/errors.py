"""Every error this product raises on purpose, under one root.

::

    DigitizerError
    ├── UsageError             the command or its arguments are wrong
    ├── UnknownRecord          no batch, film, jacket or scan of that name
    ├── SettingsError          digitizer.toml or DIGITIZER_* is wrong
    ├── MissingService         a program, file or service we need is not there
    ├── BadScan                this file is bad and will stay bad
    ├── BadRow                 one row of a CSV file is refused
    ├── BadWorld               the world is busy or down; try again later
    │   ├── ArchiveUnreachable
    │   ├── ArchiveRefused
    │   ├── SourceUnreachable
    │   └── DiskFull
    ├── StaleRecord            somebody else changed the record first
    └── IllegalTransition      a change the table of states does not allow

An error says what happened and what to do next; its *disposition* says what a stage makes of it.
Exit codes are mapped in :mod:`digitizer.cli`.
"""

from enum import Enum, unique
from typing import ClassVar

__all__ = [
    "ArchiveRefused",
    "ArchiveUnreachable",
    "BadRow",
    "BadScan",
    "BadWorld",
    "DigitizerError",
    "DiskFull",
    "Disposition",
    "IllegalTransition",
    "MissingService",
    "SettingsError",
    "SourceUnreachable",
    "StaleRecord",
    "UnknownRecord",
    "UsageError",
]


@unique
class Disposition(Enum):
    """What a stage does when it meets the error."""

    RETRY = "retry"
    """The world is bad: wait with backoff, then try again."""
    QUARANTINE = "quarantine"
    """The input is bad: keep the original and the reason, go on with the rest."""
    HALT = "halt"
    """A mistake of ours or of the settings: try once more, then stop the film for a person."""


class DigitizerError(Exception):
    """Root of all errors raised on purpose.

    Parameters
    ----------
    message : str
        What happened, in one line without patient data.
    remedy : str, optional
        What the person in front of the screen can do about it.
    """

    disposition: ClassVar[Disposition] = Disposition.HALT

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(DigitizerError):
    """The command or its arguments are wrong."""


class UnknownRecord(UsageError):
    """No batch, jacket, scan or film of that name in the ledger."""


class SettingsError(DigitizerError):
    """A setting is unknown, malformed or contradicts another."""


class MissingService(DigitizerError):
    """A program, folder or service that the work needs is missing."""


class BadScan(DigitizerError):
    """A file that cannot be taken as a scan, now or later.

    Parameters
    ----------
    code : str
        A code of :class:`digitizer.model.reasons.Code` that quarantines (``truncated_file`` ...) or
        notes (``link_outside``).
    message, remedy : str
        As for :class:`DigitizerError`.
    """

    disposition = Disposition.QUARANTINE

    def __init__(self, code: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class BadRow(DigitizerError):
    """One row of a CSV file that is refused.

    Parameters
    ----------
    line : int
        Line number in the file, counted from 1 (the header is line 1).
    message : str
        Why.
    said_sha256 : str
        Hash of what the row says, where it could be told apart.
    """

    def __init__(self, line: int, message: str, said_sha256: str = "") -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.said_sha256 = said_sha256


class BadWorld(DigitizerError):
    """Something outside is down or full; the same work may succeed later.

    Parameters
    ----------
    code : str
        A code of :class:`digitizer.model.reasons.Code` that waits (``archive_unreachable`` ...).
    message, remedy : str
        As for :class:`DigitizerError`.
    """

    disposition = Disposition.RETRY

    def __init__(self, code: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class ArchiveUnreachable(BadWorld):
    """The archive does not answer, or broke the association off."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__("archive_unreachable", message, remedy=remedy)


class ArchiveRefused(BadWorld):
    """The archive answered with a failure status or refused the presentation context."""

    def __init__(self, message: str, *, remedy: str = "", status: int | None = None) -> None:
        super().__init__("archive_refused", message, remedy=remedy)
        self.status = status


class SourceUnreachable(BadWorld):
    """An older archive does not answer, or its folder is not there."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__("source_unreachable", message, remedy=remedy)


class DiskFull(BadWorld):
    """No room left where the vault or the ledger must write."""

    def __init__(self, message: str, *, remedy: str = "Free some room; the work goes on.") -> None:
        super().__init__("disk_full", message, remedy=remedy)


class StaleRecord(DigitizerError):
    """The record was changed by somebody else since it was read; read it again."""

    disposition = Disposition.RETRY


class IllegalTransition(DigitizerError):
    """A change of state that the table of transitions does not allow."""
