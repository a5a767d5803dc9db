"""What all commands share: settings from either side of the verb, output, progress."""

import csv
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from digitizer.cli.terminal import shown
from digitizer.pipeline.spreadsheet import safe_cell

if TYPE_CHECKING:
    from digitizer.config import Loaded, Settings
    from digitizer.pipeline.services import Services

__all__ = [
    "FINISHED_WITH_HOLDS",
    "Root",
    "Session",
    "Verb",
    "json_option",
    "login",
    "login_name",
    "note",
    "pass_session",
    "print_csv",
    "print_json",
    "progress_bars",
    "stderr",
]

FINISHED_WITH_HOLDS = 3
"""Exit code: finished, but some films need a person, wait, or are quarantined."""

stderr = Console(stderr=True)


class Session:
    """Where the settings of one run come from; they are read when first needed.

    What reads them is loaded then as well: for help and for wrong usage nobody waits for it.
    """

    def __init__(self) -> None:
        self.data_dir: Path | None = None
        self.config: Path | None = None
        self._loaded: Loaded | None = None

    @property
    def loaded(self) -> "Loaded":
        """Settings with their origins; raises :class:`~digitizer.errors.SettingsError`."""
        from digitizer import config, log, wiring

        if self._loaded is None:
            self._loaded = config.load(self.config, data_dir=self.data_dir)
            log.configure(self._loaded.settings.log_level)
            wiring.settle_process()
        return self._loaded

    @property
    def settings(self) -> "Settings":
        """The effective settings."""
        return self.loaded.settings

    @property
    def services(self) -> "Services":
        """All ports, filled in for this process; the archive is that of a process that runs one."""
        from digitizer import wiring
        from digitizer.service.lock import DataFolderLock

        settings = self.settings
        # Read without taking the lock, which another may want just then: of a dead process the port
        # answers nobody, as none would.
        owner = None if settings.archive.host else DataFolderLock(settings.data_dir).named()
        if owner is not None and owner.archive_port:
            embedded = replace(settings.archive, host="127.0.0.1", port=owner.archive_port)
            settings = replace(settings, archive=embedded)
        return wiring.services(settings)


def _common(context: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    session = context.ensure_object(Session)
    if value is not None:
        setattr(session, str(parameter.name), value)


def _common_options() -> list[click.Option]:
    return [
        click.Option(
            [f"--{name}", name.replace("-", "_")],
            type=click.Path(path_type=Path),
            callback=_common,
            expose_value=False,
            help=text,
        )
        for name, text in (
            ("data-dir", "Folder of ledger, vault and embedded parts."),
            ("config", "Settings file (TOML)."),
        )
    ]


class Verb(click.Command):
    """A command that also takes ``--data-dir`` and ``--config`` after the verb."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())


class Root(click.Group):
    """A group that takes ``--data-dir`` and ``--config`` before the verb."""

    command_class = Verb

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())


Root.group_class = Root

pass_session: Callable[[Callable[..., Any]], Callable[..., Any]] = click.make_pass_decorator(
    Session, ensure=True
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def print_json(document: object) -> None:
    """Print one JSON document on standard output and nothing else."""
    json.dump(document, sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")
    sys.stdout.flush()


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table that a spreadsheet opens without running anything in it."""
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)


def progress_bars() -> Progress:
    """Return bars for long work; nothing is drawn where nobody looks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    )


def login_name() -> str:
    """Return the login name of whoever runs this command, or the number of one without."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container a user need not have a name.
        return str(os.getuid())


def login() -> str:
    """Return who runs this command, for the audit trail."""
    return f"cli:{login_name()}"


def note(text: str) -> None:
    """Tell the person something on standard error."""
    print(shown(text), file=sys.stderr)
